"""Any order, any number of times, hours late: the same end (contract, section 6).

A history is made up, delivered once in the order of its times, and once as the queue might: in any order, doubled,
cut into batches, with channels and metadata that appear in between. Both must leave the same tables, files and answers.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels_app.inbox import process_open
from channels_app.models import InboxEvent
from ivsvod.local.events import health_event, limit_event, recording_event, stream_event
from ondemand.models import video_uuid
from tests.helpers import bearer, make_channel
from tests.road import BUCKET, NINE, Envelope, ended_metadata, lambda_takes, put, s3

pytestmark = pytest.mark.django_db

# CI looks at the same histories each time; with CONVERGENCE_EXAMPLES=500, say, new ones are tried.
settings.register_profile(
    "convergence",
    max_examples=int(os.environ.get("CONVERGENCE_EXAMPLES", "15")),
    derandomize="CONVERGENCE_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
AS_IN_CI = settings.get_profile("convergence")

CHANNELS = {
    f"arn:aws:ivs:eu-west-1:111122223333:channel/{name}": UUID(int=number)
    for number, name in enumerate(["AjIhKtJ0RlgL", "BkJiLuK1SmhM"], 1)
}
MADE_AT = NINE - timedelta(days=1)
TABLES = {
    "ivs_state_changes": ["_id"],
    "channels_app_stream": ["id"],
    "channels_app_streamhistoryentry": ["id", "stream_id"],
    "on_demand_videos": [],
    "ondemand_recording": ["id"],
}


@dataclass
class History:
    """What happened: the events in the order of their times, and the objects that IVS wrote."""

    events: list[Envelope]
    objects: dict[str, dict[str, Any]]


@dataclass
class Deliveries:
    """How it became known: steps in their order. Text makes a channel or writes an object; a list is one batch."""

    steps: list[str | list[Envelope]]


# What can happen


@st.composite
def stream_events(draw: st.DrawFn, arn: str, stream_id: str, begins: datetime) -> list[Envelope]:
    """The life of a stream, any part of which IVS may never have sent."""
    length = timedelta(minutes=draw(st.integers(1, 40)))
    known = (arn, draw(st.sampled_from(["room-42", ""])), stream_id)
    events = [
        stream_event("Session Created", *known, begins - timedelta(seconds=5)),
        stream_event("Stream Start", *known, begins),
        stream_event("Session Ended", *known, begins + length - timedelta(seconds=6)),
        stream_event("Stream End", *known, begins + length),
        stream_event("Stream Start", *known, begins + timedelta(seconds=3)),
        stream_event("Stream End", *known, begins + length + timedelta(seconds=3)),
        stream_event("Stream Failure", *known, begins + timedelta(seconds=2), reason="no capacity"),
        stream_event("Stream Takeover Failure", *known, begins + length / 2, code="StreamTakeoverInvalidPriority"),
        health_event("Starvation Start", *known, begins + length / 3),
        limit_event(
            "Ingest Bitrate",
            begins - timedelta(seconds=draw(st.integers(0, 2000))),
            limit_value=8_500_000,
            exceeded_by=1,
            limit_unit="bits per second",
            account="111122223333",
            region="eu-west-1",
            channel_arn=arn,
            channel_name=known[1],
            stream_id=stream_id,
        ),
    ]
    weights = [0.4, 0.5, 0.2, 0.7, 0.2, 0.2, 0.1, 0.1, 0.1, 0.3]
    return [event for event, weight in zip(events, weights, strict=True) if draw(st.integers(0, 99)) < weight * 100]


@st.composite
def recording_events(
    draw: st.DrawFn, arn: str, streams: list[str], begins: datetime, number: int
) -> tuple[list[Envelope], dict[str, dict[str, Any]]]:
    """The life of a recording of one or several streams, and its metadata."""
    prefix = f"ivs/v1/111122223333/{arn[-12:]}/2026/3/4/9/{number}/KOmxgJTeKdNn"
    minutes = draw(st.integers(1, 60))
    ends = begins + timedelta(minutes=minutes)
    place = {"bucket": BUCKET, "prefix": prefix, "session_id": f"SESSION{number}"}

    def told(status: Any, at: datetime, **extra: Any) -> Envelope:
        return recording_event(status, arn, "room-42", draw(st.sampled_from(streams)), at, **{**place, **extra})

    end = {"duration_ms": minutes * 60_000, "stream_ids": streams}
    events = [
        told("Recording Start", begins),
        told("Recording Start", begins + timedelta(seconds=40)),
        told("Recording End", ends, **end),
        told("Recording End", ends + timedelta(seconds=draw(st.integers(0, 1))), **{**end, "duration_ms": 1000}),
        told("Recording End Failure", ends + timedelta(seconds=draw(st.integers(-9, 9))), reason="InternalServer"),
        told("Recording End Failure", ends, reason="another reason"),
        told("Recording Start Failure", begins, prefix="", reason="ValidationException"),
    ]
    weights = [0.6, 0.2, 0.7, 0.4, 0.3, 0.2, 0.1]
    kept = [event for event, weight in zip(events, weights, strict=True) if draw(st.integers(0, 99)) < weight * 100]
    names = draw(st.sets(st.sampled_from(["recording-ended.json", "recording-failed.json"])))
    lengths = {"recording-ended.json": minutes * 60_000 + 250, "recording-failed.json": 777}
    return kept, {f"{prefix}/events/{name}": ended_metadata(duration_ms=lengths[name]) for name in names}


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Some streams and recordings on two channels, overlapping as they should not and as they may be told."""
    history = History([], {})
    for arn in CHANNELS:
        number = draw(st.integers(0, 3))
        streams = [f"st-{arn[-12:]}{letter * 11}" for letter in "bac"[:number]]
        starts = [NINE + timedelta(minutes=15 * draw(st.integers(0, 4))) for _ in streams]
        for stream_id, begins in zip(streams, starts, strict=True):
            history.events += draw(stream_events(arn, stream_id, begins))
        for recording in range(draw(st.integers(0, 1)) if streams else 0):
            taken = draw(st.lists(st.sampled_from(streams), min_size=1, unique=True))
            events, objects = draw(recording_events(arn, taken, draw(st.sampled_from(starts)), recording))
            history.events += events
            history.objects |= objects
    # IVS may publish an event again under a new id.
    again = draw(st.lists(st.sampled_from(history.events), max_size=2)) if history.events else []
    history.events += [dict(event) for event in again]
    ids = draw(st.permutations(range(len(history.events))))
    history.events = [{**event, "id": f"event-{i:03}"} for event, i in zip(history.events, ids, strict=True)]
    history.events.sort(key=lambda event: event["time"])
    return history


