"""The plan of a broadcast: its streams, their recordings, and all times, computed from the start."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from ivsvod.local.broadcast.storm import Faults
from ivsvod.local.ivs.records import random_id

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
class Attempt:
    """A connection that IVS did not process: it never goes live."""

    stream_id: str
    connected_at: datetime


@dataclass(frozen=True)
class BroadcastPlan:
    """All decisions about a broadcast; without recordings if the channel is not recorded."""

    channel_arn: str
    channel_name: str
    attempts: tuple[Attempt, ...]
    streams: tuple[StreamPlan, ...]
    recordings: tuple[RecordingPlan, ...]
    faults: Faults = frozenset()

    @property
    def channel(self) -> tuple[str, str]:
        """Return ARN and name, as events have them."""
        return self.channel_arn, self.channel_name


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
    if at.tzinfo is None:
        raise ValueError("a broadcast starts at a time with a zone")
    if bucket and "reconnect" in faults and window < _BACK_IN_TIME:
        raise FaultRefusedError(f"reconnect: the channel's recordings wait {window.seconds} s for their encoder")
    connected_at = at.astimezone(UTC).replace(microsecond=0)
    attempts = (Attempt(_stream_id(), connected_at),) if "stream-failure" in faults else ()
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
    name = channel.get("name", "")
    return BroadcastPlan(channel["arn"], name, attempts, streams, tuple(recordings), faults)


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
