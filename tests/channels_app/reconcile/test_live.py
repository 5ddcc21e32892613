"""`reconcile`: live state and the past of streams, as IVS remembers them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels_app.channels.provisioning import channel_create
from channels_app.models import Channel, StateChange, Stream, StreamHistoryEntry
from channels_app.reconcile.live import guessed_end
from tests.support.helpers import OWNER, ivs, make_video
from tests.support.reconciling import Asked, Past, kinds, mended, reconcile
from tests.support.road import STREAM, at, lambda_takes, live, live_file, stream_change
from tools.local.aws import LocalAws
from tools.local.broadcast.events import Envelope
from tools.local.ivs import Fault

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def channel(aws: LocalAws) -> Channel:
    return channel_create(name="Morning show", owner=OWNER)


def names(events: list[Envelope], *wanted: str) -> list[Envelope]:
    """The events of these names."""
    return [event for event in events if set(event["detail"].values()) & set(wanted)]


def but(events: list[Envelope], *unwanted: str) -> list[Envelope]:
    """The events of other names."""
    return [event for event in events if event not in names(events, *unwanted)]


def history_of(stream_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Names and details, in order."""
    entries = StreamHistoryEntry.objects.filter(stream__stream_id=stream_id).order_by("at", "name")
    return list(entries.values_list("name", "detail"))


# Live state


def test_nothing_differs_if_all_events_arrived(channel: Channel, past: Past) -> None:
    for minute in (0, 10):
        _, events = past.broadcast(channel, at(minute), "starvation", "takeover-failure", "reconnect")
        assert lambda_takes(*events) == []
    assert reconcile() == (0, [], "")


def test_a_start_that_never_came_is_reported_by_the_list_of_live_streams(channel: Channel, past: Past) -> None:
    plan, _ = past.broadcast(channel, at(0), is_over=False, is_recorded=False)
    (found,) = mended("stream_missing")
    stream = plan.streams[0]
    assert (found["channel"], found["arn"], found["stream_id"]) == (str(channel.uuid), channel.arn, stream.stream_id)
    assert found["database"] == {"started_at": None, "ended_at": None}
    assert found["ivs"]["started_at"] == "2026-03-04T09:00:05Z"
    assert live(channel) == ("live", stream.stream_id)
    assert live_file(channel) == {"state": "live", "timestamp": 1772614805000, "stream_id": stream.stream_id}


@pytest.mark.usefixtures("one_try")
def test_that_a_stream_is_live_is_known_without_its_session(channel: Channel, past: Past, aws: LocalAws) -> None:
    plan, _ = past.broadcast(channel, at(0), is_over=False, is_recorded=False)
    aws.ivs.faults.append(Fault("GetStreamSession", "error500", times=3))
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (0, ["stream_missing"])
    assert live(channel) == ("live", plan.streams[0].stream_id)


def test_a_stream_that_is_live_and_known_is_not_asked_for(channel: Channel, past: Past, asked: Asked) -> None:
    _, events = past.broadcast(channel, at(0), is_over=False, is_recorded=False)
    lambda_takes(*events)
    assert reconcile("--apply") == (0, [], "")
    assert asked.count("GetStreamSession") == 0


def test_of_one_channel_its_sessions_tell_what_is_live(channel: Channel, past: Past, asked: Asked) -> None:
    other = channel_create(name="Evening show", owner=OWNER)
    past.broadcast(channel, at(0), is_over=False, is_recorded=False)
    past.broadcast(other, at(0), is_over=False, is_recorded=False)
    status, lines, _ = reconcile("--apply", "--channel", str(channel.uuid))
    assert (status, kinds(lines)) == (0, ["stream_missing"])
    assert live(channel)[0] == "live"
    assert live(other) == ("offline", None)
    assert asked.count("ListStreams") == asked.count("ListChannels") == 0
    assert not any(other.arn in str(arguments) for _, arguments, _ in asked.calls)


