"""Broadcasts in which something goes wrong: what happens, how its events arrive, and what the catalogue then says."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import m3u8
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from channels_app.channels.provisioning import channel_create
from channels_app.models import Channel, InboxEvent
from ivsvod import lambda_entry
from ondemand.models import Video
from tests.support.helpers import OWNER, THOROUGH, bearer, ivs
from tests.support.road import BUCKET, command, document_in_s3, live_file, s3
from tools.local.aws import LocalAws
from tools.local.broadcast import studio
from tools.local.broadcast.events import KINDS, Envelope, event_name
from tools.local.broadcast.plan import (
    BroadcastPlan,
    FaultRefusedError,
    StreamBegins,
    StreamEnds,
    Written,
    events_of,
    plan_broadcast,
    steps,
)
from tools.local.broadcast.recording import (
    Recording,
    Rendition,
    make_recording,
    merge_playlists,
    merge_recordings,
    read_recording,
)
from tools.local.broadcast.storm import (
    FAULTS,
    OF_BROADCAST,
    OF_DELIVERY,
    Batch,
    UnknownFaultError,
    deliveries,
    parse_faults,
)
from tools.local.broadcast.studio import free_before
from tools.management.commands import simulate_broadcast

pytestmark = pytest.mark.slow

ARN = "arn:aws:ivs:eu-west-1:111122223333:channel/AjIhKtJ0RlgL"
NINE = datetime(2026, 3, 4, 9, tzinfo=UTC)
WINDOW = timedelta(seconds=5)
STORM = "duplicate,reorder,delay,reconnect,takeover,starvation,quota"


def planned(faults: str = "", *, window: timedelta = WINDOW, seconds: int = 8, bucket: str | None = BUCKET) -> Any:
    channel = {"arn": ARN, "name": "room-42"}
    return plan_broadcast(
        channel,
        bucket=bucket,
        at=NINE,
        duration_ms=seconds * 1000,
        faults=parse_faults(faults),
        window=window,
    )


def timeline(plan: BroadcastPlan) -> list[Envelope]:
    return events_of(steps(plan))


def seconds_after_nine(moment: datetime) -> int:
    return round((moment - NINE).total_seconds())


def sent_at(plan: BroadcastPlan) -> list[tuple[int, str, int | None]]:
    """Second, name, and the number of the stream, of each event."""
    known = [stream.stream_id for stream in (*plan.attempts, *plan.streams)]
    sent = []
    for event in timeline(plan):
        stream_id = event["detail"].get("stream_id")
        at = seconds_after_nine(datetime.fromisoformat(event["time"]))
        sent.append((at, event_name(event), stream_id and known.index(stream_id)))
    return sent


# Names


def test_every_event_that_ivs_has_can_be_dropped() -> None:
    samples = [
        json.loads(path.read_text()) for path in (Path(__file__).parents[2] / "support" / "events").glob("*.json")
    ]
    assert set(map(event_name, samples)) == set(KINDS)
    assert parse_faults("drop:all") == {"drop:all"}
    assert parse_faults(",".join(f"drop:{name}" for name in KINDS)) == {f"drop:{name}" for name in KINDS}


def test_an_unknown_fault_is_refused_by_name_with_the_list() -> None:
    with pytest.raises(
        UnknownFaultError, match=r"no fault hail; there are .*duplicate.*drop-end.*recording-end-failure"
    ):
        parse_faults("duplicate,hail")
    with pytest.raises(UnknownFaultError, match=r"no event has the name in drop:Hail; there are all, .*Stream End"):
        parse_faults("drop:Hail")
    assert parse_faults(" duplicate, drop-end ,") == {"duplicate", "drop:Stream End"}
    assert parse_faults("") == frozenset()


# What happens


def test_an_undisturbed_broadcast_is_recorded_until_the_window_is_over() -> None:
    assert sent_at(planned()) == [
        (0, "Session Created", 0),
        (5, "Stream Start", 0),
        (7, "Recording Start", 0),
        (15, "Session Ended", 0),
        (21, "Stream End", 0),
        (30, "Recording End", 0),
    ]


def test_a_reconnect_within_the_window_is_a_second_stream_in_the_same_recording() -> None:
    plan = planned("reconnect")
    assert sent_at(plan) == [
        (0, "Session Created", 0),
        (5, "Stream Start", 0),
        (7, "Recording Start", 0),
        (15, "Session Ended", 0),
        (21, "Stream End", 0),
        (24, "Session Created", 1),
        (29, "Stream Start", 1),
        (39, "Session Ended", 1),
        (45, "Stream End", 1),
        (54, "Recording End", 1),
    ]
    end = timeline(plan)[-1]["detail"]
    assert end["recording_session_stream_ids"] == [stream.stream_id for stream in plan.streams]
    assert end["recording_duration_ms"] == 16_000


def test_a_reconnect_after_the_window_is_a_second_recording() -> None:
    plan = planned("reconnect-late")
    sent = sent_at(plan)
    assert [each for each in sent if each[1].startswith("Recording")] == [
        (7, "Recording Start", 0),
        (30, "Recording End", 0),
        (93, "Recording Start", 1),
        (116, "Recording End", 1),
    ]
    assert sent.index((86, "Session Created", 1)) > sent.index((30, "Recording End", 0))
    assert len({recording.prefix for recording in plan.recordings}) == 2


def test_a_reconnect_before_the_files_are_written_is_a_second_recording_inside_the_window() -> None:
    sent = sent_at(planned("split"))
    assert sent == [
        (0, "Session Created", 0),
        (5, "Stream Start", 0),
        (7, "Recording Start", 0),
        (15, "Session Ended", 0),
        (18, "Session Created", 1),
        (21, "Stream End", 0),
        (23, "Stream Start", 1),
        (25, "Recording Start", 1),
        (30, "Recording End", 0),
        (33, "Session Ended", 1),
        (39, "Stream End", 1),
        (48, "Recording End", 1),
    ]


def test_all_ways_to_come_back_are_used_one_after_the_other() -> None:
    plan = planned("reconnect,split,reconnect-late")
    assert [len(recording.streams) for recording in plan.recordings] == [2, 1, 1]
    assert len(plan.streams) == 4
    begun = [step.at for step in steps(plan) if isinstance(step, StreamBegins)]
    ended = [step.at for step in steps(plan) if isinstance(step, StreamEnds)]
    # A channel has one stream at a time.
    assert all(begins < ends for begins, ends in zip(begun, ended, strict=True))
    assert all(ends < begins for ends, begins in zip(ended, begun[1:], strict=False))


@pytest.mark.parametrize("seconds", [0, 2])
def test_a_reconnect_is_refused_where_the_window_is_too_short(seconds: int) -> None:
    with pytest.raises(FaultRefusedError, match=f"^reconnect: the channel's recordings wait {seconds} s"):
        planned("reconnect", window=timedelta(seconds=seconds))
    assert len(planned("reconnect", window=timedelta(0), bucket=None).streams) == 2


def test_a_recording_that_does_not_start_has_no_prefix_and_no_object() -> None:
    plan = planned("recording-start-failure")
    assert [each for each in sent_at(plan) if each[1].startswith("Recording")] == [(7, "Recording Start Failure", 0)]
    failure = next(event for event in timeline(plan) if event_name(event) == "Recording Start Failure")["detail"]
    assert (failure["recording_s3_key_prefix"], failure["recording_status_reason"]) == ("", "ValidationException")
    assert not any(isinstance(step, Written) for step in steps(plan))
    # The next stream tries again, in a recording of its own.
    assert [recording.outcome for recording in planned("recording-start-failure,reconnect").recordings] == [
        "not started",
        "ended",
    ]


def test_a_recording_that_ends_with_a_failure_leaves_objects_and_reports_no_duration() -> None:
    plan = planned("recording-end-failure,reconnect-late")
    assert [recording.outcome for recording in plan.recordings] == ["ended", "failed"]
    failure = timeline(plan)[-1]["detail"]
    assert failure["recording_status"] == "Recording End Failure"
    assert (failure["recording_duration_ms"], failure["recording_status_reason"]) == (0, "InternalServerException")
    assert "recording_session_stream_ids" not in failure
    assert failure["recording_s3_key_prefix"] == plan.recordings[1].prefix != ""


def test_events_of_a_running_stream_have_their_times_and_details() -> None:
    plan = planned("takeover,takeover-failure,starvation,quota")
    assert sent_at(plan)[3:-3] == [
        (7, "Ingest Bitrate", 0),
        (7, "Ingest Resolution", 0),
        (7, "Concurrent Broadcasts", None),
        (7, "Concurrent Viewers", None),
        (9, "Starvation Start", 0),
        (11, "Starvation End", 0),
        (11, "Stream Takeover", 0),
        (13, "Stream Takeover Failure", 0),
    ]
    by_name = {event_name(event): event for event in timeline(plan)}
    assert by_name["Concurrent Viewers"]["resources"] == []
    assert by_name["Ingest Bitrate"]["resources"] == [ARN]
    assert by_name["Stream Takeover Failure"]["detail"]["code"] == "StreamTakeoverInvalidPriority"


def test_a_first_attempt_that_is_not_processed_never_goes_live() -> None:
    plan = planned("stream-failure")
    assert sent_at(plan)[:5] == [
        (0, "Session Created", 0),
        (7, "Stream Failure", 0),
        (8, "Session Ended", 0),
        (15, "Session Created", 1),
        (20, "Stream Start", 1),
    ]
    assert len([step for step in steps(plan) if isinstance(step, StreamBegins)]) == 1


@pytest.mark.parametrize("seconds", [1, 8, 3600])
@pytest.mark.parametrize("faults", ["", ",".join(OF_BROADCAST)])
def test_a_timeline_is_in_order_and_no_object_comes_after_its_event(faults: str, seconds: int) -> None:
    plan = planned(faults, seconds=seconds)
    made = steps(plan)
    assert [step.at for step in made] == sorted(step.at for step in made)
    for recording in plan.recordings:
        files = [step.files for step in made if isinstance(step, Written) and step.recording is recording]
        assert files == ([] if recording.outcome == "not started" else ["start", "media", "end"])


# How the events arrive


def arriving(faults: str, *, seed: int = 1, sent: list[Envelope] | None = None) -> list[Batch]:
    random = Random(seed)  # noqa: S311 -- nothing here is secret
    return deliveries(timeline(planned()) if sent is None else sent, parse_faults(faults), random)


def events_in(batches: list[Batch]) -> list[Envelope]:
    return [envelope for batch in batches for envelope in batch.envelopes]


def test_without_a_fault_each_event_comes_alone_and_at_once() -> None:
    sent = timeline(planned("reconnect,quota"))
    batches = arriving("", sent=sent)
    assert [batch.envelopes for batch in batches] == [[event] for event in sent]
    assert [batch.due.isoformat() for batch in batches] == [
        datetime.fromisoformat(event["time"]).isoformat() for event in sent
    ]


def test_duplicates_are_the_same_events_again_and_some_a_third_time() -> None:
    sent = timeline(planned(STORM))
    counts = Counter(event["id"] for event in events_in(arriving("duplicate", sent=sent)))
    assert set(counts) == {event["id"] for event in sent}
    assert set(counts.values()) == {2, 3}


def test_republished_events_are_the_same_but_for_their_id() -> None:
    sent = timeline(planned())
    arrived = events_in(arriving("republish", sent=sent))
    assert len({event["id"] for event in arrived}) == 2 * len(sent)
    assert Counter(json.dumps({**event, "id": ""}) for event in arrived) == Counter(
        {json.dumps({**event, "id": ""}): 2 for event in sent}
    )


def test_reordered_events_are_all_there_and_never_in_order() -> None:
    sent = timeline(planned())
    for seed in range(20):
        arrived = events_in(arriving("reorder", sent=sent, seed=seed))
        assert arrived != sent
        assert sorted(arrived, key=sent.index) == sent


def test_two_events_that_chance_leaves_in_order_change_places() -> None:
    sent = timeline(planned())[:2]
    for seed in range(10):
        assert events_in(arriving("reorder", sent=sent, seed=seed)) == sent[::-1]


def test_delayed_events_come_after_all_others_and_hours_late() -> None:
    sent = timeline(planned())
    last = datetime.fromisoformat(sent[-1]["time"])
    for seed in range(20):
        arrived = arriving("delay", sent=sent, seed=seed)
        late = [batch for batch in arrived if batch.due > last]
        assert late
        assert late[-1].due - last > timedelta(hours=1)
        assert sorted(events_in(arrived), key=sent.index) == sent


@pytest.mark.parametrize("name", KINDS)
def test_a_dropped_event_never_comes_and_all_others_do(name: str) -> None:
    sent = timeline(planned(",".join(OF_BROADCAST))) + timeline(planned())
    sent.sort(key=lambda event: event["time"])
    arrived = events_in(arriving(f"drop:{name},duplicate,delay", sent=sent))
    kept = {event["id"] for event in sent if event_name(event) != name}
    assert {event["id"] for event in arrived} == kept


def test_nothing_arrives_before_it_happens_and_no_batch_is_too_large() -> None:
    sent = timeline(planned(",".join(OF_BROADCAST)))
    for seed in range(5):
        batches = arriving("duplicate,reorder,delay,republish", sent=sent, seed=seed)
        assert [batch.due for batch in batches] == sorted(batch.due for batch in batches)
        assert {len(batch.envelopes) for batch in batches} > {1}
        for batch in batches:
            assert 1 <= len(batch.envelopes) <= 10
            assert all(datetime.fromisoformat(event["time"]) <= batch.due for event in batch.envelopes)


def test_the_same_seed_gives_the_same_deliveries() -> None:
    sent = timeline(planned(STORM))
    storm = ",".join(OF_DELIVERY.keys() - {"republish"})
    first, again, other = (arriving(storm, sent=sent, seed=seed) for seed in (7, 7, 8))
    assert first == again != other


def test_no_event_at_all_is_no_batch() -> None:
    assert arriving("drop:all,duplicate,reorder,delay") == []


# When it is played


def hours(*numbers: float) -> list[datetime]:
    return [NINE + timedelta(hours=number) for number in numbers]


@pytest.mark.parametrize(
    ("streams", "begins"),
    [
        ([], 9),
        ([(4, 5)], 9),
        ([(4, 9 - 0.1)], 9),
        ([(4, 9)], 4 - 0.1 - 1),
        ([(9.5, None)], 9.5 - 0.1 - 1),
        ([(9, 9.9), (5, 6)], 9 - 0.1 - 1),
        ([(9, 9.9), (7.8, 8.7), (5, 6)], 7.8 - 0.1 - 1),
    ],
)
def test_a_run_takes_the_latest_time_in_which_the_channel_was_free(streams: list[Any], begins: float) -> None:
    known = [(hours(start)[0], None if end is None else hours(end)[0]) for start, end in streams]
    [now, expected] = hours(10, begins)
    found = free_before(now, timedelta(hours=1), known, timedelta(hours=0.1))
    assert abs(found - expected) < timedelta(milliseconds=1)


# The files of a merged recording


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Two segments; small, for it is uploaded often."""
    return make_recording(tmp_path_factory.mktemp("rec"), seconds=5, renditions=[Rendition("160p30", 284, 160)])


