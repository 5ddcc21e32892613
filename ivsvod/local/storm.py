"""What goes wrong with a broadcast and with the delivery of its events, by name; pure.

Amazon IVS sends events by best effort: they come twice, late, in any order, or never.
https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from random import Random
from typing import Any
from uuid import uuid4

from ivsvod.local.events import event_name

Envelope = dict[str, Any]
Faults = frozenset[str]

# What goes wrong on the way of the events; what IVS and S3 know is not touched by it.
OF_DELIVERY = {
    "duplicate": "every event comes a second time, and some a third",
    "republish": "every event comes again under a new id",
    "reorder": "events overtake each other by up to ten minutes",
    "delay": "some events come hours late, after all others",
}
_LIMITS = ("Ingest Bitrate", "Ingest Resolution", "Concurrent Broadcasts", "Concurrent Viewers")
# The events that each of these loses.
OF_DROPPING = {
    "drop-session-created": ("Session Created",),
    "drop-start": ("Stream Start",),
    "drop-session-ended": ("Session Ended",),
    "drop-end": ("Stream End",),
    "drop-stream-failure": ("Stream Failure",),
    "drop-takeover": ("Stream Takeover",),
    "drop-takeover-failure": ("Stream Takeover Failure",),
    "drop-starvation-start": ("Starvation Start",),
    "drop-starvation-end": ("Starvation End",),
    "drop-health": ("Starvation Start", "Starvation End"),
    "drop-ingest-bitrate": ("Ingest Bitrate",),
    "drop-ingest-resolution": ("Ingest Resolution",),
    "drop-concurrent-broadcasts": ("Concurrent Broadcasts",),
    "drop-concurrent-viewers": ("Concurrent Viewers",),
    "drop-quota": _LIMITS,
    "drop-recording-start": ("Recording Start",),
    "drop-recording-end": ("Recording End",),
    "drop-recording-start-failure": ("Recording Start Failure",),
    "drop-recording-end-failure": ("Recording End Failure",),
}
OF_DROPPING["drop-all"] = tuple(dict.fromkeys(chain(*OF_DROPPING.values())))
# What goes wrong with the broadcast itself, as IVS and S3 know it too.
OF_BROADCAST = {
    "reconnect": "the encoder comes back within the window: two streams in one recording",
    "split": "the encoder comes back before the files are written: two streams, two recordings",
    "reconnect-late": "the encoder comes back after the window: two streams, two recordings",
    "takeover": "another encoder takes the stream over",
    "takeover-failure": "another encoder is not let in",
    "starvation": "the encoder sends nothing for a while",
    "quota": "each of the four limits is exceeded",
    "stream-failure": "the first attempt is not processed; the encoder tries again",
    "recording-start-failure": "the first stream is not recorded",
    "recording-end-failure": "the last recording ends with a failure",
}
_LOST = {name: f"lost: {', '.join(names)}" for name, names in OF_DROPPING.items()} | {"drop-all": "all events are lost"}
FAULTS = OF_DELIVERY | _LOST | OF_BROADCAST

# What SQS hands to a Lambda at once, by default.
LARGEST_BATCH = 10
_AWHILE = timedelta(minutes=10)
_LATE = (timedelta(hours=1), timedelta(hours=12))


class UnknownFaultError(ValueError):
    """No fault has this name; the message lists those that there are."""


@dataclass(frozen=True)
class Arrival:
    """An event at the moment at which it comes to the queue."""

    due: datetime
    envelope: Envelope


@dataclass(frozen=True)
class Batch:
    """Events that come together; `due` is the moment of the last of them, and never before one happened."""

    due: datetime
    envelopes: list[Envelope]


def parse_faults(text: str) -> Faults:
    """The faults in a list with commas between them; none in an empty text.

    Raises:
        UnknownFaultError: there is no such fault.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in FAULTS:
            raise UnknownFaultError(f"there is no fault {name}; there are {', '.join(FAULTS)}")
    return frozenset(names)


def deliveries(told: Sequence[Envelope], faults: Faults, random: Random) -> list[Batch]:
    """How the events that IVS tells, in the order of their times, come to the Lambda.

    Without a fault of delivery each comes alone and at once. `random` decides all that is left to chance.
    """
    lost = {name for fault in faults & OF_DROPPING.keys() for name in OF_DROPPING[fault]}
    arrivals = [Arrival(_time_of(envelope), envelope) for envelope in told if event_name(envelope) not in lost]
    for fault, change in _CHANGES.items():
        if fault in faults and arrivals:
            arrivals = change(arrivals, random)
    arrivals.sort(key=_due)
    return list(_batches(arrivals, random if faults & OF_DELIVERY.keys() else None))


def _time_of(envelope: Envelope) -> datetime:
    return datetime.fromisoformat(envelope["time"])


def _due(arrival: Arrival) -> datetime:
    return arrival.due


def _overtaking(arrivals: list[Arrival], random: Random) -> list[Arrival]:
    changed = [_later(arrival, random) for arrival in arrivals]
    if changed == sorted(changed, key=_due):
        # Chance has left them in order: the first comes last.
        changed[0] = replace(changed[0], due=changed[-1].due + timedelta(seconds=1))
    return changed


def _republished(arrivals: list[Arrival], random: Random) -> list[Arrival]:
    # That IVS itself sends an event twice, with two ids, cannot be excluded.
    again = [replace(arrival, envelope={**arrival.envelope, "id": str(uuid4())}) for arrival in arrivals]
    return arrivals + [_later(arrival, random) for arrival in again]


def _doubled(arrivals: list[Arrival], random: Random) -> list[Arrival]:
    thrice = [arrival for arrival in arrivals if random.random() < 0.25]
    return arrivals + [_later(arrival, random) for arrival in arrivals + thrice]


def _late(arrivals: list[Arrival], random: Random) -> list[Arrival]:
    end = max(map(_due, arrivals))
    chosen = {number for number in range(len(arrivals)) if random.random() < 0.3} or {random.randrange(len(arrivals))}
    return [
        replace(arrival, due=end + _between(*_LATE, random)) if number in chosen else arrival
        for number, arrival in enumerate(arrivals)
    ]


def _later(arrival: Arrival, random: Random) -> Arrival:
    return replace(arrival, due=arrival.due + _between(timedelta(0), _AWHILE, random))


def _between(shortest: timedelta, longest: timedelta, random: Random) -> timedelta:
    return shortest + (longest - shortest) * random.random()


# In this order: what comes late comes after every other copy of every other event.
_CHANGES: dict[str, Callable[[list[Arrival], Random], list[Arrival]]] = {
    "reorder": _overtaking,
    "republish": _republished,
    "duplicate": _doubled,
    "delay": _late,
}


def _batches(arrivals: list[Arrival], random: Random | None) -> Iterator[Batch]:
    """Cut into batches of any size, of one event without `random`."""
    position = 0
    while position < len(arrivals):
        size = random.randint(1, LARGEST_BATCH) if random else 1
        taken = arrivals[position : position + size]
        yield Batch(taken[-1].due, [arrival.envelope for arrival in taken])
        position += size
