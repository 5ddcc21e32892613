"""Histories that hypothesis draws: what happened on some channels, and how the queue delivers it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from channels_app.envelopes import RECORDING_STATE
from channels_app.events.synthetic import recording_envelope, stream_envelope
from tests.support.road import BUCKET, NINE, Envelope, ended_metadata
from tools.local.broadcast.events import limit_event, recording_event, stream_event

CHANNELS = {
    f"arn:aws:ivs:eu-west-1:111122223333:channel/{name}": UUID(int=number)
    for number, name in enumerate(["AjIhKtJ0RlgL", "BkJiLuK1SmhM"], 1)
}
MADE_AT = NINE - timedelta(days=1)
SECOND = timedelta(seconds=1)


@dataclass
class History:
    """What happened: the events in the order of their times, and the objects that IVS wrote."""

    events: list[Envelope] = field(default_factory=list)
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Delivery:
    """How it became known. Text in `steps` makes a channel or writes an object; a list is one batch of the queue.

    `workers` take the batches; `seed` decides who goes on and who dies where.
    """

    steps: list[str | list[Envelope]]
    workers: int
    seed: int
    crashes: bool


def limit(name: Any, at: datetime, arn: str, stream_id: str) -> Envelope:
    return limit_event(
        name,
        at,
        limit_value=8_500_000,
        exceeded_by=1,
        limit_unit="bits per second",
        account="111122223333",
        region="eu-west-1",
        channel_arn=arn,
        channel_name="room-42",
        stream_id=stream_id,
    )


def life_of_a_stream(arn: str, stream_id: str, begins: datetime, minutes: int) -> list[Envelope]:
    """All that IVS can send of a stream, and more than it should."""
    length = timedelta(minutes=minutes)
    ends = begins + length
    known = (arn, "room-42", stream_id)
    return [
        stream_event("Stream Start", *known, begins),
        stream_event("Stream End", *known, ends),
        stream_event("Session Created", *known, begins - 5 * SECOND),
        stream_event("Session Ended", *known, ends - 6 * SECOND),
        # Published again by IVS itself, under another id and at another time.
        stream_event("Stream Start", *known, begins + 3 * SECOND),
        stream_event("Stream End", *known, ends + 3 * SECOND),
        stream_event("Stream Failure", *known, begins + 2 * SECOND, reason="no capacity"),
        stream_event("Stream Takeover", *known, begins + length / 2),
        stream_event("Stream Takeover Failure", *known, begins + length / 2, code="StreamTakeoverInvalidPriority"),
        stream_event("Starvation Start", *known, begins + length / 3),
        stream_event("Starvation End", *known, begins + length / 3 + 7 * SECOND),
        limit("Ingest Bitrate", begins - minutes * 40 * SECOND, arn, stream_id),
        limit("Ingest Resolution", begins + SECOND, arn, stream_id),
    ]


def life_of_a_recording(arn: str, streams: list[str], begins: datetime, minutes: int, number: int) -> History:
    """All that IVS can send of a recording of one stream or of several, and what it writes."""
    prefix = f"ivs/v1/111122223333/{arn[-12:]}/2026/3/4/9/{number}/KOmxgJTeKdNn"
    ends = begins + timedelta(minutes=minutes)

    def change(status: Any, at: datetime, stream_id: str = streams[-1], **extra: Any) -> Envelope:
        place = {"bucket": BUCKET, "prefix": prefix, "session_id": f"SESSION{number}"}
        return recording_event(status, arn, "room-42", stream_id, at, **{**place, **extra})

    end = {"duration_ms": minutes * 60_000, "stream_ids": streams}
    names = {"recording-ended.json": minutes * 60_000 + 250, "recording-failed.json": 777}
    return History(
        [
            change("Recording Start", begins, streams[0]),
            change("Recording End", ends, **end),
            change("Recording Start", begins + 40 * SECOND),
            change("Recording End", ends + (number % 2) * SECOND, **{**end, "duration_ms": 1000}),
            change("Recording End Failure", ends - 4 * SECOND, reason="InternalServerException"),
            change("Recording End Failure", ends, reason="another reason"),
            change("Recording Start Failure", begins, streams[0], prefix="", reason="ValidationException"),
        ],
        {f"{prefix}/events/{name}": ended_metadata(duration_ms=length) for name, length in names.items()},
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Streams and recordings on two channels: reconnects, merges, takeovers, failures, missed and doubled events."""
    history = History()
    for arn in CHANNELS:
        streams = [f"st-{arn[-12:]}{letter * 11}" for letter in "bac"[: draw(st.integers(0, 3))]]
        begins: list[datetime] = []
        for stream_id in streams:
            # Many begin at the same moment, and they overlap as they should not.
            begins.append(NINE + timedelta(minutes=15 * draw(st.integers(0, 3))))
            life = life_of_a_stream(arn, stream_id, begins[-1], draw(st.integers(1, 30)))
            history.events += masked(draw, life, usual=2)
        # One stream may have several recordings, and one recording several streams.
        for number in range(draw(st.integers(0, 2)) if streams else 0):
            taken = streams[draw(st.integers(0, len(streams) - 1)) :]
            life_of_it = life_of_a_recording(arn, taken, begins[-len(taken)], draw(st.integers(1, 60)), number)
            history.events += masked(draw, life_of_it.events, usual=2)
            written = draw(st.integers(0, 3))
            history.objects |= {
                key: life_of_it.objects[key] for bit, key in enumerate(life_of_it.objects) if written >> bit & 1
            }
    history.events = [
        {**event, "id": event_id} for event, event_id in zip(history.events, ids(draw, history), strict=True)
    ]
    history.events.sort(key=lambda event: event["time"])
    return history