def test_a_merged_recording_is_its_parts_with_a_discontinuity_between_them(
    recording: Recording, tmp_path: Path
) -> None:
    merged = merge_recordings(tmp_path / "merged", [recording, recording])
    assert merged.duration_ms == 10_000
    files = dict(merged.files())
    hls = tmp_path / "merged" / "media/hls"
    assert [playlist.uri for playlist in m3u8.load(str(hls / "master.m3u8")).playlists] == ["160p30/playlist.m3u8"]
    playlist = m3u8.load(str(hls / "160p30/playlist.m3u8"))
    assert playlist.is_endlist
    assert sum(segment.duration for segment in playlist.segments) == pytest.approx(10)
    half = len(playlist.segments) // 2
    assert [segment.discontinuity for segment in playlist.segments].index(True) == half
    assert sum(segment.discontinuity for segment in playlist.segments) == 1
    assert [segment.uri for segment in playlist.segments] == ["0.ts", "1.ts", "2.ts", "3.ts"]
    for number in range(4):
        copy = files[f"media/hls/160p30/{number}.ts"]
        assert copy.read_bytes() == (recording.folder / f"media/hls/160p30/{number % 2}.ts").read_bytes()
    pictures = [key for key in files if key.startswith("media/thumbnails/")]
    assert len(pictures) == 2 * len([key for key, _ in recording.files() if key.startswith("media/thumbnails/")])
    assert "media/latest_thumbnail/thumb.jpg" in files


