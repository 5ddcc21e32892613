"""Signed delivery in a browser: public videos, and videos with a grant, from the first to the last second."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import boto3
import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from common.aws.s3 import object_keys
from ondemand.models import Video
from ondemand.playback.grants import GrantRequest, grant_revoke, grant_url, video_grant_create
from tests.support.chromium import IN_BROWSER, SECONDS, chromium, faults, in_thread, until, watched
from tests.support.delivery import sign_with
from tests.support.helpers import bearer, make_video
from tests.support.road import BUCKET
from tools.local.aws import LocalAws

pytestmark = IN_BROWSER


def plays_to_the_end(page: Page, seconds: float = SECONDS) -> None:
    page.locator("video[data-hls]").wait_for()
    page.evaluate(
        "(v => { v.muted = true; v.defaultPlaybackRate = 8; v.play(); })(document.querySelector('video[data-hls]'))"
    )
    until(page, "document.querySelector('video[data-hls]').ended")
    length = page.evaluate("document.querySelector('video[data-hls]').currentTime")
    assert abs(length - seconds) < 1


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
        page.get_by_role("button", name="Play", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("cannot be loaded")
        # Nothing of another origin is played.
        page.goto("about:blank")
        page.goto(f"{url}/watch/{video.pk}#grant={quote('https://elsewhere.test/a.m3u8', safe='')}")
        expect(page.get_by_text("This video plays with a grant alone.")).to_be_visible()


def copied(video: Video) -> Video:
    """Another recording of the same channel, with the same files."""
    s3, prefix = boto3.client("s3"), f"{video.prefix}2"
    for key in object_keys(bucket=BUCKET, prefix=f"{video.prefix}/", pages=1):
        s3.copy_object(Bucket=BUCKET, Key=key.replace(video.prefix or "", prefix), CopySource=f"{BUCKET}/{key}")
    return make_video(
        channel=video.channel, bucket=BUCKET, prefix=prefix, facts=video.facts, duration_ms=video.duration_ms
    )


@pytest.mark.parametrize("delivery", ["direct", "signed"])
def test_trimmed_joined_and_clipped_videos_play_from_the_first_to_the_last_second(
    url: str, video: Video, aws: LocalAws, settings: Any, delivery: str, api_key: str
) -> None:
    if delivery == "signed":
        sign_with(settings, aws, "ecdsa")
    other = copied(video)

    def write(method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = Client().generic(
            method, f"/on-demand/{path}", json.dumps(body), "application/json", headers=bearer(api_key)
        )
        assert answer.status_code in {200, 201}, answer.content
        return answer.json()

    documents = [
        write("PATCH", f"{video.pk}", {"trim": {"start_ms": 4000, "end_ms": None}}),
        write("POST", f"{other.pk}/join", {"with": [str(video.pk)]}),
        write("POST", f"{other.pk}/clips", {"start_ms": 4000, "end_ms": 10_000, "active": True}),
    ]
    assert [round(document["duration_seconds"]) for document in documents] == [SECONDS - 4, 2 * SECONDS - 4, 8]
    with chromium() as browser, browser.new_context() as context, watched(context, 1280, "light") as (page, wrong):
        # The trimmed one is a part of the joined one now, and still opens by its address.
        for document in documents:
            page.goto(f"{url}/watch/{document['uuid']}")
            plays_to_the_end(page, document["duration_seconds"])
        assert faults(wrong) == []
