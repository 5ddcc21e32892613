"""An encoder and what Amazon IVS does when it connects: the channel goes live, events are sent, S3 is filled.

Nothing is waited for: all times are computed from the start that the caller names. The steps are apart, so that
faults can be put between them: `plan_broadcast`, `opening_events`, `closing_events` and three uploads.
"""

import json
import math
import secrets
import string
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ivsvod.local.events import recording_event, stream_event
from ivsvod.local.ivs.store import IvsStore
from ivsvod.local.recording import (
    METADATA_KEYS,
    Recording,
    is_recording,
    make_recording,
    read_recording,
    recording_ended,
    recording_started,
)

Envelope = dict[str, Any]
Deliver = Callable[[list[Envelope]], None]

# With a keyframe every 2 s viewers see the stream some seconds after the encoder connects, and IVS drains what it has
# when it disconnects. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/streaming-config.html
UNTIL_STREAM_START = timedelta(seconds=5)
UNTIL_RECORDING_START = timedelta(seconds=2)
UNTIL_STREAM_END = timedelta(seconds=6)
UNTIL_FILES_COMPLETE = timedelta(seconds=2)
UNTIL_RECORDING_END = timedelta(seconds=2)

CONTENT_TYPES = {
    ".ts": "video/mp2t",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".jpg": "image/jpeg",
    ".json": "application/json",
}


class StreamKeyRefused(Exception):
    """The stream key opens no channel here. The message does not repeat it."""


@dataclass(frozen=True)
class BroadcastPlan:
    """All that is decided before an encoder connects. Without `bucket` nothing is recorded."""

    channel_arn: str
    channel_name: str
    stream_id: str
    recording_session_id: str
    bucket: str | None
    prefix: str
    connected_at: datetime
    duration_ms: int

    @property
    def stream_started_at(self) -> datetime:
        return self.connected_at + UNTIL_STREAM_START

    @property
    def recording_started_at(self) -> datetime:
        return self.stream_started_at + UNTIL_RECORDING_START

    @property
    def disconnected_at(self) -> datetime:
        return self.recording_started_at + timedelta(seconds=math.ceil(self.duration_ms / 1000))

    @property
    def stream_ended_at(self) -> datetime:
        return self.disconnected_at + UNTIL_STREAM_END

    @property
    def files_complete_at(self) -> datetime:
        return self.stream_ended_at + UNTIL_FILES_COMPLETE

    @property
    def recording_ended_at(self) -> datetime:
        return self.files_complete_at + UNTIL_RECORDING_END


@dataclass(frozen=True)
class Broadcast:
    """What a broadcast left behind; `bucket` and `prefix` are None when the channel does not record."""

    stream_id: str
    bucket: str | None
    prefix: str | None
    duration_ms: int
    events: list[Envelope]


class Encoder:
    """Broadcasts into the channels of a local IVS."""

    def __init__(self, store: IvsStore, s3_client: Any, *, region: str, account: str) -> None:
        self.store = store
        self.s3_client = s3_client
        self.region = region
        self.account = account

    def broadcast(
        self,
        stream_key: str,
        *,
        seconds: float = 8,
        started_at: datetime,
        deliver: Deliver,
        record: Path | None = None,
    ) -> Broadcast:
        """Go live, record and end, as if the encoder had connected at `started_at`.

        A recording found in the folder `record` is used again, whatever its length; else one of `seconds` is made, and
        kept there when `record` is given.
        """
        channel = self.channel(stream_key)
        bucket = self.store.recording_bucket(channel["arn"])
        with _workspace(record) as folder:
            recording = _find_or_make(folder, seconds) if bucket else None
            duration_ms = recording.duration_ms if recording else round(seconds * 1000)
            plan = plan_broadcast(channel, account=self.account, bucket=bucket, at=started_at, duration_ms=duration_ms)
            return self.play(plan, recording, deliver)

    def play(self, plan: BroadcastPlan, recording: Recording | None, deliver: Deliver) -> Broadcast:
        """Carry out the plan: the first events while the channel is live and being recorded, the last ones after."""
        opening, closing = opening_events(plan), closing_events(plan)
        with self.on_air(plan):
            if recording:
                self.upload_start(plan, recording)
            self.send(plan, opening, deliver)
            if recording:
                self.upload_media(plan, recording)
                self.upload_end(plan, recording)
        self.send(plan, closing, deliver)
        prefix = plan.prefix if plan.bucket else None
        return Broadcast(plan.stream_id, plan.bucket, prefix, plan.duration_ms, opening + closing)

    def channel(self, stream_key: str) -> dict[str, Any]:
        """The channel that the key opens."""
        channel = self.store.channel_by_key(stream_key)
        if channel is None:
            raise StreamKeyRefused("no channel has this stream key")
        if not channel["arn"].startswith(f"arn:aws:ivs:{self.region}:{self.account}:"):
            raise StreamKeyRefused(f"{channel['arn']} is not in region {self.region} of account {self.account}")
        return channel

    @contextmanager
    def on_air(self, plan: BroadcastPlan) -> Iterator[None]:
        """The channel is live inside, and offline after it even when a step fails."""
        self.store.stream_begin(plan.channel_arn, started_at=plan.stream_started_at, stream_id=plan.stream_id)
        try:
            yield
        finally:
            self.store.stream_end(plan.channel_arn, ended_at=plan.stream_ended_at)

    def send(self, plan: BroadcastPlan, envelopes: list[Envelope], deliver: Deliver) -> None:
        """Note the events in the stream's session, as GetStreamSession shows them, and deliver them."""
        for envelope in envelopes:
            self.store.session_event(
                plan.stream_id,
                name=envelope["detail"].get("event_name") or envelope["detail"]["recording_status"],
                type=envelope["detail-type"],
                at=datetime.fromisoformat(envelope["time"]),
            )
        deliver(envelopes)

    def upload_start(self, plan: BroadcastPlan, recording: Recording) -> None:
        document = recording_started(recording, channel_arn=plan.channel_arn, started_at=plan.recording_started_at)
        self._put_json(plan, METADATA_KEYS["RECORDING_STARTED"], document)

    def upload_media(self, plan: BroadcastPlan, recording: Recording) -> None:
        for key, path in recording.files():
            self._put(plan, key, path.read_bytes())

    def upload_end(self, plan: BroadcastPlan, recording: Recording) -> None:
        document = recording_ended(
            recording,
            channel_arn=plan.channel_arn,
            started_at=plan.recording_started_at,
            ended_at=plan.files_complete_at,
        )
        self._put_json(plan, METADATA_KEYS["RECORDING_ENDED"], document)

    def _put_json(self, plan: BroadcastPlan, key: str, document: dict[str, Any]) -> None:
        self._put(plan, key, json.dumps(document, indent=2).encode())

    def _put(self, plan: BroadcastPlan, key: str, body: bytes) -> None:
        self.s3_client.put_object(
            Bucket=plan.bucket,
            Key=f"{plan.prefix}/{key}",
            Body=body,
            ContentType=CONTENT_TYPES[Path(key).suffix],
        )