def test_playlists_of_three_parts_are_counted_on() -> None:
    one = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.000000,\n0.ts\n#EXT-X-ENDLIST\n"
    merged = m3u8.loads(merge_playlists([one, one, one], [0, 1, 12]))
    assert [(segment.uri, segment.discontinuity) for segment in merged.segments] == [
        ("0.ts", False),
        ("1.ts", True),
        ("12.ts", True),
    ]
    assert merged.is_endlist


# The whole road


@pytest.fixture
def channel(db: None, aws: LocalAws, recording: Recording, monkeypatch: pytest.MonkeyPatch) -> Channel:
    """A channel of the local IVS, whose broadcasts all have the one recording."""

    def copied(folder: Path, *, seconds: float) -> Recording:
        shutil.copytree(recording.folder / "media", folder / "media")
        return read_recording(folder)

    monkeypatch.setattr("tools.local.broadcast.encoder.make_recording", copied)
    monkeypatch.setattr(simulate_broadcast, "refuse_real_services", lambda: aws.home)
    # The connection of a test in a transaction is kept.
    monkeypatch.setattr(lambda_entry, "close_old_connections", lambda: None)
    return channel_create(name="Main stage", owner=OWNER)


def simulate(channel: Channel, faults: str = "", *options: str) -> list[dict[str, Any]]:
    status, lines = command("simulate_broadcast", str(channel.uuid), "--seed", "4", "--faults", faults, *options)
    assert status == 0
    return lines