@st.composite
def deliveries(draw: st.DrawFn, history: History) -> Deliveries:
    """All of it at least once, in any order and in batches of any size; channels and objects appear in between."""
    doubled = draw(st.lists(st.sampled_from(history.events), max_size=6)) if history.events else []
    events = draw(st.permutations([*history.events, *doubled]))
    batches: list[str | list[Envelope]] = []
    while events:
        size = draw(st.integers(1, 6))
        batches.append(list(events[:size]))
        events = events[size:]
    for appears in [*CHANNELS, *history.objects]:
        # Mostly there before the events, sometimes hours late. A failure does not wait for its metadata.
        late = draw(st.integers(0, 3)) == 0 and not appears.endswith("recording-failed.json")
        batches.insert(draw(st.integers(0, len(batches))) if late else 0, appears)
    return Deliveries(batches)


# What it leaves


@contextmanager
def undone() -> Iterator[None]:
    """Nothing of it stays in the database or in S3."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    for item in s3().list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3().delete_object(Bucket=BUCKET, Key=item["Key"])


def carry_out(history: History, steps: list[str | list[Envelope]]) -> dict[str, Any]:
    """Deliver, let `process_inbox` do what was left open, and look at everything."""
    with undone():
        for step in steps:
            if isinstance(step, list):
                assert lambda_takes(*step) == []
            elif step in CHANNELS:
                make_channel(uuid=CHANNELS[step], arn=step, created_at=MADE_AT)
            else:
                put(step, history.objects[step])
        list(process_open())
        return everything()


def everything() -> dict[str, Any]:
    left: dict[str, Any] = {table: rows(table, hidden) for table, hidden in TABLES.items()}
    left["outcomes"] = dict(InboxEvent.objects.order_by("event_id").values_list("event_id", "outcome"))
    left["files"] = files()
    left["answers"] = answers()
    return left


def rows(table: str, hidden: list[str]) -> list[str]:
    """The rows as JSON texts, sorted, without their surrogate keys."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_jsonb(t) - %s::text[] FROM {table} AS t", [hidden])  # noqa: S608
        return sorted(json.dumps(json.loads(row[0]), sort_keys=True) for row in cursor.fetchall())


