"""`X-Request-ID`: the id of a request, in its answer and in each of its log lines."""

import logging
import re
from collections.abc import Callable
from contextvars import ContextVar
from uuid import uuid4

from django.http import HttpRequest, HttpResponseBase

HEADER = "X-Request-ID"
# It goes into logs: no spaces, no line ends, not long.
_SANE = re.compile(r"[A-Za-z0-9._~:;/+=@-]{1,128}")
# All that may end a line, or move the cursor of a terminal.
_WRITTEN_OUT = {code: f"\\x{code:02x}" for code in [*range(32), 0x7F, 0x85]} | {0x2028: "\\u2028", 0x2029: "\\u2029"}
# A token of a grant, however its path is written, and a JWT.
_TOKEN = re.compile(r"(?:(?<=%[0-9A-Fa-f]{2})|(?<![\w-]))(?:[\w-]{43}(?![\w-])|eyJ[\w-]+\.[\w-]+\.[\w-]+)", re.ASCII)
request_id: ContextVar[str] = ContextVar("request_id", default="-")


class Middleware:
    """Base of middleware: keep the next handler."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response


class RequestIdMiddleware(Middleware):
    """Use the caller's id of the request if it is safe to log, else make one."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        requested = request.headers.get(HEADER, "")
        name = requested if _SANE.fullmatch(requested) else uuid4().hex
        # A later request on this thread sets it anew; the server's own line about this one comes after the answer.
        request_id.set(name)
        response = self.get_response(request)
        response[HEADER] = name
        return response


class LineFormatter(logging.Formatter):
    """Format a message as one line, so that text of a request cannot forge a line of the log, and without tokens."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the message with control characters escaped and tokens masked; tracebacks keep their lines."""
        record.message = _TOKEN.sub("***", record.message.translate(_WRITTEN_OUT))
        return super().formatMessage(record)


class RequestIdFilter(logging.Filter):
    """Add the id of the request, or a dash, to each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record."""
        record.request_id = request_id.get()
        return True
