"""Time zones of members of staff: which there are, and the one in which a page shows and reads times."""

from functools import cache
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels_app.times import zone_named


@cache
def time_zone_names() -> list[str]:
    """All that the IANA database calls by a place, and UTC; sorted, so that those of a continent stand together."""
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name)]


def time_zone_choices() -> list[tuple[str, Any]]:
    """The choices of a form: that of the service, then all others by continent or ocean."""
    default = gettext("That of the service (%(zone)s)") % {"zone": settings.TIME_ZONE}
    by_area = groupby(time_zone_names(), key=lambda name: name.partition("/")[0])
    areas = [(area, [(name, place_of(name)) for name in names]) for area, names in by_area]
    return [("", default), ("UTC", "UTC"), *(area for area in areas if area[0] != "UTC")]


def place_of(name: str) -> str:
    """How people read a zone that stands under its continent."""
    return name.partition("/")[2].replace("_", " ").replace("/", ", ") or name


def validate_time_zone(name: str) -> None:
    """Nothing, or a name that may be chosen.

    Raises:
        ValidationError: it is none.
    """
    if name and name not in time_zone_names():
        raise ValidationError(_("“%(name)s” is no time zone."), params={"name": name}, code="time_zone")


def zone_of(name: str) -> tuple[ZoneInfo, bool]:
    """The zone of that name, or that of the service where it has none or no usable one; and whether it was usable."""
    zone = zone_named(name) if name else None
    return zone or ZoneInfo(settings.TIME_ZONE), not name or zone is not None
