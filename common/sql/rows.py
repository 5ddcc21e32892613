"""Long tables: rows in batches, and counts up to a bound."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet, Value
from django.utils.formats import number_format

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")
_BATCH = 100
BOUND = 100


def rows_of(rows: QuerySet[Row], *, after: Any = None) -> Iterator[Row]:
    """Yield the rows with primary keys after `after` in their order; each batch is a query."""
    # A cursor would hold a connection, and its snapshot, during the AWS calls for each row.
    for batch in batches_of(rows, after=after, size=_BATCH):
        yield from batch


def batches_of(rows: QuerySet[Row], *, after: Any = None, size: int) -> Iterator[list[Row]]:
    """Yield the rows of `rows_of` in lists of at most `size`."""
    while batch := list((rows.filter(pk__gt=after) if after is not None else rows).order_by("pk")[:size]):
        yield batch
        after = batch[-1].pk


def chunks_of(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Return lists of at most `size` items, lazily. (itertools.batched needs Python 3.12.)"""
    remaining = iter(items)
    return iter(lambda: list(islice(remaining, size)), [])


def counts_of(lists: Sequence[QuerySet[Any]], bound: int = BOUND) -> list[int]:
    """Return the number of rows of each queryset, at most `bound + 1`; one statement.

    Keep ORDER BY if an index serves it: PostgreSQL then stops reading after `bound + 1` rows.
    """
    bounded = [rows.values_list(Value(1))[: bound + 1].query.sql_with_params() for rows in lists]
    if not bounded:
        return []
    counted = ", ".join(f"(SELECT count(*) FROM ({sql}) AS counted)" for sql, _ in bounded)  # noqa: S608
    with connection.cursor() as cursor:
        # Django built the SQL; user input is only in the parameters.
        cursor.execute(f"SELECT {counted}", [value for _, values in bounded for value in values])
        return list(cursor.fetchone())


def count_shown(count: int, bound: int = BOUND) -> str:
    """Return a count of `counts_of` as text: `1,000+` beyond the bound."""
    text = number_format(min(count, bound), force_grouping=True)
    return f"{text}+" if count > bound else text