def masked(draw: st.DrawFn, events: list[Envelope], *, usual: int) -> list[Envelope]:
    """Some of the events: each of the `usual` first with three chances of four, each other with one of four."""
    bits = draw(st.integers(0, 4 ** len(events) - 1))
    chosen = [bits >> 2 * place & 3 for place in range(len(events))]
    return [event for place, event in enumerate(events) if (chosen[place] > 0 if place < usual else chosen[place] == 3)]


def ids(draw: st.DrawFn, history: History) -> list[str]:
    """Ids whose order has nothing to do with that of the events."""
    turn = draw(st.integers(1, 96))
    return [f"event-{(place + 1) * turn % 97:02}" for place in range(len(history.events))]


@st.composite
def deliveries(draw: st.DrawFn, history: History) -> Delivery:
    """All of it at least once, in any order, in batches of any size; channels and objects appear in between.

    What `reconcile` would make of some of the events may come as well, and envelopes of another kind with the ids of
    some; before or after them, and both change nothing.
    """
    seed = draw(st.integers(0, 2**32 - 1))
    random = Random(seed)  # noqa: S311
    events = [*history.events, *random.choices(history.events, k=random.randrange(6) if history.events else 0)]
    events += [twin(event) for event in history.events if random.random() < 0.1]
    events += [{**event, "detail-type": "IVS Other"} for event in history.events if random.random() < 0.1]
    random.shuffle(events)
    steps: list[str | list[Envelope]] = []
    while events:
        size = random.randint(1, 6)
        steps.append(events[:size])
        events = events[size:]
    for appears in [*CHANNELS, *history.objects]:
        # Mostly there before the events, sometimes hours late. A failure does not wait for its metadata.
        is_late = random.random() < 0.25 and not appears.endswith("recording-failed.json")
        steps.insert(random.randint(0, len(steps)) if is_late else 0, appears)
    return Delivery(steps, workers=random.randint(1, 3), seed=seed, crashes=random.random() < 0.5)


def twin(event: Envelope) -> Envelope:
    """The event as `reconcile` would make it of what IVS and S3 still know."""
    detail, [arn], at = event["detail"], event["resources"], datetime.fromisoformat(event["time"])
    if event["detail-type"] != RECORDING_STATE:
        name = detail.get("event_name") or detail["limit_name"]
        return stream_envelope(name=name, arn=arn, stream_id=detail["stream_id"], at=at)
    return recording_envelope(
        status=detail["recording_status"],
        arn=arn,
        at=at,
        bucket=detail["recording_s3_bucket_name"],
        prefix=detail["recording_s3_key_prefix"],
        duration_ms=detail["recording_duration_ms"],
        stream_id=detail["stream_id"],
        stream_ids=detail.get("recording_session_stream_ids", []),
    )
