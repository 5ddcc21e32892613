"""The backfill: derive what channels and state changes lack that were written before the triggers existed.

Each trigger sets only what is NULL, so an UPDATE without changes suffices.
"""

from collections.abc import Callable
from typing import Any

from common.sql.backfill import NIL, touch_in_batches

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


def backfill(cursor: Any, report: Callable[[str], None] | None = None) -> None:
    """Derive what old rows of channels and state changes lack; safe to stop and to run again."""
    touch_in_batches(cursor, TOUCH_CHANNELS, NIL, report)
    touch_in_batches(cursor, RECORD_STATE_CHANGES, 0, report)
