"""Joins and clips: several recordings as one video, and a window of a video as another one."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from channels_app.models import AuditEntry, Channel
from ondemand.bulk.services import bulk_begin, bulk_choose, bulk_outcomes, bulk_run, bulk_undo
from ondemand.models import BulkChange, Video
from ondemand.playback import delivery
from tests.support.delivery import FACTS, HLS, fetched, put_playlists
from tests.support.helpers import assert_error, bearer, make_channel, make_token, make_video
from tests.support.pictures import picture_file
from tests.support.road import BUCKET, PREFIX, put
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db


def prefix_of(number: int) -> str:
    return f"{PREFIX[:-1]}{number}"


@pytest.fixture
def parts(recorded: Video) -> list[Video]:
    """Three recordings of a channel, of two segments of ten seconds each."""
    recorded.delete()
    channel, made = Channel.objects.get(), []
    for number in range(3):
        prefix = prefix_of(number)
        names = "".join(f"#EXTINF:10,\n{number}{n}.ts\n" for n in range(2))
        put_playlists(prefix, f"#EXTM3U\n{names}#EXT-X-ENDLIST\n")
        made.append(make_video(channel=channel, bucket=BUCKET, prefix=prefix, facts=FACTS, duration_ms=20_000))
    return made


@pytest.fixture
def send(db: None) -> Callable[..., Any]:
    curator = bearer(make_token("read", "curate")[1])

    def send(video: Video, path: str = "", body: Any = None, method: str = "post", **headers: str) -> Any:
        url = f"/on-demand/{video.pk}{path}"
        return Client().generic(
            method,
            url,
            "" if body is None else json.dumps(body, default=str),
            "application/json",
            headers={**curator, **headers},
        )

    return send


def listed(**query: Any) -> list[str]:
    return [video["uuid"] for video in Client().get("/on-demand", query).json()["data"]]


def segments(video: Any, path: str = "edited/0.m3u8") -> list[str]:
    content = Client().get(f"/play/{getattr(video, 'pk', video)}/{path}").content.decode()
    return [line for line in content.splitlines() if not line.startswith("#")]


def names(urls: list[str]) -> list[str]:
    return [url.partition("?")[0].rpartition("/")[2] for url in urls]


def test_parts_play_in_order_are_not_listed_and_come_back(parts: list[Video], send: Callable[..., Any]) -> None:
    first, second, third = parts
    send(second, body={"trim": {"start_ms": 10_000}}, method="patch")
    document = send(first, "/join", {"with": [third.pk, second.pk]}).json()

    assert document["duration_seconds"] == 50
    assert [part["recording"] for part in document["edit"]] == [str(each.pk) for each in (first, third, second)]
    assert (document["trim"], document["location"]) == (None, f"http://testserver/play/{first.pk}/master.m3u8")
    assert names(segments(first)) == ["00.ts", "01.ts", "20.ts", "21.ts", "11.ts"]
    assert b"#EXT-X-DISCONTINUITY" in Client().get(f"/play/{first.pk}/edited/0.m3u8").content
    # Pictures of all parts, those of others by their own URLs.
    assert [url.removeprefix(f"https://media.example.com/{PREFIX[:-1]}") for url in document["thumbnails"]] == [
        *(f"{number}/media/thumbnails/thumb{n}.jpg" for number in (0, 2) for n in range(3)),
        "1/media/thumbnails/thumb2.jpg",
    ]
    # The one in the middle, which is of the second part.
    small = document["picture"]["320"]
    assert small == f"http://testserver/play/{first.pk}/small/320/edited/1/{FACTS['thumbnails'][0]}"
    put(f"{prefix_of(2)}/{FACTS['thumbnails'][0]}", picture_file("JPEG", (1280, 720)))
    assert Client().get(small)["Content-Type"] == "image/webp"
    assert listed() == [str(first.pk)]
    assert listed(min_duration=50) == [str(first.pk)]
    part = send(second, method="get").json()
    assert (part["listing"], part["part_of"], part["duration_seconds"]) == ("duplicate", str(first.pk), 10)
    # A link to a part plays on, as long as the whole is shown.
    assert names(segments(second)) == ["11.ts"]
    send(first, method="delete")
    assert Client().get(f"/on-demand/{second.pk}").status_code == 404
    send(first, method="patch")
    assert AuditEntry.objects.filter(object_pk=second.pk, changes__has_key="part_of").count() == 1

    undone = send(first, "/join", method="delete").json()
    assert (undone["edit"], undone["duration_seconds"]) == (None, 20)
    assert sorted(listed()) == sorted(str(each.pk) for each in parts)
    assert send(second, method="get").json()["trim"] == {"start_ms": 10_000, "end_ms": None}
    assert_error(send(first, "/join", method="delete"), 409, "edit_conflict")


def test_an_undone_join_leaves_the_trim_that_was_before(parts: list[Video], send: Callable[..., Any]) -> None:
    first, second, _ = parts
    send(first, body={"trim": {"end_ms": 10_000}}, method="patch")
    # It may stand elsewhere.
    joined = send(first, "/join", {"with": [second.pk, first.pk]}).json()
    assert (joined["duration_seconds"], names(segments(first))) == (30, ["10.ts", "11.ts", "00.ts"])
    undone = send(first, "/join", method="delete").json()
    assert (undone["trim"], undone["duration_seconds"]) == ({"start_ms": None, "end_ms": 10_000}, 10)


def test_what_cannot_be_joined_is_refused(parts: list[Video], send: Callable[..., Any]) -> None:
    first, second, third = parts
    other = make_video(channel=make_channel(), bucket=BUCKET, prefix="another")
    again = make_video(channel=first.channel, bucket=BUCKET, prefix=prefix_of(1), duplicate_of=second)
    for body in (
        *({}, {"with": None}, {"with": "x"}, {"with": []}, {"with": ["x"]}, {"with": [first.pk]}, {"with": [uuid4()]}),
        *({"with": [second.pk, second.pk]}, {"with": [second.pk, again.pk]}, {"with": [other.pk]}),
        {"with": [uuid4() for _ in range(30)]},
    ):
        assert_error(send(first, "/join", body), 400, "invalid", field="with")
    assert_error(send(first, "/join", {"with": [second.pk], "by": 1}), 400, "invalid", field="by")
    assert_error(send(first, "/join", {"with": [again.pk]}), 409, "edit_conflict")
    Video.objects.filter(pk=third.pk).update(status="recording")
    assert_error(send(first, "/join", {"with": [third.pk]}), 409, "edit_conflict")
    clip = send(first, "/clips", {"start_ms": 0, "end_ms": 5_000}).json()
    assert_error(send(first, "/join", {"with": [clip["uuid"]]}), 409, "edit_conflict")
    assert send(first, "/join", {"with": [second.pk]}).status_code == 200
    for one, another in ((first, third), (third, first), (second, third), (third, second)):
        assert_error(send(one, "/join", {"with": [another.pk]}), 409, "edit_conflict")
    for video in (first, second):
        assert_error(send(video, body={"trim": {"end_ms": 10_000}}, method="patch"), 409, "edit_conflict")
    reader = bearer(make_token("read")[1])
    assert_error(send(first, "/join", {"with": [third.pk]}, **reader), 403)
    assert_error(send(first, "/clips", {}, **reader), 403)
    assert_error(send(first, "/join", {"with": [third.pk]}, **{"If-Match": '"x"'}), 412)


def test_a_clip_is_a_video_of_its_own(
    parts: list[Video], send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, _ = parts
    send(first, "/join", {"with": [second.pk]})
    window = {"start_ms": 12_000, "end_ms": 21_000, "title": "The goal", "tags": ["sport"]}
    answer = send(first, "/clips", window)
    clip = answer.json()

    assert (answer.status_code, clip["listing"], clip["active"], clip["clip_of"]) == (
        201,
        "hidden",
        False,
        str(first.pk),
    )
    assert (clip["duration_seconds"], clip["content"]["title"], clip["channel"]) == (
        20,
        "The goal",
        str(first.channel_id),
    )
    assert [(part["start_ms"], part["end_ms"]) for part in clip["edit"]] == [(10_000, 20_000), (0, 10_000)]
    assert clip["started_at"] == "2026-03-04T09:05:10Z"
    assert Client().get(f"/play/{clip['uuid']}/master.m3u8").status_code == 404
    assert send(Video(pk=clip["uuid"]), body={"active": True}, method="patch").json()["listing"] == "listed"
    assert listed(tag="sport") == [clip["uuid"]]
    assert listed(search="goal") == [clip["uuid"]]
    assert names(segments(clip["uuid"])) == ["01.ts", "10.ts"]
    # A clip of a clip is a clip of the same recordings.
    again = send(Video(pk=clip["uuid"]), "/clips", {"start_ms": 10_000, "active": True}).json()
    assert (again["edit"][0]["recording"], again["clip_of"]) == (str(second.pk), str(first.pk))
    assert names(segments(again["uuid"])) == ["10.ts"]
    # It outlives the edits of its source, and its source being hidden.
    send(first, "/join", method="delete")
    send(first, method="delete")
    assert names(segments(clip["uuid"])) == ["01.ts", "10.ts"]
    assert_error(send(Video(pk=clip["uuid"]), body={"trim": {"end_ms": 1}}, method="patch"), 409, "edit_conflict")
    for wrong in ({"start_ms": 20_000}, {"start_ms": 5, "end_ms": 5}, {"start_ms": "1"}, {"title": 1}, {"active": "x"}):
        assert_error(send(second, "/clips", wrong), 400, "invalid")
    # Its pictures are those of the recordings, which nobody looks for in S3.
    monkeypatch.setattr(delivery, "_read", lambda *_: pytest.fail("S3 was read"))
    curator = bearer(make_token("read", "curate")[1])
    for path, status in (("edited/0/media/thumbnails/thumb2.jpg", 302), ("media/thumbnails/thumb1.jpg", 404)):
        assert Client().get(f"/play/{clip['uuid']}/{path}", headers=curator).status_code == status


def bulk_done(kind: BulkChange.Kind, video: Video) -> BulkChange:
    by = {"by": uuid4(), "by_name": "bo", "query": ""}
    change = bulk_choose(kind=kind, videos=Video.objects.filter(pk=video.pk), values={}, **by)
    bulk_begin(change_uuid=change.pk)
    bulk_run(change_uuid=change.pk)
    return change


def test_what_needs_a_grant_never_shows_through_a_public_join_or_clip(
    parts: list[Video], send: Callable[..., Any], signed: LocalAws, settings: Any
) -> None:
    settings.ANSWER_CACHE = False
    first, second, third = parts
    clip = Video(pk=send(second, "/clips", {"end_ms": 5_000, "active": True}).json()["uuid"])
    assert len(segments(clip)) == 1
    # Whoever protects a recording protects what shows it, by this service or by SQL.
    Video.objects.filter(pk=second.pk).update(playback="grant")
    assert send(clip, method="get").json()["playback"] == "grant"
    assert Client().get(f"/play/{clip.pk}/edited/0.m3u8").status_code == 404
    assert_error(send(clip, body={"playback": "public", "title": "x"}, method="patch"), 409, "grant_needed")
    assert not send(clip, method="get").json()["content"]
    assert bulk_outcomes(bulk_done(BulkChange.Kind.UNPROTECT, clip)) == {"grant_needed": 1}
    Video.objects.filter(pk=second.pk).update(playback="public")
    assert bulk_outcomes(bulk_done(BulkChange.Kind.UNPROTECT, clip)) == {"changed": 1}
    change = bulk_done(BulkChange.Kind.PROTECT, clip)
    Video.objects.filter(pk=second.pk).update(playback="grant")
    bulk_undo(change_uuid=change.pk)
    assert bulk_outcomes(change) == {"grant_needed": 1}
    # And what shows it from now on.
    assert send(second, "/clips", {"end_ms": 5_000}).json()["playback"] == "grant"
    joined = send(first, "/join", {"with": [second.pk, third.pk]}).json()
    assert (joined["playback"], Client().get(f"/on-demand/{first.pk}").json()["thumbnails"]) == ("grant", [])
    assert Client().get(f"/play/{first.pk}/edited/0.m3u8").status_code == 404
    # People decide when it is public again.
    send(second, body={"playback": "public"}, method="patch")
    assert send(first, method="get").json()["playback"] == "grant"
    document = send(first, body={"playback": "public"}, method="patch").json()
    urls = segments(first)
    assert [url.partition(f"/{HLS}/")[0].rpartition("/")[2] for url in urls] == [
        prefix_of(number).rpartition("/")[2] for number in (0, 0, 1, 1, 2, 2)
    ]
    # Each part has the signature of its own prefix.
    assert len({url.partition("?")[2] for url in urls}) == 3
    picture = document["thumbnails"][4]
    assert picture == f"http://testserver/play/{first.pk}/edited/1/{FACTS['thumbnails'][1]}"
    assert fetched(signed, Client().get(picture)["Location"]) == 200
    chosen = send(first, body={"thumbnail": picture}, method="patch").json()
    assert chosen["content"]["thumbnail"] == picture
    for path in ("edited/3/x", f"edited/1/{FACTS['playlist']}", f"edited/0/{FACTS['thumbnails'][1]}"):
        assert Client().get(f"/play/{first.pk}/{path}").status_code == 404


def test_a_recording_that_is_deleted_undoes_the_join_and_ends_its_clips(
    parts: list[Video], send: Callable[..., Any]
) -> None:
    first, second, third = parts
    clip = Video(pk=send(second, "/clips", {"end_ms": 5_000, "active": True}).json()["uuid"])
    send(first, "/join", {"with": [second.pk, third.pk]})
    Video.objects.filter(pk=second.pk).delete()
    assert sorted(listed()) == sorted([str(first.pk), str(third.pk)])
    assert send(first, method="get").json()["edit"] is None
    document = send(clip, body={"active": True}, method="patch").json()
    assert (document["location"], document["duration_seconds"]) == (None, 10)
    assert Client().get(f"/play/{clip.pk}/master.m3u8").status_code == 404
    # Without the first, the others come back as well.
    send(third, "/join", {"with": [first.pk]})
    Video.objects.filter(pk=third.pk).delete()
    assert str(first.pk) in listed()


def test_a_recording_with_another_row_stays_joined_when_its_first_row_is_deleted(
    parts: list[Video], send: Callable[..., Any]
) -> None:
    first, second, _ = parts
    data = {"recording_s3_bucket_name": BUCKET, "recording_duration_ms": 20_000}
    # As the predecessor would have inserted them.
    own, other = (
        Video.objects.create(data={**data, "recording_s3_key_prefix": prefix_of(number)}) for number in range(2)
    )
    send(first, "/join", {"with": [second.pk]})
    refused = send(own, "/join", method="delete")
    assert_error(refused, 409, "edit_conflict")
    assert str(first.pk) in refused.json()["error"]
    Video.objects.filter(pk=second.pk).delete()
    assert names(segments(first)) == ["00.ts", "01.ts", "10.ts", "11.ts"]
    Video.objects.filter(pk=first.pk).delete()
    assert names(segments(own)) == ["00.ts", "01.ts", "10.ts", "11.ts"]
    document = send(other, method="get").json()
    assert (document["listing"], document["part_of"]) == ("duplicate", str(own.pk))
    assert sorted(listed()) == sorted([str(own.pk), str(parts[2].pk)])
    undone = send(own, "/join", method="delete")
    assert (undone.status_code, undone.json()["edit"]) == (200, None)
    assert str(other.pk) in listed()


def test_chapters_of_all_parts_are_joined_and_those_of_a_window_clipped(
    parts: list[Video], send: Callable[..., Any]
) -> None:
    first, second, _ = parts
    for video, title in ((first, "One"), (second, "Two")):
        chapters = [{"at_ms": 0, "title": title}, {"at_ms": 15_000, "title": f"End of {title}"}]
        send(video, body={"chapters": chapters}, method="patch")
    joined = send(first, "/join", {"with": [second.pk]}).json()["chapters"]
    assert [(each["at_ms"], each["title"]) for each in joined] == [
        *((0, "One"), (15_000, "End of One"), (20_000, "Two"), (35_000, "End of Two"))
    ]
    clip = send(first, "/clips", {"start_ms": 10_000, "end_ms": 30_000}).json()["chapters"]
    assert [(each["at_ms"], each["title"]) for each in clip] == [(0, "One"), (5_000, "End of One"), (10_000, "Two")]
    undone = send(first, "/join", method="delete").json()["chapters"]
    assert [each["title"] for each in undone] == ["One", "End of One"]
    assert [each["title"] for each in send(second, method="get").json()["chapters"]] == ["Two", "End of Two"]


def test_a_part_and_a_clip_of_a_deleted_recording_are_explained(parts: list[Video], send: Callable[..., Any]) -> None:
    first, second, _ = parts
    clip = Video(pk=send(second, "/clips", {"end_ms": 5_000, "active": True}).json()["uuid"])

    def explained(video: Video) -> str:
        document = send(video, "/explain", method="get").json()
        return f"{document}"

    send(first, "/join", {"with": [second.pk]})
    assert "It is part of another video." in explained(second)
    assert "'opens': False" not in explained(second)
    send(first, method="delete")
    assert "the video that shows it does not" in explained(second)
    Video.objects.filter(pk=second.pk).delete()
    assert "A recording that it shows was deleted." in explained(clip)
