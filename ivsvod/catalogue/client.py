"""The public API, asked in this process: what the page shows is what any caller of the API is told."""

import re
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.utils.http import urlencode
from rest_framework.response import Response

# What the API may know of the visitor: enough to count and to name its own host, no credential and no session.
_PASSED_ON = (
    "HTTP_HOST",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "REMOTE_ADDR",
    "SCRIPT_NAME",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "lambda.event",
    "wsgi.url_scheme",
)
_LIFE = re.compile(r"public, max-age=(\d+)")


class RefusedError(Exception):
    """The API refused, or failed."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.data["error"])
        self.status: int = response.status_code
        self.code: str = response.data["code"]
        self.fields: dict[str, list[str]] = response.data["fields"]
        self.retry_after: str | None = response.get("Retry-After")


@dataclass
class PublicApi:
    """The API as someone without a credential sees it; `life` is how long all that was answered may be kept."""

    request: HttpRequest
    answers: list[int] = field(default_factory=list)

    @property
    def life(self) -> int:
        """Seconds; none where nothing was asked."""
        return min(self.answers, default=0)

    def get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        """The document that `GET` of the path answers with.

        Raises:
            RefusedError: the answer is an error.
        """
        view, arguments, named = resolve(path)
        response = view(self._ask(path, urlencode(query or {}, doseq=True)), *arguments, **named)
        if response.status_code != 200:
            raise RefusedError(response)
        self.answers.append(_life(response))
        return response.data

    def find(self, path: str) -> Any:
        """The same; None where there is nothing that anyone may know of.

        Raises:
            RefusedError: the answer is another error.
        """
        try:
            return self.get(path)
        except RefusedError as refused:
            if refused.status == 404:
                return None
            raise

    def _ask(self, path: str, query: str) -> WSGIRequest:
        known = {name: self.request.META[name] for name in _PASSED_ON if name in self.request.META}
        # WSGI hands paths over as latin-1.
        place = {"PATH_INFO": path.encode().decode("latin-1"), "QUERY_STRING": query}
        return WSGIRequest({**known, **place, "REQUEST_METHOD": "GET", "wsgi.input": BytesIO()})


def _life(response: HttpResponse) -> int:
    found = _LIFE.fullmatch(response.get("Cache-Control", ""))
    return int(found[1]) if found else 0
