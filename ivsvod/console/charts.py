"""Bar charts of one value a day, as numbers for a template; pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext

SLOT, GAP, HEIGHT = 10, 2, 80


@dataclass(frozen=True)
class Bar:
    """One day. The numbers are texts, so that no language writes them with a comma."""

    x: str
    y: str
    width: str
    height: str
    day: date
    text: str


@dataclass(frozen=True)
class Chart:
    """The bars of successive days; `top` is the highest value and `total` the sum, as texts."""

    name: str
    title: Any
    bars: list[Bar]
    top: str
    total: str
    width: int
    height: int = HEIGHT


def day_chart(name: str, title: Any, days: Sequence[tuple[date, float]], text_of: Callable[[float], str]) -> Chart:
    """Return the chart of one value a day; `text_of` writes a value with its unit."""
    values = [value for _day, value in days]
    top = max(values, default=0)
    bars = []
    for position, (day, value) in enumerate(days):
        # A value above 0 stays visible, however small it is.
        height = max(value / top * HEIGHT, 1) if value else 0
        x, y, width = position * SLOT + GAP / 2, HEIGHT - height, SLOT - GAP
        bars.append(Bar(f"{x:.1f}", f"{y:.1f}", f"{width:.1f}", f"{height:.1f}", day, text_of(value)))
    return Chart(name, title, bars, text_of(top), text_of(sum(values)), len(bars) * SLOT)


def length_text(hours: float) -> str:
    """Return a length in hours, minutes or seconds, in the largest unit of which it has one."""
    if hours >= 1:
        return gettext("{length} h").format(length=number_format(hours, decimal_pos=1))
    seconds = round(hours * 3600)
    if seconds >= 60:
        return gettext("{length} min").format(length=number_format(seconds // 60))
    return gettext("{length} s").format(length=number_format(seconds)) if seconds else gettext("0 h")
