"""What the events of a stream mean: pure decisions, then thin writes, then what to publish."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from channels_app.events import Event
from channels_app.history import KINDS, history_detail
from channels_app.models import Channel, InboxEvent, StateChange, Stream, StreamHistoryEntry
from channels_app.publishing import live_state_publish

STREAM_START = "Stream Start"
STREAM_END = "Stream End"
# Session Ended comes before Stream End, while IVS drains video, and ends nothing.
_KNOWN = {
    "IVS Stream State Change": {
        STREAM_START,
        STREAM_END,
        "Session Created",
        "Session Ended",
        "Stream Failure",
        "Stream Takeover",
        "Stream Takeover Failure",
    },
    "IVS Stream Health Change": {"Starvation Start", "Starvation End"},
    "IVS Limit Breach": {"Ingest Bitrate", "Ingest Resolution"},
}
_STATES = {STREAM_START: "live", STREAM_END: "offline"}


@dataclass(frozen=True)
class StreamTimes:
    """When a stream was first heard of, started and ended."""

    first_event_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None


def stream_after(known: StreamTimes | None, event: Event) -> StreamTimes:
    """The stream once the event is known too: the earliest of each, so that neither order nor repetition matters."""
    before = known or StreamTimes(event.time)
    return StreamTimes(
        first_event_at=min(before.first_event_at, event.time),
        started_at=_earliest(before.started_at, event.time if event.name == STREAM_START else None),
        ended_at=_earliest(before.ended_at, event.time if event.name == STREAM_END else None),
    )


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


class StreamSeenReducer:
    """Events that tell of a stream and are no start or end of it: health and limits."""

    def prepare(self, event: Event) -> None:
        """Nothing is needed from outside."""

    def apply(self, event: Event, channel: Channel, prepared: None) -> tuple[InboxEvent.Outcome, str]:
        """Note the stream that the event tells of, and what it tells."""
        if event.name not in _KNOWN[event.detail_type] or not event.stream_id:
            return InboxEvent.Outcome.IGNORED, ""
        stream_hear(channel=channel, event=event)
        return InboxEvent.Outcome.APPLIED, ""

    def publish(self, event: Event, channel_uuid: UUID) -> None:
        """Write the live-state file: an early event of a stream without a start puts it before another stream."""
        if event.name in _KNOWN[event.detail_type] and event.stream_id:
            live_state_publish(channel_uuid=channel_uuid, legacy=event.name in _STATES)


class StreamStateReducer(StreamSeenReducer):
    """Stream Start and Stream End move the live state; the other names tell of the stream."""

    def apply(self, event: Event, channel: Channel, prepared: None) -> tuple[InboxEvent.Outcome, str]:
        """Write the stream and, for a start or an end, the row that the predecessor's clients read."""
        result = super().apply(event, channel, prepared)
        if event.name in _STATES:
            _state_change_write(channel, event)
        return result


def stream_hear(*, channel: Channel, event: Event) -> None:
    """Note what an event of any kind tells of its stream; inside the transaction that holds the channel's lock."""
    # The predecessor writes streams too, by a trigger that does not take the channel's lock.
    stream, created = Stream.objects.select_for_update().get_or_create(
        channel=channel, stream_id=event.stream_id, defaults=vars(stream_after(None, event))
    )
    known = StreamTimes(stream.first_event_at, stream.started_at, stream.ended_at)
    after = stream_after(known, event)
    if not created and after != known:
        Stream.objects.filter(pk=stream.pk).update(**vars(after))
    if event.name in KINDS:
        StreamHistoryEntry.objects.get_or_create(
            event_id=event.id,
            defaults={"stream": stream, "at": event.time, "name": event.name, "detail": history_detail(event)},
        )


def _state_change_write(channel: Channel, event: Event) -> None:
    StateChange.objects.get_or_create(
        channel=channel,
        timestamp=event.time,
        event_id=event.id,
        defaults={"state": _STATES[event.name], "data": dict(event.detail)},
    )
