"""Total orders of lists: the rows after a row (keyset), and what a pagination reads."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Any, Self, TypeVar
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured, ObjectDoesNotExist
from django.db.models import F, Model, Q, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import OrderBy

Rows = TypeVar("Rows", bound=QuerySet[Any])


@dataclass(frozen=True)
class Key:
    """A name by which a list is ordered. NULL stands last, first, or (None) does not occur."""

    name: str
    descending: bool
    nulls_last: bool | None

    @classmethod
    def of(cls, item: Any, queryset: QuerySet[Any]) -> Self:
        """Return the key of an item of `order_by`. An annotation has no NULL unless the item says where NULL stands."""
        expression = item.expression if isinstance(item, OrderBy) else item
        if isinstance(expression, F):
            expression = expression.name  # type: ignore[attr-defined]
        if not isinstance(expression, str):
            raise ImproperlyConfigured(f"A list ordered by {item!r} cannot be paged: annotate it, order by its name")
        name = expression.removeprefix("-")
        descending = item.descending if isinstance(item, OrderBy) else name != expression
        if isinstance(item, OrderBy) and (item.nulls_last or item.nulls_first):
            return cls(name, descending, nulls_last=bool(item.nulls_last))
        if name == "pk" or name in queryset.query.annotations:
            return cls(name, descending, nulls_last=None)
        # By default PostgreSQL takes NULL for larger than every value.
        may_be_null = LOOKUP_SEP in name or queryset.model._meta.get_field(name).null
        return cls(name, descending, nulls_last=not descending if may_be_null else None)

    def value_of(self, row: Any) -> Any:
        """Return the value of the row, in a form that JSON keeps and a lookup takes."""
        if isinstance(row, Mapping):
            value = row[self.name]
        else:
            try:
                value = reduce(lambda found, name: getattr(found, name, None), self.name.split(LOOKUP_SEP), row)
            except ObjectDoesNotExist:
                # The path leads over a row that is missing.
                value = None
        if isinstance(value, datetime):
            return value.isoformat()
        return str(value) if isinstance(value, UUID) else value

    def equal(self, value: Any) -> Q:
        """Return the condition of the rows with this value."""
        return Q((f"{self.name}__isnull", True)) if value is None else Q((self.name, value))

    def after(self, value: Any) -> Q | None:
        """Return the condition of the rows after all those with this value; None if there can be none."""
        if value is None:
            return None if self.nulls_last else Q((f"{self.name}__isnull", False))
        beyond = Q((f"{self.name}__{'lt' if self.descending else 'gt'}", value))
        return beyond | Q((f"{self.name}__isnull", True)) if self.nulls_last else beyond


@dataclass(frozen=True)
class Order:
    """A total order of rows."""

    keys: list[Key]

    @classmethod
    def of(cls, queryset: QuerySet[Any]) -> Self:
        """Return the order of the queryset; raise ImproperlyConfigured if it is not ordered by names."""
        items = queryset.query.order_by
        if not items:
            raise ImproperlyConfigured("A list without an order cannot be paged")
        return cls([Key.of(item, queryset) for item in items])

    def values_of(self, row: Any) -> list[Any]:
        """Return the position of the row."""
        return [key.value_of(row) for key in self.keys]

    def after(self, values: list[Any]) -> Q:
        """Return the condition of the rows after the position: equal in the first keys, and after it in the next."""
        later, alike = Q(), Q()
        for key, value in zip(self.keys, values, strict=True):
            beyond = key.after(value)
            if beyond is not None:
                later |= alike & beyond
            alike &= key.equal(value)
        first = self.keys[0]
        if first.nulls_last or values[0] is None:
            return later
        # Without NULL at the end, this is a range that an index can begin at.
        return later & Q((f"{first.name}__{'lte' if first.descending else 'gte'}", values[0]))

    def until(self, values: list[Any]) -> Q:
        """Return the condition of the rows up to the position, its row included, for keys without NULL."""
        keys = [replace(key, descending=not key.descending) for key in self.keys]
        here = Q(*((key.name, value) for key, value in zip(keys, values, strict=True)))
        return type(self)(keys).after(values) | here


def rows_after(rows: Rows, row: Model | Mapping[str, Any]) -> Rows:
    """Return the rows of a queryset, which is ordered by names, that stand after one of its rows."""
    order = Order.of(rows)
    return rows.filter(order.after(order.values_of(row)))


class RowList(ABC):
    """A list that a pagination reads. A position is a list that JSON can hold: where a row stands in the order."""

    # Distinguishes the order of this list from the others of the same query.
    name: str

    @abstractmethod
    def read(self, position: list[Any] | None, first: int, count: int) -> list[tuple[Any, list[Any]]]:
        """Return at most `count` rows, each with its position: behind a position, if given, and the next `first` rows.

        None stands for a row that has gone meanwhile.
        """


class OrderedRows(RowList):
    """The rows of a queryset that has a total order by names."""

    def __init__(self, rows: QuerySet[Any]) -> None:
        self.rows, self.order = rows, Order.of(rows)
        self.name = " ".join(f"{key.name} {key.descending} {key.nulls_last}" for key in self.order.keys)

    def read(self, position: list[Any] | None, first: int, count: int) -> list[tuple[Any, list[Any]]]:
        rows = self.rows if position is None else self.rows.filter(self.order.after(position))
        return [(row, self.order.values_of(row)) for row in rows[first : first + count]]