def plan_broadcast(
    channel: dict[str, Any], *, account: str, bucket: str | None, at: datetime, duration_ms: int
) -> BroadcastPlan:
    """New ids, and times counted from `at` in whole seconds, as IVS reports them."""
    if at.tzinfo is None:
        raise ValueError("a broadcast starts at a time with a zone")
    connected_at = at.astimezone(UTC).replace(microsecond=0)
    recording_started_at = connected_at + UNTIL_STREAM_START + UNTIL_RECORDING_START
    return BroadcastPlan(
        channel_arn=channel["arn"],
        channel_name=channel.get("name", ""),
        stream_id=f"st-{_alphanumeric(23)}",
        recording_session_id=_alphanumeric(16),
        bucket=bucket,
        prefix=recording_prefix(account, channel["arn"], recording_started_at),
        connected_at=connected_at,
        duration_ms=duration_ms,
    )


def recording_prefix(account: str, channel_arn: str, started_at: datetime) -> str:
    """A new folder for a recording; the parts of the date are not padded with zeros.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
    """
    channel_id = channel_arn.rpartition("/")[2]
    at = started_at.astimezone(UTC)
    date = f"{at.year}/{at.month}/{at.day}/{at.hour}/{at.minute}"
    return f"ivs/v1/{account}/{channel_id}/{date}/{_alphanumeric(12)}"


def timeline(plan: BroadcastPlan) -> list[Envelope]:
    """Every event of the broadcast, in the order of its time."""
    return opening_events(plan) + closing_events(plan)


def opening_events(plan: BroadcastPlan) -> list[Envelope]:
    stream = (plan.channel_arn, plan.channel_name, plan.stream_id)
    events = [
        stream_event("Session Created", *stream, plan.connected_at),
        stream_event("Stream Start", *stream, plan.stream_started_at),
    ]
    if plan.bucket is None:
        return events
    start = recording_event(
        "Recording Start",
        *stream,
        plan.recording_started_at,
        bucket=plan.bucket,
        prefix=plan.prefix,
        session_id=plan.recording_session_id,
    )
    return [*events, start]


def closing_events(plan: BroadcastPlan) -> list[Envelope]:
    stream = (plan.channel_arn, plan.channel_name, plan.stream_id)
    events = [
        stream_event("Session Ended", *stream, plan.disconnected_at),
        stream_event("Stream End", *stream, plan.stream_ended_at),
    ]
    if plan.bucket is None:
        return events
    end = recording_event(
        "Recording End",
        *stream,
        plan.recording_ended_at,
        bucket=plan.bucket,
        prefix=plan.prefix,
        session_id=plan.recording_session_id,
        duration_ms=plan.duration_ms,
        stream_ids=[plan.stream_id],
    )
    return [*events, end]


def _workspace(record: Path | None) -> AbstractContextManager[Path]:
    return nullcontext(record) if record else _temporary_folder()


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ivsvod-recording-") as folder:
        yield Path(folder)


def _find_or_make(folder: Path, seconds: float) -> Recording:
    return read_recording(folder) if is_recording(folder) else make_recording(folder, seconds=seconds)


def _alphanumeric(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))
