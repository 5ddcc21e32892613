"""The one shape of every API error: `{"error": "a sentence", "code": "machine_word", "fields": {…}}`."""

import logging
from math import ceil
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from channels_app.aws import AwsError, Kind
from channels_app.encryption import UnreadableSecretError
from channels_app.errors import (
    ChannelChangedError,
    ChannelContendedError,
    ChannelDeletedError,
    ChannelGoneError,
    ChannelLeftBehindError,
    ChannelLiveError,
    ChannelNotFoundError,
    ChannelOfflineError,
    ChannelUnfinishedError,
    IdempotencyKeyInFlightError,
    IdempotencyKeyReusedError,
    RecordingNotConfiguredError,
    StreamKeyMissingError,
)
from channels_app.outages import DATABASE_AWAY, Failure, failure_of, outage_counted
from ivsvod.api.keyset import KeySetUnavailableError
from ondemand.errors import VideoNotFoundError

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
# Whose text names accounts, roles and settings of ours: the log has it.
_INTERNAL = {Kind.DENIED, Kind.MISCONFIGURED}
# What the sentence of AWS leaves open.
_HELP = {
    Kind.PENDING_VERIFICATION: (
        ". The AWS account of this service is not verified yet: its owner opens a support case with AWS, then try again"
    ),
}
# What a refusal of a service is to a client, whose sentence is the exception's own: status, code.
_DOMAIN: dict[type[Exception], tuple[int, str]] = {
    ChannelNotFoundError: (404, "not_found"),
    VideoNotFoundError: (404, "not_found"),
    ChannelLeftBehindError: (503, "channel_unfinished"),
    ChannelUnfinishedError: (409, "channel_unfinished"),
    ChannelDeletedError: (409, "channel_deleted"),
    ChannelLiveError: (409, "channel_live"),
    ChannelOfflineError: (409, "channel_offline"),
    ChannelGoneError: (409, "channel_gone"),
    ChannelContendedError: (409, "channel_contended"),
    ChannelChangedError: (409, "channel_changed"),
    StreamKeyMissingError: (409, "stream_key_missing"),
    RecordingNotConfiguredError: (409, "recording_not_configured"),
    IdempotencyKeyInFlightError: (409, "idempotency_key_in_flight"),
    IdempotencyKeyReusedError: (422, "idempotency_key_reused"),
    UnreadableSecretError: (502, "secret_unreadable"),
}
# What has one sentence, whatever the exception says: status, code, sentence.
_FIXED: dict[type[Exception], tuple[int, str, str]] = {
    PermissionDenied: (403, "forbidden", "This needs a permission that you lack"),
    KeySetUnavailableError: (503, "unavailable", "The keys of the identity provider cannot be fetched now"),
    UnreadablePostError: (400, "bad_request", "The body could not be read to its end"),
    TooManyFieldsSent: (400, "bad_request", "There are too many parameters"),
    SuspiciousOperation: (400, "bad_request", "The request cannot be understood"),
}
_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    411: "length_required",
    412: "precondition_failed",
    413: "too_large",
    415: "unsupported_media_type",
    422: "unprocessable",
    429: "throttled",
    500: "server_error",
    503: "unavailable",
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
    if isinstance(error, AwsError):
        return _aws_answer(error)
    if isinstance(error, exceptions.APIException):
        return _rest_answer(error)
    if isinstance(error, DATABASE_AWAY):
        failure = database_failed(error)
        return _response(503, failure.sentence, code=failure.code)
    for kind in type(error).__mro__:
        if kind in _DOMAIN:
            status_code, code = _DOMAIN[kind]
            return _response(status_code, str(error), code=code, retry_after=getattr(error, "retry_after", None))
        if kind in _FIXED:
            return _fixed_answer(error, *_FIXED[kind])
    return None


def _fixed_answer(error: Exception, status_code: int, code: str, sentence: str) -> Response:
    if status_code == 503:
        logger.error("%s: %s", sentence, type(error).__name__)
    return _response(status_code, sentence, code=code, retry_after=getattr(error, "retry_after", None))


def _rest_answer(error: exceptions.APIException) -> Response:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    wait = getattr(error, "wait", None)
    if isinstance(error, exceptions.ValidationError):
        fields = _fields(error.detail)
        return _response(400, _sentence(fields), code="invalid", fields=fields)
    retry_after = str(ceil(wait)) if wait else None
    return _response(error.status_code, str(error.detail), headers=headers, retry_after=retry_after)


def _aws_answer(error: AwsError) -> Response:
    status_code, code = _AWS.get(error.kind, (502, "aws_failed"))
    logger.error(
        "aws failed operation=%s resource=%s kind=%s message=%s",
        error.operation,
        error.resource,
        error.kind,
        error.message,
    )
    return _response(status_code, _aws_sentence(error), code=code)


def _aws_sentence(error: AwsError) -> str:
    if error.kind in _INTERNAL:
        return f"Amazon IVS refused this service {error.operation}: the log of the service has the reason"
    verb = "did not answer" if error.kind.unknown_outcome else "refused"
    return f"Amazon IVS {verb} {error.operation}: {error.message or error.kind}{_HELP.get(error.kind, '')}"


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
    if retry_after or status_code == 503:
        headers["Retry-After"] = retry_after or RETRY_AFTER_SECONDS
    return Response(error_document(status_code, sentence, **details), status=status_code, headers=headers)


def error_document(status_code: int, sentence: str, **details: Any) -> dict[str, Any]:
    """The body of an error."""
    document = {"error": _storable(sentence), "code": details.pop("code", None) or _CODES.get(status_code, "error")}
    fields = {
        _storable(name): [_storable(text) for text in texts]
        for name, texts in details.get("fields", {}).items()
        if name
    }
    return {**document, "fields": fields}


def _storable(text: str) -> str:
    """What a client sent may be quoted, and half of a character cannot be written in UTF-8."""
    return text.encode("utf-8", "replace").decode()


def database_failed(error: Exception) -> Failure:
    """Log and count an error of the database; return what it is to a client."""
    failure = failure_of(error)
    # By its kind: the text may name the host, or hold values.
    logger.error("%s: %s", failure.sentence, type(error.__cause__ or error).__name__)
    outage_counted(error)
    return failure


def json_error(status_code: int, sentence: str, code: str | None = None) -> JsonResponse:
    """An error outside of any API view: unknown routes, bad hosts, an outage."""
    headers = {"Cache-Control": "no-store"}
    if status_code == 503:
        headers["Retry-After"] = RETRY_AFTER_SECONDS
    return JsonResponse(error_document(status_code, sentence, code=code), status=status_code, headers=headers)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Django's own refusals of a request."""
    if isinstance(exception, RequestDataTooBig):
        return json_error(status.HTTP_413_REQUEST_ENTITY_TOO_LARGE, "The body is too large")
    return json_error(status.HTTP_400_BAD_REQUEST, "The request cannot be understood")


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """An unknown route."""
    return json_error(status.HTTP_404_NOT_FOUND, "There is nothing at this address")


def permission_denied(request: HttpRequest, exception: Exception) -> JsonResponse:
    """A page that the account may not open."""
    return json_error(status.HTTP_403_FORBIDDEN, "This needs a permission that you lack")


def csrf_failure(request: HttpRequest, reason: str = "") -> JsonResponse:
    """A form of the admin without the token of its page."""
    return json_error(status.HTTP_403_FORBIDDEN, "The form has expired: reload its page and send it again")


def server_error(request: HttpRequest) -> JsonResponse:
    """A bug; the log has the traceback."""
    return json_error(status.HTTP_500_INTERNAL_SERVER_ERROR, "The server failed")
