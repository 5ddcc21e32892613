"""Error pages of the admin, which say what happened and what to do; programs get the errors of the API."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from ivsvod.api import errors
from ivsvod.api.middleware import is_admin_page


def too_large(request: HttpRequest) -> HttpResponse:
    """Return a 413: the body is not read."""
    if not _is_page_visit(request):
        return errors.json_error(413, "The body is too large")
    advice = _("Nothing was saved. A picture has at most 10 MB: make it smaller, then choose it again.")
    return _page(request, 413, _("The file or the form is too large"), advice)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return a 403: the account lacks the permission."""
    if not _is_page_visit(request):
        return errors.permission_denied(request, exception)
    advice = _(
        "Nothing was changed. A person who manages accounts can give you the permission: the group Curators changes "
        "videos, Channel managers change channels, Viewers look at both."
    )
    return _page(request, 403, _("Your account may not do this"), advice)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return a 404."""
    if not _is_page_visit(request):
        return errors.not_found(request, exception)
    advice = _("The address was mistyped, its row was deleted, or your account may not see it.")
    return _page(request, 404, _("There is nothing at this address"), advice)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return a 403: the form lacks the CSRF token of its page."""
    if not _is_page_visit(request):
        return errors.csrf_failure(request, reason)
    advice = _(
        "Nothing was saved: somebody signed in or out since its page was loaded. Load the page again and send it anew."
    )
    return _page(request, 403, _("The form has expired"), advice)


def _page(request: HttpRequest, status: int, title: str, advice: str) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": title, "advice": advice}
    response = render(request, "admin/refused.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _is_page_visit(request: HttpRequest) -> bool:
    """Return whether a browser loads a page of the admin; the page shows the user, whom early middleware lacks."""
    is_page = "text/html" in request.headers.get("Accept", "")
    return hasattr(request, "user") and is_page and is_admin_page(request)
