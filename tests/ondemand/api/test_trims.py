"""Trims: what of a recording is shown, by `PATCH /on-demand/{uuid}`."""

from typing import Any
from uuid import UUID

import boto3
import pytest
from django.test import Client

from ondemand.models import Video
from tests.support.delivery import FACTS, HLS, put_playlists
from tests.support.helpers import assert_error, bearer, make_channel, make_token
from tests.support.road import ARN, BUCKET, PREFIX, outcomes, put, recording_change
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db
# Segments of four seconds, five of them.
SEGMENTS = "".join(f"#EXTINF:4,\n{n}.ts\n" for n in range(5))
PLAYLIST = f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n{SEGMENTS}#EXT-X-ENDLIST\n"


@pytest.fixture
def five(recorded: Video) -> Video:
    put_playlists(PREFIX, PLAYLIST)
    return recorded


@pytest.fixture
def curator(db: None) -> dict[str, str]:
    return bearer(make_token("read", "curate")[1])


def patch(video: Video, curator: dict[str, str], **headers: str) -> Any:
    def send(**changes: Any) -> Any:
        sent = {**curator, **headers}
        return Client().patch(f"/on-demand/{video.pk}", changes, "application/json", headers=sent)

    return send


def shown(video: Video, path: str, **query: Any) -> Any:
    return Client().get(f"/play/{video.pk}/{path}", query)


def segments_of(answer: Any) -> list[str]:
    return [line for line in answer.content.decode().splitlines() if not line.startswith("#")]


def test_a_trim_is_snapped_to_segments_and_shown_on_every_route(five: Video, curator: dict[str, str]) -> None:
    document = patch(five, curator)(trim={"start_ms": 5_000, "end_ms": 13_500}, title="Without the beginning").json()

    assert document["trim"] == {"start_ms": 4_000, "end_ms": 16_000}
    assert document["duration_seconds"] == 12
    assert document["location"] == f"http://testserver/play/{five.pk}/master.m3u8"
    assert document["edit"] == [{"recording": str(five.pk), "start_ms": 4_000, "end_ms": 16_000}]
    assert document["content"]["title"] == "Without the beginning"
    # The second of three pictures is of second 6.7, the third of second 13.3.
    assert [url.rpartition("/")[2] for url in document["thumbnails"]] == ["thumb1.jpg", "thumb2.jpg"]
    assert [each["playlist"] for each in document["renditions"]] == ["0.m3u8"]
    public = Client().get(f"/on-demand/{five.pk}").json()
    assert (public["trim"], public["edit"]) == (document["trim"], None)
    # In lists, filters, orderings and search.
    for query in ({"max_duration": 12}, {"min_duration": 12, "ordering": "longest"}, {"search": "beginning"}):
        [listed] = Client().get("/on-demand", query).json()["data"]
        assert (listed["duration_seconds"], listed["trim"]) == (12, document["trim"])
    assert Client().get("/on-demand", {"min_duration": 12.1}).json()["data"] == []
    # Only the playlists of what is shown are served.
    master = shown(five, "master.m3u8")
    assert segments_of(master) == ["edited/0.m3u8"]
    variant = shown(five, "edited/0.m3u8")
    assert [url.rpartition("/")[2] for url in segments_of(variant)] == ["1.ts", "2.ts", "3.ts"]
    for path in (f"{HLS}/720p30/playlist.m3u8", FACTS["playlist"], "edited/9.m3u8", "edited/0/x", "edited/0xm3u8"):
        assert shown(five, path).status_code == 404

    document = patch(five, curator)(trim=None).json()
    assert (document["trim"], document["edit"], document["duration_seconds"]) == (None, None, 20)
    assert document["location"] == f"https://media.example.com/{PREFIX}/{FACTS['playlist']}"
    assert Client().get("/on-demand", {"min_duration": 20}).json()["data"][0]["uuid"] == str(five.pk)


@pytest.mark.parametrize(
    ("trim", "stored", "seconds"),
    [
        ({"start_ms": 8_000.0}, {"start_ms": 8_000, "end_ms": None}, 12),
        ({"end_ms": 8_001}, {"start_ms": None, "end_ms": 12_000}, 12),
        ({"start_ms": 1, "end_ms": 99_000}, {"start_ms": 0, "end_ms": 20_000}, 20),
        # The whole.
        ({}, None, 20),
    ],
)
def test_null_is_the_beginning_or_the_end(
    five: Video, curator: dict[str, str], trim: Any, stored: Any, seconds: int
) -> None:
    document = patch(five, curator)(trim=trim).json()
    assert (document["trim"], document["duration_seconds"]) == (stored, seconds)


