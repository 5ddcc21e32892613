"""Pages: `page` from 1 and `pageSize` as the predecessor counted them, and a cursor that walks a whole list.

A cursor holds the place of the last row of a page in the order of the list, so that rows that come and go between two
pages move no other row onto a page twice, or past it.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.exceptions import ImproperlyConfigured, ObjectDoesNotExist
from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import OrderBy
from django.utils.encoding import escape_uri_path
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app.filters import is_ignored
from channels_app.ranked import Ranked

_LARGEST = 2**53
_LONGEST_CURSOR = 8000
_SALT = "ivsvod.api.pagination"


class PagePagination(BasePagination):
    """`data`, `page`, `pageSize` (the size used) and `next`, a link to the rows after these; null at the end.

    The queryset must be ordered by names of fields or annotations, of which the last is unique. The size may change
    from one page of a walk to the next; all else in the query may not, but for parameters that are ignored.
    """

    parameters = ("page", "pageSize", "cursor")

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The rows of the page of a queryset or `Ranked`; a page past the end has none.

        Raises:
            ValidationError: the cursor is not of this query, or stands beside `page`.
        """
        self.request, self.rows = request, queryset
        query = request.query_params
        self.page_size = min(_number(query.get("pageSize"), settings.API_PAGE_SIZE), settings.API_MAX_PAGE_SIZE)
        cursor = query.get("cursor")
        self.page = _number(query.get("page"), 1)
        parts = self._parts_from((self.page - 1) * self.page_size) if cursor is None else self._parts_after(cursor)
        # One row more than the page shows whether there is a next one.
        found = self._read(parts, self.page_size + 1)
        self.last = found[self.page_size - 1] if len(found) > self.page_size else None
        return [row for _, row in found[: self.page_size]]

    def get_paginated_response(self, data: Any) -> Response:
        """The answer around the rows."""
        return Response({"data": data, "page": self.page, "pageSize": self.page_size, "next": self._next()})

    def _parts_from(self, first: int) -> list["Part"]:
        """The list from a row on, counted from 0."""
        self.edge = _edge_of(self.rows) if isinstance(self.rows, Ranked) and self.rows.sort else None
        parts = parts_of(self.rows, self.edge)
        if first >= _LARGEST:
            return []
        if isinstance(self.rows, Ranked) and self.edge and first >= self.rows.bound:
            return [parts[1].cut(first - self.rows.bound)]
        return [parts[0].cut(first), *parts[1:]]

    def _parts_after(self, cursor: str) -> list["Part"]:
        """The list after the row that the cursor names."""
        self.page, self.edge, number, values = self._read_cursor(cursor)
        part, *rest = parts_of(self.rows, self.edge)[number:]
        return [part.after(values), *rest]

    def _read(self, parts: list["Part"], count: int) -> list[tuple["Part", Any]]:
        found: list[tuple[Part, Any]] = []
        for part in parts:
            found += [(part, row) for row in part.read(count - len(found))]
            if len(found) == count:
                break
        return found

    def _next(self) -> str | None:
        """A link without a host: the service may stand behind any."""
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
        """The number of the page, the edge of the ranked rows, the number of the part, and the place in it."""
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
        """What must be the same on every page of a walk: the path, the order, and the query."""
        query = self.request.query_params.lists()
        kept = sorted((name, values) for name, values in query if name not in self.parameters and not is_ignored(name))
        keys = parts_of(self.rows, None)[0].order.keys
        text = json.dumps([self.request.path, [key.text for key in keys], kept])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Key:
    """One of the names by which a list is ordered, and at which end NULL stands; None where there is no NULL."""

    name: str
    descending: bool
    nulls_last: bool | None

    @classmethod
    def of(cls, item: Any, queryset: QuerySet[Any]) -> Self:
        """The key of an item of `order_by`. An annotation holds no NULL unless the item says where NULL stands.

        Raises:
            ImproperlyConfigured: it is an expression without a name.
        """
        expression = item.expression if isinstance(item, OrderBy) else item
        if isinstance(expression, F):
            expression = expression.name  # type: ignore[attr-defined]
        if not isinstance(expression, str):
            raise ImproperlyConfigured(f"A list ordered by {item!r} cannot be paged: annotate it, order by its name")
        name = expression.removeprefix("-")
        descending = item.descending if isinstance(item, OrderBy) else name != expression
        if isinstance(item, OrderBy) and (item.nulls_last or item.nulls_first):
            return cls(name, descending, nulls_last=bool(item.nulls_last))
        # Where nothing else is said, PostgreSQL takes NULL for larger than every value.
        return cls(name, descending, nulls_last=not descending if _may_be_null(name, queryset) else None)

    @property
    def text(self) -> str:
        """The key as a text."""
        return f"{self.name} {self.descending} {self.nulls_last}"

    def value_of(self, row: Any) -> Any:
        """The value of the row, in a form that JSON keeps and a lookup takes."""
        value = row[self.name] if isinstance(row, dict) else _attribute(row, self.name)
        if isinstance(value, datetime):
            return value.isoformat()
        return str(value) if isinstance(value, UUID) else value

    def equal(self, value: Any) -> Q:
        """The rows with this value."""
        return self._is_null(True) if value is None else Q((self.name, value))

    def after(self, value: Any) -> Q | None:
        """The rows that stand after all those with this value; None where there can be none."""
        if value is None:
            return None if self.nulls_last else self._is_null(False)
        beyond = Q((f"{self.name}__{'lt' if self.descending else 'gt'}", value))
        return beyond | self._is_null(True) if self.nulls_last else beyond

    def from_on(self, value: Any) -> Q:
        """The rows with this value and those after them, for a key without NULL: a range that an index can serve."""
        return Q((f"{self.name}__{'lte' if self.descending else 'gte'}", value))

    def _is_null(self, wanted: bool) -> Q:
        return Q((f"{self.name}__isnull", wanted))


