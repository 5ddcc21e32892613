"""The sample recording, the events and the encoder that plays them."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import imageio_ffmpeg
import pytest
from botocore.exceptions import ClientError

from tools.local.aws import LocalAws, install_in_process
from tools.local.broadcast.encoder import Broadcast, StreamKeyRefused, play_broadcasts
from tools.local.broadcast.events import (
    event_name,
    limit_event,
    recording_event,
    sqs_batch,
    stream_event,
)
from tools.local.broadcast.plan import events_of, plan_broadcast, recording_prefix, steps
from tools.local.broadcast.recording import (
    Recording,
    Rendition,
    make_recording,
    read_recording,
    recording_metadata,
)
from tools.local.ivs import IvsError

# All share one recording, which takes seconds to encode.
pytestmark = [pytest.mark.xdist_group("encoder"), pytest.mark.slow]
BUCKET = "example-recordings"
REGION, ACCOUNT = "eu-west-1", "111122223333"
CHANNEL_ARN = f"arn:aws:ivs:{REGION}:{ACCOUNT}:channel/AjIhKtJ0RlgL"
STREAM_ID = "st-u8jzPde0IgxLd6GncfBAepf"
PREFIX = f"ivs/v1/{ACCOUNT}/AjIhKtJ0RlgL/2026/3/4/9/5/KOmxgJTeKdNn"
BASE_URL = "http://127.0.0.1:9/_encoder_test"
STARTED_AT = datetime(2026, 3, 4, 9, 5, 2, 900_000, tzinfo=UTC)
SAMPLES = Path(__file__).parents[2] / "support" / "events"


def sample(name: str) -> dict[str, Any]:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def shape(value: Any) -> Any:
    """The same document with types in place of its values."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value)


# Events


def rebuilt(event: dict[str, Any]) -> dict[str, Any]:
    """The sample made again by the builder of its kind, from what a caller of the builder knows."""
    detail, at = event["detail"], datetime.fromisoformat(event["time"])
    if event["detail-type"] == "IVS Limit Breach":
        facts = {name: value for name, value in detail.items() if name != "limit_name"}
        where = {"account": event["account"], "region": event["region"]}
        arn = event["resources"][0] if event["resources"] else None
        return limit_event(detail["limit_name"], at, **facts, **where, channel_arn=arn)
    channel = (event["resources"][0], detail["channel_name"], detail["stream_id"])
    if event["detail-type"] in ("IVS Stream Health Change", "IVS Stream State Change"):
        extra = {name: detail[name] for name in ("reason", "code") if name in detail}
        return stream_event(detail["event_name"], *channel, at, **extra)
    return recording_event(
        detail["recording_status"],
        *channel,
        at,
        bucket=detail["recording_s3_bucket_name"],
        prefix=detail["recording_s3_key_prefix"],
        duration_ms=detail["recording_duration_ms"],
        session_id=detail["recording_session_id"],
        stream_ids=detail.get("recording_session_stream_ids"),
        reason=detail["recording_status_reason"],
    )


@pytest.mark.parametrize("name", sorted(path.stem for path in SAMPLES.glob("*.json")))
def test_builders_make_every_sample_of_the_reference(name: str) -> None:
    event = sample(name)
    assert json.dumps({**rebuilt(event), "id": event["id"]}) == json.dumps(event)


def test_there_is_a_sample_of_each_of_the_seventeen_events() -> None:
    assert len(list(SAMPLES.glob("*.json"))) == 17


def test_an_event_has_its_own_id_and_a_time_in_utc() -> None:
    at = datetime.fromisoformat("2026-03-04T10:05:02.999+01:00")
    events = [stream_event("Stream Start", CHANNEL_ARN, "room-42", STREAM_ID, at) for _ in range(2)]
    assert events[0]["time"] == "2026-03-04T09:05:02Z"
    assert events[0]["id"] != events[1]["id"]


def test_an_sqs_batch_carries_each_envelope_as_text() -> None:
    envelopes = [sample("stream_start"), sample("recording_end")]
    records = sqs_batch(envelopes)["Records"]
    assert [json.loads(record["body"]) for record in records] == envelopes
    assert len({record["messageId"] for record in records}) == 2
    first = records[0]
    assert first["eventSource"] == "aws:sqs"
    assert first["eventSourceARN"].startswith(f"arn:aws:sqs:{REGION}:{ACCOUNT}:")
    assert first["awsRegion"] == REGION
    assert first["md5OfBody"] == hashlib.md5(first["body"].encode(), usedforsecurity=False).hexdigest()
    assert first["attributes"]["SentTimestamp"] == "1772615107000"
    assert set(first) == {
        "messageId", "receiptHandle", "body", "attributes", "messageAttributes",
        "md5OfBody", "eventSource", "eventSourceARN", "awsRegion",
    }  # fmt: skip


