"""Chapters as the lines of a form field, and as the links and marks of a player."""

import re
from collections.abc import Iterable
from typing import Any

from common.rest.times import clock
from ondemand.models.chapters import Chapter, position

_CHAPTER = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,3}):([0-5][0-9])(?:\.([0-9]{1,3}))?\s+(\S.*)")


def chapter_lines(chapters: Iterable[Chapter]) -> str:
    """Return the text of a form field: a line for each chapter, with thousandths of a second where there are any."""
    return "\n".join(
        f"{clock(position(chapter))}{f'.{rest:03}' if (rest := chapter['at_ms'] % 1000) else ''} {chapter['title']}"
        for chapter in chapters
    )


def chapter_from(line: str) -> Chapter | None:
    """Return the chapter of a line, h:mm:ss or m:ss and a title; None for another line."""
    found = _CHAPTER.fullmatch(line.strip())
    if not found:
        return None
    hours, minutes, seconds, fraction, title = found.groups()
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return {"at_ms": whole * 1000 + int(f"{fraction or '':0<3}"), "title": title}


def chapter_links(chapters: Iterable[Chapter]) -> list[dict[str, Any]]:
    """Return for each chapter the seconds for `?t=` as text in `start`, its time in `at`, and its `title`."""
    return [
        {
            "start": f"{chapter['at_ms'] / 1000:.3f}".rstrip("0").rstrip("."),
            "at": clock(position(chapter), is_short=True),
            "title": chapter["title"],
        }
        for chapter in chapters
    ]