@dataclass(frozen=True)
class Order:
    """A total order of rows."""

    keys: list[Key]

    @classmethod
    def of(cls, queryset: QuerySet[Any]) -> Self:
        """The order of the queryset.

        Raises:
            ImproperlyConfigured: it has none, or is ordered by an expression without a name.
        """
        items = queryset.query.order_by
        if not items:
            raise ImproperlyConfigured("A list without an order cannot be paged")
        return cls([Key.of(item, queryset) for item in items])

    def values_of(self, row: Any) -> list[Any]:
        """The place of the row."""
        return [key.value_of(row) for key in self.keys]

    def after(self, values: list[Any]) -> Q:
        """The rows that stand after the place: those alike in the first keys and after it in the next one."""
        later, alike = Q(), Q()
        for key, value in zip(self.keys, values, strict=True):
            beyond = key.after(value)
            if beyond is not None:
                later |= alike & beyond
            alike &= key.equal(value)
        first = self.keys[0]
        return later if first.nulls_last is not None else later & first.from_on(values[0])

    def until(self, values: list[Any]) -> Q:
        """The rows up to the place, and the row there, for keys without NULL."""
        keys = [replace(key, descending=not key.descending) for key in self.keys]
        here = Q(*((key.name, value) for key, value in zip(keys, values, strict=True)))
        return type(self)(keys).after(values) | here


@dataclass(frozen=True)
class Part:
    """Rows in one order: all of a list, or one of the two parts of a ranked one.

    `rank` adds rank and excerpt to the rows of the page.
    """

    number: int
    rows: QuerySet[Any]
    order: Order
    rank: Callable[[QuerySet[Any, Any]], QuerySet[Any]] | None = None

    @classmethod
    def of(cls, number: int, rows: QuerySet[Any], rank: Callable[..., QuerySet[Any]] | None = None) -> Self:
        """The part with this number.

        Raises:
            ImproperlyConfigured: the rows have no order by names.
        """
        return cls(number, rows, Order.of(rows), rank)

    def read(self, count: int) -> list[Any]:
        """Return the first rows, at most `count`."""
        return list(self.rank(self.rows.values("pk")[:count]) if self.rank else self.rows[:count])

    def after(self, values: list[Any]) -> Self:
        """The rows after a place."""
        return replace(self, rows=self.rows.filter(self.order.after(values)))

    def cut(self, first: int) -> Self:
        """Without as many rows at the beginning."""
        return replace(self, rows=self.rows[first:])


class SortedPart(Part):
    """The rows of a ranked list that are in the order of their rank."""

    def after(self, values: list[Any]) -> Self:
        """Sort the rows after the position first; `read` drops the others.

        As a WHERE condition it would make PostgreSQL compute the rank of rows outside of the part too.
        """
        is_after = ExpressionWrapper(self.order.after(values), BooleanField())
        return replace(
            self, rows=self.rows.annotate(is_after=is_after).order_by("-is_after", *self.rows.query.order_by)
        )

    def read(self, count: int) -> list[Any]:
        """Return the first rows, at most `count`."""
        return [row for row in super().read(count) if getattr(row, "is_after", True)]


def parts_of(rows: QuerySet[Any] | Ranked[Any], edge: list[Any] | None) -> list[Part]:
    """The whole list; a ranked one is parted behind the place `edge`, or not at all where there is none.

    A walk keeps its edge: what is added on the way cannot move a row from one part to the other.
    """
    if not isinstance(rows, Ranked):
        return [Part.of(0, rows)]
    if rows.sort is None:
        return [Part.of(0, rows.rows, rows.rank)]
    order = Order.of(rows.rows)
    within = rows.rows if edge is None else rows.rows.filter(order.until(edge))
    # Take the `bound` rows next to the edge, so rows added during paging do not displace older ones.
    keys = within.reverse().values("pk")[: rows.bound]
    sorted_part = SortedPart.of(0, rows.sort(rows.rank(keys)))
    return [sorted_part] if edge is None else [sorted_part, Part.of(1, rows.rows.filter(order.after(edge)), rows.rank)]


def _edge_of(ranked: Ranked[Any]) -> list[Any] | None:
    """The place of the last row within the bound; None where none stands behind it."""
    names = [key.name for key in Order.of(ranked.rows).keys]
    rows = list(ranked.rows.values(*names)[ranked.bound - 1 : ranked.bound + 1])
    return Order.of(ranked.rows).values_of(rows[0]) if len(rows) > 1 else None


def _attribute(row: Any, path: str) -> Any:
    """What stands at the end of the path; None where a row on the way is missing."""
    try:
        for name in path.split(LOOKUP_SEP):
            row = getattr(row, name, None)
    except ObjectDoesNotExist:
        return None
    return row


def _may_be_null(name: str, queryset: QuerySet[Any]) -> bool:
    if name == "pk" or name in queryset.query.annotations:
        return False
    return LOOKUP_SEP in name or queryset.model._meta.get_field(name).null


def _number(text: str | None, default: int) -> int:
    """A whole number from 1; the predecessor's clients send `undefined`."""
    if text is None or not text.isascii() or not text.isdigit():
        return default
    return min(int(text[:20]), _LARGEST) or default