def test_a_channel_does_not_stay_live_for_ever(channel: Channel, past: Past) -> None:
    plan, events = past.broadcast(channel, at(0), is_recorded=False)
    lambda_takes(*but(events, "Stream End"))
    assert live(channel)[0] == "live"
    (found,) = mended("stream_end_missing")
    assert found["ivs"]["ended_at"] == "2026-03-04T09:01:13Z"
    assert found["unknown"] == []
    assert live(channel) == ("offline", plan.streams[0].stream_id)
    assert live_file(channel)["timestamp"] == 1772614873000


def test_a_stream_that_another_followed_gets_its_end_as_well(channel: Channel, past: Past) -> None:
    first, events = past.broadcast(channel, at(0), is_recorded=False)
    lambda_takes(*but(events, "Stream End"))
    second, events = past.broadcast(channel, at(10), is_over=False, is_recorded=False)
    lambda_takes(*events)
    mended("stream_end_missing")
    assert Stream.objects.get(stream_id=first.streams[0].stream_id).ended_at == at(1) + timedelta(seconds=13)
    assert live(channel) == ("live", second.streams[0].stream_id)


def test_the_end_of_a_deleted_channel_is_found_too(channel: Channel, past: Past) -> None:
    plan, events = past.broadcast(channel, at(0), is_recorded=False)
    lambda_takes(*but(events, "Stream End"))
    ivs().delete_channel(arn=channel.arn)
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (0, ["stream_end_missing", "channel_gone"])
    assert Stream.objects.get(stream_id=plan.streams[0].stream_id).ended_at == at(1) + timedelta(seconds=13)
    assert live_file(channel)["state"] == "offline"
    assert reconcile("--apply")[0] == 0


def test_the_end_of_a_stream_that_ivs_has_forgotten_is_the_last_that_is_known_of_it(channel: Channel) -> None:
    lambda_takes(
        stream_change("Stream Start", 0, arn=channel.arn), stream_change("Stream Takeover", 7, arn=channel.arn)
    )
    (found,) = mended("stream_end_unknown")
    assert (found["stream_id"], found["unknown"]) == (STREAM, ["ended_at"])
    assert "09:07:00" in found["would"]
    assert Stream.objects.get().ended_at == at(7)
    assert live(channel) == ("offline", STREAM)
    assert live_file(channel)["state"] == "offline"


def test_a_recording_of_a_forgotten_stream_tells_how_long_it_was_there(channel: Channel) -> None:
    lambda_takes(stream_change("Stream Start", 0, arn=channel.arn))
    make_video(channel=channel, stream_ids=[STREAM], started_at=at(0), duration_ms=1_800_000)
    mended("stream_end_unknown")
    assert Stream.objects.get().ended_at == at(30)


def test_a_guessed_end_is_not_after_the_start_of_the_next_stream(channel: Channel) -> None:
    lambda_takes(
        stream_change("Stream Start", 0, arn=channel.arn),
        stream_change("Stream Takeover", 20, arn=channel.arn),
        stream_change("Stream Start", 10, arn=channel.arn, stream_id="st-JBd0Kh8oOOL8dKLzdocJ2is"),
        stream_change("Stream End", 30, arn=channel.arn, stream_id="st-JBd0Kh8oOOL8dKLzdocJ2is"),
    )
    mended("stream_end_unknown")
    assert Stream.objects.get(stream_id=STREAM).ended_at == at(10)


def test_an_end_is_never_guessed_before_its_start() -> None:
    assert guessed_end(at(5), [at(1)], at(2)) == at(5)
    assert guessed_end(at(5), [], None) == at(5)
    assert guessed_end(at(5), [at(9), at(7)], None) == at(9)


def test_a_stream_whose_start_has_just_come_is_not_guessed_about(channel: Channel) -> None:
    now = datetime.now(UTC)
    lambda_takes(stream_change("Stream Start", 0, arn=channel.arn) | {"time": now.strftime("%Y-%m-%dT%H:%M:%SZ")})
    assert reconcile("--apply") == (0, [], "")
    assert live(channel)[0] == "live"


def test_the_real_end_of_a_guessed_stream_takes_its_place(channel: Channel) -> None:
    lambda_takes(stream_change("Stream Start", 0, arn=channel.arn))
    mended("stream_end_unknown")
    lambda_takes(stream_change("Stream End", 45, arn=channel.arn))
    assert Stream.objects.get().ended_at == at(45)
    assert list(StateChange.objects.order_by("timestamp").values_list("timestamp", flat=True)) == [at(0), at(45)]


