"""`manage.py replay`: stored events go down the road again, and a dry run says what that would change."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from channels_app.events import inbox, replay
from channels_app.events.handlers import Result, StreamEventHandler
from channels_app.events.synthetic import stream_envelope
from channels_app.models import Channel, InboxEvent, StateChange, Stream, StreamHistoryEntry, live_state
from common import aws as aws_door
from ondemand.models import Content, Recording, RemovedRecording, Video, video_uuid
from ondemand.videos.services import video_hide
from tests.support.helpers import in_transaction, make_channel, make_content
from tests.support.road import (
    ARN,
    BUCKET,
    PREFIX,
    STREAM,
    Envelope,
    at,
    command,
    document_in_s3,
    ended_metadata,
    inbox_row,
    ingest_file,
    live_file,
    outcomes,
    put,
    recording_change,
    s3,
    sample,
    stream_change,
)
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db

HEALTH = "IVS Stream Health Change"
ENDED_KEY = f"{PREFIX}/events/recording-ended.json"
TABLES = [
    "ivs_channels",
    "ivs_state_changes",
    "channels_app_stream",
    "channels_app_streamhistoryentry",
    "on_demand_videos",
    "on_demand_video_content",
    "ondemand_recording",
    "channels_app_inboxevent",
]


@pytest.fixture
def channel(aws: LocalAws) -> Channel:
    """The channel of the samples; IVS and S3 are there."""
    return make_channel(arn=ARN)


def without_handler(settings: Any, detail_type: str) -> Callable[[], None]:
    """From now on nothing depends on these events; what is returned brings the handler back."""
    known = settings.EVENT_HANDLERS
    settings.EVENT_HANDLERS = {name: path for name, path in known.items() if name != detail_type}

    def learned() -> None:
        settings.EVENT_HANDLERS = known

    return learned


def tables(*left_out: str) -> dict[str, list[Any]]:
    """All rows, as PostgreSQL writes them in JSON."""
    with connection.cursor() as cursor:
        found = {}
        for table in set(TABLES) - set(left_out):
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} AS t ORDER BY 1")  # noqa: S608
            found[table] = cursor.fetchall()
        return found


def objects() -> dict[str, Any]:
    """What is in the bucket, with when it was written."""
    listed = s3().list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {item["Key"]: (item["LastModified"], item["ETag"]) for item in listed}


def line(envelope: Envelope, outcome: str) -> dict[str, Any]:
    return {"event_id": envelope["id"], "outcome": outcome}


def history() -> list[Envelope]:
    """A broadcast with its recording, and with everything that can happen to a stream."""
    names = ["session_created", "stream_start", "recording_start", "starvation_start", "starvation_end"]
    names += ["limit_breach_ingest_bitrate", "stream_takeover", "session_ended", "stream_end", "recording_end"]
    return [sample(name) for name in names]


# Which events, and what becomes of them


def test_an_event_that_nothing_depended_on_is_applied_once_a_handler_knows_it(channel: Channel, settings: Any) -> None:
    learned = without_handler(settings, HEALTH)
    starvation, start = sample("starvation_start"), sample("stream_start")
    assert outcomes(starvation, start) == ["ignored", "applied"]
    learned()

    assert command("replay") == (0, [line(starvation, "applied")])

    row = inbox_row(starvation)
    assert (row.outcome, row.attempts, row.name) == ("applied", 2, "Starvation Start")
    assert StreamHistoryEntry.objects.get().event_id == starvation["id"]
    assert command("replay") == (0, [])


def test_events_that_are_still_ignored_stay_ignored_and_are_reported(channel: Channel) -> None:
    unknown, viewers = stream_change("Stream Wobble", 1), sample("limit_breach_concurrent_viewers")
    assert outcomes(unknown, viewers) == ["ignored", "ignored"]
    assert command("replay") == (0, [line(unknown, "ignored"), line(viewers, "ignored")])
    assert {inbox_row(event).outcome for event in (unknown, viewers)} == {"ignored"}


def test_failed_parked_and_deferred_events_are_taken_in_the_order_in_which_they_came(
    aws: LocalAws, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, end = sample("stream_start"), sample("recording_end")
    parked, elsewhere = sample("session_created"), stream_change("Stream Start", 3, arn=ARN.replace("AjIh", "Zzzz"))
    assert outcomes(parked, elsewhere) == ["parked", "parked"]
    channel = make_channel(arn=ARN)
    with monkeypatch.context() as patch:
        patch.setattr(StreamEventHandler, "apply", raising(ValueError("a bug")))
        assert outcomes(start) == ["failed"]
    assert outcomes(end) == ["deferred"]
    put(ENDED_KEY, ended_metadata())

    status, lines = command("replay")

    assert status == 0
    assert lines == [line(parked, "applied"), line(elsewhere, "parked"), line(start, "applied"), line(end, "applied")]
    assert live_file(channel) == {"state": "live", "timestamp": 1772615107000, "stream_id": STREAM}
    assert Video.objects.get().facts["duration_ms"] == 3_960_500


def raising(error: Exception) -> Callable[..., Any]:
    def raise_it(*_: Any, **__: Any) -> Any:
        raise error

    return raise_it


def test_the_whole_stored_history_is_replayed_into_the_same_tables(channel: Channel) -> None:
    put(ENDED_KEY, ended_metadata())
    events = history()
    assert set(outcomes(*events)) == {"applied"}
    before, file = tables("channels_app_inboxevent"), live_file(channel)

    status, lines = command("replay", "--all")

    assert status == 0
    assert lines == [line(event, "applied") for event in events]
    assert tables("channels_app_inboxevent") == before
    assert live_file(channel) == file
    assert set(InboxEvent.objects.values_list("outcome", "attempts")) == {("applied", 2)}


def test_a_decision_of_staff_survives_a_replay(channel: Channel) -> None:
    outcomes(sample("recording_end"))
    video_hide(video_uuid=Video.objects.get().pk)
    put(ENDED_KEY, ended_metadata())
    assert command("replay", "--all")[0] == 0
    video = Video.objects.get()
    assert (video.active, video.duration_ms) == (False, 3_960_500)


def test_an_improved_handler_fills_a_table_that_was_emptied_from_the_stored_history(channel: Channel) -> None:
    events = history()
    outcomes(*events)
    expected = tables("channels_app_inboxevent", "channels_app_streamhistoryentry")
    entries = set(StreamHistoryEntry.objects.values_list("event_id", "at", "name"))
    StreamHistoryEntry.objects.all().delete()

    assert command("replay", "--outcome", "applied,deferred")[0] == 0

    assert set(StreamHistoryEntry.objects.values_list("event_id", "at", "name")) == entries
    assert tables("channels_app_inboxevent", "channels_app_streamhistoryentry") == expected


def test_an_applied_event_stays_applied_when_nothing_depends_on_it_any_more(channel: Channel, settings: Any) -> None:
    starvation = sample("starvation_start")
    outcomes(starvation)
    without_handler(settings, HEALTH)
    assert command("replay", "--all") == (0, [line(starvation, "applied")])
    assert inbox_row(starvation).outcome == "applied"


def test_an_applied_event_whose_replay_fails_is_failed_until_a_replay_succeeds(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, end = sample("stream_start"), sample("stream_end")
    outcomes(start, end)
    before = tables("channels_app_inboxevent")
    with monkeypatch.context() as patch:
        apply = StreamEventHandler.apply

        def broken(self: Any, event: Any, *rest: Any) -> Result:
            applied = apply(self, event, *rest)
            if event.name == "Stream End":
                raise ValueError("a new bug")
            return applied

        patch.setattr(StreamEventHandler, "apply", broken)
        assert command("replay", "--all") == (1, [line(start, "applied"), line(end, "failed")])
    assert (inbox_row(end).outcome, inbox_row(end).error) == ("failed", "ValueError: a new bug")
    assert tables("channels_app_inboxevent") == before
    assert command("replay") == (0, [line(end, "applied")])
    assert inbox_row(end).error == ""


def test_an_ignored_event_of_a_channel_that_is_not_here_waits_for_it_from_now_on(aws: LocalAws, settings: Any) -> None:
    learned = without_handler(settings, HEALTH)
    starvation = sample("starvation_start")
    assert outcomes(starvation) == ["ignored"]
    learned()
    assert command("replay") == (0, [line(starvation, "parked")])
    make_channel(arn=ARN)
    assert command("process_inbox") == (0, [line(starvation, "applied")])


def test_a_channel_that_appears_while_a_replayed_event_is_being_parked_gets_the_event(
    aws: LocalAws, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned = without_handler(settings, HEALTH)
    starvation = sample("starvation_start")
    outcomes(starvation)
    learned()
    mark = inbox._mark

    def appears(works: Any) -> None:
        if not Channel.objects.exists():
            make_channel(arn=ARN)
        mark(works)

    monkeypatch.setattr(inbox, "_mark", appears)
    assert command("replay") == (0, [line(starvation, "applied")])
    assert inbox_row(starvation).outcome == "applied"


def test_refused_events_are_replayed_on_request_and_make_the_command_exit_with_1(channel: Channel) -> None:
    good, bad = sample("stream_start"), sample("stream_end", time="yesterday")
    outcomes(good, bad)
    assert command("replay") == (0, [])
    assert command("replay", "--outcome", "refused") == (1, [line(bad, "refused")])
    assert command("replay", "--all") == (1, [line(good, "applied"), line(bad, "refused")])
    assert "time is" in inbox_row(bad).error


def test_the_outcome_of_a_worker_that_applies_an_event_meanwhile_stays(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = sample("stream_start")
    with monkeypatch.context() as patch:
        patch.setattr(StreamEventHandler, "apply", raising(ValueError("a bug")))
        outcomes(start)
        mark = inbox._mark

        def late(works: Any) -> None:
            InboxEvent.objects.filter(event_id=start["id"]).update(outcome="applied", error="")
            mark(works)

        patch.setattr(inbox, "_mark", late)
        assert command("replay") == (1, [line(start, "failed")])
    assert inbox_row(start).outcome == "applied"


def test_only_events_of_the_channel_and_the_time_are_replayed_up_to_the_limit(channel: Channel) -> None:
    other = make_channel()
    events = [stream_change("Stream Start", n, arn=arn) for n, arn in enumerate([ARN, other.arn, ARN, ARN])]
    outcomes(*events)
    InboxEvent.objects.filter(event_id=events[0]["id"]).update(received_at=timezone.now() - timedelta(days=9))

    def replayed(*arguments: str) -> list[int]:
        ids = [line["event_id"] for line in command("replay", "--all", *arguments)[1]]
        return [[event["id"] for event in events].index(event_id) for event_id in ids]

    day = (timezone.now() - timedelta(days=2)).date().isoformat()
    assert replayed("--channel", str(channel.pk)) == [0, 2, 3]
    assert replayed("--since", day) == [1, 2, 3]
    assert replayed("--limit", "2") == [0, 1]
    assert replayed("--channel", str(channel.pk), "--since", day, "--limit", "1") == [2]


def test_more_events_than_one_batch_are_all_taken_once(channel: Channel) -> None:
    events = [stream_change("Session Created", n, stream_id=f"st-{n}", event_id=f"event-{n:02}") for n in range(25)]
    status, _ = ingest_file(json.dumps(events))
    assert status == 0
    assert command("replay", "--all") == (0, [line(event, "applied") for event in events])
    assert command("replay", "--all", "--limit", "13")[1] == [line(event, "applied") for event in events[:13]]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--outcome", "nonsense"],
        ["--outcome", ""],
        ["--outcome", "failed", "--all"],
        ["--channel", "nonsense"],
        ["--channel", "8d0c0b3e-5f0a-4d5e-9a53-1c2f5f1c7a10"],
        ["--since", "yesterday"],
        ["--limit", "0"],
    ],
    ids=" ".join,
)
def test_nonsense_is_refused_by_name(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("replay", *arguments)


def test_the_predecessors_single_file_is_not_moved_by_a_start_that_was_applied_long_ago(
    channel: Channel, settings: Any
) -> None:
    settings.LIVE_STATE_LEGACY_KEY = "live.json"
    other = make_channel()
    outcomes(
        stream_change("Stream Start", 1),
        stream_change("Stream Start", 2, arn=other.arn),
        stream_change("Stream End", 3, arn=other.arn),
    )
    assert command("replay", "--all", "--channel", str(channel.pk))[0] == 0
    assert document_in_s3("live.json") == {"state": live_state.OFFLINE}


# The dry run


def dry(*arguments: str) -> tuple[list[dict[str, Any]], int]:
    """The rows that would change, and the exit status; their number is reported as well."""
    status, lines = command("replay", "--dry-run", *arguments)
    assert lines[-1] == {"would_change": len(lines) - 1}
    return lines[:-1], status


def test_a_dry_run_of_events_that_are_applied_has_no_changes(channel: Channel) -> None:
    put(ENDED_KEY, ended_metadata())
    outcomes(*history(), sample("recording_end_failure"))
    assert dry("--all") == ([], 0)


def test_a_dry_run_tells_each_row_and_column_and_changes_nothing_anywhere(channel: Channel, settings: Any) -> None:
    learned = without_handler(settings, HEALTH)
    starvation, end = sample("starvation_start"), sample("recording_end")
    assert outcomes(starvation, sample("stream_start"), end) == ["ignored", "applied", "deferred"]
    put(ENDED_KEY, ended_metadata())
    learned()
    before, files = tables(), objects()

    changes, status = dry()

    assert (tables(), objects(), status) == (before, files, 0)
    found = {change["table"]: change for change in changes if change["table"] != "channels_app_inboxevent"}
    assert sorted(found) == ["channels_app_streamhistoryentry", "on_demand_videos"]
    entry, video = found["channels_app_streamhistoryentry"], found["on_demand_videos"]
    assert (entry["key"], entry["before"]) == (starvation["id"], None)
    assert entry["after"] == {
        "event_id": starvation["id"],
        "at": "2026-03-04T09:20:00+00:00",
        "name": "Starvation Start",
        "detail": {"reason": None},
        "stream_id": Stream.objects.get(stream_id=STREAM).pk,
    }
    assert video["key"] == str(video_uuid(BUCKET, PREFIX))
    assert set(video["before"]) == set(video["after"])
    assert (video["before"]["_duration_ms"], video["after"]["_duration_ms"]) == (3_960_000, 3_960_500)
    assert "_bucket" not in video["after"]
    assert [change for change in changes if change["table"] == "channels_app_inboxevent"] == [
        inbox_change(starvation, {"outcome": "ignored"}, {"outcome": "applied"}),
        inbox_change(
            end,
            {"outcome": "deferred", "error": "recording-ended.json is not there yet"},
            {"outcome": "applied", "error": ""},
        ),
    ]


def inbox_change(envelope: Envelope, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {"table": "channels_app_inboxevent", "key": envelope["id"], "before": before, "after": after}


def test_a_replay_makes_the_changes_of_its_dry_run(channel: Channel, settings: Any) -> None:
    put(ENDED_KEY, ended_metadata())
    events = history()
    outcomes(*events)
    for model in (StreamHistoryEntry, StateChange, Recording, Video, RemovedRecording):
        model.objects.all().delete()
    Stream.objects.update(started_at=None)
    before = documents()

    changes, status = dry("--all")
    assert status == 0
    assert command("replay", "--all")[0] == 0

    for change in changes:
        where = (change["table"], change["key"])
        assert (where in before) == (change["before"] is not None)
        before.setdefault(where, {}).update(change["after"])
    after = documents()
    assert before.keys() == after.keys()
    for where, columns in after.items():
        shown = {name: value for name, value in columns.items() if value is not None and name not in {"id", "_id"}}
        known = {name: value for name, value in before[where].items() if name in shown}
        assert known == shown, where


def documents() -> dict[tuple[str, str], dict[str, Any]]:
    """The rows that events write, by their table and the name that a dry run gives them."""
    keys = {
        "ivs_state_changes": "_event_id",
        "channels_app_stream": "stream_id",
        "channels_app_streamhistoryentry": "event_id",
        "on_demand_videos": "uuid",
        "ondemand_recording": "video_id",
    }
    found = tables()
    rows = [(table, json.loads(text)) for table in keys for (text,) in found[table]]
    return {(table, str(columns[keys[table]])): columns for table, columns in rows}


def test_a_dry_run_tells_of_rows_that_would_go(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """What reconcile guessed goes when the real event arrives."""
    guess = stream_envelope(name="Stream End", arn=ARN, stream_id=STREAM, at=at(9))
    end = stream_change("Stream End", 7)
    outcomes(stream_change("Stream Start", 1), guess)
    with monkeypatch.context() as patch:
        patch.setattr(StreamEventHandler, "apply", raising(ValueError("a bug")))
        outcomes(end)

    changes, _ = dry("--outcome", "failed")

    moved = {(change["table"], change["key"]): change for change in changes}
    assert moved["ivs_state_changes", guess["id"]]["after"] is None
    assert moved["ivs_state_changes", guess["id"]]["before"]["state"] == "offline"
    assert moved["ivs_state_changes", end["id"]]["before"] is None
    stream = moved["channels_app_stream", STREAM]
    assert stream["before"] == {"ended_at": "2026-03-04T09:09:00+00:00", "end_reconciled": True}
    assert stream["after"] == {"ended_at": "2026-03-04T09:07:00+00:00", "end_reconciled": False}
    assert inbox_row(end).outcome == "failed"


def test_a_dry_run_reports_the_other_rows_of_the_recording_and_their_content(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The predecessor received the end while ours failed: what people wrote goes to the row that people find."""
    outcomes(sample("recording_start"))
    ours = Video.objects.get()
    make_content(ours, title="Written while it ran")
    detail = sample("recording_end")["detail"]
    theirs = Video.objects.create(channel=channel, data=detail, status=None, created_at=at(73))
    with monkeypatch.context() as patch:
        patch.setattr("ondemand.recordings.handlers.RecordingEventHandler.apply", raising(ValueError("a bug")))
        outcomes(sample("recording_end"))
    put(ENDED_KEY, ended_metadata())

    changes, _ = dry("--outcome", "failed")

    moved = {(change["table"], change["key"]): change for change in changes}
    assert moved["on_demand_videos", str(ours.pk)]["after"]["_duplicate_of"] == str(theirs.pk)
    assert moved["on_demand_videos", str(theirs.pk)]["after"]["_duration_ms"] == 3_960_500
    content = [change for (table, _), change in moved.items() if table == "on_demand_video_content"]
    assert {str(change["after"] and change["after"]["on_demand_video_uuid"]) for change in content} == {str(theirs.pk)}
    assert Content.objects.get().video_id == ours.pk