Ask = Callable[[str], Any]


@pytest.fixture
def ask(api_key: str) -> Ask:
    """Return the answer of the API to a caller with all scopes."""

    def get(path: str) -> Any:
        answer = Client().get(path, headers=bearer(api_key))
        assert answer.status_code == 200, answer.content
        return answer.json()

    return get


def assert_catalogue_is_right(ask: Ask, channel: Channel, runs: list[dict[str, Any]]) -> None:
    """All that is recorded is there and nothing else, every stream has its times, and the channel is offline."""
    made = [recording for run in runs for recording in run["recordings"]]
    assert Video.objects.filter(channel=channel).count() == len(made)
    # Only the end tells the order of the streams.
    for word, outcomes, order in (("listed", {"ended"}, list), ("failed", {"failed", "not started"}, sorted)):
        videos = ask(f"/on-demand?channel={channel.uuid}&listing={word}&pageSize=100")["data"]
        shown = [(order(video["stream_ids"]), video["duration_seconds"]) for video in videos]
        expected = [r for r in made if r["outcome"] in outcomes]
        assert sorted(shown) == sorted((order(r["stream_ids"]), r["duration_ms"] / 1000) for r in expected)
        if word == "listed":
            places = [f"{r['prefix']}/media/hls/master.m3u8" for r in expected]
            assert sorted(video["location"].split("/", 3)[3] for video in videos) == sorted(places)
    streams = {s["stream_id"]: s for s in ask(f"/channels/{channel.uuid}/streams?pageSize=100")["data"]}
    went_live = [stream_id for run in runs for stream_id in run["stream_ids"]]
    assert sorted(key for key, s in streams.items() if s["started_at"] and s["ended_at"]) == sorted(went_live)
    state = ask(f"/channels/{channel.uuid}/live")
    assert (state["state"], state["stream_id"]) == ("offline", runs[-1]["stream_id"])
    in_s3 = live_file(channel)
    assert in_s3 is not None
    assert (in_s3["state"], in_s3["stream_id"]) == ("offline", runs[-1]["stream_id"])


