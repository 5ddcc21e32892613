"""`python -m deploy.zappa STAGE COMMAND …`: Zappa, with its settings filled from `deploy/<stage>.env`.

`deploy` and `update` send `dist/ivsvod.zip`, as `make package` made and `make deploy-check` tried it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from dotenv import dotenv_values

from deploy.package import BUILD, CHECKOUT, PACKAGE
from deploy.settings import SettingsError, rendered

WITH_PACKAGE = {"deploy", "update"}


def main(arguments: list[str]) -> int:
    """Run it; returns the exit status of Zappa.

    Raises:
        SystemExit: something is missing; the message says what.
    """
    if len(arguments) < 2:
        sys.exit("python -m deploy.zappa STAGE deploy | update | schedule | status | tail | manage … | undeploy")
    stage, command, *rest = arguments
    settings = settings_write(stage)
    zipped = ["--zip", str(_package())] if command in WITH_PACKAGE else []
    line = [_beside("zappa"), command, stage, *rest, "-s", str(settings), *zipped]
    return subprocess.run(line, cwd=CHECKOUT, env={**os.environ, "VIRTUAL_ENV": sys.prefix}, check=False).returncode


def settings_write(stage: str) -> Path:
    """The settings of a stage, below `build/`."""
    try:
        settings = rendered(json.loads((CHECKOUT / "zappa_settings.json").read_text()), stage, variables_of(stage))
    except SettingsError as error:
        sys.exit(f"deploy/{stage}.env: {error}")
    target = BUILD / f"zappa_settings.{stage}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(settings, indent=2))
    return target


def variables_of(stage: str) -> dict[str, str]:
    """What stands in `deploy/<stage>.env`; nothing where there is no such file."""
    found = dotenv_values(CHECKOUT / "deploy" / f"{stage}.env", interpolate=False)
    # None where a line has no equals sign.
    return {name: value or "" for name, value in found.items()}


def _package() -> Path:
    if not PACKAGE.is_file():
        sys.exit(f"{PACKAGE.relative_to(CHECKOUT)} is missing: make package")
    return PACKAGE


def _beside(program: str) -> str:
    return str(Path(sys.executable).with_name(program))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
