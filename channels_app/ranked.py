"""A list with a rank and an excerpt, which cost too much to be computed of all of its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet

Rows = TypeVar("Rows", bound=QuerySet[Any])


@dataclass(frozen=True)
class Ranked(Generic[Rows]):
    """Rows that are ranked only where they are shown, and the first `bound` in another order where `sort` is given.

    `rows` are without rank, in a total order that goes by names; with `sort` these names hold no NULL. `rank` takes a
    query of keys and returns their rows, ranked, in the order of `rows`; `sort` puts ranked rows into the other order.
    """

    rows: Rows
    rank: Callable[[QuerySet[Any, Any]], Rows]
    sort: Callable[[Rows], Rows] | None = None
    bound: int = 0
