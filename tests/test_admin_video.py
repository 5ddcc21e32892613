"""The page of a video in the admin: its player, its facts, and what people write about it."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ivsvod.accounts.models import User
from ondemand.models import Content, Video
from tests.console import (
    VIDEOS,
    make_channel,
    make_video,
    page,
    row_titles,
    save,
)

pytestmark = pytest.mark.django_db


# Videos: the page


def test_page_has_a_player_and_technical_facts(browser: Client) -> None:
    first = make_video("Opening")
    rendition = {"path": "media/hls/720p30", "width": 1280, "height": 720}
    video = make_video(
        duplicate_of=first,
        stream_ids=["st-1"],
        data={"a": 1},
        facts={"playlist": "p.m3u8", "renditions": [rendition, {"path": "sound"}, 7]},
    )
    html = page(browser, f"{VIDEOS}{video.pk}/change/")
    assert f'data-hls="{video.location}"' in html
    assert f'<a href="{video.location}">' in html
    assert re.search(r"vendor/hls\.js-1\.7\.4/hls\.light\.min\.[0-9a-f]{12}\.js", html)
    for text in ("media/hls/720p30 (1280 x 720)", "sound (sound)", "st-1", "&quot;a&quot;: 1", str(first.pk)):
        assert text in html


def test_page_takes_a_fixed_number_of_queries(browser: Client) -> None:
    video = make_video("Opening", channel=make_channel())
    with CaptureQueriesContext(connection) as queries:
        page(browser, f"{VIDEOS}{video.pk}/change/")
    assert len(queries) <= 6


def test_saving_writes_new_content_by_the_service(browser: Client, staff: User) -> None:
    video = make_video()
    response = save(browser, video, title=" Opening ", tags="gala\n\n  main  stage\ngala", description="a\nb")
    assert response.status_code == 302
    content = Content.objects.get(video=video)
    assert (content.title, content.tags, content.description) == ("Opening", ["gala", "main stage"], "a\nb")
    assert (content.thumbnail, content.created_by) == ("", staff.uuid)
    assert row_titles(page(browser, VIDEOS, {"q": "gala"})) == ["Opening"]


def test_saving_one_field_of_a_duplicate_keeps_what_it_shows_of_the_first_row(browser: Client) -> None:
    first = make_video("First", tags=["q"])
    video = make_video(duplicate_of=first)
    assert save(browser, video, title="Second").status_code == 302
    content = Content.objects.get(video=video)
    assert (content.title, content.tags) == ("Second", ["q"])


def test_saving_an_untouched_page_writes_nothing(browser: Client) -> None:
    video = make_video(" first\nsecond ", tags=["a", None, "", "b\nc"])
    Content.objects.update(description="one\r\ntwo\nthree ", thumbnail="not a url")
    before = Content.objects.values().get()
    assert save(browser, video, title="first second", tags="a\nb c").status_code == 302
    assert Content.objects.values().get() == before


def test_saving_one_field_keeps_the_others_and_who_wrote_first(browser: Client) -> None:
    video = make_video("Opening", tags=["b\nc"])
    Content.objects.update(description="one\r\ntwo", thumbnail="not a url")
    author = Content.objects.get().created_by
    assert save(browser, video, title="Closing", tags="b c").status_code == 302
    content = Content.objects.get()
    assert (content.title, content.tags, content.description) == ("Closing", ["b\nc"], "one\r\ntwo")
    assert (content.thumbnail, content.created_by) == ("not a url", author)


def test_saving_leaves_the_row_of_the_video_alone(browser: Client) -> None:
    video = make_video("Opening", active=None)
    before = Video.objects.values().get()
    save(browser, video, title="Closing")
    assert Video.objects.values().get() == before


@pytest.mark.parametrize(
    "thumbnail", ["javascript:alert(1)", "ftp://example.com/a.jpg", "a.jpg", "http://example.com/a.jpg"]
)
def test_a_thumbnail_that_is_no_https_address_is_refused(browser: Client, thumbnail: str) -> None:
    video = make_video("Opening")
    response = save(browser, video, thumbnail=thumbnail, title="Typed")
    assert response.status_code == 200
    html = response.content.decode()
    assert "Neither an https URL nor a picture of this recording." in html
    assert 'value="Typed"' in html
    assert Content.objects.get().title == "Opening"


def test_a_picture_of_the_recording_is_chosen_by_its_path(browser: Client) -> None:
    video = make_video("Opening")
    assert save(browser, video, thumbnail="thumb1.jpg").status_code == 302
    assert Content.objects.get().thumbnail == video.pictures["thumb1.jpg"]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("title", "x" * 201),
        ("description", "x" * 10_001),
        ("tags", "x" * 65),
        ("tags", "\n".join(f"tag {n}" for n in range(51))),
    ],
)
def test_limits_hold_for_what_is_edited_alone(browser: Client, field: str, text: str) -> None:
    video = make_video("Opening", tags=[f"tag {n}" for n in range(60)])
    Content.objects.update(description="x" * 20_000)
    response = save(browser, video, **{field: text + "y"})
    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    assert save(browser, video, thumbnail="https://example.com/a.jpg").status_code == 302
    content = Content.objects.get()
    assert (content.title, len(content.description or ""), len(content.tags or [])) == ("Opening", 20_000, 60)


def test_saving_an_empty_page_makes_no_content(browser: Client) -> None:
    video = make_video()
    assert save(browser, video).status_code == 302
    assert not Content.objects.exists()


@pytest.mark.parametrize("name", ["nonsense", "00000000-0000-0000-0000-000000000000", "%00"])
def test_an_unknown_video_is_no_error(browser: Client, name: str) -> None:
    assert browser.get(f"{VIDEOS}{name}/change/").status_code in (302, 404)
