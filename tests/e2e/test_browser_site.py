"""A browser finds a video on the catalogue page, plays it there and in a frame of another site, and shares it."""

import gzip
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import UUID

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, Request, Response, Route, expect

from channels_app.models import Channel, Stream
from ondemand.models import Content, Video
from ondemand.videos.files import CatalogueReader
from tests.support.chromium import (
    IN_BROWSER,
    LONG_TITLE,
    SECONDS,
    Look,
    chromium,
    faults,
    fits,
    in_thread,
    picture,
    play,
    until,
    watched,
)
from tests.support.helpers import THOROUGH, make_channel
from tests.support.ports import free_port
from tools.local.serving import served

pytestmark = IN_BROWSER
NINE = datetime(2026, 3, 4, 9, 5, tzinfo=UTC)
ARABIC = "افتتاح المهرجان الصيفي في الهواء الطلق"
LOADED = "[...document.querySelectorAll('.picture img')].every(i => i.complete && i.naturalWidth > 0)"


@pytest.fixture
def catalogue(video: Video) -> Video:
    """A recording that plays beside others, and a channel that is live."""
    shared = {"bucket": video.bucket, "facts": video.facts, "channel": Channel.objects.get()}
    videos = Video.objects.bulk_create(
        Video(
            status=Video.Status.AVAILABLE,
            prefix=f"ivs/v1/{number}",
            started_at=NINE + timedelta(days=number),
            duration_ms=60_000 * number + 5_000,
            **shared,
        )
        for number in range(30)
    )
    Video.objects.filter(pk__in=[each.pk for each in videos]).update(prefix=video.prefix, duplicate_of=None)
    Content.objects.bulk_create(
        Content(
            video=each,
            created_by=UUID(int=0),
            title=ARABIC if number == 7 else f"Talk {number}: what we learned",
            tags=["talks", f"day {number % 4}"],
            description="",
            thumbnail="",
        )
        for number, each in enumerate(videos)
        if number % 5
    )
    live = make_channel(name="Open air stage")
    Stream.objects.create(channel=live, stream_id="st-live", started_at=NINE, first_event_at=NINE)
    return video


def body_size(request: Request) -> int:
    return request.sizes()["responseBodySize"]


