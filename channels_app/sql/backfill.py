"""The backfill: derive what channels and state changes lack that were written before the triggers existed.

Each trigger sets only what is NULL, so an UPDATE without changes suffices.
"""

from collections.abc import Callable, Iterator
from typing import Any

BATCH = 1000


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


# The way `none` keeps this change out of the audit log.
TOUCH_CHANNELS = """
WITH batch AS (
    SELECT uuid, set_config('ivsvod.actor', '{"way": "none"}', true)
    FROM ivs_channels WHERE uuid > %s AND _status IS NULL ORDER BY uuid LIMIT %s FOR NO KEY UPDATE
)
UPDATE ivs_channels SET owner = owner FROM batch WHERE ivs_channels.uuid = batch.uuid RETURNING ivs_channels.uuid
"""
RECORD_STATE_CHANGES = """
SELECT _id, ivsvod_record_state_change(_id, ivs_channel_uuid, timestamp, state, data)
FROM (
    SELECT * FROM ivs_state_changes WHERE _id > %s AND _event_id IS NULL ORDER BY _id LIMIT %s
) AS batch
"""
NIL = "00000000-0000-0000-0000-000000000000"


def backfill(cursor: Any, report: Callable[[str], None] | None = None) -> None:
    """Derive what old rows of channels and state changes lack; safe to stop and to run again."""
    touch_in_batches(cursor, TOUCH_CHANNELS, NIL, report)
    touch_in_batches(cursor, RECORD_STATE_CHANGES, 0, report)
