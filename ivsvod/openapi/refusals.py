"""Error answers by status, with an example of each."""

from typing import Any

_REFUSALS = {
    400: ("A value is malformed, or a name is unknown.", "invalid", "uuid: Not a uuid.", {"uuid": ["Not a uuid."]}),
    401: ("The credential is missing where one is needed, or is not valid.", "unauthorized", "Invalid token", {}),
    403: ("The credential lacks the scope.", "forbidden", "This needs a scope that you lack", {}),
    404: ("There is none that the caller may know of.", "not_found", "Recording not found", {}),
    409: ("The state of the thing forbids it.", "channel_live", "The channel is live: stop the stream first", {}),
    411: ("The body has no length.", "length_required", "A body needs its Content-Length", {}),
    412: ("It has another version than `If-Match` names.", "precondition_failed", "It was changed meanwhile", {}),
    413: ("The body is too large.", "too_large", "The body is larger than 10485760 bytes", {}),
    415: ("The body is not `application/json`.", "unsupported_media_type", "The body must be application/json", {}),
    422: (
        "The `Idempotency-Key` came with another body.",
        "idempotency_key_reused",
        "This Idempotency-Key was used with another body",
        {},
    ),
    429: ("Too many requests.", "throttled", "Too many requests", {}),
    502: (
        "Amazon IVS failed in a way that is ours to answer for.",
        "aws_failed",
        "Amazon IVS refused CreateChannel",
        {},
    ),
    503: ("Something this needs is away or full for now.", "unavailable", "The database cannot be reached", {}),
}


def refusals(method: str, path: str, scope: str) -> dict[int, tuple[str, dict[str, Any]]]:
    """Return the sentence and the example of each error status that an operation may answer with.

    `scope` is empty where no caller is asked for.
    """
    is_write = method != "GET"
    is_creation = method == "POST" and "{" not in path
    possible = {400, 503}
    if scope:
        possible |= {401, 403, 429}
    if "{" in path:
        possible.add(404)
    if is_write:
        possible |= {411, 413, 415, 422 if is_creation else 412}
    # Every write to a channel calls Amazon IVS.
    if is_write and scope == "channels":
        possible |= {409, 502}
    return {
        status: (text, {"error": sentence, "code": code, "fields": fields})
        for status, (text, code, sentence, fields) in _REFUSALS.items()
        if status in possible
    }
