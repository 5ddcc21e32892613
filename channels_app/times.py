"""How the API reads a moment, and how pages write it."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone
from django.utils.formats import date_format

# What pages say where there is nothing.
NOTHING = "–"  # noqa: RUF001
_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_moment(text: str) -> datetime:
    """The moment that a text of RFC 3339 names, in UTC, to the microsecond; a leap second is the one after it.

    Raises:
        ValueError: it is no such text, names no zone, or is out of the range of years from 1 to 9999.
    """
    found = _RFC_3339.fullmatch(text)
    if not found:
        raise ValueError("not a time of RFC 3339")
    day, clock, fraction, zone = found.groups()
    is_leap = clock.endswith(":60")
    clock = clock[:-2] + "59" if is_leap else clock
    moment = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '')[:6]:0<6}{zone.upper().replace('Z', '+00:00')}")
    try:
        return moment.astimezone(UTC) + timedelta(seconds=is_leap)
    except OverflowError:
        raise ValueError("out of range") from None


def zone_named(name: str) -> ZoneInfo | None:
    """The time zone of a name of the IANA database; None where this machine knows none of it."""
    try:
        return ZoneInfo(name)
    # A name that is a folder or leads out of the database is refused in ways of its own.
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return None


def zoned(moment: datetime | None) -> str:
    """The moment to the second in the zone of the reader, with the name of that zone; a dash where there is none."""
    return date_format(timezone.localtime(moment), "Y-m-d H:i:s T") if moment else NOTHING


def clock(duration: timedelta) -> str:
    """A length, or a moment of a recording or stream: h:mm:ss."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
