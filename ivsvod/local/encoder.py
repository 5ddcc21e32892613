"""An encoder and what Amazon IVS does when it connects: the channel goes live, events are sent, S3 is filled.

Nothing is waited for: `plan` decides all times, `timeline` all that happens at them, and `storm` how the events
arrive. `performance` does what IVS does. Here all of it comes together, in the order of the times.
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

from ivsvod.local.ivs.errors import conflict
from ivsvod.local.ivs.store import IvsStore
from ivsvod.local.performance import Media, performance
from ivsvod.local.plan import BroadcastPlan, plan_broadcast
from ivsvod.local.recording import is_recording, make_recording, read_recording
from ivsvod.local.storm import Batch, Envelope, Faults, deliveries
from ivsvod.local.timeline import Step, length, steps, told

Deliver = Callable[[list[Envelope]], None]
# When a run of this length begins.
Begin = Callable[[timedelta], datetime]

# Between the last event of a broadcast and the first of the next one.
BETWEEN = timedelta(minutes=1)


class StreamKeyRefused(Exception):
    """The stream key opens no channel here. The message does not repeat it."""


@dataclass(frozen=True)
class Broadcast:
    """What a broadcast left behind: its events, and how many of them arrived, each counted as often as it did."""

    plan: BroadcastPlan
    events: list[Envelope]
    arrived: int

    @property
    def stream_id(self) -> str:
        """The last stream's."""
        return self.plan.streams[-1].stream_id

    @property
    def bucket(self) -> str | None:
        """None when the channel does not record."""
        return self.plan.recordings[-1].bucket if self.plan.recordings else None

    @property
    def prefix(self) -> str | None:
        """The last recording's; None where there is none."""
        return next((recording.prefix for recording in self.plan.recordings[::-1] if recording.prefix), None)

    @property
    def duration_ms(self) -> int:
        """Of all recordings, or of the streams when the channel does not record."""
        return sum(part.duration_ms for part in self.plan.recordings or self.plan.streams)


class Encoder:
    """Broadcasts into the channels of a local IVS."""

    def __init__(self, store: IvsStore, s3_client: Any, *, region: str, account: str) -> None:
        self.store = store
        self.s3_client = s3_client
        self.region = region
        self.account = account

    def broadcast(
        self, stream_key: str, *, seconds: float = 8, started_at: datetime, deliver: Deliver, record: Path | None = None
    ) -> Broadcast:
        """Go live, record and end, as if the encoder had connected at `started_at`; nothing goes wrong."""
        [made] = self.broadcasts(
            stream_key, seconds=seconds, begin=lambda _: started_at, deliver=deliver, record=record
        )
        return made

    def broadcasts(
        self,
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
        """So many broadcasts one after the other, each with these faults; `random` decides what is left to chance.

        A recording found in the folder `record` is used for every stream, whatever its length; else one of `seconds`
        is made, and kept there when `record` is given.

        Raises:
            FaultRefusedError: a fault that cannot happen on this channel.
            IvsError: the channel is live.
            StreamKeyRefused: the key opens no channel of this region and account.
        """
        channel = self.channel(stream_key)
        if self.store.stream_of(channel["arn"]):
            raise conflict(f"The channel is live already: {channel['arn']}")
        bucket = self.store.recording_bucket(channel["arn"])
        with tempfile.TemporaryDirectory(prefix="ivsvod-recording-") as scratch:
            media = _media(record, Path(scratch), seconds) if bucket else None
            duration_ms = media.duration_ms if media else round(seconds * 1000)
            plan = partial(
                plan_broadcast,
                channel,
                account=self.account,
                bucket=bucket,
                duration_ms=duration_ms,
                faults=faults,
                window=self.store.reconnect_window(channel["arn"]),
            )
            plans = plan_run(plan, many, begin)
            return self.play(plans, media, deliver, random or Random())  # noqa: S311 -- nothing here is secret

    def play(
        self, plans: list[BroadcastPlan], media: Media | None, deliver: Deliver, random: Random
    ) -> list[Broadcast]:
        """Carry out the plans of one channel, which follow each other; `media` is for those that are recorded."""
        made = [steps(plan) for plan in plans]
        everything = [step for part in made for step in part]
        batches = deliveries(told(everything), plans[0].faults, random)
        with performance(self.store, self.s3_client, plans[0].channel_arn, media) as ivs:
            for item in merge(everything, batches, key=_moment):
                if isinstance(item, Batch):
                    deliver(item.envelopes)
                else:
                    ivs.do(item)
        # The times of two broadcasts have nothing in common.
        arrived = Counter(envelope["time"] for batch in batches for envelope in batch.envelopes)
        return [_broadcast(plan, told(part), arrived) for plan, part in zip(plans, made, strict=True)]

    def channel(self, stream_key: str) -> dict[str, Any]:
        """The channel that the key opens.

        Raises:
            StreamKeyRefused: none, or one of another region or account.
        """
        channel = self.store.channel_by_key(stream_key)
        if channel is None:
            raise StreamKeyRefused("no channel has this stream key")
        if not channel["arn"].startswith(f"arn:aws:ivs:{self.region}:{self.account}:"):
            raise StreamKeyRefused(f"{channel['arn']} is not in region {self.region} of account {self.account}")
        return channel


def plan_run(plan: Callable[..., BroadcastPlan], many: int, begin: Begin) -> list[BroadcastPlan]:
    """So many plans that follow each other; all are as long as the first."""
    one = length(plan(at=datetime(2000, 1, 1, tzinfo=UTC)))
    first = begin(one * many + BETWEEN * (many - 1))
    return [plan(at=first + (one + BETWEEN) * number) for number in range(many)]


def _moment(item: Step | Batch) -> datetime:
    """A step comes before a batch of the same moment, because `merge` is given the steps first."""
    return item.due if isinstance(item, Batch) else item.at


def _broadcast(plan: BroadcastPlan, events: list[Envelope], arrived: Counter[str]) -> Broadcast:
    return Broadcast(plan, events, sum(arrived[time] for time in {envelope["time"] for envelope in events}))


def _media(record: Path | None, scratch: Path, seconds: float) -> Media:
    folder = record or scratch / "recording"
    found = read_recording(folder) if is_recording(folder) else make_recording(folder, seconds=seconds)
    return Media(found, scratch / "merged")
