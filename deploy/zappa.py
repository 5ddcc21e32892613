"""`python -m deploy.zappa STAGE COMMAND …`: run Zappa with settings from `deploy/<stage>.env`.

`deploy` and `update` send `dist/ivsvod.zip`, made by `make package` and tested by `make deploy-check`. `deploy.hooks`
corrects the function after them, and after `schedule`, for which Zappa calls no hook. `manage` exits with the status of
the command, which Zappa ignores. `static` uploads static files to the bucket of the stage.
"""

import base64
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
import click
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from dotenv import dotenv_values

from deploy.hooks import correct
from deploy.package import BUILD, CHECKOUT, PACKAGE, collectstatic, zappa_settings
from deploy.settings import SettingsError, rendered

WITH_PACKAGE = {"deploy", "update"}
# They create a missing mapping of the queue without reports of failed messages, which would be lost. So it is created
# disabled, and the hook enables it: until then messages wait.
MAKING_MAPPING = {"deploy", "schedule"}
NEEDED_FOR_STATIC = ("STATIC_BUCKET", "STATIC_URL", "AWS_REGION")


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status.

    Raises:
        SystemExit: an argument, a variable or the package is missing; the message names it.
    """
    if len(arguments) < 2:
        sys.exit("python -m deploy.zappa STAGE deploy | update | schedule | status | tail | manage … | undeploy")
    stage, command, *rest = arguments
    if command == "static":
        return _static(stage)
    settings = settings_of(stage)
    if command == "manage":
        return _manage(stage, settings, rest)
    if command in MAKING_MAPPING:
        for source in [event["event_source"] for event in settings["events"] if "event_source" in event]:
            source["opened"], source["enabled"] = source.get("enabled", True), False
    if command in WITH_PACKAGE and not PACKAGE.is_file():
        sys.exit(f"{PACKAGE.relative_to(CHECKOUT)} is missing: make package")
    zipped = ["--zip", str(PACKAGE)] if command in WITH_PACKAGE else []
    zappa = str(Path(sys.executable).with_name("zappa"))
    line = [zappa, command, stage, *rest, "-s", str(_write(stage, settings)), *zipped]
    status = subprocess.run(line, cwd=CHECKOUT, env={**os.environ, "VIRTUAL_ENV": sys.prefix}, check=False).returncode
    if command == "schedule" and status == 0:
        try:
            correct(_client(settings), _function(stage, settings), settings)
        except click.ClickException as error:
            error.show()
            return error.exit_code
    return status


def settings_of(stage: str) -> dict[str, Any]:
    """Return the settings of a stage."""
    try:
        rendering = rendered(zappa_settings(), stage, variables_of(stage))
    except SettingsError as error:
        sys.exit(f"deploy/{stage}.env: {error}")
    return rendering[stage]


def _write(stage: str, settings: dict[str, Any]) -> Path:
    target = BUILD / f"zappa_settings.{stage}.json"
    target.parent.mkdir(exist_ok=True)
    # It holds values of a file that only its owner can read.
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    target.write_text(json.dumps({stage: settings}, indent=2))
    return target


def _manage(stage: str, settings: dict[str, Any], arguments: Sequence[str]) -> int:
    """Run a command in the function and print its last lines; `arguments` may be one text or many."""
    event = json.dumps({"manage": arguments[0] if len(arguments) == 1 else shlex.join(arguments)})
    try:
        response = _client(settings).invoke(FunctionName=_function(stage, settings), Payload=event, LogType="Tail")
    except (ClientError, BotoCoreError) as error:
        sys.exit(str(error))
    print(base64.b64decode(response.get("LogResult", "")).decode(errors="replace"), end="")
    answer = json.load(response["Payload"])
    if "FunctionError" in response:
        kind = answer.get("errorType", response["FunctionError"])
        print(f"{kind}: {answer.get('errorMessage', answer)}", file=sys.stderr)
        return 1
    return int(answer.get("exit_code", 0))


def _static(stage: str) -> int:
    """Upload the missing files. Names hold digests, so those of the running version stay beside those of the next."""
    variables = variables_of(stage)
    if missing := [name for name in NEEDED_FOR_STATIC if not variables.get(name)]:
        sys.exit(f"deploy/{stage}.env: not set: {', '.join(missing)}")
    own = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    with tempfile.TemporaryDirectory() as folder:
        collectstatic({**own, **{name: variables[name] for name in NEEDED_FOR_STATIC}, "STATIC_ROOT": folder})
    return 0


def _client(settings: dict[str, Any]) -> Any:
    # The timeout is longer than that of the function. A retry would run the command twice.
    config = Config(read_timeout=settings["timeout_seconds"] + 30, retries={"total_max_attempts": 1})
    return boto3.session.Session().client("lambda", region_name=settings["aws_region"], config=config)


def _function(stage: str, settings: dict[str, Any]) -> str:
    return f"{settings['project_name']}-{stage}"


def variables_of(stage: str) -> dict[str, str]:
    """Return the variables of `deploy/<stage>.env`; none without such a file."""
    variables = dotenv_values(CHECKOUT / "deploy" / f"{stage}.env", interpolate=False)
    # The value of a line without an equals sign is None.
    return {name: value or "" for name, value in variables.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
