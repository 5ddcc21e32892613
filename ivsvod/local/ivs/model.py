"""Routes and requests of Amazon IVS, read from botocore's own service model (2020-07-14).

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/Welcome.html
"""

import json
import re
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from botocore.loaders import Loader
from botocore.model import ServiceModel

from ivsvod.local.ivs.errors import IvsError
from ivsvod.local.ivs.validation import check_request

# The guides write "none" for "no recording"; the pattern of the model knows only "".
NONE_MEANS_EMPTY = ("recordingConfigurationArn", "playbackRestrictionPolicyArn")
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/CommonErrors.html
STATUS_OUTSIDE_THE_MODEL = {
    "MissingAuthenticationTokenException": 403,
    "SerializationException": 400,
    "UnknownOperationException": 404,
}


@cache
def service_model() -> Any:
    # Not by a session: that would read the caller's AWS profile.
    return ServiceModel(Loader().load_service_model("ivs", "service-2"), service_name="ivs")


@cache
def _routes() -> list[tuple[str, re.Pattern[str], Any]]:
    operations = (service_model().operation_model(name) for name in service_model().operation_names)
    return [(each.http["method"], _path_pattern(each.http["requestUri"]), each) for each in operations]


def _path_pattern(template: str) -> re.Pattern[str]:
    # An ARN has a slash of its own, and a WSGI server hands over the path already decoded.
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(template)))


def find_operation(method: str, path: str) -> tuple[Any, dict[str, str]]:
    """The operation model of a request, and the members that its path holds."""
    for route_method, pattern, operation in _routes():
        match = pattern.fullmatch(path)
        if route_method == method and match:
            return operation, match.groupdict()
    raise IvsError("UnknownOperationException", f"No operation at {method} {path}")


def read_arguments(operation: Any, in_path: dict[str, str], query: str, body: bytes) -> dict[str, Any]:
    """The input of an operation from all places of the request, checked against its shape."""
    shape = operation.input_shape
    arguments = {**_from_body(body), **in_path, **_from_query(shape, query)}
    for name in NONE_MEANS_EMPTY:
        if arguments.get(name) == "none":
            arguments[name] = ""
    checked: dict[str, Any] = check_request(arguments, shape)
    return checked


def _from_body(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise IvsError("SerializationException", "The body is not a JSON object")
    return document


def _from_query(shape: Any, query: str) -> dict[str, list[str]]:
    given = parse_qs(query, keep_blank_values=True)
    in_query = [name for name, member in shape.members.items() if member.serialization.get("location") == "querystring"]
    return {name: given[shape.members[name].serialization["name"]] for name in in_query if name in given}


def status_of(code: str) -> int:
    """The HTTP status of an exception."""
    if code in STATUS_OUTSIDE_THE_MODEL:
        return STATUS_OUTSIDE_THE_MODEL[code]
    return int(service_model().shape_for(code).metadata["error"]["httpStatusCode"])
