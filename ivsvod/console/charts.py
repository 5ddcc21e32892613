"""Small bar charts as plain numbers, for the template to draw; pure."""

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
    """The bars of successive days; `top` is the value of the highest."""

    word: str
    title: Any
    bars: list[Bar]
    top: str
    total: str

    @property
    def width(self) -> int:
        """Of the drawing, as its height is `HEIGHT`."""
        return len(self.bars) * SLOT

    height = HEIGHT


def day_chart(word: str, title: Any, days: Sequence[tuple[date, float]], text_of: Callable[[float], str]) -> Chart:
    """Return a bar chart of one value a day; `text_of` writes a value with its unit."""
    top = max((value for _day, value in days), default=0)
    bars = [_bar(position, day, value, top, text_of) for position, (day, value) in enumerate(days)]
    return Chart(word, title, bars, text_of(top), text_of(sum(value for _day, value in days)))


def length_told(hours: float) -> str:
    """Return a length in the unit in which it is not nothing, as the reader's language writes it."""
    if hours >= 1:
        return gettext("{length} h").format(length=number_format(hours, decimal_pos=1))
    seconds = round(hours * 3600)
    if seconds >= 60:
        return gettext("{length} min").format(length=number_format(seconds // 60))
    return gettext("{length} s").format(length=number_format(seconds)) if seconds else gettext("0 h")


def _bar(position: int, day: date, value: float, top: float, text_of: Callable[[float], str]) -> Bar:
    # A value above 0 is visible, however small it is.
    height = max(value / top * HEIGHT, 1) if value else 0
    x, y, width = position * SLOT + GAP / 2, HEIGHT - height, SLOT - GAP
    return Bar(f"{x:.1f}", f"{y:.1f}", f"{width:.1f}", f"{height:.1f}", day, text_of(value))
