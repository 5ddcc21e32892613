"""All that IVS does about a broadcast, step by step: streams that begin and end, objects, events; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Literal

from ivsvod.local.events import LimitName, health_event, limit_event, recording_event, stream_event
from ivsvod.local.plan import UNTIL_RECORDING_END, Attempt, BroadcastPlan, RecordingPlan, StreamPlan
from ivsvod.local.storm import Envelope

# Constructed: AWS documents the field, and no closed list of its texts.
NO_CAPACITY = "No transcoding capacity left for this stream"


@dataclass(frozen=True)
class Told:
    """IVS tells of something."""

    at: datetime
    envelope: Envelope


@dataclass(frozen=True)
class StreamBegins:
    """The stream is live."""

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
    what: Literal["start", "media", "end"]


Step = Told | StreamBegins | StreamEnds | Written


def steps(plan: BroadcastPlan) -> list[Step]:
    """In the order of their times, each cause before its effect."""
    made: list[Step] = []
    for attempt in plan.attempts:
        made += _attempt(plan, attempt)
    for stream in plan.streams:
        made += _stream(plan, stream)
    for recording in plan.recordings:
        made += _recording(plan, recording)
    for stream in plan.streams:
        made += [Told(_time_of(envelope), envelope) for envelope in _incidents(plan, stream)]
    return sorted(made, key=attrgetter("at"))


def told(made: Iterable[Step]) -> list[Envelope]:
    """The events among the steps."""
    return [step.envelope for step in made if isinstance(step, Told)]


def timeline(plan: BroadcastPlan) -> list[Envelope]:
    """Every event of the broadcast, in the order of its time; with new ids each time."""
    return told(steps(plan))


def length(plan: BroadcastPlan) -> timedelta:
    """From the first thing that happens to the last."""
    made = steps(plan)
    return made[-1].at - made[0].at


def _time_of(envelope: Envelope) -> datetime:
    return datetime.fromisoformat(envelope["time"])


def _attempt(plan: BroadcastPlan, attempt: Attempt) -> Iterator[Step]:
    """It is not processed, so that it never goes live; IVS lists no session of it (nowhere documented)."""
    channel, at = (*plan.channel, attempt.stream_id), attempt.connected_at
    failed_at, gone_at = at + timedelta(seconds=7), at + timedelta(seconds=8)
    yield Told(at, stream_event("Session Created", *channel, at))
    yield Told(failed_at, stream_event("Stream Failure", *channel, failed_at, reason=NO_CAPACITY))
    yield Told(gone_at, stream_event("Session Ended", *channel, gone_at))


def _stream(plan: BroadcastPlan, stream: StreamPlan) -> Iterator[Step]:
    channel = (*plan.channel, stream.stream_id)
    yield Told(stream.connected_at, stream_event("Session Created", *channel, stream.connected_at))
    yield StreamBegins(stream.started_at, stream)
    yield Told(stream.started_at, stream_event("Stream Start", *channel, stream.started_at))
    yield Told(stream.disconnected_at, stream_event("Session Ended", *channel, stream.disconnected_at))
    yield StreamEnds(stream.ended_at, stream)
    yield Told(stream.ended_at, stream_event("Stream End", *channel, stream.ended_at))


def _recording(plan: BroadcastPlan, recording: RecordingPlan) -> Iterator[Step]:
    """One start and one end, however many streams are in it; that there is no second start is nowhere documented."""
    if recording.outcome == "not started":
        yield _recording_told(plan, recording, "Recording Start Failure", reason="ValidationException")
        return
    yield Written(recording.started_at, recording, "start")
    yield _recording_told(plan, recording, "Recording Start")
    yield Written(recording.media_complete_at, recording, "media")
    yield Written(recording.ended_at, recording, "end")
    if recording.outcome == "failed":
        yield _recording_told(plan, recording, "Recording End Failure", reason="InternalServerException")
    else:
        yield _recording_told(plan, recording, "Recording End")


def _recording_told(
    plan: BroadcastPlan,
    recording: RecordingPlan,
    status: Literal["Recording Start", "Recording End", "Recording Start Failure", "Recording End Failure"],
    *,
    reason: str = "",
) -> Told:
    """A failure of the end tells no duration, though there may be one; only the end lists the streams."""
    begins, is_end = status.startswith("Recording Start"), status == "Recording End"
    at = recording.started_at if begins else recording.ended_at + UNTIL_RECORDING_END
    envelope = recording_event(
        status,
        *plan.channel,
        recording.stream_ids[0 if begins else -1],
        at,
        bucket=recording.bucket,
        prefix=recording.prefix,
        session_id=recording.session_id,
        duration_ms=recording.duration_ms if is_end else 0,
        stream_ids=recording.stream_ids if is_end else None,
        reason=reason,
    )
    return Told(at, envelope)


def _incidents(plan: BroadcastPlan, stream: StreamPlan) -> Iterator[Envelope]:
    """What happens while the stream runs. That it keeps its id when it is taken over is nowhere documented."""
    channel = (*plan.channel, stream.stream_id)
    if "quota" in plan.faults:
        yield from _breaches(plan, stream)
    if "starvation" in plan.faults:
        yield health_event("Starvation Start", *channel, stream.moment(0.3))
        yield health_event("Starvation End", *channel, stream.moment(0.5))
    if "takeover" in plan.faults:
        yield stream_event("Stream Takeover", *channel, stream.moment(0.6))
    if "takeover-failure" in plan.faults:
        yield stream_event(
            "Stream Takeover Failure", *channel, stream.moment(0.8), code="StreamTakeoverInvalidPriority"
        )


# Name, limit, by how much it is exceeded, and unit.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html
_OF_INGEST: tuple[tuple[LimitName, int, int, str], ...] = (
    ("Ingest Bitrate", 8_500_000, 640_000, "bits per second"),
    ("Ingest Resolution", 1920, 640, "pixels per edge"),
)
_OF_ACCOUNT: tuple[tuple[LimitName, int, int, str], ...] = (
    ("Concurrent Broadcasts", 100, 1, "active streams"),
    ("Concurrent Viewers", 15_000, 12, "viewers"),
)


def _breaches(plan: BroadcastPlan, stream: StreamPlan) -> Iterator[Envelope]:
    """Limits of the stream; with those of the first one the account's, which name no channel."""
    arn, name = plan.channel
    region, account = arn.split(":")[3:5]
    at = stream.moment(0.1)
    owner = {"channel_arn": arn, "channel_name": name, "stream_id": stream.stream_id}
    of_account = _OF_ACCOUNT if stream is plan.streams[0] else ()
    for limits, whose in ((_OF_INGEST, owner), (of_account, {})):
        for limit, value, exceeded_by, unit in limits:
            facts = {"limit_value": value, "exceeded_by": exceeded_by, "limit_unit": unit}
            yield limit_event(limit, at, **facts, account=account, region=region, **whose)  # type: ignore[arg-type]
