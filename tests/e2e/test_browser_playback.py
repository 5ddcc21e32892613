"""Signed delivery in a browser: public videos, and videos with a grant, from the first to the last second."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from playwright.sync_api import Page, expect

from ivsvod.local.aws import LocalAws
from ondemand.models import Video
from ondemand.playback.grants import GrantRequest, grant_revoke, grant_url, video_grant_create
from tests.support.chromium import IN_BROWSER, SECONDS, chromium, faults, in_thread, until, watched
from tests.support.delivery import sign_with

pytestmark = IN_BROWSER


def plays_to_the_end(page: Page) -> None:
    page.locator("video[data-hls]").wait_for()
    page.evaluate("(v => { v.muted = true; v.playbackRate = 8; v.play(); })(document.querySelector('video[data-hls]'))")
    until(page, "document.querySelector('video[data-hls]').ended")
    length = page.evaluate("document.querySelector('video[data-hls]').currentTime")
    assert abs(length - SECONDS) < 1


def test_signed_videos_play_from_the_first_to_the_last_second_and_stop_when_the_grant_is_revoked(
    url: str, video: Video, aws: LocalAws, settings: Any
) -> None:
    sign_with(settings, aws, "ecdsa")
    with chromium() as browser, browser.new_context() as context, watched(context, 1280, "light") as (page, wrong):
        page.goto(f"{url}/watch/{video.pk}")
        plays_to_the_end(page)
        in_thread(lambda: Video.objects.update(playback="grant"))
        page.reload()
        expect(page.get_by_text("This video plays with a grant alone.")).to_be_visible()
        asked = GrantRequest(viewer="member-42", ttl=timedelta(hours=1), by=UUID(int=0))
        in_thread(video.refresh_from_db)
        grant = in_thread(lambda: video_grant_create(video=video, request=asked))
        for name in ("watch", "embed"):
            page.goto("about:blank")
            page.goto(f"{url}/{name}/{video.pk}#grant={quote(grant_url(grant, f'{url}/'), safe='')}")
            plays_to_the_end(page)
        assert faults(wrong) == []
        in_thread(lambda: grant_revoke(grant_id=grant.pk))
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("cannot be loaded")
        # Nothing of another origin is played.
        page.goto("about:blank")
        page.goto(f"{url}/watch/{video.pk}#grant={quote('https://elsewhere.test/a.m3u8', safe='')}")
        expect(page.get_by_text("This video plays with a grant alone.")).to_be_visible()
