"""The backfill of videos and their index, and the text search configuration."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction
from psycopg import sql

from common.sql.backfill import NIL, batches, first_blocks, run_for_each, touch_blocks, touch_in_batches
from common.sql.ddl import newest_sql

_statement = partial(newest_sql, "ondemand/sql")
# The number of newest videos whose words the backfill adds; it takes some seconds.
WORDS_FROM_NEWEST = 50_000
_SET_CONFIG = """
CREATE OR REPLACE FUNCTION ivsvod_search_config() RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS {body}
"""


class UnknownSearchConfigError(Exception):
    """PostgreSQL has no text search configuration of this name."""


def backfill(cursor: Any, report: Callable[[str], None] | None = None) -> None:
    """Derive the missing columns of old videos, index them, and mark duplicates; safe to stop and rerun."""
    touch_blocks(cursor, _statement("touch_videos"), first_blocks(cursor, _statement("video_blocks")), report)
    touch_in_batches(cursor, _statement("index_missing"), NIL, report)
    cursor.execute(_statement("forget_removed"))
    run_for_each(cursor, _statement("doubled_recordings"), _statement("mark_duplicates"))
    sum_tags(cursor)
    add_words(cursor, WORDS_FROM_NEWEST)


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