def test_byte_ranges_make_finer_cuts(five: Video, curator: dict[str, str]) -> None:
    finer = "".join(f"#EXTINF:2,\n#EXT-X-BYTERANGE:100@{100 * (n % 2)}\n{n // 2}.ts\n" for n in range(10))
    put(f"{PREFIX}/{HLS}/720p30/ranges.m3u8", f"#EXTM3U\n#EXT-X-VERSION:4\n{finer}#EXT-X-ENDLIST\n".encode())
    multivariant = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1280x720\n720p30/ranges.m3u8\n"
    put(f"{PREFIX}/{HLS}/ranges.m3u8", multivariant.encode())
    Video.objects.update(facts={**FACTS, "byte_range_playlist": f"{HLS}/ranges.m3u8"})
    assert patch(five, curator)(trim={"start_ms": 6_500, "end_ms": 9_000}).json()["trim"] == {
        "start_ms": 6_000,
        "end_ms": 10_000,
    }
    # A long recording would have too many.
    Video.objects.update(duration_ms=5 * 3_600_000)
    assert patch(five, curator)(trim={"start_ms": 6_500}).json()["trim"]["start_ms"] == 4_000
    Video.objects.update(duration_ms=20_000)
    # Metadata may name a file that is not there.
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=f"{PREFIX}/{HLS}/ranges.m3u8")
    assert patch(five, curator)(trim={"start_ms": 6_500, "end_ms": 9_000}).json()["trim"]["start_ms"] == 4_000


@pytest.mark.parametrize(
    "trim",
    [
        *(5, "x", [], True, {"start": 4_000}, {"start_ms": "4000"}, {"start_ms": -1}, {"start_ms": 1.5}, {"end_ms": 0}),
        *({"start_ms": 8_000, "end_ms": 8_000}, {"start_ms": 20_000}, {"start_ms": 10**30}, {"end_ms": True}),
    ],
)
def test_a_malformed_trim_is_refused(five: Video, curator: dict[str, str], trim: Any) -> None:
    answer = patch(five, curator)(trim=trim)
    document = assert_error(answer, 400, "invalid")
    assert all(name.startswith("trim") for name in document["fields"])
    assert Video.objects.get().edit is None


def test_a_trim_needs_the_scope_and_the_version(five: Video, curator: dict[str, str]) -> None:
    assert_error(patch(five, bearer(make_token("read")[1]))(trim={"start_ms": 4_000}), 403)
    etag = Client().get(f"/on-demand/{five.pk}", headers=curator)["ETag"]
    assert patch(five, curator, **{"If-Match": etag})(trim={"start_ms": 4_000}).status_code == 200
    assert_error(patch(five, curator, **{"If-Match": etag})(trim={"start_ms": 8_000}), 412)
    assert Video.objects.get().trim == {"start_ms": 4_000, "end_ms": None}


def test_what_cannot_be_read_or_has_no_end_is_not_cut(five: Video, curator: dict[str, str], settings: Any) -> None:
    Video.objects.update(status="recording")
    assert_error(patch(five, curator)(trim={"start_ms": 4_000}), 409, "edit_conflict")
    Video.objects.update(status="available", bucket="another-bucket")
    assert_error(patch(five, curator)(trim={"start_ms": 4_000}), 409, "edit_conflict")
    Video.objects.update(bucket=BUCKET)
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=f"{PREFIX}/{HLS}/audio/playlist.m3u8")
    put(f"{PREFIX}/{HLS}/720p30/playlist.m3u8", b"no playlist")
    assert_error(patch(five, curator)(trim={"start_ms": 4_000}, title="x"), 502, "playlist_unreadable")
    # Nothing was changed.
    assert (Video.objects.get().edit, hasattr(Video.objects.get(), "content")) == (None, False)


