"""The backfill: derive what channels and state changes lack that were written before the triggers existed.

Each trigger sets only what is NULL, so an UPDATE without changes suffices.
"""

from collections.abc import Callable
from typing import Any

from common.sql.backfill import NIL, touch_in_batches
from common.sql.ddl import newest_sql


def backfill(cursor: Any, report: Callable[[str], None] | None = None) -> None:
    """Derive what old rows of channels and state changes lack; safe to stop and to run again."""
    touch_in_batches(cursor, newest_sql("channels_app/sql", "touch_channels"), NIL, report)
    touch_in_batches(cursor, newest_sql("channels_app/sql", "record_state_changes"), 0, report)
