"""The bar below the player, chapters, and links to a time, in a browser: on pages of the catalogue and of the admin."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, Route, expect

from ondemand.models import Content, Video
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


def waits_at(page: Page | Frame, second: float) -> None:
    """Wait until the player will start at this second; nothing is loaded."""
    until(page, "!document.querySelector('.player-bar').hidden")
    until(page, f"Math.abs(document.querySelector('video').currentTime - {second}) < 0.2")
    assert page.evaluate("document.querySelector('video').readyState") == 0


def plays_from(page: Page | Frame, second: float) -> None:
    """Wait until the player has played for a moment from this second on, then pause it."""
    condition = f"v => v.readyState >= 2 && v.currentTime > {second} && v.currentTime < {second + 2}"
    until(page, f"({condition})(document.querySelector('video'))")
    page.evaluate("document.querySelector('video').pause()")


def test_a_link_starts_at_its_time_and_chapters_and_times_of_the_description_seek(url: str, video: Video) -> None:
    in_thread(
        lambda: Content.objects.filter(video=video).update(description="0:03 The question\n0:30 Not a time of it")
    )
    with chromium() as browser, visited(browser, 400, "dark") as (page, wrong):
        page.goto(f"{url}/watch/{video.pk}?t=4")
        waits_at(page, 4)
        panel = page.get_by_role("link", name="0:02 Panel")
        expect(panel).to_have_attribute("aria-current", "true")
        page.get_by_role("button", name="Play", exact=True).click()
        plays_from(page, 4)
        page.get_by_role("link", name="0:06 Closing").click()
        at(page, 6)
        assert page.evaluate("location.search") == "?t=4"
        expect(panel).not_to_have_attribute("aria-current", "true")
        page.get_by_role("link", name="0:03", exact=True).click()
        at(page, 3)
        expect(page.get_by_role("link", name="0:30")).to_have_count(0)
        looked_at(page, "player-400-dark")
        # Hours, minutes and seconds; no time, and one behind the end.
        for text, second in {"0h0m5s": 5, "2.5": 2.5, "3s": 3, "1h": 0, "99": 0, "-5": 0, "5x": 0, "": 0}.items():
            page.evaluate("localStorage.clear()")
            page.goto(f"{url}/watch/{video.pk}?t={text}")
            waits_at(page, second)
        # A link to a time plays.
        page.get_by_role("link", name="0:06 Closing").click()
        plays_from(page, 6)
        page.goto(f"{url}/embed/{video.pk}?t=5")
        waits_at(page, 5)
        page.get_by_role("button", name="Play", exact=True).click()
        plays_from(page, 5)
        assert faults(wrong) == []
    with chromium() as browser:
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(f"{url}/watch/{video.pk}")
        link = page.get_by_role("link", name="0:02 Panel")
        assert link.get_attribute("href") == "?t=2.5"


def test_a_link_to_the_position_is_copied_and_the_position_is_kept_in_the_browser_alone(url: str, video: Video) -> None:
    with chromium() as browser:
        context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
        with watched(context, 1280, "light") as (page, wrong):
            page.goto(f"{url}/watch/{video.pk}")
            waits_at(page, 0)
            expect(page.get_by_role("button", name="Copy link at")).to_have_count(0)
            # As many as the browser keeps, of other videos.
            page.evaluate("""localStorage.setItem("ivsvod.positions",
                JSON.stringify(Object.fromEntries([...Array(60).keys()].map((n) => [`other-${n}`, 9]))))""")
            page.get_by_role("link", name="0:02 Panel").click()
            page.evaluate("document.querySelector('video').pause()")
            page.keyboard.press("5")
            at(page, 4)
            page.get_by_role("button", name="Copy link at 0:04").click()
            assert page.evaluate("navigator.clipboard.readText()") == f"{url}/watch/{video.pk}?t=4"
            page.reload()
            expect(page.get_by_text("Resumed at 0:04")).to_be_visible()
            waits_at(page, 4)
            kept = page.evaluate("Object.entries(JSON.parse(localStorage.getItem('ivsvod.positions')))")
            assert len(kept) == 50
            assert kept[-1] == [str(video.pk), 4]
            looked_at(page, "player-resumed-1280-light")
            page.get_by_role("button", name="Start over").click()
            waits_at(page, 0)
            expect(page.get_by_text("Resumed at")).to_be_hidden()
            # An address with a time takes precedence.
            for second in (0, 2):
                page.goto(f"{url}/watch/{video.pk}?t={second}")
                waits_at(page, second)
                expect(page.get_by_text("Resumed at")).to_be_hidden()
            # Who was at the end begins anew.
            page.get_by_role("button", name="Play", exact=True).click()
            page.evaluate("document.querySelector('video').currentTime = 7.5")
            until(page, "document.querySelector('video').ended")
            page.goto(f"{url}/watch/{video.pk}")
            waits_at(page, 0)
            assert faults(wrong) == []


def test_the_keys_of_the_player_are_listed_and_work_before_anything_is_loaded(url: str, video: Video) -> None:
    with chromium() as browser, visited(browser, 400, "light") as (page, wrong):
        page.goto(f"{url}/watch/{video.pk}")
        waits_at(page, 0)
        page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Keys of the player")
        expect(dialog).to_contain_text("Play, pause")
        looked_at(page, "player-keys-400-light")
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        page.keyboard.press("5")
        waits_at(page, SECONDS / 2)
        page.keyboard.press("ArrowLeft")
        waits_at(page, 0)
        # A click on the text leaves the keys to the player; typing does not.
        page.get_by_text("Day one.").click()
        page.keyboard.press("2")
        waits_at(page, SECONDS / 5)
        page.get_by_role("searchbox").press_sequentially("k5")
        waits_at(page, SECONDS / 5)
        page.get_by_text("Day one.").click()
        page.keyboard.press("k")
        plays_from(page, SECONDS / 5)
        expect(page.locator(".player-status")).to_have_text("")
        assert faults(wrong) == []


def test_the_seek_bar_has_pictures_and_chapters_and_goes_by_keys_and_pointer(url: str, video: Video) -> None:
    with chromium() as browser, visited(browser, 1280, "light") as (page, wrong):
        page.goto(f"{url}/watch/{video.pk}")
        waits_at(page, 0)
        bar, preview = page.get_by_role("slider", name="Position in the recording"), page.locator(".seek-preview")
        expect(bar).to_have_attribute("aria-valuetext", "0:00 of 0:08, Opening")
        expect(page.locator(".seek-marks span")).to_have_count(2)
        expect(preview).to_be_hidden()
        # By keys.
        page.get_by_role("link", name="0:00 Opening").focus()
        bar.focus()
        page.keyboard.press("ArrowRight")
        waits_at(page, 5)
        expect(bar).to_have_attribute("aria-valuetext", "0:05 of 0:08, Panel")
        expect(preview).to_have_text(re.compile("0:05 Panel"))
        page.keyboard.press("ArrowLeft")
        waits_at(page, 0)
        page.keyboard.press("End")
        waits_at(page, SECONDS - 0.05)
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
        waits_at(page, SECONDS / 2)
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
        waits_at(page, 0)
        choice = page.get_by_label("Quality")
        names = choice.locator("option").all_inner_texts()
        # Chosen before anything is loaded.
        choice.select_option(label=names[-1])
        page.get_by_role("button", name="Play", exact=True).click()
        plays_from(page, 0)
        assert page.evaluate("document.querySelector('video').videoHeight") == int(names[-1].removesuffix("p"))
        assert choice.locator("option").all_inner_texts() == names
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
        page.goto(f"{url}/watch/{video.pk}?one=1&t=1")
        page.get_by_role("button", name="Play", exact=True).click()
        plays_from(page, 1)
        expect(page.get_by_role("slider", name="Position in the recording")).to_be_visible()
        expect(choice).to_be_hidden()
        assert faults(wrong) == []


def test_subtitles_of_the_playlist_are_chosen_in_the_bar(url: str, video: Video) -> None:
    def with_subtitles(route: Route) -> None:
        group = '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="English",LANGUAGE="en",URI="english.m3u8"\n'
        text = route.fetch().text().replace("#EXT-X-STREAM-INF:", '#EXT-X-STREAM-INF:SUBTITLES="text",')
        route.fulfill(body=text.replace("#EXT-X-STREAM-INF", f"{group}#EXT-X-STREAM-INF", 1))

    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8,\nenglish.vtt\n#EXT-X-ENDLIST\n"
    with chromium() as browser, visited(browser, 1280, "light") as (page, wrong):
        page.route("**/master.m3u8", with_subtitles)
        page.route("**/english.m3u8", lambda route: route.fulfill(body=playlist))
        cue = "WEBVTT\n\n00:00.000 --> 00:08.000\nGood evening.\n"
        page.route("**/english.vtt", lambda route: route.fulfill(body=cue))
        page.goto(f"{url}/watch/{video.pk}")
        choice = page.get_by_label("Captions")
        expect(choice).to_be_hidden()
        page.get_by_role("button", name="Play", exact=True).click()
        plays_from(page, 0)
        expect(choice.locator("option:checked")).to_have_text("Off")
        choice.select_option(label="English")
        until(page, "document.querySelector('video').textTracks[0].activeCues?.[0]?.text === 'Good evening.'")
        choice.select_option(label="Off")
        assert page.evaluate("document.querySelector('video').textTracks[0].mode") == "disabled"
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
