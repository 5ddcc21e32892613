"""`make static STAGE=…`: upload static files to the bucket of `deploy/<stage>.env`.

Their names hold digests, so those of the running version stay beside those of the next.
"""

import os
import sys
import tempfile

from deploy.package import collectstatic
from deploy.zappa import variables_of

_NAMES = ("STATIC_BUCKET", "STATIC_URL", "AWS_REGION")


def main(stage: str) -> None:
    """Upload the missing files.

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
