"""The name of the channel and the public pages in the document of a video."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from channels_app.models import Channel
from ondemand.models import Video
from tests.support.helpers import bearer, make_channel, make_content, make_token, make_video

pytestmark = pytest.mark.django_db


def documents(client: Client, video: Video, headers: Any = None) -> list[dict[str, Any]]:
    """The video as each route shows it that reads one."""

    def read(path: str) -> Any:
        return client.get(path, headers=headers).json()

    streams = f"/channels/{video.channel_id}/streams"
    lists = [read(path)["data"] for path in ("/on-demand", "/on-demand?pageSize=1&page=1", "/on-demand?search=show")]
    seen = [read(f"/on-demand/{video.pk}"), *(row for rows in lists for row in rows)]
    return seen + [row for stream in read(streams).get("data", []) for row in stream["videos"]]


def test_a_video_names_its_channel_unless_the_caller_may_not_see_that(client: Client) -> None:
    channel = make_channel(name="Sports")
    video = make_video(channel=channel)
    make_content(video)
    start = video.started_at
    channel.streams.create(stream_id=video.stream_ids[0], started_at=start, first_event_at=start)
    curator, manager = (bearer(make_token("read", scope)[1]) for scope in ("curate", "channels"))
    seen = documents(client, video)
    assert [document["channel_name"] for document in seen] == ["Sports"] * 5
    tag = client.get(f"/on-demand/{video.pk}")["ETag"]
    Channel.objects.update(name="Handball")
    renamed = client.get(f"/on-demand/{video.pk}", headers={"If-None-Match": tag})
    assert (renamed.status_code, renamed.json()["channel_name"]) == (200, "Handball")
    for hidden in ({"private": True}, {"private": False, "active": None}, {"active": True, "status": "deleted"}):
        Channel.objects.update(**hidden)
        again = client.get(f"/on-demand/{video.pk}", headers={"If-None-Match": renamed["ETag"]})
        assert (again.status_code, again.json()["channel_name"]) == (200, None)
        assert {document["channel_name"] for document in documents(client, video, curator)} == {None}
        assert {document["channel_name"] for document in documents(client, video, manager)} == {"Handball"}
    Video.objects.update(channel_id=uuid4())
    assert client.get(f"/on-demand/{video.pk}", headers=manager).json()["channel_name"] is None


def test_a_write_answers_with_the_version_that_is_read_next(client: Client) -> None:
    video = make_video(channel=make_channel(private=True, name="Board"))
    headers = bearer(make_token("read", "curate", "channels")[1])
    path = f"/on-demand/{video.pk}"
    read = client.get(path, headers=headers)
    values = {"content_type": "application/json", "headers": {**headers, "If-Match": read["ETag"]}}
    written = client.patch(path, {"title": "New"}, **values)
    assert (written.status_code, written.json()["channel_name"]) == (200, "Board")
    assert written["ETag"] == client.get(path, headers=headers)["ETag"]


def test_a_video_links_its_pages_while_they_open_for_anyone(client: Client, settings: Any) -> None:
    future = datetime(2100, 1, 1, tzinfo=UTC)
    curator = bearer(make_token("read", "curate")[1])

    def links(video: Video) -> list[str | None]:
        document = client.get(f"/on-demand/{video.pk}", headers=curator).json()
        return [document["watch_url"], document["embed_url"]]

    shown = [make_video(), make_video(visibility="unlisted"), make_video(playback="grant")]
    for video in shown:
        pages = [f"http://testserver/{page}/{video.pk}" for page in ("watch", "embed")]
        assert links(video) == pages
        assert [client.get(page).status_code for page in pages] == [200, 200]
    for values in ({"active": False}, {"publish_from": future}, {"status": "recording"}, {"held": True}):
        hidden = make_video(**values)
        assert links(hidden) == [None, None]
        assert client.get(f"/watch/{hidden.pk}").status_code == 404
    first = shown[0]
    settings.EMBED_ANCESTORS = []
    assert links(first) == [f"http://testserver/watch/{first.pk}", None]
    settings.CATALOGUE_PAGE = False
    assert links(first) == [None, None]
    settings.VIDEO_PAGE_URL = "https://www.example.com/watch/{uuid}"
    assert links(first) == [f"https://www.example.com/watch/{first.pk}", None]
