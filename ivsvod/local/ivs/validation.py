"""Values against shapes of the service model: what boto3 sends, and what the local IVS answers.

botocore's own ParamValidator knows types, required members and minimum lengths only; maxima, enums and patterns
are checked by the service, so they are checked here.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from ivsvod.local.ivs.errors import invalid

# The model's own pattern lacks a "+" after the resource type and matches no ARN that exists.
CORRECTED_PATTERNS = {"ResourceArn": r"arn:aws:ivs:[a-z0-9-]+:[0-9]+:[a-z-]+/[a-zA-Z0-9-]+"}

PYTHON_TYPES: dict[str, type] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "timestamp": str,
    "list": list,
    "map": dict,
    "structure": dict,
}


def check_request(value: Any, shape: Any, path: str = "") -> Any:
    """The value with only the members the shape knows; ValidationException names the first thing that is wrong."""
    _check_type(value, shape, path)
    return REQUEST_CHECKS[shape.type_name](value, shape, path)


def _check_type(value: Any, shape: Any, path: str) -> None:
    expected = PYTHON_TYPES[shape.type_name]
    # bool is an int in Python, but not in JSON.
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise invalid(f"Value at '{path}' failed to satisfy constraint: Member must be a {shape.type_name}")


def _structure(value: dict[str, Any], shape: Any, path: str) -> dict[str, Any]:
    given = {name: member for name, member in value.items() if name in shape.members and member is not None}
    for name in shape.required_members:
        if name not in given:
            raise _violation(f"{path}/{name}", "Member must not be null")
    return {name: check_request(member, shape.members[name], f"{path}/{name}") for name, member in given.items()}


def _list(value: list[Any], shape: Any, path: str) -> list[Any]:
    _check_range(len(value), shape, path, "length")
    return [check_request(member, shape.member, f"{path}/{index}") for index, member in enumerate(value)]


def _map(value: dict[str, Any], shape: Any, path: str) -> dict[str, Any]:
    _check_range(len(value), shape, path, "length")
    for key in value:
        check_request(key, shape.key, f"{path}/{key[:128]}")
    return {key: check_request(member, shape.value, f"{path}/{key}") for key, member in value.items()}


def _string(value: str, shape: Any, path: str) -> str:
    _check_range(len(value), shape, path, "length")
    if shape.enum and value not in shape.enum:
        raise _violation(path, f"Member must satisfy enum value set: {shape.enum}")
    if not _matches(value, shape):
        raise _violation(path, f"Member must satisfy regular expression pattern: {shape.metadata['pattern']}")
    return value


def _integer(value: int, shape: Any, path: str) -> int:
    _check_range(value, shape, path, "value")
    return value


def _unchanged(value: Any, shape: Any, path: str) -> Any:
    return value


REQUEST_CHECKS: dict[str, Callable[[Any, Any, str], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "boolean": _unchanged,
    "timestamp": _unchanged,
}


def _violation(path: str, constraint: str) -> Exception:
    return invalid(f"1 validation error detected: Value at '{path}' failed to satisfy constraint: {constraint}")


def _check_range(size: int, shape: Any, path: str, what: str) -> None:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and size < minimum:
        raise _violation(path, f"Member must have {what} greater than or equal to {minimum}")
    if maximum is not None and size > maximum:
        raise _violation(path, f"Member must have {what} less than or equal to {maximum}")


def _matches(value: str, shape: Any) -> bool:
    pattern = CORRECTED_PATTERNS.get(shape.name, shape.metadata.get("pattern"))
    if pattern is None:
        return True
    # Python's re knows no \p{}. The two patterns that use it (tag keys and values) say the same thing.
    if r"\p{" in pattern:
        return all(unicodedata.category(letter)[0] in "LZN" or letter in "_.:/=+-@" for letter in value)
    return re.fullmatch(pattern, value) is not None


class ReplyMismatch(Exception):
    """The local IVS was about to answer something that the service model does not allow: a bug of its own."""


def check_reply(reply: dict[str, Any] | None, shape: Any) -> None:
    """Nothing unknown, nothing required missing, all of the right type."""
    if shape is None:
        problems = ["the operation has no output"] if reply else []
    else:
        problems = list(_reply_problems(reply or {}, shape, ""))
    if problems:
        raise ReplyMismatch("; ".join(problems))


def _reply_problems(value: Any, shape: Any, path: str) -> Iterator[str]:
    expected: Any = PYTHON_TYPES[shape.type_name]
    if not isinstance(value, expected):
        yield f"{path}: {type(value).__name__} in place of {shape.type_name}"
    elif shape.type_name == "structure":
        yield from (f"{path}/{name}: unknown" for name in value if name not in shape.members)
        yield from (f"{path}/{name}: missing" for name in shape.required_members if name not in value)
        for name, member in value.items():
            if name in shape.members:
                yield from _reply_problems(member, shape.members[name], f"{path}/{name}")
    elif shape.type_name == "list":
        for index, member in enumerate(value):
            yield from _reply_problems(member, shape.member, f"{path}/{index}")
    elif shape.type_name == "timestamp" and datetime.fromisoformat(value).tzinfo is None:
        yield f"{path}: a time without a zone"
    # IVS answers "" for a preset that does not apply, which the enum does not list.
    elif shape.type_name == "string" and shape.enum and value not in ("", *shape.enum):
        yield f"{path}: {value} is not in the enum"
