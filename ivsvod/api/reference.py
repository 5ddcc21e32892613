"""The OpenAPI document that is served, and the address of an operation on its page."""

import re
from functools import cache
from urllib.parse import urljoin

import orjson
from django.conf import settings
from django.urls import reverse
from rest_framework.request import Request

from ondemand.videos.links import public_origin

# `<str:uuid>` in a route is `{uuid}` in the document.
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@cache
def document_bytes() -> bytes:
    """Return the document, which `make openapi` wrote."""
    return (settings.BASE_DIR / "openapi.json").read_bytes()


@cache
def _anchors() -> dict[tuple[str, str], str]:
    """Return the anchor of each operation by path and method."""
    return {
        (path, method): f"#/{operation['tags'][0]}/{operation['operationId']}"
        for path, methods in orjson.loads(document_bytes())["paths"].items()
        for method, operation in methods.items()
    }


def reference_url(request: Request) -> str:
    """Return the URL of the operation that the request calls; of the whole page if it is not known."""
    match, method = request.resolver_match, str(request.method).lower()
    path = "/" + _PARAMETER.sub(r"{\1}", match.route) if match else ""
    anchor = _anchors().get((path, "get" if method == "head" else method), "")
    return urljoin(public_origin(request), reverse("docs")) + anchor
