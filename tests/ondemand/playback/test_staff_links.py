"""The signed links of the admin's player: no row is written for them, and they open one video for one curator."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from channels_app.models import AuditEntry
from ivsvod.accounts.models import User
from ondemand.models import PlaybackGrant, Video
from ondemand.playback import staff_links
from tests.support.console import VIDEOS, page
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db


def player_url(html: str) -> str:
    found = re.search(r'data-hls="(/play/g/[^"]+)"', html)
    assert found
    return found[1]


def status_of(url: str) -> int:
    return Client().get(url).status_code


def test_opening_pages_of_the_admin_writes_no_row(browser: Client, protected: Video, signed: LocalAws) -> None:
    before = AuditEntry.objects.count()
    for address in (VIDEOS, f"{VIDEOS}{protected.pk}/change/", f"{VIDEOS}{protected.pk}/play/"):
        page(browser, address)
    assert (PlaybackGrant.objects.count(), AuditEntry.objects.count()) == (0, before)


def test_the_link_plays_a_hidden_video_without_a_cookie_and_no_other_file(
    browser: Client, protected: Video, signed: LocalAws
) -> None:
    Video.objects.filter(pk=protected.pk).update(active=False)
    for name in ("change", "play"):
        url = player_url(page(browser, f"{VIDEOS}{protected.pk}/{name}/"))
        played = Client().get(url)
        assert (played.status_code, played["Cache-Control"]) == (200, "private, no-store")
        for path in ("../other/master.m3u8", "%2e%2e/master.m3u8", "another.m3u8"):
            assert status_of(f"{url.rpartition('/')[0]}/{path}") == 404


def test_a_link_that_was_changed_or_signed_for_something_else_is_refused(
    browser: Client, protected: Video, signed: LocalAws, staff: User
) -> None:
    url = player_url(page(browser, f"{VIDEOS}{protected.pk}/play/"))
    token = url.split("/")[3]
    foreign = signing.dumps([str(protected.pk), str(staff.pk), 9_999_999_999])
    for changed in (token[:-1], f"x{token}", token.replace(":", "::", 1), ":", "a:b:c", "%ED%A0%80:b:c", foreign):
        assert status_of(url.replace(token, changed)) == 404, changed


def test_a_link_ends_and_stops_with_its_account_and_its_video(
    protected: Video, signed: LocalAws, staff: User, browser: Client, settings: Any
) -> None:
    now = timezone.now()

    def link(at: Any) -> str:
        return staff_links.staff_link_url(video=protected, account=staff.pk, at=at, origin="/")

    assert status_of(link(now)) == 200
    assert status_of(link(now - protected.duration - timedelta(minutes=31))) == 404
    for stopped in ({"is_active": False}, {"is_active": True, "is_superuser": False}):
        User.objects.filter(pk=staff.pk).update(**stopped)
        assert status_of(link(now)) == 404
    User.objects.filter(pk=staff.pk).update(is_superuser=True)
    assert status_of(link(now)) == 200
    settings.CLOUDFRONT_KEY_ID = ""
    assert status_of(link(now)) == 409
    settings.CLOUDFRONT_KEY_ID = "K2JCJMDEHXQW5F"
    Video.objects.filter(pk=protected.pk).delete()
    assert status_of(link(now)) == 404
