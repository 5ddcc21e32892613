"""Pages: `page` from 1 and `pageSize` as the predecessor counted them, and a cursor for a whole list.

A cursor holds the position of the last row of a page in the order of the list. So rows that come and go between two
pages move no other row onto a page twice, or past it.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from django.conf import settings
from django.core import signing
from django.db.models import BooleanField, ExpressionWrapper, QuerySet
from django.utils.encoding import escape_uri_path
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from ivsvod.rest.filters import is_ignored
from ivsvod.rest.ordering import Order, Ranked

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
        """Return the rows of the page of a queryset or `Ranked`; a page past the end has none.

        Raise ValidationError for a cursor that is not of this query, or stands beside `page`.
        """
        self.request, self.rows = request, queryset
        query = request.query_params
        self.page_size = min(_number(query.get("pageSize"), settings.API_PAGE_SIZE), settings.API_MAX_PAGE_SIZE)
        cursor = query.get("cursor")
        self.page = _number(query.get("page"), 1)
        if cursor is None:
            parts = self._parts_from((self.page - 1) * self.page_size)
        else:
            self.page, self.edge, number, values = self._read_cursor(cursor)
            part, *rest = parts_of(self.rows, self.edge)[number:]
            parts = [part.after(values), *rest]
        found: list[tuple[Part, Any]] = []
        # One row more than the page shows whether there is a next one.
        while parts and len(found) <= self.page_size:
            part, *parts = parts
            found += [(part, row) for row in part.read(self.page_size + 1 - len(found))]
        self.last = found[self.page_size - 1] if len(found) > self.page_size else None
        return [row for _, row in found[: self.page_size]]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"data": data, "page": self.page, "pageSize": self.page_size, "next": self._next()})

    def _parts_from(self, first: int) -> list["Part"]:
        """Return the list from a row on, counted from 0."""
        self.edge = None
        if isinstance(self.rows, Ranked) and self.rows.sort:
            order, bound = Order.of(self.rows.rows), self.rows.bound
            # The last row within the bound, if another one stands behind it.
            rows = list(self.rows.rows.values(*(key.name for key in order.keys))[bound - 1 : bound + 1])
            self.edge = order.values_of(rows[0]) if len(rows) > 1 else None
        parts = parts_of(self.rows, self.edge)
        if first >= _LARGEST:
            return []
        if isinstance(self.rows, Ranked) and self.edge and first >= self.rows.bound:
            return [parts[1].cut(first - self.rows.bound)]
        return [parts[0].cut(first), *parts[1:]]

    def _next(self) -> str | None:
        """Return a link without a host, because the service may stand behind any."""
        if self.last is None:
            return None
        query = self.request.query_params.copy()
        query.pop("page", None)
        part, row = self.last
        content = [self._digest(), self.page + 1, self.edge, part.number, part.order.values_of(row)]
        # Without the time of the signature: the same page has the same version (ETag).
        query["cursor"] = signing.Signer(salt=_SALT).sign_object(content, compress=True)
        return f"{escape_uri_path(self.request.path)}?{query.urlencode()}"

    def _read_cursor(self, cursor: str) -> list[Any]:
        """Return number of the page, edge of the ranked rows, number of the part, and the position in it."""
        if "page" in self.request.query_params:
            raise ValidationError({"cursor": ["Not together with page."]})
        try:
            digest, *place = signing.Signer(salt=_SALT).unsign_object(cursor[:_LONGEST_CURSOR])
        except (signing.BadSignature, ValueError):
            raise ValidationError({"cursor": ["Not a cursor of this service."]}) from None
        if digest != self._digest():
            raise ValidationError({"cursor": ["Of another query: only pageSize may change on the way."]})
        return place

    def _digest(self) -> str:
        """Return a digest of the path, the order and the query, which must be the same on every page of a list."""
        query = self.request.query_params.lists()
        kept = sorted((name, values) for name, values in query if name not in self.parameters and not is_ignored(name))
        keys = [f"{key.name} {key.descending} {key.nulls_last}" for key in parts_of(self.rows, None)[0].order.keys]
        text = json.dumps([self.request.path, keys, kept])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Part:
    """Rows in one order: all of a list, or one of the two parts of a ranked one.

    `rank` adds rank and excerpt to the rows of the page. The rows of a part that `is_by_rank` are in the order of it.
    """

    number: int
    rows: QuerySet[Any]
    order: Order
    rank: Callable[[QuerySet[Any, Any]], QuerySet[Any]] | None = None
    is_by_rank: bool = False

    def read(self, count: int) -> list[Any]:
        rows = self.rank(self.rows.values("pk")[:count]) if self.rank else self.rows[:count]
        return [row for row in rows if getattr(row, "is_after", True)]

    def after(self, values: list[Any]) -> Self:
        """Return the rows after a position."""
        after = self.order.after(values)
        if not self.is_by_rank:
            return replace(self, rows=self.rows.filter(after))
        # Sort these rows first; `read` drops the others. As a WHERE condition it would make PostgreSQL compute the rank
        # of rows outside of the part too.
        rows = self.rows.annotate(is_after=ExpressionWrapper(after, BooleanField()))
        return replace(self, rows=rows.order_by("-is_after", *self.rows.query.order_by))

    def cut(self, first: int) -> Self:
        """Return the part without the first `first` rows."""
        return replace(self, rows=self.rows[first:])


def parts_of(rows: QuerySet[Any] | Ranked[Any], edge: list[Any] | None) -> list[Part]:
    """Return the parts of a list: one, or two for a ranked list with the position `edge` between them.

    A cursor keeps the edge, so that rows added during paging move no row from one part to the other.
    """
    if not isinstance(rows, Ranked):
        return [Part(0, rows, Order.of(rows))]
    order = Order.of(rows.rows)
    if rows.sort is None:
        return [Part(0, rows.rows, order, rows.rank)]
    within = rows.rows if edge is None else rows.rows.filter(order.until(edge))
    # Take the `bound` rows next to the edge, so rows added during paging do not displace older ones.
    by_rank = rows.sort(rows.rank(within.reverse().values("pk")[: rows.bound]))
    parts = [Part(0, by_rank, Order.of(by_rank), is_by_rank=True)]
    if edge is not None:
        parts.append(Part(1, rows.rows.filter(order.after(edge)), order, rows.rank))
    return parts


def _number(text: str | None, default: int) -> int:
    """Return a whole number from 1, or the default; the clients of the predecessor send `undefined`."""
    if text is None or not text.isascii() or not text.isdigit():
        return default
    return min(int(text[:20]), _LARGEST) or default
