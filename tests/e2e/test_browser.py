"""A browser signs in to the admin and plays a recording there, over the server of the demo."""

from uuid import UUID

import pytest
from playwright.sync_api import expect

from ondemand.models import Video
from tests.support.chromium import IN_BROWSER, LONG_TITLE, SECONDS, chromium, faults, fits, opened, picture, play, until
from tests.support.helpers import THOROUGH

pytestmark = IN_BROWSER


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")][: 2 if THOROUGH else 1])
def test_a_recording_is_found_in_the_admin_plays_and_is_edited_and_hidden(
    url: str, video: Video, width: int, scheme: str
) -> None:
    with chromium() as browser, opened(browser, url, width, scheme) as (page, wrong):
        label = f"{width}-{scheme}"
        page.goto(f"{url}/admin/")
        picture(page, f"start-{label}")
        page.get_by_role("main").get_by_role("link", name="Videos", exact=True).click()
        loaded = "[...document.querySelectorAll('img.thumbnail')].every(i => i.complete && i.naturalWidth > 0)"
        until(page, loaded)
        page.evaluate("Promise.all([...document.querySelectorAll('img.thumbnail')].map(i => i.decode()))")
        assert fits(page)
        picture(page, f"videos-{label}")
        page.get_by_role("link", name=LONG_TITLE, exact=True).last.click()
        state = play(page)
        assert state["ready"] >= 2
        assert state["width"] > 0
        assert abs(state["length"] - SECONDS) < 1
        page.get_by_text("Technical facts").click()
        assert fits(page)
        picture(page, f"video-{label}")
        page.get_by_label("Title").fill("Closing show")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("was changed successfully")).to_be_visible()
        page.get_by_role("row").filter(has_text="Closing show").get_by_role("checkbox").check()
        page.locator("select[name=action]").select_option(label="Hide")
        page.get_by_role("button", name="Go", exact=True).click()
        page.get_by_role("button", name="Hide").click()
        expect(page.get_by_text("Hide: 1 changed")).to_be_visible()
        expect(
            page.get_by_role("row").filter(has_text="Closing show").get_by_text("hidden", exact=True)
        ).to_be_visible()
        assert faults(wrong) == []
        # Its files are gone.
        page.goto(f"{url}/admin/ondemand/video/{UUID(int=8)}/change/")
        expect(page.get_by_role("alert")).to_contain_text("cannot be loaded")
        picture(page, f"gone-{label}")
    video.refresh_from_db()
    assert video.active is False


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")][: 2 if THOROUGH else 1])
def test_the_api_is_read_and_tried_in_the_browser(url: str, video: Video, width: int, scheme: str) -> None:
    with chromium() as browser, opened(browser, url, width, scheme) as (page, wrong):
        page.goto(f"{url}/docs")
        operation = page.locator("#operations-Videos-listVideos")
        operation.wait_for()
        picture(page, f"docs-{width}-{scheme}")
        assert fits(page)
        operation.get_by_role("button").first.click()
        operation.get_by_role("button", name="Try it out").click()
        operation.get_by_role("button", name="Execute").click()
        expect(operation.locator(".live-responses-table td.response-col_status").last).to_contain_text("200")
        expect(operation.locator(".live-responses-table")).to_contain_text(str(video.pk))
        picture(page, f"docs-tried-{width}-{scheme}")
        assert fits(page)
        assert faults(wrong) == []
