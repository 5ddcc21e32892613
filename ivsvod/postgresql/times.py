"""Reading of times that other programs wrote into the database."""

from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db.backends.postgresql.psycopg_any import BaseTzLoader

from ivsvod.rest.times import EARLIEST, LATEST


class ReadableTimeLoader(BaseTzLoader):
    """Load a `timestamptz` in UTC; one out of the range of Python or of its time zones is the nearest within it.

    PostgreSQL holds times from 4713 BC to 294276 AD, and both infinities. Their order stays, so that read times
    agree with the conditions that PostgreSQL checked.
    """

    timezone = UTC

    def load(self, data: Any) -> datetime:
        """Return the time."""
        try:
            time: datetime = super().load(data)
        except psycopg.DataError:
            text = bytes(data)
            return EARLIEST if text.startswith(b"-") or text.endswith(b"BC") else LATEST
        return min(max(time, EARLIEST), LATEST)
