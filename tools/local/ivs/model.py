"""Routes, requests and replies of Amazon IVS, checked against botocore's own service model (2020-07-14).

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/Welcome.html
"""

import json
import re
import unicodedata
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from tools.local.ivs.errors import IvsError, invalid

# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/CommonErrors.html
STATUS_OUTSIDE_THE_MODEL = {
    "MissingAuthenticationTokenException": 403,
    "SerializationException": 400,
    "UnknownOperationException": 404,
}
# The model's own pattern lacks a "+" after the resource type and matches no ARN that exists.
CORRECTED_PATTERNS = {"ResourceArn": r"arn:aws:ivs:[a-z0-9-]+:[0-9]+:[a-z-]+/[a-zA-Z0-9-]+"}


@cache
def service_model() -> Any:
    # Not by a session: that would read the caller's AWS profile.
    return ServiceModel(Loader().load_service_model("ivs", "service-2"), service_name="ivs")


@cache
def _routes() -> list[tuple[str, re.Pattern[str], Any]]:
    routes = []
    for name in service_model().operation_names:
        operation = service_model().operation_model(name)
        # An ARN has a slash of its own, and a WSGI server hands over the path already decoded.
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(operation.http["requestUri"]))
        routes.append((operation.http["method"], re.compile(pattern), operation))
    return routes


def find_operation(method: str, path: str) -> tuple[Any, dict[str, str]]:
    """Return the operation model of a request, and the members in its path."""
    for route_method, pattern, operation in _routes():
        match = pattern.fullmatch(path)
        if route_method == method and match:
            return operation, match.groupdict()
    raise IvsError("UnknownOperationException", f"No operation at {method} {path}")


def read_arguments(operation: Any, in_path: dict[str, str], query: str, body: bytes) -> dict[str, Any]:
    """Return the input of an operation from body, path and query, without unknown members and nulls.

    Raises:
        IvsError: the body is not a JSON object, or a value does not satisfy the model.
    """
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise IvsError("SerializationException", "The body is not a JSON object")
    members, given = operation.input_shape.members, parse_qs(query, keep_blank_values=True)
    places = {name: member.serialization for name, member in members.items()}
    in_query = {name: place["name"] for name, place in places.items() if place.get("location") == "querystring"}
    arguments = {**document, **in_path, **{name: given[key] for name, key in in_query.items() if key in given}}
    arguments = {name: value for name, value in arguments.items() if name in members and value is not None}
    report = RequestValidator().validate(arguments, operation.input_shape)
    if report.has_errors():
        raise invalid(report.generate_report())
    return arguments


class RequestValidator(ParamValidator):
    """botocore's validator, which also checks maxima, enums and patterns, as the service does."""

    VALIDATED_METADATA_ATTRS = ParamValidator.VALIDATED_METADATA_ATTRS | {"max", "enum", "pattern"}

    def _validate(self, params: Any, shape: Any, errors: Any, name: str) -> None:
        """Validate a value, which botocore calls `params`, and the values in it."""
        super()._validate(params, shape, errors, name)
        constraint = None if errors.has_errors() else _violated_constraint(params, shape)
        if constraint:
            raise invalid(f"1 validation error detected: Value at '{name}' failed to satisfy constraint: {constraint}")


def _violated_constraint(value: Any, shape: Any) -> str | None:
    # bool is an int in Python, but not in JSON.
    if isinstance(value, bool) and shape.type_name != "boolean":
        return f"Member must be a {shape.type_name}"
    largest = shape.metadata.get("max")
    if largest is not None and (value if isinstance(value, int) else len(value)) > largest:
        return f"Member must have value or length less than or equal to {largest}"
    if shape.type_name == "string" and shape.enum and value not in shape.enum:
        return f"Member must satisfy enum value set: {shape.enum}"
    pattern = CORRECTED_PATTERNS.get(shape.name, shape.metadata.get("pattern"))
    if pattern and not _matches(value, pattern):
        return f"Member must satisfy regular expression pattern: {pattern}"
    return None


def _matches(value: str, pattern: str) -> bool:
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
    report = ParamValidator().validate(reply, shape) if shape else None
    if report and report.has_errors():
        raise ReplyMismatch(report.generate_report())


def status_of(code: str) -> int:
    """Return the HTTP status of an exception."""
    if code in STATUS_OUTSIDE_THE_MODEL:
        return STATUS_OUTSIDE_THE_MODEL[code]
    return int(service_model().shape_for(code).metadata["error"]["httpStatusCode"])
