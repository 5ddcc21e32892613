"""An encoder, and the effects of its broadcast in the order of their times: live streams, events, files in S3.

Nothing waits: `plan` computes all steps and their times, and `storm` the delivery of the events.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from heapq import merge
from pathlib import Path
from random import Random
from typing import Any

from tools.local.broadcast.events import Envelope, event_name
from tools.local.broadcast.plan import (
    BroadcastPlan,
    RecordingPlan,
    Sent,
    Step,
    StreamBegins,
    StreamEnds,
    StreamPlan,
    Written,
    events_of,
    plan_broadcast,
    steps,
)
from tools.local.broadcast.recording import (
    METADATA_KEYS,
    Recording,
    RecordingState,
    is_recording,
    make_recording,
    merge_recordings,
    read_recording,
    recording_metadata,
)
from tools.local.broadcast.storm import Batch, Faults, deliveries
from tools.local.ivs.errors import conflict
from tools.local.ivs.store import IvsStore

Deliver = Callable[[list[Envelope]], None]
# Returns the start of a run of this length.
Begin = Callable[[timedelta], datetime]
# Takes the number of a broadcast, from 0 on, and how many of its steps and deliveries are done, and how many it has.
Progress = Callable[[int, int, int], None]

# Between the last step of a broadcast and the first of the next one.
BETWEEN = timedelta(minutes=1)
CONTENT_TYPES = {
    ".ts": "video/mp2t",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".jpg": "image/jpeg",
    ".json": "application/json",
}


class StreamKeyRefused(Exception):
    """No channel has the stream key. The message does not repeat it."""


@dataclass(frozen=True)
class Broadcast:
    """A finished broadcast: its events, and the number of their arrivals."""

    plan: BroadcastPlan
    events: list[Envelope]
    arrived: int

    @property
    def stream_id(self) -> str:
        """Return the id of the last stream."""
        return self.plan.streams[-1].stream_id

    @property
    def bucket(self) -> str | None:
        """Return the bucket of the recordings; None if the channel is not recorded."""
        return self.plan.recordings[-1].bucket if self.plan.recordings else None

    @property
    def prefix(self) -> str | None:
        """Return the prefix of the last recording; None without a recording."""
        return next((recording.prefix for recording in self.plan.recordings[::-1] if recording.prefix), None)

    @property
    def duration_ms(self) -> int:
        """Return the duration of all recordings, or of the streams if the channel is not recorded."""
        return sum(part.duration_ms for part in self.plan.recordings or self.plan.streams)


def play_broadcasts(
    store: IvsStore,
    s3_client: Any,
    stream_key: str,
    *,
    seconds: float = 8,
    many: int = 1,
    faults: Faults = frozenset(),
    random: Random | None = None,
    begin: Begin,
    deliver: Deliver,
    record: Path | None = None,
    progress: Progress = lambda *_: None,
) -> list[Broadcast]:
    """Play `many` broadcasts one after the other, each with these faults; `random` decides on deliveries.

    A recording in the folder `record` is used for every stream, whatever its length. If there is none, one of `seconds`
    is made, and kept in `record` if that is given.

    Raises:
        FaultRefusedError: a fault cannot happen on this channel.
        IvsError: the channel is live.
        StreamKeyRefused: no channel has the key.
    """
    channel = store.channel_by_key(stream_key)
    if channel is None:
        raise StreamKeyRefused("no channel has this stream key")
    if store.stream_of(channel["arn"]):
        raise conflict(f"The channel is live already: {channel['arn']}")
    bucket = store.recording_bucket(channel["arn"])
    with tempfile.TemporaryDirectory(prefix="ivsvod-recording-") as scratch:
        media, duration_ms = None, round(seconds * 1000)
        if bucket:
            folder = record or Path(scratch, "recording")
            made = read_recording(folder) if is_recording(folder) else make_recording(folder, seconds=seconds)
            media, duration_ms = Media(made, Path(scratch, "merged")), made.duration_ms
        plan = partial(
            plan_broadcast,
            channel,
            bucket=bucket,
            duration_ms=duration_ms,
            faults=faults,
            window=store.reconnect_window(channel["arn"]),
        )
        # All have the same length.
        example = steps(plan(at=datetime(2000, 1, 1, tzinfo=UTC)))
        length = example[-1].at - example[0].at
        first = begin(length * many + BETWEEN * (many - 1))
        plans = [plan(at=first + (length + BETWEEN) * number) for number in range(many)]
        parts = [steps(plan) for plan in plans]
        random = random or Random()  # noqa: S311 -- nothing here is secret
        batches = [deliveries(events_of(part), faults, random) for part in parts]
        totals = [len(part) + len(arriving) for part, arriving in zip(parts, batches, strict=True)]
        done = [0] * many
        # `merge` takes a step before a batch of the same time, because the steps are given first.
        numbered: list[tuple[int, Sequence[Step | Batch]]] = [*enumerate(parts), *enumerate(batches)]
        timelines = [[(number, item) for item in items] for number, items in numbered]
        ivs = BroadcastRun(store, s3_client, channel["arn"], media)
        try:
            for number, item in merge(*timelines, key=_time_of):
                if isinstance(item, Batch):
                    deliver(item.envelopes)
                else:
                    ivs.do(item)
                done[number] += 1
                progress(number, done[number], totals[number])
        finally:
            # If a step failed.
            ivs.end()
    return [
        Broadcast(each, events_of(part), sum(len(batch.envelopes) for batch in arriving))
        for each, part, arriving in zip(plans, parts, batches, strict=True)
    ]


def _time_of(numbered: tuple[int, Step | Batch]) -> datetime:
    _, item = numbered
    return item.due if isinstance(item, Batch) else item.at


class Media:
    """The files of recordings, made of one encoded stream."""

    def __init__(self, recording: Recording, folder: Path) -> None:
        self._folder = folder
        self._by_copies = {1: recording}

    def of(self, plan: RecordingPlan) -> Recording:
        """Return a recording with one copy of the stream for each stream of the plan, one after the other."""
        copies = len(plan.streams)
        if copies not in self._by_copies:
            self._by_copies[copies] = merge_recordings(self._folder / str(copies), [self._by_copies[1]] * copies)
        return self._by_copies[copies]


class BroadcastRun:
    """Carry out the steps of one channel in the order of their times; `live` is the running stream."""

    def __init__(self, store: IvsStore, s3_client: Any, channel_arn: str, media: Media | None) -> None:
        self.store = store
        self.s3_client = s3_client
        self.channel_arn = channel_arn
        self.media = media
        self.live: StreamPlan | None = None

    def do(self, step: Step) -> None:
        """Carry out one step."""
        match step:
            case StreamBegins(stream=stream):
                self.store.stream_begin(self.channel_arn, started_at=stream.started_at, stream_id=stream.stream_id)
                self.live = stream
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
        self.store.session_event(
            detail.get("stream_id", ""),
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
