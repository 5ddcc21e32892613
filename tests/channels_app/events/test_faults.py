"""What goes wrong on the road of an event, and what must come of it all the same."""

import contextlib
import hashlib
import json
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError
from django.db import connection

from channels_app.events import inbox
from channels_app.events.synthetic import stream_envelope
from channels_app.models import Channel, InboxEvent, StreamHistoryEntry
from common import aws as aws_door
from common.aws import AwsError, AwsErrorKind
from ondemand.models import Video
from ondemand.recordings import inspection
from ondemand.videos.files import CatalogueReader
from tests.channels_app.events.test_cost import MOST, cost
from tests.support.helpers import OWNER, bearer, make_channel
from tests.support.predecessor import statements
from tests.support.recordings import DENIED, SpoiledS3, answers, put_recording
from tests.support.road import (
    ARN,
    PREFIX,
    STREAM,
    at,
    command,
    ended_metadata,
    inbox_row,
    ingest_file,
    invoke,
    lambda_takes,
    live_file,
    outcomes,
    put,
    recording_change,
    sample,
    stream_change,
    text_of,
)

pytestmark = pytest.mark.django_db
OTHER = "arn:aws:ivs:eu-west-1:111122223333:channel/BjIhKtJ0RlgL"
LAMBDA_SECONDS = 120  # timeout_seconds of zappa_settings.json


@pytest.fixture
def channel(aws: Any) -> Channel:
    return make_channel(arn=ARN)


def compact(envelope: Any) -> str:
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))


def away(**_: Any) -> None:
    raise AwsError("PutObject", "x", AwsErrorKind.UNAVAILABLE, "down")


# 1


def test_a_parked_event_whose_file_could_not_be_written_once_is_tried_again(aws: Any, monkeypatch: Any) -> None:
    assert outcomes(stream_change("Stream Start", 0)) == ["parked"]
    channel = make_channel(arn=ARN)
    with monkeypatch.context() as patched:
        patched.setattr(aws_door, "json_write", away)
        command("process_inbox")
    for _ in range(3):
        command("process_inbox")
    assert (InboxEvent.objects.get().outcome, live_file(channel)) == (
        "applied",
        {"state": "live", "timestamp": 1772614800000, "stream_id": STREAM},
    )


@pytest.mark.django_db(transaction=True)
def test_a_deferred_event_under_which_the_database_dies_once_is_tried_again(aws: Any, monkeypatch: Any) -> None:
    make_channel(arn=ARN)
    assert outcomes(recording_change("Recording End", 61, duration_ms=3_960_000)) == ["deferred"]
    put_recording()
    fetch = inspection.facts_fetch

    def killing(**named: Any) -> Any:
        monkeypatch.setattr(inspection, "facts_fetch", fetch)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        where = {
            k: v
            for k, v in connection.get_connection_params().items()
            if k in {"dbname", "user", "password", "host", "port"}
        }
        with psycopg.connect(**where, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])
        return fetch(**named)

    monkeypatch.setattr(inspection, "facts_fetch", killing)
    for _ in range(3):
        command("process_inbox")
    assert (InboxEvent.objects.get().outcome, Video.objects.get().qa) == ("applied", "ok")


class Killed(BaseException):
    """What Lambda does at its timeout."""


def slow(aws: Any, monkeypatch: Any, seconds: float) -> list[float]:
    clock = [0.0]

    class Slow(SpoiledS3):
        def __call__(self, environ: Any, start_response: Any) -> Any:
            if "/ivs/v1/" in environ["PATH_INFO"]:
                clock[0] += seconds  # below the read timeout of 10 s
                if clock[0] > LAMBDA_SECONDS:
                    raise Killed
            return self.s3(environ, start_response)

    Slow(aws)
    for module in ("common.aws.s3", "ondemand.recordings.inspection", "channels_app.events.inbox"):
        monkeypatch.setattr(f"{module}.monotonic", lambda: clock[0])
    return clock