# The recording


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return make_recording(tmp_path_factory.mktemp("rec") / "50% of it", seconds=6.5)


def ffmpeg(*arguments: str | Path) -> str:
    """Return the output of ffmpeg about its inputs.

    Reading MPEG-TS makes it call iconv, and this static build crashes where iconv loads the system's modules.
    """
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", *arguments, "-f", "null", "-"]
    environment = {**os.environ, "GCONV_PATH": os.devnull}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def playlist_entries(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def test_a_recording_has_the_layout_of_ivs(recording: Recording) -> None:
    rendition_files = {"playlist.m3u8", "0.ts", "1.ts"}
    expected = {f"media/hls/{name}/{file}" for name in ("720p30", "360p30", "160p30") for file in rendition_files}
    expected |= {"media/hls/master.m3u8"}
    expected |= {f"media/thumbnails/thumb{number}.jpg" for number in range(4)}
    expected |= {"media/latest_thumbnail/thumb.jpg"}
    assert {key for key, _ in recording.files()} == expected
    assert [path.name for path in recording.folder.iterdir()] == ["media"]


def test_a_playlist_is_uploaded_after_the_segments_that_it_lists(recording: Recording) -> None:
    suffixes = [path.suffix for _, path in recording.files()]
    assert suffixes == sorted(suffixes, key=lambda suffix: suffix == ".m3u8")
    assert [key for key, _ in recording.files()][-1] == "media/hls/master.m3u8"


def test_the_facts_of_a_recording_are_those_of_its_files(recording: Recording) -> None:
    assert recording.duration_ms == 6500
    assert [(each.name, each.width, each.height) for each in recording.renditions] == [
        ("720p30", 1280, 720),
        ("360p30", 640, 360),
        ("160p30", 284, 160),
    ]
    assert read_recording(recording.folder) == recording


def test_every_listed_file_exists_and_the_duration_is_the_whole(recording: Recording) -> None:
    hls = recording.folder / "media/hls"
    variants = playlist_entries(hls / "master.m3u8")
    assert len(variants) == 3
    for variant in variants:
        playlist = (hls / variant).read_text()
        durations = re.findall(r"^#EXTINF:([\d.]+),$", playlist, re.MULTILINE)
        assert round(sum(map(float, durations)) * 1000) == recording.duration_ms
        assert playlist.rstrip().endswith("#EXT-X-ENDLIST")
        assert all(((hls / variant).parent / segment).is_file() for segment in playlist_entries(hls / variant))


def seconds_played(said: str) -> float:
    hours, minutes, seconds = re.findall(r"time=(\d+):(\d+):([\d.]+)", said)[-1]
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def test_ffmpeg_reads_the_duration_from_the_multivariant_playlist(recording: Recording) -> None:
    said = ffmpeg("-i", recording.folder / "media/hls/master.m3u8", "-map", "0:p:2", "-c", "copy")
    hours, minutes, seconds = re.findall(r"Duration: (\d+):(\d+):([\d.]+)", said)[0]
    duration = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    assert duration == pytest.approx(recording.duration_ms / 1000, abs=0.5)
    assert seconds_played(said) == pytest.approx(recording.duration_ms / 1000, abs=0.5)


def test_first_and_last_segment_have_picture_and_sound(recording: Recording) -> None:
    for rendition in recording.renditions:
        for segment in ("0.ts", "1.ts"):
            said = ffmpeg("-i", recording.folder / "media/hls" / rendition.name / segment, "-c", "copy")
            assert re.search(rf"Video: h264 .*{rendition.width}x{rendition.height}", said)
            assert "Audio: aac" in said


def test_thumbnails_are_pictures_and_the_latest_is_the_last(recording: Recording) -> None:
    thumbnails = recording.folder / "media/thumbnails"
    assert "1280x720" in ffmpeg("-i", thumbnails / "thumb0.jpg")
    latest = (recording.folder / "media/latest_thumbnail/thumb.jpg").read_bytes()
    assert latest == (thumbnails / "thumb3.jpg").read_bytes()
    assert latest != (thumbnails / "thumb0.jpg").read_bytes()


def test_a_failing_ffmpeg_is_an_error_with_its_last_lines_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)ffmpeg failed with exit status .*height not divisible by 2"):
        make_recording(tmp_path / "rec", seconds=1, renditions=[Rendition("odd", 64, 33)])
    assert list((tmp_path / "rec").iterdir()) == []


