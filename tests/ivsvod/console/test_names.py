"""A video without a title has one name on every page, in the zone of the reader."""

import re
from uuid import uuid4

import pytest
from django.test import Client

from common.audit import audited
from ivsvod.accounts.models import User
from ondemand.models import PlaybackGrant, Video
from tests.support.console import VIDEOS, choose, make_channel, make_video, page

pytestmark = pytest.mark.django_db


def test_an_untitled_video_has_one_name_everywhere_in_the_zone_of_the_reader(browser: Client, staff: User) -> None:
    User.objects.filter(pk=staff.pk).update(time_zone="Europe/Berlin")
    browser.cookies["csrftoken"] = "x" * 32
    video = make_video(channel=make_channel(name="Main  stage"))
    with audited():
        Video.objects.filter(pk=video.pk).update(playback="grant")
    PlaybackGrant.objects.create(video=video, viewer="ada", by=uuid4())
    name = ">Main stage, 2026-03-04 10:05 CET</bdi>"
    paths = {
        "list": VIDEOS,
        "page": f"{VIDEOS}{video.pk}/change/",
        "preview of a bulk change": choose(browser, "hide", video),
        "grants": "/admin/ondemand/playbackgrant/",
        "audit log": f"/admin/channels_app/auditentry/?q={video.pk}",
        "share page": f"{VIDEOS}{video.pk}/share/",
    }
    assert {place: name in page(browser, path) for place, path in paths.items()} == dict.fromkeys(paths, True)
    entry = re.search(r"/admin/channels_app/auditentry/\d+/change/", page(browser, paths["audit log"]))
    assert entry
    assert name in page(browser, entry[0])
    assert str(video.pk) not in re.sub(r'"[^"]*"', "", page(browser, paths["audit log"]))


def test_the_start_page_and_the_catalogue_use_it_too(browser: Client) -> None:
    make_video(channel=make_channel(), held=True, active=True)
    make_video(channel=make_channel(), duration_ms=1000)
    name = "Main stage, 2026-03-04 09:05 UTC"
    assert page(browser, "/admin/").count(f"<bdi>{name}</bdi>") == 1
    assert name in page(Client(), "/")
