"""`events/recording-ended.json` as AWS writes it and as it can be found, and the listing of the thumbnails."""

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels_app.models import Channel
from common import aws as aws_door
from common.aws import AwsError, AwsErrorKind
from ondemand.recordings import metadata as metadata_module
from ondemand.recordings.metadata import MetadataError, facts_fetch, parse_metadata
from ondemand.videos.files import CatalogueReader
from tests.support.helpers import THOROUGH, make_channel
from tests.support.recordings import (
    DENIED,
    ENDED_KEY,
    FAILED_KEY,
    HIGH,
    HLS,
    MASTER,
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
    command,
    ended_metadata,
    inbox_row,
    outcomes,
    put,
    recording_change,
    without,
)
from tools.local.aws import LocalAws

ENDED = "recording-ended.json"


def text(document: Any) -> bytes:
    return json.dumps(document).encode()


def with_media(**media: Any) -> dict[str, Any]:
    document = ended_metadata()
    return {**document, "media": {**document["media"], **media}}


def with_rendition(**values: Any) -> dict[str, Any]:
    rendition = ended_metadata()["media"]["hls"]["renditions"][0]
    return ended_metadata(renditions=[{name: item for name, item in {**rendition, **values}.items() if item != "gone"}])


def refusal(content: bytes) -> str:
    with pytest.raises(MetadataError) as refused:
        parse_metadata(content)
    return str(refused.value)


# What IVS writes


def test_the_example_of_the_facts_sheet_is_read_whole() -> None:
    metadata = parse_metadata(text(ended_metadata()))

    assert metadata.started_at == datetime(2026, 3, 4, 9, 5, 9, tzinfo=UTC)
    assert metadata.ended_at == datetime(2026, 3, 4, 10, 13, 8, tzinfo=UTC)
    assert metadata.duration_ms == 3_960_500
    assert metadata.playlist == "media/hls/master.m3u8"
    assert metadata.renditions == [
        {"path": "media/hls/720p30", "playlist": "playlist.m3u8", "width": 1280, "height": 720},
        {"path": "media/hls/160p30", "playlist": "playlist.m3u8", "width": 284, "height": 160},
    ]
    assert metadata.thumbnail_folder == "media/thumbnails"
    assert metadata.latest_thumbnail == "media/latest_thumbnail/thumb.jpg"


def test_the_duration_is_the_one_of_the_media_and_not_the_difference_of_the_times() -> None:
    metadata = parse_metadata(text(ended_metadata(duration_ms=1_000)))

    assert metadata.duration_ms == 1_000


def test_the_playlist_of_the_metadata_counts_and_not_the_layout_of_today() -> None:
    metadata = parse_metadata(text(ended_metadata(path="media/v2", playlist="multivariant.m3u8")))

    assert metadata.playlist == "media/v2/multivariant.m3u8"
    assert metadata.renditions[0]["path"] == "media/v2/720p30"


@pytest.mark.parametrize("path", ["/media/hls", "media/hls/", "/media/hls/"])
def test_slashes_around_a_path_are_joined_as_one(path: str) -> None:
    assert parse_metadata(text(ended_metadata(path=path))).playlist == "media/hls/master.m3u8"


def test_an_older_recording_has_no_byte_range_playlists() -> None:
    document = with_rendition(byte_range_playlist="gone")
    document["media"]["hls"] = without(document["media"]["hls"], "byte_range_playlist")

    assert parse_metadata(text(document)).playlist == "media/hls/master.m3u8"


def test_sound_alone_has_no_resolution() -> None:
    document = with_rendition(path="audio_only", resolution_height="gone", resolution_width="gone")

    assert parse_metadata(text(document)).renditions == [
        {"path": "media/hls/audio_only", "playlist": "playlist.m3u8", "width": None, "height": None}
    ]


