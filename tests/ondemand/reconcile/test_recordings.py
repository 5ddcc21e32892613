"""`reconcile`: recordings in S3 whose events never came, however many there are."""

import io
import json
import random
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection

from channels_app.channels.provisioning import channel_create
from channels_app.models import Adoption, Channel, InboxEvent
from channels_app.reconcile.lease import lease_keep
from common import aws as door
from ondemand.models import Recording, Video
from ondemand.reconcile.prefixes import FoundRecording, recordings_in
from ondemand.reconcile.recordings import ExistingVideo, statuses_missing
from ondemand.reconcile.streams import LivePeriod, overlapping
from ondemand.recordings.handlers import END, END_FAILURE, START
from tests.support.helpers import OWNER, make_video
from tests.support.reconciling import Asked, Past, kinds, mended, reconcile
from tests.support.road import (
    BUCKET,
    PREFIX,
    STREAM,
    at,
    command,
    document_in_s3,
    ended_metadata,
    inbox_row,
    lambda_takes,
    put,
    recording_change,
    s3,
    stream_change,
)
from tools.local.aws import LocalAws
from tools.local.broadcast.plan import BroadcastPlan

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def channel(aws: LocalAws) -> Channel:
    return channel_create(name="Morning show", owner=OWNER)


def prefix_of(plan: BroadcastPlan) -> str:
    return plan.recordings[0].prefix


def statuses(events: list[dict[str, Any]], *wanted: str) -> list[dict[str, Any]]:
    """The events of streams, and of recordings those with these statuses."""
    kept = [event for event in events if event["detail"].get("recording_status", "") in ("", *wanted)]
    assert len(kept) < len(events)
    return kept


# What is missing


def test_a_recording_without_events_is_made_of_its_metadata(channel: Channel, past: Past) -> None:
    plan, events = past.broadcast(channel, at(0))
    lambda_takes(*statuses(events))
    (found,) = mended("recording_missing")
    assert (found["bucket"], found["prefix"]) == (BUCKET, prefix_of(plan))
    assert found["s3"] == {
        "metadata": ["ended", "started"],
        "started_at": "2026-03-04T09:00:07Z",
        "ended_at": "2026-03-04T09:01:20Z",
        "duration_ms": 60_000,
    }
    assert found["unknown"] == ["recording_session_id"]
    video, recording = Video.objects.get(), Recording.objects.get()
    assert (video.status, video.active, video.duration_ms) == ("available", True, 60_000)
    assert video.stream_ids == [plan.streams[0].stream_id]
    # As IVS tells, which is later than what the metadata say.
    assert (recording.start_at, recording.end_at) == (at(0) + timedelta(seconds=7), at(1) + timedelta(seconds=22))


def test_the_metadata_give_the_times_if_ivs_has_no_session(channel: Channel) -> None:
    put(f"{PREFIX}/events/recording-ended.json", ended_metadata() | {"channel_arn": channel.arn})
    mended("recording_missing")
    recording = Recording.objects.get()
    assert (recording.start_at, recording.end_at) == (
        datetime(2026, 3, 4, 9, 5, 9, tzinfo=UTC),
        datetime(2026, 3, 4, 10, 13, 8, tzinfo=UTC),
    )
    assert recording.stream_ids == Video.objects.get().stream_ids == []


@pytest.mark.parametrize(
    ("received", "kind"),
    [
        (("Recording Start",), "recording_end_missing"),
        (("Recording End",), "recording_start_missing"),
    ],
)
def test_half_of_a_recording_is_completed(channel: Channel, past: Past, received: tuple[str, ...], kind: str) -> None:
    _, events = past.broadcast(channel, at(0))
    lambda_takes(*statuses(events, *received))
    mended(kind)
    recording = Recording.objects.get()
    assert (recording.start_at, recording.end_at) == (at(0) + timedelta(seconds=7), at(1) + timedelta(seconds=22))
    assert recording.session_id != ""


