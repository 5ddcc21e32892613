"""The plan of a broadcast: its streams, their recordings, and the steps of Amazon IVS, with computed times.

Steps are streams that begin and end, objects in S3, and events.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Literal

from tools.local.broadcast.events import Envelope, limit_event, recording_event, stream_event
from tools.local.broadcast.storm import Faults
from tools.local.ivs.store import random_id

# With a keyframe every 2 s viewers see the stream some seconds after the encoder connects, and IVS drains what it has
# when it disconnects. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/streaming-config.html
UNTIL_STREAM_START = timedelta(seconds=5)
UNTIL_RECORDING_START = timedelta(seconds=2)
UNTIL_STREAM_END = timedelta(seconds=6)
UNTIL_FILES_COMPLETE = timedelta(seconds=2)
UNTIL_RECORDING_END = timedelta(seconds=2)

# After the stream's end. The beginning of the window is nowhere documented.
_BACK_IN_TIME = UNTIL_FILES_COMPLETE + timedelta(seconds=1)
# After the encoder disconnected: the stream has not ended yet.
_BACK_AT_ONCE = timedelta(seconds=3)
_BACK_LATE = timedelta(minutes=1)
# After a first attempt that IVS did not process.
_NEXT_ATTEMPT = timedelta(seconds=15)

# Constructed: AWS documents the field, and no closed list of its texts.
NO_CAPACITY = "No transcoding capacity left for this stream"
# Limit, excess and unit. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html
_INGEST_LIMITS = {
    "Ingest Bitrate": (8_500_000, 640_000, "bits per second"),
    "Ingest Resolution": (1920, 640, "pixels per edge"),
}
_ACCOUNT_LIMITS = {
    "Concurrent Broadcasts": (100, 1, "active streams"),
    "Concurrent Viewers": (15_000, 12, "viewers"),
}
# Fault, event, the part of the stream that was sent by then, and details. That a stream keeps its id when it is taken
# over is nowhere documented.
_INCIDENTS: tuple[tuple[str, str, float, dict[str, str]], ...] = (
    ("starvation", "Starvation Start", 0.3, {}),
    ("starvation", "Starvation End", 0.5, {}),
    ("takeover", "Stream Takeover", 0.6, {}),
    ("takeover-failure", "Stream Takeover Failure", 0.8, {"code": "StreamTakeoverInvalidPriority"}),
)

RecordingOutcome = Literal["ended", "failed", "not started"]


class FaultRefusedError(ValueError):
    """This fault cannot happen on the channel; the message says why."""


@dataclass(frozen=True)
class StreamPlan:
    """One connection of the encoder that goes live; `duration_ms` of it are recorded."""

    stream_id: str
    connected_at: datetime
    duration_ms: int

    @property
    def started_at(self) -> datetime:
        return self.connected_at + UNTIL_STREAM_START

    @property
    def recorded_from(self) -> datetime:
        return self.started_at + UNTIL_RECORDING_START

    @property
    def disconnected_at(self) -> datetime:
        return self.recorded_from + timedelta(seconds=math.ceil(self.duration_ms / 1000))

    @property
    def ended_at(self) -> datetime:
        return self.disconnected_at + UNTIL_STREAM_END

    def time_at(self, part: float) -> datetime:
        """Return the time, in whole seconds, at which this fraction (0 to 1) of the stream was sent."""
        return self.recorded_from + timedelta(seconds=math.floor(part * self.duration_ms / 1000))


@dataclass(frozen=True)
class RecordingPlan:
    """One prefix, and the streams in it. A recording that did not start has no prefix and no object."""

    bucket: str
    prefix: str
    session_id: str
    streams: tuple[StreamPlan, ...]
    window: timedelta
    outcome: RecordingOutcome = "ended"

    @property
    def stream_ids(self) -> list[str]:
        return [stream.stream_id for stream in self.streams]

    @property
    def duration_ms(self) -> int:
        return 0 if self.outcome == "not started" else sum(stream.duration_ms for stream in self.streams)

    @property
    def started_at(self) -> datetime:
        return self.streams[0].recorded_from

    @property
    def media_complete_at(self) -> datetime:
        return self.streams[-1].ended_at + UNTIL_FILES_COMPLETE

    @property
    def ended_at(self) -> datetime:
        """Return the end of the window, in which the encoder may reconnect.

        https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
        """
        return self.media_complete_at + self.window


@dataclass(frozen=True)
class BroadcastPlan:
    """All decisions about a broadcast; without recordings if the channel is not recorded.

    `channel` is its ARN and name, as events have them. An attempt is a connection that IVS does not process.
    """

    channel: tuple[str, str]
    attempts: tuple[StreamPlan, ...]
    streams: tuple[StreamPlan, ...]
    recordings: tuple[RecordingPlan, ...]
    faults: Faults


def plan_broadcast(
    channel: dict[str, Any],
    *,
    bucket: str | None,
    at: datetime,
    duration_ms: int,
    faults: Faults = frozenset(),
    window: timedelta = timedelta(0),
) -> BroadcastPlan:
    """Return a plan with new ids, and with times from `at` on in whole seconds, as IVS reports them.

    Each stream is recorded for `duration_ms`, if there is a `bucket`; `window` is the recording's reconnect window.

    Raises:
        FaultRefusedError: the window is too short for `reconnect`.
    """
    if bucket and "reconnect" in faults and window < _BACK_IN_TIME:
        raise FaultRefusedError(f"reconnect: the channel's recordings wait {window.seconds} s for their encoder")
    connected_at = at.astimezone(UTC).replace(microsecond=0)
    attempts = (StreamPlan(_stream_id(), connected_at, 0),) if "stream-failure" in faults else ()
    first = StreamPlan(_stream_id(), connected_at + len(attempts) * _NEXT_ATTEMPT, duration_ms)
    streams = _streams(first, faults, window)
    recordings: list[RecordingPlan] = []
    # Only `reconnect`, which comes first, continues a recording.
    merged = 2 if "reconnect" in faults and "recording-start-failure" not in faults else 1
    groups = [streams[:merged], *((stream,) for stream in streams[merged:])]
    for group in groups if bucket else []:
        prefix = recording_prefix(channel["arn"], group[0].recorded_from)
        recordings.append(RecordingPlan(bucket, prefix, random_id(16), group, window))  # type: ignore[arg-type]
    if recordings and "recording-end-failure" in faults:
        recordings[-1] = replace(recordings[-1], outcome="failed")
    if recordings and "recording-start-failure" in faults:
        recordings[0] = replace(recordings[0], outcome="not started", prefix="")
    return BroadcastPlan((channel["arn"], channel["name"]), attempts, streams, tuple(recordings), faults)


def _streams(first: StreamPlan, faults: Faults, window: timedelta) -> tuple[StreamPlan, ...]:
    """Return the first stream, and one for each time that the encoder comes back, in this order."""
    pauses = {
        "reconnect": UNTIL_STREAM_END + _BACK_IN_TIME,
        "split": _BACK_AT_ONCE,
        "reconnect-late": UNTIL_STREAM_END + window + _BACK_LATE,
    }
    streams = [first]
    for fault, pause in pauses.items():
        if fault in faults:
            streams.append(StreamPlan(_stream_id(), streams[-1].disconnected_at + pause, first.duration_ms))
    return tuple(streams)


def recording_prefix(channel_arn: str, started_at: datetime) -> str:
    """Return a new prefix; the parts of the date are not padded with zeros.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
    """
    account, channel_id = channel_arn.split(":")[4], channel_arn.rpartition("/")[2]
    at = started_at.astimezone(UTC)
    date = f"{at.year}/{at.month}/{at.day}/{at.hour}/{at.minute}"
    return f"ivs/v1/{account}/{channel_id}/{date}/{random_id(12)}"


def _stream_id() -> str:
    return f"st-{random_id(23)}"


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


@dataclass(frozen=True)
class Written:
    """IVS writes to S3: the metadata of the start, the media, or the metadata of the end."""

    at: datetime
    recording: RecordingPlan
    files: Literal["start", "media", "end"]


Step = Sent | StreamBegins | StreamEnds | Written


def steps(plan: BroadcastPlan) -> list[Step]:
    """Return the steps in the order of their times, each cause before its effect. Events have new ids each time."""
    made = [*_attempts(plan), *_lives(plan), *_recordings(plan), *map(Sent, _incidents(plan))]
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


def _lives(plan: BroadcastPlan) -> Iterator[Step]:
    for stream in plan.streams:
        channel = (*plan.channel, stream.stream_id)
        yield Sent(stream_event("Session Created", *channel, stream.connected_at))
        yield StreamBegins(stream.started_at, stream)
        yield Sent(stream_event("Stream Start", *channel, stream.started_at))
        yield Sent(stream_event("Session Ended", *channel, stream.disconnected_at))
        yield StreamEnds(stream.ended_at)
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


def _recording_step(plan: BroadcastPlan, recording: RecordingPlan, status: str, reason: str = "") -> Sent:
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
    """Yield events of running streams, and with the first stream breaches of the limits of the account."""
    for stream in plan.streams:
        if "quota" in plan.faults:
            yield from _breaches(plan, stream)
        for fault, name, part, details in _INCIDENTS:
            if fault in plan.faults:
                yield stream_event(name, *plan.channel, stream.stream_id, stream.time_at(part), **details)


def _breaches(plan: BroadcastPlan, stream: StreamPlan) -> Iterator[Envelope]:
    arn, name = plan.channel
    region, account = arn.split(":")[3:5]
    subject = {"channel_arn": arn, "channel_name": name, "stream_id": stream.stream_id}
    account_limits = _ACCOUNT_LIMITS if stream is plan.streams[0] else {}
    for limits, owner in ((_INGEST_LIMITS, subject), (account_limits, {})):
        for limit, (value, exceeded_by, unit) in limits.items():
            details: dict[str, Any] = {"limit_value": value, "exceeded_by": exceeded_by, "limit_unit": unit, **owner}
            yield limit_event(limit, stream.time_at(0.1), account=account, region=region, **details)
