"""Lists with rank and excerpt, which cost too much to be computed for all rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet

Rows = TypeVar("Rows", bound=QuerySet[Any])


@dataclass(frozen=True)
class Ranked(Generic[Rows]):
    """A queryset in its own order. `rank` annotates the rows of one page.

    With `sort`, the first `bound` rows are ordered by rank. `rows` has a total order by field names, which hold no NULL
    if there is `sort`. `rank` takes a query of keys and returns their rows in the order of `rows`.
    """

    rows: Rows
    rank: Callable[[QuerySet[Any, Any]], Rows]
    sort: Callable[[Rows], Rows] | None = None
    bound: int = 0
