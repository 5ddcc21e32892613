"""The page that makes a playback grant in the admin."""

import html as html_text
import re
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from ivsvod.accounts.models import User
from ondemand.models import PlaybackGrant, Video
from tests.support.console import VIDEOS, member, page
from tests.support.helpers import bearer, make_token
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db


def links(answer: Any) -> list[str]:
    return [html_text.unescape(found) for found in re.findall(r'data-copy="([^"]+)"', answer.content.decode())]


def test_a_curator_makes_a_link_that_plays_and_is_shown_once(
    browser: Client, protected: Video, signed: LocalAws, settings: Any
) -> None:
    settings.CATALOGUE_PAGE = True
    address = f"{VIDEOS}{protected.pk}/share/"
    assert f'href="{address}"' in page(browser, f"{VIDEOS}{protected.pk}/change/")
    assert 'name="viewer"' in page(browser, address)
    made = browser.post(address, {"viewer": "member-42", "hours": "4"})
    for_people, url = links(made)
    assert "no-store" in made["Cache-Control"]
    assert for_people.startswith(f"http://testserver/watch/{protected.pk}#grant=")
    assert unquote(for_people.partition("#grant=")[2]) == url
    assert Client().get(urlsplit(url).path).status_code == 200
    grant = PlaybackGrant.objects.get()
    assert grant.viewer == "member-42"
    assert url not in str([session.get_decoded() for session in Session.objects.all()])
    too_long = browser.post(address, {"viewer": "a" * 41, "hours": "5"}).content.decode()
    assert too_long.count("errorlist") == 2
    assert PlaybackGrant.objects.count() == 1


def test_without_signed_delivery_the_page_says_what_is_missing(browser: Client, protected: Video) -> None:
    answer = browser.post(f"{VIDEOS}{protected.pk}/share/", {"viewer": "", "hours": "1"})
    assert "CLOUDFRONT_KEY_ID" in answer.content.decode()
    assert not PlaybackGrant.objects.exists()


def test_only_curators_who_may_change_grants_make_one(protected: Video, signed: LocalAws) -> None:
    address = f"{VIDEOS}{protected.pk}/share/"
    rights = ("view_video", "change_playbackgrant", "curate")
    for missing in rights[1:]:
        lesser = member(*(name for name in rights if name != missing))
        assert lesser.post(address, {"hours": "1"}).status_code == 403
        assert address not in page(lesser, f"{VIDEOS}{protected.pk}/change/")
    assert member(*rights).post(address, {"hours": "1"}).status_code == 200


def played(client: Client, video: Video) -> str:
    found = re.search(r'data-hls="([^"]+)"', page(client, f"{VIDEOS}{video.pk}/change/"))
    return found[1] if found else ""


def test_the_player_of_the_page_has_a_link_for_curators_alone_and_for_as_long_as_they_are_active(
    recorded: Video, signed: LocalAws
) -> None:
    watcher, curator = member("view_video"), member("view_video", "curate")
    assert played(watcher, recorded) == f"/play/{recorded.pk}/master.m3u8"
    url = played(curator, recorded)
    assert url.startswith("/play/g/")
    for change in ({"active": False}, {"playback": "grant"}):
        Video.objects.update(**change)
        assert played(watcher, recorded) == ""
        assert Client().get(url).status_code == 200
    assert Client().get("/playback-grants", headers=bearer(make_token("playback")[1])).json()["data"] == []
    User.objects.filter(user_permissions__codename="curate").update(is_active=False)
    assert Client().get(url).status_code == 404
