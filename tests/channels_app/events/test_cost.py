"""What an event costs: a fixed number of statements, fewer in a batch, and one object a channel a batch."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from channels_app.models import Channel
from common import aws as aws_door
from tests.support.helpers import make_channel
from tests.support.road import (
    ARN,
    EVENTS,
    Envelope,
    ended_metadata,
    lambda_takes,
    live_file,
    put,
    recording_change,
    sample,
    stream_change,
    text_of,
)
from tools.local.aws import LocalAws

MOST = 8
ENDED_KEY = f"{recording_change('Recording End', 0)['detail']['recording_s3_key_prefix']}/events/recording-ended.json"
KINDS = sorted(path.stem for path in EVENTS.glob("*.json"))
pytestmark = pytest.mark.django_db


@pytest.fixture
def channel(aws: LocalAws) -> Channel:
    return make_channel(arn=ARN)


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent to the database; the savepoints stand where a transaction would begin and end."""
    sent: list[str] = []

    def noted(execute: Any, statement: str, *rest: Any) -> Any:
        if "SAVEPOINT" not in statement:
            sent.append(statement)
        return execute(statement, *rest)

    with connection.execute_wrapper(noted):
        yield sent


def cost(*events: Envelope) -> int:
    with statements() as sent:
        assert lambda_takes(*events) == []
    return len(sent)


def another(name: str, **fields: Any) -> Envelope:
    return sample(name, id=f"another-{name}", **fields)


def test_an_event_of_an_existing_channel_costs_at_most_eight_statements_after_any_history(channel: Channel) -> None:
    put(ENDED_KEY, ended_metadata())
    for name in KINDS:
        with transaction.atomic():
            first = cost(sample(name))
            # Another of its kind; then one of a stream that has an end and no start.
            second = cost(another(name))
            lambda_takes(stream_change("Stream End", 5, stream_id="st-JBd0Kh8oOOL8dKLzdocJ2is"))
            endless = {"stream_id": "st-JBd0Kh8oOOL8dKLzdocJ2is"} if "concurrent" not in name else {}
            third = cost(sample(name, id="a third", time="2026-03-04T08:00:00Z", detail=endless))
            assert max(first, second, third) <= MOST, name
            transaction.set_rollback(True)

    # Everything is known.
    lambda_takes(*map(sample, KINDS))
    for name in KINDS:
        assert cost(another(name)) <= MOST, name
        assert cost(sample(name)) == cost(another(name)) <= MOST, name


def test_the_cost_does_not_grow_with_the_rows_of_the_channel(channel: Channel) -> None:
    alone = cost(stream_change("Stream Start", 0, stream_id="st-first"))
    for first in range(0, 50, 5):
        numbers = range(first, first + 5)
        starts = [stream_change("Stream Start", number, stream_id=f"st-{number:03}") for number in numbers]
        lambda_takes(*starts, *(stream_change("Starvation", number) for number in numbers))

    assert cost(stream_change("Stream Start", 99, stream_id="st-last")) == alone


def test_a_batch_of_ten_costs_no_more_than_ten_singles(channel: Channel) -> None:
    singles = sum(cost(stream_change("Stream Start", number, stream_id=f"st-single{number}")) for number in range(10))

    batch = cost(*(stream_change("Stream Start", 20 + number, stream_id=f"st-batch{number}") for number in range(10)))

    assert batch <= singles
    # Stored, published and marked once.
    assert batch <= 3 + 2 * 10


def test_a_batch_writes_one_object_a_channel(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_channel()
    write = aws_door.json_write
    written: list[str] = []

    def noted(*, key: str, **rest: Any) -> None:
        written.append(key)
        write(key=key, **rest)

    monkeypatch.setattr(aws_door, "json_write", noted)

    lambda_takes(
        *(
            stream_change(name, minute)
            for minute, name in enumerate(["Session Created", "Stream Start", "Stream Takeover"])
        ),
        stream_change("Stream Start", 3, arn=other.arn),
        recording_change("Recording Start", 4),
        stream_change("Stream End", 5),
    )

    assert sorted(written) == sorted([f"live/{channel.uuid}.json", f"live/{other.uuid}.json"])
    assert [live_file(each)["state"] for each in (channel, other)] == ["offline", "live"]


def test_an_envelope_is_read_as_json_once(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    loads = json.loads

    def noted(text: Any, **rest: Any) -> Any:
        texts.append(text)
        return loads(text, **rest)

    event = text_of(sample("stream_start"))
    monkeypatch.setattr(json, "loads", noted)
    assert lambda_takes(event) == []

    assert texts.count(event) == 1
    assert live_file(channel)["state"] == "live"


def test_parked_and_unknown_events_cost_no_more(aws: LocalAws) -> None:
    assert cost(sample("stream_start")) <= MOST
    assert cost({**sample("stream_start"), "detail-type": "IVS Stage Update", "id": "a stage"}) <= MOST
