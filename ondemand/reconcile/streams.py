"""Which streams a recording holds, by their times, and what IVS remembers of its beginning and end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from channels_app import aws
from channels_app.livestate import UNNAMED
from channels_app.models import Channel, Stream
from channels_app.reconcile.sessions import session_of
from ondemand.reconcile.documents import RecordingLife

# A recording of nothing may lie a moment before its stream.
_SLACK = timedelta(seconds=5)
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html#r2s3-merge-fragmented-streams
_MOST_STREAMS = 20
# An event of a recording comes about when its metadata say, and an end up to the window for a reconnect later.
_EARLIER = timedelta(seconds=5)
_LATER = timedelta(minutes=10)
_BEGAN = "Recording Start"


@dataclass(frozen=True)
class Span:
    """When a stream was; without an end it is live, or its end is not known."""

    stream_id: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class HeldStreams:
    """The streams of a recording in their order, and their sessions, of those that IVS remembers."""

    ids: list[str]
    sessions: dict[str, aws.IvsSession]

    @property
    def first(self) -> str:
        """The stream with which it began; empty where none is known."""
        return self.ids[0] if self.ids else ""

    @property
    def last(self) -> str:
        """The stream with which it ended; empty where none is known."""
        return self.ids[-1] if self.ids else ""

    @property
    def channel_name(self) -> str:
        """The name that the channel had in IVS; empty where IVS does not remember it."""
        return next((session.channel_name for session in self.sessions.values()), "")

    def told_at(self, stream_id: str, name: str, about: datetime) -> datetime:
        """When IVS says that this happened to the recording; `about`, where it does not remember it."""
        session = self.sessions.get(stream_id)
        told = [event.at for event in session.events if event.name == name] if session else []
        near = (at.replace(microsecond=0) for at in told if about - _EARLIER <= at <= about + _LATER)
        return next(near, about)


def overlapping(spans: Iterable[Span], *, since: datetime, until: datetime) -> list[Span]:
    """Those that were on air at some moment of it, in their order."""
    kept = [span for span in spans if span.started_at <= until and (span.ended_at is None or span.ended_at >= since)]
    return sorted(kept, key=lambda span: (span.started_at, span.stream_id))


def without_own_recording(spans: list[Span], sessions: dict[str, aws.IvsSession], began_at: datetime) -> list[Span]:
    """Without the streams that began a recording of their own.

    A recording waits for its encoder to come back and ends later than its media, so that the next one overlaps with it
    where the encoder came back too fast to be taken into it.
    """
    return [
        span
        for span in spans
        if span.stream_id not in sessions
        or not any(event.name == _BEGAN and event.at > began_at + _EARLIER for event in sessions[span.stream_id].events)
    ]


def streams_of(channel: Channel, life: RecordingLife) -> HeldStreams:
    """The streams of a recording, by what the database and IVS know of them.

    Raises:
        AwsError: IVS could not be asked.
    """
    spans = _spans(channel, since=life.started_at, until=life.until)
    told = {span.stream_id: session_of(channel_arn=channel.arn, stream_id=span.stream_id) for span in spans}
    sessions = {stream_id: session for stream_id, session in told.items() if session is not None}
    kept = without_own_recording(spans, sessions, life.started_at)
    return HeldStreams([span.stream_id for span in kept], sessions)


def _spans(channel: Channel, *, since: datetime, until: datetime) -> list[Span]:
    # An attempt that never went live has no end either.
    rows = Stream.objects.heard().exclude(stream_id__startswith=UNNAMED)
    rows = rows.filter(channel=channel, order_at__lte=until + _SLACK)
    rows = rows.filter(Q(ended_at__isnull=True) | Q(ended_at__gte=since - _SLACK)).order_by("-order_at", "-stream_id")
    spans = [Span(row.stream_id, row.order_at, row.ended_at) for row in rows[:_MOST_STREAMS]]
    strict = overlapping(spans, since=since, until=until)
    return strict or overlapping(spans, since=since - _SLACK, until=until + _SLACK)
