"""Bounded counts of rows, which are quick for any number of rows."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Value

BOUND = 100


def counts_to(bound: int, lists: Sequence[QuerySet[Any]]) -> list[int]:
    """Return the number of rows of each queryset, at most `bound + 1`; one statement."""
    bounded = [rows.order_by().values_list(Value(1))[: bound + 1].query.sql_with_params() for rows in lists]
    if not bounded:
        return []
    counted = ", ".join(f"(SELECT count(*) FROM ({sql}) AS counted)" for sql, _ in bounded)  # noqa: S608
    with connection.cursor() as cursor:
        # Django built the SQL; user input is only in the parameters.
        cursor.execute(f"SELECT {counted}", [value for _, values in bounded for value in values])
        return list(cursor.fetchone())


def count_shown(count: int, bound: int = BOUND) -> str:
    """Return a count of `counts_to` as text: `100+` beyond the bound."""
    return f"{bound}+" if count > bound else str(count)
