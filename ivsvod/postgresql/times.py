"""Times as they are read from the database, whatever another program wrote there."""

from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db.backends.postgresql.psycopg_any import BaseTzLoader

from channels_app.times import EARLIEST, LATEST


class ReadableTimeLoader(BaseTzLoader):
    """Load a `timestamptz` in UTC; one out of the range of Python or of its time zones is the nearest within it.

    PostgreSQL holds times from 4713 BC to 294276 AD, and both infinities. The order of times stays, so that what is
    read agrees with the conditions that PostgreSQL checked.
    """

    timezone = UTC

    def load(self, data: Any) -> datetime:
        """Return the time."""
        try:
            moment: datetime = super().load(data)
        except psycopg.DataError:
            text = bytes(data)
            return EARLIEST if text.startswith(b"-") or text.endswith(b"BC") else LATEST
        return min(max(moment, EARLIEST), LATEST)