def test_a_dry_run_says_by_its_status_that_an_event_would_fail_and_tries_its_neighbours(
    channel: Channel, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned = without_handler(settings, HEALTH)
    first, second = sample("starvation_start"), sample("starvation_end")
    outcomes(first, second)
    learned()
    apply = StreamEventHandler.apply

    def broken(self: Any, event: Any, *rest: Any) -> Result:
        applied = apply(self, event, *rest)
        if event.name == "Starvation Start":
            raise ValueError("a bug")
        return applied

    monkeypatch.setattr(StreamEventHandler, "apply", broken)
    changes, status = dry()

    assert status == 1
    entries = [change["key"] for change in changes if change["table"] == "channels_app_streamhistoryentry"]
    assert entries == [second["id"]]
    [failed] = [change for change in changes if change["key"] == first["id"]]
    assert failed["after"] == {"outcome": "failed", "error": "ValueError: a bug"}
    assert inbox_row(first).outcome == "ignored"


def test_a_dry_run_goes_through_many_events_of_many_channels_some_at_a_time(
    channel: Channel, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "CHUNK", 4)
    learned = without_handler(settings, "IVS Stream State Change")
    other = make_channel()
    events = [stream_change("Session Created", n, stream_id=f"st-{n}", arn=[ARN, other.arn][n % 2]) for n in range(11)]
    ingest_file(json.dumps([*events, stream_change("Stream Start", 1, arn=ARN.replace("AjIh", "Zzzz"))]))
    learned()
    changes, _ = dry()
    assert [change["key"] for change in changes if change["table"] == "channels_app_stream"] != []
    assert sorted(change["key"] for change in changes if change["table"] == "channels_app_stream") == sorted(
        f"st-{n}" for n in range(11)
    )
    assert {change["after"]["outcome"] for change in changes if change["table"] == "channels_app_inboxevent"} == {
        "applied",
        "parked",
    }
    assert len(dry("--limit", "3")[0]) == 9
    assert not Stream.objects.exists()


def test_no_call_to_aws_is_made_inside_a_transaction(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    put(ENDED_KEY, ended_metadata())
    outcomes(*history())
    calls: list[bool] = []
    client = aws_door.clients.client

    def noted(service: str, config: Any) -> Any:
        calls.append(in_transaction())
        return client(service, config)

    monkeypatch.setattr(aws_door.s3, "client", noted)
    for arguments in (["--all", "--dry-run"], ["--all"]):
        calls.clear()
        assert command("replay", *arguments)[0] == 0
        assert calls, arguments
        assert not any(calls), arguments


@pytest.mark.django_db(transaction=True)
def test_a_dry_run_leaves_no_lock_and_no_row_behind(channel: Channel, settings: Any) -> None:
    learned = without_handler(settings, "IVS Recording State Change")
    outcomes(recording_change("Recording Start", 1))
    learned()
    changes, _ = dry()
    assert sorted(change["table"] for change in changes) == [
        "channels_app_inboxevent",
        "channels_app_stream",
        "on_demand_videos",
        "ondemand_recording",
    ]
    assert not connection.in_atomic_block
    assert not Video.objects.exists()
    assert not Stream.objects.exists()
    assert command("replay")[1][0]["outcome"] == "applied"


@pytest.mark.django_db(transaction=True)
def test_a_dry_run_waits_a_bounded_time_for_a_channel_that_others_lock_and_says_so(
    channel: Channel, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "LOCK_TIMEOUT", "100ms")
    other = make_channel()
    learned = without_handler(settings, "IVS Recording State Change")
    locked, free = (
        recording_change("Recording Start", 1),
        recording_change("Recording Start", 1, prefix="a/b", arn=other.arn),
    )
    outcomes(locked, free)
    learned()
    with psycopg.connect(**connection.get_connection_params() | {"context": None}) as elsewhere:
        elsewhere.execute("SELECT FROM ivs_channels WHERE uuid = %s FOR UPDATE", [channel.pk])
        changes, status = dry()
    assert status == 1
    by_table = {change["key"]: change["after"] for change in changes if change["table"] == "channels_app_inboxevent"}
    assert by_table[locked["id"]]["outcome"] == "failed"
    assert "lock timeout" in by_table[locked["id"]]["error"]
    assert by_table[free["id"]] == {"outcome": "applied"}
    assert [change["key"] for change in changes if change["table"] == "on_demand_videos"] == [
        str(video_uuid(BUCKET, "a/b"))
    ]
    assert inbox_row(locked).outcome == "ignored"
