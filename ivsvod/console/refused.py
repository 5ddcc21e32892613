"""What staff see where the admin refuses: a page that says why and what to do; programs get the document of the API."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from ivsvod.api import errors
from ivsvod.api.middleware import is_admin_page


@dataclass(frozen=True)
class Refusal:
    """What a page says: what happened, and what to do about it."""

    status: int
    title: Any
    advice: Any


_DENIED = Refusal(
    403,
    _("Your account may not do this"),
    _(
        "Nothing was changed. Whoever manages accounts can give you the right: the group Curators changes videos, "
        "Channel managers change channels, Viewers look at both."
    ),
)
_NOTHING = Refusal(
    404,
    _("There is nothing at this address"),
    _("It was mistyped, what stood here is gone, or your account may see none of it."),
)
_EXPIRED = Refusal(
    403,
    _("The form has expired"),
    _("Nothing was saved: somebody signed in or out since its page was loaded. Load the page again and send it anew."),
)


_TOO_LARGE = Refusal(
    413,
    _("The file or the form is too large"),
    _("Nothing was saved. A picture has at most 10 MB: make it smaller, then choose it again."),
)


def too_large(request: HttpRequest) -> HttpResponse:
    """A body that is not read."""
    return _page(request, _TOO_LARGE) if _is_visit(request) else errors.json_error(413, "The body is too large")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What the account may not do."""
    return _page(request, _DENIED) if _is_visit(request) else errors.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Where nothing is."""
    return _page(request, _NOTHING) if _is_visit(request) else errors.not_found(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the token of its page."""
    return _page(request, _EXPIRED) if _is_visit(request) else errors.csrf_failure(request, reason)


def _page(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": refusal.title, "advice": refusal.advice}
    response = render(request, "admin/refused.html", context, status=refusal.status)
    response["Cache-Control"] = "no-store"
    return response


def _is_visit(request: HttpRequest) -> bool:
    """Whether a person goes to an address of the admin by a browser; its scripts and programs are told otherwise."""
    # What an early middleware refused has no user, whom the page greets.
    is_whole = hasattr(request, "user")
    is_page = "text/html" in request.headers.get("Accept", "")
    return is_whole and is_page and is_admin_page(request)
