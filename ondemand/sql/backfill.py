"""The backfill of videos and content, and the text search configuration. The triggers: `ondemand/sql/current/`."""

from collections.abc import Callable
from typing import Any

from psycopg import sql

from channels_app.sql.backfill import NIL, touch_in_batches

# No person makes this change: the audit log has no entry of it.
TOUCH_VIDEOS = """
WITH batch AS (
    SELECT uuid, set_config('ivsvod.actor', '{"way": "none"}', true)
    FROM on_demand_videos WHERE uuid > %s AND _status IS NULL ORDER BY uuid LIMIT %s FOR NO KEY UPDATE
)
UPDATE on_demand_videos AS video SET created_at = video.created_at
FROM batch WHERE video.uuid = batch.uuid RETURNING video.uuid
"""
TOUCH_CONTENT = """
WITH batch AS (
    SELECT uuid FROM on_demand_video_content WHERE uuid > %s AND _search IS NULL ORDER BY uuid LIMIT %s
    FOR NO KEY UPDATE
)
UPDATE on_demand_video_content AS content SET created_by = content.created_by
FROM batch WHERE content.uuid = batch.uuid RETURNING content.uuid
"""
# A vector that is right already, as after an interruption, is not written again.
REWRITE_VECTORS = """
WITH batch AS (
    SELECT uuid FROM on_demand_video_content WHERE uuid > %s ORDER BY uuid LIMIT %s FOR NO KEY UPDATE
), vector AS (
    SELECT uuid, ivsvod_search_vector(title, description, coalesce(tags, '{}')) AS vector
    FROM on_demand_video_content JOIN batch USING (uuid)
), written AS (
    UPDATE on_demand_video_content AS content SET _search = vector
    FROM vector WHERE content.uuid = vector.uuid AND content._search IS DISTINCT FROM vector
)
SELECT uuid FROM batch
"""
FIND_CONFIG = """
SELECT format('%%I.%%I', nspname, cfgname) FROM pg_ts_config JOIN pg_namespace ON pg_namespace.oid = cfgnamespace
WHERE pg_ts_config.oid = (
    SELECT coalesce(
        (SELECT oid FROM pg_ts_config WHERE cfgname = %(name)s AND pg_ts_config_is_visible(oid)),
        (SELECT pg_ts_config.oid FROM pg_ts_config JOIN pg_namespace ON pg_namespace.oid = cfgnamespace
         WHERE nspname || '.' || cfgname = %(name)s)
    )
)
"""
SET_CONFIG = """
CREATE OR REPLACE FUNCTION ivsvod_search_config() RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS {body}
"""
DOUBLED = """
SELECT _bucket, _prefix FROM on_demand_videos WHERE _prefix <> '' GROUP BY _bucket, _prefix HAVING count(*) > 1
"""
# Somebody removed the first row: what it was the first of stands for itself again.
FORGET_REMOVED = """
WITH orphan AS (
    SELECT uuid, set_config('ivsvod.actor', '{"way": "none"}', true) FROM on_demand_videos AS video
    WHERE _duplicate_of IS NOT NULL AND NOT EXISTS (SELECT FROM on_demand_videos WHERE uuid = video._duplicate_of)
    ORDER BY uuid FOR NO KEY UPDATE
)
UPDATE on_demand_videos AS video SET _duplicate_of = NULL FROM orphan WHERE video.uuid = orphan.uuid
"""
# All rows of a recording point to the first: those too that a trigger marked while older ones were not derived.
MARK_DUPLICATES = """
WITH place AS (
    SELECT uuid, created_at, active, _status, _duplicate_of, set_config('ivsvod.actor', '{"way": "none"}', true)
    FROM on_demand_videos WHERE _bucket = %s AND _prefix = %s ORDER BY uuid FOR NO KEY UPDATE
), first AS (
    SELECT uuid FROM place
    ORDER BY ivsvod_first_row_rank(_status, active, _duplicate_of), created_at, uuid LIMIT 1
)
UPDATE on_demand_videos AS video SET _duplicate_of = nullif(first.uuid, video.uuid)
FROM place, first
WHERE video.uuid = place.uuid AND video._duplicate_of IS DISTINCT FROM nullif(first.uuid, video.uuid)
"""


def backfill(cursor: Any, said: Callable[[str], None] | None = None) -> None:
    """Derive what old rows of videos and content lack, and mark duplicates; safe to stop and to run again."""
    touch_in_batches(cursor, TOUCH_VIDEOS, NIL, said)
    touch_in_batches(cursor, TOUCH_CONTENT, NIL, said)
    cursor.execute(FORGET_REMOVED)
    cursor.execute(DOUBLED)
    for place in cursor.fetchall():
        cursor.execute(MARK_DUPLICATES, place)


class UnknownSearchConfigError(Exception):
    """PostgreSQL has no text search configuration of this name."""


def search_config_find(cursor: Any, name: str) -> str:
    """The configuration with its schema, quoted.

    Raises:
        UnknownSearchConfigError: there is none of this name.
    """
    cursor.execute(FIND_CONFIG, {"name": name})
    row = cursor.fetchone()
    if row is None:
        raise UnknownSearchConfigError(f"PostgreSQL has no text search configuration {name!r} (see pg_ts_config)")
    return row[0]


def search_config_set(cursor: Any, name: str, said: Callable[[str], None] | None = None) -> None:
    """Search in this configuration from now on, and rewrite all vectors; safe to stop and to run again.

    Until the last vector is rewritten, words that the two configurations see differently may not be found.

    Raises:
        UnknownSearchConfigError: there is none of this name.
    """
    body = sql.Literal(f"SELECT {sql.Literal(search_config_find(cursor, name)).as_string()}::regconfig")
    cursor.execute(sql.SQL(SET_CONFIG).format(body=body))
    touch_in_batches(cursor, REWRITE_VECTORS, NIL, said)


def backfill_by_migration(apps: Any, schema_editor: Any) -> None:
    """`backfill`, as a step of a migration that is not one transaction."""
    with schema_editor.connection.cursor() as cursor:
        backfill(cursor)