ENDED = json.loads("""
{
  "version": "v1",
  "channel_arn": "arn:aws:ivs:eu-west-1:111122223333:channel/AjIhKtJ0RlgL",
  "recording_started_at": "2026-03-04T09:05:09Z",
  "recording_ended_at": "2026-03-04T10:13:08Z",
  "recording_status": "RECORDING_ENDED",
  "media": {
    "hls": {
      "duration_ms": 3960000,
      "path": "media/hls",
      "playlist": "master.m3u8",
      "renditions": [
        {"path": "720p30", "playlist": "playlist.m3u8",
         "resolution_height": 720, "resolution_width": 1280},
        {"path": "160p30", "playlist": "playlist.m3u8",
         "resolution_height": 160, "resolution_width": 284}
      ]
    },
    "thumbnails": {"path": "media/thumbnails", "resolution_height": 720, "resolution_width": 1280},
    "latest_thumbnail": {"path": "media/latest_thumbnail/thumb.jpg", "resolution_height": 720, "resolution_width": 1280}
  }
}
""")
TIMES = {
    "started_at": datetime(2026, 3, 4, 9, 5, 9, tzinfo=UTC),
    "ended_at": datetime(2026, 3, 4, 10, 13, 8, tzinfo=UTC),
}


def a_long_recording() -> Recording:
    renditions = (Rendition("720p30", 1280, 720), Rendition("160p30", 284, 160))
    return Recording(Path("unused"), 3_960_000, renditions)


def test_metadata_of_an_end_is_that_of_the_reference() -> None:
    made = recording_metadata(a_long_recording(), "RECORDING_ENDED", channel_arn=CHANNEL_ARN, **TIMES)
    assert json.dumps(made) == json.dumps(ENDED)


def test_metadata_of_a_start_has_no_end_and_no_duration() -> None:
    facts = {"channel_arn": CHANNEL_ARN, "started_at": TIMES["started_at"]}
    made = recording_metadata(a_long_recording(), "RECORDING_STARTED", **facts)
    expected = json.loads(json.dumps(ENDED)) | {"recording_status": "RECORDING_STARTED"}
    del expected["recording_ended_at"], expected["media"]["hls"]["duration_ms"]
    assert made == expected


def test_metadata_of_a_failure_says_why() -> None:
    state, message = "RECORDING_ENDED_WITH_FAILURE", "InternalServerException"
    facts = {"channel_arn": CHANNEL_ARN, **TIMES, "message": message}
    made = recording_metadata(a_long_recording(), state, **facts)
    assert made == ENDED | {"recording_status": state, "recording_status_message": message}


# The encoder


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    aws = LocalAws(tmp_path / "home")
    stop = install_in_process(aws, BASE_URL)
    aws.s3.create_bucket(BUCKET, REGION)
    yield aws
    stop()
    aws.s3.reset()


