"""The page of a video in a browser: playing by keys, pictures, and one page load from finding to published."""

import re
from typing import Any
from urllib.request import urlopen

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from ondemand.models import Content, Video
from tests.chromium import IN_BROWSER, PASSWORD, chromium, faults, opened, picture, until
from tests.pictures import picture_file

pytestmark = IN_BROWSER


def address(url: str, video: Video) -> str:
    return f"{url}/admin/ondemand/video/{video.pk}/change/"


def time_of(page: Page) -> float:
    return float(page.evaluate("document.querySelector('video').currentTime"))


def ready(page: Page) -> None:
    page.locator("video[data-hls]").wait_for()
    until(page, "document.querySelector('video').readyState >= 2")


@pytest.fixture
def new(video: Video) -> Video:
    """A recording that nobody has written about, and that waits for somebody's word."""
    Content.objects.all().delete()
    Video.objects.filter(pk=video.pk).update(awaits_review=True, active=False)
    return video


def test_keys_seek_step_and_change_the_speed(url: str, video: Video) -> None:
    with chromium() as browser, opened(browser, url, 1280, "light") as (page, wrong):
        page.goto(address(url, video))
        ready(page)
        for key, second in (("5", 4), ("ArrowLeft", 0), ("ArrowRight", 5), ("j", 0), ("9", 7.2), ("0", 0)):
            page.keyboard.press(key)
            until(page, f"Math.abs(document.querySelector('video').currentTime - {second}) < 0.3")
        page.keyboard.press(".")
        until(page, "document.querySelector('video').currentTime > 0.02")
        page.keyboard.press(">")
        expect(page.get_by_label("Speed")).to_have_value("1.25")
        page.keyboard.press("m")
        until(page, "document.querySelector('video').muted")
        page.keyboard.press("k")
        until(page, "!document.querySelector('video').paused")
        page.keyboard.press("k")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        picture(page, "video-keys-1280-light")
        page.keyboard.press("Escape")
        # Sound and speed are remembered, and keys stay out of what is typed.
        page.reload()
        ready(page)
        expect(page.get_by_label("Speed")).to_have_value("1.25")
        assert page.evaluate("document.querySelector('video').muted")
        page.get_by_label("Title").press_sequentially("km 5,.?")
        expect(page.get_by_label("Title")).to_have_value(re.compile(r"km 5,\.\?"))
        assert time_of(page) == 0
        page.get_by_role("button", name="Save and continue editing").click()
        assert faults(wrong) == []


def test_the_whole_story_takes_few_clicks_and_one_page_load(url: str, new: Video) -> None:
    with chromium() as browser, opened(browser, url, 1280, "light") as (page, wrong):
        page.goto(f"{url}/admin/ondemand/video/?review=yes")
        clicks = Clicks(page)
        clicks.click(page.locator("#result_list tbody").get_by_role("link").first)
        ready(page)
        page.keyboard.press("k")
        until(page, "document.querySelector('video').currentTime > 1")
        page.keyboard.press("k")
        clicks.click(page.get_by_role("button", name="Use the title that is offered"))
        expect(page.get_by_role("button", name="Use the title that is offered")).to_be_hidden()
        clicks.click(page.get_by_role("combobox", name="Tags"))
        page.keyboard.type("festival")
        clicks.click(page.get_by_role("button", name="Use this frame as the picture"))
        expect(page.locator("[data-upload-choice]")).to_be_visible()
        until(page, "document.querySelector('input[name=picture]').files.length === 1")
        clicks.click(page.get_by_role("radio", name="Shown", exact=True))
        picture(page, "video-story-1280-light")
        loads = clicks.loads
        clicks.click(page.get_by_role("button", name="Save", exact=True))
        expect(page.get_by_text("was changed successfully")).to_be_visible()
        assert clicks.count <= 12
        assert loads == 1
        assert faults(wrong) == []
    video, content = Video.objects.get(pk=new.pk), Content.objects.get()
    assert (video.active, video.awaits_review) == (True, False)
    assert (content.title or "").startswith("Main stage, ")
    assert content.tags == ["festival"]
    with urlopen(content.thumbnail or "") as kept:
        # As large as the best rendition, though the player shows a smaller one.
        assert Image.open(kept).size == (1280, 720)
    assert re.fullmatch(rf"{re.escape(url)}/_local/media/thumbnails/[0-9a-f]{{64}}\.jpg", content.thumbnail or "")


