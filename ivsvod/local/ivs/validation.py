"""Check values against shapes of the service model: requests of boto3, and the replies of the local IVS.

botocore's own ParamValidator ignores maxima, enums and patterns, which the service checks.
"""

import re
import unicodedata
from typing import Any

from botocore.validate import ParamValidator

from ivsvod.local.ivs.errors import IvsError, invalid

# The model's own pattern lacks a "+" after the resource type and matches no ARN that exists.
CORRECTED_PATTERNS = {"ResourceArn": r"arn:aws:ivs:[a-z0-9-]+:[0-9]+:[a-z-]+/[a-zA-Z0-9-]+"}
PYTHON_TYPES: dict[str, Any] = {
    **{"string": str, "timestamp": str, "boolean": bool, "integer": int, "long": int},
    **{"list": list, "map": dict, "structure": dict},
}


def check_request(value: Any, shape: Any, path: str = "") -> Any:
    """Return the value with only the members that the shape has.

    Raises:
        IvsError: ValidationException, with the first violation.
    """
    kind, expected = shape.type_name, PYTHON_TYPES[shape.type_name]
    # bool is an int in Python, but not in JSON.
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise invalid(f"Value at '{path}' failed to satisfy constraint: Member must be a {kind}")
    if kind == "structure":
        given = {name: member for name, member in value.items() if name in shape.members and member is not None}
        for name in shape.required_members:
            if name not in given:
                raise _violation(f"{path}/{name}", "Member must not be null")
        return {name: check_request(member, shape.members[name], f"{path}/{name}") for name, member in given.items()}
    if expected is int:
        _check_range(value, shape, path, "value")
    elif kind in ("string", "list", "map"):
        _check_range(len(value), shape, path, "length")
    if kind == "list":
        return [check_request(member, shape.member, f"{path}/{index}") for index, member in enumerate(value)]
    if kind == "map":
        for key in value:
            check_request(key, shape.key, f"{path}/{key[:128]}")
        return {key: check_request(member, shape.value, f"{path}/{key}") for key, member in value.items()}
    if kind == "string":
        if shape.enum and value not in shape.enum:
            raise _violation(path, f"Member must satisfy enum value set: {shape.enum}")
        if not _matches(value, shape):
            raise _violation(path, f"Member must satisfy regular expression pattern: {shape.metadata['pattern']}")
    return value


def _violation(path: str, constraint: str) -> IvsError:
    return invalid(f"1 validation error detected: Value at '{path}' failed to satisfy constraint: {constraint}")


def _check_range(size: int, shape: Any, path: str, quantity: str) -> None:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and size < minimum:
        raise _violation(path, f"Member must have {quantity} greater than or equal to {minimum}")
    if maximum is not None and size > maximum:
        raise _violation(path, f"Member must have {quantity} less than or equal to {maximum}")


def _matches(value: str, shape: Any) -> bool:
    pattern = CORRECTED_PATTERNS.get(shape.name, shape.metadata.get("pattern"))
    if pattern is None:
        return True
    # Python's re knows no \p{}. The two patterns that use it (tag keys and values) allow the same characters.
    if r"\p{" in pattern:
        return all(unicodedata.category(letter)[0] in "LZN" or letter in "_.:/=+-@" for letter in value)
    return re.fullmatch(pattern, value) is not None


class ReplyMismatch(Exception):
    """A reply of the local IVS that the service model does not allow: a bug of the local IVS."""


def check_reply(reply: dict[str, Any] | None, shape: Any) -> None:
    """Check that the reply has all required members, no unknown ones, and the right types.

    Raises:
        ReplyMismatch: it does not; the message lists all violations.
    """
    if shape is None and reply:
        raise ReplyMismatch("the operation has no output")
    report = ParamValidator().validate(reply or {}, shape) if shape else None
    if report and report.has_errors():
        raise ReplyMismatch(report.generate_report())
