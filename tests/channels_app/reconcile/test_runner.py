"""`reconcile`: one at a time, at a bounded pace, stopped and taken up, and whatever AWS does to it."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from channels_app.channels.provisioning import channel_create
from channels_app.models import Adoption, Channel, InboxEvent, Lease, Stream
from channels_app.reconcile.lease import RECONCILE, LeaseTakenError, lease_take
from common import aws as door
from tests.support.helpers import OWNER, THOROUGH
from tests.support.reconciling import Asked, FakeTime, Past, kinds, reconcile, tables
from tests.support.road import at, lambda_takes, live_file, s3, stream_change
from tools.local.aws import LocalAws
from tools.local.ivs import Fault

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LOST = ["stream_missing"]


@pytest.fixture
def channel(aws: LocalAws) -> Channel:
    return channel_create(name="Morning show", owner=OWNER)


def make_channels(past: Past, count: int) -> list[Channel]:
    """Channels in the order in which they are compared, each with a broadcast whose events were lost."""
    channels = sorted((channel_create(name=f"Room {n}", owner=OWNER) for n in range(count)), key=lambda row: row.uuid)
    for channel in channels:
        past.broadcast(channel, at(0), is_recorded=False)
    return channels


def lease() -> Lease:
    return Lease.objects.get()


# One at a time


def test_a_run_beside_another_says_so_in_one_line_and_does_nothing(channel: Channel, past: Past, asked: Asked) -> None:
    past.broadcast(channel, at(0), is_recorded=False)
    held = lease_take(name=RECONCILE)
    assert reconcile("--apply") == (4, [], "Another reconcile is running.\n")
    assert reconcile() == (4, [], "Another reconcile is running.\n")
    assert asked.calls == []
    assert lease().holder == held.holder


def test_a_run_that_died_keeps_nobody_away_for_long(channel: Channel) -> None:
    lease_take(name=RECONCILE)
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert reconcile() == (0, [], "")
    assert (lease().holder, lease().expires_at) == (None, None)


def test_a_run_whose_lease_was_taken_stops(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    thief = uuid4()

    def steal(**_: Any) -> Any:
        Lease.objects.update(holder=thief)
        return door.Page([], "")

    monkeypatch.setattr(door, "streams_page", steal)
    status, lines, said = reconcile("--apply")
    assert (status, lines) == (4, [])
    assert "took over" in said
    assert len(said.splitlines()) == 1
    assert lease().holder == thief


@pytest.mark.django_db(transaction=True)
def test_of_several_at_once_one_gets_the_lease() -> None:
    gate, taken, refused = threading.Barrier(4), [], []

    def take() -> None:
        try:
            gate.wait(30)
            taken.append(lease_take(name=RECONCILE))
        except LeaseTakenError as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [held.holder for held in taken] == [lease().holder]
    assert len(refused) == 3


def test_the_lease_tells_what_the_last_run_found(channel: Channel, past: Past) -> None:
    past.broadcast(channel, at(0), is_recorded=False)
    reconcile()
    assert lease().found == lease().left == dict.fromkeys(LOST, 1)
    assert lease().scope == {"channel": None, "since": None, "apply": False}
    reconcile("--apply")
    assert (lease().found, lease().left) == (dict.fromkeys(LOST, 1), {})
    assert lease().started_at <= lease().finished_at
    assert lease().cursor is None


# Stopped, and taken up


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, aws: LocalAws, operation: str, arn: str) -> Iterator[None]:
    """The run inside dies when it asks this of the channel; its lease runs out then."""
    perform = aws.ivs._with_faults

    def die(model: Any, arguments: dict[str, Any], **options: Any) -> Any:
        if model.name == operation and arguments.get("channelArn") == arn:
            raise Killed
        return perform(model, arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(aws.ivs, "_with_faults", die)
        patch.setattr("channels_app.reconcile.runner.lease_release", lambda **_: None)
        with pytest.raises(Killed):
            yield
    assert lease().holder
    assert reconcile("--apply")[0] == 4
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def test_a_run_that_was_killed_is_taken_up_where_it_was(
    past: Past, aws: LocalAws, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = make_channels(past, 4)
    with killed_at(monkeypatch, aws, "GetStreamSession", channels[2].arn):
        reconcile("--apply")
    assert Stream.objects.count() == 2
    asked.calls.clear()
    began = lease().started_at
    status, lines, said = reconcile("--apply")
    assert (status, kinds(lines)) == (0, LOST * 2)
    assert said == f"Going on with the run that began at {began.isoformat(timespec='seconds')}.\n"
    assert [asked.count("ListStreamSessions", channelArn=channel.arn) for channel in channels] == [0, 0, 1, 1]
    assert asked.count("ListStreams") == asked.count("ListChannels") == 0
    assert lease().found == dict.fromkeys(LOST, 4)
    assert (lease().cursor, lease().started_at) == (None, began)
    assert reconcile("--apply") == (0, [], "")
    assert asked.count("ListStreams") == 1


def test_a_scheduled_report_that_was_stopped_is_continued_by_the_next_and_by_no_repair(
    past: Past, aws: LocalAws, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = make_channels(past, 4)
    Adoption.objects.create(adopted_at=timezone.now())
    with killed_at(monkeypatch, aws, "GetStreamSession", channels[2].arn):
        reconcile("--scheduled")
    asked.calls.clear()
    _, lines, said = reconcile("--scheduled")
    assert "Going on" in said
    assert kinds(lines) == LOST * 2
    assert asked.count("ListChannels") == 0
    with killed_at(monkeypatch, aws, "GetStreamSession", channels[2].arn):
        reconcile("--scheduled")
    status, repaired, said = reconcile("--apply")
    assert (status, kinds(repaired), said) == (0, LOST * 4, "")


def test_a_stream_that_was_half_mended_is_mended_whole(
    past: Past, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = make_channels(past, 2)
    plan, events = past.broadcast(channels[0], at(10), is_recorded=False)
    lambda_takes(events[0])
    with monkeypatch.context() as patch:
        # Its start is there, and its end is not.
        patch.setattr("channels_app.reconcile.sessions.events_send", raise_after(1))
        patch.setattr("channels_app.reconcile.runner.lease_release", lambda **_: None)
        with pytest.raises(Killed):
            reconcile("--apply")
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Stream.objects.get(stream_id=plan.streams[0].stream_id).started_at
    assert kinds(reconcile("--apply")[1]) == ["stream_end_missing", "stream_history_missing", *LOST, *LOST]
    assert reconcile("--apply") == (0, [], "")


def test_recordings_are_taken_up_behind_the_last_one(
    channel: Channel, past: Past, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hour in range(3):
        lambda_takes(*(event for event in past.broadcast(channel, at(60 * hour))[1] if "IVS Rec" not in str(event)))
    Stream.objects.update(compared_at=at(0))
    real, listed_after = door.objects_list, []
    with killed_at(monkeypatch, aws, "GetStreamSession", channel.arn):
        monkeypatch.setattr("ondemand.reconcile.streams.session_of", lambda **_: None)
        monkeypatch.setattr("ondemand.reconcile.recordings.events_send", raise_after(2))
        reconcile("--apply")
    monkeypatch.undo()
    monkeypatch.setattr(door, "objects_list", lambda **asked: listed_after.append(asked["after"]) or real(**asked))
    monkeypatch.setattr("common.aws.clients.time", FakeTime())
    done = set(channel.videos.values_list("prefix", flat=True))
    assert len(done) == 2
    status, lines, said = reconcile("--apply")
    assert (status, kinds(lines)) == (0, ["recording_missing"])
    assert "Going on" in said
    assert max(done) in listed_after[0]


def raise_after(count: int, error: type[BaseException] = Killed) -> Any:
    """`events_send` that works so often, and then the process dies."""
    from channels_app.reconcile.repair import events_send

    left = iter(range(count))

    def send(envelopes: Any) -> None:
        if next(left, None) is None:
            raise error
        events_send(envelopes)

    return send


def test_an_error_of_ours_leaves_the_lease_to_the_next_run(
    past: Past, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = make_channels(past, 2)
    with monkeypatch.context() as patch:
        patch.setattr("channels_app.reconcile.sessions.events_send", raise_after(1))
        with pytest.raises(Killed):
            reconcile("--apply")
    assert lease().holder is None
    status, lines, said = reconcile("--apply")
    assert (status, kinds(lines)) == (0, LOST)
    assert "Going on" in said
    assert Stream.objects.filter(channel__in=channels, ended_at__isnull=False).count() == 2


@pytest.mark.parametrize("arguments", [["--since", "2026-03-01"], ["--channel"]])
def test_a_run_of_another_scope_begins_at_its_beginning(
    past: Past, aws: LocalAws, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    channels = make_channels(past, 2)
    with killed_at(monkeypatch, aws, "GetStreamSession", channels[1].arn):
        reconcile("--apply")
    cursor = lease().cursor
    if arguments == ["--channel"]:
        arguments = ["--channel", str(channels[1].uuid)]
    status, lines, said = reconcile("--apply", *arguments)
    assert (status, kinds(lines), said) == (0, LOST, "")
    # One channel is no reason to begin anew with all of them.
    assert lease().cursor == (cursor if "--channel" in arguments else None)


def test_a_report_tells_all_whatever_was_stopped_before(
    past: Past, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = make_channels(past, 2)
    with killed_at(monkeypatch, aws, "GetStreamSession", channels[1].arn):
        reconcile("--apply")
    Stream.objects.all().delete()
    assert reconcile() == (3, reconcile()[1], "")
    assert kinds(reconcile()[1]) == LOST * 2
    assert "Going on" in reconcile("--apply")[2]


def test_what_was_stopped_yesterday_is_not_taken_up(past: Past, aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    channels = make_channels(past, 2)
    with killed_at(monkeypatch, aws, "GetStreamSession", channels[1].arn):
        reconcile("--apply")
    row = lease()
    row.cursor["started_at"] = (timezone.now() - timedelta(hours=25)).isoformat()
    row.save()
    assert reconcile("--apply")[2] == ""


# The pace, and what AWS does


def test_ivs_is_asked_at_most_four_times_a_second(past: Past, asked: Asked, pace: FakeTime) -> None:
    make_channels(past, 5)
    asked.calls.clear()
    reconcile("--apply")
    times = [moment for _, _, moment in asked.calls]
    assert len(times) >= 15
    busiest = max(sum(begin <= moment < begin + 1 for moment in times) for begin in times)
    assert busiest == 4
    assert pace.now == pytest.approx((len(times) - 1) / 4)


def test_nobody_else_waits(channel: Channel, pace: FakeTime) -> None:
    channel_create(name="Evening show", owner=OWNER)
    assert pace.now == 0


@pytest.mark.usefixtures("one_try")
def test_what_is_throttled_is_asked_again_later(channel: Channel, past: Past, aws: LocalAws, pace: FakeTime) -> None:
    past.broadcast(channel, at(0), is_recorded=False)
    # Two times three tries of the client itself.
    aws.ivs.faults += [Fault(name, "throttle", times=6) for name in ("ListStreams", "GetStreamSession")]
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (0, LOST)
    assert pace.now > 2 * (1 + 2)


@pytest.mark.usefixtures("one_try")
@pytest.mark.parametrize("kind", ["hang", "throttle"][: 2 if THOROUGH else 1])
@pytest.mark.parametrize(
    "operation",
    ["ListStreams", "ListChannels", "BatchGetChannel", "ListStreamKeys", "ListStreamSessions", "GetStreamSession"],
)
def test_a_call_that_is_never_answered_is_reported_and_the_rest_is_compared(
    channel: Channel, past: Past, aws: LocalAws, operation: str, kind: Any
) -> None:
    past.broadcast(channel, at(0), is_recorded=False)
    fault = Fault(operation, kind, times=1000, done=False)
    aws.ivs.faults.append(fault)
    status, lines, _ = reconcile("--apply")
    # A batch that is not answered is asked for one by one.
    untold = [] if operation == "BatchGetChannel" else ["not_compared"]
    lost = [] if operation.endswith(("StreamSessions", "StreamSession")) else LOST
    assert sorted(kinds(lines)) == sorted([*untold, *lost])
    assert status == (3 if untold else 0)
    assert all(line["ivs"]["operation"] == operation for line in lines if line["kind"] == "not_compared")
    aws.ivs.faults.clear()
    assert reconcile("--apply")[0] == 0
    assert Stream.objects.get().ended_at is not None


@pytest.mark.usefixtures("one_try")
def test_one_channel_that_fails_does_not_stop_the_others(past: Past, aws: LocalAws) -> None:
    channels = make_channels(past, 3)
    aws.ivs.faults.append(Fault("ListStreamSessions", "error500", times=3))
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, ["not_compared", *LOST, *LOST])
    assert lines[0]["channel"] == str(channels[0].uuid)
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (0, LOST)


@pytest.mark.usefixtures("one_try")
def test_while_ivs_is_away_not_every_channel_is_asked_for(past: Past, aws: LocalAws, asked: Asked) -> None:
    for number in range(14):
        channel_create(name=f"Room {number}", owner=OWNER)
    aws.ivs.faults.append(Fault("ListStreamSessions", "error500", times=1000))
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, ["not_compared"] * 11)
    assert "phase sessions" in lines[-1]["ivs"]["error"]
    assert asked.count("ListStreamSessions") == 30


def test_a_repair_that_fails_is_reported_and_tried_again_by_the_next_run(
    channel: Channel, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    past.broadcast(channel, at(0), is_recorded=False)
    with monkeypatch.context() as patch:
        patch.setattr("channels_app.events.handlers.stream_record", None)
        status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, LOST)
    assert all("failed" in line and "would" in line and "did" not in line for line in lines)
    status, lines, _ = reconcile("--apply")
    assert status == 0
    assert set(kinds(lines)) == {"event_unapplied"}
    assert Stream.objects.get().ended_at is not None
    assert reconcile("--apply") == (0, [], "")


def test_a_live_state_file_that_could_not_be_written_is_written_by_the_next_run(
    channel: Channel, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    past.broadcast(channel, at(0), is_recorded=False)

    def away(**_: Any) -> None:
        raise door.AwsError("PutObject", "it", door.AwsErrorKind.UNAVAILABLE, "it is away")

    with monkeypatch.context() as patch:
        patch.setattr(door, "json_write", away)
        assert reconcile("--apply")[0] == 3
    assert live_file(channel) is None
    assert InboxEvent.objects.filter(outcome="failed").exists()
    assert reconcile("--apply")[0] == 0
    assert live_file(channel)["state"] == "offline"


def test_an_unexpected_error_of_one_repair_is_reported(
    channel: Channel, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    past.broadcast(channel, at(0), is_recorded=False)
    with monkeypatch.context() as patch:
        patch.setattr("channels_app.reconcile.sessions.stream_envelope", lambda **_: 1 / 0)
        status, lines, _ = reconcile("--apply")
    assert (status, [line["failed"].partition(":")[0] for line in lines]) == (3, ["ZeroDivisionError"])


# How it is called


def test_nonsense_is_refused_before_anything_is_asked(aws: LocalAws, asked: Asked) -> None:
    for option, value, said in (
        ("--channel", "x", "--channel"),
        ("--channel", str(uuid4()), "no channel"),
        ("--since", "yesterday", "--since"),
        ("--since", "2026-13-01", "--since"),
        ("--since", "2026-03-04T09:00", "--since"),
    ):
        status, lines, error = reconcile(option, value)
        assert (status, lines) == (1, []), value
        assert said in error, value
    assert asked.calls == []


def test_ctrl_c_is_reported_in_one_line_and_gives_the_lease_back(
    past: Past, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_channels(past, 2)
    with monkeypatch.context() as patch:
        patch.setattr("channels_app.reconcile.sessions.events_send", raise_after(1, KeyboardInterrupt))
        assert reconcile("--apply")[::2] == (130, "Stopped.\n")
    assert lease().holder is None
    assert kinds(reconcile("--apply")[1]) == LOST


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_away_is_reported_in_one_line(
    channel: Channel, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def away(**_: Any) -> Any:
        raise error("connection refused\n\tIs the server running?")

    monkeypatch.setattr(door, "streams_page", away)
    assert reconcile() == (1, [], "The database: connection refused")
    assert lease().holder is None


class Gone(io.StringIO):
    """What a process writes to whose reader went away."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("name", ["reconcile", "process_inbox", "replay"])
