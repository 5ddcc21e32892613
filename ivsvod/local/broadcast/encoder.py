"""An encoder, and the effects of its broadcast in the order of their times: live streams, events, files in S3.

Nothing waits: `plan` computes all times, `timeline` the steps at these times, and `storm` the delivery of the events.
`performance` carries out the steps.
"""

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from heapq import merge
from pathlib import Path
from random import Random
from typing import Any

from ivsvod.local.broadcast.performance import Media, Performance
from ivsvod.local.broadcast.plan import BroadcastPlan, plan_broadcast
from ivsvod.local.broadcast.recording import is_recording, make_recording, read_recording
from ivsvod.local.broadcast.storm import Batch, Envelope, Faults, deliveries
from ivsvod.local.broadcast.timeline import events_of, steps
from ivsvod.local.ivs.errors import conflict
from ivsvod.local.ivs.store import IvsStore

Deliver = Callable[[list[Envelope]], None]
# Returns the start of a run of this length.
Begin = Callable[[timedelta], datetime]

# Between the last step of a broadcast and the first of the next one.
BETWEEN = timedelta(minutes=1)


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
        media = None
        if bucket:
            folder = record or Path(scratch, "recording")
            made = read_recording(folder) if is_recording(folder) else make_recording(folder, seconds=seconds)
            media = Media(made, Path(scratch, "merged"))
        plan = partial(
            plan_broadcast,
            channel,
            bucket=bucket,
            duration_ms=media.duration_ms if media else round(seconds * 1000),
            faults=faults,
            window=store.reconnect_window(channel["arn"]),
        )
        # All have the same length.
        example = steps(plan(at=datetime(2000, 1, 1, tzinfo=UTC)))
        length = example[-1].at - example[0].at
        first = begin(length * many + BETWEEN * (many - 1))
        plans = [plan(at=first + (length + BETWEEN) * number) for number in range(many)]
        parts = [steps(plan) for plan in plans]
        everything = [step for part in parts for step in part]
        batches = deliveries(events_of(everything), faults, random or Random())  # noqa: S311 -- nothing here is secret
        ivs = Performance(store, s3_client, channel["arn"], media)
        try:
            # `merge` takes a step before a batch of the same time, because the steps are given first.
            for item in merge(everything, batches, key=lambda item: item.due if isinstance(item, Batch) else item.at):
                if isinstance(item, Batch):
                    deliver(item.envelopes)
                else:
                    ivs.do(item)
        finally:
            # If a step failed.
            ivs.end()
    # No two broadcasts have a time in common.
    arrived = Counter(envelope["time"] for batch in batches for envelope in batch.envelopes)
    finished = []
    for each, part in zip(plans, parts, strict=True):
        events = events_of(part)
        times = {envelope["time"] for envelope in events}
        finished.append(Broadcast(each, events, sum(arrived[time] for time in times)))
    return finished