def test_a_row_of_the_predecessor_without_a_stream_does_not_leave_the_channel_live(channel: Channel) -> None:
    for minute, state in ((0, "live"), (5, "offline"), (10, "live")):
        StateChange.objects.create(channel=channel, timestamp=at(minute), state=state, data={})
    (found,) = mended("stream_end_unknown")
    assert live(channel) == ("offline", None)
    assert Stream.objects.get(stream_id=found["stream_id"]).ended_at == at(10)
    # The one before it says nothing about the live state, and is left alone.
    assert Stream.objects.without_end().count() == 1


@pytest.mark.parametrize("arguments", [[], ["--channel"]])
def test_a_row_of_the_predecessor_is_believed_while_the_channel_is_live(
    channel: Channel, past: Past, arguments: list[str]
) -> None:
    StateChange.objects.create(channel=channel, timestamp=at(1), state="live", data={})
    _, events = past.broadcast(channel, at(0), is_over=False, is_recorded=False)
    lambda_takes(*events)
    assert reconcile("--apply", *(arguments and [*arguments, str(channel.uuid)])) == (0, [], "")
    assert live(channel) == ("live", None)


def test_a_stream_that_ended_here_and_not_in_ivs_is_reported(channel: Channel, past: Past) -> None:
    plan, events = past.broadcast(channel, at(0), is_over=False, is_recorded=False)
    lambda_takes(*events, stream_change("Stream End", 1, arn=channel.arn, stream_id=plan.streams[0].stream_id))
    for arguments in ([], ["--apply"]):
        status, lines, _ = reconcile(*arguments)
        assert (status, kinds(lines)) == (3, ["stream_still_live"])
        assert "would" in lines[0]


# The past


def test_a_broadcast_without_events_is_found(channel: Channel, past: Past) -> None:
    plan, _ = past.broadcast(channel, at(0), "starvation", "takeover-failure", "quota", is_recorded=False)
    (found,) = mended("stream_missing")
    assert found["unknown"] == ["exceeded_by", "limit_unit", "limit_value"]
    assert len(found["ivs"]["events"]) == 9
    stream_id = plan.streams[0].stream_id
    assert [name for name, _ in history_of(stream_id)] == [
        "Session Created",
        "Ingest Bitrate",
        "Ingest Resolution",
        "Starvation Start",
        "Starvation End",
        "Stream Takeover Failure",
        "Session Ended",
    ]
    details = dict(history_of(stream_id))
    assert details["Stream Takeover Failure"] == {"reason": "StreamTakeoverInvalidPriority"}
    assert details["Ingest Bitrate"] == {"limit_value": None, "exceeded_by": None, "limit_unit": None}
    assert live(channel) == ("offline", stream_id)


def test_only_what_is_missing_of_the_history_is_written(channel: Channel, past: Past) -> None:
    plan, events = past.broadcast(channel, at(0), "starvation", is_recorded=False)
    lambda_takes(*but(events, "Starvation End"))
    (found,) = mended("stream_history_missing")
    assert [event["name"] for event in found["ivs"]["events"]] == ["Starvation End"]
    assert len(history_of(plan.streams[0].stream_id)) == 4


def test_fractions_of_a_second_that_ivs_may_tell_do_not_double_an_event(
    channel: Channel, past: Past, aws: LocalAws
) -> None:
    plan, events = past.broadcast(channel, at(0), is_recorded=False)
    stream_id = plan.streams[0].stream_id
    lambda_takes(*events, stream_change("Stream Takeover", 0.5, arn=channel.arn, stream_id=stream_id))
    moment = at(0.5) + timedelta(milliseconds=600)
    aws.ivs.store.session_event(stream_id, name="Stream Takeover", type="IVS Stream State Change", at=moment)
    assert reconcile("--apply") == (0, [], "")


