"""Trims, joins and clips on the page of a video."""

import re
from typing import Any

import pytest
from django.test import Client

from ondemand.models import Video
from tests.support.console import VIDEOS, form_of, member, messages_of, page
from tests.support.delivery import FACTS, HLS, put_playlists
from tests.support.helpers import make_video
from tests.support.road import BUCKET, PREFIX
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(recorded: Video) -> Video:
    """A recording of the same channel that begins a minute after the end of the other one."""
    prefix = "ivs/v1/another"
    put_playlists(prefix, "#EXTM3U\n#EXTINF:10,\n0.ts\n#EXT-X-ENDLIST\n")
    begins = recorded.started_at and recorded.started_at.replace(minute=6)
    place = {"channel": recorded.channel, "bucket": BUCKET, "prefix": prefix}
    return make_video(**place, facts=FACTS, duration_ms=10_000, started_at=begins)


def shown(client: Client, video: Video) -> str:
    return page(client, f"{VIDEOS}{video.pk}/change/")


def press(client: Client, video: Video, button: str, version: str | None = None, **typed: Any) -> Any:
    """Press a button of the section on a page as it is now."""
    if version is None:
        version = form_of(shown(client, video))["edit_version"]
    return client.post(f"{VIDEOS}{video.pk}/edit/", {button: "", "edit_version": version, **typed})


def test_a_recording_is_previewed_cut_and_shown_whole_again(recorded: Video, browser: Client) -> None:
    before = shown(browser, recorded)
    assert f"{PREFIX}/media/thumbnails/thumb1.jpg" in before
    answer = press(browser, recorded, "_preview", start_ms=0, end_ms="7500.25")
    assert answer.json() == {"text": "0:00:00 to 0:00:10 is shown, 0:00:10 long.", "windows": [[0, 10_000]]}
    assert press(browser, recorded, "_preview", start_ms=0, end_ms=20_000).json()["windows"] == []
    assert Video.objects.get().edit is None

    answer = press(browser, recorded, "_trim", start_ms=0, end_ms=7_500)
    assert messages_of(answer) == ["0:00:00 to 0:00:10 of the recording is shown."]
    after = shown(browser, recorded)
    assert "0:00:00 to 0:00:10 of the recording is shown." in after
    assert re.search(r'name="end_ms"\s+min="0"\s+max="20000"\s+step="any"\s+value="10000"', after)
    late = browser.post(f"{VIDEOS}{recorded.pk}/change/", {**form_of(after), "chapters": "0:00:15 Late"})
    assert "before the end of the video, 0:00:10" in late.content.decode()
    # The player has the result, the preview the whole.
    assert f'data-hls="/play/{recorded.pk}/master.m3u8"' in after
    assert f'data-whole="https://media.example.com/{PREFIX}/{FACTS["playlist"]}"' in after
    assert messages_of(press(browser, recorded, "_untrim")) == ["The whole recording is shown again."]
    assert Video.objects.get().edit is None


def test_with_signed_delivery_a_curator_plays_the_whole_by_a_grant(
    recorded: Video, browser: Client, signed: LocalAws
) -> None:
    press(browser, recorded, "_trim", start_ms=0, end_ms=10_000)
    found = re.search(r'data-whole="(/play/g/[^"]+)/recording\.m3u8"', shown(browser, recorded))
    assert found
    assert HLS in Client().get(f"{found[1]}/recording.m3u8").content.decode()
    assert "1.ts" in Client().get(f"{found[1]}/{HLS}/720p30/playlist.m3u8").content.decode()
    assert "1.ts" not in Client().get(f"{found[1]}/edited/0.m3u8").content.decode()
    # Viewers get what is shown alone.
    assert Client().get(f"/play/{recorded.pk}/recording.m3u8").status_code == 404


