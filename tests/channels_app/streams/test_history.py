"""`GET /channels/{uuid}/streams`, and the history of streams that events fill."""

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels_app.models import Channel, InboxEvent, Stream, StreamHistoryEntry
from ondemand.models import RemovedRecording, Video
from tests.support.helpers import THOROUGH, bearer, kept, make_channel, make_content, make_token, make_video
from tests.support.road import (
    ARN,
    STREAM,
    Envelope,
    command,
    ingest_file,
    lambda_takes,
    outcomes,
    recording_change,
    sample,
    stream_change,
)
from tools.local.aws import LocalAws

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
PUBLIC = {"stream_id", "started_at", "ended_at", "videos"}
HISTORY = {"sessions", "takeovers", "failures", "health", "limits"}


@pytest.fixture
def channel(db: None, aws: LocalAws) -> Channel:
    """The channel of the vendor's samples."""
    return make_channel(arn=ARN)


@pytest.fixture
def streams(api_key: str) -> Callable[..., Any]:
    """`GET /channels/{uuid}/streams`, by anyone or by a manager; the answer."""

    def get(channel: Channel, *, managed: bool = False, query: str = "") -> Any:
        headers = bearer(api_key) if managed else {}
        response = Client().get(f"/channels/{channel.uuid}/streams{query}", headers=headers)
        assert response.status_code == 200, response.content
        return response

    return get


def stream_ids(answer: Any) -> list[str | None]:
    return [item["stream_id"] for item in answer.json()["data"]]


def make_stream(channel: Channel, number: int, **values: Any) -> Stream:
    started = NOON + timedelta(minutes=number)
    made = {"stream_id": f"st-{number:023}", "first_event_at": started, "started_at": started}
    return Stream.objects.create(channel=channel, **{**made, **values})


# What anyone sees


@pytest.mark.django_db
def test_streams_are_shown_last_first_with_start_end_and_listed_videos(streams: Callable[..., Any]) -> None:
    channel = make_channel()
    first = make_stream(channel, 1, ended_at=NOON + timedelta(minutes=9))
    running = make_stream(channel, 20)
    make_stream(make_channel(), 5)
    video = make_video(channel=channel, stream_ids=[first.stream_id])
    make_content(video, title="The first hour")
    answer = streams(channel).json()
    assert stream_ids(streams(channel)) == [running.stream_id, first.stream_id]
    assert all(set(item) == PUBLIC for item in answer["data"])
    assert answer["data"][0]["ended_at"] is None
    assert answer["data"][0]["videos"] == []
    assert (answer["data"][1]["started_at"], answer["data"][1]["ended_at"]) == (
        "2026-03-04T12:01:00Z",
        "2026-03-04T12:09:00Z",
    )
    (shown,) = answer["data"][1]["videos"]
    assert shown == Client().get(f"/on-demand/{video.uuid}").json()
    assert (answer["page"], answer["pageSize"], answer["next"]) == (1, 25, None)


@pytest.mark.django_db
def test_recordings_of_several_streams_and_several_recordings_of_a_stream_are_shown_with_each(
    streams: Callable[..., Any],
) -> None:
    channel = make_channel()
    one, two = make_stream(channel, 1), make_stream(channel, 2)
    merged = make_video(channel=channel, stream_ids=[one.stream_id, two.stream_id])
    later = make_video(channel=channel, stream_ids=[two.stream_id], started_at=NOON)
    found = [[item["uuid"] for item in stream["videos"]] for stream in streams(channel).json()["data"]]
    assert found == [[str(later.uuid), str(merged.uuid)], [str(merged.uuid)]]


@pytest.mark.django_db
def test_no_video_is_shown_that_is_not_listed(streams: Callable[..., Any]) -> None:
    channel = make_channel()
    stream = make_stream(channel, 1)
    hidden: list[dict[str, Any]] = [
        {"active": False},
        {"active": None},
        {"visibility": "unlisted"},
        {"held": True},
        {"publish_from": datetime(2999, 1, 1, tzinfo=UTC)},
        {"publish_until": datetime(2001, 1, 1, tzinfo=UTC)},
        {"status": Video.Status.RECORDING},
        {"status": Video.Status.FAILED},
    ]
    made = {str(make_video(channel=channel, stream_ids=[stream.stream_id]).pk): values for values in hidden}
    for uuid, values in made.items():
        Video.objects.filter(pk=uuid).update(**values)
    for managed in (False, True):
        shown = streams(channel, managed=managed).json()["data"][0]["videos"]
        assert [made[item["uuid"]] for item in shown] == []


