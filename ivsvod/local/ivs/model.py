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
    """Return the input of an operation from body, path and query, checked against its shape."""
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise IvsError("SerializationException", "The body is not a JSON object")
    shape, given = operation.input_shape, parse_qs(query, keep_blank_values=True)
    places = {name: member.serialization for name, member in shape.members.items()}
    in_query = {name: place["name"] for name, place in places.items() if place.get("location") == "querystring"}
    arguments = {**document, **in_path, **{name: given[key] for name, key in in_query.items() if key in given}}
    for name in NONE_MEANS_EMPTY:
        if arguments.get(name) == "none":
            arguments[name] = ""
    checked: dict[str, Any] = check_request(arguments, shape)
    return checked


def status_of(code: str) -> int:
    """Return the HTTP status of an exception."""
    if code in STATUS_OUTSIDE_THE_MODEL:
        return STATUS_OUTSIDE_THE_MODEL[code]
    return int(service_model().shape_for(code).metadata["error"]["httpStatusCode"])