def test_a_recording_without_thumbnails_has_no_objects_for_them() -> None:
    document = ended_metadata()
    document["media"] = without(document["media"], "thumbnails", "latest_thumbnail")

    metadata = parse_metadata(text(document))

    assert (metadata.thumbnail_folder, metadata.latest_thumbnail) == ("", "")


def test_unknown_fields_of_the_metadata_are_ignored() -> None:
    document = {**ended_metadata(slate={"path": 5}), "version": "v1", "audit": [None]}

    assert parse_metadata(text(document)).duration_ms == 3_960_500


def test_a_failed_recording_has_a_message_no_byte_range_playlist_and_no_length() -> None:
    document = {
        **ended_metadata(duration_ms=0),
        "recording_status": "RECORDING_ENDED_WITH_FAILURE",
        "recording_status_message": "InternalServerException",
    }
    document["media"]["hls"] = without(document["media"]["hls"], "byte_range_playlist")

    assert parse_metadata(text(document)).duration_ms == 0


@pytest.mark.parametrize("size", [None, True, 0, -1, 10**300, "1280", 1.5])
def test_an_invalid_size_counts_as_absent(size: Any) -> None:
    [rendition] = parse_metadata(text(with_rendition(resolution_width=size))).renditions

    assert (rendition["width"], rendition["height"]) == (None, 720)


def test_the_times_may_have_fractions_and_any_zone() -> None:
    document = {**ended_metadata(), "recording_started_at": "2026-03-04T10:05:09.250+01:00"}

    assert parse_metadata(text(document)).started_at == datetime(2026, 3, 4, 9, 5, 9, 250_000, tzinfo=UTC)


# What can be found there all the same


@pytest.mark.parametrize(
    "content",
    [b"", b"{", text(ended_metadata())[:200], b"<Error/>", b"\xff\xfe\x00", b"\0", b'{"a": NaN}', b"[" * 100_000],
    ids=lambda content: f"{content[:8]!r} {len(content)}",
)
def test_metadata_that_is_not_json_is_refused(content: bytes) -> None:
    assert refusal(content)


@pytest.mark.parametrize("document", [None, [], "text", 5, {}])
def test_metadata_that_is_no_such_document_is_refused(document: Any) -> None:
    assert ("media" if document == {} else "not an object") in refusal(text(document))


@pytest.mark.parametrize("value", [None, "3960000", -0.5, True, -1, 10**15, []])
def test_an_invalid_duration_is_refused_by_name(value: Any) -> None:
    assert "duration_ms" in refusal(text(ended_metadata(duration_ms=value)))


@pytest.mark.parametrize("field", ["path", "playlist", "renditions"])
@pytest.mark.parametrize("value", [None, 5, {}])
def test_a_field_of_the_media_of_a_wrong_type_is_refused_by_name(field: str, value: Any) -> None:
    assert field in refusal(text(ended_metadata(**{field: value})))


@pytest.mark.parametrize("renditions", [["720p30"], [None], [{}], [{"path": "a", "playlist": 5}]])
def test_a_rendition_of_a_wrong_type_is_refused(renditions: Any) -> None:
    assert refusal(text(ended_metadata(renditions=renditions)))


@pytest.mark.parametrize("path", ["..", "../other", "a/../../b", "a//b", ".", "a/./b", "a" * 801])
def test_a_path_that_leads_out_of_the_recording_is_refused(path: str) -> None:
    documents = [
        ended_metadata(path=path),
        ended_metadata(playlist=path),
        with_rendition(path=path),
        with_rendition(playlist=path),
        with_media(thumbnails={"path": path}),
        with_media(latest_thumbnail={"path": path}),
    ]

    assert {refusal(text(document)).split(" ", 1)[1] for document in documents} == {"leads out of the recording"}


def test_more_renditions_than_any_recording_has_are_refused() -> None:
    assert "renditions" in refusal(text(ended_metadata(renditions=[{"path": "a", "playlist": "b"}] * 101)))


