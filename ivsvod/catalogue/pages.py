"""How a page is answered: without the visitor's session, and kept by caches no longer than the API's answers may be."""

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

from channels_app.conditional import etag_of, public_life
from ivsvod.catalogue.client import PublicApi, RefusedError

_WHOLE, _FRAMED = "catalogue/base.html", "catalogue/frame.html"
# What a refusal of the API is to a visitor, by its code or else its status: the status of the page, its heading and
# what to do.
_REFUSALS: dict[str | int, tuple[int, Promise, Promise]] = {
    "statement_timeout": (503, _("This takes too long"), _("Ask for less, or load the page again in a minute.")),
    "database_contended": (503, _("This takes too long"), _("Ask for less, or load the page again in a minute.")),
    401: (403, _("This catalogue is closed"), _("Its videos are not open to everybody, so none can be shown here.")),
    404: (404, _("There is nothing here"), _("The video may have been taken down, or its address is not complete.")),
    429: (429, _("Too many requests"), _("Wait a minute, then load the page again.")),
}
_OUTAGE = (503, _("The videos cannot be reached"), _("This should not last. Load the page again in a minute."))


@dataclass(frozen=True)
class Page:
    """What a view makes of the API's answers; search engines keep it unless it says otherwise."""

    template: str
    context: dict[str, Any]
    status: int = 200
    is_indexed: bool = True


View = Callable[..., Page]


def public_page(view: View) -> Callable[..., HttpResponseBase]:
    """The answer to a request for the page that the view makes."""
    return _answering(view, _WHOLE)


def framed_page(view: View) -> Callable[..., HttpResponseBase]:
    """The same for a page that others show in a frame: its refusals are as small."""
    return _answering(view, _FRAMED)


def _answering(view: View, layout: str) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def answer(request: HttpRequest, **named: str) -> HttpResponseBase:
        api = PublicApi(request)
        try:
            return _kept(request, _rendered(view(api, **named)), api.life)
        except Http404:
            return _refused(*_REFUSALS[404], layout)
        except RefusedError as refused:
            response = _refused(*(_REFUSALS.get(refused.code) or _REFUSALS.get(refused.status, _OUTAGE)), layout)
            if refused.retry_after:
                response["Retry-After"] = refused.retry_after
            return response

    return require_safe(answer)


def _rendered(page: Page) -> HttpResponse:
    # Without the request: what its context processors add is about who is signed in.
    return render(None, page.template, {**page.context, "is_indexed": page.is_indexed}, status=page.status)


def _refused(status: int, heading: Promise, advice: Promise, layout: str) -> HttpResponse:
    context = {"layout": layout, "heading": heading, "advice": advice}
    response = _rendered(Page("catalogue/refused.html", context, status, is_indexed=False))
    response["Cache-Control"] = "no-store"
    return response


def _kept(request: HttpRequest, response: HttpResponse, seconds: int) -> HttpResponseBase:
    if response.status_code != 200:
        response["Cache-Control"] = "no-store"
        return response
    response["Cache-Control"] = public_life(seconds)["Cache-Control"]
    response["ETag"] = etag_of(response.content)
    return get_conditional_response(request, etag=response["ETag"], response=response) or response