def test_a_recording_that_failed_is_found_as_one(channel: Channel, past: Past) -> None:
    _, events = past.broadcast(channel, at(0), "recording-end-failure")
    lambda_takes(*statuses(events, "Recording Start"))
    (found,) = mended("recording_end_missing")
    assert found["unknown"] == ["recording_session_id", "recording_status_reason"]
    assert Video.objects.get().status == "failed"
    assert Recording.objects.get().failure_at == at(1) + timedelta(seconds=22)


def test_a_recording_that_runs_is_found(channel: Channel, past: Past) -> None:
    plan, _ = past.broadcast(channel, datetime.now(UTC) - timedelta(hours=1), is_over=False)
    mended("stream_missing", "recording_missing")
    video = Video.objects.get()
    assert (video.status, video.stream_ids) == ("recording", [plan.streams[0].stream_id])


def test_each_recording_holds_the_streams_that_are_in_it(channel: Channel, past: Past) -> None:
    faults = [(), ("reconnect",), ("split",), ("reconnect-late",), ()]
    plans = [
        past.broadcast(channel, at(minute), *fault)[0] for minute, fault in zip((0, 2, 8, 14, 20), faults, strict=True)
    ]
    assert reconcile("--apply")[0] == 0
    found = {video.prefix: video.stream_ids for video in Video.objects.all()}
    assert found == {recording.prefix: recording.stream_ids for plan in plans for recording in plan.recordings}


def test_an_attempt_that_never_went_live_is_in_no_recording(channel: Channel, past: Past) -> None:
    plan, events = past.broadcast(channel, at(0), "stream-failure")
    lambda_takes(*statuses(events))
    mended("recording_missing")
    assert Video.objects.get().stream_ids == [plan.streams[0].stream_id]


def test_streams_overlap_with_a_recording_by_their_times() -> None:
    spans = [
        LivePeriod("before", at(0), at(4)),
        LivePeriod("second", at(9), None),
        LivePeriod("first", at(3), at(6)),
        LivePeriod("after", at(11), None),
    ]
    assert [span.stream_id for span in overlapping(spans, since=at(5), until=at(10))] == ["first", "second"]


@pytest.mark.parametrize(
    ("known", "names", "missing"),
    [
        (None, {"started"}, [START]),
        (None, {"started", "ended"}, [START, END]),
        (None, {"failed"}, [START, END_FAILURE]),
        (ExistingVideo("recording", lacks_start=False), {"started"}, []),
        (ExistingVideo("recording", lacks_start=False), {"started", "failed"}, [END_FAILURE]),
        (ExistingVideo("failed", lacks_start=True), {"started", "failed"}, [START]),
        (ExistingVideo("failed", lacks_start=False), {"started", "ended"}, [END]),
        (ExistingVideo("failed", lacks_start=False), {"ended", "failed"}, [END]),
        (ExistingVideo("available", lacks_start=False), {"ended", "failed"}, []),
        (ExistingVideo("available", lacks_start=True), {"ended"}, [START]),
    ],
)
def test_missing_events_are_those_whose_metadata_exist(
    known: ExistingVideo | None, names: set[str], missing: list[str]
) -> None:
    assert statuses_missing(known, names) == missing


