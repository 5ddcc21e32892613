"""What must hold for every answer, whichever view or middleware made it."""

from collections.abc import Callable
from math import ceil
from typing import Any

import corsheaders.middleware
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.urls import Resolver404, resolve
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.views import APIView

from channels_app.conditional import etag_of
from channels_app.outages import DATABASE_AWAY
from ivsvod.api.errors import database_failed, json_error
from ivsvod.bodies import ENVIRON_KEY

GetResponse = Callable[[HttpRequest], HttpResponseBase]
_ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# RFC 9110 section 15.4.5: what a 304 repeats. The headers of CORS come from their own middleware.
_OF_304 = ("Cache-Control", "Content-Location", "ETag", "Expires", "Vary")


class CorsMiddleware(corsheaders.middleware.CorsMiddleware):
    """The library's, with the methods of the route, and 204 for a preflight."""

    def check_preflight(self, request: HttpRequest) -> HttpResponseBase | None:
        """The answer to a preflight, whoever asks: browsers send no credential with it."""
        response = super().check_preflight(request)
        return None if response is None else _no_content(route_methods(request.path_info) or _ALL_METHODS)

    def add_response_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """As the library does, naming the methods that `Allow` names."""
        response = super().add_response_headers(request, response)
        if "Allow" in response and "Access-Control-Allow-Methods" in response:
            response["Access-Control-Allow-Methods"] = response["Allow"]
        return response


class RefusalMiddleware:
    """Requests that no view should see, and a database that is away: a 503 that says when to come back, not a 500."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Refuse, or answer; a form that refused too many guesses has said on the request how long to wait."""
        response = _refusal(request) or self.get_response(request)
        body = request.META.get(ENVIRON_KEY)
        if body is not None and body.refusal:
            # Whatever was made of a body that did not come to its end.
            response = json_error(*body.refusal)
        wait = getattr(request, "wait", None)
        if wait is not None:
            response.status_code = 429
            response["Retry-After"] = str(ceil(wait))
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Called by Django for what a view raised."""
        return database_away(exception) if isinstance(exception, DATABASE_AWAY) else None


class HeadMiddleware:
    """`HEAD` as `GET`: the same headers and no body, whatever serves the application."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, and drop the body."""
        response = self.get_response(request)
        if request.method == "HEAD" and response.status_code != 304 and isinstance(response, HttpResponse):
            response["Content-Length"] = str(len(response.content))
            response.content = b""
        return response


class VersionMiddleware:
    """Answers of the API have a version, a life in caches, and what they vary by; `OPTIONS` is answered here."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer; a 304 where the caller has this version."""
        if request.method == "OPTIONS" and (methods := route_methods(request.path_info)):
            return _no_content(methods)
        response = self.get_response(request)
        is_api = getattr(request, "is_api", False)
        if is_api:
            response["Cache-Control"] = _cache_control(request, response)
        if response.get("Cache-Control", "").startswith("public"):
            _for_everybody(response)
        if not is_api:
            return response
        patch_vary_headers(response, ("Origin", "Accept-Encoding"))
        if response.status_code != 200 or not isinstance(response, HttpResponse):
            return response
        if request.method in {"GET", "HEAD"}:
            response["ETag"] = etag_of(response.content)
            return _not_modified(request, response) or response
        if request.method == "PATCH" and response["Content-Type"] == "application/json":
            # What it answers with is what GET shows.
            response["ETag"] = etag_of(response.content)
        return response

    def process_view(self, request: Any, view: Any, arguments: Any, named: Any) -> None:
        """Called by Django when it has found the view."""
        request.is_api = _is_api(view)


def database_away(exception: Exception) -> HttpResponseBase:
    """The answer where the database is needed and cannot be reached; a middleware that looks something up gives it."""
    failure = database_failed(exception)
    return json_error(503, failure.sentence, failure.code)


def is_admin_page(request: HttpRequest) -> bool:
    """Return whether the request is for a page of the admin."""
    return request.path_info.startswith("/admin/")


def route_methods(path: str) -> list[str]:
    """The methods of the API route at a path; none where there is no such route."""
    try:
        view: Any = resolve(path).func
    except Resolver404:
        return []
    if not _is_api(view):
        return []
    found = [name.upper() for name in view.cls.http_method_names if hasattr(view.cls, name)]
    return [*found, "HEAD"] if "GET" in found and "HEAD" not in found else found


def _is_api(view: Any) -> bool:
    return issubclass(getattr(view, "cls", object), APIView)


def _for_everybody(response: HttpResponseBase) -> None:
    """What caches keep for everybody is not another one by cookies, and takes none from anybody.

    A session that is none was looked at, and Django would take its cookie back.
    """
    response.cookies.clear()
    vary = [name for name in response.get("Vary", "").split(", ") if name and name != "Cookie"]
    del response["Vary"]
    if vary:
        response["Vary"] = ", ".join(vary)


def _no_content(methods: list[str]) -> HttpResponse:
    response = HttpResponse(status=204, headers={"Allow": ", ".join(methods), "Cache-Control": "no-store"})
    del response["Content-Type"]
    return response


def _refusal(request: HttpRequest) -> HttpResponseBase | None:
    try:
        request.get_host()
    except DisallowedHost:
        return json_error(400, "This host name is not served here")
    # A quoted cookie can spell NUL, with which a session cannot be looked up.
    if any("\0" in value for value in request.COOKIES.values()):
        return json_error(400, "A cookie holds a NUL")
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return None
    length = request.META.get("CONTENT_LENGTH") or ""
    # Django would read either as a request without a body, and that means something to PATCH.
    if not length and "HTTP_TRANSFER_ENCODING" in request.META:
        return json_error(411, "A body needs its Content-Length")
    if length and not (length.isascii() and length.isdigit() and len(length) < 19):
        return json_error(400, "Content-Length is not a number of bytes")
    return None


def _cache_control(request: HttpRequest, response: HttpResponseBase) -> str:
    if "HTTP_AUTHORIZATION" in request.META:
        return "private, no-store"
    # An answer of 200 has found out who asks; an error may come from looking.
    if request.method not in {"GET", "HEAD"} or response.status_code != 200:
        return "no-store"
    return "private, no-store" if request.user.is_authenticated else response.get("Cache-Control", "no-cache")


def _not_modified(request: HttpRequest, response: HttpResponse) -> HttpResponse | None:
    """By the opaque value of the tags: compression makes them weak."""
    seen = [tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))]
    if response["ETag"] not in seen and "*" not in seen:
        return None
    return HttpResponseNotModified(headers={name: response[name] for name in _OF_304 if name in response})