@pytest.mark.parametrize(
    "value",
    [5, "", "yesterday", "2026-03-04", "2026-03-04T09:05:09", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z"],
)
@pytest.mark.parametrize("field", ["recording_started_at", "recording_ended_at"])
def test_a_time_without_zone_or_out_of_range_is_refused_by_name(field: str, value: Any) -> None:
    assert field in refusal(text({**ended_metadata(), field: value}))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """Good metadata with one member somewhere replaced by anything at all."""
    document = ended_metadata()
    places = [document, document["media"], document["media"]["hls"], document["media"]["hls"]["renditions"][0]]
    place = draw(st.sampled_from(places))
    place[draw(st.sampled_from(sorted(place)))] = draw(anything)
    return document


@given(anything | spoiled())
@settings(max_examples=300 if THOROUGH else 100, deadline=None, database=None)
def test_any_metadata_is_understood_or_refused(document: Any) -> None:
    try:
        metadata = parse_metadata(text(document))
    except MetadataError:
        return
    assert metadata.started_at is None or metadata.started_at.tzinfo is not None
    json.dumps(metadata.renditions).encode()


# From S3


def test_nothing_in_s3_is_none(aws: LocalAws) -> None:
    assert facts_fetch(bucket=BUCKET, prefix=PREFIX, name=ENDED) is None


def test_a_bucket_that_does_not_exist_is_none(aws: LocalAws) -> None:
    assert facts_fetch(bucket="no-such-bucket-anywhere", prefix=PREFIX, name=ENDED) is None


def test_the_facts_name_their_source_and_are_json(aws: LocalAws) -> None:
    put(f"{PREFIX}/events/{ENDED}", ended_metadata())

    facts = facts_fetch(bucket=BUCKET, prefix=PREFIX, name=ENDED)

    assert facts is not None
    assert json.loads(json.dumps(facts)) == facts
    assert facts["source"] == ENDED
    assert facts["started_at"] == "2026-03-04T09:05:09+00:00"
    assert facts["thumbnails"] == ["media/latest_thumbnail/thumb.jpg"]


def test_thumbnails_are_listed_in_the_order_of_their_numbers_and_only_pictures_of_this_recording(
    aws: LocalAws,
) -> None:
    put(f"{PREFIX}/events/{ENDED}", ended_metadata())
    put(f"{PREFIX}/events/ivs-check", b"")
    for name in ["thumb10.jpg", "thumb9.jpg", "thumb0.JPG", "thumb2.jpeg", "index.json", "thumb1.jpg/part"]:
        put(f"{PREFIX}/media/thumbnails/{name}", b"x")
    put(f"{PREFIX}x/media/thumbnails/thumb1.jpg", b"x")
    put(f"{PREFIX}/media/thumbnails2/thumb1.jpg", b"x")

    facts = facts_fetch(bucket=BUCKET, prefix=PREFIX, name=ENDED)

    assert facts is not None
    assert facts["thumbnails"] == [
        f"media/thumbnails/{name}" for name in ["thumb0.JPG", "thumb2.jpeg", "thumb9.jpg", "thumb10.jpg"]
    ]


def test_a_recording_without_thumbnails_is_not_listed(aws: LocalAws) -> None:
    document = ended_metadata()
    document["media"] = without(document["media"], "thumbnails", "latest_thumbnail")
    put(f"{PREFIX}/events/{ENDED}", document)
    put(f"{PREFIX}/media/thumbnails/thumb0.jpg", b"x")

    facts = facts_fetch(bucket=BUCKET, prefix=PREFIX, name=ENDED)

    assert facts is not None
    assert facts["thumbnails"] == []


def test_metadata_of_more_than_a_megabyte_is_not_read_to_its_end(aws: LocalAws) -> None:
    put(f"{PREFIX}/events/{ENDED}", text({**ended_metadata(), "padding": "x" * 1_100_000}))

    with pytest.raises(AwsError) as failed:
        facts_fetch(bucket=BUCKET, prefix=PREFIX, name=ENDED)

    assert failed.value.kind is AwsErrorKind.INVALID


def test_characters_that_jsonb_refuses_are_replaced(aws: LocalAws) -> None:
    document = with_rendition(path="720p\0\ud800")
    put(f"{PREFIX}/events/{ENDED}", document)

    facts = facts_fetch(bucket=BUCKET, prefix=PREFIX, name=ENDED)

    assert facts is not None
    assert facts["renditions"][0]["path"] == "media/hls/720p\ufffd\ufffd"


def test_thumbnails_and_latest_thumbnail_of_other_types_count_as_absent() -> None:
    metadata = parse_metadata(text(with_media(thumbnails=None, latest_thumbnail=[])))

    assert (metadata.thumbnail_folder, metadata.latest_thumbnail) == ("", "")


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three keys a page of a listing, and of all pictures seven are kept."""
    monkeypatch.setattr("common.aws.s3._PAGE", 3)
    monkeypatch.setattr(metadata_module, "_MOST_THUMBNAILS", 7)


@pytest.mark.usefixtures("small_pages")
def test_of_more_pictures_than_are_kept_some_are_evenly_spread_in_the_order_of_their_numbers(aws: LocalAws) -> None:
    put(f"{PREFIX}/events/{ENDED}", ended_metadata())
    for number in range(25):
        put(f"{PREFIX}/media/thumbnails/thumb{number}.jpg", b"x")

    facts = facts_fetch(bucket=BUCKET, prefix=PREFIX, name=ENDED)

    assert facts is not None
    assert facts["thumbnails"] == [f"media/thumbnails/thumb{number}.jpg" for number in (0, 4, 8, 12, 16, 20, 24)]


@pytest.mark.usefixtures("small_pages")
def test_a_listing_ends_after_ten_pages(aws: LocalAws) -> None:
    put(f"{PREFIX}/events/{ENDED}", ended_metadata())
    for number in range(34):
        put(f"{PREFIX}/media/thumbnails/thumb{number}.jpg", b"x")
    spoiled = SpoiledS3(aws)

    facts = facts_fetch(bucket=BUCKET, prefix=PREFIX, name=ENDED)

    assert facts is not None
    assert len(facts["thumbnails"]) == 7
    assert len(spoiled.asked) == 1 + 10


# The answers of S3


def read(key: str = "a", **bounds: Any) -> bytes | None:
    return aws_door.object_read(bucket=BUCKET, key=key, **{"longest": 10_000_000, **bounds})


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 200_001])
def test_an_object_is_read_whole(aws: LocalAws, size: int) -> None:
    put("a", b"x" * size)

    assert read(longest=size) == b"x" * size
    assert aws_door.object_size(bucket=BUCKET, key="a") == size
    assert (read("b"), aws_door.object_size(bucket=BUCKET, key="b")) == (None, None)


@pytest.mark.parametrize("size", [4, 200_000])
def test_half_of_an_object_is_an_error_and_never_half_a_document(aws: LocalAws, size: int) -> None:
    SpoiledS3(aws, {"/a": cut(b"x" * size)})

    with pytest.raises(AwsError) as failed:
        read()
    assert (failed.value.kind, failed.value.message) == (AwsErrorKind.UNAVAILABLE, "the reply is incomplete")


def test_an_object_with_a_wrong_checksum_is_an_error(aws: LocalAws) -> None:
    SpoiledS3(aws, {"/a": answers("200 OK", b"abc", **{"x-amz-checksum-crc32": "AAAAAA=="})})

    with pytest.raises(AwsError) as failed:
        read()
    assert failed.value.kind is AwsErrorKind.UNAVAILABLE


def test_an_object_that_arrives_too_slowly_is_an_error(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    put("a", b"x" * 1_000_000)
    clock = itertools.count()
    monkeypatch.setattr("common.aws.s3.monotonic", lambda: next(clock))

    assert read(seconds=99)
    with pytest.raises(AwsError) as failed:
        read(seconds=5)
    assert failed.value.kind is AwsErrorKind.TIMEOUT


# The road of an event


END = recording_change("Recording End", 73, duration_ms=3_960_000)
FAILURE = recording_change("Recording End Failure", 73, reason="InternalServerException")


@pytest.fixture
def channel(aws: LocalAws, db: None) -> Channel:
    return make_channel(arn=ARN)


def of_old_days() -> dict[str, Any]:
    """Without byte ranges, in the document and in the renditions."""
    hls = ended_metadata()["media"]["hls"]
    renditions = [without(item, "byte_range_playlist") for item in hls["renditions"]]
    document = ended_metadata(renditions=renditions)
    document["media"]["hls"] = without(document["media"]["hls"], "byte_range_playlist")
    return document


QUIRKS: dict[str, dict[str, Any]] = {
    "no byte range playlists": of_old_days(),
    "no thumbnails": {
        **ended_metadata(),
        "media": without(ended_metadata()["media"], "thumbnails", "latest_thumbnail"),
    },
    "unknown members": {**ended_metadata(slate={"path": 5}), "audit": [None], "version": "v2"},
    "a message": {**ended_metadata(), "recording_status_message": "all is well"},
}


@pytest.mark.parametrize("name", QUIRKS)
def test_a_recording_with_a_quirk_is_available_and_ok(channel: Channel, name: str) -> None:
    put_recording(**{"events/recording-ended.json": QUIRKS[name], "events/ivs-check": b"", "media/new/x": b"1"})

    assert outcomes(END) == ["applied"]

    video = the_video()
    assert (video.status, video.qa, video.duration_ms) == ("available", "ok", 3_960_500)
    assert [item["path"] for item in video.renditions] == [f"{HLS}/720p30", f"{HLS}/160p30"]
    expected = (
        [] if name == "no thumbnails" else [f"https://media.example.com/{PREFIX}/media/latest_thumbnail/thumb.jpg"]
    )
    assert CatalogueReader(is_curator=True).thumbnails(video) == expected


def test_a_recording_of_sound_alone_is_available_and_ok(channel: Channel) -> None:
    sound = ended_metadata(renditions=[{"path": "audio_only", "playlist": "playlist.m3u8"}])
    sound["media"] = without(sound["media"], "thumbnails", "latest_thumbnail")
    files = {f"{HLS}/audio_only/{n}.ts": b"segment" for n in (0, 3)}
    put_recording(
        **{
            "events/recording-ended.json": sound,
            MASTER: multivariant("audio_only/playlist.m3u8"),
            f"{HLS}/audio_only/playlist.m3u8": media(),
            **files,
        }
    )

    outcomes(END)

    assert the_video().renditions == [
        {"path": f"{HLS}/audio_only", "playlist": "playlist.m3u8", "width": None, "height": None}
    ]
    assert the_video().qa == "ok"


def test_an_end_of_before_merging_names_no_session(channel: Channel) -> None:
    end = {**END, "detail": without(END["detail"], "recording_session_id", "recording_session_stream_ids")}
    put_recording()

    assert outcomes(end) == ["applied"]

    assert (the_video().session_id, the_video().stream_ids, the_video().qa) == ("", [END["detail"]["stream_id"]], "ok")


@pytest.mark.parametrize("is_there", [False, True])
def test_a_recording_that_failed_needs_no_metadata(channel: Channel, is_there: bool) -> None:
    if is_there:
        put(FAILED_KEY, {**ended_metadata(duration_ms=0), "recording_status": "RECORDING_ENDED_WITH_FAILURE"})

    assert outcomes(FAILURE) == ["applied"]

    assert (the_video().status, the_video().qa, the_video().facts is not None) == ("failed", "unverified", is_there)


# No later try finds anything else.
FINAL = {"not JSON", "huge", "out of the recording"}
NOT_READ: dict[str, tuple[Any, str, str]] = {
    "not there yet": (None, "recording-ended.json is not there yet.", "recording-ended.json is not there yet"),
    "denied": (
        answers("403 Forbidden", DENIED),
        "recording-ended.json is not there, or may not be read.",
        "recording-ended.json is not there, or may not be read. GetObject of",
    ),
    "not JSON": (
        answers("200 OK", b"<html>"),
        "recording-ended.json cannot be understood: not JSON",
        "not JSON",
    ),
    "huge": (
        answers("200 OK", b"[" + b" " * 1_048_576 + b"]"),
        "recording-ended.json is too long to be read.",
        "longer than 1048576 bytes",
    ),
    "cut": (cut(text(ended_metadata())), "S3 could not be read (unavailable).", "the reply is incomplete"),
    "slow": (raises(TimeoutError), "S3 could not be read (timeout).", "no answer in time"),
    "reset": (raises(ConnectionResetError), "S3 could not be read (unavailable).", "ConnectionClosedError"),
    "down": (answers("503 Service Unavailable"), "S3 could not be read (unavailable).", "unavailable"),
    "out of the recording": (
        answers("200 OK", text(ended_metadata(path="../other"))),
        "recording-ended.json cannot be understood: playlist leads out of the recording.",
        "playlist leads out of the recording",
    ),
}


@pytest.mark.usefixtures("one_try")
@pytest.mark.parametrize("name", NOT_READ)
def test_metadata_that_cannot_be_read_leaves_the_video_available_and_marked_until_a_later_try(
    aws: LocalAws, channel: Channel, name: str
) -> None:
    answer, reason, error = NOT_READ[name]
    put_recording(**({"events/recording-ended.json": None} if answer is None else {}))
    spoiled = SpoiledS3(aws, {ENDED_KEY: answer} if answer else {})

    assert outcomes(END) == ["applied" if name in FINAL else "deferred"]

    video = the_video()
    assert (video.status, video.active, video.qa, video.duration_ms) == ("available", True, "unverified", 3_960_000)
    assert video.qa_reasons[0].startswith(reason)
    assert error in inbox_row(END).error
    assert not any(line.endswith(".m3u8") for line in spoiled.asked)

    spoiled.answers = {}
    put_recording()
    assert command("replay", "--all") == (0, [{"event_id": END["id"], "outcome": "applied"}])
    video = the_video()
    assert (video.qa, video.qa_reasons, video.duration_ms) == ("ok", None, 3_960_500)


@pytest.mark.usefixtures("one_try")
def test_a_listing_that_is_denied_leaves_the_video_marked_too(aws: LocalAws, channel: Channel) -> None:
    put_recording()
    spoiled = SpoiledS3(aws, {f"/{BUCKET}": answers("403 Forbidden", DENIED)})

    assert outcomes(END) == ["deferred"]
    assert the_video().qa_reasons == ["The list of its pictures is not there, or may not be read."]
    assert "ListObjectsV2" in inbox_row(END).error

    spoiled.answers = {}
    command("process_inbox")
    assert the_video().qa == "ok"


@pytest.mark.usefixtures("one_try")
def test_the_metadata_of_a_failure_that_is_denied_is_tried_again(aws: LocalAws, channel: Channel) -> None:
    put(FAILED_KEY, ended_metadata(duration_ms=777))
    spoiled = SpoiledS3(aws, {FAILED_KEY: answers("403 Forbidden", DENIED)})

    assert outcomes(FAILURE) == ["deferred"]
    assert (the_video().status, the_video().qa, the_video().qa_reasons) == ("failed", "unverified", None)

    spoiled.answers = {}
    command("process_inbox")
    assert the_video().duration_ms == 777


def test_deleted_metadata_keeps_the_stored_facts(channel: Channel) -> None:
    put_recording()
    outcomes(END)
    remove(ENDED_KEY)
    remove(f"{PREFIX}/{HLS}/{HIGH}/0.ts")

    assert outcomes({**END, "id": "again"}) == ["applied"]

    assert (the_video().qa, the_video().duration_ms) == ("ok", 3_960_500)
