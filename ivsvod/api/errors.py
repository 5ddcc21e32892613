"""The one shape of every API error: `{"error": "a sentence", "code": "machine_word", "fields": {…}}`."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from channels_app.aws import AwsError, Kind
from channels_app.services import ChannelLeftBehindError

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = "5"
# What a failure of AWS is to a client: status, code. What is not here is ours to answer for: 502.
_AWS = {
    Kind.INVALID: (400, "aws_refused"),
    Kind.PENDING_VERIFICATION: (403, "aws_pending_verification"),
    Kind.CONFLICT: (409, "aws_conflict"),
    Kind.QUOTA: (503, "aws_quota"),
    Kind.THROTTLED: (503, "aws_throttled"),
    Kind.TIMEOUT: (503, "aws_timeout"),
    Kind.UNAVAILABLE: (503, "aws_unavailable"),
}
_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "throttled",
}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Any exception of a view as an answer; None for those that are bugs."""
    response = _answer(error)
    if response is not None:
        set_rollback()
    return response


def _answer(error: Exception) -> Response | None:
    if isinstance(error, Http404):
        return _response(404, str(error) or "Not found")
    if isinstance(error, PermissionDenied):
        return _response(403, "This needs a permission that you lack")
    if isinstance(error, (OperationalError, InterfaceError)):
        logger.error("the database cannot be reached: %s", type(error).__name__)
        return _response(503, "The database cannot be reached", code="unavailable", retry_after=RETRY_AFTER_SECONDS)
    if isinstance(error, AwsError):
        return _aws_answer(error)
    if isinstance(error, ChannelLeftBehindError):
        return _response(503, str(error), code="channel_unfinished", retry_after=RETRY_AFTER_SECONDS)
    return _rest_answer(error) if isinstance(error, exceptions.APIException) else None


def _rest_answer(error: exceptions.APIException) -> Response:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    wait = getattr(error, "wait", None)
    if isinstance(error, exceptions.ValidationError):
        fields = _fields(error.detail)
        return _response(400, _sentence(fields), code="invalid", fields=fields)
    retry_after = str(int(wait)) if wait else None
    return _response(error.status_code, str(error.detail), headers=headers, retry_after=retry_after)


def _aws_answer(error: AwsError) -> Response:
    status_code, code = _AWS.get(error.kind, (502, "aws_failed"))
    logger.error("aws failed operation=%s resource=%s kind=%s", error.operation, error.resource, error.kind)
    sentence = f"Amazon IVS refused {error.operation}: {error.message or error.kind}"
    retry_after = RETRY_AFTER_SECONDS if status_code == 503 else None
    return _response(status_code, sentence, code=code, retry_after=retry_after)


def _fields(detail: Any) -> dict[str, list[str]]:
    if not isinstance(detail, dict):
        return {"": _texts(detail)}
    # What concerns no one field has no name here.
    names = {api_settings.NON_FIELD_ERRORS_KEY: ""}
    return {names.get(name, str(name)): _texts(value) for name, value in detail.items()}


def _texts(detail: Any) -> list[str]:
    if isinstance(detail, dict):
        return [text for value in detail.values() for text in _texts(value)]
    return [text for item in detail for text in _texts(item)] if isinstance(detail, list) else [str(detail)]


def _sentence(fields: dict[str, list[str]]) -> str:
    name, texts = next(iter(fields.items()))
    return f"{name}: {texts[0]}" if name else texts[0]


def _response(
    status_code: int,
    sentence: str,
    *,
    headers: dict[str, str] | None = None,
    retry_after: str | None = None,
    **details: Any,
) -> Response:
    headers = dict(headers or {})
    if retry_after:
        headers["Retry-After"] = retry_after
    return Response(error_document(status_code, sentence, **details), status=status_code, headers=headers)


def error_document(status_code: int, sentence: str, **details: Any) -> dict[str, Any]:
    """The body of an error."""
    document = {"error": sentence, "code": details.pop("code", None) or _CODES.get(status_code, "error")}
    fields = {name: texts for name, texts in details.get("fields", {}).items() if name}
    return {**document, "fields": fields}


def json_error(status_code: int, sentence: str) -> JsonResponse:
    """An error outside of any API view: unknown routes, bad hosts, an outage."""
    return JsonResponse(error_document(status_code, sentence), status=status_code)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Django's own refusals of a request."""
    return json_error(status.HTTP_400_BAD_REQUEST, "The request cannot be understood")


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """An unknown route."""
    return json_error(status.HTTP_404_NOT_FOUND, "There is nothing at this address")


def permission_denied(request: HttpRequest, exception: Exception) -> JsonResponse:
    """A page that the account may not open."""
    return json_error(status.HTTP_403_FORBIDDEN, "This needs a permission that you lack")


def server_error(request: HttpRequest) -> JsonResponse:
    """A bug; the log has the traceback."""
    return json_error(status.HTTP_500_INTERNAL_SERVER_ERROR, "The server failed")
