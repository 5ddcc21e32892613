"""Any order, any number of times, hours late: the same end (contract, section 6).

A history is made up, delivered once in the order of its times, and once as the queue might: in any order, doubled,
cut into batches, by several workers that die at any step, with channels and metadata that appear in between. Both must
leave the same tables, files and answers.
"""

import json
import os
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import hypothesis
import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from channels_app.events.inbox import process_open
from channels_app.models import Channel, InboxEvent
from ondemand.models import video_uuid
from tests.support.helpers import THOROUGH, bearer, make_channel
from tests.support.histories import CHANNELS, MADE_AT, Delivery, History, deliveries, histories
from tests.support.memory_s3 import MemoryS3
from tests.support.road import BUCKET, Envelope, lambda_takes, s3
from tests.support.workers import Stage, seams
from tools.local.aws import LocalAws

# How many histories, and from which seed; for very many there is CONVERGENCE_S3=memory, with which the answers of the
# API are left out as well.
EXAMPLES = int(os.environ.get("CONVERGENCE_EXAMPLES", "2000" if THOROUGH else "6"))
SEED = int(os.environ.get("CONVERGENCE_SEED", "1"))
IN_MEMORY = os.environ.get("CONVERGENCE_S3") == "memory"
PARTS = 4 if THOROUGH else 2
# The answers of the API are read of the tables: of some of the histories is enough.
ANSWERED = 12

TABLES = {
    "ivs_state_changes": ["_id"],
    "channels_app_stream": ["id"],
    "channels_app_streamhistoryentry": ["id", "stream_id"],
    "on_demand_videos": [],
    "ondemand_recording": ["id"],
}
EMPTIED = [*reversed(TABLES), "ivs_channels", "channels_app_inboxevent", "ondemand_removedrecording"]
EMPTY = "; ".join(f"DELETE FROM {table}" for table in EMPTIED)  # noqa: S608
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("api_key"), pytest.mark.slow]


@pytest.fixture
def bucket(aws: LocalAws) -> Iterator[Any]:
    """A client of the S3 that the road writes to."""
    if not IN_MEMORY:
        yield s3()
        return
    memory = MemoryS3()
    with patch("common.aws.s3.client", lambda *_: memory):
        yield memory


def drawn(part: int, examples: int) -> Any:
    """As many histories as this part of the test looks at, the same each time."""
    profile = settings(
        max_examples=max(1, examples // PARTS),
        deadline=None,
        database=None,
        # A history that fails is reported as it was drawn: to shrink it would take the minutes of the whole.
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: hypothesis.seed(SEED * PARTS + part)(profile(given(st.data())(test)))


def orderly(history: History) -> Delivery:
    return Delivery([*CHANNELS, *history.objects, history.events], workers=1, seed=0, crashes=False)


def carry_out(s3: Any, history: History, delivery: Delivery, *, with_answers: bool) -> dict[str, Any]:
    """Deliver, let `process_inbox` do what was left open, and look at everything."""
    clear(s3)
    batches: list[list[Envelope]] = []
    for step in delivery.steps:
        if isinstance(step, list):
            batches.append(step)
            continue
        # What appears does so when all that was sent before has been taken.
        take(batches, delivery)
        batches = []
        if step not in CHANNELS:
            s3.put_object(Bucket=BUCKET, Key=step, Body=json.dumps(history.objects[step]).encode())
        elif not Channel.objects.filter(arn=step).exists():
            make_channel(uuid=CHANNELS[step], arn=step, created_at=MADE_AT)
    take(batches, delivery)
    list(process_open())
    return everything(s3, with_answers=with_answers)


def take(batches: list[list[Envelope]], delivery: Delivery) -> None:
    if delivery.workers == 1 and not delivery.crashes:
        for batch in batches:
            assert lambda_takes(*batch) == []
        return
    stage = Stage(batches, workers=delivery.workers, seed=delivery.seed, crashes=delivery.crashes)
    with seams(stage):
        stage.run()


def clear(s3: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(EMPTY)
    if keys := keys_in(s3):
        s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys]})