@pytest.mark.parametrize(
    "faults",
    [
        "",
        # Each alone too.
        *((*OF_DELIVERY, *OF_BROADCAST) if THOROUGH else ()),
        STORM,
        pytest.param(",".join(["duplicate", "reorder", "delay", *OF_BROADCAST]), id="everything"),
        "recording-start-failure,reconnect,reorder",
    ],
)
def test_after_any_fault_that_loses_nothing_the_catalogue_is_right(channel: Channel, ask: Ask, faults: str) -> None:
    runs = simulate(channel, faults)
    assert len(runs) == 1
    assert_catalogue_is_right(ask, channel, runs)
    assert not InboxEvent.objects.exclude(outcome__in=["applied", "ignored"]).exists()


def known_to_ivs(channel: Channel) -> dict[str, list[str]]:
    """The names of the events in each session, oldest first, as IVS shows them whatever arrived."""
    summaries = ivs().list_stream_sessions(channelArn=channel.arn)["streamSessions"]
    sent = {}
    for summary in reversed(summaries):
        session = ivs().get_stream_session(channelArn=channel.arn, streamId=summary["streamId"])["streamSession"]
        sent[summary["streamId"]] = [event["name"] for event in reversed(session["truncatedEvents"])]
        assert session["endTime"] == summary["endTime"] > summary["startTime"]
    return sent


