"""Long tables and other long things, some at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")
_BATCH = 100


def rows_of(rows: QuerySet[Row], *, after: Any = None) -> Iterator[Row]:
    """The rows by their primary key, those after one; each batch is a query of its own, as fresh as it can be.

    A cursor would hold a connection, and its snapshot, for as long as AWS is asked.
    """
    for batch in batches_of(rows, after=after, size=_BATCH):
        yield from batch


def batches_of(rows: QuerySet[Row], *, after: Any = None, size: int) -> Iterator[list[Row]]:
    """`rows_of`, as lists."""
    while batch := list((rows.filter(pk__gt=after) if after is not None else rows).order_by("pk")[:size]):
        yield batch
        after = batch[-1].pk


def chunks_of(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """So many at a time, none taken before it is wanted. (itertools.batched is in Python 3.12 and later.)"""
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk
