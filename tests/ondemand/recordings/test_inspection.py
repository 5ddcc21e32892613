"""Whether a recording plays: what is found when it ends, and what becomes of its video."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from channels_app.models import Channel
from ondemand.models import Video
from ondemand.recordings import inspection as check_module
from ondemand.recordings.playlists import PlaylistError, parse_media, parse_multivariant, path_inside
from ondemand.recordings.quality import ExpectedFacts, InspectedRendition, Inspection, verdict_of
from ondemand.videos.files import CatalogueReader
from tests.support.helpers import THOROUGH, bearer, make_channel
from tests.support.predecessor import statements
from tests.support.recordings import (
    DENIED,
    ENDED_KEY,
    FAILED_KEY,
    HIGH,
    HLS,
    LOW,
    MASTER,
    SEGMENTS,
    SpoiledS3,
    answers,
    cut,
    media,
    multivariant,
    put_recording,
    raises,
    remove,
    the_video,
)
from tests.support.road import (
    ARN,
    BUCKET,
    PREFIX,
    at,
    command,
    ended_metadata,
    inbox_row,
    outcomes,
    put,
    recording_change,
    sample,
)
from tools.local.aws import LocalAws
from tools.local.broadcast.recording import Rendition, make_recording, recording_metadata

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

HIGH_LIST, LOW_LIST = f"{HLS}/{HIGH}/playlist.m3u8", f"{HLS}/{LOW}/playlist.m3u8"
HIGH_URI, LOW_URI = f"{HIGH}/playlist.m3u8", f"{LOW}/playlist.m3u8"
END = recording_change("Recording End", 73, duration_ms=3_960_000)


@pytest.fixture
def channel(aws: LocalAws) -> Channel:
    return make_channel(arn=ARN)


def found() -> tuple[str, list[str]]:
    """What is known of the files of the one video."""
    video = the_video()
    return video.qa, video.qa_reasons or []


# What is found when a recording ends


def test_a_recording_whose_files_are_all_there_is_ok(channel: Channel, client: Client) -> None:
    put_recording()

    assert outcomes(sample("recording_end")) == ["applied"]

    assert found() == ("ok", [])
    assert client.get("/on-demand").json()["data"][0]["qa"] == "ok"


def test_a_recording_of_the_local_encoder_is_ok(channel: Channel, tmp_path: Path) -> None:
    recording = make_recording(tmp_path, seconds=1, renditions=[Rendition("160p30", 284, 160)])
    for path, file in recording.files():
        put(f"{PREFIX}/{path}", file.read_bytes())
    times = {"started_at": at(5), "ended_at": at(6)}
    put(ENDED_KEY, recording_metadata(recording, "RECORDING_ENDED", channel_arn=ARN, **times))

    outcomes(END)

    assert found() == ("ok", [])


def longer(factor: float) -> bytes:
    return media(*(f"#EXTINF:{990.125 * factor},\n{n}.ts" for n in range(4)))


GAP, JUMP = f"#EXT-X-GAP\n{SEGMENTS[1]}", f"#EXT-X-DISCONTINUITY\n{SEGMENTS[2]}"
SOUND = {"path": "audio_only", "playlist": "playlist.m3u8"}
WITH_SOUND = ended_metadata(renditions=[*ended_metadata()["media"]["hls"]["renditions"], SOUND])
INIT = '#EXT-X-MAP:URI="init.mp4"'
SPOILED: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    # Would not play.
    "no multivariant playlist": ({MASTER: None}, "failed", ["The multivariant playlist is missing."]),
    "one of bytes": (
        {MASTER: b"\x00\xff\xfe" * 99},
        "failed",
        ["The multivariant playlist cannot be read: it is not text."],
    ),
    "one of HTML": (
        {MASTER: b"<html>"},
        "failed",
        ["The multivariant playlist cannot be read: it does not begin with #EXTM3U."],
    ),
    "an empty one": (
        {MASTER: b""},
        "failed",
        ["The multivariant playlist cannot be read: it does not begin with #EXTM3U."],
    ),
    "a malformed one": (
        {MASTER: b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=much\na\n"},
        "failed",
        ["The multivariant playlist cannot be read: it is malformed: ValueError."],
    ),
    "no playlist of a rendition": ({HIGH_LIST: None}, "failed", [f"{HIGH_LIST} is missing."]),
    "a rendition that is none": (
        {HIGH_LIST: multivariant("a.m3u8")},
        "failed",
        [f"{HIGH_LIST} cannot be read: it is a multivariant playlist."],
    ),
    "a rendition without segments": (
        {HIGH_LIST: media("# nothing")},
        "failed",
        [f"{HIGH_LIST} has no segment of this recording that could be played."],
    ),
    "a rendition of gaps": (
        {HIGH_LIST: media(GAP)},
        "failed",
        [f"{HIGH_LIST} has no segment of this recording that could be played."],
    ),
    "no first segment": ({f"{HLS}/{HIGH}/0.ts": None}, "failed", [f"{HLS}/{HIGH}/0.ts is missing or empty."]),
    "no last segment": ({f"{HLS}/{LOW}/3.ts": None}, "failed", [f"{HLS}/{LOW}/3.ts is missing or empty."]),
    "an empty segment": ({f"{HLS}/{LOW}/3.ts": b""}, "failed", [f"{HLS}/{LOW}/3.ts is missing or empty."]),
    "no beginning of fragmented MP4": (
        {HIGH_LIST: media(INIT, *SEGMENTS)},
        "failed",
        [f"{HLS}/{HIGH}/init.mp4 is missing or empty."],
    ),
    "a duration that is none": (
        {HIGH_LIST: media("#EXTINF:nan,\n0.ts")},
        "failed",
        [f"{HIGH_LIST} cannot be read: a segment has no usable duration."],
    ),
    # Plays, and is odd.
    "a gap": (
        {HIGH_LIST: media(SEGMENTS[0], GAP, *SEGMENTS[2:])},
        "warning",
        [f"{HIGH_LIST} has gaps: 1 of 4 segments."],
    ),
    "no end": (
        {HIGH_LIST: media(end="")},
        "warning",
        [f"{HIGH_LIST} has no end (EXT-X-ENDLIST): players take it for live."],
    ),
    "too short by 3 %": (
        {HIGH_LIST: longer(0.97), LOW_LIST: longer(0.97)},
        "warning",
        [
            f"{HIGH_LIST} is 3841.7 s long, and the metadata says 3960.5 s.",
            f"{LOW_LIST} is 3841.7 s long, and the metadata says 3960.5 s.",
        ],
    ),
    "a rendition that ends early": (
        {LOW_LIST: media(*SEGMENTS[:3]), f"{HLS}/{LOW}/2.ts": b"segment"},
        "warning",
        [
            "The renditions differ in length: 2970.4 s to 3960.5 s.",
            f"{LOW_LIST} is 2970.4 s long, and the metadata says 3960.5 s.",
        ],
    ),
    "a rendition that only the metadata names": (
        {MASTER: multivariant(HIGH_URI)},
        "warning",
        [f"{LOW_LIST} is named by the metadata and not by the multivariant playlist."],
    ),
    "a rendition that only the playlist names": (
        {"events/recording-ended.json": ended_metadata(renditions=ended_metadata()["media"]["hls"]["renditions"][:1])},
        "warning",
        [f"{LOW_LIST} is named by the multivariant playlist and not by the metadata."],
    ),
    # Nothing amiss.
    "too short by 0.9 %": ({HIGH_LIST: longer(0.991), LOW_LIST: longer(0.991)}, "ok", []),
    "streams that were merged": (
        {HIGH_LIST: media(*SEGMENTS[:2], JUMP, SEGMENTS[3])},
        "ok",
        [f"{HIGH_LIST} has discontinuities: 1."],
    ),
    "sound alone": (
        {
            "events/recording-ended.json": WITH_SOUND,
            MASTER: multivariant(HIGH_URI, LOW_URI, "audio_only/playlist.m3u8"),
            f"{HLS}/audio_only/playlist.m3u8": media(),
            f"{HLS}/audio_only/0.ts": b"segment",
            f"{HLS}/audio_only/3.ts": b"segment",
        },
        "ok",
        [],
    ),
    "fragmented MP4": ({HIGH_LIST: media(INIT, *SEGMENTS), f"{HLS}/{HIGH}/init.mp4": b"moov"}, "ok", []),
    "tags that nobody knows": (
        {HIGH_LIST: media("#EXT-X-NEW:A=1", "#EXT-X-PROGRAM-DATE-TIME:yesterday", "#EXT-X-KEY:nonsense", *SEGMENTS)},
        "ok",
        [],
    ),
    "line ends of Windows": ({HIGH_LIST: media().replace(b"\n", b"\r\n")}, "ok", []),
}


def test_faults_of_the_files_are_found_and_named(channel: Channel) -> None:
    for number, (name, (changes, qa, reasons)) in enumerate(SPOILED.items()):
        at_its_own = {"prefix": f"{PREFIX}{number}", "session_id": f"session {number}"}
        put_recording(prefix=at_its_own["prefix"], **changes)

        assert outcomes(recording_change("Recording End", 73 + number, duration_ms=3_960_000, **at_its_own)) == [
            "applied"
        ]

        video = Video.objects.get(prefix=at_its_own["prefix"])
        assert (video.status, video.qa, video.qa_reasons or []) == ("available", qa, reasons), name


OUTSIDE = [
    "https://evil.example.com/playlist.m3u8",
    "//evil.example.com/playlist.m3u8",
    "/another/recording/playlist.m3u8",
    "../../../another/playlist.m3u8",
    f"{HIGH}/../../../another/playlist.m3u8",
    "%2e%2e/%2E%2E/another/playlist.m3u8",
    "..%2fanother/playlist.m3u8",
    "file:playlist.m3u8",
    "..\\another\\playlist.m3u8",
    f"{LOW}/playlist.m3u8?versionId=1",
    "a/" * 600,
]


@pytest.mark.parametrize("of_a_rendition", [False, True])
def test_uris_that_lead_out_of_the_recording_are_named_and_never_followed(
    aws: LocalAws, channel: Channel, of_a_rendition: bool
) -> None:
    names = {HIGH_LIST: media(*SEGMENTS[:3], *(f"#EXTINF:0.001,\n{uri}" for uri in OUTSIDE), SEGMENTS[3])}
    put_recording(**(names if of_a_rendition else {MASTER: multivariant(HIGH_URI, LOW_URI, *OUTSIDE)}))
    spoiled = SpoiledS3(aws)

    outcomes(END)

    qa, reasons = found()
    assert (qa, len(reasons)) == ("warning", len(OUTSIDE))
    for uri, reason in zip(OUTSIDE, reasons, strict=True):
        assert "which is outside of the recording" in reason
        assert uri[:90] in reason
    read = [line for line in spoiled.asked if not line.startswith("PUT live/")]
    assert all(line.split(" ", 1)[1].startswith((PREFIX, BUCKET, f"/{BUCKET}")) for line in read), read
    assert not any("another" in line or "evil" in line or "a/a/a" in line for line in spoiled.asked)


def test_a_last_segment_outside_of_the_recording_is_never_followed(aws: LocalAws, channel: Channel) -> None:
    put_recording(**{HIGH_LIST: media(*SEGMENTS[:3], "#EXTINF:990.125,\n../../../another/3.ts")})
    put(f"{PREFIX}/{HLS}/{HIGH}/2.ts", b"segment")
    spoiled = SpoiledS3(aws)

    outcomes(END)

    assert found()[0] == "warning"
    assert not any("another" in line for line in spoiled.asked)


def test_metadata_that_leads_out_of_the_recording_is_refused(channel: Channel) -> None:
    for hls in ({"path": "../../other"}, {"playlist": "../../../other/master.m3u8"}):
        put_recording(**{"events/recording-ended.json": ended_metadata(**hls)})

        outcomes({**END, "id": str(hls)})

        assert inbox_row({"id": str(hls)}).outcome == "applied"
        assert CatalogueReader(is_curator=True).location(the_video()) == f"https://media.example.com/{PREFIX}/{MASTER}"
        assert found() == (
            "unverified",
            ["recording-ended.json cannot be understood: playlist leads out of the recording."],
        )


def test_an_inspection_takes_a_bounded_number_of_calls_for_any_playlist(aws: LocalAws, channel: Channel) -> None:
    names = [f"r{n}" for n in range(200)]
    pieces = [f'#EXT-X-MAP:URI="{n}.mp4"\n#EXTINF:10,\n{n}.ts' for n in range(300)]
    files: dict[str, Any] = {f"{HLS}/{name}/playlist.m3u8": media(*pieces) for name in names[:12]}
    put_recording(**{MASTER: multivariant(*(f"{name}/playlist.m3u8" for name in names)), **files})
    spoiled = SpoiledS3(aws)

    outcomes(END)

    qa, reasons = found()
    # The metadata, the pictures, the multivariant playlist; and of 12 renditions the playlist and four files.
    assert len([line for line in spoiled.asked if "live/" not in line]) == 3 + 12 * 5
    assert qa == "failed"
    assert len(reasons) == 21
    assert reasons[-1] == "And 41 more."
    assert all(len(reason) < 300 for reason in reasons)


def test_a_playlist_of_48_hours_is_read(channel: Channel) -> None:
    lines = [f"#EXT-X-PROGRAM-DATE-TIME:2026-03-04T09:05:09.000Z\n#EXTINF:10.000000,\n{n}.ts" for n in range(17_280)]
    metadata = ended_metadata(duration_ms=172_800_000, renditions=ended_metadata()["media"]["hls"]["renditions"][:1])
    put_recording(
        **{
            "events/recording-ended.json": metadata,
            MASTER: multivariant(HIGH_URI),
            HIGH_LIST: media(*lines),
            f"{HLS}/{HIGH}/17279.ts": b"segment",
        }
    )

    outcomes(END)

    assert found() == ("ok", [])


# S3 that cannot be read


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answers("403 Forbidden", DENIED), "A file is not there, or may not be read."),
        (answers("500 Internal Server Error"), "S3 could not be read (unavailable)."),
        (answers("503 Slow Down", b"<Error><Code>SlowDown</Code></Error>"), "S3 could not be read (throttled)."),
        (answers("404 Not Found", b"<html>a proxy</html>"), "S3 could not be read (misconfigured)."),
        (raises(TimeoutError), "S3 could not be read (timeout)."),
        (raises(ConnectionResetError), "S3 could not be read (unavailable)."),
        (cut(media()), "S3 could not be read (unavailable)."),
    ],
    ids=["denied", "500", "throttled", "proxy", "timeout", "reset", "cut"],
)
@pytest.mark.usefixtures("one_try")
def test_an_inspection_that_s3_interrupts_leaves_the_video_unverified_until_a_later_try(
    aws: LocalAws, channel: Channel, client: Client, answer: Any, reason: str
) -> None:
    put_recording()
    spoiled = SpoiledS3(aws, {LOW_LIST: answer})

    assert outcomes(END) == ["deferred"]

    assert found() == ("unverified", [reason])
    assert inbox_row(END).error
    [video] = client.get("/on-demand").json()["data"]
    assert (video["qa"], video["duration_seconds"]) == ("unverified", 3960.5)
    assert not any(f"{LOW}/3.ts" in line for line in spoiled.asked)

    spoiled.answers = {}
    assert command("process_inbox") == (0, [{"event_id": END["id"], "outcome": "applied"}])
    assert found() == ("ok", [])


@pytest.mark.usefixtures("one_try")
@pytest.mark.parametrize("status", ["403 Forbidden", "500 Internal Server Error", "404 Not Found"])
def test_a_segment_that_cannot_be_checked_leaves_the_video_unverified(
    aws: LocalAws, channel: Channel, status: str
) -> None:
    """The answer to HEAD has no body; and a 404 without the mark of AWS is that of a proxy."""
    put_recording()
    proxy = {"x-amz-request-id": ""} if status.startswith("404") else {}

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response(status, [("Content-Length", "0"), *([] if proxy else [("x-amz-request-id", "A")])])
        return [b""]

    SpoiledS3(aws, {"/3.ts": answer})

    assert outcomes(END) == ["deferred"]
    assert found()[0] == "unverified"


def test_an_inspection_ends_at_its_time_limit_and_is_tried_again(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_recording()
    clock = itertools.count(step=6)
    monkeypatch.setattr(check_module, "monotonic", lambda: next(clock))

    assert outcomes(END) == ["deferred"]
    assert found() == ("unverified", ["S3 could not be read (timeout)."])
    assert "not done in 20 s" in inbox_row(END).error

    monkeypatch.undo()
    command("process_inbox")
    assert found() == ("ok", [])


def test_a_playlist_that_is_too_long_is_not_read_and_not_tried_again(channel: Channel) -> None:
    put_recording(**{HIGH_LIST: media() + b"#" * (4 * 1024 * 1024)})

    assert outcomes(END) == ["applied"]

    assert found() == ("unverified", ["A file is too long to be read."])


def test_a_playlist_of_too_many_lines_is_refused_unread(channel: Channel) -> None:
    put_recording(**{HIGH_LIST: media(*["#EXT-X-KEY:A=1"] * 150_001)})

    outcomes(END)

    qa, [reason] = found()
    assert (qa, "more than 150000 lines" in reason) == ("failed", True)


@pytest.mark.usefixtures("one_try")
def test_an_interrupted_inspection_keeps_the_stored_verdict(aws: LocalAws, channel: Channel) -> None:
    put_recording()
    outcomes(END)
    SpoiledS3(aws, {"playlist.m3u8": raises(TimeoutError)})

    assert outcomes({**END, "id": "again"}) == ["applied"]

    assert found() == ("ok", [])


def test_a_repeated_recording_end_inspects_the_files_again(channel: Channel) -> None:
    put_recording()
    outcomes(END)
    remove(f"{PREFIX}/{HIGH_LIST}")

    outcomes({**END, "id": "again"})

    assert found()[0] == "failed"


def test_a_failed_recording_is_not_inspected(aws: LocalAws, channel: Channel) -> None:
    put(FAILED_KEY, ended_metadata(duration_ms=0))
    spoiled = SpoiledS3(aws)

    assert outcomes(sample("recording_end_failure")) == ["applied"]

    assert (the_video().status, *found()) == ("failed", "unverified", [])
    assert not any(line.endswith(".m3u8") for line in spoiled.asked)


def test_files_in_a_bucket_outside_of_the_settings_are_not_inspected(channel: Channel) -> None:
    outcomes(recording_change("Recording End", 70, bucket="example-recordings"))

    assert found() == ("unverified", ["It is in no bucket that may be read (RECORDING_BUCKETS)."])


# By default four, each of which begins with another event.
ORDERS = list(itertools.permutations(["start", "end", "again", "failure"]))[:: 1 if THOROUGH else 7]


@pytest.mark.parametrize("s3_is_late", [False, True])
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_the_order_of_the_events_does_not_matter(
    channel: Channel, settings: Any, order: tuple[str, ...], s3_is_late: bool
) -> None:
    settings.HOLD_UNTIL_CHECKED = True
    events = {
        "start": recording_change("Recording Start", 5),
        "end": END,
        "again": {**END, "id": "again"},
        "failure": recording_change("Recording End Failure", 74, reason="InternalServerException"),
    }
    put(FAILED_KEY, ended_metadata(duration_ms=777))
    if not s3_is_late:
        put_recording()
    outcomes(*(events[name] for name in order[:2]))
    if s3_is_late:
        put_recording()
    outcomes(*(events[name] for name in order[2:]))
    command("process_inbox")

    video = the_video()
    assert (video.qa, video.qa_reasons, video.held, video.held_by_check) == ("ok", None, False, False)
    assert (video.facts["source"], video.active, video.visibility) == ("recording-ended.json", True, "public")


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_the_order_of_the_events_does_not_matter_without_metadata(
    channel: Channel, settings: Any, order: tuple[str, ...]
) -> None:
    settings.HOLD_UNTIL_CHECKED = True
    put(FAILED_KEY, ended_metadata(duration_ms=777))
    events = {
        "start": recording_change("Recording Start", 5),
        "end": END,
        "again": {**END, "id": "again"},
        "failure": recording_change("Recording End Failure", 74, reason="InternalServerException"),
    }

    outcomes(*(events[name] for name in order))

    video = the_video()
    assert (video.qa, video.qa_reasons) == ("unverified", ["recording-ended.json is not there yet."])
    assert (video.held, video.held_by_check, video.active) == (True, True, True)


def test_an_inspection_takes_no_query(channel: Channel) -> None:
    def queries(minutes: float, prefix: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert outcomes(recording_change("Recording End", minutes, prefix=prefix)) == ["applied"]
        return len(captured)

    put_recording(prefix="a/b")
    put_recording(prefix="a/c", **{HIGH_LIST: None})

    assert queries(1, "a/b") == queries(2, "a/c")


# What a check holds back


def shown(client: Client) -> bool:
    return client.get(f"/on-demand/{the_video().pk}").status_code == 200


@pytest.fixture
def hold(settings: Any) -> None:
    settings.HOLD_UNTIL_CHECKED = True


def test_no_recording_is_held_back_unless_the_setting_is_on(channel: Channel, client: Client) -> None:
    outcomes(END)

    assert shown(client)
    assert not the_video().held_by_check


@pytest.mark.usefixtures("hold")
def test_a_recording_that_is_ok_at_its_end_is_not_held(channel: Channel, client: Client) -> None:
    put_recording()

    outcomes(END)

    assert shown(client)
    assert (the_video().held, the_video().held_by_check) == (False, False)


@pytest.mark.usefixtures("hold")
@pytest.mark.parametrize("missing", [MASTER, f"{HLS}/{HIGH}/3.ts", "events/recording-ended.json"])
def test_a_recording_is_held_until_a_later_check_is_ok(
    channel: Channel, client: Client, api_key: str, missing: str
) -> None:
    put_recording(**{missing: None})
    outcomes(recording_change("Recording Start", 5), END)
    assert not shown(client)
    [held] = client.get("/on-demand?listing=held", headers=bearer(api_key)).json()["data"]
    assert held["uuid"] == str(the_video().pk)

    put_recording()
    command("process_inbox")
    command("check_recordings", "--all")

    assert shown(client)
    assert (the_video().held, the_video().held_by_check, the_video().qa) == (False, False, "ok")


@pytest.mark.usefixtures("hold")
@pytest.mark.parametrize(
    ("method", "body"), [("patch", None), ("patch", {"active": True})], ids=["show again", "active"]
)
def test_staff_may_show_a_recording_that_the_check_holds(
    channel: Channel, client: Client, api_key: str, method: str, body: dict[str, Any] | None
) -> None:
    outcomes(END)
    text = "" if body is None else json.dumps(body)

    answer = client.patch(f"/on-demand/{the_video().pk}", text, "application/json", headers=bearer(api_key))

    assert answer.status_code == 200
    assert (the_video().held, the_video().held_by_check) == (False, False)
    # And what comes later holds it no more.
    outcomes({**END, "id": "again"})
    assert shown(client)


@pytest.mark.usefixtures("hold")
def test_a_recording_that_staff_showed_while_it_ran_is_not_held(channel: Channel, client: Client, api_key: str) -> None:
    outcomes(recording_change("Recording Start", 5))
    path = f"/on-demand/{the_video().pk}"
    client.patch(path, '{"active": true}', "application/json", headers=bearer(api_key))

    outcomes(END)

    assert shown(client)


@pytest.mark.usefixtures("hold")
def test_a_recording_that_staff_hide_stays_hidden_after_a_good_check(
    channel: Channel, client: Client, api_key: str
) -> None:
    outcomes(END)
    client.delete(f"/on-demand/{the_video().pk}", headers=bearer(api_key))
    put_recording()

    command("process_inbox")

    assert (the_video().held, the_video().active) == (False, False)
    assert not shown(client)


@pytest.mark.usefixtures("hold")
def test_a_channel_that_hides_its_recordings_hides_a_good_one_too(aws: LocalAws, client: Client) -> None:
    make_channel(arn=ARN, new_video_state="hidden")
    outcomes(END)
    put_recording()

    command("process_inbox")

    assert (the_video().held, the_video().active) == (False, False)


@pytest.mark.usefixtures("hold")
def test_a_released_video_is_not_held_again(channel: Channel, client: Client) -> None:
    put_recording()
    outcomes(END)
    remove(f"{PREFIX}/{MASTER}")

    outcomes({**END, "id": "again"})

    assert (the_video().qa, shown(client)) == ("failed", True)


@pytest.mark.usefixtures("hold")
def test_a_row_of_the_predecessor_is_never_held(channel: Channel, client: Client) -> None:
    end = sample("recording_end")
    statements.insert_video(connection.connection, channel=channel.uuid, data=json.dumps(end["detail"]))

    outcomes(end)

    assert shown(client)


@pytest.mark.usefixtures("hold")
def test_a_later_row_of_the_predecessor_is_released_with_the_first(channel: Channel, client: Client) -> None:
    end = sample("recording_end")
    outcomes(end)
    row = statements.insert_video(connection.connection, channel=channel.uuid, data=json.dumps(end["detail"]))
    assert client.get(f"/on-demand/{row['uuid']}").status_code == 404
    put_recording()

    command("process_inbox")

    assert client.get(f"/on-demand/{row['uuid']}").status_code == 200
    assert shown(client)
    assert not Video.objects.exclude(held=False).exists()


# Playlists that are anything at all

LINES = st.sampled_from(
    [
        "#EXTM3U", "#EXTINF:", "#EXTINF:1,", "#EXTINF:-1,", "#EXTINF:1e400,", "#EXTINF:inf", "0.ts", "../0.ts", "",
        "#EXT-X-BYTERANGE:1@2", "#EXT-X-DISCONTINUITY", "#EXT-X-DISCONTINUITY-SEQUENCE:x", "#EXT-X-ENDLIST",
        "#EXT-X-GAP", "#EXT-X-MAP:", '#EXT-X-MAP:URI="', "#EXT-X-MAP:URI", "#EXT-X-MEDIA:TYPE=AUDIO",
        '#EXT-X-MEDIA:TYPE=AUDIO,URI="a.m3u8"', "#EXT-X-STREAM-INF:", "#EXT-X-STREAM-INF:BANDWIDTH=inf",
        "#EXT-X-STREAM-INF:BANDWIDTH=1", "#EXT-X-KEY:", "#EXT-X-SKIP:SKIPPED-SEGMENTS=x", "#EXT-X-PART:URI=",
        "\x85", "\x1c", "\0",
    ]
)  # fmt: skip


@given(st.binary(max_size=60) | st.lists(LINES | st.text(max_size=9), max_size=12).map("\n".join).map(str.encode))
@settings(max_examples=400 if THOROUGH else 100, deadline=None, database=None)
@pytest.mark.parametrize("parse", [parse_media, parse_multivariant])
def test_any_playlist_is_understood_or_refused(parse: Callable[[bytes], Any], content: bytes) -> None:
    for text in (content, b"#EXTM3U\n" + content):
        try:
            parse(text)
        except PlaylistError as error:
            assert len(str(error)) < 200


@given(st.text(max_size=40))
@settings(max_examples=200 if THOROUGH else 50, deadline=None, database=None)
def test_no_path_leads_out_of_its_folder(uri: str) -> None:
    path = path_inside("media/hls", uri)
    assert path is None or (path.startswith("media/hls/") and ".." not in path.split("/"))


SEEN_RENDITIONS = st.builds(
    InspectedRendition,
    path=st.text(max_size=300),
    problem=st.sampled_from(["", "is missing"]),
    lost=st.lists(st.text(max_size=9), max_size=4).map(tuple),
    outside=st.lists(st.text(max_size=2000), max_size=3).map(tuple),
    segments=st.integers(0, 9),
    duration_ms=st.floats(0, 1e12),
    gaps=st.integers(0, 9),
    jumps=st.integers(0, 9),
    is_ended=st.booleans(),
)


@given(
    st.builds(
        Inspection,
        problem=st.sampled_from(["", "is missing"]),
        renditions=st.lists(SEEN_RENDITIONS, max_size=12).map(tuple),
        outside=st.lists(st.text(max_size=9), max_size=9).map(tuple),
        unread=st.integers(0, 99),
    ),
    st.builds(
        ExpectedFacts,
        playlists=st.none() | st.lists(st.text(max_size=9), max_size=9).map(tuple),
        duration_ms=st.none() | st.integers(0, 10**12),
    ),
)
@settings(max_examples=200 if THOROUGH else 50, deadline=None, database=None)
def test_every_verdict_has_few_short_reasons_that_can_be_stored(
    inspection: Inspection, expected: ExpectedFacts
) -> None:
    verdict = verdict_of(inspection, expected)
    assert verdict.qa in {"ok", "warning", "failed"}
    assert len(verdict.reasons) <= 21
    assert all(len(reason) < 400 and reason.isprintable() for reason in verdict.reasons)
    assert verdict.reasons or verdict.qa == "ok"
