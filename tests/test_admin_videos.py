"""The list of videos in the admin: what a row says, filters, search and actions."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from ondemand.models import Content, Video
from ondemand.pictures import picture_allowed, video_picture
from tests.console import (
    CHANNELS,
    EVENTS,
    NINE,
    VIDEOS,
    content_form,
    make_channel,
    make_event,
    make_video,
    member,
    page,
    row_titles,
    run_action,
)

pytestmark = pytest.mark.django_db


# Videos: the list


def test_list_shows_a_video_at_a_glance(browser: Client) -> None:
    channel = make_channel()
    video = make_video("Opening show", channel=channel)
    html = page(browser, VIDEOS)
    assert f'src="https://media.example.com/{video.prefix}/thumb1.jpg"' in html
    assert 'loading="lazy"' in html
    assert 'alt="Picture of Opening show"' in html
    for text in ("<bdi>Opening show</bdi>", "Main stage", "2026-03-04 09:05:02 UTC", "1:02:05", ">listed<"):
        assert text in html


def test_list_shows_what_is_unknown_as_dashes(browser: Client) -> None:
    nowhere = uuid4()
    bare = {"prefix": None, "bucket": None, "started_at": None, "ended_at": None, "duration_ms": None, "facts": None}
    video = make_video(channel_id=nowhere, stream_ids=None, active=None, **bare)
    Video.objects.filter(pk=video.pk).update(**bare, status=None, data=[1, "x", None])
    html = page(browser, VIDEOS)
    assert "No picture" in html
    assert row_titles(html) == ["–"]  # noqa: RUF001
    assert str(nowhere) in html
    assert ">hidden<" in html
    assert "There is nothing to play" in page(browser, f"{VIDEOS}{video.pk}/change/")


def test_list_is_newest_first_and_unknown_starts_are_last(browser: Client) -> None:
    for title, started_at in (("old", NINE), ("new", NINE + timedelta(days=1)), ("unknown", None)):
        video = make_video(title, started_at=started_at)
        Video.objects.filter(pk=video.pk).update(started_at=started_at)
    assert row_titles(page(browser, VIDEOS)) == ["new", "old", "unknown"]


def test_one_word_says_whether_a_video_is_found(browser: Client) -> None:
    first = make_video("listed")
    soon, past = timezone.now() + timedelta(hours=1), timezone.now() - timedelta(hours=1)
    make_video("unlisted", visibility="unlisted")
    make_video("scheduled", publish_from=soon)
    make_video("expired", publish_until=past)
    make_video("held", held=True, active=False)
    make_video("hidden", active=False)
    make_video("hidden", active=None)
    make_video("recording", active=None, held=None, visibility=None, status=Video.Status.RECORDING)
    make_video("failed", active=None, held=None, visibility=None, status=Video.Status.FAILED)
    make_video("duplicate", duplicate_of=first)
    html = page(browser, VIDEOS)
    assert re.findall(r'class="badge badge-(\w+)">\1<', html) == row_titles(html)
    assert len(row_titles(html)) == 10


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"status": "available"}, {"shown", "hidden"}),
        ({"status": "failed"}, {"failed"}),
        ({"shown": "yes"}, {"shown"}),
        ({"shown": "no"}, {"hidden", "failed"}),
        ({"shown": "no", "status": "available"}, {"hidden"}),
        ({"shown": "nonsense", "status": "nonsense"}, {"shown", "hidden", "failed"}),
    ],
)
def test_filters(browser: Client, query: dict[str, str], titles: set[str]) -> None:
    make_video("shown")
    make_video("hidden", active=False)
    make_video("failed", active=None, status=Video.Status.FAILED)
    assert set(row_titles(page(browser, VIDEOS, query))) == titles


def test_search_finds_by_text_uuid_and_stream_id(browser: Client) -> None:
    opening = make_video("Opening shows", tags=["gala"], stream_ids=["st-Opening1"])
    make_video("Closing", stream_ids=["st-Closing1"])
    uuid = opening.pk
    for text in ("show", "gala", '"opening show"', "opening -closing", str(uuid), uuid.hex.upper(), " st-Opening1 "):
        assert row_titles(page(browser, VIDEOS, {"q": text})) == ["Opening shows"], text
    for text in ("nothing", str(uuid4()), "st-none", "'; DROP TABLE"):
        assert row_titles(page(browser, VIDEOS, {"q": text})) == [], text
    assert "Null characters are not allowed" in page(browser, VIDEOS, {"q": "\0"})


def test_hostile_texts_are_shown_and_not_interpreted(browser: Client) -> None:
    hostile = '"><script>alert(1)</script>'
    channel = make_channel(name=hostile)
    video = make_video(hostile, channel=channel, tags=[hostile], data={"x": hostile}, session_id=hostile)
    Content.objects.update(description=f"</textarea>{hostile}", thumbnail=f"javascript:{hostile}")
    event = make_event(body=f'{{"id": "{hostile[2:]}"}}', error=hostile, name=hostile)
    for path in (
        VIDEOS,
        f"{VIDEOS}{video.pk}/change/",
        CHANNELS,
        f"{CHANNELS}{channel.pk}/change/",
        EVENTS,
        f"{EVENTS}{event.pk}/change/",
    ):
        html = page(browser, path)
        assert "alert(1)" in html
        assert "<script>alert" not in html
        assert 'src="javascript' not in html


# Videos: pictures


def test_a_chosen_picture_is_shown_only_where_the_policy_lets_it(settings: Any) -> None:
    settings.CONTENT_SECURITY_POLICY = {
        "DIRECTIVES": {"img-src": ["'self'", "data:", "https://img.example.org", "*.pics.example"]}
    }
    assert picture_allowed("https://img.example.org/a.jpg")
    assert picture_allowed("https://a.pics.example/a.jpg")
    assert picture_allowed("https://media.example.com/x.jpg")
    for url in (
        "http://img.example.org/a.jpg",
        "https://img.example.org.evil.test/a.jpg",
        "https://img.example.org@evil.test/a.jpg",
        "javascript:alert(1)",
        "data:image/png;base64,",
        "https://[",
        "/a.jpg",
    ):
        assert not picture_allowed(url), url
    video = make_video("Opening")
    made = f"https://media.example.com/{video.prefix}/thumb1.jpg"
    for chosen, shown in (("https://img.example.org/a.jpg",) * 2, ("https://elsewhere.test/a.jpg", made), (None, made)):
        Content.objects.update(thumbnail=chosen)
        assert video_picture(Video.objects.get()) == shown


# Videos: actions


def test_hide_and_show_say_how_many_changed(browser: Client) -> None:
    shown, hidden = make_video("shown"), make_video("hidden", active=False)
    failed = make_video("failed", active=None, status=Video.Status.FAILED)
    assert run_action(browser, VIDEOS, "hide", shown, hidden) == ["Hidden: 1 of 2 selected videos."]
    assert set(Video.objects.values_list("active", flat=True)) == {False, None}
    assert run_action(browser, VIDEOS, "show", shown, hidden, failed) == ["Shown: 2 of 3 selected videos."]
    assert run_action(browser, VIDEOS, "show", shown) == ["Shown: 0 of 1 selected videos."]
    failed.refresh_from_db()
    assert failed.active is None


def test_showing_a_held_video_releases_it(browser: Client) -> None:
    video = make_video(held=True)
    browser.post(VIDEOS, {"action": "show", "_selected_action": [video.pk]})
    assert Video.objects.get().listing_at(timezone.now()) == "listed"


def test_a_viewer_sees_videos_and_changes_none() -> None:
    video = make_video("Opening")
    viewer = member("view_video", "view_content")
    assert "Hide selected" not in page(viewer, VIDEOS)
    html = page(viewer, f"{VIDEOS}{video.pk}/change/")
    assert "Opening" in html
    assert 'name="content-0-title"' not in html
    viewer.post(VIDEOS, {"action": "hide", "_selected_action": [str(video.pk)]})
    assert viewer.post(f"{VIDEOS}{video.pk}/change/", content_form()).status_code == 403
    video.refresh_from_db()
    assert video.active is True


def test_videos_are_neither_added_nor_deleted(browser: Client) -> None:
    video = make_video("Opening")
    for path in (f"{VIDEOS}add/", f"{VIDEOS}{video.pk}/delete/"):
        assert browser.get(path).status_code == 403
        assert browser.post(path, {"post": "yes"}).status_code == 403
    assert "delete_selected" not in page(browser, VIDEOS)
