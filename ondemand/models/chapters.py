"""The chapters of a video: the times at which its parts begin, with their titles, `[{"at_ms", "title"}]`."""

from datetime import timedelta
from typing import Any, TypedDict

from channels_app.envelopes import MAX_ACCEPTED_DURATION_MS

MOST_CHAPTERS, TITLE_LENGTH = 100, 200
LATEST_MS = MAX_ACCEPTED_DURATION_MS


class Chapter(TypedDict):
    """A time in milliseconds, and the title of what begins then."""

    at_ms: int
    title: str


def chapters_of(stored: Any, duration_ms: int) -> list[Chapter]:
    """Return the usable chapters of a column in which another program may have stored any JSON, in rising order.

    A chapter that begins after the end of the video is left out.
    """
    items = stored[:MOST_CHAPTERS] if isinstance(stored, list) else []
    end_ms = end_of(duration_ms)
    titles = {
        item["at_ms"]: item["title"][:TITLE_LENGTH]
        # Of two at one time the first counts.
        for item in reversed(items)
        if isinstance(item, dict) and _is_time(item.get("at_ms"), end_ms) and _is_title(item.get("title"))
    }
    return [{"at_ms": at_ms, "title": titles[at_ms]} for at_ms in sorted(titles)]


def last_fits(chapters: list[Chapter] | None, duration_ms: int | None) -> bool:
    """Return whether chapters in rising order begin before the end of the video."""
    return not chapters or chapters[-1]["at_ms"] < end_of(duration_ms)


def end_of(duration_ms: int | None) -> int:
    """Return the milliseconds before which each chapter begins; 0 and None are an unknown duration."""
    return duration_ms or LATEST_MS


def position(chapter: Chapter) -> timedelta:
    """Return the time at which a chapter begins."""
    return timedelta(milliseconds=chapter["at_ms"])


def _is_time(value: Any, end_ms: int) -> bool:
    # True is an integer of Python.
    return type(value) is int and 0 <= value < end_ms


def _is_title(value: Any) -> bool:
    return isinstance(value, str) and bool(value[:TITLE_LENGTH].strip())
