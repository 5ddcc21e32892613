"""A browser looks at the streams of a channel in the admin, and two editors change it."""

from uuid import UUID

import pytest
from playwright.sync_api import expect

from channels_app.channels.provisioning import channel_create
from ivsvod.accounts.models import User
from tests.support.chromium import IN_BROWSER, chromium, faults, looked_at, opened
from tests.support.console import happened, make_channel, make_stream
from tests.support.every_kind import ARABIC
from tests.support.helpers import THOROUGH
from tools.local.aws import LocalAws

pytestmark = IN_BROWSER
LOOKS = [(1280, "light"), (400, "dark")]


@pytest.mark.parametrize(("width", "scheme"), LOOKS[: 2 if THOROUGH else 1])
def test_the_timeline_of_streams_and_what_two_editors_are_told(
    url: str, staff: User, aws: LocalAws, width: int, scheme: str
) -> None:
    label = f"{width}-{scheme}"
    channel = channel_create(name=ARABIC, owner=UUID(int=7))
    for number, length in enumerate((95, 40, 3)):
        began = number * 200
        stream = make_stream(channel, f"st-{number}{'x' * 20}", start=began, end=began + length)
        for part, name in enumerate(("Starvation Start", "Starvation End", "Stream Takeover", "Ingest Bitrate")):
            happened(stream, name, began + length * (part + 1) / 5)
    happened(stream, "Stream Failure", began)
    make_channel(name="Quiet", active=False)
    address = f"{url}/admin/channels_app/channel/{channel.pk}/change/"
    with chromium() as browser, opened(browser, url, width, scheme) as (page, wrong):
        page.goto(address)
        looked_at(page, f"channel-streams-{label}")
        other = page.context.new_page()
        other.goto(address)
        other.get_by_label("Active").uncheck()
        other.get_by_role("button", name="Save").click()
        expect(other.get_by_text("Saved: Active.")).to_be_visible()
        page.get_by_label("Latency mode").select_option("NORMAL")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("row").filter(has_text="Active").get_by_text("no", exact=True)).to_be_visible()
        looked_at(page, f"channel-differs-{label}")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved: Latency mode.")).to_be_visible()
        # The times of the list are not cut.
        page.goto(f"{url}/admin/channels_app/channel/")
        looked_at(page, f"channel-list-{label}")
        assert page.locator(".results").evaluate("(box) => box.scrollWidth <= box.clientWidth")
        assert faults(wrong) == []