def test_where_ivs_has_forgotten_the_start_that_of_the_session_stands_in(
    channel: Channel, past: Past, aws: LocalAws
) -> None:
    plan, _ = past.broadcast(channel, at(0), is_recorded=False)
    stream_id = plan.streams[0].stream_id
    with aws.ivs.store.transaction() as records:
        for number in range(600):
            moment = at(0.3) + timedelta(milliseconds=number)
            kind = {"event_type": "IVS Stream Health Change", "code": ""}
            records.add_event(stream_id, name="Starvation Start", at=moment, **kind)
    (found,) = mended("stream_missing")
    # The end is the 500th.
    assert [event["name"] for event in found["ivs"]["events"][:2]] == ["Stream Start", "Starvation Start"]
    assert len(found["ivs"]["events"]) == 501
    assert Stream.objects.get().started_at == at(0) + timedelta(seconds=5)
    # All of one second are one: nothing tells them apart.
    assert [name for name, _ in history_of(stream_id)] == ["Starvation Start", "Session Ended"]


def test_what_ivs_may_tell_one_day_is_left_alone(channel: Channel, past: Past, aws: LocalAws) -> None:
    plan, events = past.broadcast(channel, at(0), is_recorded=False)
    lambda_takes(*events)
    aws.ivs.store.session_event(plan.streams[0].stream_id, name="Slate Start", type="IVS Slate Change", at=at(0.5))
    assert reconcile() == (0, [], "")


def test_a_recording_that_never_began_is_reported_by_the_session(channel: Channel, past: Past) -> None:
    plan, events = past.broadcast(channel, at(0), "recording-start-failure")
    lambda_takes(*but(events, "Recording Start Failure"))
    (found,) = mended("stream_history_missing")
    assert found["unknown"] == ["recording_session_id", "recording_status_reason"]
    assert channel.videos.get().status == "failed"
    assert history_of(plan.streams[0].stream_id)[1] == ("Recording Start Failure", {"reason": None})


def test_each_stream_is_asked_for_once(channel: Channel, past: Past, asked: Asked) -> None:
    for minute in (0, 10, 20):
        _, events = past.broadcast(channel, at(minute), is_recorded=False)
        lambda_takes(*events)
    reconcile()
    assert asked.count("GetStreamSession") == 3
    reconcile("--apply")
    assert asked.count("GetStreamSession") == 6
    past.broadcast(channel, at(30), is_recorded=False)
    reconcile("--apply")
    reconcile()
    assert asked.count("GetStreamSession") == 7


def test_a_stream_that_has_just_ended_is_asked_for_again(channel: Channel, past: Past, asked: Asked) -> None:
    begins = datetime.now(UTC) - timedelta(minutes=5)
    _, events = past.broadcast(channel, begins, is_recorded=False)
    lambda_takes(*events)
    assert reconcile("--apply") == reconcile("--apply") == (0, [], "")
    assert asked.count("GetStreamSession") == 2
    assert Stream.objects.get().compared_at is None


def test_sessions_come_by_pages(channel: Channel, aws: LocalAws, asked: Asked) -> None:
    for number in range(101):
        stream_id = aws.ivs.store.stream_begin(channel.arn, started_at=at(number))
        aws.ivs.store.stream_end(channel.arn, ended_at=at(number + 0.5))
        values = {"first_event_at": at(number), "started_at": at(number), "ended_at": at(number + 0.5)}
        Stream.objects.create(channel=channel, stream_id=stream_id, compared_at=at(number), **values)
    oldest = Stream.objects.earliest("started_at")
    oldest.delete()
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (0, ["stream_missing"])
    assert asked.count("ListStreamSessions") == 2
    assert Stream.objects.earliest("started_at").stream_id == oldest.stream_id


def test_streams_that_ended_before_the_day_are_not_looked_at(channel: Channel, past: Past, asked: Asked) -> None:
    past.broadcast(channel, at(0), is_recorded=False)
    past.broadcast(channel, at(24 * 60), is_recorded=False)
    status, lines, _ = reconcile("--apply", "--since", "2026-03-05")
    assert (status, kinds(lines)) == (0, ["stream_missing"])
    assert asked.count("GetStreamSession") == 1
    assert reconcile("--since", "2026-03-05T09:01:14Z") == (0, [], "")
    assert reconcile("--since", "2026-03-05") == (0, [], "")
    assert kinds(reconcile("--since", "2026-03-04T09:01:13+00:00")[1]) == kinds(lines)
