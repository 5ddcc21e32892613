"""The shape of every API error: `{"error": "a sentence", "code": "machine_code", "fields": {…}}`.

A 400 has the sentence as `message` too, where clients of the predecessor look for it.
"""

import logging
from math import ceil
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from common.aws import AwsError
from common.errors import ServiceError
from common.outages import DATABASE_AWAY, DatabaseFailure, database_failure_of, outage_counted
from common.rest.fields import UNKNOWN_NAME
from ivsvod.api.reference import reference_url

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = "5"
# Errors of Django, subclasses first: status, code, sentence.
_DJANGO: dict[type[Exception], tuple[int, str, str]] = {
    PermissionDenied: (403, "forbidden", "This needs a permission that you lack"),
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
    """Return the answer to an exception of a view; None if it is a bug, which Django answers with 500."""
    response = _answer(error, context)
    if response is not None:
        set_rollback()
    return response


def _answer(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, Http404):
        return _response(404, str(error) or "Not found")
    if isinstance(error, ServiceError):
        if isinstance(error, AwsError):
            reported = (error.operation, error.resource, error.kind, error.message)
            logger.error("aws failed operation=%s resource=%s kind=%s message=%s", *reported)
        elif error.status_code >= 500:
            logger.error("%s: %s", error, type(error).__name__)
        return _response(error.status_code, error.for_client(), code=error.code, retry_after=error.retry_after)
    if isinstance(error, exceptions.ValidationError):
        details = error.detail if isinstance(error.detail, dict) else {"": error.detail}
        # Errors of the whole body have an empty name here.
        names = {api_settings.NON_FIELD_ERRORS_KEY: ""}
        fields = {names.get(name, str(name)): _texts(value) for name, value in details.items()}
        name, [text, *_] = next(iter(fields.items()))
        # The message for an unknown name already contains the name.
        sentence = f"{name}: {text}" if name and f"`{name}`" not in text else text
        if getattr(text, "code", "") == UNKNOWN_NAME:
            sentence += f" See {reference_url(context['request'])}"
        return _response(400, sentence, code="invalid", fields=fields)
    if isinstance(error, exceptions.APIException):
        challenge, wait = getattr(error, "auth_header", None), getattr(error, "wait", None)
        return _response(
            error.status_code,
            str(error.detail),
            headers={"WWW-Authenticate": challenge} if challenge else {},
            retry_after=str(ceil(wait)) if wait else None,
        )
    if isinstance(error, DATABASE_AWAY):
        failure = database_failed(error)
        return _response(503, failure.sentence, code=failure.code)
    for kind, (status_code, code, sentence) in _DJANGO.items():
        if isinstance(error, kind):
            return _response(status_code, sentence, code=code)
    return None


def _texts(detail: Any) -> list[str]:
    if isinstance(detail, dict):
        return [text for value in detail.values() for text in _texts(value)]
    return [text for item in detail for text in _texts(item)] if isinstance(detail, list) else [detail]


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
    """Return the body of an error."""

    def encodable(text: str) -> str:
        # Lone surrogates, which a client may send, are not UTF-8.
        return text.encode("utf-8", "replace").decode()

    fields = {
        encodable(name): [encodable(text) for text in texts]
        for name, texts in details.get("fields", {}).items()
        if name
    }
    code = details.get("code") or _CODES.get(status_code, "error")
    document: dict[str, Any] = {"error": encodable(sentence), "code": code, "fields": fields}
    return {**document, "message": document["error"]} if status_code == 400 else document


def database_failed(error: Exception) -> DatabaseFailure:
    """Log and count an error of the database; return its code and sentence."""
    failure = database_failure_of(error)
    # By its kind: the text may name the host, or hold values.
    logger.error("%s: %s", failure.sentence, type(error.__cause__ or error).__name__)
    outage_counted(error)
    return failure


def json_error(status_code: int, sentence: str, code: str | None = None) -> JsonResponse:
    """Return an error outside of any API view: unknown routes, bad hosts, an outage."""
    headers = {"Cache-Control": "no-store"}
    if status_code == 503:
        headers["Retry-After"] = RETRY_AFTER_SECONDS
    return JsonResponse(error_document(status_code, sentence, code=code), status=status_code, headers=headers)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Answer a request that Django refuses."""
    if isinstance(exception, RequestDataTooBig):
        return json_error(413, "The body is too large")
    return json_error(400, "The request cannot be understood")


def server_error(request: HttpRequest) -> JsonResponse:
    """Answer a request that met a bug; the log has the traceback."""
    return json_error(500, "The server failed")
