"""The road of an event from the front door: the Lambda's handler and `ingest_events`, to tables, S3 and API."""

import hashlib
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from channels_app.channels.provisioning import channel_create
from channels_app.events import handlers, inbox
from channels_app.models import Channel, InboxEvent, StateChange, Stream
from channels_app.models.live_state import LiveState
from channels_app.streams import live_state_file
from common import aws as aws_door
from common.aws import AwsError, AwsErrorKind
from common.rest.compiled import CompiledInstances
from ivsvod import lambda_entry
from ivsvod.lambda_entry import EventFailedError, InvocationRefusedError
from ondemand.models import Recording, Video, video_uuid
from ondemand.recordings import handlers as recording_reducers
from ondemand.videos.services import content_replace, video_hide, video_show, video_update
from tests.support.helpers import OWNER, THOROUGH, bearer, in_transaction, make_channel
from tests.support.predecessor import statements
from tests.support.road import (
    ARN,
    BUCKET,
    NINE,
    PREFIX,
    STREAM,
    at,
    command,
    document_in_s3,
    ended_metadata,
    inbox_row,
    ingest_file,
    invoke,
    lambda_takes,
    lines,
    live,
    live_file,
    outcomes,
    put,
    recording_change,
    s3,
    sample,
    stream_change,
    text_of,
    without,
)
from tools.local.aws import LocalAws
from tools.local.broadcast.events import sqs_batch, stream_event

pytestmark = pytest.mark.django_db
ENDED_KEY = f"{PREFIX}/events/recording-ended.json"
FAILED_KEY = f"{PREFIX}/events/recording-failed.json"
EARLIER, LATER = "st-aaaaaaaaaaaaaaaaaaaaaaa", "st-bbbbbbbbbbbbbbbbbbbbbbb"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def channel(aws: LocalAws) -> Channel:
    """The channel of the samples; IVS and S3 are there."""
    return make_channel(arn=ARN)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Every call to AWS from now on: its service, and whether a transaction was open."""
    calls: list[tuple[str, bool]] = []
    client = aws_door.clients.client

    def noted(service: str, config: Any) -> Any:
        calls.append((service, in_transaction()))
        return client(service, config)

    for module in (aws_door.ivs, aws_door.s3):
        monkeypatch.setattr(module, "client", noted)
    return calls


class Killed(BaseException):
    """What a SIGKILL looks like from inside: no `except Exception` sees it."""


def raising(error: BaseException) -> Callable[..., Any]:
    def raise_it(*_: Any, **__: Any) -> Any:
        raise error

    return raise_it


def predecessor() -> Any:
    """The connection as the predecessor's statements take it."""
    connection.ensure_connection()
    return connection.connection


def the_video() -> Video:
    return Video.objects.get(bucket=BUCKET, prefix=PREFIX, duplicate_of=None)


def listed(client: Client) -> list[dict[str, Any]]:
    return client.get("/on-demand").json()["data"]


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


# The predecessor's defects


def test_defect_1_a_duplicate_recording_end_makes_one_video(channel: Channel, client: Client) -> None:
    put(ENDED_KEY, ended_metadata())
    end = sample("recording_end")

    assert outcomes(end, end, {**end, "id": "published-again-by-ivs"}) == ["applied", "duplicate", "applied"]

    assert Video.objects.count() == 1
    assert len(listed(client)) == 1


def test_defect_2_a_stream_start_delivered_after_its_stream_end_leaves_the_channel_offline(
    channel: Channel, client: Client
) -> None:
    outcomes(sample("stream_end"), sample("stream_start"))

    assert live(channel) == ("offline", STREAM)
    assert client.get(f"/channels/{channel.uuid}/live").json()["state"] == "offline"
    assert live_file(channel)["state"] == "offline"


def test_defect_6_a_recording_end_that_is_hours_late_does_not_move_the_video(channel: Channel, client: Client) -> None:
    outcomes(recording_change("Recording End", 73, duration_ms=3_960_000))

    [video] = listed(client)
    assert video["start_time"] == milliseconds(at(73) - timedelta(milliseconds=3_960_000))
    assert video["ended_at"] == "2026-03-04T10:13:00Z"


def test_defect_11_the_live_state_file_is_one_per_channel(channel: Channel) -> None:
    other = make_channel()

    outcomes(sample("stream_start"), stream_change("Stream Start", 6, arn=other.arn, stream_id=LATER))
    outcomes(sample("stream_end"))

    assert (live_file(channel)["state"], live_file(channel)["stream_id"]) == ("offline", STREAM)
    assert (live_file(other)["state"], live_file(other)["stream_id"]) == ("live", LATER)


def test_defect_12_an_event_of_a_channel_that_the_database_does_not_know_is_parked(aws: LocalAws) -> None:
    start = sample("stream_start")

    assert lambda_takes(start) == []

    row = inbox_row(start)
    assert (row.outcome, row.channel_arn, row.error) == ("parked", ARN, "")
    assert outcomes(start) == ["parked"]
    assert InboxEvent.objects.count() == 1


