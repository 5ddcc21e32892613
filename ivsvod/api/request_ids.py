"""`X-Request-ID`: one name for a request, in its answer and in every line that is logged on its way."""

import logging
import re
from collections.abc import Callable
from contextvars import ContextVar
from uuid import uuid4

from django.http import HttpRequest, HttpResponseBase

HEADER = "X-Request-ID"
# It is written into logs: no spaces, no line ends, not long.
_SANE = re.compile(r"[A-Za-z0-9._~:;/+=@-]{1,128}")
# All that may end a line, or move the cursor of a terminal.
_WRITTEN_OUT = {code: f"\\x{code:02x}" for code in [*range(32), 0x7F, 0x85]} | {0x2028: "\\u2028", 0x2029: "\\u2029"}
request_id: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdMiddleware:
    """Take the caller's name for the request where it is a sane one, else make one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer under that name."""
        asked = request.headers.get(HEADER, "")
        name = asked if _SANE.fullmatch(asked) else uuid4().hex
        # A later request on this thread sets it anew; the server's own line about this one comes after the answer.
        request_id.set(name)
        response = self.get_response(request)
        response[HEADER] = name
        return response


class LineFormatter(logging.Formatter):
    """One line for one message: what stands in a request begins no line of its own, which a reader would believe."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The message with its control characters written out; tracebacks keep their lines."""
        record.message = record.message.translate(_WRITTEN_OUT)
        return super().formatMessage(record)


class RequestIdFilter(logging.Filter):
    """Gives each line the name of its request, or a dash."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Never drops a line."""
        record.request_id = request_id.get()
        return True