@pytest.mark.django_db
def test_duplicates_and_videos_of_other_channels_are_not_shown(streams: Callable[..., Any]) -> None:
    channel = make_channel()
    stream = make_stream(channel, 1)
    video = make_video(channel=channel, stream_ids=[stream.stream_id])
    make_video(channel=channel, stream_ids=[stream.stream_id], duplicate_of=video)
    make_video(channel=make_channel(), stream_ids=[stream.stream_id])
    assert [item["uuid"] for item in streams(channel).json()["data"][0]["videos"]] == [str(video.uuid)]


@pytest.mark.django_db
def test_streams_of_any_length_of_id_do_not_keep_the_predecessors_video_out(streams: Callable[..., Any]) -> None:
    channel = make_channel()
    stream = make_stream(channel, 1, stream_id="s" * 150)
    for ids in (["s" * 10_000], ["s" * 149 + "t"], []):
        make_video(channel=channel, stream_ids=ids)
    assert streams(channel).json()["data"][0]["videos"] == []
    video = make_video(channel=channel, stream_ids=["x" * 10_000, stream.stream_id])
    assert [item["uuid"] for item in streams(channel).json()["data"][0]["videos"]] == [str(video.uuid)]


@pytest.mark.django_db
def test_a_stream_of_the_predecessor_without_an_id_is_shown_without_one(streams: Callable[..., Any]) -> None:
    channel = make_channel()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ivs_state_changes (timestamp, ivs_channel_uuid, state) VALUES (%s, %s, 'live')",
            [NOON, channel.uuid],
        )
    (stream,) = streams(channel).json()["data"]
    assert (stream["stream_id"], stream["started_at"]) == (None, "2026-03-04T12:00:00Z")


@pytest.mark.django_db
def test_streams_are_paged_without_a_gap_or_a_repeat_while_new_ones_begin(streams: Callable[..., Any]) -> None:
    channel = make_channel()
    made = [make_stream(channel, number).stream_id for number in range(7)]
    seen, query, number = [], "?pageSize=2", itertools.count(100)
    while query:
        answer = streams(channel, query=query)
        seen += stream_ids(answer)
        make_stream(channel, next(number))
        following = answer.json()["next"]
        query = following and "?" + following.partition("?")[2]
    assert seen == made[::-1]
    assert len(stream_ids(streams(channel, query="?page=2&pageSize=4"))) == 4
    response = Client().get(f"/channels/{channel.uuid}/streams?state=live")
    assert response.status_code == 400
    assert response.json()["fields"]["state"]


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_streams_videos_and_history(
    streams: Callable[..., Any], django_assert_num_queries: Any
) -> None:
    channel = make_channel()
    for number in range(12):
        stream = make_stream(channel, number)
        for _ in range(2):
            make_content(make_video(channel=channel, stream_ids=[stream.stream_id]))
        for again in range(3):
            StreamHistoryEntry.objects.create(
                stream=stream, event_id=f"{number}-{again}", at=NOON, name="Starvation Start", detail={"reason": None}
            )
    for size in (1, 5, 12):
        # The channel, its streams, their videos, and the next publication change.
        with django_assert_num_queries(4):
            assert len(stream_ids(streams(channel, query=f"?pageSize={size}"))) == size
        with django_assert_num_queries(5):
            assert len(stream_ids(streams(channel, managed=True, query=f"?pageSize={size}"))) == size


@pytest.mark.django_db
def test_no_answer_outlives_the_next_publication_change(streams: Callable[..., Any]) -> None:
    channel = make_channel()
    stream = make_stream(channel, 1)
    video = make_video(channel=channel, stream_ids=[stream.stream_id])
    assert streams(channel)["Cache-Control"] == kept(10)
    for name in ("publish_from", "publish_until"):
        Video.objects.filter(pk=video.pk).update(**{name: timezone.now() + timedelta(seconds=5)})
        assert streams(channel)["Cache-Control"] in {kept(seconds, 0) for seconds in (2, 3, 4)}


# History