@contextmanager
def visiting(
    browser: Browser, width: int = 1280, scheme: Any = "light", **options: Any
) -> Iterator[tuple[Page, list[str]]]:
    """Open a page on which nobody is signed in, and which leaves no cookie; yield it with all that goes wrong on it."""
    context = browser.new_context(**options)
    with watched(context, width, scheme) as (page, wrong):
        yield page, wrong
    assert context.cookies() == []
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark"), (2560, "dark")][: 3 if THOROUGH else 1])
def test_a_visitor_finds_a_video_by_typing_plays_it_and_shares_it(
    url: str, catalogue: Video, width: int, scheme: str
) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with chromium() as browser, visiting(browser, width, scheme, permissions=allowed) as (page, wrong):
        page.goto(url)
        page.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
        until(page, LOADED)
        assert fits(page)
        picture(page, f"catalogue-{width}-{scheme}")
        field = page.get_by_role("searchbox", name="Search videos")
        # A pause in the middle: the list follows more than once.
        field.press_sequentially("festival")
        expect(page.locator("mark").first).to_have_text("festival")
        field.press_sequentially(" speaker", delay=40)
        expect(page.get_by_role("status")).to_have_text("1 video")
        expect(page.locator("mark").first).to_have_text("festival")
        until(page, "location.search === '?search=festival+speaker'")
        expect(field).to_be_focused()
        assert page.title() == "festival speaker – Videos"  # noqa: RUF001
        picture(page, f"catalogue-found-{width}-{scheme}")
        page.get_by_role("link", name=LONG_TITLE).click()
        expect(page).to_have_title(LONG_TITLE)
        state = play(page)
        assert state["width"] > 0
        assert abs(state["length"] - SECONDS) < 1
        expect(page.get_by_text("Up next:")).to_be_hidden()
        page.keyboard.press("9")
        expect(page.get_by_text("Up next:")).to_be_visible()
        page.get_by_role("button", name="Copy link", exact=True).click()
        expect(page.get_by_text("Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == f"{url}/watch/{catalogue.pk}"
        assert fits(page)
        picture(page, f"catalogue-watch-{width}-{scheme}")
        page.go_back()
        expect(page.get_by_role("searchbox", name="Search videos")).to_have_value("festival speaker")
        assert faults(wrong) == []


def test_a_page_of_22_cards_weighs_less_than_300_kb(url: str, catalogue: Video) -> None:
    Video.objects.exclude(pk__in=Video.objects.newest_first().filter(active=True)[:22].values("pk")).delete()
    for width, scale in ((1280, 1), (400, 2)):
        with chromium() as browser, visiting(browser, width, device_scale_factor=scale) as (page, wrong):
            loaded: dict[str, list[int]] = defaultdict(list)
            page.on("requestfinished", lambda each, to=loaded: to[each.resource_type].append(body_size(each)))
            page.goto(url)
            # Down to the last one: pictures load when they are near.
            cards = page.locator(".picture img")
            assert cards.count() == 22
            for card in cards.all():
                card.scroll_into_view_if_needed()
            until(page, LOADED)
            assert sum(map(sum, loaded.values())) < 300_000
            # One for each card, and the icon.
            assert len(loaded["image"]) <= 24
            assert f"/small/{320 * scale}/" in cards.first.evaluate("each => each.currentSrc")
            assert faults(wrong) == []


def test_filters_follow_at_once_complete_tags_stay_in_the_address_and_fit_in_large_text(
    url: str, catalogue: Video
) -> None:
    with chromium() as browser, visiting(browser) as (page, wrong):
        page.goto(url)
        page.get_by_role("checkbox", name="talks").check()
        expect(page.get_by_role("status")).to_contain_text("24")
        page.get_by_role("checkbox", name="day 2").check()
        expect(page.get_by_role("heading", name="Found")).to_be_visible()
        page.get_by_text("More filters").click()
        page.get_by_label("At least").select_option(label="10 minutes")
        expect(page.get_by_role("status")).to_have_text("6 videos")
        # The order is a part of the list, which is loaded anew.
        page.get_by_label("Order").select_option(label="Oldest first")
        until(page, "location.search.includes('ordering=oldest')")
        assert "tag=talks&tag=day+2&min_duration=600&ordering=oldest" in page.url
        shown = page.get_by_role("heading", level=3).all_inner_texts()
        page.reload()
        assert page.get_by_role("heading", level=3).all_inner_texts() == shown
        assert shown[0].startswith("Talk 14")
        page.get_by_label("Another tag").fill("day 3")
        page.get_by_label("Another tag").press("Tab")
        expect(page.get_by_role("checkbox", name="day 3")).to_be_checked()
        expect(page.get_by_text("No video matches")).to_be_visible()
        page.get_by_role("link", name="Clear all filters").click()
        # More tags than the page knows from the start.
        many = [*(f"a{number}" for number in range(120)), "zebra crossing"]
        in_thread(lambda: Content.objects.filter(title=ARABIC).update(tags=many))
        page.goto(url)
        page.get_by_text("More filters").click()
        page.get_by_label("Another tag").press_sequentially("ze", delay=20)
        until(
            page, "[...document.querySelectorAll('#tags-in-use option')].map(o => o.value).join() === 'zebra crossing'"
        )
        # Text of twice the size.
        for path in ("/", f"/watch/{catalogue.pk}"):
            page.goto(f"{url}{path}")
            Look(640, "light", 200).take(page)
            assert fits(page)
        Look(1280, "light").take(page)
        assert faults(wrong) == []
        # The list cannot be loaded, and comes back.
        page.goto(url)
        page.route("**/?search=*", lambda route: route.abort())
        page.get_by_role("searchbox").fill("talk")
        expect(page.get_by_role("status")).to_contain_text("The list cannot be loaded")
        page.unroute("**/?search=*")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("heading", name="Found")).to_be_visible()


def test_a_list_loads_on_has_an_address_for_each_page_and_times_are_those_of_the_reader(
    url: str, catalogue: Video
) -> None:
    with chromium() as browser, visiting(browser, 400, "dark", timezone_id="Asia/Tokyo") as (page, wrong):
        page.goto(f"{url}/c/{catalogue.channel_id}")
        headings = page.get_by_role("heading", level=3)
        expect(headings).to_have_count(24)
        count = page.get_by_text("Videos 1 to 24").last
        expect(count).to_be_visible()
        picture(page, "catalogue-channel-400-dark")
        page.get_by_role("link", name="Show more").click()
        expect(headings).to_have_count(31)
        expect(page.get_by_role("status")).to_have_text("Videos 1 to 31")
        expect(page.get_by_role("link", name="Show more")).to_have_count(0)
        # The focus is on the first of the videos that were appended.
        expect(page.locator(".card:nth-child(25) > a")).to_be_focused()
        assert "?cursor=" in page.url
        expect(page.locator("time").last).to_have_text("March 4, 2026")
        # 9:05 in the morning of UTC.
        expect(page.locator("time").last).to_have_attribute("title", re.compile(r"^March 4, 2026 at 6:05\sPM GMT\+9$"))
        page.reload()
        expect(headings).to_have_count(7)
        page.get_by_role("link", name="Previous page").click()
        expect(headings).to_have_count(24)
        page.get_by_label("Order").focus()
        page.keyboard.press("ArrowDown")
        until(page, "location.search === '?ordering=oldest'")
        expect(page.get_by_label("Order")).to_be_focused()
        expect(headings.nth(1)).to_have_text("Talk 1: what we learned")
        assert faults(wrong) == []


def test_without_a_script_all_but_playing_works(url: str, catalogue: Video) -> None:
    with chromium() as browser, visiting(browser, 400, "dark", java_script_enabled=False) as (page, _):
        page.goto(url)
        page.get_by_role("searchbox", name="Search videos").fill("festival")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("status")).to_have_text("1 video")
        page.get_by_role("link", name=LONG_TITLE).click()
        expect(page.get_by_label("Link")).to_have_value(f"{url}/watch/{catalogue.pk}")
        expect(page.get_by_role("link", name="master.m3u8")).to_be_visible()
        expect(page.get_by_role("button", name="Copy link", exact=True)).to_be_hidden()
        page.get_by_role("link", name="festival", exact=True).click()
        expect(page.get_by_role("checkbox", name="festival")).to_be_checked()
        page.goto(url)
        page.get_by_role("link", name="Show more").click()
        expect(page.get_by_role("heading", level=3)).to_have_count(7)
        page.get_by_label("Order").select_option(label="Oldest first")
        page.get_by_role("button", name="Sort").click()
        until(page, "location.search.includes('ordering=oldest')")