@cache
def make_client(service: str) -> Any:
    """One for all, for making one takes long."""
    return boto3.client(
        service,
        endpoint_url=f"{BASE_URL}/{service}",
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def make_channel(*, records: bool = True) -> tuple[str, str]:
    """ARN and stream key of a new channel."""
    ivs = make_client("ivs")
    arguments: dict[str, Any] = {"name": "room-42"}
    if records:
        destination = {"s3": {"bucketName": BUCKET}}
        configuration = ivs.create_recording_configuration(destinationConfiguration=destination)
        arguments["recordingConfigurationArn"] = configuration["recordingConfiguration"]["arn"]
    created = ivs.create_channel(**arguments)
    return created["channel"]["arn"], created["streamKey"]["value"]


class Listener:
    """Takes what the encoder delivers, and notes whether the channel was live at that moment."""

    def __init__(self, aws: LocalAws, channel_arn: str) -> None:
        self.store = aws.ivs.store
        self.channel_arn = channel_arn
        self.seen: list[tuple[str, bool]] = []
        self.events: list[dict[str, Any]] = []

    def __call__(self, envelopes: list[dict[str, Any]]) -> None:
        live = self.store.stream_of(self.channel_arn) is not None
        self.events += envelopes
        self.seen += [(event_name(envelope), live) for envelope in envelopes]


def broadcast_into(
    aws: LocalAws, key: str, *, s3: Any = None, deliver: Any = lambda _: None, **options: Any
) -> Broadcast:
    client = s3 or make_client("s3")
    [made] = play_broadcasts(aws.ivs.store, client, key, begin=lambda _: STARTED_AT, deliver=deliver, **options)
    return made


def keys_of(prefix: str) -> list[str]:
    pages = make_client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    entries = [entry for page in pages for entry in page.get("Contents", [])]
    return [entry["Key"] for entry in entries]


def test_a_whole_broadcast(aws: LocalAws, recording: Recording) -> None:
    arn, key = make_channel()
    listener = Listener(aws, arn)
    broadcast = broadcast_into(aws, key, deliver=listener, record=recording.folder)

    assert listener.seen == [
        ("Session Created", False),
        ("Stream Start", True),
        ("Recording Start", True),
        ("Session Ended", True),
        ("Stream End", False),
        ("Recording End", False),
    ]
    assert listener.events == broadcast.events
    assert [event["time"][11:] for event in broadcast.events] == [
        "09:05:02Z", "09:05:07Z", "09:05:09Z", "09:05:16Z", "09:05:22Z", "09:05:26Z",
    ]  # fmt: skip
    assert (broadcast.bucket, broadcast.duration_ms) == (BUCKET, 6500)
    assert_events_agree_with(broadcast, arn)
    assert_recording_is_in_s3(broadcast, arn, recording)
    assert_session_is_in_ivs(broadcast, arn)


def assert_events_agree_with(broadcast: Broadcast, arn: str) -> None:
    names = ("session_created", "stream_start", "recording_start", "session_ended", "stream_end")
    for name, event in zip(names, broadcast.events, strict=False):
        assert shape(event) == shape(sample(name))
    end = broadcast.events[-1]["detail"]
    assert list(end) == list(sample("recording_end")["detail"])
    assert end["recording_session_stream_ids"] == [broadcast.stream_id]
    assert end["recording_duration_ms"] == broadcast.duration_ms
    assert re.fullmatch(r"[0-9A-Za-z]{16}", end["recording_session_id"])
    assert re.fullmatch(r"st-[0-9A-Za-z]{23}", broadcast.stream_id)
    channel_id = arn.rpartition("/")[2]
    assert re.fullmatch(rf"ivs/v1/{ACCOUNT}/{channel_id}/2026/3/4/9/5/[0-9A-Za-z]{{12}}", broadcast.prefix or "")
    for event in broadcast.events:
        assert event["resources"] == [arn]
        assert event["detail"]["stream_id"] == broadcast.stream_id
    for detail in (broadcast.events[2]["detail"], end):
        assert (detail["recording_s3_bucket_name"], detail["recording_s3_key_prefix"]) == (BUCKET, broadcast.prefix)


def assert_recording_is_in_s3(broadcast: Broadcast, arn: str, recording: Recording) -> None:
    s3 = make_client("s3")
    expected = {f"{broadcast.prefix}/{key}" for key, _ in recording.files()}
    expected |= {f"{broadcast.prefix}/events/recording-{word}.json" for word in ("started", "ended")}
    assert set(keys_of(f"{broadcast.prefix}/")) == expected
    ended = json.load(s3.get_object(Bucket=BUCKET, Key=f"{broadcast.prefix}/events/recording-ended.json")["Body"])
    assert (ended["recording_started_at"], ended["recording_ended_at"]) == (
        "2026-03-04T09:05:09Z",
        "2026-03-04T09:05:24Z",
    )
    assert (ended["channel_arn"], ended["media"]["hls"]["duration_ms"]) == (arn, 6500)
    types = {
        "events/recording-started.json": "application/json",
        "media/hls/master.m3u8": "application/vnd.apple.mpegurl",
        "media/hls/720p30/0.ts": "video/mp2t",
        "media/thumbnails/thumb0.jpg": "image/jpeg",
    }
    for key, content_type in types.items():
        assert s3.head_object(Bucket=BUCKET, Key=f"{broadcast.prefix}/{key}")["ContentType"] == content_type


def assert_session_is_in_ivs(broadcast: Broadcast, arn: str) -> None:
    session = make_client("ivs").get_stream_session(channelArn=arn, streamId=broadcast.stream_id)["streamSession"]
    noted = {event["name"] for event in session["truncatedEvents"]}
    assert noted >= {event_name(event) for event in broadcast.events}
    assert session["startTime"] == STARTED_AT.replace(microsecond=0) + timedelta(seconds=5)
    assert session["endTime"] == STARTED_AT.replace(microsecond=0) + timedelta(seconds=20)


class Uploads:
    """An S3 client that only remembers the keys in their order."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def put_object(self, **arguments: Any) -> None:
        self.keys.append(arguments["Key"])


def test_metadata_comes_first_and_last(aws: LocalAws, recording: Recording) -> None:
    arn, key = make_channel()
    uploads = Uploads()
    broadcast_into(aws, key, s3=uploads, deliver=Listener(aws, arn), record=recording.folder)
    assert uploads.keys[0].endswith("/events/recording-started.json")
    assert uploads.keys[-1].endswith("/events/recording-ended.json")


def test_a_channel_without_recording_is_live_and_leaves_nothing_in_s3(aws: LocalAws, tmp_path: Path) -> None:
    arn, key = make_channel(records=False)
    listener = Listener(aws, arn)
    folder = tmp_path / "untouched"
    broadcast = broadcast_into(aws, key, seconds=2.5, deliver=listener, record=folder)
    assert [name for name, _ in listener.seen] == ["Session Created", "Stream Start", "Session Ended", "Stream End"]
    assert (broadcast.bucket, broadcast.prefix, broadcast.duration_ms) == (None, None, 2500)
    assert keys_of("") == []
    assert not folder.exists()


def test_without_a_folder_a_recording_is_made_for_the_broadcast(
    aws: LocalAws, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    durations: list[float] = []

    def copy_recording(folder: Path, *, seconds: float) -> Recording:
        durations.append(seconds)
        shutil.copytree(recording.folder / "media", folder / "media")
        return read_recording(folder)

    monkeypatch.setattr("tools.local.broadcast.encoder.make_recording", copy_recording)
    arn, key = make_channel()
    broadcast = broadcast_into(aws, key, seconds=3, deliver=Listener(aws, arn))
    assert durations == [3]
    assert broadcast.duration_ms == recording.duration_ms
    assert f"{broadcast.prefix}/media/hls/master.m3u8" in keys_of(f"{broadcast.prefix}/")


def test_an_unknown_stream_key_is_refused_without_repeating_it(aws: LocalAws) -> None:
    with pytest.raises(StreamKeyRefused, match=r"^no channel has this stream key$"):
        broadcast_into(aws, "sk_secret")


def test_a_second_encoder_is_refused_while_the_channel_is_live(aws: LocalAws) -> None:
    arn, key = make_channel(records=False)
    aws.ivs.store.stream_begin(arn, started_at=STARTED_AT)
    listener = Listener(aws, arn)
    with pytest.raises(IvsError):
        broadcast_into(aws, key, deliver=listener)
    assert listener.events == []
    assert aws.ivs.store.stream_of(arn) is not None


def test_the_channel_is_offline_after_an_upload_failed(aws: LocalAws, recording: Recording) -> None:
    arn, key = make_channel()
    make_client("s3").delete_bucket(Bucket=BUCKET)
    with pytest.raises(ClientError, match="NoSuchBucket"):
        broadcast_into(aws, key, deliver=Listener(aws, arn), record=recording.folder)
    assert aws.ivs.store.stream_of(arn) is None


@pytest.mark.parametrize("duration_ms", [1, 500, 8000, 3_600_000])
def test_a_timeline_is_in_order_however_short_the_broadcast(duration_ms: int) -> None:
    channel = {"arn": CHANNEL_ARN, "name": "room-42"}
    plan = plan_broadcast(channel, bucket=BUCKET, at=STARTED_AT, duration_ms=duration_ms)
    times = [event["time"] for event in events_of(steps(plan))]
    assert len(times) == 6
    assert times == sorted(set(times))


def test_a_prefix_is_in_utc_and_not_padded() -> None:
    at = datetime.fromisoformat("2026-03-04T10:05:09+01:00")
    assert recording_prefix(CHANNEL_ARN, at).rpartition("/")[0] == PREFIX.rpartition("/")[0]
