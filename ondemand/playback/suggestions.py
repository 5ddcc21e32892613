"""Suggested edits of a recording: a trim where nothing came from the encoder, and a join with those beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self
from uuid import UUID

from channels_app.models import StreamHistoryEntry
from ondemand.models import Video
from ondemand.videos.limits import MOST_PARTS

# An encoder that reconnects later than that begins another show.
MOST_GAP = timedelta(minutes=5)
# Starvation this near to an end of the recording is at that end.
_NEAR = timedelta(seconds=15)
# Nobody cuts off less.
_SHORTEST = timedelta(seconds=5)
_STARVED, _FED = "Starvation Start", "Starvation End"


class Starvation(NamedTuple):
    """A time in which IVS received too little data; without an end it goes on."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True)
class Recorded:
    """A recording with its start and end."""

    uuid: UUID
    start: datetime
    end: datetime

    @classmethod
    def of(cls, video: Video) -> Self | None:
        """Return the times of a video; None if its start is unknown."""
        return None if video.started_at is None else cls(video.pk, video.started_at, video.started_at + _length(video))


@dataclass(frozen=True)
class Suggestions:
    """A trim as `PATCH` takes it, and the uuids of recordings to be joined in their order; None and empty for none."""

    trim: dict[str, int | None] | None
    join: list[UUID]


def suggestions_for(video: Video, others: Iterable[Video] | None = None) -> Suggestions:
    """Return what is suggested for a video that is not edited yet, in at most three queries.

    `others` are the rows of `beside`, if they were read before.
    """
    recorded = Recorded.of(video)
    is_whole = video.edit is None and video.part_of_id is None and video.duplicate_of_id is None
    if recorded is None or video.status != Video.Status.AVAILABLE or not is_whole:
        return Suggestions(None, [])
    return Suggestions(
        trim_suggested(recorded, _starvations(video)),
        join_suggested(recorded, _untrimmed(beside(video) if others is None else others)),
    )


def trim_suggested(recorded: Recorded, starvations: Iterable[Starvation]) -> dict[str, int | None] | None:
    """Return the trim that leaves out starvation at either end; None if there is none, or nothing else."""
    start, end = recorded.start, recorded.end
    starvations = sorted(starvations, key=lambda span: span.start)
    for span in starvations:
        if span.start <= start + _NEAR and span.end is not None and span.end > start:
            start = span.end
    for span in reversed(starvations):
        if span.start < end and (span.end is None or span.end >= end - _NEAR):
            end = span.start
    cuts_start, cuts_end = start - recorded.start >= _SHORTEST, recorded.end - end >= _SHORTEST
    if not (cuts_start or cuts_end) or end - start < _SHORTEST:
        return None
    return {
        "start_ms": _milliseconds(start - recorded.start) if cuts_start else None,
        "end_ms": _milliseconds(end - recorded.start) if cuts_end else None,
    }


def join_suggested(recorded: Recorded, others: Iterable[Recorded]) -> list[UUID]:
    """Return the recordings that follow each other closely, this one among them; empty if there is none beside it."""
    ordered = sorted([recorded, *others], key=lambda each: (each.start, each.uuid))
    first = last = ordered.index(recorded)
    while first > 0 and _is_close(ordered[first - 1], ordered[first]):
        first -= 1
    while last + 1 < len(ordered) and _is_close(ordered[last], ordered[last + 1]):
        last += 1
    chain = ordered[first : last + 1]
    return [each.uuid for each in chain] if 2 <= len(chain) <= MOST_PARTS else []


def _is_close(earlier: Recorded, later: Recorded) -> bool:
    # What overlaps was recorded twice. IVS reports times in whole seconds.
    return -timedelta(seconds=2) <= later.start - earlier.end <= MOST_GAP


def _starvations(video: Video) -> list[Starvation]:
    of_streams = {"stream__channel_id": video.channel_id, "stream__stream_id__in": video.stream_ids or []}
    found = StreamHistoryEntry.objects.filter(name__in=[_STARVED, _FED], **of_streams).order_by("at", "event_id")
    starvations: list[Starvation] = []
    for at, name in found.values_list("at", "name")[: StreamHistoryEntry.SHOWN]:
        if name == _STARVED:
            starvations.append(Starvation(at, None))
        elif starvations and starvations[-1].end is None:
            starvations[-1] = starvations[-1]._replace(end=at)
    return starvations


def _untrimmed(videos: Iterable[Video]) -> Sequence[Recorded]:
    # A trimmed recording no longer has its end where the next one begins.
    return [found for row in videos if row.edit is None and (found := Recorded.of(row)) is not None]


def beside(video: Video) -> list[Video]:
    """Return the recordings of the channel before and after it that may be joined with it, in their order."""
    if video.channel_id is None or video.started_at is None:
        return []
    whole: dict[str, Any] = dict.fromkeys(("duplicate_of__isnull", "part_of__isnull", "clip_of__isnull"), True)
    available = Video.objects.filter(channel=video.channel_id, status="available", prefix__gt="", **whole)
    rows = available.exclude(pk=video.pk).select_related("content").defer("created_at", "data", "facts")
    before = rows.filter(started_at__lte=video.started_at).newest_first()[:MOST_PARTS]
    after = rows.filter(started_at__gt=video.started_at).oldest_first()[:MOST_PARTS]
    return [row for row in (*reversed(before), *after) if not row.is_joined]


def _length(video: Video) -> timedelta:
    return timedelta(milliseconds=video.duration_ms or 0)


def _milliseconds(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)
