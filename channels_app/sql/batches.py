"""Iterate in batches."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")
_BATCH = 100


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
