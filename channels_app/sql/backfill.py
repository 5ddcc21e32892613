"""The backfill of channels and state changes: rows that were written while no trigger fired.

The triggers stand in `channels_app/sql/current/`. Each sets only what is NULL, so touching a row fills the rest.
"""

from collections.abc import Callable
from typing import Any

BATCH = 1000


def touch_in_batches(cursor: Any, statement: str, first_key: Any, said: Callable[[str], None] | None = None) -> int:
    """Run a statement that takes (last key, batch size) and returns the keys that it passed, until none is left.

    Each call is a transaction of its own when the connection is in autocommit mode.
    """
    passed, last = 0, first_key
    while True:
        cursor.execute(statement, [last, BATCH])
        keys = [row[0] for row in cursor.fetchall()]
        if not keys:
            return passed
        passed, last = passed + len(keys), max(keys)
        if said:
            said(f"{passed} rows")


# No person makes this change: the audit log has no entry of it.
TOUCH_CHANNELS = """
WITH batch AS (
    SELECT uuid, set_config('ivsvod.actor', '{"way": "none"}', true)
    FROM ivs_channels WHERE uuid > %s AND _status IS NULL ORDER BY uuid LIMIT %s FOR NO KEY UPDATE
)
UPDATE ivs_channels SET owner = owner FROM batch WHERE ivs_channels.uuid = batch.uuid RETURNING ivs_channels.uuid
"""
HEAR_STATE_CHANGES = """
SELECT _id, ivsvod_record_state_change(_id, ivs_channel_uuid, timestamp, state, data)
FROM (
    SELECT * FROM ivs_state_changes WHERE _id > %s AND _event_id IS NULL ORDER BY _id LIMIT %s
) AS batch
"""
NIL = "00000000-0000-0000-0000-000000000000"


def backfill(cursor: Any, said: Callable[[str], None] | None = None) -> None:
    """Derive what old rows of channels and state changes lack; safe to stop and to run again."""
    touch_in_batches(cursor, TOUCH_CHANNELS, NIL, said)
    touch_in_batches(cursor, HEAR_STATE_CHANGES, 0, said)


def backfill_by_migration(apps: Any, schema_editor: Any) -> None:
    """`backfill`, as a step of a migration that is not one transaction."""
    with schema_editor.connection.cursor() as cursor:
        backfill(cursor)
