"""The backfill of videos and content, and the text search configuration. The triggers: `ondemand/sql/current/`."""

from collections.abc import Callable
from functools import partial
from typing import Any

from psycopg import sql

from channels_app.sql.backfill import NIL, touch_in_batches
from channels_app.sql.ddl import sql_files

_statement = partial(sql_files, "ondemand/sql/statements")
_SET_CONFIG = """
CREATE OR REPLACE FUNCTION ivsvod_search_config() RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS {body}
"""


class UnknownSearchConfigError(Exception):
    """PostgreSQL has no text search configuration of this name."""


def backfill(cursor: Any, report: Callable[[str], None] | None = None) -> None:
    """Derive the missing columns of old rows of videos and content, and mark duplicates; safe to stop and rerun."""
    touch_in_batches(cursor, _statement("touch_videos"), NIL, report)
    touch_in_batches(cursor, _statement("touch_content"), NIL, report)
    cursor.execute(_statement("forget_removed"))
    cursor.execute(_statement("doubled_recordings"))
    mark_duplicates = _statement("mark_duplicates")
    for place in cursor.fetchall():
        cursor.execute(mark_duplicates, place)


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
    touch_in_batches(cursor, _statement("rewrite_vectors"), NIL, report)


def backfill_by_migration(apps: Any, schema_editor: Any) -> None:
    """Run `backfill` as a step of a migration that is not one transaction."""
    with schema_editor.connection.cursor() as cursor:
        backfill(cursor)
