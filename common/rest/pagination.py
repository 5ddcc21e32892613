"""Pages: `page` from 1 and `pageSize` as the predecessor counted them, and a cursor for a whole list.

A cursor holds the position of the last row of a page in the order of the list. So rows that come and go between two
pages move no other row onto a page twice, or past it.
"""

import hashlib
import json
from typing import Any

from django.conf import settings
from django.core import signing
from django.utils.encoding import escape_uri_path
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from common.rest.filters import is_ignored
from common.rest.ordering import OrderedRows, RowList

_LARGEST = 2**53
_LONGEST_CURSOR = 8000
_SALT = "ivsvod.api.pagination"


class PagePagination(BasePagination):
    """`data`, `page`, `pageSize` (the size used) and `next`, a link to the rows after these; null at the end.

    The queryset must be ordered by names of fields or annotations, of which the last is unique. From page to page the
    size may change, and ignored parameters; no other part of the query may.
    """

    parameters = ("page", "pageSize", "cursor")

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the rows of the page of a queryset or `RowList`; a page past the end has none.

        Raise ValidationError for a cursor that is not of this query, or stands beside `page`.
        """
        self.request = request
        self.rows = queryset if isinstance(queryset, RowList) else OrderedRows(queryset)
        query = request.query_params
        self.page_size = min(_number(query.get("pageSize"), settings.API_PAGE_SIZE), settings.API_MAX_PAGE_SIZE)
        cursor = query.get("cursor")
        self.page, position = _number(query.get("page"), 1), None
        first = (self.page - 1) * self.page_size
        if cursor is not None:
            self.page, position = self._read_cursor(cursor)
            first = 0
        # One row more than the page shows whether there is a next one.
        found = self.rows.read(position, first, self.page_size + 1) if first < _LARGEST else []
        self.last = found[self.page_size - 1][1] if len(found) > self.page_size else None
        return [row for row, _ in found[: self.page_size] if row is not None]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"data": data, "page": self.page, "pageSize": self.page_size, "next": self._next()})

    def _next(self) -> str | None:
        """Return a link without a host, because the service may stand behind any."""
        if self.last is None:
            return None
        query = self.request.query_params.copy()
        query.pop("page", None)
        content = [self._digest(), self.page + 1, self.last]
        # Without the time of the signature: the same page has the same version (ETag).
        query["cursor"] = signing.Signer(salt=_SALT).sign_object(content, compress=True)
        return f"{escape_uri_path(self.request.path)}?{query.urlencode()}"

    def _read_cursor(self, cursor: str) -> list[Any]:
        """Return the number of the page, and the position behind which it begins."""
        if "page" in self.request.query_params:
            raise ValidationError({"cursor": ["Not together with page."]})
        try:
            digest, *rest = signing.Signer(salt=_SALT).unsign_object(cursor[:_LONGEST_CURSOR])
        except (signing.BadSignature, ValueError):
            raise ValidationError({"cursor": ["Not a cursor of this service."]}) from None
        if digest != self._digest():
            raise ValidationError({"cursor": ["Of another query: only pageSize may change on the way."]})
        return rest

    def _digest(self) -> str:
        """Return a digest of the path, the order and the query, which must be the same on every page of a list."""
        query = self.request.query_params.lists()
        kept = sorted((name, values) for name, values in query if name not in self.parameters and not is_ignored(name))
        text = json.dumps([self.request.path, self.rows.name, kept])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _number(text: str | None, default: int) -> int:
    """Return a whole number from 1, or the default; the clients of the predecessor send `undefined`."""
    if text is None or not text.isascii() or not text.isdigit():
        return default
    return min(int(text[:20]), _LARGEST) or default
