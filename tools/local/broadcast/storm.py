"""Faults of a broadcast and of the delivery of its events, by name.

Amazon IVS sends events by best effort: twice, late, in any order, or never.
https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from random import Random
from uuid import uuid4

from tools.local.broadcast.events import KINDS, Envelope, event_name

Faults = frozenset[str]

# These change the delivery only, not IVS and S3.
OF_DELIVERY = {
    "duplicate": "every event comes a second time, and some a third",
    "republish": "every event comes again under a new id",
    "reorder": "events overtake each other by up to ten minutes",
    "delay": "some events come hours late, after all others",
}
OF_DROPPING = {
    "drop:NAME": "the events of this name are lost, as in drop:Recording End; drop:all loses all",
    "drop-end": "the same as drop:Stream End",
}
# These change the broadcast itself, in IVS and S3 too.
OF_BROADCAST = {
    "reconnect": "the encoder comes back within the window: two streams in one recording",
    "split": "the encoder comes back before the files are written: two streams, two recordings",
    "reconnect-late": "the encoder comes back after the window: two streams, two recordings",
    "takeover": "another encoder takes the stream over",
    "takeover-failure": "another encoder is refused",
    "starvation": "the encoder sends nothing for a while",
    "quota": "each of the four limits is exceeded",
    "stream-failure": "the first attempt is not processed; the encoder tries again",
    "recording-start-failure": "the first stream is not recorded",
    "recording-end-failure": "the last recording ends with a failure",
}
FAULTS = OF_DELIVERY | OF_DROPPING | OF_BROADCAST

LARGEST_BATCH = 10  # the default of an SQS source of a Lambda
_OVERTAKING = timedelta(minutes=10)
_SHORTEST_DELAY, _LONGEST_DELAY = timedelta(hours=1), timedelta(hours=12)


class UnknownFaultError(ValueError):
    """No fault has this name; the message lists all names."""


@dataclass(frozen=True)
class Batch:
    """Events that arrive together at `due`, after all of them happened."""

    due: datetime
    envelopes: list[Envelope]


def parse_faults(text: str) -> Faults:
    """Return the faults in a comma-separated list.

    Raises:
        UnknownFaultError: no fault has this name.
    """
    names = {"drop:Stream End" if name == "drop-end" else name for name in map(str.strip, text.split(",")) if name}
    unknown = names - OF_DELIVERY.keys() - OF_BROADCAST.keys() - {f"drop:{name}" for name in ("all", *KINDS)}
    for name in sorted(unknown):
        if name.startswith("drop:"):
            raise UnknownFaultError(f"no event has the name in {name}; there are all, {', '.join(KINDS)}")
        raise UnknownFaultError(f"there is no fault {name}; there are {', '.join(FAULTS)}")
    return frozenset(names)


def deliveries(events: Sequence[Envelope], faults: Faults, random: Random) -> list[Batch]:
    """Return the batches in which the events, in the order of their times, reach the Lambda.

    Without a fault of delivery each arrives alone and at once.
    """
    arrivals = [
        (datetime.fromisoformat(envelope["time"]), envelope)
        for envelope in events
        if not faults & {"drop:all", f"drop:{event_name(envelope)}"}
    ]
    if not arrivals:
        return []

    def later(due: datetime) -> datetime:
        return due + _OVERTAKING * random.random()

    if "reorder" in faults:
        changed = [(later(due), envelope) for due, envelope in arrivals]
        if changed == sorted(changed, key=itemgetter(0)):
            # They happen to be in order: move the first to the end.
            changed[0] = (changed[-1][0] + timedelta(seconds=1), changed[0][1])
        arrivals = changed
    if "republish" in faults:
        # It is not documented that IVS never sends an event twice under two ids.
        arrivals += [(later(due), {**envelope, "id": str(uuid4())}) for due, envelope in arrivals]
    if "duplicate" in faults:
        third = [arrival for arrival in arrivals if random.random() < 0.25]
        arrivals += [(later(due), envelope) for due, envelope in arrivals + third]
    if "delay" in faults:
        # At the end, so that late events come after every copy of every other event.
        end = max(due for due, _ in arrivals)
        late = {number for number in range(len(arrivals)) if random.random() < 0.3} or {0}
        for number in late:
            delay = _SHORTEST_DELAY + (_LONGEST_DELAY - _SHORTEST_DELAY) * random.random()
            arrivals[number] = (end + delay, arrivals[number][1])
    arrivals.sort(key=itemgetter(0))
    batches = []
    while arrivals:
        size = random.randint(1, LARGEST_BATCH) if faults & OF_DELIVERY.keys() else 1
        taken, arrivals = arrivals[:size], arrivals[size:]
        batches.append(Batch(taken[-1][0], [envelope for _, envelope in taken]))
    return batches
