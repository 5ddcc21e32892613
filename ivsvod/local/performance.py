"""What Amazon IVS does about a broadcast, whatever becomes of the events on their way: its own records, and S3."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from ivsvod.local.events import event_name
from ivsvod.local.ivs.store import IvsStore
from ivsvod.local.merging import merge_recordings
from ivsvod.local.plan import RecordingPlan, StreamPlan
from ivsvod.local.recording import (
    METADATA_KEYS,
    Recording,
    recording_ended,
    recording_failed,
    recording_started,
)
from ivsvod.local.storm import Envelope
from ivsvod.local.timeline import Step, StreamBegins, StreamEnds, Told, Written

CONTENT_TYPES = {
    ".ts": "video/mp2t",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".jpg": "image/jpeg",
    ".json": "application/json",
}


class Media:
    """The files of recordings: what was encoded once, as often as it is needed."""

    def __init__(self, recording: Recording, folder: Path) -> None:
        self._folder = folder
        self._by_copies = {1: recording}

    @property
    def duration_ms(self) -> int:
        """Of one stream."""
        return self._by_copies[1].duration_ms

    def of(self, plan: RecordingPlan) -> Recording:
        """One copy after the other for each stream of the recording."""
        copies = len(plan.streams)
        if copies not in self._by_copies:
            self._by_copies[copies] = merge_recordings(self._folder / str(copies), [self._by_copies[1]] * copies)
        return self._by_copies[copies]


class Performance:
    """Carries out the steps of one channel, in the order of their times; `live` is the stream that runs."""

    def __init__(self, store: IvsStore, s3_client: Any, channel_arn: str, media: Media | None) -> None:
        self.store = store
        self.s3_client = s3_client
        self.channel_arn = channel_arn
        self.media = media
        self.live: StreamPlan | None = None
        self._begun: set[str] = set()
        self._early: dict[str, list[Envelope]] = defaultdict(list)

    def do(self, step: Step) -> None:
        """Do it."""
        match step:
            case StreamBegins(stream=stream):
                self.begin(stream)
            case StreamEnds(stream=stream):
                self.end(stream)
            case Told(envelope=envelope):
                self.note(envelope)
            case Written(recording=recording, what=what):
                self.write(recording, what)

    def begin(self, stream: StreamPlan) -> None:
        """The channel is live; IVS has a session from now on."""
        self.store.stream_begin(self.channel_arn, started_at=stream.started_at, stream_id=stream.stream_id)
        self.live = stream
        self._begun.add(stream.stream_id)
        for envelope in self._early.pop(stream.stream_id, []):
            self.note(envelope)

    def end(self, stream: StreamPlan) -> None:
        """The channel is offline."""
        self.store.stream_end(self.channel_arn, ended_at=stream.ended_at, stream_id=stream.stream_id)
        self.live = None

    def note(self, envelope: Envelope) -> None:
        """Keep the event in the session of its stream, as GetStreamSession shows it."""
        detail = envelope["detail"]
        stream_id = detail.get("stream_id", "")
        if stream_id not in self._begun:
            # Told before the stream was live, or of no stream at all.
            self._early[stream_id].append(envelope)
            return
        self.store.session_event(
            stream_id,
            name=event_name(envelope),
            type=envelope["detail-type"],
            at=datetime.fromisoformat(envelope["time"]),
            code=detail.get("code", ""),
        )

    def write(self, plan: RecordingPlan, what: str) -> None:
        """Write what IVS writes of a recording at its start, when it has all files, and at its end."""
        if self.media is None:
            raise ValueError("what is recorded needs media")
        recording = self.media.of(plan)
        if what == "media":
            for key, path in recording.files():
                self._put(plan, key, path.read_bytes())
        else:
            key, document = self._start(plan, recording) if what == "start" else self._end(plan, recording)
            self._put(plan, key, json.dumps(document, indent=2).encode())

    def _start(self, plan: RecordingPlan, recording: Recording) -> tuple[str, dict[str, Any]]:
        document = recording_started(recording, channel_arn=self.channel_arn, started_at=plan.started_at)
        return METADATA_KEYS["RECORDING_STARTED"], document

    def _end(self, plan: RecordingPlan, recording: Recording) -> tuple[str, dict[str, Any]]:
        facts: dict[str, Any] = {
            "channel_arn": self.channel_arn,
            "started_at": plan.started_at,
            "ended_at": plan.ended_at,
        }
        if plan.outcome == "failed":
            document = recording_failed(recording, **facts, message="InternalServerException")
            return METADATA_KEYS["RECORDING_ENDED_WITH_FAILURE"], document
        return METADATA_KEYS["RECORDING_ENDED"], recording_ended(recording, **facts)

    def _put(self, plan: RecordingPlan, key: str, body: bytes) -> None:
        self.s3_client.put_object(
            Bucket=plan.bucket,
            Key=f"{plan.prefix}/{key}",
            Body=body,
            ContentType=CONTENT_TYPES[Path(key).suffix],
        )


@contextmanager
def performance(store: IvsStore, s3_client: Any, channel_arn: str, media: Media | None) -> Iterator[Performance]:
    """A performance that leaves the channel offline even when a step fails."""
    ivs = Performance(store, s3_client, channel_arn, media)
    try:
        yield ivs
    finally:
        if ivs.live:
            ivs.end(ivs.live)