def files() -> dict[str, Any]:
    keys = [item["Key"] for item in s3().list_objects_v2(Bucket=BUCKET, Prefix="live/").get("Contents", [])]
    return {key: json.loads(s3().get_object(Bucket=BUCKET, Key=key)["Body"].read()) for key in keys}


def answers() -> dict[str, Any]:
    client, key = Client(), bearer("a shared key")
    paths = ["/on-demand", *(f"/channels/{uuid}/live" for uuid in CHANNELS.values())]
    with connection.cursor() as cursor:
        cursor.execute("SELECT uuid FROM on_demand_videos ORDER BY uuid")
        paths += [f"/on-demand/{row[0]}" for row in cursor.fetchall()]
    return {path: client.get(path, headers=key).json() for path in paths}


@pytest.mark.usefixtures("aws", "api_key")
@settings(AS_IN_CI)
@given(st.data())
def test_any_delivery_of_a_history_ends_as_the_orderly_one(data: st.DataObject) -> None:
    history = data.draw(histories())
    orderly = [*CHANNELS, *history.objects, *([event] for event in history.events)]
    expected = carry_out(history, orderly)

    delivered = data.draw(deliveries(history))

    left = carry_out(history, delivered.steps)
    assert {part: left[part] for part in left if left[part] != expected[part]} == {
        part: expected[part] for part in left if left[part] != expected[part]
    }


@pytest.mark.usefixtures("aws", "api_key")
@settings(AS_IN_CI, max_examples=8)
@given(st.data())
def test_the_orderly_end_of_a_history_is_what_the_contract_says(data: st.DataObject) -> None:
    history = data.draw(histories())
    orderly = [*CHANNELS, *history.objects, *([event] for event in history.events)]

    left = carry_out(history, orderly)

    for arn, uuid in CHANNELS.items():
        answer = left["answers"][f"/channels/{uuid}/live"]
        state, stream_id = live_state_by_the_contract([e for e in history.events if e["resources"] == [arn]])
        assert (answer["state"], answer["stream_id"]) == (state, stream_id)
        file = left["files"].get(f"live/{uuid}.json")
        assert file is None or file == {name: answer[name] for name in file}
    assert {item["uuid"] for item in left["answers"]["/on-demand"]["data"]} == ended_by_the_contract(history.events)
    assert set(left["outcomes"].values()) <= {"applied", "deferred"}


def live_state_by_the_contract(events: list[Envelope]) -> tuple[str, str | None]:
    """Section 6, read word by word: the streams in their order, and the last of them that has a start or an end."""
    streams: dict[str, list[Envelope]] = {}
    for event in events:
        streams.setdefault(event["detail"]["stream_id"], []).append(event)

    def times(stream: str, name: str | None = None) -> list[str]:
        return sorted(e["time"] for e in streams[stream] if name is None or e["detail"].get("event_name") == name)

    heard = [stream for stream in streams if times(stream, "Stream Start") or times(stream, "Stream End")]
    if not heard:
        return "offline", None
    last = max(heard, key=lambda stream: ((times(stream, "Stream Start") or times(stream))[0], stream))
    return ("live" if not times(last, "Stream End") else "offline"), last


def ended_by_the_contract(events: list[Envelope]) -> set[str]:
    """The videos of all recordings that have an end."""
    ended = [event["detail"] for event in events if event["detail"].get("recording_status") == "Recording End"]
    return {str(video_uuid(BUCKET, detail["recording_s3_key_prefix"])) for detail in ended}
