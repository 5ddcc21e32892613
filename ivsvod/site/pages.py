"""Answers of the pages: without the session of the visitor, kept by caches no longer than the answers of the API."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from common.rest.caching import Life, etag_of
from ivsvod.branding import brand
from ivsvod.site.client import PublicApi, RefusedError

_TOO_LONG = (503, _("This takes too long"), _("Ask for less, or load the page again in a minute."))
# Status, heading and advice of a page, by the code or else the status of an error of the API.
_REFUSALS: dict[str | int, tuple[int, Promise, Promise]] = {
    "statement_timeout": _TOO_LONG,
    "database_contended": _TOO_LONG,
    401: (403, _("This catalogue is closed"), _("Its videos are not open to everybody, so none can be shown here.")),
    404: (404, _("There is nothing here"), _("It may have been taken down, or its address is not complete.")),
    429: (429, _("Too many requests"), _("Wait a minute, then load the page again.")),
}
_OUTAGE = (503, _("The videos cannot be reached"), _("This should not last. Load the page again in a minute."))


@dataclass(frozen=True)
class Page:
    """The template and the context of an answer; search engines may index it unless `is_indexed` is False."""

    template: str
    context: dict[str, Any]
    status: int = 200
    is_indexed: bool = True


def public_page(view: Callable[..., Page], *, layout: str = "catalogue/base.html") -> Callable[..., HttpResponseBase]:
    """Return the Django view of a page; `layout` is the template that its error pages extend."""

    @wraps(view)
    def answer(request: HttpRequest, **named: str) -> HttpResponseBase:
        api, retry_after = PublicApi(request), None
        refusal: tuple[int, Promise, Promise] | None = None
        try:
            page = view(api, **named)
        except Http404:
            refusal = _REFUSALS[404]
        except RefusedError as refused:
            refusal = _REFUSALS.get(refused.code) or _REFUSALS.get(refused.status, _OUTAGE)
            retry_after = refused.retry_after
        response = _rendered(_refused(*refusal, layout) if refusal else page)
        if retry_after:
            response["Retry-After"] = retry_after
        if response.status_code != 200:
            return response
        response["Cache-Control"] = (api.life or Life(0, 0)).text
        response["ETag"] = etag_of(response.content)
        return get_conditional_response(request, etag=response["ETag"], response=response) or response

    return require_safe(answer)


def no_such_page() -> HttpResponse:
    """Return the 404 of an address at which there is no route."""
    advice = _("The address may be mistyped, or the page may have moved.")
    return _rendered(_refused(404, _("There is nothing here"), advice, "catalogue/base.html"))


def _refused(status: int, heading: Promise, advice: Promise, layout: str) -> Page:
    context = {"layout": layout, "heading": heading, "advice": advice}
    return Page("catalogue/refused.html", context, status, is_indexed=False)


def _rendered(page: Page) -> HttpResponse:
    # Without the request: its context processors would add the account that is signed in.
    context = {**page.context, "is_indexed": page.is_indexed, "brand": brand()}
    response = render(None, page.template, context, status=page.status)
    if page.status != 200:
        response["Cache-Control"] = "no-store"
    return response
