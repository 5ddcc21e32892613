"""Streams as pages show them: in one word, with marks of what happened to them, and as a timeline."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, Exists, F, OuterRef, Q, TextChoices, Value, When
from django.db.models.functions import JSONObject
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from channels_app.events import STREAM_END, STREAM_START, is_reconciled_id
from channels_app.history import KINDS, HistoryKind
from channels_app.livestate import LIVE
from channels_app.models import ChannelLiveState, Stream, StreamHistoryEntry, StreamQuerySet


class StreamWord(TextChoices):
    """How far a stream is, as its channel shows it."""

    LIVE = "live", pgettext_lazy("a stream", "live")
    ENDED = "ended", pgettext_lazy("a stream", "ended")
    # It started, and a later stream or the end of the channel says that it is over.
    NO_END = "no-end", _("no end")
    NEVER_LIVE = "never-live", _("never live")


class StreamMark(TextChoices):
    """What happened to a stream and is worth a look."""

    FAILURE = "failure", _("failure")
    LIMIT = "limit", _("limit")
    STARVATION = "starvation", _("starvation")
    TAKEOVER = "takeover", _("takeover")


def _names(kind: HistoryKind) -> tuple[str, ...]:
    return tuple(name for name, known in KINDS.items() if known is kind)


MARKED_BY = {
    StreamMark.FAILURE: _names(HistoryKind.FAILURE),
    StreamMark.LIMIT: _names(HistoryKind.LIMIT),
    StreamMark.STARVATION: _names(HistoryKind.HEALTH),
    StreamMark.TAKEOVER: _names(HistoryKind.TAKEOVER),
}
KIND_LABELS: dict[str, str | Promise] = {"stream": _("stream"), **{kind.value: kind.label for kind in HistoryKind}}
# Starvation starts and ends, and either event may be lost.
_PAIRED = {StreamMark.STARVATION}

_LIVE = ChannelLiveState.objects.filter(channel=OuterRef("channel"), stream_id=OuterRef("stream_id"), state=LIVE)
_WORD = Case(
    When(ended_at__isnull=False, then=Value(StreamWord.ENDED.value)),
    When(started_at__isnull=True, then=Value(StreamWord.NEVER_LIVE.value)),
    When(Exists(_LIVE), then=Value(StreamWord.LIVE.value)),
    default=Value(StreamWord.NO_END.value),
)
_HISTORY = StreamHistoryEntry.objects.filter(stream=OuterRef("pk")).order_by()
_BY_NAME = _HISTORY.values("name").annotate(entries=Count("pk"))
_COUNTS = _BY_NAME.values(counted=JSONObject(name="name", entries="entries"))


def streams_shown(streams: StreamQuerySet) -> StreamQuerySet:
    """Each stream with its `word`, the name of its channel, and how many entries of each name its history has."""
    return streams.annotate(word=_WORD, channel_name=F("channel__name"), counts=ArraySubquery(_COUNTS))


def streams_in_state(streams: StreamQuerySet, word: str) -> StreamQuerySet:
    """Those of which the word is true; the streams must come from `streams_shown`."""
    if word == StreamWord.ENDED:
        return streams.filter(ended_at__isnull=False)
    if word == StreamWord.NEVER_LIVE:
        return streams.filter(started_at__isnull=True, ended_at__isnull=True)
    # By the index of streams without an end, which are few.
    return streams.without_end().filter(Q(("word", word)))


def streams_marked(streams: StreamQuerySet, mark: str) -> StreamQuerySet:
    """Those that have the mark."""
    return streams.filter(Exists(_HISTORY.filter(name__in=MARKED_BY[StreamMark(mark)])))


def marks_of(stream: Stream) -> dict[StreamMark, int]:
    """How often each mark is due, without those that are not; the stream must come from `streams_shown`."""
    counts: list[dict[str, Any]] = stream.counts  # type: ignore[attr-defined]
    return marks_counted({item["name"]: item["entries"] for item in counts})


def marks_counted(counts: Mapping[str, int]) -> dict[StreamMark, int]:
    """The marks of a stream that has so many entries of each name."""
    marks: dict[StreamMark, int] = {}
    for mark, names in MARKED_BY.items():
        found = [counts.get(name, 0) for name in names]
        marks[mark] = max(found) if mark in _PAIRED else sum(found)
    return {mark: count for mark, count in marks.items() if count}


@dataclass(frozen=True)
class TimelineEntry:
    """What happened at a moment; `told` says why, or of a limit how far; `found_later`: `reconcile` found it out."""

    at: datetime
    kind: str
    name: str
    told: str = ""
    found_later: bool = False

    @property
    def kind_label(self) -> str | Promise:
        """The kind as people read it."""
        return KIND_LABELS.get(self.kind, "")


def timeline_of(stream: Stream, history: Iterable[StreamHistoryEntry]) -> list[TimelineEntry]:
    """What happened to a stream with this history, newest first, its start and its end included."""
    entries = [*_start_and_end(stream), *map(_entry, history)]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _start_and_end(stream: Stream) -> Iterator[TimelineEntry]:
    if stream.ended_at:
        yield TimelineEntry(stream.ended_at, "stream", STREAM_END, found_later=stream.end_reconciled)
    if stream.started_at:
        yield TimelineEntry(stream.started_at, "stream", STREAM_START, found_later=stream.start_reconciled)


def _entry(entry: StreamHistoryEntry) -> TimelineEntry:
    kind = KINDS.get(entry.name)
    told = limit_told(entry.detail) if kind is HistoryKind.LIMIT else entry.detail.get("reason") or ""
    return TimelineEntry(entry.at, kind or "", entry.name, told, is_reconciled_id(entry.event_id))


def limit_told(detail: Mapping[str, Any]) -> str:
    """A limit in numbers, as far as they are known: 8,500,000 bits per second, exceeded by 640,000."""
    value, by, unit = detail.get("limit_value"), detail.get("exceeded_by"), detail.get("limit_unit") or ""
    limit = "" if value is None else f"{value:,} {unit}".strip()
    exceeded = "" if by is None else gettext("exceeded by %(number)s") % {"number": f"{by:,}"}
    return ", ".join(part for part in (limit, exceeded) if part)