def test_an_end_is_available_before_lambda_gives_up_on_a_slow_s3(aws: Any, channel: Channel, monkeypatch: Any) -> None:
    put_recording()
    clock = slow(aws, monkeypatch, 9)
    event = recording_change("Recording End", 60, duration_ms=3_960_000)
    for _ in range(5):
        clock[0] = 0
        with contextlib.suppress(Killed):
            lambda_takes(event)
    assert Video.objects.filter(status="available").exists()


def test_slow_ends_do_not_keep_another_channel_from_being_shown_live(
    aws: Any, channel: Channel, monkeypatch: Any
) -> None:
    other = make_channel(arn=OTHER)
    put_recording()
    clock = slow(aws, monkeypatch, 3)
    ends = [recording_change("Recording End", 60 + n, duration_ms=3_960_000) for n in range(9)]
    start = stream_change("Stream Start", 0, arn=OTHER)
    for _ in range(5):
        clock[0] = 0
        with contextlib.suppress(Killed):
            lambda_takes(start, *ends)
    assert (inbox_row(start).outcome, (live_file(other) or {}).get("state")) == ("applied", "live")


@pytest.mark.parametrize("road", ["raw", "array"])
@pytest.mark.parametrize("kind", ["200 kB of Chinese", "262,144 bytes, compact"])
def test_an_event_of_the_size_that_eventbridge_allows_is_taken_on_every_road(
    channel: Channel, road: str, kind: str
) -> None:
    event = sample("stream_start", detail={"later": "漢" * 60_000 if "Chinese" in kind else ""})
    if "compact" in kind:
        event["detail"]["later"] = "a" * (262_144 - len(compact(event)))
    assert len(compact(event).encode()) <= 262_144
    if road == "raw":
        assert invoke(event)["outcome"] == "applied"
    else:
        assert ingest_file(f"[{compact(event)}]")[1] == [{"event_id": event["id"], "outcome": "applied"}]


HOSTILE = {"number": "9" * 5000, "depth": "[" * 100_000 + "]" * 100_000}


@pytest.mark.parametrize("bad", HOSTILE.values(), ids=HOSTILE)
def test_one_hostile_item_of_an_array_stops_none_of_its_neighbours(channel: Channel, bad: str) -> None:
    item = f'{{"id": "bad", "n": {bad}}}'
    told_lines = ingest_file(f"[{text_of(sample('stream_start'))},{item}]")[1]
    assert [line["outcome"] for line in told_lines] == ["applied", "refused"]


def test_the_start_of_an_adopted_row_is_that_of_its_metadata_though_its_recording_start_comes_late(
    channel: Channel,
) -> None:
    statements.insert_video(
        connection.connection, channel=channel.uuid, data=json.dumps(sample("recording_end")["detail"])
    )
    put_recording()
    command("check_recordings")
    outcomes(recording_change("Recording Start", 30))
    assert Video.objects.get().started_at.isoformat() == ended_metadata()["recording_started_at"].replace("Z", "+00:00")


def test_an_end_without_metadata_has_its_own_length_not_that_of_the_failure_that_it_beats(channel: Channel) -> None:
    put(
        f"{PREFIX}/events/recording-failed.json",
        {**ended_metadata(duration_ms=0), "recording_status": "RECORDING_ENDED_WITH_FAILURE"},
    )
    outcomes(
        recording_change("Recording End Failure", 50), recording_change("Recording End", 61, duration_ms=3_960_000)
    )
    video = Video.objects.get()
    assert (video.status, video.duration_ms) == ("available", 3_960_000)


@pytest.mark.parametrize(
    "fields",
    [
        {"detail": {"event_name": "Something New", "channel_name": ""}},
        {"resources": [], "detail": {"event_name": "Something Of The Account"}},
        {"detail-type": "IVS Stream Health Change", "detail": {"event_name": "Something New"}},
        {"detail-type": "IVS Recording State Change", "detail": {"recording_status": "Something New"}},
    ],
)
def test_an_unknown_name_is_stored_and_ignored(channel: Channel, fields: dict[str, Any]) -> None:
    assert outcomes({**sample("stream_start"), **fields}) == ["ignored"]


def test_a_deferred_end_that_comes_again_for_a_stream_without_start(channel: Channel) -> None:
    end = recording_change("Recording End", 61, duration_ms=3_960_000)
    lambda_takes(stream_change("Stream End", 60), end)
    put_recording()
    assert cost(end) <= MOST