def test_a_reader_that_went_away_ends_the_command_without_a_line(
    channel: Channel, past: Past, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    past.broadcast(channel, at(0), is_recorded=False)
    lambda_takes(stream_change("Stream Start", 0, arn="arn:aws:ivs:eu-west-1:111122223333:channel/AjIhKtJ0RlgL"))
    InboxEvent.objects.update(outcome="deferred")
    capfd.readouterr()
    with pytest.raises(SystemExit) as end:
        call_command(name, stdout=Gone())
    assert end.value.code == 141
    assert "Traceback" not in "".join(capfd.readouterr())
    assert not Lease.objects.exclude(holder=None).exists()


def test_the_road_keeps_what_reconcile_sent(channel: Channel, past: Past) -> None:
    past.broadcast(channel, at(0))
    reconcile("--apply")
    before = tables()
    assert {row.outcome for row in InboxEvent.objects.all()} == {"applied"}
    assert all(row.event_id.startswith("reconcile:") for row in InboxEvent.objects.all())
    # What was sent before is a duplicate, from any sender.
    assert lambda_takes(*InboxEvent.objects.values_list("body", flat=True)) == []
    assert tables() == before


def test_without_a_bucket_the_channels_are_compared(channel: Channel, past: Past, settings: Any) -> None:
    past.broadcast(channel, at(0), is_recorded=False)
    settings.RECORDING_BUCKET, settings.RECORDING_BUCKETS = "", []
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, [*LOST, "not_compared"])
    assert "RECORDING_BUCKET" in lines[-1]["would"]
    assert "live/" not in str(s3().list_objects_v2(Bucket="ivsvod-recordings"))
