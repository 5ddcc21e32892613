"""The target of a `manage.py` command: the local stack, or the database and AWS account of the environment."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Always on the local stack: they ignore `.env` and the database and AWS variables of the caller.
LOCAL_COMMANDS = {"bench", "demo", "simulate_broadcast", "stop"}
# They use files of the checkout only, with any database.
FILE_COMMANDS = {
    *("collectstatic", "compilemessages", "findstatic", "help", "makemessages", "makemigrations", "openapi", "version"),
    *("--help", "--version", "-h"),
}
NAMES_A_DATABASE = ("DATABASE_URL", "PG_HOST", "AWS_LAMBDA_FUNCTION_NAME")


class LocalStackRefusedError(Exception):
    """A command would use the local stack but may be meant for a deployment; the message names both solutions."""


def asks_for_local_stack(command: str, environment: Mapping[str, str]) -> bool:
    """Return whether the command, or IVSVOD_LOCAL, asks for the local stack; raise ValueError if that is not 0 or 1."""
    text = environment.get("IVSVOD_LOCAL") or "0"
    if text not in {"0", "1"}:
        raise ValueError("IVSVOD_LOCAL is not 0 or 1")
    return command in LOCAL_COMMANDS or text == "1"


def uses_local_stack(arguments: Sequence[str], environment: Mapping[str, str], deploy_files: Sequence[Path]) -> bool:
    """Return whether a command line uses the local stack: it asks for that, or no database is named.

    Raise LocalStackRefusedError if no database is named, and there is a file that names one.
    """
    if asks_for_local_stack(arguments[0], environment):
        return True
    if any(environment.get(name) for name in NAMES_A_DATABASE):
        return False
    if deploy_files and touches_services(arguments):
        file = deploy_files[0]
        raise LocalStackRefusedError(
            f"{arguments[0]} is refused: no database is named, and {file} exists. Load it with `set -a; . {file}; "
            f"set +a`, or set IVSVOD_LOCAL=1 to use the local stack."
        )
    return True


def touches_services(arguments: Sequence[str]) -> bool:
    """Return whether the command uses a database or AWS."""
    return arguments[0] not in FILE_COMMANDS and not {"--help", "-h"} & set(arguments)


def described(settings: Any, environment: Mapping[str, str], *, is_local: bool) -> str:
    """Return the database and the AWS of a process in one line, without a user, a password or a key."""
    database = settings.DATABASES["default"]
    port = f":{database['PORT']}" if database["PORT"] and not database["HOST"].startswith("/") else ""
    # A malformed host may hold a password.
    host = database["HOST"].rpartition("@")[2]
    where = f"database {host}{port}/{database['NAME']}"
    aws = f"AWS {settings.AWS_REGION or environment.get('AWS_DEFAULT_REGION') or 'without a region'}"
    if is_local:
        return f"the local stack: {where}, {aws}"
    account = settings.RECORDING_CONFIG_ARN.split(":")[4:5]
    details = [f"profile {environment['AWS_PROFILE']}"] if environment.get("AWS_PROFILE") else []
    details += [f"account {account[0]} of RECORDING_CONFIG_ARN"] if account else []
    return f"{where}, {aws}" + (f" ({', '.join(details)})" if details else "")
