"""`events/recording-ended.json` as AWS writes it and as it can be found, and the listing of the thumbnails."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels_app.aws import AwsError, Kind
from ivsvod.local.aws import LocalAws
from ondemand.metadata import MetadataError, facts_fetch, parse_metadata
from tests.road import BUCKET, PREFIX, ended_metadata, put, without

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


def test_the_playlist_is_where_the_metadata_says_and_not_where_it_is_today() -> None:
    metadata = parse_metadata(text(ended_metadata(path="media/v2", playlist="multivariant.m3u8")))

    assert metadata.playlist == "media/v2/multivariant.m3u8"
    assert metadata.renditions[0]["path"] == "media/v2/720p30"


@pytest.mark.parametrize("path", ["/media/hls", "media/hls/", "/media/hls/"])
def test_slashes_around_a_path_are_joined_as_one(path: str) -> None:
    assert parse_metadata(text(ended_metadata(path=path))).playlist == "media/hls/master.m3u8"


def test_a_recording_of_before_byte_ranges_lacks_their_playlists() -> None:
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


def test_unknown_fields_of_the_metadata_are_not_looked_at() -> None:
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
    assert "media" in refusal(text(document))


@pytest.mark.parametrize("value", [None, "3960000", 1.5, True, -1, 10**15, []])
def test_a_duration_that_is_none_is_refused_by_name(value: Any) -> None:
    assert "duration_ms" in refusal(text(ended_metadata(duration_ms=value)))


@pytest.mark.parametrize("field", ["path", "playlist", "renditions"])
@pytest.mark.parametrize("value", [None, 5, {}])
def test_a_field_of_the_media_of_a_wrong_type_is_refused_by_name(field: str, value: Any) -> None:
    assert field in refusal(text(ended_metadata(**{field: value})))


@pytest.mark.parametrize("renditions", [["720p30"], [None], [{}], [{"path": "a", "playlist": 5}]])
def test_a_rendition_of_a_wrong_type_is_refused(renditions: Any) -> None:
    assert refusal(text(ended_metadata(renditions=renditions)))


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
@settings(max_examples=300, deadline=None, database=None)
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

    assert failed.value.kind is Kind.INVALID


def test_what_jsonb_refuses_in_the_metadata_is_replaced(aws: LocalAws) -> None:
    document = with_rendition(path="720p\0\ud800")
    put(f"{PREFIX}/events/{ENDED}", document)

    facts = facts_fetch(bucket=BUCKET, prefix=PREFIX, name=ENDED)

    assert facts is not None
    assert facts["renditions"][0]["path"] == "media/hls/720p\ufffd\ufffd"


def test_thumbnails_and_latest_thumbnail_of_other_types_count_as_absent() -> None:
    metadata = parse_metadata(text(with_media(thumbnails=None, latest_thumbnail=[])))

    assert (metadata.thumbnail_folder, metadata.latest_thumbnail) == ("", "")
