"""Time zones of members of staff: their names, their choice, and its form."""

from functools import cache
from itertools import groupby
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


@cache
def time_zone_names() -> list[str]:
    """Return UTC, and the zones of the IANA database that are named by a place, sorted by continent."""
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name)]


def time_zone_choices() -> list[tuple[str, Any]]:
    """Return the choices of a form: the zone of the service, UTC, then all others by continent or ocean."""
    default = gettext("That of the service (%(zone)s)") % {"zone": settings.TIME_ZONE}
    by_area = groupby(time_zone_names()[1:], key=lambda name: name.partition("/")[0])
    areas = [(area, [(name, place_of(name)) for name in names]) for area, names in by_area]
    return [("", default), ("UTC", "UTC"), *areas]


def place_of(name: str) -> str:
    """Return the place of a zone for people, without its continent."""
    return name.partition("/")[2].replace("_", " ").replace("/", ", ") or name


class PreferencesForm(forms.Form):
    """The preferences of a member of staff."""

    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        choices=time_zone_choices,
        help_text=_("Times in the admin are shown in this zone, and times that you type mean this zone."),
    )


def validate_time_zone(name: str) -> None:
    """Accept an empty name, or one of `time_zone_names`; raise ValidationError for another."""
    if name and name not in time_zone_names():
        raise ValidationError(_("“%(name)s” is not a time zone."), params={"name": name}, code="time_zone")
