"""A list whose order costs too much to be that of all of its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet

Rows = TypeVar("Rows", bound=QuerySet[Any])


@dataclass(frozen=True)
class Ranked(Generic[Rows]):
    """The first `bound` rows in another order, and then the rest as they stand.

    `rows` must be in a total order by names that hold no NULL; `sort` puts rows into the other order.
    """

    rows: Rows
    sort: Callable[[Rows], Rows]
    bound: int