def test_defect_12_parked_events_are_applied_when_channel_create_makes_their_channel(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = aws_door.channel_create

    def events_first(**values: Any) -> Any:
        answer = made(**values)
        events = [
            stream_change("Stream Start", 5, arn=answer.arn),
            recording_change("Recording End", 70, arn=answer.arn),
        ]
        assert outcomes(*events) == ["parked", "parked"]
        return answer

    monkeypatch.setattr(aws_door, "channel_create", events_first)

    channel = channel_create(name="room-42", owner=OWNER)

    assert live(channel) == ("live", STREAM)
    assert live_file(channel)["state"] == "live"
    assert the_video().channel_id == channel.pk
    assert not InboxEvent.objects.filter(outcome="parked").exists()


def test_defect_12_parked_events_are_applied_by_process_inbox_once_the_predecessor_made_their_channel(
    aws: LocalAws,
) -> None:
    outcomes(sample("stream_start"), sample("recording_end"))
    uuid = uuid4()
    statements.insert_channel(predecessor(), uuid=uuid, owner=OWNER, arn=ARN, channel_data="{}")

    status, printed = command("process_inbox")

    assert status == 0
    assert [line["outcome"] for line in printed] == ["applied", "deferred"]
    assert live(Channel.objects.get(pk=uuid)) == ("live", STREAM)
    assert the_video().channel_id == uuid


def test_a_channel_that_appears_while_its_event_is_being_parked_gets_the_event(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    instances = CompiledInstances.instances

    def appears_after(query: CompiledInstances, **values: Any) -> list[Any]:
        monkeypatch.setattr(CompiledInstances, "instances", instances)
        make_channel(arn=ARN)
        inbox.process_parked(ARN)
        return []

    monkeypatch.setattr(CompiledInstances, "instances", appears_after)

    outcomes(sample("stream_start"))

    assert inbox_row(sample("stream_start")).outcome == "applied"


# Live state


def test_the_same_event_twice_is_a_duplicate_and_changes_nothing(channel: Channel) -> None:
    start = sample("stream_start")

    assert outcomes(start, start) == ["applied", "duplicate"]
    assert lambda_takes(start, start) == []

    assert StateChange.objects.count() == Stream.objects.count() == InboxEvent.objects.count() == 1


def test_an_end_without_a_start_is_offline_since_the_end(channel: Channel, client: Client) -> None:
    outcomes(sample("stream_end"))

    answer = client.get(f"/channels/{channel.uuid}/live").json()
    assert (answer["state"], answer["stream_id"]) == ("offline", STREAM)
    assert answer["timestamp"] == milliseconds(datetime(2026, 3, 4, 10, 11, 36, tzinfo=UTC))


def test_a_live_channel_is_live_since_its_stream_start(channel: Channel, client: Client) -> None:
    outcomes(sample("session_created"), sample("stream_start"))

    answer = client.get(f"/channels/{channel.uuid}/live").json()
    assert (answer["state"], answer["stream_id"]) == ("live", STREAM)
    assert answer["timestamp"] == milliseconds(datetime(2026, 3, 4, 9, 5, 7, tzinfo=UTC))


def test_a_late_stream_end_of_an_older_stream_leaves_the_channel_live(channel: Channel) -> None:
    outcomes(
        stream_change("Stream Start", 0, stream_id=LATER),
        stream_change("Stream Start", 30, stream_id=EARLIER),
        stream_change("Stream End", 35, stream_id=LATER),
    )

    assert live(channel) == ("live", EARLIER)
    assert live_file(channel)["stream_id"] == EARLIER


def test_only_a_start_or_an_end_changes_the_live_state(channel: Channel) -> None:
    outcomes(sample("stream_start"))
    for name in (
        "session_created",
        "session_ended",
        "stream_failure",
        "stream_takeover",
        "stream_takeover_failure",
        "starvation_start",
        "starvation_end",
        "limit_breach_ingest_bitrate",
        "limit_breach_ingest_resolution",
    ):
        assert outcomes(sample(name, time="2026-03-04T10:00:00Z")) == ["applied"], name
        assert live(channel) == ("live", STREAM), name
    assert Stream.objects.count() == StateChange.objects.count() == 1


def test_a_stream_without_start_and_end_says_nothing_about_the_live_state(channel: Channel) -> None:
    outcomes(stream_change("Stream Start", 0, stream_id=EARLIER))
    for name in ("session_created", "session_ended", "starvation_start"):
        outcomes(sample(name, time="2026-03-04T10:00:00Z"))
        assert live(channel) == ("live", EARLIER), name


def test_streams_stand_in_the_order_of_their_stream_start_and_not_of_their_first_event(channel: Channel) -> None:
    outcomes(
        stream_change("Session Created", 0, stream_id=LATER),
        stream_change("Session Created", 1, stream_id=EARLIER),
        stream_change("Stream Start", 2, stream_id=EARLIER),
        stream_change("Stream End", 3, stream_id=EARLIER),
        stream_change("Stream Start", 4, stream_id=LATER),
    )

    assert live(channel) == ("live", LATER)


def test_a_stream_without_a_start_is_ordered_by_its_earliest_event(channel: Channel) -> None:
    outcomes(
        stream_change("Stream End", 40, stream_id=LATER),
        stream_change("Stream Start", 30, stream_id=EARLIER),
        stream_change("Session Created", 10, stream_id=LATER),
    )

    assert live(channel) == ("live", EARLIER)


def test_the_file_follows_when_a_session_event_moves_a_stream_without_a_start_before_the_running_one(
    channel: Channel,
) -> None:
    outcomes(stream_change("Stream Start", 30, stream_id=EARLIER), stream_change("Stream End", 40, stream_id=LATER))
    assert live_file(channel)["stream_id"] == LATER

    outcomes(stream_change("Session Created", 10, stream_id=LATER))

    assert live(channel) == ("live", EARLIER)
    assert live_file(channel)["stream_id"] == EARLIER


def test_the_file_follows_when_a_health_event_moves_a_stream_without_a_start_before_the_running_one(
    channel: Channel,
) -> None:
    outcomes(stream_change("Stream Start", 30, stream_id=EARLIER), stream_change("Stream End", 40, stream_id=LATER))

    outcomes(stream_event("Starvation Start", ARN, "room-42", LATER, at(10)))

    assert live_file(channel)["stream_id"] == EARLIER


def test_two_streams_with_the_same_time_are_ordered_by_their_ids(channel: Channel) -> None:
    outcomes(
        stream_change("Stream Start", 5, stream_id=LATER),
        stream_change("Stream Start", 5, stream_id=EARLIER),
        stream_change("Stream End", 6, stream_id=EARLIER),
    )

    assert live(channel) == ("live", LATER)


def test_a_channel_that_never_streamed_is_offline(channel: Channel) -> None:
    assert live(channel) == ("offline", None)


def test_the_predecessors_tables_hold_the_time_of_the_event(channel: Channel) -> None:
    outcomes(sample("stream_start"), sample("stream_end"))

    rows = StateChange.objects.order_by("timestamp").values_list("timestamp", "state", "data__event_name")
    assert list(rows) == [
        (datetime(2026, 3, 4, 9, 5, 7, tzinfo=UTC), "live", "Stream Start"),
        (datetime(2026, 3, 4, 10, 11, 36, tzinfo=UTC), "offline", "Stream End"),
    ]


@pytest.mark.parametrize(
    ("state", "data", "expected"),
    [
        ("live", {"event_name": "Stream Start", "stream_id": LATER}, ("live", LATER)),
        ("offline", {"event_name": "Stream End", "stream_id": STREAM}, ("offline", STREAM)),
        ("live", {"event_name": "Stream End", "stream_id": STREAM}, ("offline", STREAM)),
        ("offline", {"stream_id": STREAM}, ("offline", STREAM)),
        ("live", {"stream_id": LATER}, ("live", LATER)),
        ("offline", {"event_name": "Session Ended", "stream_id": STREAM}, ("live", STREAM)),
    ],
)
def test_a_row_of_the_predecessor_counts_in_the_live_state_at_once(
    channel: Channel, client: Client, state: str, data: dict[str, Any], expected: tuple[str, str]
) -> None:
    outcomes(sample("stream_start"))

    statements.insert_state_change(predecessor(), channel=channel.uuid, state=state, data=json.dumps(data))

    assert live(channel) == expected
    assert client.get(f"/channels/{channel.uuid}/live").json()["state"] == expected[0]


def test_a_row_of_the_predecessor_without_a_name_counts_by_its_state(channel: Channel) -> None:
    outcomes(sample("stream_start"))
    for data in (None, "null", "{}", "[]", '"text"'):
        for state in ("offline", "live"):
            statements.insert_state_change(predecessor(), channel=channel.uuid, state=state, data=data)

            assert live(channel)[0] == state, data


def test_an_event_that_both_services_receive_is_one_stream(channel: Channel) -> None:
    end = sample("stream_end")
    statements.insert_state_change(predecessor(), channel=channel.uuid, state="offline", data=json.dumps(end["detail"]))

    outcomes(sample("stream_start"), end)

    assert live(channel) == ("offline", STREAM)
    assert Stream.objects.count() == 1


# The live-state file


def test_the_live_state_file_has_state_timestamp_and_stream_and_a_short_max_age(channel: Channel) -> None:
    outcomes(sample("stream_start"))

    stored = s3().get_object(Bucket=BUCKET, Key=f"live/{channel.uuid}.json")
    assert json.loads(stored["Body"].read()) == {
        "state": "live",
        "timestamp": milliseconds(datetime(2026, 3, 4, 9, 5, 7, tzinfo=UTC)),
        "stream_id": STREAM,
    }
    assert stored["CacheControl"] == "max-age=2"
    assert stored["ContentType"] == "application/json"


@pytest.mark.parametrize("name", ["stream_start", "stream_end"])
def test_every_delivery_writes_the_file_so_that_a_retry_repairs_it(channel: Channel, name: str) -> None:
    outcomes(sample("stream_start"), sample(name))
    written = live_file(channel)
    put(f"live/{channel.uuid}.json", {"state": "nonsense"})

    assert outcomes(sample(name)) == ["duplicate"]

    assert live_file(channel) == written


def test_two_publishers_racing_leave_the_file_equal_to_the_row(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = aws_door.json_write

    def slow_write(**values: Any) -> None:
        # While the first worker is about to write "live", a second one takes the end and writes the file.
        monkeypatch.setattr(aws_door, "json_write", write)
        assert outcomes(sample("stream_end")) == ["applied"]
        write(**values)

    monkeypatch.setattr(aws_door, "json_write", slow_write)

    assert outcomes(sample("stream_start")) == ["applied"]

    assert live(channel) == ("offline", STREAM)
    assert live_file(channel)["state"] == "offline"


def test_a_state_that_never_settles_fails_and_is_repaired_by_the_next_delivery(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing = (LiveState(STREAM, "live", datetime.fromtimestamp(n, UTC)) for n in range(1000))
    with monkeypatch.context() as restless:
        restless.setattr(live_state_file, "live_state_of", lambda _: next(changing))
        assert outcomes(sample("stream_start")) == ["failed"]

    assert lambda_takes(sample("stream_start")) == []
    assert live_file(channel)["timestamp"] == milliseconds(datetime(2026, 3, 4, 9, 5, 7, tzinfo=UTC))


def test_the_predecessors_single_file_is_written_if_the_setting_names_it(channel: Channel, settings: Any) -> None:
    settings.LIVE_STATE_LEGACY_KEY = "dev-live.json"

    outcomes(sample("stream_start"))
    assert document_in_s3("dev-live.json") == {"state": "live"}

    outcomes(sample("stream_end"))
    assert document_in_s3("dev-live.json") == {"state": "offline"}


def test_the_predecessors_single_file_is_not_written_by_default(channel: Channel) -> None:
    outcomes(sample("stream_start"))

    keys = [item["Key"] for item in s3().list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert keys == [f"live/{channel.uuid}.json"]


def test_the_predecessors_single_file_is_that_of_the_channel_that_had_the_last_start_or_end(
    channel: Channel, settings: Any
) -> None:
    settings.LIVE_STATE_LEGACY_KEY = "dev-live.json"
    other = make_channel()

    outcomes(stream_change("Stream Start", 5, arn=other.arn), stream_change("Session Created", 6))

    assert document_in_s3("dev-live.json") == {"state": "live"}


def test_a_duplicate_repairs_the_file_of_its_channel_and_does_not_move_the_predecessors_single_file(
    channel: Channel, settings: Any
) -> None:
    settings.LIVE_STATE_LEGACY_KEY = "dev-live.json"
    other = make_channel()
    outcomes(
        sample("stream_start"),
        stream_change("Stream Start", 6, arn=other.arn),
        stream_change("Stream End", 7, arn=other.arn),
    )
    put(f"live/{channel.uuid}.json", {"state": "nonsense"})

    assert outcomes(sample("stream_start")) == ["duplicate"]

    assert live_file(channel)["state"] == "live"
    assert document_in_s3("dev-live.json") == {"state": "offline"}


def test_without_a_bucket_events_are_applied_and_no_file_is_written(
    channel: Channel, settings: Any, asked: list[tuple[str, bool]]
) -> None:
    settings.RECORDING_BUCKET = ""
    settings.RECORDING_BUCKETS = []

    assert outcomes(sample("stream_start"), sample("recording_end")) == ["applied", "applied"]

    assert asked == []


# What is unknown is stored, marked, and never raises


STAGE = "arn:aws:ivs:eu-west-1:111122223333:stage/x4aGUUxIp5Vw"


def test_events_without_a_handler_are_stored_and_ignored(channel: Channel) -> None:
    envelopes = [
        sample("stream_start", detail={"event_name": "Failover Slate On"}),
        sample("starvation_start", detail={"event_name": "Starvation Forecast"}),
        sample("limit_breach_ingest_bitrate", detail={"limit_name": "Ingest Framerate"}),
        sample("recording_start", detail={"recording_status": "Recording Pause"}),
        sample("recording_start", detail={"recording_status": ""}),
        sample("stream_start", **{"detail-type": "IVS Failover Change"}),
        sample("stream_start", source="my.application"),
        sample("stream_start", source="aws.ivschat", **{"detail-type": "AWS API Call via CloudTrail"}),
        sample("limit_breach_concurrent_broadcasts"),
        sample("limit_breach_concurrent_viewers"),
        sample("limit_breach_ingest_bitrate", resources=[]),
    ]
    stage_events: list[tuple[str, dict[str, Any]]] = [
        ("IVS Stage Update", {"session_id": "st-a1", "event_name": "Participant Published", "participant_id": "p"}),
        ("IVS Composition State Change", {"event_name": "Session Start", "stage_arn": "arn:aws:ivs:::stage/a"}),
        ("IVS Participant Recording State Change", {"event_name": "Recording End", "recording_s3_key_prefix": "a/b"}),
        ("IVS Publisher Recording State Change", {"recording_status": "Recording End", "stream_id": None}),
    ]
    envelopes += [
        {**sample("stream_start"), "detail-type": detail_type, "resources": [STAGE], "detail": detail}
        for detail_type, detail in stage_events
    ]
    for number, envelope in enumerate(envelopes):
        envelope["id"] = f"event-{number}"
        assert outcomes(envelope, envelope) == ["ignored", "duplicate"], envelope
        assert lambda_takes(envelope) == [], envelope
        row = inbox_row(envelope)
        assert (row.outcome, row.error, json.loads(row.body)) == ("ignored", "", envelope)
    assert (Stream.objects.count(), StateChange.objects.count(), Video.objects.count()) == (0, 0, 0)
    assert live_file(channel) is None


def test_an_event_with_unknown_fields_is_applied(channel: Channel) -> None:
    envelope = {**sample("stream_start", detail={"slate": {"on": [1, None]}}), "replay-name": "archive"}

    assert outcomes(envelope) == ["applied"]
    assert StateChange.objects.get().data["slate"] == {"on": [1, None]}


# What is malformed is refused by name

GOOD = sample("stream_start")
BY_ID = [
    ("time", without(GOOD, "time")),
    ("time", {**GOOD, "time": "2026-03-04T09:05:07"}),
    ("time", {**GOOD, "time": 1772615107}),
    ("time", {**GOOD, "time": "2999-01-01T00:00:00Z"}),
    ("detail-type", without(GOOD, "detail-type")),
    ("detail", {**GOOD, "detail": "text"}),
    ("resources", {**GOOD, "resources": ARN}),
    ("resources", {**GOOD, "resources": []}),
    ("stream_id", {**GOOD, "detail": {**GOOD["detail"], "stream_id": 7}}),
    ("stream_id", {**GOOD, "detail": {**GOOD["detail"], "stream_id": "a\0b"}}),
    ("event_name", {**GOOD, "detail": {**GOOD["detail"], "event_name": None}}),
    ("recording_duration_ms", sample("recording_end", detail={"recording_duration_ms": "long"})),
    ("recording_session_stream_ids", sample("recording_end", detail={"recording_session_stream_ids": 0})),
    ("recording_session_stream_ids", sample("recording_end", detail={"recording_session_stream_ids": False})),
    ("recording_s3_bucket_name", sample("recording_end", detail={"recording_s3_bucket_name": None})),
    ("recording_s3_bucket_name", sample("recording_end", detail={"recording_s3_bucket_name": ""})),
    (
        "recording_s3_key_prefix",
        sample("recording_end", detail={"recording_s3_key_prefix": "/", "recording_session_id": ""}),
    ),
    (
        "recording_s3_key_prefix",
        sample("recording_start", detail={"recording_s3_key_prefix": "", "recording_session_id": None}),
    ),
]
WITHOUT_ID = [
    ("id", text_of(without(GOOD, "id"))),
    ("id", text_of({**GOOD, "id": 5})),
    ("id", text_of({**GOOD, "id": "a\0b"})),
    ("envelope", "[]"),
    ("envelope", "null"),
    ("envelope", '"text"'),
    ("not JSON", ""),
    ("not JSON", "{"),
    ("not JSON", "\0"),
    ("not JSON", "<xml/>"),
    ("not JSON", '{"id": "\ud800'),
    ("not JSON", text_of(GOOD).replace('"room-42"', "NaN")),
    ("not JSON", text_of(GOOD).replace('"room-42"', "1e400")),
    ("not JSON", text_of(GOOD).replace('"room-42"', "[" * 100_000 + "]" * 100_000)),
    ("not JSON", text_of(GOOD).replace('"room-42"', "[" * 600 + "]" * 600)),
    ("not JSON", "x" * 200_000),
]


def test_a_malformed_envelope_is_refused_by_the_name_of_its_field_and_the_batch_goes_on(channel: Channel) -> None:
    for number, (field, malformed) in enumerate(BY_ID):
        good, bad = {**sample("stream_end"), "id": f"good-{number}"}, {**malformed, "id": f"bad-{number}"}

        assert lambda_takes(bad, good) == [0], bad

        row = inbox_row(bad)
        assert row.outcome == "refused", bad
        assert row.error.startswith(field), bad
        assert json.loads(row.body) == bad
        assert inbox_row(good).outcome == "applied", bad


def test_an_envelope_without_a_usable_id_is_refused_and_stored_as_it_came_under_its_digest(channel: Channel) -> None:
    for number, (reason, body) in enumerate(WITHOUT_ID):
        good = {**sample("stream_end"), "id": f"good-{number}"}

        assert lambda_takes(body, good, body) == [0, 2], (reason, body[:100])

        [row] = InboxEvent.objects.exclude(event_id__startswith="good-")
        assert row.event_id == f"sha256:{hashlib.sha256(row.body.encode()).hexdigest()}"
        assert row.body == body.replace("\0", "\\u0000").replace("\ud800", "\\ud800")
        assert row.outcome == "refused", body[:100]
        assert reason in row.error, body[:100]
        assert inbox_row(good).outcome == "applied", body[:100]
        row.delete()


@pytest.mark.parametrize("deliver", [lambda_takes, outcomes, lambda body: ingest_file(f"{body}\n\n")])
def test_the_digest_is_that_of_the_body_as_it_came(aws: LocalAws, deliver: Callable[[str], Any]) -> None:
    body = '{ "detail" : {}, "a": 1.50 }'

    deliver(body)

    row = InboxEvent.objects.get()
    assert (row.body, row.event_id) == (body, f"sha256:{hashlib.sha256(body.encode()).hexdigest()}")


def test_the_envelope_is_stored_as_it_came_with_its_spaces_numbers_and_order(channel: Channel) -> None:
    body = text_of(GOOD).replace('{"version": "0"', '{ "version" :"0", "extra": 1.50e2, "extra": 2')

    assert lambda_takes(body) == []

    assert inbox_row(GOOD).body == body


def test_nul_and_lone_surrogates_in_the_detail_of_a_good_event_do_not_break_it(
    channel: Channel, client: Client
) -> None:
    odd = {"channel_name": "a\0b\ud800c", "\0": {"\udfff": ["\0"]}}

    events = [sample("stream_start", detail=odd), sample("recording_end", detail=odd)]

    assert lambda_takes(*events) == []
    assert inbox_row(events[0]).outcome == "applied"
    assert StateChange.objects.get().data["channel_name"] == "a\ufffdb\ufffdc"
    assert the_video().data["channel_name"] == "a\ufffdb\ufffdc"
    assert len(listed(client)) == 1
    assert json.loads(inbox_row(events[0]).body) == events[0]


def test_raw_nul_bytes_and_broken_utf_8_in_a_body_do_not_break_the_batch(channel: Channel) -> None:
    odd = text_of(GOOD).replace("room-42", "a\0b\ud800c")

    lambda_takes(odd, sample("stream_end"))

    assert inbox_row(sample("stream_end")).outcome == "applied"


def test_a_good_event_of_250_kilobytes_is_applied(channel: Channel) -> None:
    assert outcomes(sample("stream_start", detail={"padding": "x" * 250_000})) == ["applied"]


IMPOSTORS = {
    "refused": without(GOOD, "time"),
    "ignored": {**GOOD, "detail-type": "IVS Something New"},
    "of another source": {**GOOD, "source": "aws.elsewhere"},
}


@pytest.mark.parametrize("impostor", IMPOSTORS.values(), ids=IMPOSTORS.keys())
@pytest.mark.parametrize("order", ["impostor first", "event first"])
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
def test_an_envelope_that_was_refused_or_ignored_does_not_keep_the_event_with_the_same_id_from_being_applied(
    channel: Channel, impostor: dict[str, Any], order: str, together: bool
) -> None:
    events = [impostor, GOOD] if order == "impostor first" else [GOOD, impostor]
    for batch in [events] if together else [[event] for event in events]:
        lambda_takes(*batch)

    assert live(channel)[0] == "live"
    assert InboxEvent.objects.filter(outcome="applied").count() == 1
    assert StateChange.objects.count() == 1
    # Whatever comes again is known.
    rows = InboxEvent.objects.count()
    lambda_takes(GOOD, impostor, GOOD)
    assert outcomes(GOOD) == ["duplicate"]
    assert InboxEvent.objects.count() == rows


def test_an_event_that_an_impostor_preceded_stands_under_the_digest_of_its_body(channel: Channel) -> None:
    assert outcomes(IMPOSTORS["ignored"]) == ["ignored"]

    assert ingest_file(text_of(GOOD)) == (0, [{"event_id": GOOD["id"], "outcome": "applied"}])

    row = InboxEvent.objects.get(outcome="applied")
    assert row.event_id == f"sha256:{hashlib.sha256(row.body.encode()).hexdigest()}"
    assert Stream.objects.get().started_at == datetime(2026, 3, 4, 9, 5, 7, tzinfo=UTC)


def test_an_ignored_envelope_that_comes_again_with_other_spaces_and_order_is_a_duplicate(channel: Channel) -> None:
    ignored = IMPOSTORS["ignored"]
    assert outcomes(ignored) == ["ignored"]

    assert outcomes(json.dumps(ignored, indent=2, sort_keys=True)) == ["duplicate"]

    assert InboxEvent.objects.count() == 1


def test_a_refused_event_says_the_same_at_every_delivery(channel: Channel) -> None:
    bad = without(GOOD, "time")

    assert outcomes(bad, bad) == ["refused", "refused"]
    assert inbox_row(bad).attempts == 2


# Recordings


def test_recording_start_makes_a_video_that_only_curators_see(channel: Channel, client: Client, api_key: str) -> None:
    outcomes(sample("recording_start"))

    video = the_video()
    assert (video.status, video.active) == ("recording", None)
    assert video.started_at == datetime(2026, 3, 4, 9, 5, 9, tzinfo=UTC)
    assert (video.ended_at, video.duration_ms, video.stream_ids) == (None, 0, [STREAM])
    assert listed(client) == []
    assert client.get(f"/on-demand/{video.uuid}").status_code == 404
    shown = client.get(f"/on-demand/{video.uuid}", headers=bearer(api_key)).json()
    assert (shown["status"], shown["location"]) == ("recording", None)
    assert statements.list_videos(predecessor()) == []


def test_recording_end_makes_the_video_available_with_the_facts_of_its_metadata(
    channel: Channel, client: Client
) -> None:
    put(ENDED_KEY, ended_metadata(path="media/v2", playlist="multivariant.m3u8"))
    put(f"{PREFIX}/media/thumbnails/thumb0.jpg", b"x")

    assert outcomes(sample("recording_start"), sample("recording_end")) == ["applied", "applied"]

    [video] = listed(client)
    base = f"https://media.example.com/{PREFIX}"
    assert video["uuid"] == str(video_uuid(BUCKET, PREFIX))
    assert video["channel"] == str(channel.uuid)
    assert video["status"] == "available"
    assert video["location"] == f"{base}/media/v2/multivariant.m3u8"
    assert video["duration_seconds"] == 3960.5
    assert (video["started_at"], video["ended_at"]) == ("2026-03-04T09:05:09Z", "2026-03-04T10:13:08Z")
    assert video["thumbnails"] == [f"{base}/media/thumbnails/thumb0.jpg"]
    assert [item["height"] for item in video["renditions"]] == [720, 160]
    assert video["stream_ids"] == [STREAM, "st-JBd0Kh8oOOL8dKLzdocJ2is"]


def test_the_predecessor_computes_the_same_start_from_the_written_rows(channel: Channel) -> None:
    outcomes(sample("recording_end"))

    [row] = statements.list_videos(predecessor())
    assert row["created_at"] == datetime(2026, 3, 4, 10, 13, 10, tzinfo=UTC)
    assert json.loads(row["data"]) == sample("recording_end")["detail"]
    assert row["active"] is True
    assert row["ivs_channel_uuid"] == channel.uuid


def test_times_are_those_of_the_events_and_never_now(channel: Channel) -> None:
    outcomes(sample("recording_start"), sample("recording_end"), sample("stream_start"), sample("stream_end"))

    video, recording = the_video(), Recording.objects.get()
    moments = [video.created_at, video.started_at, video.ended_at, recording.start_at, recording.end_at]
    for stream in Stream.objects.all():
        moments += [stream.first_event_at, stream.started_at, stream.ended_at]
    moments += StateChange.objects.values_list("timestamp", flat=True)
    assert {moment.date() for moment in moments if moment} == {NINE.date()}


def test_a_recording_start_after_its_end_only_tells_when_it_began(channel: Channel) -> None:
    outcomes(sample("recording_end"))
    assert the_video().started_at == datetime(2026, 3, 4, 9, 7, 10, tzinfo=UTC)

    outcomes(sample("recording_start"))

    video = the_video()
    assert (video.status, video.active) == ("available", True)
    assert video.started_at == datetime(2026, 3, 4, 9, 5, 9, tzinfo=UTC)
    assert video.ended_at == video.created_at == datetime(2026, 3, 4, 10, 13, 10, tzinfo=UTC)


def test_recording_end_failure_is_kept_and_not_listed(channel: Channel, client: Client, api_key: str) -> None:
    assert outcomes(sample("recording_start"), sample("recording_end_failure")) == ["applied", "applied"]

    video = the_video()
    assert (video.status, video.active) == ("failed", None)
    assert Recording.objects.get().failure_detail["recording_status_reason"] == "InternalServerException"
    assert listed(client) == []
    shown = client.get(f"/on-demand/{video.uuid}", headers=bearer(api_key)).json()
    assert (shown["status"], shown["location"]) == ("failed", None)


def test_recording_end_failure_takes_the_facts_of_recording_failed(channel: Channel) -> None:
    put(FAILED_KEY, {**ended_metadata(duration_ms=5000), "recording_status": "RECORDING_ENDED_WITH_FAILURE"})

    outcomes(sample("recording_end_failure"))

    assert (the_video().duration_ms, the_video().facts["source"]) == (5000, "recording-failed.json")


def test_recording_start_failure_has_no_place_and_is_kept_as_a_failed_video(
    channel: Channel, client: Client, api_key: str
) -> None:
    failure = sample("recording_start_failure")

    assert outcomes(failure, {**failure, "id": "again"}) == ["applied", "applied"]

    video = Video.objects.get()
    assert (video.status, video.prefix, video.active) == ("failed", "", None)
    assert video.uuid == video_uuid(ARN, STREAM)
    assert (video.stream_ids, video.channel_id) == ([STREAM], channel.pk)
    assert listed(client) == []
    assert client.get(f"/on-demand/{video.uuid}", headers=bearer(api_key)).json()["location"] is None


def test_start_failures_of_two_streams_and_two_channels_are_apart(channel: Channel) -> None:
    other = make_channel()

    outcomes(
        recording_change("Recording Start Failure", 1, prefix=""),
        recording_change("Recording Start Failure", 2, prefix="", stream_id=LATER),
        recording_change("Recording Start Failure", 3, prefix="", arn=other.arn),
    )

    assert Video.objects.filter(status="failed").count() == 3


@pytest.mark.parametrize("order", [("end", "failure"), ("failure", "end")], ids=lambda order: order[0])
def test_recording_end_beats_recording_end_failure_in_any_order(
    channel: Channel, client: Client, order: tuple[str, str]
) -> None:
    events = {
        "end": recording_change("Recording End", 70, duration_ms=60_000),
        "failure": recording_change("Recording End Failure", 71, reason="InternalServerException"),
    }

    outcomes(*[events[name] for name in order])

    [video] = listed(client)
    assert (video["status"], video["ended_at"]) == ("available", "2026-03-04T10:10:00Z")
    assert Recording.objects.get().failure_at == at(71)


@pytest.mark.parametrize("order", [("end", "failure"), ("failure", "end")], ids=lambda order: order[0])
def test_an_end_whose_metadata_is_missing_waits_for_it_although_a_failure_has_its_own(
    channel: Channel, order: tuple[str, str]
) -> None:
    put(FAILED_KEY, ended_metadata(duration_ms=5000))
    events = {"end": recording_change("Recording End", 70), "failure": recording_change("Recording End Failure", 71)}
    outcomes(*[events[name] for name in order])
    assert inbox_row(events["end"]).outcome == "deferred"

    put(ENDED_KEY, ended_metadata())
    command("process_inbox")

    assert (the_video().duration_ms, the_video().facts["source"]) == (3_960_500, "recording-ended.json")


@pytest.mark.parametrize("backwards", [False, True])
def test_of_two_ends_the_later_counts(channel: Channel, backwards: bool) -> None:
    ends = [
        recording_change("Recording End", 70, duration_ms=1000, event_id="z"),
        recording_change("Recording End", 71, duration_ms=2000, event_id="a"),
    ]

    outcomes(*(reversed(ends) if backwards else ends))

    assert (the_video().duration_ms, the_video().ended_at, the_video().created_at) == (2000, at(71), at(71))


@pytest.mark.parametrize("backwards", [False, True])
def test_of_two_ends_with_the_same_time_the_larger_id_counts(channel: Channel, backwards: bool) -> None:
    ends = [
        recording_change("Recording End", 70, duration_ms=1000, event_id="a"),
        recording_change("Recording End", 70, duration_ms=2000, event_id="b"),
    ]

    outcomes(*(reversed(ends) if backwards else ends))

    assert the_video().duration_ms == 2000


def test_a_recording_of_two_streams_is_one_video(channel: Channel) -> None:
    outcomes(
        recording_change("Recording Start", 5),
        recording_change("Recording Start", 20, stream_id=LATER),
        recording_change("Recording End", 70, stream_id=LATER, stream_ids=[STREAM, LATER]),
    )

    assert the_video().stream_ids == [STREAM, LATER]
    assert the_video().started_at == at(5)


def test_a_decision_of_staff_survives_a_later_event(channel: Channel) -> None:
    outcomes(sample("recording_end"))
    video_hide(video_uuid=the_video().pk)

    outcomes({**sample("recording_end"), "id": "again"}, sample("recording_start"))

    assert the_video().active is False


def test_only_the_recording_bucket_is_read_for_any_event(channel: Channel, asked: list[tuple[str, bool]]) -> None:
    buckets = ("example-recordings", "somebody-elses", "ivsvod-recordings-2")
    for bucket in buckets:
        events = [
            recording_change("Recording Start", 5, bucket=bucket),
            recording_change("Recording End", 70, bucket=bucket),
            recording_change("Recording End Failure", 71, bucket=bucket),
        ]
        assert outcomes(*events) == ["applied", "applied", "applied"], bucket
        assert asked == [], bucket
    assert sorted(Video.objects.values_list("bucket", flat=True)) == sorted(buckets)


def test_a_further_bucket_that_is_named_may_be_read(aws: LocalAws, channel: Channel, settings: Any) -> None:
    aws.s3.create_bucket("example-recordings")
    settings.RECORDING_BUCKETS = [BUCKET, "example-recordings"]
    put(ENDED_KEY, ended_metadata(), bucket="example-recordings")

    assert outcomes(recording_change("Recording End", 70, bucket="example-recordings")) == ["applied"]

    assert Video.objects.get().duration_ms == 3_960_500


def test_an_end_before_its_metadata_is_available_from_the_event_alone_and_completed_later(
    channel: Channel, client: Client
) -> None:
    assert outcomes(sample("recording_end")) == ["deferred"]
    assert lambda_takes(sample("recording_end")) == []

    [video] = listed(client)
    assert (video["status"], video["qa"], video["duration_seconds"]) == ("available", "unverified", 3960)
    assert video["location"] == f"https://media.example.com/{PREFIX}/media/hls/master.m3u8"

    put(ENDED_KEY, ended_metadata(playlist="other.m3u8"))
    assert command("process_inbox") == (0, [{"event_id": sample("recording_end")["id"], "outcome": "applied"}])

    [video] = listed(client)
    assert (video["duration_seconds"], video["started_at"]) == (3960.5, "2026-03-04T09:05:09Z")
    assert video["location"] == f"https://media.example.com/{PREFIX}/media/hls/other.m3u8"
    assert command("process_inbox") == (0, [])


def test_an_s3_that_is_down_defers_the_end(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (AwsErrorKind.TIMEOUT, AwsErrorKind.UNAVAILABLE, AwsErrorKind.THROTTLED):
        monkeypatch.setattr(aws_door, "object_read", raising(AwsError("GetObject", "a", kind, "no answer")))

        assert outcomes(sample("recording_end", id=f"end-{kind}")) == ["deferred"], kind

        assert the_video().status == "available", kind


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (json.dumps(ended_metadata()).encode()[:300], "not JSON"),
        (b"<Error><Code>SlowDown</Code></Error>", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"{}", "media"),
        (json.dumps(ended_metadata(duration_ms="long")).encode(), "duration_ms"),
        (json.dumps(ended_metadata(duration_ms=-0.5)).encode(), "duration_ms"),
        (json.dumps({**ended_metadata(), "padding": "x" * 1_100_000}).encode(), "longer than"),
    ],
    ids=["empty", "truncated", "xml", "deep", "no media", "wrong type", "negative", "huge"],
)
def test_metadata_that_cannot_be_understood_ends_the_event_as_applied_and_leaves_the_video_unverified(
    channel: Channel, content: bytes, reason: str
) -> None:
    put(ENDED_KEY, content)

    assert outcomes(sample("recording_end")) == ["applied"]

    video = the_video()
    assert (video.status, video.active, video.qa) == ("available", True, "unverified")
    assert video.qa_reasons[0].startswith("recording-ended.json ")
    assert reason in inbox_row(sample("recording_end")).error
    assert command("process_inbox") == (0, [])

    put(ENDED_KEY, ended_metadata())
    command("check_recordings")
    assert the_video().duration_ms == 3_960_500


def test_a_decimal_length_in_the_metadata_counts_without_its_fraction(channel: Channel) -> None:
    put(ENDED_KEY, ended_metadata(duration_ms=1000.5))

    assert outcomes(sample("recording_end")) == ["applied"]

    assert the_video().duration_ms == 1000


def received_days_ago(days: float) -> None:
    InboxEvent.objects.update(received_at=datetime.now(UTC) - timedelta(days=days))


def test_an_end_whose_metadata_never_comes_is_deferred_for_48_hours_and_then_applied_with_the_reason(
    channel: Channel, client: Client
) -> None:
    end = sample("recording_end")
    assert outcomes(end) == ["deferred"]
    received_days_ago(1.9)
    assert command("process_inbox") == (0, [{"event_id": end["id"], "outcome": "deferred"}])
    received_days_ago(2.1)

    assert command("process_inbox") == (0, [{"event_id": end["id"], "outcome": "applied"}])

    row = inbox_row(end)
    assert (row.outcome, row.error) == (
        "applied",
        "not tried again after 48 hours: recording-ended.json is not there yet",
    )
    assert command("process_inbox") == (0, [])
    [video] = listed(client)
    assert (video["qa"], video["duration_seconds"]) == ("unverified", 3960)
    assert the_video().qa_reasons == ["recording-ended.json is not there yet."]

    put(ENDED_KEY, ended_metadata())
    command("check_recordings")
    assert the_video().duration_ms == 3_960_500


def test_an_event_whose_recording_is_never_found_is_ignored_after_48_hours_with_the_reason(channel: Channel) -> None:
    end = sample("recording_end", detail={"recording_s3_key_prefix": ""})
    assert outcomes(end) == ["deferred"]
    received_days_ago(2.1)

    assert command("process_inbox") == (0, [{"event_id": end["id"], "outcome": "ignored"}])

    assert "no recording of its session is known" in inbox_row(end).error
    assert not Video.objects.exists()


def test_an_end_that_comes_again_while_s3_is_down_loses_no_facts(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(ENDED_KEY, ended_metadata())
    outcomes(sample("recording_end"))
    monkeypatch.setattr(aws_door, "object_read", raising(AwsError("GetObject", "a", AwsErrorKind.TIMEOUT, "no answer")))

    assert outcomes({**sample("recording_end"), "id": "again"}) == ["applied"]

    assert the_video().duration_ms == 3_960_500


# Beside the predecessor


def test_a_recording_that_the_predecessor_wrote_before_is_one_listed_video(channel: Channel, client: Client) -> None:
    end = sample("recording_end")
    row = statements.insert_video(predecessor(), channel=channel.uuid, data=json.dumps(end["detail"]))

    outcomes(end)

    [video] = listed(client)
    assert video["uuid"] == str(row["uuid"])
    assert video["ended_at"] == "2026-03-04T10:13:10Z"
    assert Video.objects.get().created_at == row["created_at"]


def test_a_recording_that_the_predecessor_writes_after_is_one_listed_video(channel: Channel, client: Client) -> None:
    end = sample("recording_end")
    outcomes(sample("recording_start"), end)

    row = statements.insert_video(predecessor(), channel=channel.uuid, data=json.dumps(end["detail"]))

    [video] = listed(client)
    assert video["uuid"] == str(video_uuid(BUCKET, PREFIX))
    assert client.get(f"/on-demand/{row['uuid']}").status_code == 200


@pytest.mark.parametrize("name", ["recording_start", "recording_end_failure"])
def test_a_video_of_the_predecessor_stays_listed_after_any_late_event(
    channel: Channel, client: Client, name: str
) -> None:
    end = sample("recording_end")
    statements.insert_video(predecessor(), channel=channel.uuid, data=json.dumps(end["detail"]))

    outcomes(sample(name))

    [video] = listed(client)
    assert (video["status"], video["duration_seconds"]) == ("available", 3960)
    outcomes(end)
    assert len(listed(client)) == 1


def test_a_recording_whose_end_only_the_predecessor_received_is_listed(channel: Channel, client: Client) -> None:
    outcomes(sample("recording_start"))

    statements.insert_video(predecessor(), channel=channel.uuid, data=json.dumps(sample("recording_end")["detail"]))

    assert len(listed(client)) == 1

    outcomes(sample("recording_end"))

    [video] = listed(client)
    assert Video.objects.get(pk=video["uuid"]).recording.start_at is not None
    call_command("backfill")
    assert listed(client) == [video]


def test_a_recording_hidden_while_it_runs_stays_hidden_after_its_end(channel: Channel, client: Client) -> None:
    outcomes(sample("recording_start"))
    video_hide(video_uuid=the_video().uuid)

    statements.insert_video(predecessor(), channel=channel.uuid, data=json.dumps(sample("recording_end")["detail"]))
    assert listed(client) == []

    outcomes(sample("recording_end"))
    call_command("backfill")
    assert listed(client) == []


def predecessors_end(channel: Channel) -> UUID:
    """The predecessor receives the end of the recording."""
    row = statements.insert_video(
        predecessor(), channel=channel.uuid, data=json.dumps(sample("recording_end")["detail"])
    )
    return row["uuid"]


def test_a_decision_of_staff_during_a_recording_survives_its_end(channel: Channel, client: Client) -> None:
    outcomes(sample("recording_start"))
    values = {"visibility": "unlisted", "publish_until": datetime(2030, 1, 1, tzinfo=UTC), "metadata": {"k": "v"}}
    video_update(video_uuid=the_video().uuid, by=UUID(int=0), values=values)

    row = predecessors_end(channel)
    assert listed(client) == []
    outcomes(sample("recording_end"))

    assert listed(client) == []
    video = Video.objects.get(pk=row)
    assert {name: getattr(video, name) for name in values} == values


def test_a_decision_of_staff_between_two_ends_applies_to_all_rows_of_the_recording(
    channel: Channel, client: Client
) -> None:
    outcomes(sample("recording_start"))
    ours = the_video().uuid
    row = predecessors_end(channel)
    assert len(listed(client)) == 1

    video_update(video_uuid=ours, by=UUID(int=0), values={"visibility": "unlisted"})
    assert listed(client) == []
    outcomes(sample("recording_end"))
    assert listed(client) == []
    assert [client.get(f"/on-demand/{uuid}").status_code for uuid in (ours, row)] == [200, 200]

    video_hide(video_uuid=ours)
    assert [client.get(f"/on-demand/{uuid}").status_code for uuid in (ours, row)] == [404, 404]
    video_show(video_uuid=row)
    video_update(video_uuid=row, by=UUID(int=0), values={"visibility": "public"})
    assert [video["uuid"] for video in listed(client)] == [str(row)]


def test_hiding_hides_the_row_of_the_predecessor_before_our_end_comes_too(channel: Channel, client: Client) -> None:
    outcomes(sample("recording_start"))
    ours = the_video().uuid
    row = predecessors_end(channel)

    video_hide(video_uuid=ours)

    assert listed(client) == []
    assert client.get(f"/on-demand/{row}").status_code == 404
    assert statements.list_videos(predecessor()) == []


@pytest.mark.parametrize(("state", "found", "opens"), [("listed", 1, 200), ("unlisted", 0, 200), ("hidden", 0, 404)])
def test_a_row_of_the_predecessor_gets_the_publication_state_of_its_channel(
    channel: Channel, client: Client, state: str, found: int, opens: int
) -> None:
    Channel.objects.filter(pk=channel.pk).update(new_video_state=state)

    row = predecessors_end(channel)

    assert len(listed(client)) == found
    assert client.get(f"/on-demand/{row}").status_code == opens
    outcomes(sample("recording_start"), sample("recording_end"))
    assert len(listed(client)) == found
    video_show(video_uuid=row)
    assert client.get(f"/on-demand/{row}").status_code == 200


def test_titles_written_during_a_recording_are_found_after_its_end(channel: Channel, client: Client) -> None:
    outcomes(sample("recording_start"))
    values = {"title": "Curated", "description": "", "tags": [], "thumbnail": ""}
    content_replace(video_uuid=the_video().uuid, by=UUID(int=0), values=values)
    statements.insert_video(predecessor(), channel=channel.uuid, data=json.dumps(sample("recording_end")["detail"]))

    outcomes(sample("recording_end"))

    [video] = listed(client)
    assert video["content"]["title"] == "Curated"


def test_a_video_that_the_predecessor_hid_stays_hidden(channel: Channel, client: Client) -> None:
    end = sample("recording_end")
    row = statements.insert_video(predecessor(), channel=channel.uuid, data=json.dumps(end["detail"]))
    statements.set_active(predecessor(), video=row["uuid"], active=False)

    outcomes(end)

    assert listed(client) == []


def test_a_duplicate_whose_first_row_was_removed_while_no_trigger_fired_stands_for_itself_after_a_backfill(
    channel: Channel, client: Client
) -> None:
    second = predecessors_end(channel)
    Video.objects.filter(pk=second).update(duplicate_of=uuid4())
    assert listed(client) == []

    call_command("backfill")

    assert [video["uuid"] for video in listed(client)] == [str(second)]


# Failures and crashes


def test_an_exception_rolls_the_work_back_stays_on_the_row_and_the_redelivery_applies(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = sample("recording_end")
    put(ENDED_KEY, ended_metadata())
    with monkeypatch.context() as broken:
        broken.setattr(Recording, "save", raising(RuntimeError("a bug\0")))
        assert lambda_takes(end, sample("stream_start")) == [0]

    row = inbox_row(end)
    assert (row.outcome, row.attempts) == ("failed", 1)
    assert "RuntimeError" in row.error
    assert "a bug" in row.error
    assert Video.objects.count() == 0
    assert inbox_row(sample("stream_start")).outcome == "applied"

    assert lambda_takes(end) == []
    row.refresh_from_db()
    assert (row.outcome, row.error, row.attempts) == ("applied", "", 2)
    assert Video.objects.count() == 1


def test_failed_events_are_processed_again_on_request(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(handlers, "stream_record", raising(RuntimeError("a bug")))
        assert ingest_file(text_of(GOOD))[0] == 1

    assert command("process_inbox") == (0, [])
    assert command("process_inbox", "--retry-failed") == (0, [{"event_id": GOOD["id"], "outcome": "applied"}])


def test_a_publisher_that_fails_after_the_commit_is_repaired_by_the_redelivery(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(aws_door, "json_write", raising(AwsError("PutObject", "a", AwsErrorKind.UNAVAILABLE, "down")))
        assert lambda_takes(GOOD) == [0]
    assert live(channel) == ("live", STREAM)
    assert live_file(channel) is None
    assert inbox_row(GOOD).outcome == "failed"

    assert lambda_takes(GOOD) == []

    assert live_file(channel)["state"] == "live"
    assert StateChange.objects.count() == 1


def test_a_process_killed_between_commit_and_publishing_is_repaired_by_process_inbox(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(aws_door, "json_write", raising(Killed()))
        with pytest.raises(Killed):
            outcomes(GOOD)
    assert live(channel) == ("live", STREAM)
    assert live_file(channel) is None

    assert command("process_inbox") == (0, [{"event_id": GOOD["id"], "outcome": "applied"}])

    assert live_file(channel)["state"] == "live"
    assert StateChange.objects.count() == 1


def test_a_process_killed_between_storing_and_processing_is_repaired_by_process_inbox(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(inbox, "parse", raising(Killed()))
        with pytest.raises(Killed):
            outcomes(GOOD)
    assert inbox_row(GOOD).outcome == "received"

    command("process_inbox")

    assert live_file(channel)["state"] == "live"


def test_a_file_that_cannot_be_repaired_keeps_the_duplicate_in_the_queue(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes(GOOD)
    with monkeypatch.context() as broken:
        broken.setattr(aws_door, "json_write", raising(AwsError("PutObject", "a", AwsErrorKind.UNAVAILABLE, "down")))
        assert lambda_takes(GOOD) == [0]

    assert inbox_row(GOOD).outcome == "applied"
    assert lambda_takes(GOOD) == []


def test_process_inbox_takes_the_oldest_first_up_to_the_limit(aws: LocalAws) -> None:
    events = [stream_change("Stream Start", minute, event_id=f"event-{minute}") for minute in (3, 1, 2)]
    outcomes(*events)
    make_channel(arn=ARN)

    assert command("process_inbox", "--limit", "2") == (
        0,
        [{"event_id": "event-3", "outcome": "applied"}, {"event_id": "event-1", "outcome": "applied"}],
    )
    assert command("process_inbox") == (0, [{"event_id": "event-2", "outcome": "applied"}])


def park(count: int, *, arn: str = f"{ARN}-of-another-stage") -> None:
    """Store so many parked events of a channel, by one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO channels_app_inboxevent (event_id, body, received_at, outcome, error, attempts,
                detail_type, name, event_time, channel_arn, stream_id)
            SELECT 'parked-' || %(arn)s || n, replace(%(body)s, %(id)s, 'parked-' || %(arn)s || n),
                now() - interval '1 day', 'parked', '', 1,
                'IVS Stream State Change', 'Session Created', now(), %(arn)s, 'st-1'
            FROM generate_series(1, %(count)s) AS n
            """,
            {
                "arn": arn,
                "body": text_of(sample("session_created", resources=[arn])),
                "id": sample("session_created")["id"],
                "count": count,
            },
        )


def test_ten_thousand_parked_events_cost_as_many_statements_as_none_and_no_update_and_no_line(
    channel: Channel, django_assert_num_queries: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with CaptureQueriesContext(connection) as none_parked:
        assert command("process_inbox", "--retry-failed") == (0, [])
    park(10_000)
    outcomes(GOOD)
    InboxEvent.objects.filter(event_id=GOOD["id"]).update(outcome="received")
    caplog.clear()

    assert command("process_inbox") == (0, [{"event_id": GOOD["id"], "outcome": "applied"}])
    assert [record.message for record in caplog.records] == [f"event processed event_id={GOOD['id']} outcome=applied"]
    with django_assert_num_queries(len(none_parked)):
        assert command("process_inbox", "--retry-failed") == (0, [])

    assert InboxEvent.objects.filter(outcome="parked", attempts=1).count() == 10_000


def test_parked_events_of_a_channel_that_the_predecessor_inserts_are_applied_and_those_of_others_wait(
    aws: LocalAws,
) -> None:
    park(300)
    park(3, arn=ARN)
    make_channel(arn=ARN)

    assert [line["outcome"] for line in command("process_inbox", "--limit", "2")[1]] == ["applied"] * 2
    assert [line["outcome"] for line in command("process_inbox")[1]] == ["applied"]
    assert InboxEvent.objects.filter(outcome="parked").count() == 300


def test_an_event_that_stays_parked_by_an_error_does_not_keep_the_others_from_their_turn(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    park(2, arn=ARN)
    with monkeypatch.context() as patch:
        patch.setattr(handlers.StreamEventHandler, "apply", raising(ValueError("a bug")))
        assert [line["outcome"] for line in command("process_inbox", "--limit", "2")[1]] == ["failed"] * 2
    InboxEvent.objects.create(event_id=GOOD["id"], body=text_of(GOOD), attempts=1)

    assert command("process_inbox", "--limit", "1")[1] == [{"event_id": GOOD["id"], "outcome": "applied"}]
    assert [line["outcome"] for line in command("process_inbox")[1]] == ["applied"] * 2


def test_process_inbox_refuses_a_limit_that_is_none() -> None:
    for limit in ("0", "-1"):
        with pytest.raises(CommandError, match="--limit"):
            call_command("process_inbox", "--limit", limit)


@pytest.mark.django_db(transaction=True)
def test_when_the_database_is_away_every_item_is_reported_and_nothing_is_lost(channel: Channel) -> None:
    def away(*_: Any) -> Any:
        raise OperationalError("the connection is closed")

    events = [sample("stream_start"), sample("stream_end"), without(GOOD, "id")]
    with connection.execute_wrapper(away):
        assert lambda_takes(*events) == [0, 1, 2]
    assert InboxEvent.objects.count() == 0

    assert lambda_takes(*events) == [2]
    assert live(channel) == ("offline", STREAM)


@pytest.mark.django_db(transaction=True)
def test_when_the_database_goes_away_in_the_middle_the_event_is_applied_when_it_comes_again(channel: Channel) -> None:
    def away_for_streams(execute: Any, statement: str, *rest: Any) -> Any:
        if "ivsvod_record_event" in statement or "UPDATE channels_app_inboxevent" in statement:
            raise OperationalError("the connection is closed")
        return execute(statement, *rest)

    with connection.execute_wrapper(away_for_streams):
        assert lambda_takes(GOOD) == [0]
    assert inbox_row(GOOD).outcome == "received"

    assert lambda_takes(GOOD) == []
    assert live_file(channel)["state"] == "live"


def test_no_call_to_aws_is_made_inside_a_transaction(
    channel: Channel, asked: list[tuple[str, bool]], settings: Any
) -> None:
    settings.LIVE_STATE_LEGACY_KEY = "dev-live.json"
    lambda_takes(sample("stream_start"), sample("recording_start"), sample("stream_end"), sample("recording_end"))
    lambda_takes(sample("stream_start"), sample("recording_end_failure"))
    put(ENDED_KEY, ended_metadata())
    command("process_inbox")
    channel_create(name="another", owner=OWNER)

    assert {service for service, _ in asked} == {"s3", "ivs"}
    assert not any(in_transaction for _, in_transaction in asked)


@pytest.mark.django_db(transaction=True)
def test_a_video_that_is_hidden_while_an_event_is_written_stays_hidden(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes(sample("recording_end"))
    uuid = the_video().pk
    write = recording_reducers._video_write
    hiding = threading.Thread(target=hide_elsewhere, args=(uuid,))

    def staff_hides_meanwhile(*arguments: Any, **values: Any) -> None:
        hiding.start()
        while hiding.is_alive() and not somebody_waits_for_a_lock():
            hiding.join(0.01)
        write(*arguments, **values)

    monkeypatch.setattr(recording_reducers, "_video_write", staff_hides_meanwhile)
    outcomes({**sample("recording_end"), "id": "again"})
    hiding.join()

    assert the_video().active is False


def hide_elsewhere(uuid: Any) -> None:
    try:
        video_hide(video_uuid=uuid)
    finally:
        connection.close()


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        # pg_stat_activity would show the same picture for the whole of this transaction.
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
        return bool(cursor.fetchone()[0])


# The Lambda's handler


def test_a_batch_reports_only_the_items_that_failed_by_their_message_id(channel: Channel) -> None:
    batch = sqs_batch([sample("stream_start"), sample("stream_end"), sample("recording_start")])
    batch["Records"][1]["body"] = "{"

    answer = invoke(batch)

    assert answer == {"batchItemFailures": [{"itemIdentifier": batch["Records"][1]["messageId"]}]}


def test_an_item_of_a_batch_without_a_body_is_reported_and_its_neighbours_are_not(channel: Channel) -> None:
    batch = sqs_batch([sample("stream_start"), sample("stream_end")])
    del batch["Records"][0]["body"]

    answer = invoke(batch)

    assert answer == {"batchItemFailures": [{"itemIdentifier": batch["Records"][0]["messageId"]}]}
    assert inbox_row(sample("stream_end")).outcome == "applied"


def test_an_empty_batch_has_no_failures() -> None:
    assert invoke({"Records": []}) == {"batchItemFailures": []}


def test_a_raw_event_of_eventbridge_is_processed_and_its_outcome_returned(channel: Channel) -> None:
    assert invoke(sample("stream_start")) == {"event_id": GOOD["id"], "outcome": "applied"}
    assert invoke(sample("stream_start")) == {"event_id": GOOD["id"], "outcome": "duplicate"}
    assert live_file(channel)["state"] == "live"


def test_a_list_of_raw_events_is_processed_in_its_order(channel: Channel) -> None:
    answer = invoke([sample("stream_start"), sample("stream_end")])

    assert [item["outcome"] for item in answer] == ["applied", "applied"]


def test_a_raw_event_that_is_malformed_or_fails_raises_so_that_lambda_tries_again(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EventFailedError, match="refused"):
        invoke(without(GOOD, "time"))
    monkeypatch.setattr(aws_door, "json_write", raising(RuntimeError("a bug")))
    with pytest.raises(EventFailedError, match="failed"):
        invoke(sample("stream_end"))


def test_one_bad_event_of_a_raw_list_raises_after_the_others_are_processed(channel: Channel) -> None:
    with pytest.raises(EventFailedError):
        invoke([without(GOOD, "time"), sample("stream_end")])

    assert inbox_row(sample("stream_end")).outcome == "applied"


def test_an_event_that_would_run_code_is_refused_before_zappa_gets_it(
    monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    monkeypatch.setattr(lambda_entry, "_zappa", lambda: pytest.fail("handed on to Zappa"))
    events: list[dict[str, Any]] = [
        {"raw_command": "open('/tmp/ivsvod-was-here', 'w')"},
        {"command": "os.getcwd"},
        {"manage": "shell"},
        {"manage": "flush --no-input"},
        {"manage": ""},
        {"manage": None},
        {"manage": ["migrate"]},
        {"manage": "migratex"},
        {"manage": "migrate", "raw_command": "1/0"},
        {"manage": "migrate", "command": "os.getcwd"},
        {"httpMethod": None, "raw_command": "1/0"},
        {"httpMethod": "", "command": "os.getcwd"},
        {"httpMethod": 0, "manage": "shell"},
        {},
        {"Records": None},
        {"awslogs": {"data": ""}},
    ]
    for event in events:
        with subtests.test(str(event)), pytest.raises(InvocationRefusedError):
            invoke(event)


def test_a_command_that_an_event_carries_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_entry, "_zappa", lambda: pytest.fail("handed on to Zappa"))
    monkeypatch.setattr(lambda_entry, "call_command", lambda *_: pytest.fail("run"))
    smuggled = {"detail-type": "Scheduled Event", "resources": ["rule/a-os.getcwd"], "stageVariables": {"A": "b"}}

    with pytest.raises(lambda_entry.EventFailedError, match="refused"):
        invoke({"manage": "migrate --check", **smuggled})


# ingest_events


def test_a_json_array_is_taken_in_its_order(channel: Channel) -> None:
    events = [sample("stream_end"), sample("stream_start"), without(GOOD, "id"), sample("stream_end")]

    status, printed = ingest_file(json.dumps(events, indent=2))

    assert status == 1
    assert printed == [
        {"event_id": sample("stream_end")["id"], "outcome": "applied"},
        {"event_id": GOOD["id"], "outcome": "applied"},
        {"event_id": None, "outcome": "refused"},
        {"event_id": sample("stream_end")["id"], "outcome": "duplicate"},
    ]


def test_one_envelope_a_line_is_taken_in_its_order(channel: Channel) -> None:
    content = lines([sample("stream_start"), "", "  ", "{broken", sample("stream_end")]) + "\r\n"

    status, printed = ingest_file(content)

    assert status == 1
    assert [line["outcome"] for line in printed] == ["applied", "refused", "applied"]


def test_a_line_ends_only_at_a_newline_of_json_lines(channel: Channel) -> None:
    name = "a\u2028b\u2029c\x85d"
    spaced = [sample(kind, detail={"channel_name": "a|b"}) for kind in ("stream_start", "stream_end")]

    status, printed = ingest_file(lines(spaced).replace("a|b", name))

    assert (status, [line["outcome"] for line in printed]) == (0, ["applied", "applied"])
    assert StateChange.objects.filter(data__channel_name=name).count() == 2


def test_a_single_envelope_is_taken(channel: Channel) -> None:
    assert ingest_file(json.dumps(GOOD, indent=2)) == (0, [{"event_id": GOOD["id"], "outcome": "applied"}])


def test_an_sqs_batch_is_taken_as_the_lambda_would(channel: Channel) -> None:
    batch = sqs_batch([sample("stream_start"), sample("stream_end")])

    status, printed = ingest_file(json.dumps(batch))

    assert (status, [line["outcome"] for line in printed]) == (0, ["applied", "applied"])


def test_the_ends_that_stay_in_are_no_failure_of_the_command(channel: Channel) -> None:
    elsewhere = stream_change("Stream Start", 5, arn=f"{ARN}x")
    ignored = sample("limit_breach_concurrent_viewers")

    status, printed = ingest_file(lines([GOOD, GOOD, elsewhere, ignored, sample("recording_end")]))

    assert status == 0
    assert [line["outcome"] for line in printed] == ["applied", "duplicate", "parked", "ignored", "deferred"]


def test_a_failed_event_makes_the_command_exit_with_1_after_the_rest(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws_door, "json_write", raising(RuntimeError("a bug")))

    status, printed = ingest_file(lines([GOOD, sample("recording_start")]))

    assert status == 1
    assert [line["outcome"] for line in printed] == ["failed", "applied"]


def test_one_item_of_an_array_that_is_not_json_is_refused_alone(channel: Channel) -> None:
    numbers = ("NaN", "Infinity", "1e400")
    items = [text_of(GOOD).replace('"room-42"', number) for number in numbers]

    status, printed = ingest_file(f"[{items[0]}, {items[1]}, {text_of(GOOD)}, {items[2]}]".replace(", ", ",\n"))

    assert status == 1
    assert [line["outcome"] for line in printed] == ["refused", "refused", "applied", "refused"]


def test_a_file_without_events_is_no_failure() -> None:
    for content in ("", " \n\n", "[]", '{"Records": []}', "\ufeff"):
        assert ingest_file(content) == (0, []), ascii(content)


def test_a_document_that_holds_no_envelope_is_one_refused_item() -> None:
    for content in ("null", "5", '"text"', "{}", "[null]"):
        assert ingest_file(content) == (1, [{"event_id": None, "outcome": "refused"}]), content


def test_a_byte_order_mark_is_not_part_of_the_first_event(channel: Channel) -> None:
    content = b"\xef\xbb\xbf" + lines([GOOD, sample("stream_end")]).encode()

    assert [line["outcome"] for line in ingest_file(content)[1]] == ["applied", "applied"]


def test_bytes_that_are_no_utf_8_spoil_their_line_alone(channel: Channel) -> None:
    content = b"\xff\xfe{\n" + text_of(GOOD).encode()

    assert [line["outcome"] for line in ingest_file(content)[1]] == ["refused", "applied"]


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_standard_input_is_read_without_a_file_name(
    channel: Channel, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + text_of(GOOD).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)

    assert command("ingest_events", *arguments) == (0, [{"event_id": GOOD["id"], "outcome": "applied"}])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(CommandError, match=str(path)):
            call_command("ingest_events", str(path))


def test_the_outcomes_of_a_batch_are_printed_before_the_next_one_is_stored(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout = io.StringIO()
    receive = inbox.receive
    seen: list[int] = []

    def watched(bodies: list[str]) -> Any:
        seen.append(len(stdout.getvalue().splitlines()))
        return receive(bodies)

    monkeypatch.setattr(inbox, "receive", watched)
    path = Path(os.environ["IVSVOD_TEST_HOME"]) / f"{uuid4()}.jsonl"
    path.write_text(lines([GOOD, *([sample("stream_end")] * 11)]))
    call_command("ingest_events", str(path), stdout=stdout)
    path.unlink()

    assert seen == [0, inbox.BATCH]
    assert len(stdout.getvalue().splitlines()) == 12


def test_on_lambda_a_database_that_is_away_reports_every_item(tmp_path: Path) -> None:
    """In a process of its own, with the variables that Lambda sets and nobody at the database's port."""
    (tmp_path / "zappa_settings.py").write_text(
        "LOG_LEVEL = None\nPROJECT_NAME = 'ivsvod'\nAPI_STAGE = 'dev'\nENVIRONMENT_VARIABLES = {}\n"
        "DJANGO_SETTINGS = 'ivsvod.settings'\n"
    )
    program = "import json, sys\nfrom ivsvod.lambda_entry import lambda_handler\n"
    program += "print('ANSWER', json.dumps(lambda_handler(json.load(sys.stdin), None)))"
    batch = sqs_batch([sample("stream_start"), sample("stream_end")])
    environment = {
        **os.environ,
        "PG_HOST": str(tmp_path),
        "AWS_LAMBDA_FUNCTION_NAME": "ivsvod-dev",
        "PYTHONPATH": f"{ROOT}:{tmp_path}",
    }

    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(batch),
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
    ids = [{"itemIdentifier": record["messageId"]} for record in batch["Records"]]
    assert json.loads(line.removeprefix("ANSWER ")) == {"batchItemFailures": ids}


# As large as EventBridge allows, and larger


LARGEST = 262_144


def unknown_event(size: int, filling: str = "x") -> str:
    """An envelope that nothing here knows, of so many bytes."""
    envelope = {**GOOD, "detail-type": "IVS Something New", "detail": {"event_name": "Unheard Of", "text": ""}}
    left = size - len(text_of(envelope))
    text = filling * (left // len(filling.encode()))
    text += "x" * (left - len(text.encode()))
    return json.dumps({**envelope, "detail": {**envelope["detail"], "text": text}}, ensure_ascii=False)


@pytest.mark.parametrize("filling", ["x", "ü", "\U0001f4fa"])
def test_an_unknown_event_as_large_as_eventbridge_allows_is_kept_whole(channel: Channel, filling: str) -> None:
    body = unknown_event(LARGEST, filling)
    assert len(body.encode()) == LARGEST

    assert outcomes(body, body) == ["ignored", "duplicate"]

    row = inbox_row(GOOD)
    assert (row.body, row.detail_type, row.outcome) == (body, "IVS Something New", "ignored")


@pytest.mark.parametrize("size", [LARGEST + 1, *([10 * 1024 * 1024] if THOROUGH else [])])
@pytest.mark.parametrize("filling", ["x", "ü", "\U0001f4fa"])
def test_a_larger_event_is_refused_by_name_and_kept_in_part(channel: Channel, size: int, filling: str) -> None:
    body = unknown_event(size, filling)

    assert outcomes(body, body) == ["refused", "refused"]

    row = InboxEvent.objects.get()
    assert "larger than 256 KB" in row.error
    assert LARGEST - 3 <= len(row.body.encode()) <= LARGEST
    assert body.startswith(row.body)
    assert row.attempts == 2


def test_a_larger_event_comes_again_to_the_lambda_and_its_neighbours_do_not(channel: Channel) -> None:
    assert lambda_takes(sample("stream_end"), unknown_event(LARGEST + 1), GOOD) == [1]

    assert live(channel) == ("offline", STREAM)


@pytest.mark.parametrize(
    "body", ["[" * 10_000_000, '"' + "\\u0000" * 1_000_000, "\0" * 100_000], ids=["deep", "nul", "raw"]
)
def test_a_large_text_that_is_no_event_is_refused(channel: Channel, body: str) -> None:
    assert outcomes(body) == ["refused"]

    assert len(InboxEvent.objects.get().body.encode()) <= LARGEST


def test_two_larger_events_that_begin_alike_are_two(channel: Channel) -> None:
    one = unknown_event(LARGEST + 10)

    assert outcomes(one, one.replace('xx"}}', 'yy"}}')) == ["refused", "refused"]

    assert InboxEvent.objects.count() == 2


def test_a_larger_event_does_not_stand_in_the_way_of_the_true_one(channel: Channel) -> None:
    assert outcomes(unknown_event(LARGEST + 1), GOOD) == ["refused", "applied"]


def test_a_slow_batch_is_settled_in_parts_which_survive_an_early_end_of_the_lambda(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [{**sample("stream_start"), "id": f"event-{number}"} for number in range(4)]
    clock = iter(range(0, 1000, 3))
    monkeypatch.setattr(inbox, "monotonic", lambda: next(clock))
    parse = inbox.parse

    def ends_at_the_last(document: Any, **rest: Any) -> Any:
        if document["id"] == "event-3":
            raise Killed
        return parse(document, **rest)

    monkeypatch.setattr(inbox, "parse", ends_at_the_last)

    with pytest.raises(Killed):
        lambda_takes(*events)

    assert [inbox_row(envelope).outcome for envelope in events] == ["applied", "applied", "received", "received"]
