"""The backfill of videos and their index, and the text search configuration. The triggers: `ondemand/sql/current/`."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from functools import partial
from typing import Any

from django.db import transaction
from psycopg import sql

from common.sql.backfill import NIL, batches, touch_in_batches
from common.sql.ddl import sql_files

_statement = partial(sql_files, "ondemand/sql/statements")
# The number of newest videos whose words the backfill adds; it takes some seconds.
WORDS_FROM_NEWEST = 50_000
# The blocks of the table that one statement derives: some 1,500 rows.
_BLOCKS = 100
_SET_CONFIG = """
CREATE OR REPLACE FUNCTION ivsvod_search_config() RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS {body}
"""


class UnknownSearchConfigError(Exception):
    """PostgreSQL has no text search configuration of this name."""


def backfill(cursor: Any, report: Callable[[str], None] | None = None) -> None:
    """Derive the missing columns of old videos, index them, and mark duplicates; safe to stop and rerun."""
    _touch(cursor, _first_blocks(cursor), report)
    touch_in_batches(cursor, _statement("index_videos"), NIL, report)
    cursor.execute(_statement("forget_removed"))
    cursor.execute(_statement("doubled_recordings"))
    mark_duplicates = _statement("mark_duplicates")
    for place in cursor.fetchall():
        cursor.execute(mark_duplicates, place)
    sum_tags(cursor)
    add_words(cursor, WORDS_FROM_NEWEST)


def _first_blocks(cursor: Any) -> Iterator[int]:
    cursor.execute(_statement("video_blocks"))
    [blocks] = cursor.fetchone()
    return iter(range(0, blocks, _BLOCKS))


def _touch(cursor: Any, first_blocks: Iterator[int], report: Callable[[str], None] | None = None) -> None:
    """Derive the columns in each range of blocks. Two threads may share the iterator."""
    statement, count = _statement("touch_videos"), 0
    for first in first_blocks:
        cursor.execute(statement, [f"({first},0)", f"({first + _BLOCKS},0)"])
        count += cursor.rowcount
        if report and cursor.rowcount:
            report(f"{count} rows")


def count_tags(cursor: Any) -> None:
    """Count all tags anew, and remove rows of the index without a video; in the transaction of the caller."""
    cursor.execute(_statement("count_tags_anew"))


def sum_tags(cursor: Any) -> None:
    """Add up the counts of tags, to which each change of a tag adds rows."""
    cursor.execute(_statement("sum_tags"))


def add_words(cursor: Any, videos: int) -> None:
    """Add the words of this number of the newest videos to those that a near miss of a search may be."""
    cursor.execute(_statement("add_words"), [videos])


def index_again(cursor: Any, report: Callable[[str], None] | None = None) -> int:
    """Write the index of all videos again, and count their tags; return how many rows were wrong. Safe to rerun."""
    wrong, count = 0, 0
    for rows in batches(cursor, _statement("index_again"), NIL):
        wrong, count = wrong + sum(bool(is_wrong) for _, is_wrong in rows), count + len(rows)
        if report:
            report(f"{count} videos, {wrong} of them were wrong in the index")
    with transaction.atomic():
        count_tags(cursor)
    return wrong


def search_config_set(cursor: Any, name: str, report: Callable[[str], None] | None = None) -> None:
    """Search in this configuration from now on, and rewrite all vectors; safe to stop and rerun.

    Until the last vector is rewritten, words that the two configurations see differently may not be found.

    Raises:
        UnknownSearchConfigError: there is none of this name.
    """
    cursor.execute(_statement("find_search_config"), {"name": name})
    if (row := cursor.fetchone()) is None:
        raise UnknownSearchConfigError(f"PostgreSQL has no text search configuration {name!r} (see pg_ts_config)")
    body = sql.Literal(f"SELECT {sql.Literal(row[0]).as_string()}::regconfig")
    cursor.execute(sql.SQL(_SET_CONFIG).format(body=body))
    index_again(cursor, report)


def backfill_by_migration(apps: Any, schema_editor: Any) -> None:
    """Run `backfill` as a step of a migration that is not one transaction.

    A second connection derives half of the rows: the database works for most of the time, on one processor for each.
    """

    def share() -> None:
        with closing(schema_editor.connection.copy()) as connection, connection.cursor() as cursor:
            _touch(cursor, first_blocks)

    with schema_editor.connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        first_blocks = _first_blocks(cursor)
        helper = pool.submit(copy_context().run, share)
        try:
            _touch(cursor, first_blocks)
        finally:
            # After an error nothing is left to the other thread, which ends too.
            for _ in first_blocks:
                pass
        helper.result()
        backfill(cursor)