def test_on_a_phone_the_first_recording_is_seen_while_something_is_live_and_the_system_shares(
    url: str, catalogue: Video
) -> None:
    with chromium() as browser, visiting(browser, 400, "dark", has_touch=True) as (page, wrong):
        page.set_viewport_size({"width": 400, "height": 800})
        page.goto(url)
        expect(page.get_by_role("link", name="Open air stage")).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("heading", name=LONG_TITLE)).to_be_in_viewport(ratio=1)
        chips = page.locator(".filters .tag")
        assert len({chip.evaluate("e => e.offsetTop") for chip in chips.all()}) == 1
        chips.last.scroll_into_view_if_needed()
        assert fits(page)
        picture(page, "catalogue-phone-400-dark")
        page.add_init_script("navigator.share = async (data) => { window.shared = data; };")
        page.goto(f"{url}/watch/{catalogue.pk}")
        expect(page.get_by_label("Code")).to_be_hidden()
        page.get_by_text("Embed", exact=True).click()
        expect(page.get_by_label("Code")).to_be_visible()
        page.get_by_role("button", name="Share…").click()
        shared = page.evaluate("window.shared")
        assert shared == {"title": LONG_TITLE, "url": f"{url}/watch/{catalogue.pk}"}
        assert faults(wrong) == []


def weight(responses: list[Response]) -> int:
    """The bytes of HTML, styles and scripts as the package sends them: compressed."""
    kinds = {"document", "stylesheet", "script"}
    return sum(len(gzip.compress(each.body())) for each in responses if each.request.resource_type in kinds)


def test_before_play_a_page_weighs_little_and_requests_nothing_of_a_recording(url: str, catalogue: Video) -> None:
    in_thread(lambda: Video.objects.filter(pk=catalogue.pk).update(chapters=[{"at_ms": 0, "title": "Opening"}]))
    live = in_thread(lambda: Channel.objects.get(name="Open air stage"))
    paths = ["/", f"/c/{catalogue.channel_id}", f"/watch/{catalogue.pk}", f"/watch/live/{live.pk}"]
    with chromium() as browser:
        for path in [*paths, f"/embed/{catalogue.pk}"]:
            with visiting(browser) as (page, wrong):
                responses: list[Response] = []
                page.on("response", lambda answer, all_=responses: all_.append(answer))
                page.goto(f"{url}{path}", wait_until="networkidle")
                names = [urlsplit(each.url).path for each in responses]
                assert [name for name in names if re.search(r"\.(m3u8|ts|mp4)$|hls\.min", name)] == []
                assert weight(responses) < 30_000, path
                # Debian's chromium takes the icon of the heading for the tab too, from its cache.
                static = [each for each in responses if urlsplit(each.url).path.startswith("/static/")]
                assert len({each.url for each in static}) <= 8, (path, [each.url for each in static])
                if path.startswith(("/watch/", "/embed/")) and "live" not in path:
                    play(page)
                    names = [urlsplit(each.url).path for each in responses]
                    assert len([name for name in names if name.endswith("master.m3u8")]) == 1
                    assert len([name for name in names if "hls.min" in name]) == 1
                    assert any(name.endswith(".ts") for name in names)
                assert faults(wrong) == []


