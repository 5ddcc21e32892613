"""The errors of the API: one answer for each status, which all operations share, and their table.

A class of an error has its status and code; the codes that no class has stand here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from common.aws import AwsError
from common.aws.errors import AwsErrorKind
from common.errors import ServiceError

# Commands and the admin alone raise these.
_OF_STAFF = {"conflict", "channel_changed", "playback_key_in_use"}


@dataclass(frozen=True)
class Refusal:
    """An error status: its name and sentence, codes that no class has with that of the example first, and its text."""

    name: str
    text: str
    codes: tuple[str, ...]
    sentence: str
    fields: dict[str, list[str]] = field(default_factory=dict)

    @property
    def example(self) -> dict[str, Any]:
        """Return the body of an answer."""
        document = {"error": self.sentence, "code": self.codes[0], "fields": self.fields}
        return {**document, "message": self.sentence} if self.name == "BadRequest" else document


REFUSALS: dict[int, Refusal] = {
    400: Refusal(
        "BadRequest",
        "A value is malformed, or a name is unknown: `fields` names it.",
        ("invalid", "bad_request"),
        "Unknown parameter `serch`. Did you mean `search`? See https://vod.example.com/docs#/Videos/listVideos",
        {"serch": ["Unknown parameter `serch`. Did you mean `search`?"]},
    ),
    401: Refusal(
        "Unauthorized",
        "The credential is missing where one is needed, or it is not valid.",
        ("unauthorized",),
        "Invalid token",
    ),
    403: Refusal(
        "Forbidden",
        "The credential lacks the scope.",
        ("forbidden",),
        "This needs the scope `curate`",
    ),
    404: Refusal("NotFound", "It does not exist, or the caller may not see it.", ("not_found",), "Recording not found"),
    405: Refusal(
        "MethodNotAllowed", "The route has no such method.", ("method_not_allowed",), 'Method "PUT" not allowed.'
    ),
    409: Refusal(
        "Conflict",
        "The state of the resource does not allow it. After `channel_contended`, `edit_outdated` and"
        " `idempotency_key_in_flight` the request may be sent again.",
        ("channel_live",),
        "The channel is live: stop the stream, wait for its end, and try again",
    ),
    411: Refusal("LengthRequired", "The body has no length.", ("length_required",), "A body needs its Content-Length"),
    412: Refusal(
        "PreconditionFailed",
        "`If-Match` names another version than the present one; nothing was written.",
        ("precondition_failed",),
        "It was changed meanwhile: read it again",
    ),
    413: Refusal("TooLarge", "The body is too large.", ("too_large",), "The body is too large"),
    415: Refusal(
        "UnsupportedMediaType",
        "The body is not `application/json`.",
        ("unsupported_media_type",),
        "The body must be JSON, with Content-Type: application/json",
    ),
    422: Refusal(
        "Unprocessable",
        "The `Idempotency-Key` came with another body before.",
        ("idempotency_key_reused",),
        "This Idempotency-Key was used with another body",
    ),
    429: Refusal("TooManyRequests", "Wait for `Retry-After` seconds.", ("throttled",), "Too many requests"),
    500: Refusal(
        "ServerError", "The service has a bug; its log has the reason.", ("server_error",), "The server failed"
    ),
    502: Refusal(
        "BadGateway",
        "Amazon IVS or S3 failed or refused the call, or what is stored cannot be read.",
        ("aws_failed",),
        "Amazon IVS refused CreateChannel",
    ),
    503: Refusal(
        "Unavailable",
        "Something that is needed is unavailable or overloaded: send the request again after `Retry-After` seconds.",
        ("unavailable", "statement_timeout", "database_contended"),
        "The database cannot be reached",
    ),
}


def codes_of(status: int) -> list[str]:
    """Return the codes of a status; the modules with the classes of errors must be loaded."""
    errors: list[Any] = [*_subclasses(ServiceError), *(AwsError("", "", kind, "") for kind in AwsErrorKind)]
    raised = {error.code for error in errors if error.status_code == status} - _OF_STAFF
    return list(dict.fromkeys([*REFUSALS[status].codes, *sorted(raised)]))


def _subclasses(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    for each in kind.__subclasses__():
        yield from (each, *_subclasses(each))


def error_table() -> str:
    """Return the table of all statuses and codes, in Markdown."""
    rows = [
        f"| {status} | {', '.join(f'`{code}`' for code in codes_of(status))} | {refusal.text} |"
        for status, refusal in REFUSALS.items()
    ]
    return "\n".join(["| Status | `code` | When |", "| --- | --- | --- |", *rows])
