"""The years, months and days in which recordings began; each one is found by one probe of an index."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from common.rest.times import EARLIEST, LATEST

_TEXT = re.compile(r"([1-8]\d{3})(?:-(\d\d))?(?:-(\d\d))?", re.ASCII)
_MOST = 40
# A period may begin in an hour that occurs twice, as days in the Azores do. `date_trunc` returns the second occurrence,
# and the next probe must look before the first.
_PERIODS = """
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
    """A year, month or day in the current time zone; `text` is `2026`, `2026-03` or `2026-03-04`."""

    text: str
    unit: str
    begin: datetime
    end: datetime

    @property
    def parents(self) -> list["Period"]:
        """Return the periods that contain it, the longest first."""
        parts = self.text.split("-")
        periods = (parse_period("-".join(parts[:length])) for length in range(1, len(parts)))
        return [period for period in periods if period]


def parse_period(text: str) -> Period | None:
    """Return the period of the text; None if it is invalid."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    parts = [int(part) for part in match.groups() if part]
    year, month, day = (*parts, 1, 1)[:3]
    try:
        begin = datetime(year, month, day, tzinfo=timezone.get_current_timezone())
    except ValueError:
        return None
    if len(parts) == 1:
        return Period(text, "year", begin, begin.replace(year=year + 1))
    if len(parts) == 2:
        return Period(text, "month", begin, begin.replace(year=year + month // 12, month=month % 12 + 1))
    # In local time: a day may have 23 or 25 hours.
    return Period(text, "day", begin, begin + timedelta(days=1))


def periods_within(period: Period | None) -> list[Period]:
    """Return the years, the months of a year or the days of a month in which a recording began, the newest first."""
    unit = _UNITS[_UNITS.index(period.unit) + 1 if period else 0]
    begin, end = (period.begin, period.end) if period else (EARLIEST, LATEST)
    zone = timezone.get_current_timezone_name()
    with connection.cursor() as cursor:
        cursor.execute(_PERIODS, {"unit": unit, "zone": zone, "begin": begin, "end": end, "most": _MOST})
        begins = [timezone.localtime(begin) for (begin,) in cursor.fetchall()]
    texts = (begin.strftime({"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}[unit]) for begin in begins)
    return [found for found in map(parse_period, texts) if found]
