"""Times: reading RFC 3339, and writing them on pages."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone
from django.utils.formats import date_format

# What pages show for a missing value.
NOTHING = "–"  # noqa: RUF001
# The times that every client can hold. A time of the database that is earlier or later is read as one of them.
# `ivsvod_usable_time` keeps the same bounds in SQL.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_time(text: str) -> datetime:
    """Return the time of a text of RFC 3339 in UTC, to the microsecond; a leap second is the second after it.

    Raise ValueError for another text, without a zone, or with a year beyond 1 to 9999.
    """
    found = _RFC_3339.fullmatch(text)
    if not found:
        raise ValueError("not a time of RFC 3339")
    day, clock, fraction, zone = found.groups()
    is_leap = clock.endswith(":60")
    clock = clock[:-2] + "59" if is_leap else clock
    time = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '')[:6]:0<6}{zone.upper().replace('Z', '+00:00')}")
    try:
        return time.astimezone(UTC) + timedelta(seconds=is_leap)
    except OverflowError:
        raise ValueError("out of range") from None


def is_readable(time: datetime) -> bool:
    """Return whether every client can hold the time."""
    return EARLIEST <= time <= LATEST


def rfc_3339(time: datetime | None) -> str | None:
    """Return a time in UTC, as rows have it, in RFC 3339; None for None."""
    return f"{time.isoformat().removesuffix('+00:00')}Z" if time else None


def zone_named(name: str) -> ZoneInfo | None:
    """Return the time zone with this name of the IANA database, or None."""
    try:
        return ZoneInfo(name)
    # ValueError and OSError: the name of a folder, or one that leads out of the database.
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return None


def zoned(time: datetime | None, *, is_short: bool = False) -> str:
    """Return the time in the zone of the reader, with the name of that zone; a dash for None.

    To the second; a short one to the minute.
    """
    return date_format(timezone.localtime(time), "Y-m-d H:i T" if is_short else "Y-m-d H:i:s T") if time else NOTHING


def clock(duration: timedelta, *, is_short: bool = False) -> str:
    """Return a duration, or a position in a recording or stream, as h:mm:ss; a short one below an hour is m:ss."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    if is_short and minutes < 60:
        return f"{minutes}:{seconds:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
