"""Pages as the predecessor counted them: `page` from 1, `pageSize`, nonsense falls back to the default."""

from typing import Any

from django.conf import settings
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

_LARGEST = 2**53


class PagePagination(BasePagination):
    """`data`, `page` and `pageSize` (the size used); a page past the end is empty."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The rows of the page."""
        self.page = _number(request.query_params.get("page"), 1)
        wanted = _number(request.query_params.get("pageSize"), settings.API_PAGE_SIZE)
        self.page_size = min(wanted, settings.API_MAX_PAGE_SIZE)
        first = (self.page - 1) * self.page_size
        if first >= _LARGEST:
            return []
        return list(queryset[first : first + self.page_size])

    def get_paginated_response(self, data: Any) -> Response:
        """The answer around the rows."""
        return Response({"data": data, "page": self.page, "pageSize": self.page_size})


def _number(text: str | None, default: int) -> int:
    """A whole number from 1; the predecessor's clients send `undefined`."""
    if text is None or not text.isascii() or not text.isdigit():
        return default
    return min(int(text[:20]), _LARGEST) or default
