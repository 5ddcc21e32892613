"""Streams for pages: the state of each, marks of its incidents, and its timeline."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, Exists, F, OuterRef, Q, TextChoices, Value, When
from django.db.models.functions import JSONObject
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from channels_app.envelopes import STREAM_END, STREAM_START, is_reconciled_id
from channels_app.models import ChannelLiveState, Stream, StreamHistoryEntry, StreamQuerySet
from channels_app.models.live_state import LIVE
from channels_app.streams.history import KINDS, HistoryKind


class StreamWord(TextChoices):
    """State of a stream in its channel."""

    LIVE = "live", pgettext_lazy("a stream", "live")
    ENDED = "ended", pgettext_lazy("a stream", "ended")
    # It has a start and no end, and a later stream began or the channel was deleted.
    NO_END = "no-end", _("no end")
    NEVER_LIVE = "never-live", _("never live")


class StreamMark(TextChoices):
    """Kind of incident of a stream."""

    FAILURE = "failure", _("failure")
    LIMIT = "limit", _("limit")
    STARVATION = "starvation", _("starvation")
    TAKEOVER = "takeover", _("takeover")


_MARK_KINDS = {
    StreamMark.FAILURE: HistoryKind.FAILURE,
    StreamMark.LIMIT: HistoryKind.LIMIT,
    StreamMark.STARVATION: HistoryKind.HEALTH,
    StreamMark.TAKEOVER: HistoryKind.TAKEOVER,
}
# The names of the events of each mark.
MARKED_BY = {mark: tuple(name for name in KINDS if KINDS[name] is kind) for mark, kind in _MARK_KINDS.items()}
KIND_LABELS: dict[str, str | Promise] = {"stream": _("stream"), **{kind.value: kind.label for kind in HistoryKind}}
# A starvation has a start and an end event; either may be lost.
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
    """Annotate each stream with its state (`word`), the name of its channel, and the counts of its history by name."""
    return streams.annotate(word=_WORD, channel_name=F("channel__name"), counts=ArraySubquery(_COUNTS))


def streams_in_state(streams: StreamQuerySet, state: str) -> StreamQuerySet:
    """Return those in a state; the streams must come from `streams_shown`."""
    if state == StreamWord.ENDED:
        return streams.filter(ended_at__isnull=False)
    if state == StreamWord.NEVER_LIVE:
        return streams.filter(started_at__isnull=True, ended_at__isnull=True)
    # The index of streams without an end finds these: they are few.
    return streams.without_end().filter(Q(("word", state)))


def streams_marked(streams: StreamQuerySet, mark: str) -> StreamQuerySet:
    """Return those with the mark."""
    return streams.filter(Exists(_HISTORY.filter(name__in=MARKED_BY[StreamMark(mark)])))


def marks_of(stream: Stream) -> dict[StreamMark, int]:
    """Return the marks of a stream with their counts; the stream must come from `streams_shown`."""
    counts: list[dict[str, Any]] = stream.counts  # type: ignore[attr-defined]
    return marks_counted({item["name"]: item["entries"] for item in counts})


def marks_counted(counts: Mapping[str, int]) -> dict[StreamMark, int]:
    """Return the marks with their counts, by the counts of history entries by name."""
    marks: dict[StreamMark, int] = {}
    for mark, names in MARKED_BY.items():
        found = [counts.get(name, 0) for name in names]
        marks[mark] = max(found) if mark in _PAIRED else sum(found)
    return {mark: count for mark, count in marks.items() if count}


@dataclass(frozen=True)
class TimelineEntry:
    """An event of a stream. `detail` is the reason, or the breach of a limit; `found_later`: `reconcile` created it."""

    at: datetime
    kind: str
    name: str
    detail: str = ""
    found_later: bool = False

    @property
    def kind_label(self) -> str | Promise:
        """Return the label of the kind."""
        return KIND_LABELS.get(self.kind, "")


def timeline_of(stream: Stream, history: Iterable[StreamHistoryEntry]) -> list[TimelineEntry]:
    """Return the events of a stream with this history, newest first, its start and end included."""
    entries = []
    if stream.ended_at:
        entries.append(TimelineEntry(stream.ended_at, "stream", STREAM_END, found_later=stream.end_reconciled))
    if stream.started_at:
        entries.append(TimelineEntry(stream.started_at, "stream", STREAM_START, found_later=stream.start_reconciled))
    for entry in history:
        kind = KINDS.get(entry.name)
        detail = _limit_text(entry.detail) if kind is HistoryKind.LIMIT else entry.detail.get("reason") or ""
        entries.append(TimelineEntry(entry.at, kind or "", entry.name, detail, is_reconciled_id(entry.event_id)))
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _limit_text(detail: Mapping[str, Any]) -> str:
    """Return the breach of a limit, without unknown numbers: 8,500,000 bits per second, exceeded by 640,000."""
    value, by, unit = detail.get("limit_value"), detail.get("exceeded_by"), detail.get("limit_unit") or ""
    limit = "" if value is None else f"{value:,} {unit}".strip()
    exceeded = "" if by is None else gettext("exceeded by %(number)s") % {"number": f"{by:,}"}
    return ", ".join(part for part in (limit, exceeded) if part)