def keys_in(s3: Any, prefix: str = "") -> list[str]:
    return [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def everything(s3: Any, *, with_answers: bool) -> dict[str, Any]:
    left: dict[str, Any] = {table: rows(table, hidden) for table, hidden in TABLES.items()}
    # By the id in the body, and without envelopes of another kind that came with the same id.
    events = InboxEvent.objects.exclude(event_id__startswith="reconcile:").exclude(outcome="ignored")
    outcomes = [(json.loads(body)["id"], outcome) for body, outcome in events.values_list("body", "outcome")]
    assert len(dict(outcomes)) == len(outcomes)
    left["outcomes"] = dict(outcomes)
    files = {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys_in(s3, "live/")}
    left["files"] = {key: json.loads(body) for key, body in files.items()}
    if with_answers:
        left["answers"] = answers()
    return left


def rows(table: str, hidden: list[str]) -> list[str]:
    """The rows as JSON texts, sorted, without their surrogate keys."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT (to_jsonb(t) - %s::text[])::text AS t FROM {table} AS t ORDER BY t", [hidden])  # noqa: S608
        return [row[0] for row in cursor.fetchall()]


def answers() -> dict[str, Any]:
    client, key = Client(), bearer("a shared key")
    paths = ["/on-demand", "/channels", "/channels/live"]
    paths += [f"/channels/{uuid}/{name}" for uuid in CHANNELS.values() for name in ("live", "streams")]
    with connection.cursor() as cursor:
        cursor.execute("SELECT uuid FROM on_demand_videos ORDER BY uuid")
        paths += [f"/on-demand/{row[0]}" for row in cursor.fetchall()]
    return {path: client.get(path, headers=key).json() for path in paths}


@pytest.mark.parametrize("part", range(PARTS))
def test_any_delivery_of_a_history_ends_as_the_orderly_one(bucket: Any, part: int) -> None:
    count = 0

    @drawn(part, EXAMPLES)
    def holds(data: st.DataObject) -> None:
        nonlocal count
        count += 1
        history = data.draw(histories())
        delivery = data.draw(deliveries(history))
        with_answers = not IN_MEMORY and delivery.seed % ANSWERED == 0

        left = carry_out(bucket, history, delivery, with_answers=with_answers)
        expected = carry_out(bucket, history, orderly(history), with_answers=with_answers)

        assert {name: left[name] for name in left if left[name] != expected[name]} == {
            name: expected[name] for name in left if left[name] != expected[name]
        }

    holds()
    assert count >= EXAMPLES // PARTS


def test_the_end_of_an_ordered_history_is_that_of_the_contract(bucket: Any) -> None:
    @drawn(0, 6 * PARTS)
    def holds(data: st.DataObject) -> None:
        history = data.draw(histories())

        left = carry_out(bucket, history, orderly(history), with_answers=True)

        for arn, uuid in CHANNELS.items():
            answer = left["answers"][f"/channels/{uuid}/live"]
            state, stream_id = live_state_by_the_contract([e for e in history.events if e["resources"] == [arn]])
            assert (answer["state"], answer["stream_id"]) == (state, stream_id)
            file = left["files"].get(f"live/{uuid}.json")
            assert file is None or file == {name: answer[name] for name in file}
        assert {item["uuid"] for item in left["answers"]["/on-demand"]["data"]} == ended_by_the_contract(history.events)
        assert set(left["outcomes"].values()) <= {"applied", "deferred"}

    holds()


def live_state_by_the_contract(events: list[Envelope]) -> tuple[str, str | None]:
    """Section 6, read word by word: the streams in their order, and the last of them that has a start or an end."""
    streams: dict[str, list[Envelope]] = {}
    for event in events:
        streams.setdefault(event["detail"]["stream_id"], []).append(event)

    def times(stream: str, name: str | None = None) -> list[str]:
        return sorted(e["time"] for e in streams[stream] if name is None or e["detail"].get("event_name") == name)

    begun = [stream for stream in streams if times(stream, "Stream Start") or times(stream, "Stream End")]
    if not begun:
        return "offline", None
    last = max(begun, key=lambda stream: ((times(stream, "Stream Start") or times(stream))[0], stream))
    return ("live" if not times(last, "Stream End") else "offline"), last


def ended_by_the_contract(events: list[Envelope]) -> set[str]:
    """The videos of all recordings that have an end."""
    ended = [event["detail"] for event in events if event["detail"].get("recording_status") == "Recording End"]
    return {str(video_uuid(BUCKET, detail["recording_s3_key_prefix"])) for detail in ended}
