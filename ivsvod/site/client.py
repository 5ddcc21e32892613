"""Calls of the public API in this process: the pages show what any caller of the API receives."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.urls import resolve
from django.utils.http import urlencode
from rest_framework.response import Response

from common.rest.caching import Life
from ondemand.videos.links import public_origin

# What the API receives of the request: enough to count it and to build URLs; no credential and no session.
_FORWARDED = (
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


class RefusedError(Exception):
    """The API answered with an error."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.data["error"])
        self.status: int = response.status_code
        self.code: str = response.data["code"]
        self.fields: dict[str, list[str]] = response.data["fields"]
        self.retry_after: str | None = response.get("Retry-After")


@dataclass
class PublicApi:
    """The API for a caller without a credential."""

    request: HttpRequest
    # Of all answers so far; None before the first one.
    life: Life | None = None

    @property
    def origin(self) -> str:
        """Return the origin of the public pages."""
        return public_origin(self.request)

    def get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        """Return the document of `GET` on the path; raise RefusedError if the answer is an error."""
        environ = {name: self.request.META[name] for name in _FORWARDED if name in self.request.META} | {
            "REQUEST_METHOD": "GET",
            # WSGI passes paths as latin-1.
            "PATH_INFO": path.encode().decode("latin-1"),
            "QUERY_STRING": urlencode(query or {}, doseq=True),
            "wsgi.input": BytesIO(),
        }
        view, arguments, named = resolve(path)
        response = view(WSGIRequest(environ), *arguments, **named)
        if response.status_code != 200:
            raise RefusedError(response)
        life = Life.of_answer(response) or Life(0, 0)
        self.life = self.life.shorter(life) if self.life else life
        return response.data