def test_lost_events_do_not_change_ivs_and_s3(channel: Channel, ask: Ask) -> None:
    [run] = simulate(channel, "drop:all,reconnect,starvation,quota,takeover-failure")
    assert (run["events"], run["arrived"]) == (10 + 2 * 5 + 2, 0)
    assert not InboxEvent.objects.exists()
    assert ask(f"/on-demand?channel={channel.uuid}")["data"] == []
    first, second = run["stream_ids"]
    incidents = ["Ingest Bitrate", "Ingest Resolution", "Starvation Start", "Starvation End", "Stream Takeover Failure"]
    assert known_to_ivs(channel) == {
        first: ["Session Created", "Stream Start", "Recording Start", *incidents, "Session Ended", "Stream End"],
        second: ["Session Created", "Stream Start", *incidents, "Session Ended", "Stream End", "Recording End"],
    }
    assert ivs().list_streams()["streams"] == []
    ended = document_in_s3(f"{run['prefix']}/events/recording-ended.json")
    assert ended is not None
    assert (ended["recording_status"], ended["media"]["hls"]["duration_ms"]) == ("RECORDING_ENDED", 10_000)
    assert document_in_s3(f"{run['prefix']}/events/recording-started.json") is not None


def test_a_lost_end_leaves_the_channel_live_and_a_lost_recording_end_the_video_unfinished(
    channel: Channel, ask: Ask
) -> None:
    simulate(channel, "drop-end,drop:Recording End")
    assert ask(f"/channels/{channel.uuid}/live")["state"] == "live"
    assert [video.status for video in Video.objects.all()] == ["recording"]
    assert ivs().list_streams()["streams"] == []


def test_a_late_broadcast_is_right_though_its_start_and_its_recording_start_never_come(
    channel: Channel, ask: Ask
) -> None:
    runs = simulate(channel, "drop:Stream Start,drop:Recording Start,delay")
    [video] = ask(f"/on-demand?channel={channel.uuid}")["data"]
    assert video["stream_ids"] == runs[0]["stream_ids"]
    assert ask(f"/channels/{channel.uuid}/live")["state"] == "offline"


def test_a_failed_recording_has_its_own_metadata_in_s3(channel: Channel) -> None:
    [run] = simulate(channel, "recording-end-failure")
    failed = document_in_s3(f"{run['prefix']}/events/recording-failed.json")
    assert failed is not None
    assert failed["recording_status"] == "RECORDING_ENDED_WITH_FAILURE"
    assert document_in_s3(f"{run['prefix']}/events/recording-ended.json") is None


def test_a_merged_recording_plays_from_s3(channel: Channel) -> None:
    [run] = simulate(channel, "reconnect")
    body = s3().get_object(Bucket=BUCKET, Key=f"{run['prefix']}/media/hls/160p30/playlist.m3u8")["Body"].read()
    segments = m3u8.loads(body.decode()).segments
    assert round(sum(segment.duration for segment in segments) * 1000) == run["duration_ms"] == 10_000
    assert [segment.discontinuity for segment in segments] == [False, False, True, False]
    for segment in segments:
        s3().head_object(Bucket=BUCKET, Key=f"{run['prefix']}/media/hls/160p30/{segment.uri}")


def test_a_first_attempt_that_fails_is_a_stream_that_only_managers_see(channel: Channel, ask: Ask) -> None:
    [run] = simulate(channel, "stream-failure")
    attempt = next(s for s in ask(f"/channels/{channel.uuid}/streams")["data"] if s["stream_id"] != run["stream_id"])
    assert attempt["started_at"] is attempt["ended_at"] is None
    assert [failure["name"] for failure in attempt["failures"]] == ["Stream Failure"]
    public = Client().get(f"/channels/{channel.uuid}/streams").json()["data"]
    assert [stream["stream_id"] for stream in public] == [run["stream_id"]]
    assert list(known_to_ivs(channel)) == run["stream_ids"]


