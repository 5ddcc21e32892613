"""The settings of Zappa for one account: `zappa_settings.json` with the variables of `deploy/<stage>.env`; pure.

`"${NAME}"` stands for the value of a variable, in a list for each of its comma-separated parts. Variables that the
settings do not name become the environment of the function.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
# Lambda sets these itself, and refuses them. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
RESERVED = (
    *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    *("AWS_SESSION_TOKEN", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
    *("AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "_HANDLER"),
)
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
# Bytes of names and values together.
LARGEST_ENVIRONMENT = 4096


class SettingsError(Exception):
    """The variables cannot be used; the message names them, and no value."""


def rendered(settings: Mapping[str, Any], stage: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings of one stage, as Zappa reads them.

    Raises:
        SettingsError: there is no such stage, a variable is missing, empty or refused by Lambda, or all are too long.
    """
    chosen = stage_settings(settings, stage)
    used = set(_PLACEHOLDER.findall(json.dumps(chosen)))
    if missing := sorted(used - set(variables)):
        raise SettingsError(f"not set: {', '.join(missing)}")
    own = {name: value for name, value in variables.items() if name not in used}
    environment = {"STAGE": stage, **chosen["aws_environment_variables"], **own}
    _refuse(environment)
    return {stage: {**_filled(chosen, variables), "aws_environment_variables": environment}}


def stage_settings(settings: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """Return the settings of one stage with those that it extends, with their placeholders.

    Raises:
        SettingsError: there is no such stage.
    """
    if stage == "base" or stage not in settings:
        raise SettingsError(f"zappa_settings.json has no stage {stage}")
    base, own = settings["base"], {name: value for name, value in settings[stage].items() if name != "extends"}
    variables = {**base.get("aws_environment_variables", {}), **own.get("aws_environment_variables", {})}
    return {**base, **own, "aws_environment_variables": variables}


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    """Return the value with the values of variables, which are needed except in a list."""
    if isinstance(value, str):
        names = _PLACEHOLDER.findall(value)
        if empty := [name for name in names if not variables[name].strip()]:
            raise SettingsError(f"empty: {', '.join(empty)}")
        return _PLACEHOLDER.sub(lambda match: variables[match[1]], value)
    if isinstance(value, Mapping):
        return {name: _filled(item, variables) for name, item in value.items()}
    if isinstance(value, list):
        items: list[Any] = []
        for item in value:
            match = _PLACEHOLDER.fullmatch(item) if isinstance(item, str) else None
            parts = [part.strip() for part in variables[match[1]].split(",")] if match else [_filled(item, variables)]
            items += filter(None, parts) if match else parts
        return items
    return value


def _refuse(environment: Mapping[str, str]) -> None:
    if reserved := sorted(set(environment) & set(RESERVED)):
        raise SettingsError(f"Lambda sets these itself: {', '.join(reserved)}")
    if strange := sorted(name for name in environment if not _VARIABLE.fullmatch(name)):
        raise SettingsError(f"no names of variables: {', '.join(strange)}")
    size = sum(len(f"{name}{value}".encode()) for name, value in environment.items())
    if size > LARGEST_ENVIRONMENT:
        raise SettingsError(f"the environment of the function has {size} bytes, more than {LARGEST_ENVIRONMENT}")
