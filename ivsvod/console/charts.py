"""Bar charts of one value a day, as numbers for a template; pure."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext

SLOT, GAP, HEIGHT = 10, 2, 80


def day_chart(
    name: str, title: Any, days: Sequence[tuple[date, float]], text_of: Callable[[float], str]
) -> dict[str, Any]:
    """Return the chart of one value a day, with a bar each; `text_of` writes a value with its unit."""
    values = [value for _day, value in days]
    top = max(values, default=0)
    bars = []
    for position, (day, value) in enumerate(days):
        # A value above 0 stays visible, however small it is.
        height = max(value / top * HEIGHT, 1) if value else 0
        place = {"x": position * SLOT + GAP / 2, "y": HEIGHT - height, "width": SLOT - GAP, "height": height}
        # As texts, so that no language writes them with a comma.
        bars.append({"day": day, "text": text_of(value), **{key: f"{number:.1f}" for key, number in place.items()}})
    return {
        "name": name,
        "title": title,
        "bars": bars,
        "top": text_of(top),
        "total": text_of(sum(values)),
        "width": len(bars) * SLOT,
        "height": HEIGHT,
    }


def length_text(hours: float) -> str:
    """Return a length in hours, minutes or seconds, in the largest unit of which it has one."""
    if hours >= 1:
        return gettext("{length} h").format(length=number_format(hours, decimal_pos=1))
    seconds = round(hours * 3600)
    if seconds >= 60:
        return gettext("{length} min").format(length=number_format(seconds // 60))
    return gettext("{length} s").format(length=number_format(seconds)) if seconds else gettext("0 h")
