"""A browser creates a channel in the admin, hands out its key, looks at its stream and ends it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from playwright.sync_api import expect

from channels_app.channels.provisioning import channel_create
from channels_app.models import Channel, Stream
from ivsvod.accounts.models import User
from ivsvod.local.aws import LocalAws
from tests.support.chromium import IN_BROWSER, chromium, faults, in_thread, looked_at, opened, picture
from tests.support.console import happened, make_channel, make_stream
from tests.support.every_kind import ARABIC
from tests.support.helpers import THOROUGH

pytestmark = IN_BROWSER
LOOKS = [(1280, "light"), (400, "dark")]


def fresh_stream(aws: LocalAws, channel: Channel, viewers: int) -> Stream:
    """A stream that began just now, in IVS and here."""
    began = datetime.now(UTC)
    stream_id = aws.ivs.store.stream_begin(channel.arn, started_at=began)
    aws.ivs.store.set_viewers(channel.arn, viewers)
    return Stream.objects.create(channel=channel, stream_id=stream_id, first_event_at=began, started_at=began)


@pytest.mark.parametrize(("width", "scheme"), LOOKS[: 2 if THOROUGH else 1])
def test_a_channel_is_created_its_key_copied_revealed_and_its_stream_asked_for_and_stopped(
    url: str, staff: User, aws: LocalAws, width: int, scheme: str
) -> None:
    label = f"{width}-{scheme}"
    with chromium() as browser, opened(browser, url, width, scheme) as (page, wrong):
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(f"{url}/admin/channels_app/channel/add/")
        page.get_by_label("Name").fill("Studio one")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Channel created")).to_be_visible()
        looked_at(page, f"channel-created-{label}")
        page.get_by_role("button", name="Copy the stream key").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        key = page.evaluate("navigator.clipboard.readText()")
        assert key == page.locator("#stream-key").inner_text()
        page.get_by_role("link", name="To the page of the channel").click()
        expect(page.get_by_text("This channel has not streamed yet.")).to_be_visible()
        assert key not in page.content()
        channel = in_thread(Channel.objects.get)
        in_thread(lambda: fresh_stream(aws, channel, 42))
        page.reload()
        expect(page.locator("[data-fact=viewers]")).to_have_text("42")
        expect(page.locator("[data-fact=health]")).to_have_text("healthy")
        looked_at(page, f"channel-live-{label}")
        # Without a script Amazon IVS is asked by a link.
        context = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
        plain = context.new_page()
        plain.goto(page.url)
        plain.get_by_role("link", name="Ask Amazon IVS").click()
        expect(plain.get_by_text("healthy")).to_be_visible()
        picture(plain, f"channel-asked-{label}")
        context.close()
        page.get_by_role("link", name="Reveal the stream key").click()
        page.get_by_role("button", name="Reveal the stream key").click()
        assert page.locator("#stream-key").inner_text() == key
        page.get_by_role("link", name="To the page of the channel").click()
        page.get_by_role("link", name="Stop the stream").click()
        page.get_by_role("button", name="Stop the stream").click()
        expect(page.get_by_text("Amazon IVS ended the stream.")).to_be_visible()
        page.get_by_role("link", name="Ask Amazon IVS").click()
        expect(page.locator("[data-message]")).to_contain_text("reported no stream of this channel")
        assert faults(wrong) == []
    assert aws.ivs.store.stop_requested(channel.arn)


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
        assert faults(wrong) == []
