"""Statements that are run in batches, for backfills. Migrations call these functions too: keep what they do."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from typing import Any

BATCH = 1000
NIL = "00000000-0000-0000-0000-000000000000"
# The blocks of the table that one statement derives: some 1,500 rows.
_BLOCKS = 100


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


def first_blocks(cursor: Any, blocks_statement: str) -> Iterator[int]:
    """Return the first block of each range of a table, of which the statement returns the number of blocks."""
    cursor.execute(blocks_statement)
    [blocks] = cursor.fetchone()
    return iter(range(0, blocks, _BLOCKS))


def touch_blocks(
    cursor: Any, statement: str, firsts: Iterator[int], report: Callable[[str], None] | None = None
) -> None:
    """Run a statement, which takes (first ctid, the one after the last), on each range. Two threads may share them."""
    count = 0
    for first in firsts:
        cursor.execute(statement, [f"({first},0)", f"({first + _BLOCKS},0)"])
        count += cursor.rowcount
        if report and cursor.rowcount:
            report(f"{count} rows")


def touch_blocks_by_two(connection: Any, statement: str, firsts: Iterator[int]) -> None:
    """Run `touch_blocks` on two connections: the database works for most of the time, on one processor for each."""

    def share() -> None:
        with closing(connection.copy()) as other, other.cursor() as cursor:
            touch_blocks(cursor, statement, firsts)

    with connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        helper = pool.submit(copy_context().run, share)
        try:
            touch_blocks(cursor, statement, firsts)
        finally:
            # After an error nothing is left to the other thread, which ends too.
            for _ in firsts:
                pass
        helper.result()


def run_for_each(cursor: Any, rows_statement: str, statement: str) -> None:
    """Run a statement with each row of another one as its parameters."""
    cursor.execute(rows_statement)
    for row in cursor.fetchall():
        cursor.execute(statement, row)