@pytest.mark.django_db
def test_history_is_for_managers_alone(channel: Channel, streams: Callable[..., Any]) -> None:
    outcomes(sample("stream_start"), sample("starvation_start"), sample("stream_failure"))
    assert set(streams(channel).json()["data"][0]) == PUBLIC
    assert set(streams(channel, managed=True).json()["data"][0]) == PUBLIC | HISTORY
    reader = bearer(make_token("read", "curate", "playback")[1])
    answer = Client().get(f"/channels/{channel.uuid}/streams", headers=reader)
    assert set(answer.json()["data"][0]) == PUBLIC


@pytest.mark.django_db
def test_every_event_of_ivs_about_a_stream_is_in_its_history(channel: Channel, streams: Callable[..., Any]) -> None:
    names = (
        "session_created stream_start stream_takeover stream_takeover_failure stream_failure starvation_start "
        "starvation_end limit_breach_ingest_bitrate limit_breach_ingest_resolution recording_start_failure "
        "recording_end_failure session_ended stream_end"
    )
    events = [sample(name, detail={"stream_id": STREAM}) for name in names.split()]
    assert set(outcomes(*events)) <= {"applied", "deferred"}
    (stream,) = streams(channel, managed=True).json()["data"]
    assert [(item["name"], item["reason"]) for item in stream["sessions"]] == [
        ("Session Created", None),
        ("Session Ended", None),
    ]
    assert [item["name"] for item in stream["takeovers"]] == ["Stream Takeover"]
    reasons = {item["name"]: item["reason"] for item in stream["failures"]}
    assert sorted(reasons) == [
        "Recording End Failure",
        "Recording Start Failure",
        "Stream Failure",
        "Stream Takeover Failure",
    ]
    assert all(reasons.values())
    assert reasons["Stream Takeover Failure"] == "StreamTakeoverMediaMismatch"
    assert [item["name"] for item in stream["health"]] == ["Starvation Start", "Starvation End"]
    bitrate = next(item for item in stream["limits"] if item["name"] == "Ingest Bitrate")
    told_of = sample("limit_breach_ingest_bitrate")["detail"]
    for name in ("limit_value", "exceeded_by", "limit_unit"):
        assert bitrate[name] == told_of[name]
    assert bitrate["at"] == sample("limit_breach_ingest_bitrate")["time"]


@pytest.mark.django_db
def test_a_stream_that_never_went_live_is_for_managers_with_the_reason(
    channel: Channel, streams: Callable[..., Any]
) -> None:
    outcomes(
        stream_change("Session Created", 1), stream_change("Stream Failure", 2, reason="No transcoding capacity left")
    )
    assert streams(channel).json()["data"] == []
    (stream,) = streams(channel, managed=True).json()["data"]
    assert (stream["stream_id"], stream["started_at"], stream["ended_at"]) == (STREAM, None, None)
    assert stream["failures"][0]["reason"] == "No transcoding capacity left"


@pytest.mark.django_db
def test_session_ended_of_multitrack_tells_its_code(channel: Channel, streams: Callable[..., Any]) -> None:
    outcomes(stream_change("Session Ended", 1, code="MultitrackInputNotAllowed"))
    (stream,) = streams(channel, managed=True).json()["data"]
    assert stream["sessions"][0]["reason"] == "MultitrackInputNotAllowed"


@pytest.mark.django_db
def test_limit_breaches_of_the_account_belong_to_no_stream(channel: Channel) -> None:
    events = [sample("limit_breach_concurrent_broadcasts"), sample("limit_breach_concurrent_viewers")]
    assert outcomes(*events) == ["ignored", "ignored"]
    assert not StreamHistoryEntry.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "detail",
    [
        {"limit_value": "many", "exceeded_by": None, "limit_unit": 5},
        {"limit_value": True, "exceeded_by": [], "limit_unit": {}},
        {"limit_value": 10**400, "exceeded_by": -(10**400), "limit_unit": ""},
        {"limit_value": 1e300, "exceeded_by": {"a": 1}, "limit_unit": None},
    ],
)
def test_members_that_ivs_does_not_send_are_null(
    channel: Channel, streams: Callable[..., Any], detail: dict[str, Any]
) -> None:
    assert outcomes(sample("limit_breach_ingest_bitrate", detail=detail)) == ["applied"]
    (stream,) = streams(channel, managed=True).json()["data"]
    assert {name: stream["limits"][0][name] for name in detail} == dict.fromkeys(detail)


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["\0", "\ud800", "x" * 100_000, 5, ["x"], None, ""])
def test_a_hostile_reason_breaks_nothing(channel: Channel, streams: Callable[..., Any], reason: Any) -> None:
    assert outcomes(sample("stream_failure", detail={"reason": reason})) == ["applied"]
    (stream,) = streams(channel, managed=True).json()["data"]
    shown = stream["failures"][0]["reason"]
    assert shown is None or len(shown) <= 1000


