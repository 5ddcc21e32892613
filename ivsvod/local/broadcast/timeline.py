"""The steps of Amazon IVS for a planned broadcast: streams that begin and end, objects in S3, events."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Literal

from ivsvod.local.broadcast.events import LimitName, RecordingStatus, limit_event, recording_event, stream_event
from ivsvod.local.broadcast.plan import UNTIL_RECORDING_END, BroadcastPlan, RecordingPlan, StreamPlan
from ivsvod.local.broadcast.storm import Envelope

# Constructed: AWS documents the field, and no closed list of its texts.
NO_CAPACITY = "No transcoding capacity left for this stream"
# Name, limit, excess and unit. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html
_INGEST_LIMITS: tuple[tuple[LimitName, int, int, str], ...] = (
    ("Ingest Bitrate", 8_500_000, 640_000, "bits per second"),
    ("Ingest Resolution", 1920, 640, "pixels per edge"),
)
_ACCOUNT_LIMITS: tuple[tuple[LimitName, int, int, str], ...] = (
    ("Concurrent Broadcasts", 100, 1, "active streams"),
    ("Concurrent Viewers", 15_000, 12, "viewers"),
)


@dataclass(frozen=True)
class Sent:
    """IVS sends an event."""

    envelope: Envelope

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.envelope["time"])


@dataclass(frozen=True)
class StreamBegins:
    """The stream is live from now on."""

    at: datetime
    stream: StreamPlan


@dataclass(frozen=True)
class StreamEnds:
    """The stream is not live any more."""

    at: datetime
    stream: StreamPlan


@dataclass(frozen=True)
class Written:
    """IVS writes to S3: the metadata of the start, the media, or the metadata of the end."""

    at: datetime
    recording: RecordingPlan
    files: Literal["start", "media", "end"]


Step = Sent | StreamBegins | StreamEnds | Written


def steps(plan: BroadcastPlan) -> list[Step]:
    """Return the steps in the order of their times, each cause before its effect. Events have new ids each time."""
    made = [*_attempts(plan), *_streams(plan), *_recordings(plan), *map(Sent, _incidents(plan))]
    return sorted(made, key=attrgetter("at"))


def events_of(made: Iterable[Step]) -> list[Envelope]:
    """Return the events among the steps."""
    return [step.envelope for step in made if isinstance(step, Sent)]


def _attempts(plan: BroadcastPlan) -> Iterator[Step]:
    """Yield the steps of connections that IVS does not process and that never go live.

    That it lists no session of them is nowhere documented.
    """
    for attempt in plan.attempts:
        channel, at = (*plan.channel, attempt.stream_id), attempt.connected_at
        yield Sent(stream_event("Session Created", *channel, at))
        yield Sent(stream_event("Stream Failure", *channel, at + timedelta(seconds=7), reason=NO_CAPACITY))
        yield Sent(stream_event("Session Ended", *channel, at + timedelta(seconds=8)))


def _streams(plan: BroadcastPlan) -> Iterator[Step]:
    for stream in plan.streams:
        channel = (*plan.channel, stream.stream_id)
        yield Sent(stream_event("Session Created", *channel, stream.connected_at))
        yield StreamBegins(stream.started_at, stream)
        yield Sent(stream_event("Stream Start", *channel, stream.started_at))
        yield Sent(stream_event("Session Ended", *channel, stream.disconnected_at))
        yield StreamEnds(stream.ended_at, stream)
        yield Sent(stream_event("Stream End", *channel, stream.ended_at))


def _recordings(plan: BroadcastPlan) -> Iterator[Step]:
    """Yield one start and one end of each recording; that there is no second start is nowhere documented."""
    for recording in plan.recordings:
        if recording.outcome == "not started":
            yield _recording_step(plan, recording, "Recording Start Failure", reason="ValidationException")
            continue
        yield Written(recording.started_at, recording, "start")
        yield _recording_step(plan, recording, "Recording Start")
        yield Written(recording.media_complete_at, recording, "media")
        yield Written(recording.ended_at, recording, "end")
        if recording.outcome == "failed":
            yield _recording_step(plan, recording, "Recording End Failure", reason="InternalServerException")
        else:
            yield _recording_step(plan, recording, "Recording End")


def _recording_step(plan: BroadcastPlan, recording: RecordingPlan, status: RecordingStatus, reason: str = "") -> Sent:
    """Return the event; only Recording End has a duration and lists the streams."""
    begins, is_end = status.startswith("Recording Start"), status == "Recording End"
    envelope = recording_event(
        status,
        *plan.channel,
        recording.stream_ids[0 if begins else -1],
        recording.started_at if begins else recording.ended_at + UNTIL_RECORDING_END,
        bucket=recording.bucket,
        prefix=recording.prefix,
        session_id=recording.session_id,
        duration_ms=recording.duration_ms if is_end else 0,
        stream_ids=recording.stream_ids if is_end else None,
        reason=reason,
    )
    return Sent(envelope)


def _incidents(plan: BroadcastPlan) -> Iterator[Envelope]:
    """Yield events of running streams. That a stream keeps its id when it is taken over is nowhere documented."""
    for stream in plan.streams:
        channel = (*plan.channel, stream.stream_id)
        if "quota" in plan.faults:
            yield from _breaches(plan, stream)
        if "starvation" in plan.faults:
            yield stream_event("Starvation Start", *channel, stream.time_at(0.3))
            yield stream_event("Starvation End", *channel, stream.time_at(0.5))
        if "takeover" in plan.faults:
            yield stream_event("Stream Takeover", *channel, stream.time_at(0.6))
        if "takeover-failure" in plan.faults:
            code = "StreamTakeoverInvalidPriority"
            yield stream_event("Stream Takeover Failure", *channel, stream.time_at(0.8), code=code)


def _breaches(plan: BroadcastPlan, stream: StreamPlan) -> Iterator[Envelope]:
    """Yield breaches of the limits of the stream, and with the first stream those of the account, without a channel."""
    arn, name = plan.channel
    region, account = arn.split(":")[3:5]
    owner = {"channel_arn": arn, "channel_name": name, "stream_id": stream.stream_id}
    account_limits = _ACCOUNT_LIMITS if stream is plan.streams[0] else ()
    for limits, subject in ((_INGEST_LIMITS, owner), (account_limits, {})):
        for limit, value, exceeded_by, unit in limits:
            details = {"limit_value": value, "exceeded_by": exceeded_by, "limit_unit": unit}
            place = {"account": account, "region": region, **subject}
            yield limit_event(limit, stream.time_at(0.1), **details, **place)  # type: ignore[arg-type]
