"""Middleware for every answer: CORS, refusals, HEAD, ETags, caching and languages."""

from math import ceil
from typing import Any

import corsheaders.middleware
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header
from rest_framework.views import APIView

from common.outages import DATABASE_AWAY
from common.rest.caching import etag_of
from common.rest.request_ids import Middleware
from ivsvod.api.errors import database_failed, json_error

_ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class CorsMiddleware(corsheaders.middleware.CorsMiddleware):
    """Extend the library's middleware: the methods of the route, and 204 for a preflight."""

    def check_preflight(self, request: HttpRequest) -> HttpResponseBase | None:
        """Answer a preflight without authentication: browsers send no credential with it."""
        response = super().check_preflight(request)
        return None if response is None else _no_content(route_methods(request.path_info) or _ALL_METHODS)

    def add_response_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response = super().add_response_headers(request, response)
        if "Allow" in response and "Access-Control-Allow-Methods" in response:
            response["Access-Control-Allow-Methods"] = response["Allow"]
        return response


class RefusalMiddleware(Middleware):
    """Refuse requests that no view should see; answer 503 with `Retry-After`, not 500, while the database is away."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Refuse, or answer. After too many guesses a form has set `request.wait`, the seconds to wait."""
        response = _refusal(request) or self.get_response(request)
        wait = getattr(request, "wait", None)
        if wait is not None:
            response.status_code = 429
            response["Retry-After"] = str(ceil(wait))
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        return database_away(exception) if isinstance(exception, DATABASE_AWAY) else None


class HeadMiddleware(Middleware):
    """Answer `HEAD` as `GET`: the same headers and no body, with every WSGI server."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.method == "HEAD" and response.status_code != 304 and isinstance(response, HttpResponse):
            response["Content-Length"] = str(len(response.content))
            response.content = b""
        return response


class VersionMiddleware(Middleware):
    """Add ETag, Cache-Control and Vary to answers of the API; answer `OPTIONS`."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        if request.method == "OPTIONS" and (methods := route_methods(request.path_info)):
            return _no_content(methods)
        response = self.get_response(request)
        is_api = getattr(request, "is_api", False)
        if is_api:
            response["Cache-Control"] = _cache_control(request, response)
        if response.get("Cache-Control", "").startswith("public"):
            _remove_cookies(response)
        if not is_api:
            return response
        patch_vary_headers(response, ("Origin", "Accept-Encoding"))
        if response.status_code != 200 or not isinstance(response, HttpResponse):
            return response
        # The body of an answer to PATCH is that of GET.
        is_document = request.method == "PATCH" and response["Content-Type"] == "application/json"
        if request.method in {"GET", "HEAD"} or is_document:
            response["ETag"] = etag_of(response.content)
        return response

    def process_view(self, request: Any, view: Any, arguments: Any, named: Any) -> None:
        """Store on the request whether the view belongs to the API."""
        request.is_api = _is_api(view)


# Errors in JSON are those of the API, wherever they are made; the style sheet of the operator has no texts.
_WITHOUT_TEXTS = {"application/json", "text/css"}


class LanguageMiddleware(Middleware):
    """Show pages in the language of their reader. The API speaks English."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Activate the language of the reader; caches keep a page once for each language."""
        with translation.override(reader_language(request)):
            response = self.get_response(request)
            if not getattr(request, "is_api", False) and response.get("Content-Type") not in _WITHOUT_TEXTS:
                patch_vary_headers(response, ["Accept-Language"])
                response["Content-Language"] = translation.get_language()
        return response

    def process_view(self, request: Any, view: Any, arguments: Any, named: Any) -> None:
        """Translate nothing that a view of the API answers."""
        if request.is_api:
            translation.activate("en")


def reader_language(request: HttpRequest) -> str:
    """Return the first of LANGUAGES that the browser asks for, else LANGUAGE_CODE.

    Django's own function also reads a cookie, which caches would have to distinguish.
    """
    for code, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        try:
            return translation.get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


def database_away(exception: Exception) -> HttpResponseBase:
    """Return a 503 for a middleware that cannot reach the database."""
    failure = database_failed(exception)
    return json_error(503, failure.sentence, failure.code)


def is_admin_page(request: HttpRequest) -> bool:
    """Return whether the request is for a page of the admin."""
    return request.path_info.startswith("/admin/")


def route_methods(path: str) -> list[str]:
    """Return the methods of the API route at a path; empty if there is no such route."""
    try:
        view: Any = resolve(path).func
    except Resolver404:
        return []
    if not _is_api(view):
        return []
    # A view set binds the methods of its actions at each request.
    taken = {*view.actions, "options"} if hasattr(view, "actions") else {*dir(view.cls)}
    found = [name.upper() for name in view.cls.http_method_names if name in taken and name != "head"]
    return [*found, "HEAD"] if "GET" in found else found


def _is_api(view: Any) -> bool:
    return issubclass(getattr(view, "cls", object), APIView)


def _remove_cookies(response: HttpResponseBase) -> None:
    """Remove cookies and `Vary: Cookie` from an answer that shared caches keep.

    Django deletes the cookie of an invalid session that a view read.
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
    # A quoted cookie can hold NUL, which a query for its session cannot.
    if any("\0" in value for value in request.COOKIES.values()):
        return json_error(400, "A cookie holds a NUL")
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return None
    length = request.META.get("CONTENT_LENGTH") or ""
    # Django would read either as a request without a body, and PATCH gives that a meaning.
    if not length and "HTTP_TRANSFER_ENCODING" in request.META:
        return json_error(411, "A body needs its Content-Length")
    if length and not (length.isascii() and length.isdigit() and len(length) < 19):
        return json_error(400, "Content-Length is not a number of bytes")
    return None


def _cache_control(request: HttpRequest, response: HttpResponseBase) -> str:
    if "HTTP_AUTHORIZATION" in request.META:
        return "private, no-store"
    # Only these guarantee that authentication ran: an answer of a view.
    if request.method not in {"GET", "HEAD"} or response.status_code not in {200, 302}:
        return "no-store"
    of_view: str = response.get("Cache-Control", "no-cache")
    return of_view if of_view.startswith("private") or not request.user.is_authenticated else "private, no-store"