@pytest.mark.django_db
def test_no_more_than_the_last_500_entries_are_shown(channel: Channel, streams: Callable[..., Any]) -> None:
    stream, other = make_stream(channel, 1), make_stream(channel, 2)
    StreamHistoryEntry.objects.bulk_create(
        StreamHistoryEntry(
            stream=one,
            event_id=f"{one.pk}-{number:04}",
            at=NOON + timedelta(seconds=number),
            name="Starvation Start",
            detail={"reason": None},
        )
        for one in (stream, other)
        for number in range(510)
    )
    for shown in streams(channel, managed=True).json()["data"]:
        assert len(shown["health"]) == 500
        assert (shown["health"][0]["at"], shown["health"][-1]["at"]) == ("2026-03-04T12:00:10Z", "2026-03-04T12:08:29Z")


def history() -> list[tuple[Any, ...]]:
    entries = StreamHistoryEntry.objects.order_by("event_id")
    return list(entries.values_list("event_id", "stream__stream_id", "at", "name", "detail"))


EVENTS: list[Envelope] = [
    stream_change("Session Created", 1, event_id="a"),
    stream_change("Stream Start", 2, event_id="b"),
    sample("starvation_start", id="c"),
    sample("starvation_end", id="d"),
    sample("limit_breach_ingest_bitrate", id="e"),
    stream_change("Stream Takeover Failure", 5, code="StreamTakeoverInvalidPriority", event_id="f"),
    stream_change("Stream Failure", 6, reason="no capacity", event_id="g", stream_id="st-JBd0Kh8oOOL8dKLzdocJ2is"),
    recording_change("Recording Start Failure", 3, prefix="", reason="ValidationException", event_id="h"),
    recording_change("Recording End Failure", 9, reason="InternalServerException", event_id="i"),
    stream_change("Stream End", 8, event_id="j"),
]


@pytest.mark.django_db
@settings(
    max_examples=50 if THOROUGH else 8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(order=st.permutations(EVENTS), again=st.lists(st.sampled_from(EVENTS), max_size=5), late=st.booleans())
def test_in_any_order_and_any_number_of_times_the_history_is_the_same(
    aws: LocalAws, order: list[Envelope], again: list[Envelope], late: bool
) -> None:
    Channel.objects.all().delete()
    InboxEvent.objects.all().delete()
    Video.objects.all().delete()
    RemovedRecording.objects.all().delete()
    if not late:
        make_channel(arn=ARN)
    assert lambda_takes(*order, *again) == []
    if late:
        make_channel(arn=ARN)
        command("process_inbox")
    assert [row[0] for row in history()] == list("acdefghi")
    assert {row[1] for row in history()} == {STREAM, "st-JBd0Kh8oOOL8dKLzdocJ2is"}
    by_id = {event["id"]: event for event in EVENTS}
    assert all(row[2] == datetime.fromisoformat(by_id[row[0]]["time"]) for row in history())


@pytest.mark.django_db
def test_an_end_that_takes_the_place_of_a_reconciled_one_stays_with_its_stream(channel: Channel) -> None:
    ended_at = datetime(2026, 3, 4, 9, tzinfo=UTC)
    for event_id in ("reconcile:end", "the real one"):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT ivsvod_record_event(%s, 'st-1', %s, 'Stream End', %s, %s, NULL)",
                [channel.pk, ended_at, event_id, json.dumps({"stream_id": "st-1"})],
            )
    assert channel.streams.get().ended_at == ended_at


@pytest.mark.django_db
def test_an_entry_moves_no_live_state(channel: Channel) -> None:
    ingest_file(json.dumps(stream_change("Stream Start", 1)))
    before = Client().get(f"/channels/{channel.uuid}/live").json()
    outcomes(*(event for event in EVENTS if event["id"] not in "bj"))
    assert Client().get(f"/channels/{channel.uuid}/live").json() == before
