"""A browser reads the description of the API, and tries it."""

import pytest
from playwright.sync_api import expect

from ondemand.models import Video
from tests.support.chromium import IN_BROWSER, chromium, faults, fits, opened, picture
from tests.support.helpers import THOROUGH

pytestmark = IN_BROWSER


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")][: 2 if THOROUGH else 1])
def test_the_api_is_read_and_tried_in_the_browser(url: str, video: Video, width: int, scheme: str) -> None:
    with chromium() as browser, opened(browser, url, width, scheme) as (page, wrong):
        page.goto(f"{url}/docs")
        operation = page.locator("#operations-Videos-listVideos")
        operation.wait_for()
        picture(page, f"docs-{width}-{scheme}")
        assert fits(page)
        # A lock where a token is needed, an open one where it is optional, and none where no operation reads it.
        locks = {
            "listVideos": "Token optional",
            "explainVideo": "Token with the scope curate needed",
            "getHealth": None,
        }
        for name, label in locks.items():
            found = page.locator(f"[id$={name}] .operation-lock")
            assert [each.get_attribute("aria-label") for each in found.all()] == ([label] if label else [])
        operation.get_by_role("button").first.click()
        # The errors stand in the table at the top, not in each operation.
        expect(operation.locator(".responses-table .response[data-code='200']")).to_be_visible()
        expect(operation.locator(".responses-table .response[data-code='400']")).to_be_hidden()
        operation.get_by_role("button", name="Try it out").click()
        operation.get_by_role("button", name="Execute").click()
        expect(operation.locator(".live-responses-table td.response-col_status").last).to_contain_text("200")
        expect(operation.locator(".live-responses-table")).to_contain_text(str(video.pk))
        picture(page, f"docs-tried-{width}-{scheme}")
        assert fits(page)
        assert faults(wrong) == []