def live_keys_work(page: Page) -> None:
    """A live stream has the keys of a recording that make sense for it, in the same list."""
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys of the player")
    expect(keys).to_contain_text("To the live picture")
    expect(keys).not_to_contain_text("Slower, faster")
    page.keyboard.press("Escape")
    for key, condition in {
        "k": "video.paused",
        "m": "video.muted",
        "-": "video.volume < 0.95 && !video.muted",
        "5": "video.paused",
        "l": "!video.paused && video.currentTime > 3",
    }.items():
        page.keyboard.press(key)
        until(page, f"(video => {condition})(document.querySelector('video'))", 5)


def test_a_live_page_says_what_the_stream_does_and_plays_again_by_itself(url: str, catalogue: Video) -> None:
    channel = catalogue.channel_id
    location = in_thread(lambda: CatalogueReader(is_curator=True).location(catalogue))

    def stream(route: Route) -> None:
        # The recording in place of a live stream: it ends by itself.
        path = route.request.url.split("/api/video/v1/")[1]
        name = "" if path.endswith(f"{channel.hex[:12]}.m3u8") or path.count("/") == 0 else path
        answer = route.fetch(url=urljoin(location, name))
        route.fulfill(response=answer, headers={**answer.headers, "access-control-allow-origin": "*"})

    def go_live(stream_id: str) -> None:
        now = timezone.now()
        Stream.objects.create(channel_id=channel, stream_id=stream_id, started_at=now, first_event_at=now)

    with chromium() as browser, visiting(browser) as (page, wrong):
        page.route("https://*.live-video.net/**", stream)
        page.goto(f"{url}/watch/live/{channel}")
        expect(page.get_by_text("The stream has ended.")).to_be_visible()
        expect(page.get_by_role("link", name="Watch the recording")).to_have_attribute("href", f"/watch/{catalogue.pk}")
        # Nobody loads the page, nor plays it.
        in_thread(lambda: go_live("st-unseen"))
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible(timeout=30_000)
        in_thread(lambda: Stream.objects.filter(stream_id="st-unseen").update(ended_at=timezone.now()))
        expect(page.get_by_text("Its recording appears here when it is published.")).to_be_visible(timeout=30_000)
        in_thread(lambda: go_live("st-next"))
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible(timeout=30_000)
        assert faults(wrong) == []
        page.unroute("https://*.live-video.net/**")
        page.route("https://*.live-video.net/**", lambda route: route.abort())
        page.get_by_role("button", name="Play", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("The stream is interrupted.", timeout=30_000)
        page.unroute("https://*.live-video.net/**")
        page.route("https://*.live-video.net/**", stream)
        until(page, "document.querySelector('video').currentTime > 0.3")
        expect(page.get_by_role("alert")).to_be_hidden()
        live_keys_work(page)
        in_thread(lambda: Stream.objects.filter(stream_id="st-next").update(ended_at=timezone.now()))
        expect(page.get_by_text("Its recording appears here when it is published.")).to_be_visible(timeout=30_000)


@contextmanager
def another_site(code: str) -> Iterator[str]:
    """A page of another origin with this HTML."""

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [f"<!DOCTYPE html><html lang=en><title>Blog</title><link rel=icon href=data:,>{code}".encode()]

    port = free_port()
    with served(answer, port):
        yield f"http://127.0.0.1:{port}/"


def test_the_player_plays_in_a_frame_of_another_site_unless_other_sites_are_named(
    url: str, catalogue: Video, settings: Any
) -> None:
    from ondemand.videos.links import embed_code

    code = embed_code(catalogue.pk, 'A "show"', url)
    with another_site(str(code)) as site, chromium() as browser:
        with visiting(browser) as (page, wrong):
            page.goto(site)
            frame = page.frame_locator("iframe[title='A \"show\"']")
            frame.locator("video").wait_for()
            inner = next(frame for frame in page.frames if "/embed/" in frame.url)
            frame.locator(".player-bar:not([hidden])").wait_for(state="attached")
            frame.get_by_role("button", name="Play", exact=True).focus()
            # The keys are those of the page of a video, and of the admin.
            page.keyboard.press("5")
            page.keyboard.press("k")
            until(inner, f"document.querySelector('video').currentTime > {SECONDS / 2 + 0.3}")
            picture(page, "catalogue-embedded")
            assert faults(wrong) == []
        settings.EMBED_ANCESTORS = ["https://www.example.com"]
        with visiting(browser) as (page, wrong):
            page.goto(site)
            page.wait_for_load_state()
            assert page.frame_locator("iframe").locator("video").count() == 0
            assert any("frame-ancestors" in line for line in wrong)
