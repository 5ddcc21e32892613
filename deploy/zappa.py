"""`python -m deploy.zappa STAGE COMMAND …`: Zappa, with its settings filled from `deploy/<stage>.env`.

`deploy` and `update` send `dist/ivsvod.zip`, as `make package` made and `make deploy-check` tried it. What they leave
open is put in order by `deploy.hooks`; after `schedule`, for which Zappa calls no hook, from here. `manage` ends with
the exit status of the command, which Zappa does not look at.
"""

import base64
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
import click
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from dotenv import dotenv_values

from deploy.hooks import mend
from deploy.package import BUILD, CHECKOUT, PACKAGE, zappa_settings
from deploy.settings import SettingsError, rendered

WITH_PACKAGE = {"deploy", "update"}
# They make the mapping of the queue where there is none, without reports of failed messages, which would be lost. So it
# is made closed, and opened by the hook: until then messages wait.
MAKING_MAPPING = {"deploy", "schedule"}


def main(arguments: list[str]) -> int:
    """Run it; returns the exit status.

    Raises:
        SystemExit: something is missing; the message says what.
    """
    if len(arguments) < 2:
        sys.exit("python -m deploy.zappa STAGE deploy | update | schedule | status | tail | manage … | undeploy")
    stage, command, *rest = arguments
    settings = settings_of(stage)
    if command == "manage":
        return _manage(stage, settings, rest)
    if command in MAKING_MAPPING:
        _close(settings)
    zipped = ["--zip", str(_package())] if command in WITH_PACKAGE else []
    line = [_beside("zappa"), command, stage, *rest, "-s", str(_write(stage, settings)), *zipped]
    status = subprocess.run(line, cwd=CHECKOUT, env={**os.environ, "VIRTUAL_ENV": sys.prefix}, check=False).returncode
    return _mend(stage, settings) if command == "schedule" and status == 0 else status


def settings_of(stage: str) -> dict[str, Any]:
    """The settings of a stage."""
    try:
        rendering = rendered(zappa_settings(), stage, variables_of(stage))
    except SettingsError as error:
        sys.exit(f"deploy/{stage}.env: {error}")
    return rendering[stage]


def _close(settings: dict[str, Any]) -> None:
    for source in [event["event_source"] for event in settings["events"] if "event_source" in event]:
        source["opened"], source["enabled"] = source.get("enabled", True), False


def _write(stage: str, settings: dict[str, Any]) -> Path:
    target = BUILD / f"zappa_settings.{stage}.json"
    target.parent.mkdir(exist_ok=True)
    # It has the values of a file that is for its owner alone.
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    target.write_text(json.dumps({stage: settings}, indent=2))
    return target


def _mend(stage: str, settings: dict[str, Any]) -> int:
    try:
        mend(_client(settings), _function(stage, settings), settings)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return 0


def _manage(stage: str, settings: dict[str, Any], words: Sequence[str]) -> int:
    """A command in the function, whose last lines are shown; `words` may be one text or many."""
    event = json.dumps({"manage": words[0] if len(words) == 1 else shlex.join(words)})
    try:
        told = _client(settings).invoke(FunctionName=_function(stage, settings), Payload=event, LogType="Tail")
    except (ClientError, BotoCoreError) as error:
        sys.exit(str(error))
    print(base64.b64decode(told.get("LogResult", "")).decode(errors="replace"), end="")
    answer = json.load(told["Payload"])
    if "FunctionError" in told:
        print(
            f"{answer.get('errorType', told['FunctionError'])}: {answer.get('errorMessage', answer)}", file=sys.stderr
        )
        return 1
    return int(answer.get("exit_code", 0))


def _client(settings: dict[str, Any]) -> Any:
    # As long as the function may run, and once: what it did must not be done again.
    config = Config(read_timeout=settings["timeout_seconds"] + 30, retries={"total_max_attempts": 1})
    return boto3.session.Session().client("lambda", region_name=settings["aws_region"], config=config)


def _function(stage: str, settings: dict[str, Any]) -> str:
    return f"{settings['project_name']}-{stage}"


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
