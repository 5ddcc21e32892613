"""Years, months and days in which recordings began, by as many probes of the index as there are of them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone

# Times that others wrote may be of any year.
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_WRITTEN = re.compile(r"([1-8]\d{3})(?:-(\d\d))?(?:-(\d\d))?", re.ASCII)
_MOST = 40
# A period may begin in an hour that the clock shows twice, as days in the Azores do: it is taken for the second one,
# and the next probe must look before the first.
_BEGUN = """
WITH RECURSIVE period (begins) AS (
    (SELECT date_trunc(%(unit)s, _started_at, %(zone)s) FROM on_demand_videos
     WHERE _started_at >= %(begin)s AND _started_at < %(end)s ORDER BY _started_at DESC NULLS LAST LIMIT 1)
    UNION ALL
    SELECT (SELECT date_trunc(%(unit)s, _started_at, %(zone)s) FROM on_demand_videos
            WHERE _started_at >= %(begin)s AND _started_at < period.begins - CASE
                WHEN date_trunc(%(unit)s, period.begins - interval '1 hour', %(zone)s) = period.begins
                THEN interval '1 hour' ELSE interval '0' END
            ORDER BY _started_at DESC NULLS LAST LIMIT 1)
    FROM period WHERE period.begins IS NOT NULL
)
SELECT begins FROM period WHERE begins IS NOT NULL LIMIT %(most)s
"""
_UNITS = ("year", "month", "day")


@dataclass(frozen=True)
class Period:
    """A year, a month or a day in the zone of the reader, as `2026`, `2026-03` or `2026-03-04`."""

    text: str
    unit: str
    begin: datetime
    end: datetime

    @property
    def parents(self) -> list["Period"]:
        """What it is part of, the longest first."""
        parts = self.text.split("-")
        found = (parse_period("-".join(parts[:length])) for length in range(1, len(parts)))
        return [period for period in found if period]


def parse_period(text: str) -> Period | None:
    """The period that the text names; None where it names none."""
    found = _WRITTEN.fullmatch(text)
    parts = [int(part) for part in found.groups() if part] if found else []
    try:
        return _period(*parts) if parts else None
    except ValueError:
        return None


def periods_within(period: Period | None) -> list[Period]:
    """The years, months of the year or days of the month in which a recording began, the newest first."""
    unit = _UNITS[_UNITS.index(period.unit) + 1 if period else 0]
    begin, end = (period.begin, period.end) if period else (_FIRST, _LAST)
    zone = timezone.get_current_timezone_name()
    with connection.cursor() as cursor:
        cursor.execute(_BEGUN, {"unit": unit, "zone": zone, "begin": begin, "end": end, "most": _MOST})
        moments = [timezone.localtime(moment) for (moment,) in cursor.fetchall()]
    texts = (moment.strftime({"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}[unit]) for moment in moments)
    return [found for found in map(parse_period, texts) if found]


def _period(year: int, month: int = 0, day: int = 0) -> Period:
    zone = timezone.get_current_timezone()
    begin = datetime(year, month or 1, day or 1, tzinfo=zone)
    if day:
        # On the clock: a day may have 23 or 25 hours.
        return Period(f"{year}-{month:02}-{day:02}", "day", begin, begin + timedelta(days=1))
    if month:
        end = begin.replace(year=year + month // 12, month=month % 12 + 1)
        return Period(f"{year}-{month:02}", "month", begin, end)
    return Period(str(year), "year", begin, begin.replace(year=year + 1))
