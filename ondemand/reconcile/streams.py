"""The streams of a recording, by their times, and when its events happened, by their sessions in IVS."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from channels_app.models import Channel, Stream
from channels_app.models.live_state import UNNAMED
from channels_app.reconcile.sessions import session_of
from common import aws
from ondemand.reconcile.documents import RecordingMetadata

# An empty recording may lie slightly before its stream.
_SLACK = timedelta(seconds=5)
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html#r2s3-merge-fragmented-streams
_MOST_STREAMS = 20
# An event comes at the time in the metadata; an end up to the window for a reconnect later.
_EARLIER = timedelta(seconds=5)
_LATER = timedelta(minutes=10)
_BEGAN = "Recording Start"


@dataclass(frozen=True)
class LivePeriod:
    """The time in which a stream was live; without `ended_at` it is live, or its end is unknown."""

    stream_id: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class RecordingStreams:
    """The stream ids of a recording in their order, and their sessions in IVS by id, as long as IVS keeps them."""

    ids: list[str]
    sessions: dict[str, aws.IvsSession]

    def time_of(self, stream_id: str, name: str, about: datetime) -> datetime:
        """Return the time of an event of the recording by the session of the stream, else `about`."""
        session = self.sessions.get(stream_id)
        times = [event.at for event in session.events if event.name == name] if session else []
        near = (at.replace(microsecond=0) for at in times if about - _EARLIER <= at <= about + _LATER)
        return next(near, about)


def overlapping(spans: Iterable[LivePeriod], *, since: datetime, until: datetime) -> list[LivePeriod]:
    """Return the streams that were live at some time of the interval, in their order."""
    kept = [span for span in spans if span.started_at <= until and (span.ended_at is None or span.ended_at >= since)]
    return sorted(kept, key=lambda span: (span.started_at, span.stream_id))


def streams_of(channel: Channel, facts: RecordingMetadata) -> RecordingStreams:
    """Return the streams of a recording, by the rows of the database and the sessions of IVS."""
    since, until = facts.started_at, facts.until
    # Streams that never went live have no end either.
    rows = Stream.objects.with_start_or_end().exclude(stream_id__startswith=UNNAMED)
    rows = rows.filter(channel=channel, order_at__lte=until + _SLACK)
    rows = rows.filter(Q(ended_at__isnull=True) | Q(ended_at__gte=since - _SLACK)).order_by("-order_at", "-stream_id")
    near = [LivePeriod(row.stream_id, row.order_at, row.ended_at) for row in rows[:_MOST_STREAMS]]
    spans = overlapping(near, since=since, until=until)
    spans = spans or overlapping(near, since=since - _SLACK, until=until + _SLACK)
    found = {span.stream_id: session_of(channel_arn=channel.arn, stream_id=span.stream_id) for span in spans}
    sessions = {stream_id: session for stream_id, session in found.items() if session is not None}
    # A recording waits for its encoder to reconnect, so it ends later than its media. If the encoder came back too fast
    # to be merged, the next recording overlaps with it. Leave out the streams that began a recording of their own.
    others = {
        stream_id
        for stream_id, session in sessions.items()
        if any(event.name == _BEGAN and event.at > since + _EARLIER for event in session.events)
    }
    return RecordingStreams([span.stream_id for span in spans if span.stream_id not in others], sessions)
