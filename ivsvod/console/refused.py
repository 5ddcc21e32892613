"""Error pages of the admin, which say what happened and what to do; programs get the errors of the API."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from ivsvod.api.errors import json_error
from ivsvod.api.middleware import is_admin_page


def too_large(request: HttpRequest) -> HttpResponse:
    """Return a 413: the body is not read."""
    advice = _("Nothing was saved. A picture has at most 10 MB: make it smaller, then choose it again.")
    return _refusal(request, 413, "The body is too large", _("The file or the form is too large"), advice)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return a 403: the account lacks the permission."""
    advice = _(
        "Nothing was changed. A person who manages accounts can give you the permission: the group Curators changes "
        "videos, Channel managers change channels, Viewers look at both."
    )
    return _refusal(request, 403, "This needs a permission that you lack", _("Your account may not do this"), advice)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return a 404."""
    advice = _("The address was mistyped, its row was deleted, or your account may not see it.")
    return _refusal(request, 404, "There is nothing at this address", _("There is nothing at this address"), advice)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return a 403: the form lacks the CSRF token of its page."""
    sentence = "The form has expired: reload its page and send it again"
    advice = _(
        "Nothing was saved: somebody signed in or out since its page was loaded. Load the page again and send it anew."
    )
    return _refusal(request, 403, sentence, _("The form has expired"), advice)


def _refusal(request: HttpRequest, status: int, sentence: str, title: str, advice: str) -> HttpResponse:
    """Return a page if a browser loads one of the admin, else the error of the API with the sentence."""
    accepts_page = "text/html" in request.headers.get("Accept", "")
    # The page shows the user, whom early middleware lacks.
    if not (accepts_page and hasattr(request, "user") and is_admin_page(request)):
        return json_error(status, sentence)
    context = {**admin.site.each_context(request), "title": title, "advice": advice}
    response = render(request, "admin/refused.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response