def test_a_change_while_the_playlists_are_read_wins(
    five: Video, curator: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ondemand.playback import edit_services

    real = edit_services.stored_segments

    def meanwhile(*place: str) -> Any:
        Video.objects.update(facts={**FACTS, "playlist": "another.m3u8"})
        return real(*place)

    monkeypatch.setattr(edit_services, "stored_segments", meanwhile)
    assert_error(patch(five, curator)(trim={"start_ms": 4_000}), 409, "edit_outdated")
    assert Video.objects.get().edit is None
    Video.objects.update(facts=FACTS)
    monkeypatch.setattr(edit_services, "stored_segments", lambda *place: Video.objects.all().delete() and real(*place))
    assert_error(patch(five, curator)(trim={"start_ms": 4_000}), 404, "not_found")


def test_all_rows_of_a_recording_show_the_same(five: Video, curator: dict[str, str]) -> None:
    """The predecessor may insert a recording again, before the trim and after it, and delete the first row."""
    data = {"recording_s3_bucket_name": BUCKET, "recording_s3_key_prefix": PREFIX, "recording_duration_ms": 20_000}
    before = Video.objects.create(data=data)
    patch(five, curator)(trim={"start_ms": 4_000})
    after = Video.objects.create(data=data)
    for row in (before, after):
        row.refresh_from_db()
        assert row.trim == {"start_ms": 4_000, "end_ms": None}
        assert segments_of(shown(row, "master.m3u8")) == ["edited/0.m3u8"]
    Video.objects.filter(pk=five.pk).delete()
    [document] = Client().get("/on-demand").json()["data"]
    assert (UUID(document["uuid"]) in {before.pk, after.pk}, document["duration_seconds"]) == (True, 16)


def test_a_trim_plays_by_a_grant_with_the_signature_of_its_recording(
    five: Video, signed: LocalAws, curator: dict[str, str]
) -> None:
    patch(five, curator)(trim={"start_ms": 4_000}, playback="grant")
    assert shown(five, "master.m3u8").status_code == shown(five, "edited/0.m3u8").status_code == 404
    answer = Client().post(
        f"/on-demand/{five.pk}/playback-grants",
        "{}",
        "application/json",
        headers=bearer(make_token("playback", "curate")[1]),
    )
    base = answer.json()["url"].removesuffix("master.m3u8")
    segments = segments_of(Client().get(f"{base}edited/0.m3u8"))
    assert len(segments) == 4
    assert all(url.startswith(f"https://media.example.com/{PREFIX}/{HLS}/") and "Policy=" in url for url in segments)


def test_events_that_come_later_neither_undo_an_edit_nor_change_its_length(
    aws: LocalAws, curator: dict[str, str]
) -> None:
    put_playlists(PREFIX)
    make_channel(arn=ARN)
    assert outcomes(recording_change("Recording End", 5, event_id="a", duration_ms=20_000)) == ["deferred"]
    video = Video.objects.get()
    document = patch(video, curator)(trim={"start_ms": 10_000}).json()
    assert document["duration_seconds"] == 10
    # Again, later with another length, and the start.
    for status, minutes, length in (("End", 5, 20_000), ("End", 9, 500_000), ("Start", 1, 0)):
        outcomes(recording_change(f"Recording {status}", minutes, duration_ms=length))
        video.refresh_from_db()
        assert (video.trim, video.length_ms) == ({"start_ms": 10_000, "end_ms": None}, 10_000)
    assert video.duration_ms == 500_000
    patch(video, curator)(trim=None)
    video.refresh_from_db()
    assert video.length_ms == 500_000


def test_chapters_follow_and_come_back(five: Video, curator: dict[str, str]) -> None:
    chapters = [{"at_ms": 0, "title": "Before"}, {"at_ms": 9_000, "title": "Show"}, {"at_ms": 18_000, "title": "After"}]
    patch(five, curator)(chapters=chapters)
    trimmed = patch(five, curator)(trim={"start_ms": 4_000, "end_ms": 16_000}).json()
    assert trimmed["chapters"] == [{"at_ms": 0, "title": "Before"}, {"at_ms": 5_000, "title": "Show"}]
    assert [hit["uuid"] for hit in Client().get("/on-demand", {"search": "after"}).json()["data"]] == []
    assert_error(patch(five, curator)(chapters=[{"at_ms": 12_000, "title": "x"}]), 400, field="chapters")
    other = patch(five, curator)(trim={"start_ms": 8_000}).json()
    assert other["chapters"] == [
        {"at_ms": 0, "title": "Before"},
        {"at_ms": 1_000, "title": "Show"},
        {"at_ms": 10_000, "title": "After"},
    ]
    assert patch(five, curator)(trim=None).json()["chapters"] == chapters
    given = [{"at_ms": 0, "title": "Given"}]
    assert patch(five, curator)(trim={"start_ms": 4_000}, chapters=given).json()["chapters"] == given


def test_whatever_another_program_stores_as_an_edit_the_video_opens(five: Video, curator: dict[str, str]) -> None:
    patch(five, curator)(trim={"start_ms": 4_000})
    five.refresh_from_db()
    edit, edited = five.edit, five.edited
    assert edit
    assert edited
    part, window = edited["parts"][0], edit[0]
    for stored in (
        *(
            {"edit": each}
            for each in (5, "x", {}, [], [5], [{}], [{**window, "recording": "x"}], [{**window, "end_ms": -1}])
        ),
        *(
            {"edited": each}
            for each in (5, "x", [], {}, {**edited, "duration_ms": "x"}, {**edited, "duration_ms": 1.5})
        ),
        *({"edited": {**edited, "parts": each}} for each in (None, 5, [], [5], [{}], [{**part, "prefix": None}])),
        *({"edited": {**edited, "pictures": each}} for each in (None, {}, [5], [[]], [[9, "x", 0]], [["x", "x", 0]])),
        {"edited": {**edited, "pictures": [[10**12, "x", 0]]}},
        *({"edited": {**edited, "renditions": each}} for each in (None, [{}], [{"path": "x", "playlist": 5}])),
        *({"edited": {**edited, "cut_chapters": each}} for each in (5, None, [{}], [{"at_ms": "5", "title": "x"}])),
        {"edit": [{**window, "start_ms": "5"}]},
    ):
        Video.objects.update(**{"edit": edit, "edited": edited, **stored})
        five.refresh_from_db()
        assert (five.edit, five.edited) == (None, None), stored
        assert Client().get(f"/on-demand/{five.pk}").json()["duration_seconds"] == 20
    Video.objects.update(edit=edit, edited=edited)
    assert Client().get(f"/on-demand/{five.pk}").json()["duration_seconds"] == 16
