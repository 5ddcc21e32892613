"""Statements that are run in batches, for backfills."""

from collections.abc import Callable, Iterator
from typing import Any

BATCH = 1000
NIL = "00000000-0000-0000-0000-000000000000"


def batches(cursor: Any, statement: str, first_key: Any) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a statement, which takes (last key, batch size) and returns keys first, until none is left."""
    last = first_key
    while True:
        cursor.execute(statement, [last, BATCH])
        rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        last = max(row[0] for row in rows)


def touch_in_batches(cursor: Any, statement: str, first_key: Any, report: Callable[[str], None] | None = None) -> int:
    """Run a statement as `batches` does; return the number of its rows."""
    count = 0
    for rows in batches(cursor, statement, first_key):
        count += len(rows)
        if report:
            report(f"{count} rows")
    return count
