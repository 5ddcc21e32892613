"""The working day of staff in a browser: what a curator does to new recordings, and a channel manager to channels."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from channels_app.channels.provisioning import channel_create
from channels_app.events.handlers import StreamEventHandler
from channels_app.models import Channel
from ondemand.models import Content, Video
from ondemand.playback.edit_services import clip_create, clip_prepare
from tests.support.chromium import (
    IN_BROWSER,
    SECONDS,
    chromium,
    faults,
    in_thread,
    looked_at,
    opened,
    picture,
    staff_of,
    until,
)
from tests.support.helpers import THOROUGH, make_content, make_video
from tools.local.aws import LocalAws
from tools.local.broadcast.events import recording_event, stream_event
from tools.local.broadcast.studio import DeliveryFailedError, broadcasts, deliver

pytestmark = IN_BROWSER
LOOKS = [(1280, "light"), (400, "dark")][: 2 if THOROUGH else 1]
MOST_CLICKS = 8
ITEMS = 40
# Whatever is pressed by a pointer, wherever it leads: a click on a label is one, though the browser makes two of it.
COUNTING = "window.addEventListener('pointerdown', event => { if (event.isTrusted) wasPressed(); }, true);"


class Effort:
    """The work that an item costs: presses of the pointer, and pages that are loaded."""

    def __init__(self, page: Page) -> None:
        self.clicks = self.loads = 0
        page.expose_function("wasPressed", self._pressed)
        page.add_init_script(COUNTING)
        page.on("framenavigated", lambda frame: self._loaded() if frame == page.main_frame else None)

    def begin(self, *, loaded: int = 0) -> None:
        """The next item: its page may be loaded already."""
        self.clicks, self.loads = 0, loaded

    def _pressed(self) -> None:
        self.clicks += 1

    def _loaded(self) -> None:
        self.loads += 1


@pytest.fixture
def waiting(url: str, aws: LocalAws, recorded: Path, settings: Any) -> list[Video]:
    """Two broadcasts that just ended, of which nobody has said yet who may see them; the newest first."""
    settings.NEW_VIDEO_STATE = "unlisted"
    curator = staff_of("Curators", "cora")
    make_content(make_video(), tags=["festival", "day one"], created_by=curator.uuid)
    channel = channel_create(name="Main stage", owner=curator.uuid)
    for _ in range(2):
        broadcasts(home=aws.home, channel=channel, seconds=SECONDS, record=recorded)
    return list(Video.objects.to_review().newest_first())


def plays(page: Page) -> None:
    """Look whether the recording plays, by the pointer alone."""
    player = page.locator("video[data-hls]")
    player.wait_for()
    until(page, "document.querySelector('video').readyState >= 2")
    player.click()
    until(page, "document.querySelector('video').currentTime > 0.2")
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
    return page.get_by_role("radio", name="Your new picture")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_curator_publishes_what_was_recorded_in_few_clicks_and_one_page_load_each(
    url: str, waiting: list[Video], width: int, scheme: str
) -> None:
    label = f"{width}-{scheme}"
    with chromium() as browser, opened(browser, url, width, scheme, who="cora") as (page, wrong):
        effort = Effort(page)
        page.goto(f"{url}/admin/")
        effort.begin()
        queue = page.get_by_role("region", name="To review")
        expect(queue.get_by_role("listitem")).to_have_count(2)
        picture(page, f"story-queue-{label}")
        queue.get_by_role("listitem").first.get_by_role("link").click()
        for number in range(2):
            plays(page)
            page.get_by_role("button", name="Use the suggested title").click()
            tag(page, "fest", "festival")
            last = number == 1
            if last:
                expect(frame(page)).to_be_checked()
            else:
                page.locator(".picture-choice:has(img)").nth(1).click()
            picture(page, f"story-{number}-{label}")
            assert effort.loads == 1
            page.get_by_role("button", name="Publish & next").click()
            expect(page.get_by_text("Published “Main stage, ")).to_be_visible()
            assert 6 <= effort.clicks <= MOST_CLICKS
            # The page to which saving led is that of the next one.
            effort.begin(loaded=1)
        picture(page, f"story-done-{label}")
        page.goto(f"{url}/admin/")
        expect(page.get_by_text("No new recording waits for a decision.")).to_be_visible()
        page.goto(f"{url}/?tag=festival")
        expect(page.get_by_role("heading", name=re.compile("^Main stage, "))).to_have_count(2)
        picture(page, f"story-public-{label}")
        assert faults(wrong) == []
    assert list(Video.objects.to_review()) == []
    contents = [Content.objects.get(video=video) for video in waiting]
    assert [content.tags for content in contents] == [["festival"]] * 2
    with urlopen(contents[1].thumbnail or "") as kept:
        # As large as the best rendition, though the player shows a smaller one.
        assert Image.open(kept).size == (1280, 720)
    assert re.fullmatch(rf"{re.escape(url)}/_local/media/thumbnails/[0-9a-f]{{64}}\.jpg", contents[1].thumbnail or "")


@pytest.fixture
def queue(url: str, aws: LocalAws, recorded: Path) -> list[Video]:
    """Many videos to review, the first one in the list first; each of the first plays."""
    curator = staff_of("Curators", "cora")
    channel = channel_create(name="Main stage", owner=curator.uuid)
    broadcasts(home=aws.home, channel=channel, seconds=SECONDS, record=recorded)
    whole = Video.objects.get()
    prepared = clip_prepare(whole, 0, 4000)
    made: dict[str, Any] = {"by": curator.uuid, "active": False, "content": {}}
    playing = [clip_create(video_uuid=whole.pk, prepared=prepared, **made).pk for _ in range(2)]
    newest, waits = datetime.now(UTC), {"awaits_review": True, "active": False}
    for number in range(ITEMS):
        at: Any = {"started_at": newest - timedelta(hours=number), **waits}
        if number < len(playing):
            Video.objects.filter(pk=playing[number]).update(**at)
        else:
            Video.objects.create(channel=channel, status=Video.Status.AVAILABLE, prefix="", **at)
    return list(Video.objects.to_review().newest_first())


def all_seen(page: Page) -> bool:
    """Whether player, title and decisions are in the window, and nothing is scrolled."""
    seen = """() => scrollY === 0 && [...document.querySelectorAll("video, [name=title], .video-bar :is(button, a)")]
      .filter((each) => !each.matches(".visually-hidden"))
      .every((each) => { const { top, bottom, width, height } = each.getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight && width >= 24 && height >= 24; })"""
    return bool(page.evaluate(seen))


def test_a_curator_decides_about_forty_recordings_by_one_key_or_click_each(url: str, queue: list[Video]) -> None:
    keys = {"Publish": "Control+Enter", "Unlist": "u", "Hide": "h", "Skip": "s", "Click": ""}
    chosen = ["Publish", "Click", "Publish", "Unlist", "Hide", "Publish", "Skip", "Publish"] * (ITEMS // 8)
    with chromium() as browser, opened(browser, url, 1366, "light", who="cora") as (page, wrong):
        page.set_viewport_size({"width": 1366, "height": 768})
        effort = Effort(page)
        page.goto(f"{url}/admin/ondemand/video/?review=yes")
        page.locator("#result_list tbody tr").first.get_by_role("link").first.click()
        publish = page.get_by_role("button", name="Publish & next")
        for number, choice in enumerate(chosen, 1):
            expect(page.get_by_role("link", name=f"{number} of {ITEMS}")).to_be_visible()
            page.wait_for_load_state("domcontentloaded")
            effort.begin(loaded=1)
            if choice in {"Publish", "Click"}:
                # Typing the title: the first key leads to it.
                page.keyboard.press("t")
                page.keyboard.type(f"Session {number}")
            # With the message about the one before.
            assert all_seen(page)
            if number == 2:
                for width, height in ((1280, 720), (400, 800)):
                    page.set_viewport_size({"width": width, "height": height})
                    expect(publish).to_be_in_viewport(ratio=1)
                # With large text, or on a short screen, nothing is in front of the video.
                page.set_viewport_size({"width": 683, "height": 384})
                expect(page.locator(".video-bar")).to_have_css("position", "static")
                page.set_viewport_size({"width": 1366, "height": 768})
            if choice == "Click":
                publish.click()
            else:
                page.keyboard.press(keys[choice])
            if number < ITEMS:
                expect(page.get_by_role("link", name=f"{number + 1} of {ITEMS}")).to_be_visible()
            assert effort.clicks <= (choice == "Click")
        expect(page.get_by_text(f"That was the last one. {chosen.count('Skip')} videos are left")).to_be_visible()
        assert page.url == f"{url}/admin/ondemand/video/?review=yes"
        assert faults(wrong) == []
    listings = {"Unlist": "unlisted", "Hide": "hidden", "Skip": "hidden"}
    now, rows = timezone.now(), Video.objects.with_content().in_bulk([video.pk for video in queue])
    assert [rows[video.pk].listing_at(now) for video in queue] == [listings.get(each, "listed") for each in chosen]
    titles = [rows[video.pk].shown_content for video in queue]
    assert [title and title.shown_title for title in titles] == [
        f"Session {number}" if choice in {"Publish", "Click"} else None for number, choice in enumerate(chosen, 1)
    ]


class Studio:
    """The one channel there is, from outside: an encoder that comes and goes, and what IVS says of it."""

    def __init__(self, aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
        self.aws, self.monkeypatch = aws, monkeypatch
        self.stream_id = ""

    @property
    def arn(self) -> str:
        return str(Channel.objects.get().arn)

    def goes_live(self) -> None:
        self.stream_id = self.aws.ivs.store.stream_begin(self.arn, started_at=datetime.now(UTC))
        self.aws.ivs.store.set_viewers(self.arn, 42)
        self._told("Stream Start")

    def ends(self) -> None:
        assert self.aws.ivs.store.stop_requested(self.arn)
        self.aws.ivs.store.stream_end(self.arn, ended_at=datetime.now(UTC))
        self._told("Stream End")

    def breaks(self) -> None:
        """A recording that fails, and an event at which this service fails."""
        values = {"bucket": "ivsvod-recordings", "prefix": "ivs/v1/broken", "session_id": "broken", "reason": "No disk"}
        failure: Any = "Recording End Failure"
        deliver([recording_event(failure, self.arn, "Studio", self.stream_id, datetime.now(UTC), **values)])
        with self.monkeypatch.context() as patch, pytest.raises(DeliveryFailedError):
            patch.setattr(StreamEventHandler, "apply", lambda *_: 1 / 0)
            self._told("Session Ended")

    def _told(self, name: Any) -> None:
        deliver([stream_event(name, self.arn, "Studio", self.stream_id, datetime.now(UTC))])


def press(page: Page, button: str) -> None:
    """Press a button of a channel's page, which asks, and say yes."""
    page.get_by_role("link", name=button, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("?")
    page.get_by_role("button", name=button, exact=True).click()


def shown_key(page: Page) -> str:
    """The stream key that a page shows, and shows no more when it is loaded again."""
    key = page.locator("#stream-key").inner_text()
    page.reload()
    expect(page.locator("#stream-key")).to_have_count(0)
    assert key not in page.content()
    return key


def rows_of(page: Page, matter: str) -> Locator:
    """The rows to which a matter of the start page leads, which counts as many."""
    link = page.get_by_role("region", name="Needs attention").get_by_role("link", name=matter)
    counted = link.locator(".badge").inner_text()
    link.click()
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(int(counted))
    return rows


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_channel_manager_hands_out_keys_and_sees_what_is_live_and_what_is_broken(
    url: str, aws: LocalAws, monkeypatch: pytest.MonkeyPatch, width: int, scheme: str
) -> None:
    label, studio = f"{width}-{scheme}", Studio(aws, monkeypatch)
    staff_of("Channel managers", "max")
    with chromium() as browser, opened(browser, url, width, scheme, who="max") as (page, wrong):
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(f"{url}/admin/")
        page.get_by_role("link", name="Create a channel").click()
        page.get_by_label("Name").fill("Studio one")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Channel created")).to_be_visible()
        looked_at(page, f"channel-created-{label}")
        page.get_by_role("button", name="Copy the stream key").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        key = shown_key(page)
        assert page.evaluate("navigator.clipboard.readText()") == key
        expect(page.get_by_text("that answer showed its stream key")).to_be_visible()
        expect(page.get_by_text("This channel has not streamed yet.")).to_be_visible()
        address = page.url
        press(page, "Reveal the stream key")
        assert page.locator("#stream-key").inner_text() == key
        page.goto(address)
        press(page, "Replace the stream key")
        assert page.locator("#stream-key").inner_text() != key
        in_thread(studio.goes_live)
        page.goto(f"{url}/admin/")
        live = page.get_by_role("region", name="Live now")
        expect(live.get_by_role("link", name="Studio one")).to_be_visible()
        picture(page, f"story-live-{label}")
        live.get_by_role("link", name="All that are live").click()
        expect(page.locator("#result_list tbody tr")).to_have_count(1)
        page.goto(address)
        expect(page.locator("[data-fact=viewers]")).to_have_text("42")
        expect(page.locator("[data-fact=health]")).to_have_text("healthy")
        looked_at(page, f"channel-live-{label}")
        # Without a script Amazon IVS is asked by a link.
        context = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
        plain = context.new_page()
        plain.goto(address)
        plain.get_by_role("link", name="Ask Amazon IVS").click()
        expect(plain.get_by_text("healthy")).to_be_visible()
        picture(plain, f"channel-asked-{label}")
        context.close()
        press(page, "Stop the stream")
        expect(page.get_by_text("Amazon IVS ended the stream.")).to_be_visible()
        page.get_by_role("link", name="Ask Amazon IVS").click()
        expect(page.locator("[data-message]")).to_contain_text("reported no stream of this channel")
        in_thread(studio.ends)
        in_thread(studio.breaks)
        page.goto(address)
        press(page, "Ban")
        expect(page.get_by_text("The channel is banned: it has no stream key.")).to_be_visible()
        expect(page.get_by_role("link", name="Reveal the stream key")).to_have_count(0)
        page.goto(f"{url}/admin/")
        expect(page.get_by_text("No channel is live.")).to_be_visible()
        picture(page, f"story-broken-{label}")
        event = rows_of(page, "Failed events")
        expect(event).to_contain_text("ZeroDivisionError")
        event.get_by_role("checkbox").check()
        page.locator("select[name=action]").select_option(label="Replay selected events")
        page.get_by_role("button", name="Go", exact=True).click()
        expect(page.get_by_text("Replayed: 1 (1 applied).")).to_be_visible()
        page.goto(address)
        press(page, "Delete")
        expect(page.get_by_text("The channel was deleted in Amazon IVS.")).to_be_visible()
        picture(page, f"story-deleted-{label}")
        page.goto(f"{url}/admin/")
        matters = page.get_by_role("region", name="Needs attention").get_by_role("link")
        expect(matters).to_have_text([re.compile("Failed recordings")])
        assert faults(wrong) == []
