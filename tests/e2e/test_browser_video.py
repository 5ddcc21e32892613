"""The page of a video in a browser: playing by keys, pictures, and what is typed."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from channels_app.models import Channel
from ondemand.models import Content, Video
from tests.support.chromium import IN_BROWSER, PASSWORD, SECONDS, chromium, faults, in_thread, opened, picture, until
from tests.support.console import NINE, make_video
from tests.support.pictures import picture_file

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
    """Return a recording without content that awaits review."""
    Content.objects.all().delete()
    Video.objects.filter(pk=video.pk).update(awaits_review=True, active=False)
    return video


def test_keys_drive_the_player_and_leaving_with_unsaved_changes_asks_first(url: str, video: Video) -> None:
    unfinished = make_video(status="recording", facts=None)
    with chromium() as browser, opened(browser, url, 1280, "light") as (page, wrong):
        page.goto(address(url, video))
        ready(page)
        width, length = page.evaluate(
            "(({ videoWidth, duration }) => [videoWidth, duration])(document.querySelector('video'))"
        )
        assert width > 0
        assert abs(length - SECONDS) < 1
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
        until(page, "document.querySelector('video').currentTime > 0.3")
        page.keyboard.press("k")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        picture(page, "video-keys-1280-light")
        page.get_by_label("Keys act").uncheck()
        page.get_by_role("button", name="Close").click()
        expect(page.get_by_role("dialog")).to_be_hidden()
        # Turned off, also on the next page; the list of keys keeps its button.
        page.reload()
        ready(page)
        for key in ("k", "0", "?", "m", "t"):
            page.keyboard.press(key)
        page.keyboard.press("ArrowRight")
        until(page, "Math.abs(document.querySelector('video').currentTime - 5) < 0.3")
        assert page.evaluate("[document.querySelector('video').paused, document.activeElement.tagName]") == [
            True,
            "BODY",
        ]
        page.goto(address(url, unfinished))
        expect(page.get_by_text("There is nothing to play")).to_be_visible()
        page.keyboard.press("t")
        expect(page.get_by_label("Title", exact=True)).not_to_be_focused()
        page.goto(address(url, video))
        ready(page)
        page.get_by_role("button", name="Keys", exact=True).click()
        page.get_by_label("Keys act").check()
        page.get_by_role("button", name="Close").click()
        # With Shift a letter is another key.
        page.keyboard.press("Shift+M")
        assert page.evaluate("document.querySelector('video').muted")
        # Sound and speed are remembered, and keys stay out of what is typed.
        page.reload()
        ready(page)
        expect(page.get_by_label("Speed")).to_have_value("1.25")
        assert page.evaluate("document.querySelector('video').muted")
        page.get_by_label("Title", exact=True).press_sequentially("km 5,.?")
        expect(page.get_by_label("Title", exact=True)).to_have_value(re.compile(r"km 5,\.\?"))
        assert time_of(page) == 0
        dialogs: list[str] = []

        def stay(dialog: Any) -> None:
            dialogs.append(dialog.type)
            dialog.dismiss()

        page.on("dialog", stay)
        with page.expect_event("dialog"):
            page.get_by_role("link", name="Videos", exact=True).first.click()
        assert dialogs == ["beforeunload"]
        expect(page.get_by_label("Title", exact=True)).to_have_value(re.compile("km 5"))
        assert faults(wrong) == []
        # Its files are gone.
        page.remove_listener("dialog", stay)
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(f"{url}/admin/ondemand/video/{UUID(int=8)}/change/")
        expect(page.get_by_role("alert")).to_contain_text("cannot be loaded")


def test_a_recording_is_cut_by_keys_previewed_and_shown_whole_again(url: str, video: Video) -> None:
    with chromium() as browser, opened(browser, url, 1280, "light") as (page, wrong):
        page.goto(address(url, video))
        ready(page)
        start = page.get_by_role("slider", name="Start of what is shown")
        for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight"):
            start.press(key)
        expect(start).to_have_attribute("aria-valuetext", "0:00:05")
        page.get_by_role("button", name="Preview").click()
        expect(page.locator(".cut-status")).to_have_text("0:00:04 to 0:00:08 is shown, 0:00:04 long.")
        until(page, "document.querySelector('video').currentTime > 4.2")
        # It stops where the result would end.
        until(page, "document.querySelector('video').paused")
        picture(page, "video-cut-1280-light")
        page.get_by_role("button", name="Show only this").click()
        expect(page.get_by_text("0:00:04 to 0:00:08 of the recording is shown.").first).to_be_visible()
        ready(page)
        until(page, "Math.abs(document.querySelector('video').duration - 4) < 0.2")
        # The handles stand in times of the whole recording, which the preview plays.
        end = page.get_by_role("slider", name="End of what is shown")
        page.get_by_role("slider", name="Start of what is shown").press("Home")
        for _ in range(5):
            end.press("ArrowLeft")
        page.get_by_role("button", name="Preview").click()
        expect(page.locator(".cut-status")).to_have_text("0:00:00 to 0:00:04 is shown, 0:00:04 long.")
        until(page, "Math.abs(document.querySelector('video').duration - 8) < 0.2")
        page.get_by_role("button", name="Show the whole recording again").click()
        expect(page.get_by_text("The whole recording is shown again.")).to_be_visible()
        assert faults(wrong) == []
    assert Video.objects.get(pk=video.pk).edit is None


def test_a_file_is_previewed_and_a_large_one_is_shrunk_before_it_is_sent(
    url: str, video: Video, tmp_path: Path
) -> None:
    large = tmp_path / "holiday.png"
    large.write_bytes(picture_file("PNG", (2600, 1700), noise=True, compress_level=1))
    assert large.stat().st_size > 3 * 1024 * 1024
    with chromium() as browser, opened(browser, url, 1280, "dark") as (page, wrong):
        page.goto(address(url, video))
        page.get_by_label("Upload a picture").set_input_files(large)
        choice = page.locator("[data-upload-choice]")
        expect(choice).to_be_visible()
        expect(choice.get_by_role("radio")).to_be_checked()
        until(page, "document.querySelector('input[name=picture]').files[0].type === 'image/jpeg'")
        # Another choice takes it back; the file comes again.
        page.locator("input[name=thumbnail]").first.check()
        expect(choice).to_be_hidden()
        assert page.evaluate("document.querySelector('input[name=picture]').files.length") == 0
        page.get_by_label("Upload a picture").set_input_files(large)
        until(page, "document.querySelector('input[name=picture]').files[0]?.type === 'image/jpeg'")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("was changed successfully")).to_be_visible()
        given_choice = page.get_by_role("radio", name="The picture from elsewhere")
        expect(given_choice).to_be_checked()
        until(page, "document.querySelector('.picture-choice:has(:checked) img').naturalWidth === 1920")
        assert faults(wrong) == []


def test_enter_saves_and_goes_on_and_letters_decide_where_nobody_types(url: str, new: Video) -> None:
    waits: dict[str, Any] = {"facts": None, "awaits_review": True, "active": False}
    others = [make_video(prefix=f"gone/{n}", started_at=NINE - timedelta(hours=n), **waits) for n in range(3)]
    queue = "?_changelist_filters=review%3Dyes"
    with chromium() as browser, opened(browser, url, 1280, "light") as (page, wrong):
        page.goto(address(url, new) + queue)
        title = page.get_by_label("Title", exact=True)
        page.keyboard.press("t")
        expect(title).to_be_focused()
        page.keyboard.type("Push phus")
        title.press("Enter")
        page.wait_for_url(address(url, others[0]) + queue)
        # A field, a dialog, a modifier, or a key that is held down.
        page.get_by_label("Description").press_sequentially("push")
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_contain_text("Publish & next")
        page.keyboard.press("h")
        page.keyboard.press("Escape")
        page.keyboard.press("Alt+h")
        page.keyboard.press("Shift+H")
        page.evaluate(
            "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'h', bubbles: true, repeat: true}))"
        )
        assert page.url == address(url, others[0]) + queue
        # A second press on the way changes nothing.
        page.evaluate("document.querySelectorAll('[data-key=H]').forEach(each => { each.click(); each.click(); })")
        page.wait_for_url(re.compile(str(others[1].pk)))
        page.get_by_role("button", name="Undo").click()
        page.wait_for_url(address(url, others[0]) + queue)
        expect(page.get_by_text("was restored")).to_be_visible()
        expect(page.get_by_label("Description")).to_have_value("push")
        page.keyboard.press("s")
        page.wait_for_url(re.compile(str(others[1].pk)))
        # Typed tags are added, and nothing asks.
        page.get_by_role("combobox", name="Tags").press_sequentially("gala")
        page.keyboard.press("Control+Enter")
        page.wait_for_url(re.compile(str(others[2].pk)))
        expect(page.get_by_text("Published “")).to_be_visible()
        assert [line for line in faults(wrong) if "/gone/" not in line and "404 (Not Found)" not in line] == []
    rows = {video.pk: video for video in Video.objects.select_related("content")}
    decided = [(row.active, row.awaits_review) for row in (rows[each.pk] for each in (new, *others))]
    assert decided == [(False, True), (False, True), (True, False), (False, True)]
    assert (rows[new.pk].content.title, rows[others[1].pk].content.tags) == ("Push phus", ["gala"])


def test_going_back_shows_the_saved_values_so_that_the_next_save_reverts_nothing(url: str, new: Video) -> None:
    channel = new.channel_id
    with chromium() as browser, opened(browser, url, 1280, "light") as (page, wrong):
        page.goto(address(url, new))
        page.get_by_role("button", name="Publish & next").click()
        page.wait_for_url(re.compile("review"))
        page.go_back()
        page.wait_for_url(address(url, new))
        expect(page.get_by_role("radio", name="Shown", exact=True)).to_be_checked()
        page.get_by_label("Title", exact=True).fill("Typed")
        page.keyboard.press("Enter")
        expect(page.get_by_text("The video “Typed” was changed successfully.")).to_be_visible()
        page.goto(f"{url}/admin/channels_app/channel/{channel}/change/")
        expect(page.get_by_label("Private")).not_to_be_checked()
        page.goto(f"{url}/admin/")
        in_thread(lambda: Channel.objects.filter(pk=channel).update(private=True))
        page.go_back()
        expect(page.get_by_label("Private")).to_be_checked()
        assert faults(wrong) == []
    assert Video.objects.get(pk=new.pk).active


def test_the_page_works_without_scripts_except_for_playback(url: str, new: Video) -> None:
    with chromium() as browser:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{url}/admin/")
        page.get_by_label("Username").fill("boss")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.goto(address(url, new))
        page.get_by_label("Title", exact=True).fill("Without scripts")
        page.locator("textarea[name=tags]").fill("plain")
        given = {"name": "a.png", "mimeType": "image/png", "buffer": picture_file("PNG", (64, 36))}
        page.get_by_label("Upload a picture").set_input_files(given)
        page.get_by_role("button", name="Publish & next").click()
        expect(page.get_by_text("Published “Without scripts”.")).to_be_visible()
        context.close()
    content = Content.objects.get()
    assert (content.title, content.tags) == ("Without scripts", ["plain"])
    assert "/thumbnails/" in (content.thumbnail or "")
