"""Streams for pages: state, incidents and timeline."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

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


class StreamState(TextChoices):
    """State of a stream in its channel."""

    LIVE = "live", pgettext_lazy("a stream", "live")
    ENDED = "ended", pgettext_lazy("a stream", "ended")
    # It has a start and no end; a later stream began, or the channel was deleted.
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
# The names of events by mark.
MARKED_BY = {mark: tuple(name for name in KINDS if KINDS[name] is kind) for mark, kind in _MARK_KINDS.items()}
KIND_LABELS: dict[str, str | Promise] = {"stream": _("stream"), **{kind.value: kind.label for kind in HistoryKind}}

_LIVE = ChannelLiveState.objects.filter(channel=OuterRef("channel"), stream_id=OuterRef("stream_id"), state=LIVE)
_STATE = Case(
    When(ended_at__isnull=False, then=Value(StreamState.ENDED.value)),
    When(started_at__isnull=True, then=Value(StreamState.NEVER_LIVE.value)),
    When(Exists(_LIVE), then=Value(StreamState.LIVE.value)),
    default=Value(StreamState.NO_END.value),
)
_HISTORY = StreamHistoryEntry.objects.filter(stream=OuterRef("pk")).order_by()
_COUNTS = _HISTORY.values("name").annotate(entries=Count("pk"))


def streams_shown(streams: StreamQuerySet) -> StreamQuerySet:
    """Annotate each stream with its `state`, the name of its channel, and the counts of its history by name."""
    counts = ArraySubquery(_COUNTS.values(counted=JSONObject(name="name", entries="entries")))
    return streams.annotate(state=_STATE, channel_name=F("channel__name"), counts=counts)


def streams_in_state(streams: StreamQuerySet, state: str) -> StreamQuerySet:
    """Return the streams in a state; needs `streams_shown`."""
    if state == StreamState.ENDED:
        return streams.filter(ended_at__isnull=False)
    if state == StreamState.NEVER_LIVE:
        return streams.filter(started_at__isnull=True, ended_at__isnull=True)
    # The index of streams without an end serves these.
    return streams.without_end().filter(Q(("state", state)))


def streams_marked(streams: StreamQuerySet, mark: str) -> StreamQuerySet:
    """Return the streams with the mark."""
    return streams.filter(Exists(_HISTORY.filter(name__in=MARKED_BY[StreamMark(mark)])))


def marks_of(stream: Stream) -> dict[StreamMark, int]:
    """Return the marks of a stream with their counts; needs `streams_shown`."""
    counts = {item["name"]: item["entries"] for item in stream.counts}  # type: ignore[attr-defined]
    marks = {mark: [counts[name] for name in names if name in counts] for mark, names in MARKED_BY.items()}
    # A starvation has a start and an end event; either may be lost.
    return {mark: max(each) if mark is StreamMark.STARVATION else sum(each) for mark, each in marks.items() if each}


@dataclass(frozen=True)
class TimelineEntry:
    """An event of a stream. `detail`: the reason, or the breach of a limit. `is_reconciled`: `reconcile` created it."""

    at: datetime
    kind: str
    name: str
    detail: str = ""
    is_reconciled: bool = False

    @property
    def kind_label(self) -> str | Promise:
        return KIND_LABELS.get(self.kind, "")


def timeline_of(stream: Stream, history: Iterable[StreamHistoryEntry]) -> list[TimelineEntry]:
    """Return the events of a stream with this history, newest first, with its start and end."""
    entries = []
    if stream.ended_at:
        entries.append(TimelineEntry(stream.ended_at, "stream", STREAM_END, is_reconciled=stream.end_reconciled))
    if stream.started_at:
        entries.append(TimelineEntry(stream.started_at, "stream", STREAM_START, is_reconciled=stream.start_reconciled))
    for entry in history:
        kind, detail = KINDS.get(entry.name), entry.detail.get("reason") or ""
        if kind is HistoryKind.LIMIT:
            # Without unknown numbers: 8,500,000 bits per second, exceeded by 640,000.
            value, by = entry.detail.get("limit_value"), entry.detail.get("exceeded_by")
            limit = "" if value is None else f"{value:,} {entry.detail.get('limit_unit') or ''}".strip()
            exceeded = "" if by is None else gettext("exceeded by %(number)s") % {"number": f"{by:,}"}
            detail = ", ".join(part for part in (limit, exceeded) if part)
        entries.append(TimelineEntry(entry.at, kind or "", entry.name, detail, is_reconciled_id(entry.event_id)))
    return sorted(entries, key=lambda entry: entry.at, reverse=True)