class Clicks:
    """Clicks and loads of pages, counted."""

    def __init__(self, page: Page) -> None:
        self.count = self.loads = 0
        page.on("load", self._loaded)

    def _loaded(self, _: Any) -> None:
        self.loads += 1

    def click(self, locator: Any) -> None:
        self.count += 1
        locator.click()


def test_a_file_is_shown_before_it_is_sent_and_made_small_where_it_is_large(url: str, video: Video) -> None:
    large = picture_file("PNG", (2600, 1700), noise=True)
    assert len(large) > 3 * 1024 * 1024
    with chromium() as browser, opened(browser, url, 1280, "dark") as (page, wrong):
        page.goto(address(url, video))
        given = {"name": "holiday.png", "mimeType": "image/png", "buffer": large}
        page.get_by_label("Upload a picture").set_input_files(given)
        choice = page.locator("[data-upload-choice]")
        expect(choice).to_be_visible()
        expect(choice.get_by_role("radio")).to_be_checked()
        until(page, "document.querySelector('input[name=picture]').files[0].type === 'image/jpeg'")
        # Another choice takes it back; the file comes again.
        page.locator("input[name=thumbnail]").first.check()
        expect(choice).to_be_hidden()
        assert page.evaluate("document.querySelector('input[name=picture]').files.length") == 0
        page.get_by_label("Upload a picture").set_input_files(given)
        until(page, "document.querySelector('input[name=picture]').files[0]?.type === 'image/jpeg'")
        page.get_by_role("button", name="Save and continue editing").click()
        expect(page.get_by_text("was changed successfully")).to_be_visible()
        given_choice = page.get_by_role("radio", name="The picture that somebody gave")
        expect(given_choice).to_be_checked()
        until(page, "document.querySelector('.picture-choice:has(:checked) img').naturalWidth === 1920")
        assert faults(wrong) == []


def test_what_was_typed_is_not_lost_without_a_question(url: str, video: Video) -> None:
    with chromium() as browser, opened(browser, url, 1280, "light") as (page, wrong):
        page.goto(address(url, video))
        asked: list[str] = []

        def stay(dialog: Any) -> None:
            asked.append(dialog.type)
            dialog.dismiss()

        page.on("dialog", stay)
        page.get_by_label("Title").fill("Typed")
        page.get_by_role("link", name="Videos", exact=True).first.click()
        page.wait_for_timeout(500)
        assert asked == ["beforeunload"]
        expect(page.get_by_label("Title")).to_have_value("Typed")
        assert faults(wrong) == []


def test_the_page_does_without_scripts_but_for_playing(url: str, new: Video) -> None:
    with chromium() as browser:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{url}/admin/")
        page.get_by_label("Username").fill("boss")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.goto(address(url, new))
        page.get_by_label("Title").fill("Without scripts")
        page.locator("textarea[name=tags]").fill("plain")
        given = {"name": "a.png", "mimeType": "image/png", "buffer": picture_file("PNG", (64, 36))}
        page.get_by_label("Upload a picture").set_input_files(given)
        page.get_by_role("radio", name="Shown", exact=True).check()
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("was changed successfully")).to_be_visible()
        context.close()
    content = Content.objects.get()
    assert (content.title, content.tags) == ("Without scripts", ["plain"])
    assert "/thumbnails/" in (content.thumbnail or "")
