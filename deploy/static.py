"""`make static STAGE=…`: static files into the bucket that `deploy/<stage>.env` names.

Their names are digests: those of the version that runs now stay beside those of the next.
"""

import os
import sys
import tempfile

from deploy.package import collectstatic
from deploy.zappa import variables_of

_NAMES = ("STATIC_BUCKET", "STATIC_URL", "AWS_REGION")


def main(stage: str) -> None:
    """Send those that are not there yet.

    Raises:
        SystemExit: the stage names no bucket.
    """
    variables = variables_of(stage)
    if missing := [name for name in _NAMES if not variables.get(name)]:
        sys.exit(f"deploy/{stage}.env: not set: {', '.join(missing)}")
    own = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    with tempfile.TemporaryDirectory() as folder:
        collectstatic({**own, **{name: variables[name] for name in _NAMES}, "STATIC_ROOT": folder})


if __name__ == "__main__":
    main(*sys.argv[1:2] or ["production"])