def test_a_batch_whose_channel_appears_writes_one_object(aws: Any, monkeypatch: Any) -> None:
    mark, write = inbox._mark, aws_door.json_write
    made: list[Channel] = []
    keys: list[str] = []

    def appears(works: Any) -> None:
        mark(works)
        made.append(make_channel(arn=ARN)) if not made else None

    def noted(*, key: str, **rest: Any) -> None:
        keys.append(key)
        write(key=key, **rest)

    monkeypatch.setattr(inbox, "_mark", appears)
    monkeypatch.setattr(aws_door, "json_write", noted)
    lambda_takes(*(stream_change("Stream Start", n, stream_id=f"st-{n:023}") for n in range(10)))
    assert len(keys) == 1


def test_the_live_state_file_of_a_channel_that_is_deleted_says_offline(aws: Any, client: Any, api_key: str) -> None:
    body = json.dumps({"name": "x", "userId": str(OWNER)})
    assert client.post("/channels", body, content_type="application/json", headers=bearer(api_key)).status_code == 200
    channel = Channel.objects.get()
    lambda_takes(stream_change("Stream Start", 0, arn=channel.arn))
    assert client.delete(f"/channels/{channel.uuid}", headers=bearer(api_key)).status_code == 200
    assert live_file(channel)["state"] == client.get(f"/channels/{channel.uuid}/live").json()["state"]


def test_a_prefix_that_no_key_can_have_is_refused(channel: Channel) -> None:
    # 2,700 bytes; a key has up to 1,024.
    assert outcomes(recording_change("Recording End", 5, prefix="漢" * 900)) == ["refused"]


def test_a_later_playlist_is_played_though_the_pictures_may_not_be_listed(aws: Any, channel: Channel) -> None:
    put_recording(**{"events/recording-ended.json": ended_metadata(playlist="other.m3u8")})

    class NoList(SpoiledS3):
        def __call__(self, environ: Any, start_response: Any) -> Any:
            if "list-type=2" in environ.get("QUERY_STRING", ""):
                return answers("403 Forbidden", DENIED)(environ, start_response)
            return self.s3(environ, start_response)

    NoList(aws)
    outcomes(recording_change("Recording End", 61, duration_ms=3_960_000))
    assert str(CatalogueReader(is_curator=True).location(Video.objects.get())).endswith("/other.m3u8")


def test_a_takeover_is_in_the_history_once_although_reconcile_has_its_fraction_of_a_second(channel: Channel) -> None:
    """IVS tells 9:05:00.6, which reconcile cuts; EventBridge may have rounded it."""
    outcomes(stream_change("Stream Start", 0))
    outcomes(stream_envelope(name="Stream Takeover", arn=ARN, stream_id=STREAM, at=at(5)))
    outcomes({**stream_change("Stream Takeover", 5), "time": "2026-03-04T09:05:01Z"})
    assert StreamHistoryEntry.objects.count() == 1


def test_an_id_like_a_digest_is_refused_by_name(aws: Any) -> None:
    outcomes(sample("stream_start", id="sha256:abc", time="never"))
    assert "id is missing, begins with sha256:" in InboxEvent.objects.get().error


def test_an_id_like_a_digest_does_not_take_the_place_of_a_malformed_body(channel: Channel) -> None:
    body = '{"no": "id"}'
    outcomes(sample("stream_start", id=f"sha256:{hashlib.sha256(body.encode()).hexdigest()}"))
    assert outcomes(body) == ["refused"]


@pytest.mark.parametrize("name", ["process_inbox", "replay"])
def test_a_huge_limit_gives_no_traceback(channel: Channel, name: str) -> None:
    outcomes(stream_change("Stream Start", 0))
    with contextlib.suppress(CommandError):
        command(name, "--limit", "9" * 20)


def test_a_recording_is_found_by_its_session_id(channel: Channel) -> None:
    outcomes(recording_change("Recording Start", 0))
    assert outcomes(recording_change("Recording End Failure", 60, prefix="")) == ["applied"]