def test_suggested_recordings_are_joined_and_separated(recorded: Video, other: Video, browser: Client) -> None:
    before = shown(browser, recorded)
    assert re.search(rf'value="{other.pk}" checked', before)
    answer = press(browser, other, "_join", **{"with": [str(recorded.pk)]})
    assert messages_of(answer) == ["2 recordings are joined."]
    joined = Video.objects.get(pk=other.pk)
    # In the order of their starts, whichever page the button is on.
    assert [part["recording"] for part in joined.edit or ()] == [str(recorded.pk), str(other.pk)]
    assert "It is part of another video." in shown(browser, recorded)
    assert f"{VIDEOS}{other.pk}/change/" in shown(browser, recorded)
    assert "Undo the join" in shown(browser, other)
    refused = press(browser, recorded, "_trim", start_ms=0, end_ms=10_000)
    assert "is part of" in messages_of(refused)[0]
    assert messages_of(press(browser, other, "_unjoin")) == ["The recordings are videos of their own again."]
    assert Video.objects.filter(edit__isnull=False).count() == 0


def test_a_clip_is_a_hidden_video_with_its_own_page(recorded: Video, browser: Client) -> None:
    press(browser, recorded, "_trim", start_ms=10_000, end_ms=20_000)
    # The handles stand in times of the recording.
    answer = press(browser, recorded, "_clip", start_ms=12_000, end_ms=15_000, clip_title=" The goal ")
    clip = Video.objects.get(clip_of=recorded)
    assert (answer.status_code, answer["Location"]) == (302, f"{VIDEOS}{clip.pk}/change/")
    assert (clip.edit, clip.active) == ([{"recording": str(recorded.pk), "start_ms": 10_000, "end_ms": 20_000}], False)
    text = shown(browser, clip)
    assert "The goal" in text
    assert f"{VIDEOS}{recorded.pk}/change/" in text
    assert f"{VIDEOS}{clip.pk}/change/" in shown(browser, recorded)
    # Its window stays, though a clip of it is previewed.
    assert press(browser, clip, "_preview", start_ms=0, end_ms=10_000).json()["windows"] == [[10_000, 20_000]]
    assert "is a clip" in messages_of(press(browser, clip, "_trim", start_ms=0, end_ms=5_000))[0]
    assert Video.objects.get(pk=clip.pk).edit == clip.edit
    assert "is cut away" in messages_of(press(browser, recorded, "_clip", start_ms=0, end_ms=9_000))[0]


@pytest.mark.parametrize(
    ("button", "typed", "refusal"),
    [
        ("_trim", {"start_ms": 0, "end_ms": "x"}, "a time is missing"),
        ("_trim", {"start_ms": "9" * 30, "end_ms": 5}, "a time is missing"),
        ("_trim", {"start_ms": 5, "end_ms": 5}, "the end must be after the start"),
        ("_join", {}, "choose the recordings"),
        ("_join", {"with": "x"}, "a video is missing"),
        ("_unjoin", {}, "is not joined"),
    ],
)
def test_what_cannot_be_shown_is_said(recorded: Video, browser: Client, button: str, typed: Any, refusal: str) -> None:
    assert refusal in messages_of(press(browser, recorded, button, **typed))[0]


def test_the_second_of_two_people_is_told(recorded: Video, browser: Client) -> None:
    version = form_of(shown(browser, recorded))["edit_version"]
    press(browser, recorded, "_trim", version=version, start_ms=0, end_ms=10_000)
    answer = press(browser, recorded, "_untrim", version=version)
    assert messages_of(answer)[-1] == "The video was changed meanwhile: look at it again"
    assert Video.objects.get().trim == {"start_ms": None, "end_ms": 10_000}


def test_only_curators_cut(recorded: Video) -> None:
    viewer = member("view_video")
    assert "data-cut" not in shown(viewer, recorded)
    for client in (viewer, member("view_video", "change_video")):
        assert press(client, recorded, "_trim", version="", start_ms=0, end_ms=10_000).status_code == 403
    assert viewer.get(f"{VIDEOS}{recorded.pk}/edit/").status_code == 405
