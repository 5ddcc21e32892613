"""The chapters of a video after an edit: each stays at what it named; pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ondemand.models.chapters import MOST_CHAPTERS, Chapter
from ondemand.playback.parts import Shown, Timeline


class RecordedChapter(NamedTuple):
    """A chapter in the time of a recording, which bucket and prefix name."""

    recording: tuple[str, str]
    at_ms: int
    title: str


def recorded_chapters(
    shown: Sequence[Shown], chapters: Iterable[Chapter], cut: Sequence[RecordedChapter] = ()
) -> list[RecordedChapter]:
    """Return the chapters of a video in the times of its recordings, those too that its edit had `cut` away."""
    if not shown:
        return list(cut)
    times, found = Timeline(tuple(cut_at for _, cut_at in shown)), list(cut)
    for chapter in chapters:
        place = times.part_time(chapter["at_ms"])
        recording, cut_at = shown[place.part]
        going_on = _going_on(cut, recording, cut_at.start_ms)
        # One that goes on at the beginning of a window is not another one.
        if not (place.at_ms == cut_at.start_ms and going_on and going_on.title == chapter["title"]):
            found.append(RecordedChapter(recording, place.at_ms, chapter["title"]))
    return found


def shown_chapters(found: Sequence[RecordedChapter], shown: Sequence[Shown]) -> list[Chapter]:
    """Return the chapters of a video that shows these windows. One that goes on in a window begins with it."""
    chapters: dict[int, str] = {}
    for recording, cut_at in shown:
        going_on = _going_on(found, recording, cut_at.start_ms)
        if going_on:
            chapters.setdefault(cut_at.at_ms, going_on.title)
        for chapter in found:
            if chapter.recording == recording and cut_at.start_ms < chapter.at_ms < cut_at.end_ms:
                chapters.setdefault(cut_at.at_ms + chapter.at_ms - cut_at.start_ms, chapter.title)
    ordered = sorted(chapters.items())[:MOST_CHAPTERS]
    return [{"at_ms": at_ms, "title": title} for at_ms, title in ordered]


def cut_chapters(found: Sequence[RecordedChapter], shown: Sequence[Shown]) -> list[RecordedChapter]:
    """Return the chapters that no window shows."""
    return [
        chapter
        for chapter in found
        if not any(
            recording == chapter.recording and cut_at.start_ms <= chapter.at_ms < cut_at.end_ms
            for recording, cut_at in shown
        )
    ]


def _going_on(found: Iterable[RecordedChapter], recording: tuple[str, str], at_ms: int) -> RecordedChapter | None:
    """Return the chapter of a recording that has begun by then."""
    begun = (chapter for chapter in found if chapter.recording == recording and chapter.at_ms <= at_ms)
    return max(begun, key=lambda chapter: chapter.at_ms, default=None)