def test_many_broadcasts_follow_each_other_in_the_past(channel: Channel, ask: Ask) -> None:
    runs = simulate(channel, "duplicate,reorder,delay,reconnect", "--many", "3")
    assert_catalogue_is_right(ask, channel, runs)
    sessions = ivs().list_stream_sessions(channelArn=channel.arn)["streamSessions"]
    assert [session["streamId"] for session in sessions][::-1] == [each for run in runs for each in run["stream_ids"]]
    assert all(later["startTime"] > earlier["endTime"] for later, earlier in pairwise(sessions))
    assert sessions[0]["endTime"] < timezone.now()
    assert {run["seed"] for run in runs} == {4}
    assert all(run["arrived"] >= 2 * run["events"] for run in runs)


def test_a_broadcast_that_finds_no_time_since_the_last_one_is_played_before_it(channel: Channel, ask: Ask) -> None:
    [last] = simulate(channel)
    [older] = simulate(channel, "reorder")
    assert_catalogue_is_right(ask, channel, [older, last])
    newest = ivs().list_stream_sessions(channelArn=channel.arn)["streamSessions"][0]
    assert newest["streamId"] == last["stream_id"]
    latest = ivs().get_stream_session(channelArn=channel.arn)["streamSession"]
    assert latest["streamId"] == last["stream_id"]


def test_sessions_are_listed_newest_start_first_over_many_pages(channel: Channel, aws: LocalAws) -> None:
    store = aws.ivs.store
    made = {}
    for hour in (3, 1, 4, 2):
        made[hour] = store.stream_begin(channel.arn, started_at=NINE + timedelta(hours=hour))
        store.stream_end(channel.arn, ended_at=NINE + timedelta(hours=hour, minutes=5))
    found, token = [], {}
    for _ in range(4):
        page = ivs().list_stream_sessions(channelArn=channel.arn, maxResults=1, **token)
        found += [session["streamId"] for session in page["streamSessions"]]
        token = {"nextToken": page["nextToken"]} if "nextToken" in page else {}
    assert found == [made[hour] for hour in (4, 3, 2, 1)]
    assert token == {}
    assert all(end is not None for _, end in store.session_times(channel.arn))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--faults", "hail"], "--faults: there is no fault hail; there are duplicate, "),
        (["--many", "0"], "--many takes 1 to 1000"),
        (["--many", "1001"], "--many takes 1 to 1000"),
        (["--seconds", "0.5"], "--seconds takes 1 to 3600"),
        (["--seconds", "nan"], "--seconds takes 1 to 3600"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(channel: Channel, options: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=f"^{re.escape(message)}"):
        call_command("simulate_broadcast", str(channel.uuid), *options)
    assert known_to_ivs(channel) == {}


def test_a_live_channel_is_refused_without_an_event(channel: Channel, aws: LocalAws) -> None:
    aws.ivs.store.stream_begin(channel.arn, started_at=NINE)
    with pytest.raises(CommandError, match="ConflictException: The channel is live already"):
        call_command("simulate_broadcast", str(channel.uuid))
    assert not InboxEvent.objects.exists()


def test_a_failed_event_is_delivered_again_and_reported_when_it_fails_for_good(
    channel: Channel, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: Counter[str] = Counter()

    def failing(times: int) -> Callable[[Any, Any], Any]:
        def handler(event: Any, context: Any) -> Any:
            [first, *others] = event["Records"]
            seen[first["messageId"]] += 1
            failed = [first] if seen[first["messageId"]] <= times else []
            if others or not failed:
                lambda_entry.lambda_handler({"Records": others if failed else event["Records"]}, context)
            return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}

        return handler

    monkeypatch.setattr(studio, "lambda_handler", failing(2))
    assert_catalogue_is_right(ask, channel, simulate(channel, "duplicate"))
    monkeypatch.setattr(studio, "lambda_handler", failing(3))
    with pytest.raises(CommandError, match="1 of 1 events failed"):
        simulate(channel)
    assert ivs().list_streams()["streams"] == []


def test_help_lists_every_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("simulate_broadcast", "--help")
    listed = capsys.readouterr().out.partition("faults:")[2]
    assert dict(re.findall(r"^  (\S+) +(.+)$", listed, re.MULTILINE)) == FAULTS
