"""The working day of staff in a browser: what a curator does to new recordings, and a channel manager to channels."""

import re
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from channels_app.services import channel_create
from ivsvod.local.aws import LocalAws
from ivsvod.local.studio import broadcast
from ondemand.models import Content, Video
from tests.chromium import IN_BROWSER, SECONDS, chromium, faults, opened, picture, staff_of, until
from tests.helpers import THOROUGH, make_content, make_video

pytestmark = IN_BROWSER
LOOKS = [(1280, "light"), (400, "dark")][: 2 if THOROUGH else 1]
MOST_CLICKS = 12
# Whatever is pressed by a pointer, wherever it leads: a click on a label is one, though the browser makes two of it.
COUNTING = "window.addEventListener('pointerdown', event => { if (event.isTrusted) wasPressed(); }, true);"


class Effort:
    """What an item costs whoever works on it: presses of the pointer, and pages that are loaded."""

    def __init__(self, page: Page) -> None:
        self.clicks = self.loads = 0
        page.expose_function("wasPressed", self._pressed)
        page.add_init_script(COUNTING)
        page.on("framenavigated", lambda frame: self._loaded() if frame == page.main_frame else None)
        page.reload()
        self.begin()

    def begin(self, *, loaded: int = 0) -> None:
        """The next item: its page may be loaded already."""
        self.clicks, self.loads = 0, loaded

    def _pressed(self) -> None:
        self.clicks += 1

    def _loaded(self) -> None:
        self.loads += 1


@pytest.fixture
def waiting(url: str, aws: LocalAws, recorded: Path, settings: Any) -> list[Video]:
    """Three broadcasts that just ended, of which nobody has said yet who may see them; the newest first."""
    settings.NEW_VIDEO_STATE = "unlisted"
    curator = staff_of("Curators", "cora")
    make_content(make_video(), tags=["festival", "day one"], created_by=curator.uuid)
    channel = channel_create(name="Main stage", owner=curator.uuid)
    for _ in range(3):
        broadcast(home=aws.home, channel=channel, seconds=SECONDS, record=recorded)
    return list(Video.objects.to_review().newest_first())


def plays(page: Page) -> None:
    """Look whether the recording plays, by the pointer alone."""
    player = page.locator("video[data-hls]")
    player.wait_for()
    until(page, "document.querySelector('video').readyState >= 2")
    player.click()
    until(page, "document.querySelector('video').currentTime > 0.5")
    player.click()
    until(page, "document.querySelector('video').paused")


def tag(page: Page, typed: str, offered: str) -> None:
    """Give it a tag that is completed."""
    box = page.get_by_role("combobox", name="Tags")
    box.click()
    box.press_sequentially(typed)
    page.get_by_role("option", name=offered).click()
    expect(page.locator(".tags-chips").get_by_text(offered, exact=True)).to_be_visible()


def frame(page: Page) -> Locator:
    """The choice of the frame that the player shows, once it is taken."""
    page.get_by_role("button", name="Use this frame as the picture").click()
    until(page, "document.querySelector('input[name=picture]').files.length === 1")
    return page.get_by_role("radio", name="The picture that you gave")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_curator_publishes_what_was_recorded_in_few_clicks_and_one_page_load_each(
    url: str, waiting: list[Video], width: int, scheme: str
) -> None:
    label = f"{width}-{scheme}"
    with chromium() as browser, opened(browser, url, width, scheme, who="cora") as (page, wrong):
        effort = Effort(page)
        queue = page.get_by_role("region", name="To review")
        expect(queue.get_by_role("listitem")).to_have_count(3)
        picture(page, f"story-queue-{label}")
        queue.get_by_role("listitem").last.get_by_role("link").click()
        for number in range(3):
            plays(page)
            page.get_by_role("button", name="Use the title that is offered").click()
            tag(page, "fest", "festival")
            if number == 1:
                expect(frame(page)).to_be_checked()
            else:
                page.locator(".picture-choice:has(img)").nth(number + 1).click()
            page.get_by_role("radio", name="Shown", exact=True).click()
            page.get_by_role("radio", name="Everybody").click()
            picture(page, f"story-{number}-{label}")
            last = number == 2
            assert effort.loads == 1
            page.get_by_role("button", name="Save" if last else "Save and go to the next to review", exact=True).click()
            expect(page.get_by_text("was changed successfully")).to_be_visible()
            assert 6 <= effort.clicks <= MOST_CLICKS
            # The page to which saving led is that of the next one.
            effort.begin(loaded=1)
        picture(page, f"story-done-{label}")
        page.goto(f"{url}/admin/")
        expect(page.get_by_text("No new recording waits for a decision.")).to_be_visible()
        page.goto(f"{url}/?tag=festival")
        expect(page.get_by_role("heading", name=re.compile("^Main stage, "))).to_have_count(3)
        picture(page, f"story-public-{label}")
        assert faults(wrong) == []
    assert list(Video.objects.to_review()) == []
    contents = [Content.objects.get(video=video) for video in reversed(waiting)]
    assert [content.tags for content in contents] == [["festival"]] * 3
    with urlopen(contents[1].thumbnail or "") as kept:
        # As large as the best rendition, though the player shows a smaller one.
        assert Image.open(kept).size == (1280, 720)
    assert re.fullmatch(rf"{re.escape(url)}/_local/media/thumbnails/[0-9a-f]{{64}}\.jpg", contents[1].thumbnail or "")
