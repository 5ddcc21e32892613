"""The bar below the player, chapters, and links to a time, in a browser: on pages of the catalogue and of the admin."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, Route, expect

from ondemand.models import Video
from tests.support.chromium import IN_BROWSER, SECONDS, chromium, faults, in_thread, looked_at, opened, until, watched

pytestmark = IN_BROWSER
CHAPTERS = [{"at_ms": 0, "title": "Opening"}, {"at_ms": 2500, "title": "Panel"}, {"at_ms": 6000, "title": "Closing"}]


@pytest.fixture
def video(video: Video) -> Video:
    """A recording with chapters."""
    Video.objects.filter(pk=video.pk).update(chapters=CHAPTERS)
    return video


def at(page: Page | Frame, second: float) -> None:
    """Wait until the player is there, and shows a picture."""
    condition = f"v => v.readyState >= 2 && !v.seeking && Math.abs(v.currentTime - {second}) < 0.2"
    until(page, f"({condition})(document.querySelector('video'))")


def visited(browser: Browser, width: int, scheme: Any) -> Any:
    return watched(browser.new_context(), width, scheme)


def test_a_link_starts_at_its_time_chapters_seek_and_the_share_link_has_the_position(url: str, video: Video) -> None:
    with chromium() as browser, visited(browser, 400, "dark") as (page, wrong):
        page.goto(f"{url}/watch/{video.pk}?t=4")
        at(page, 4)
        panel = page.get_by_role("link", name="0:02 Panel")
        expect(panel).to_have_attribute("aria-current", "true")
        page.get_by_role("link", name="0:06 Closing").click()
        at(page, 6)
        assert page.evaluate("location.search") == "?t=4"
        expect(panel).not_to_have_attribute("aria-current", "true")
        page.get_by_label("Start at the position of the player").check()
        expect(page.get_by_label("Link", exact=True)).to_have_value(f"{url}/watch/{video.pk}?t=6")
        page.get_by_label("Start at the position of the player").uncheck()
        expect(page.get_by_label("Link", exact=True)).to_have_value(f"{url}/watch/{video.pk}")
        looked_at(page, "player-400-dark")
        # Hours, minutes and seconds; no time, and one behind the end.
        for text, second in {"0h0m5s": 5, "2.5": 2.5, "3s": 3, "1h": 0, "99": 0, "-5": 0, "5x": 0, "": 0}.items():
            page.goto(f"{url}/watch/{video.pk}?t={text}")
            at(page, second)
        page.goto(f"{url}/embed/{video.pk}?t=5")
        at(page, 5)
        assert faults(wrong) == []
    with chromium() as browser:
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(f"{url}/watch/{video.pk}")
        link = page.get_by_role("link", name="0:02 Panel")
        assert link.get_attribute("href") == "?t=2.5"


def test_the_seek_bar_has_pictures_and_chapters_and_goes_by_keys_and_pointer(url: str, video: Video) -> None:
    with chromium() as browser, visited(browser, 1280, "light") as (page, wrong):
        page.goto(f"{url}/watch/{video.pk}")
        at(page, 0)
        bar, preview = page.get_by_role("slider", name="Position in the recording"), page.locator(".seek-preview")
        expect(bar).to_have_attribute("aria-valuetext", "0:00 of 0:08, Opening")
        expect(page.locator(".seek-marks span")).to_have_count(2)
        expect(preview).to_be_hidden()
        # By keys.
        page.get_by_role("link", name="0:00 Opening").focus()
        bar.focus()
        page.keyboard.press("ArrowRight")
        at(page, 5)
        expect(bar).to_have_attribute("aria-valuetext", "0:05 of 0:08, Panel")
        expect(preview).to_have_text(re.compile("0:05 Panel"))
        page.keyboard.press("ArrowLeft")
        at(page, 0)
        page.keyboard.press("End")
        at(page, SECONDS)
        page.keyboard.press("Tab")
        expect(preview).to_be_hidden()
        # By the pointer: the preview alone, until it is pressed.
        box = bar.bounding_box()
        assert box
        shown = []
        for share in (0.05, 0.95):
            page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
            until(page, "(i => i.complete && i.naturalWidth > 0)(document.querySelector('.seek-preview img'))")
            shown.append(page.locator(".seek-preview img").get_attribute("src"))
        assert len(set(shown)) == 2
        assert all("/media/thumbnails/" in str(address) for address in shown)
        expect(preview).to_contain_text("Closing")
        looked_at(page, "player-preview-1280-light")
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.up()
        at(page, SECONDS / 2)
        page.mouse.move(5, 5)
        expect(preview).to_be_hidden()
        # Nobody sees a picture of a video that takes a grant.
        in_thread(lambda: Video.objects.filter(pk=video.pk).update(playback="grant"))
        page.goto(f"{url}/watch/{video.pk}?fresh=1")
        assert "thumbnails" not in page.content()
        assert faults(wrong) == []


def test_the_quality_is_automatic_until_somebody_chooses_one(url: str, video: Video) -> None:
    with chromium() as browser, visited(browser, 1280, "dark") as (page, wrong):
        page.goto(f"{url}/watch/{video.pk}")
        at(page, 0)
        choice = page.get_by_label("Quality")
        names = choice.locator("option").all_inner_texts()
        heights = page.evaluate("document.querySelector('video').hls.levels.map((level) => level.height)")
        assert names[1:] == [f"{height}p" for height in sorted(heights, reverse=True)]
        assert len(names) > 2
        for height in (max(heights), min(heights)):
            choice.select_option(label=f"{height}p")
            until(page, f"document.querySelector('video').videoHeight === {height}")
            assert not page.evaluate("document.querySelector('video').hls.autoLevelEnabled")
        expect(choice.locator("option").first).to_have_text("Automatic")
        choice.select_option(value="-1")
        until(page, "document.querySelector('video').hls.autoLevelEnabled")
        button = page.get_by_role("button", name="Picture in picture")
        assert button.is_visible() == page.evaluate("document.pictureInPictureEnabled")

        def one_quality(route: Route) -> None:
            text = route.fetch().text()
            first = "#EXT-X-STREAM-INF".join(text.split("#EXT-X-STREAM-INF")[:2])
            route.fulfill(body=first, content_type="application/vnd.apple.mpegurl")

        page.route("**/master.m3u8", one_quality)
        page.goto(f"{url}/watch/{video.pk}?one=1")
        at(page, 0)
        expect(page.get_by_role("slider", name="Position in the recording")).to_be_visible()
        expect(choice).to_be_hidden()
        assert faults(wrong) == []


def test_a_chapter_is_added_at_the_position_of_the_player_in_the_admin(url: str, video: Video) -> None:
    with chromium() as browser, opened(browser, url, 400, "light") as (page, wrong):
        page.goto(f"{url}/admin/ondemand/video/{video.pk}/change/?t=4")
        at(page, 4)
        lines = page.get_by_role("textbox", name="Chapters")
        expect(lines).to_have_value("0:00:00 Opening\n0:00:02.500 Panel\n0:00:06 Closing")
        page.get_by_role("button", name="Add a chapter at the player's position").click()
        page.keyboard.type("Questions")
        expect(lines).to_have_value("0:00:00 Opening\n0:00:02.500 Panel\n0:00:04 Questions\n0:00:06 Closing")
        looked_at(page, "admin-chapters-400-light")
        # Each event of the stream has a button that seeks.
        for button in page.locator("button[data-seek]").all():
            expect(button).to_be_enabled()
        # The keys of the player go on while the bar has the focus, and its own keys are its own.
        page.get_by_role("slider", name="Position in the recording").focus()
        page.keyboard.press("ArrowLeft")
        at(page, 0)
        page.keyboard.press("l")
        at(page, SECONDS)
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("link", name="0:04 Questions").click()
        at(page, 4)
        assert faults(wrong) == []
    added = {"at_ms": 4000, "title": "Questions"}
    assert Video.objects.get(pk=video.pk).chapters == [*CHAPTERS[:2], added, CHAPTERS[2]]
