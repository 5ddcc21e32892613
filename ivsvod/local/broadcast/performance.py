"""The effects of a broadcast on the local IVS and S3, which do not depend on the delivery of its events."""

import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

from ivsvod.local.broadcast.events import event_name
from ivsvod.local.broadcast.plan import RecordingPlan, StreamPlan
from ivsvod.local.broadcast.recording import (
    METADATA_KEYS,
    Recording,
    RecordingState,
    merge_recordings,
    recording_metadata,
)
from ivsvod.local.broadcast.storm import Envelope
from ivsvod.local.broadcast.timeline import Sent, Step, StreamBegins, StreamEnds, Written
from ivsvod.local.ivs.store import IvsStore

CONTENT_TYPES = {
    ".ts": "video/mp2t",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".jpg": "image/jpeg",
    ".json": "application/json",
}


class Media:
    """The files of recordings, made of one encoded stream."""

    def __init__(self, recording: Recording, folder: Path) -> None:
        self._folder = folder
        self._by_copies = {1: recording}

    @property
    def duration_ms(self) -> int:
        """Return the duration of one stream."""
        return self._by_copies[1].duration_ms

    def of(self, plan: RecordingPlan) -> Recording:
        """Return a recording with one copy of the stream for each stream of the plan, one after the other."""
        copies = len(plan.streams)
        if copies not in self._by_copies:
            self._by_copies[copies] = merge_recordings(self._folder / str(copies), [self._by_copies[1]] * copies)
        return self._by_copies[copies]


class Performance:
    """Carry out the steps of one channel in the order of their times; `live` is the running stream."""

    def __init__(self, store: IvsStore, s3_client: Any, channel_arn: str, media: Media | None) -> None:
        self.store = store
        self.s3_client = s3_client
        self.channel_arn = channel_arn
        self.media = media
        self.live: StreamPlan | None = None
        self._begun: set[str] = set()
        self._early: dict[str, list[Envelope]] = defaultdict(list)

    def do(self, step: Step) -> None:
        """Carry out one step."""
        match step:
            case StreamBegins(stream=stream):
                self.store.stream_begin(self.channel_arn, started_at=stream.started_at, stream_id=stream.stream_id)
                self.live = stream
                self._begun.add(stream.stream_id)
                for envelope in self._early.pop(stream.stream_id, []):
                    self._record_event(envelope)
            case StreamEnds():
                self.end()
            case Sent(envelope=envelope):
                self._record_event(envelope)
            case Written(recording=recording, files=files):
                self._write(recording, files)

    def end(self) -> None:
        """Take the channel offline if it is live."""
        if self.live:
            self.store.stream_end(self.channel_arn, ended_at=self.live.ended_at, stream_id=self.live.stream_id)
            self.live = None

    def _record_event(self, envelope: Envelope) -> None:
        """Add the event to the session of its stream, as GetStreamSession shows it."""
        detail = envelope["detail"]
        stream_id = detail.get("stream_id", "")
        if stream_id not in self._begun:
            # Of a stream that is not live yet, or of no stream.
            self._early[stream_id].append(envelope)
            return
        self.store.session_event(
            stream_id,
            name=event_name(envelope),
            type=envelope["detail-type"],
            at=datetime.fromisoformat(envelope["time"]),
            code=detail.get("code", ""),
        )

    def _write(self, plan: RecordingPlan, files: str) -> None:
        if self.media is None:
            raise ValueError("a recorded stream needs media")
        recording = self.media.of(plan)
        if files == "media":
            for key, path in recording.files():
                self._put(plan, key, path.read_bytes())
            return
        state: RecordingState = "RECORDING_STARTED"
        end: dict[str, Any] = {}
        if files == "end":
            state, end = "RECORDING_ENDED", {"ended_at": plan.ended_at}
            if plan.outcome == "failed":
                state, end["message"] = "RECORDING_ENDED_WITH_FAILURE", "InternalServerException"
        details = {"channel_arn": self.channel_arn, "started_at": plan.started_at, **end}
        document = recording_metadata(recording, state, **details)
        self._put(plan, METADATA_KEYS[state], json.dumps(document, indent=2).encode())

    def _put(self, plan: RecordingPlan, key: str, body: bytes) -> None:
        content_type = CONTENT_TYPES[Path(key).suffix]
        self.s3_client.put_object(Bucket=plan.bucket, Key=f"{plan.prefix}/{key}", Body=body, ContentType=content_type)