def test_rows_of_the_predecessor_lack_nothing_and_their_metadata_are_not_read(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_video(channel=channel, prefix=PREFIX)
    make_video(channel=channel, prefix=PREFIX)
    put(f"{PREFIX}/events/recording-started.json", {})
    put(f"{PREFIX}/events/recording-ended.json", {})
    monkeypatch.setattr(door, "object_read", None)
    assert reconcile("--apply") == (0, [], "")


def test_the_real_events_of_a_recording_that_was_found_end_as_if_it_had_not_been(channel: Channel, past: Past) -> None:
    plan, events = past.broadcast(channel, at(0))
    assert reconcile("--apply")[0] == 0
    lambda_takes(*events)
    recording, video = Recording.objects.get(), Video.objects.get()
    assert recording.session_id == video.session_id == plan.recordings[0].session_id
    assert not recording.end_event_id.startswith("reconcile:")
    assert video.data == recording.end_detail == events[-1]["detail"]


# What cannot be read, or is not ours


def test_metadata_that_cannot_be_understood_are_reported(channel: Channel) -> None:
    contents = {
        b"{": "not JSON",
        b"\xff\xfe": "utf-8",
        b"[]": "not an object",
        b'{"recording_started_at": "yesterday"}': "recording_started_at",
        b'{"recording_started_at": 5}': "recording_started_at",
        b'{"recording_started_at": "9999-01-01T00:00:00Z"}': "out of range",
        b"[" * 100_000: "not JSON",
        b" " * 2_000_000: "longer",
    }
    for number, content in enumerate(contents):
        put(f"{PREFIX}{number}/events/recording-ended.json", content)
    for arguments in ([], ["--apply"]):
        status, lines, _ = reconcile(*arguments)
        assert (status, kinds(lines)) == (3, ["recording_unreadable"] * len(contents))
        lines.sort(key=lambda line: line["prefix"])
        for line, said in zip(lines, contents.values(), strict=True):
            assert said in line["s3"]["error"]
    assert not Video.objects.exists()


def test_recordings_of_stages_are_left_out(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = {**ended_metadata(), "stage_arn": "arn:aws:ivs:eu-west-1:111122223333:stage/aAbBcCdDeE12"}
    del metadata["channel_arn"]
    for prefix in (
        "MNALAcH9j2EJ/s2AdaGUbvQgp/2pBRKrNgX1ff/composite",
        "AbCdef1G2hij/st-ZyXwvu1T2s/xYz1c2d3e4f/2024-01-01T12-00-55Z",
        "a/layout/of/later",
    ):
        for name in ("started", "ended"):
            put(f"{prefix}/events/recording-{name}.json", metadata)
        put(f"{prefix}/media/hls/multivariant.m3u8", b"")
    read: list[str] = []
    real = door.object_read
    monkeypatch.setattr(door, "object_read", lambda **asked: read.append(asked["key"]) or real(**asked))
    assert reconcile("--apply") == (0, [], "")
    assert {key.partition("/events/")[0] for key in read} == {"a/layout/of/later"}


def test_metadata_that_may_not_be_read_are_reported(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    put(f"{PREFIX}/events/recording-ended.json", ended_metadata())

    def denied(**_: Any) -> bytes:
        raise door.AwsError("GetObject", "it", door.AwsErrorKind.DENIED, "Access Denied")

    monkeypatch.setattr(door, "object_read", denied)
    assert kinds(reconcile()[1]) == ["recording_unreadable"]


def test_without_an_answer_of_s3_nothing_is_compared(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    put(f"{PREFIX}/events/recording-ended.json", ended_metadata())

    def away(**_: Any) -> Any:
        raise door.AwsError("GetObject", "it", door.AwsErrorKind.UNAVAILABLE, "it is away")

    monkeypatch.setattr(door, "object_read", away)
    assert kinds(reconcile("--apply")[1]) == ["not_compared"]
    monkeypatch.setattr(door, "objects_list", away)
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, ["not_compared"])
    assert lines[0]["bucket"] == BUCKET


def test_without_an_arn_in_the_metadata_the_folder_names_the_channel(channel: Channel, settings: Any) -> None:
    prefix = f"ivs/v1/111122223333/{channel.arn[-12:]}/2026/3/4/9/5/KOmxgJTeKdNn"
    put(f"{prefix}/events/recording-ended.json", ended_metadata() | {"channel_arn": None})
    settings.AWS_REGION = ""
    assert kinds(reconcile()[1]) == ["recording_unreadable"]
    settings.AWS_REGION = "eu-west-1"
    mended("recording_missing")
    assert Video.objects.get().channel == channel


def test_a_channel_that_is_not_in_the_database_is_reported_once(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        put(f"{PREFIX[:-4]}{number:04}/events/recording-ended.json", ended_metadata())
    put(f"copied/{PREFIX}/events/recording-ended.json", ended_metadata())
    read: list[str] = []
    real = door.object_read
    monkeypatch.setattr(door, "object_read", lambda **asked: read.append(asked["key"]) or real(**asked))
    for arguments in ([], ["--apply"]):
        status, lines, _ = reconcile(*arguments)
        assert (status, kinds(lines)) == (3, ["unknown_channel"])
        assert lines[0]["would"] == f"import_channel {ended_metadata()['channel_arn']} --owner UUID"
    # One of each folder.
    assert len(read) == 4
    assert not Video.objects.exists()


def test_other_buckets_are_not_read(channel: Channel, past: Past, settings: Any) -> None:
    _, events = past.broadcast(channel, at(0))
    lambda_takes(*statuses(events))
    settings.RECORDING_BUCKETS = ["there-is-none"]
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, ["not_compared"])
    settings.RECORDING_BUCKETS = [BUCKET, BUCKET]
    mended("recording_missing")


def test_further_buckets_are_read(channel: Channel, settings: Any, aws: LocalAws) -> None:
    settings.RECORDING_BUCKETS = ["there-is-none", "older-recordings"]
    aws.s3.create_bucket("older-recordings")
    put(
        f"{PREFIX}/events/recording-ended.json",
        ended_metadata() | {"channel_arn": channel.arn},
        bucket="older-recordings",
    )
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, ["not_compared", "recording_missing"])
    assert Video.objects.get().bucket == "older-recordings"


# Part of it


def test_one_channel_is_looked_for_in_its_own_folder(
    channel: Channel, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = channel_create(name="Evening show", owner=OWNER)
    for each in (channel, other):
        past.broadcast(each, at(0))
    folders: list[str] = []
    real = door.objects_list
    monkeypatch.setattr(door, "objects_list", lambda **asked: folders.append(asked["prefix"]) or real(**asked))
    assert reconcile("--apply", "--channel", str(other.uuid))[0] == 0
    assert set(folders) == {f"ivs/v1/111122223333/{other.arn[-12:]}/"}
    assert Video.objects.get().channel == other


def test_recordings_that_began_before_the_day_are_left_out(channel: Channel, past: Past) -> None:
    for minute in (0, 24 * 60):
        _, events = past.broadcast(channel, at(minute))
        lambda_takes(*statuses(events))
    for since, found in (("2026-03-05", 1), ("2026-03-04T09:00:08Z", 1), ("2026-03-04", 2)):
        status, lines, _ = reconcile("--since", since)
        assert (status, kinds(lines)) == (3, ["recording_missing"] * found), since
    status, lines, _ = reconcile("--apply", "--since", "2026-03-05")
    assert (status, kinds(lines), Video.objects.count()) == (0, ["recording_missing"], 1)


def test_metadata_that_were_written_before_the_day_are_not_read(
    channel: Channel, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, events = past.broadcast(channel, at(0))
    lambda_takes(*statuses(events))
    monkeypatch.setattr(door, "object_read", None)
    assert reconcile("--since", (datetime.now(UTC) + timedelta(minutes=1)).isoformat()) == (0, [], "")


# Recordings without an end


def make_stuck(channel: Channel, **extra: Any) -> None:
    """A recording of which only the start was received, and of a stream that is over."""
    lambda_takes(
        stream_change("Stream Start", 4, arn=channel.arn),
        stream_change("Stream End", 30, arn=channel.arn),
        recording_change("Recording Start", 5, arn=channel.arn, **extra),
    )


def test_a_recording_without_an_end_has_failed_after_48_hours(channel: Channel) -> None:
    make_stuck(channel)
    (found,) = mended("recording_stuck")
    assert found["unknown"] == ["ended_at", "recording_status_reason"]
    video, recording = Video.objects.get(), Recording.objects.get()
    assert video.status == "failed"
    assert recording.failure_at == at(5) + timedelta(hours=48)
    assert recording.failure_detail["recording_status_reason"].startswith("reconcile:")
    assert recording.stream_ids == [STREAM]


def test_a_recording_that_may_still_run_is_left_alone(channel: Channel) -> None:
    begins = datetime.now(UTC) - timedelta(hours=47)
    lambda_takes(
        recording_change("Recording Start", 5, arn=channel.arn) | {"time": begins.strftime("%Y-%m-%dT%H:%M:%SZ")}
    )
    assert reconcile("--apply") == (0, [], "")


def test_metadata_that_come_late_make_a_stuck_recording_available(channel: Channel) -> None:
    make_stuck(channel)
    mended("recording_stuck")
    put(f"{PREFIX}/events/recording-ended.json", ended_metadata() | {"channel_arn": channel.arn})
    mended("recording_end_missing")
    assert Video.objects.get().status == "available"


def test_a_recording_whose_end_cannot_be_read_is_not_stuck(channel: Channel) -> None:
    make_stuck(channel)
    put(f"{PREFIX}/events/recording-ended.json", b"{")
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, ["recording_unreadable"])
    assert Video.objects.get().status == "recording"


@pytest.mark.parametrize("named", [["there-are-others"], []])
def test_a_recording_in_a_bucket_that_is_not_read_is_not_stuck(
    channel: Channel, past: Past, settings: Any, aws: LocalAws, named: list[str]
) -> None:
    """S3 has its end, and is not asked."""
    _, events = past.broadcast(channel, at(0))
    lambda_takes(*statuses(events, START))
    aws.s3.create_bucket("there-are-others")
    settings.RECORDING_BUCKET, settings.RECORDING_BUCKETS = "", named
    status, lines, _ = reconcile("--apply")
    assert (status, set(kinds(lines))) == (3, {"not_compared"})
    assert lines[-1]["bucket"] == BUCKET
    assert "RECORDING_BUCKETS" in lines[-1]["would"]
    assert Video.objects.get().status == "recording"


def test_buckets_that_are_not_named_keep_no_stuck_recording_from_its_end(channel: Channel) -> None:
    for number in range(12):
        make_video(channel=channel, status="recording", bucket="somebody-elses", prefix=f"{PREFIX}{number}")
    make_video(channel=channel, uuid=UUID(int=2**128 - 1), status="recording", started_at=at(0), prefix=PREFIX)
    assert sorted(kinds(reconcile("--apply")[1])) == ["not_compared"] * 12 + ["recording_stuck"]


def test_a_stuck_recording_without_a_channel_is_reported(channel: Channel) -> None:
    make_stuck(channel)
    Video.objects.update(channel=None)
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, ["recording_stuck"])


# However many there are


def found_in(bucket: str, **options: Any) -> list[FoundRecording]:
    """The recordings of the listing."""
    return [found for found in recordings_in(bucket, **options) if isinstance(found, FoundRecording)]


class Bucket:
    """A bucket of any size behind the door to AWS, which counts how often it is listed."""

    def __init__(self, keys: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.keys = sorted(keys)
        self.calls = 0
        self.listed = 0
        monkeypatch.setattr(door, "objects_list", self.list)

    def list(self, *, bucket: str, prefix: str, after: str, most: int) -> door.ObjectPage:
        keys = [key for key in self.keys if key.startswith(prefix)] if prefix else self.keys
        begin = bisect_right(keys, after)
        page = keys[begin : begin + most]
        self.calls += 1
        self.listed += len(page)
        return door.ObjectPage([door.S3Object(key, at(0)) for key in page], is_last=begin + most >= len(keys))


def recording_keys(prefix: str, *, segments: int, names: tuple[str, ...] = ("started", "ended")) -> Iterator[str]:
    yield from (f"{prefix}/events/recording-{name}.json" for name in names)
    yield f"{prefix}/media/hls/master.m3u8"
    yield from (f"{prefix}/media/hls/720p30/{number}.ts" for number in range(segments))


def prefix_number(number: int) -> str:
    moment = at(60 * number)
    return f"ivs/v1/111122223333/AjIhKtJ0RlgL/2026/{moment.month}/{moment.day}/{moment.hour}/5/KOmxgJTe{number:04}"


def test_months_of_recordings_cost_a_call_each_however_many_segments_they_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prefixes = [prefix_number(number) for number in range(1500)]
    keys = [key for prefix in prefixes for key in recording_keys(prefix, segments=300)]
    bucket = Bucket([*keys, *(f"live/{number}.json" for number in range(2000))], monkeypatch)
    found = found_in(BUCKET)
    assert sorted(recording.prefix for recording in found) == sorted(prefixes)
    assert all(recording.names == {"started", "ended"} for recording in found)
    assert bucket.calls <= 1510
    assert bucket.listed < len(keys) / 10


def test_small_recordings_share_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket([key for n in range(900) for key in recording_keys(prefix_number(n), segments=1)], monkeypatch)
    assert len(found_in(BUCKET)) == 900
    assert bucket.calls < 300


def test_skipping_segments_finds_the_same_recordings_as_reading_every_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else is in the bucket, wherever a page ends, and wherever the listing is taken up."""
    chance = random.Random(1)  # noqa: S311
    rubbish = ["a", "ivs/v1/x", "media/a.ts", "events/recording-ended.json", "zz/events/recording-later.json"]
    for _ in range(150):
        expected: dict[str, set[str]] = {}
        keys = set(chance.sample(rubbish, chance.randint(0, 5)))
        for number in range(chance.randint(0, 6)):
            prefix = chance.choice(["ivs/v1/1/A", "ivs/v1/1/B", "old"]) + f"/{chance.choice([1, 10, 2])}/{number}"
            names = chance.choice([("started",), ("started", "ended"), ("failed", "started"), ("ended",), ()])
            keys |= set(recording_keys(prefix, segments=chance.choice([0, 1, 40])))
            keys -= {f"{prefix}/events/recording-{name}.json" for name in ("started", "ended", "failed")}
            keys |= {f"{prefix}/events/recording-{name}.json" for name in names}
            keys |= {f"{prefix}/events/{extra}" for extra in chance.sample(["ivs-check", "recording-x.json"], 1)}
            if names:
                expected[prefix] = set(names)
        monkeypatch.setattr("ondemand.reconcile.prefixes._LONG_PAGE", chance.choice([1, 2, 3, 7, 1000]))
        monkeypatch.setattr("ondemand.reconcile.prefixes._SHORT_PAGE", chance.choice([1, 2, 5]))
        Bucket(list(keys), monkeypatch)
        found = found_in(BUCKET)
        assert {recording.prefix: set(recording.names) for recording in found} == expected
        assert [recording.prefix for recording in found] == sorted(expected, key=lambda prefix: f"{prefix}/")
        if found:
            middle = chance.randrange(len(found))
            assert found_in(BUCKET, after=found[middle].behind) == found[middle + 1 :]


def test_the_metadata_with_the_most_facts_are_read() -> None:
    for names, last in (({"started"}, "started"), ({"started", "failed"}, "failed"), ({"started", "ended"}, "ended")):
        assert FoundRecording(BUCKET, PREFIX, frozenset(names), at(0)).last == last


def test_the_command_finds_the_few_that_are_missing_among_many(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefixes = [prefix_number(number) for number in range(12)]
    for number, prefix in enumerate(prefixes):
        for key in recording_keys(prefix, segments=1):
            body = ended_metadata() | {"channel_arn": channel.arn} if key.endswith(".json") else {}
            put(key, body)
        if number % 6:
            make_video(channel=channel, prefix=prefix, session_id="kept")
    calls: list[int] = []
    real = door.objects_list
    monkeypatch.setattr(door, "objects_list", lambda **asked: calls.append(asked["most"]) or real(**asked))
    lines = mended(*["recording_missing"] * 2)
    assert {line["prefix"] for line in lines} == set(prefixes[::6])
    assert len(calls) <= 3 * 13
    assert Video.objects.filter(session_id="kept").count() == 10


def test_the_lease_is_kept_while_keys_of_others_are_listed(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket([f"other/{number:08}" for number in range(5000)], monkeypatch)
    kept: list[tuple[int, Any]] = []

    def keep(**values: Any) -> None:
        kept.append((bucket.calls, values.get("cursor")))
        lease_keep(**values)

    monkeypatch.setattr("channels_app.reconcile.runner.lease_keep", keep)
    assert reconcile("--apply") == (0, [], "")
    assert {calls for calls, _ in kept} == {0, 1, 2, 3, 4, 5}
    # A run that is stopped there goes on behind them.
    assert [BUCKET, "other/00002999"] in [cursor["position"] for _, cursor in kept if cursor]


def test_metadata_of_the_future_are_reported_and_not_taken(channel: Channel) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1, minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    names = ("recording_started_at", "recording_ended_at")
    for number, late in enumerate(names):
        told_late = {"channel_arn": channel.arn, late: tomorrow}
        put(f"{PREFIX}{number}/events/recording-ended.json", ended_metadata() | told_late)
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, ["recording_unreadable"] * 2)
    for line in lines:
        assert names[int(line["prefix"][-1])] in line["s3"]["error"]
    assert not Video.objects.exists()


def test_live_state_files_are_no_recordings(channel: Channel, past: Past, asked: Asked) -> None:
    _, events = past.broadcast(channel, at(0))
    lambda_takes(*events)
    assert document_in_s3(f"live/{channel.uuid}.json")
    s3().put_object(Bucket=BUCKET, Key="zz", Body=json.dumps({}).encode())
    assert reconcile() == (0, [], "")


# Removed by somebody


def delete_by_sql(*tables: str) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608


def test_a_recording_whose_rows_were_deleted_is_made_again_by_no_run_and_no_event(channel: Channel, past: Past) -> None:
    _, events = past.broadcast(channel, at(0))
    lambda_takes(*events)
    assert Video.objects.get().active
    delete_by_sql("on_demand_videos", "channels_app_inboxevent")
    assert reconcile("--apply") == (0, [], "")
    ended = next(event for event in events if event["detail"].get("recording_status") == END)
    assert (
        lambda_takes(
            *events,
            {**ended, "id": "sent again"},
            {**ended, "detail": {**ended["detail"], "recording_status": END_FAILURE}, "id": "a failure"},
        )
        == []
    )
    assert {row.outcome for row in InboxEvent.objects.filter(detail_type="IVS Recording State Change")} == {"ignored"}
    assert "deleted" in inbox_row(ended).error
    command("replay", "--all")
    assert not Video.objects.exists()
    assert not Recording.objects.exists()


def test_a_removed_recording_is_not_taken_over_with_its_channel(channel: Channel, past: Past) -> None:
    _, events = past.broadcast(channel, at(0))
    lambda_takes(*events)
    delete_by_sql("on_demand_videos")
    arn = channel.arn
    delete_by_sql("ivs_state_changes", "ivs_channels")
    call_command("import_channel", arn, "--owner", str(OWNER), stdout=io.StringIO())
    assert not Video.objects.exists()


def test_a_removed_recording_comes_back_once_its_place_is_deleted(channel: Channel, past: Past) -> None:
    _, events = past.broadcast(channel, at(0))
    lambda_takes(*events)
    # The second time `reconcile` has applied its event for the recording already.
    for _ in range(2):
        Video.objects.all().delete()
        delete_by_sql("ondemand_removedrecording")
        mended("recording_missing")
        assert Video.objects.get().active


# From before the database was adopted


@pytest.mark.parametrize(("adopted", "is_listed"), [(2, False), (1, True), (None, True)])
def test_a_recording_from_before_the_adoption_awaits_review(
    channel: Channel, past: Past, adopted: float | None, is_listed: bool
) -> None:
    """It ended 82 seconds after nine."""
    past.broadcast(channel, at(0))
    if adopted is not None:
        Adoption.objects.create(adopted_at=at(adopted))
    assert reconcile("--apply")[0] == 0
    video = Video.objects.get()
    assert (video.status, video.active, video.awaits_review) == ("available", is_listed, not is_listed)
    assert Video.objects.to_review().exists() is not is_listed
