"""A real browser over the real stack: what its tests share."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from http.cookies import Morsel
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Frame, Page, sync_playwright

from channels_app.channels.provisioning import channel_create
from channels_app.models import Channel, Stream, StreamHistoryEntry
from ivsvod.accounts.models import User
from ondemand.models import Video
from ondemand.videos.services import content_replace
from tests.support.browser import ARGUMENTS, CHROMIUM
from tests.support.helpers import THOROUGH
from tests.support.ports import free_port
from tools.local.aws import LocalAws
from tools.local.broadcast.studio import broadcasts
from tools.local.serving import MOUNT, served, with_local_aws

PICTURES = Path(__file__).resolve().parents[2] / "test-artifacts"
PASSWORD = "a long password 1"
SECONDS = 8
NOISE = ("error", "warning")
GRAVE = {"serious", "critical"}
AXE_SCRIPT = Axe().axe_script
# It would load styles anew to look at them, which the policy of the pages forbids.
AXE: dict[str, Any] = {"preload": False, "resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
if not THOROUGH:
    # What the guidelines demand; else what axe holds to be good practice, too.
    AXE["runOnly"] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What is half behind a sticky bar depends on how far the page is scrolled.
RUN_AXE = """async (options) => {
    const bars = [...document.querySelectorAll("*")].filter((each) => getComputedStyle(each).position === "sticky");
    bars.forEach((bar) => { bar.style.position = "static"; });
    try {
        return await axe.run(options);
    } finally {
        bars.forEach((bar) => { bar.style.position = ""; });
    }
}"""
LONG_TITLE = "Opening show of the summer festival, with every speaker, both panels and the closing concert"


@dataclass(frozen=True)
class Look:
    """How somebody looks at a page; `text` is the size of the text in percent."""

    width: int
    scheme: Any
    text: int = 100

    def __str__(self) -> str:
        return f"{self.width}-{self.scheme}" + ("" if self.text == 100 else f"-{self.text}")

    # Colours that are on their way from one scheme to the other are nobody's.
    SETTLE = "document.getAnimations().filter((e) => e instanceof CSSTransition).forEach((e) => e.finish())"

    def take(self, page: Page) -> None:
        """Let the page be seen so."""
        page.set_viewport_size({"width": self.width, "height": 900})
        page.emulate_media(color_scheme=self.scheme)
        size = "" if self.text == 100 else f"{self.text}%"
        page.evaluate(f"document.documentElement.style.fontSize = '{size}'; {self.SETTLE}")


# Each test of a browser has these.
IN_BROWSER = [
    pytest.mark.browser,
    pytest.mark.usefixtures("one_chromium"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium-headless-shell"),
]


aws_of_test: list[LocalAws] = []


@cache
def origin() -> str:
    """Start the server of this process and return its address: at one address a browser keeps the static files."""
    # WhiteNoise lists the static files when the application is made.
    from ivsvod.wsgi import application

    port, server = free_port(), ExitStack()
    server.enter_context(served(with_local_aws(application, lambda *request: aws_of_test[-1](*request)), port))
    stops.append(server.close)
    return f"http://127.0.0.1:{port}"


@contextmanager
def serving(aws: LocalAws, settings: Any) -> Iterator[str]:
    """Serve this AWS beside the service on one origin, as in the demo."""
    settings.PLAYBACK_BASE_URL = f"{origin()}{MOUNT}/media"
    aws_of_test.append(aws)
    yield origin()
    aws_of_test.remove(aws)


def recorded_video(aws: LocalAws, recorded: Path) -> Video:
    """A recorded broadcast with content, beside videos of every other kind."""
    staff = User.objects.create_superuser("boss", password=PASSWORD)
    channel = channel_create(name="Main stage", owner=staff.uuid)
    broadcasts(home=aws.home, channel=channel, seconds=SECONDS, record=recorded)
    video = Video.objects.get()
    values = {"title": LONG_TITLE, "description": "Day one.", "tags": ["festival", "day one"], "thumbnail": ""}
    content_replace(video_uuid=video.uuid, by=staff.uuid, values=values)
    other_rows(channel, video)
    return video


def other_rows(channel: Channel, video: Video) -> None:
    """What else a catalogue holds: nothing known, hidden, failed, under way, files that are gone."""
    Video.objects.create(channel_id=UUID(int=9), active=None)
    Video.objects.create(channel=channel, active=None, status=Video.Status.RECORDING)
    Video.objects.create(channel=channel, active=None, status=Video.Status.FAILED)
    Video.objects.create(
        uuid=UUID(int=8), bucket=video.bucket, prefix="gone", status=Video.Status.AVAILABLE, active=False
    )
    eventful(Stream.objects.get())


def eventful(stream: Stream, ids: str = "reconcile") -> None:
    """All that can happen to a stream; the ids of the events begin so."""
    limit = {"limit_value": 8_500_000, "exceeded_by": 640_000, "limit_unit": "bits per second"}
    reason = "The stream was not processed, for there was no transcoding capacity left for it in this region"
    details = {"Ingest Bitrate": limit, "Stream Failure": {"reason": reason}}
    for name in ("Starvation Start", "Starvation End", "Stream Takeover", *details):
        at, detail = stream.started_at, details.get(name, {"reason": None})
        StreamHistoryEntry.objects.create(stream=stream, event_id=f"{ids}:{name}", name=name, at=at, detail=detail)


def staff_of(group: str, name: str) -> User:
    """A member of staff in a ready group, and in nothing else; of none where it has no name."""
    account = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    account.groups.set(Group.objects.filter(name=group))
    return account


def in_thread(work: Callable[[], Any]) -> Any:
    """Playwright runs an event loop in this thread, in which the ORM refuses to work."""

    def done() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(done).result()


stops: list[Callable[[], None]] = []
# The context that the next test takes.
kept: list[BrowserContext] = []


@cache
def launched() -> tuple[Browser, asyncio.AbstractEventLoop]:
    """Headless Chromium, one for all tests of this process, and playwright's event loop."""
    playwright = sync_playwright().start()
    stops.append(playwright.stop)
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
    browser.on("disconnected", lambda _: (launched.cache_clear(), kept.clear()))
    return browser, asyncio.get_running_loop()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Headless Chromium without any page or cookie. Nothing inside may use the ORM: see `in_thread`."""
    browser, loop = launched()
    # As playwright does between its calls; outside of the block the thread has no loop, and the ORM works.
    asyncio._set_running_loop(loop)
    try:
        yield browser
    finally:
        for context in browser.contexts:
            if context not in kept:
                context.close()
        asyncio._set_running_loop(None)


@contextmanager
def watched(context: BrowserContext, width: int, scheme: Any) -> Iterator[tuple[Page, list[str]]]:
    """Open a page, and yield it with a list of all that goes wrong on it."""
    page = context.new_page()
    Look(width, scheme).take(page)
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(f"{said.text} {said.location}") if said.type in NOISE else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(f"{request.url} {request.failure}"))
    page.on("response", lambda answer: wrong.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    yield page, wrong


@contextmanager
def opened(browser: Browser, url: str, width: int, scheme: Any, who: str = "boss") -> Iterator[tuple[Page, list[str]]]:
    """Open a page on which this account is signed in; yield it with a list of all that goes wrong on it.

    The tests of a process share its context with the static files that it has loaded; one that fails takes it along.
    """
    context = kept.pop() if kept else browser.new_context()
    cookie = in_thread(lambda: session_cookie(who))
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])
    with watched(context, width, scheme) as (page, wrong):
        yield page, wrong
        cleared = {"origin": url, "storageTypes": "local_storage"}
        context.new_cdp_session(page).send("Storage.clearDataForOrigin", cleared)
    for each in context.pages:
        each.close()
    context.clear_cookies()
    context.clear_permissions()
    kept.append(context)


def session_cookie(who: str) -> Morsel[str]:
    """Return the cookie of a new session of this account: the form takes half a second, and has tests of its own."""
    client = Client()
    client.force_login(User.objects.get_by_natural_key(who))
    return client.cookies[settings.SESSION_COOKIE_NAME]


def picture(page: Page, name: str) -> None:
    """Leave a picture of the page for a person to look at, with THOROUGH=1."""
    if not THOROUGH:
        return
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def fits(page: Page) -> bool:
    """Whether the page is no wider than the window: what is wider scrolls in a box of its own."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


# Text of one colour and size on one ground has one contrast, and a link that looks alike within a text of one colour is
# as easy to tell from it. To look at colours takes axe most of its time.
looks_of_text: list[str] = []
MARK_NEW_TEXT = """(known) => {
  const looks = new Set(known);
  const [grounds, opacities, colours] = [new Map(), new Map(), new Map()];
  const hasText = (each) => each.matches("input, select, textarea") ||
    [...each.childNodes].some((part) => part.nodeType === Node.TEXT_NODE && part.data.trim());
  // Text for screen readers alone is one pixel wide.
  const isSeen = (each) => each.getBoundingClientRect().width > 1 && each.checkVisibility({ visibilityProperty: true });
  for (const each of document.querySelectorAll("*")) {
    const { backgroundColor, backgroundImage, color, fontSize, fontWeight, opacity, textDecorationLine, textShadow } =
      getComputedStyle(each);
    const below = grounds.get(each.parentElement) ?? "";
    const isClear = backgroundColor === "rgba(0, 0, 0, 0)" && backgroundImage === "none";
    const isOpaque = backgroundColor.startsWith("rgb(") && backgroundImage === "none";
    const own = `${backgroundColor} ${backgroundImage}`;
    const ground = isClear ? below : isOpaque ? own : `${below} ${own}`;
    const seenThrough = (opacities.get(each.parentElement) ?? 1) * opacity;
    const isLarge = parseFloat(fontSize) >= (fontWeight >= 700 ? 18.66 : 24);
    const link = each.localName === "a" ? [colours.get(each.parentElement), textDecorationLine, fontWeight] : [];
    const look = [ground, seenThrough, color, isLarge, textShadow, ...link].join();
    opacities.set(each, seenThrough);
    grounds.set(each, ground);
    colours.set(each, color);
    if (!looks.has(look) && hasText(each) && isSeen(each)) {
      looks.add(look);
      each.setAttribute("data-new-text", "");
    }
  }
  return [...looks];
}"""
NEW_TEXT_ALONE = [
    {"id": "color-contrast", "selector": "[data-new-text]"},
    {"id": "link-in-text-block", "selector": "a[href][data-new-text]"},
]


def has_new_text(page: Page) -> bool:
    """Mark one text of each look that no page of the session has had; return whether there is one."""
    known = len(looks_of_text)
    looks_of_text[:] = page.evaluate(MARK_NEW_TEXT, looks_of_text)
    return len(looks_of_text) > known


def flaws(page: Page) -> list[str]:
    """Return what axe finds against the guidelines, and grave lapses of good practice.

    Of alike texts it looks at the colours of one in a session.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    if not THOROUGH:
        page.evaluate("rules => axe.configure({ rules })", NEW_TEXT_ALONE)
        has_new_text(page)
    found = page.evaluate(RUN_AXE, AXE)["violations"]
    reported = [each for each in found if each["impact"] in GRAVE or "best-practice" not in each["tags"]]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in reported]


def looked_at(page: Page, name: str) -> None:
    """The page fits, is a picture, and axe finds nothing grave on it."""
    # What was pressed may lead to a page that has only begun.
    page.locator("body").wait_for()
    picture(page, name)
    assert fits(page), name
    assert flaws(page) == [], name


def until(page: Page | Frame, condition: str, seconds: int = 30) -> None:
    """Wait. Playwright's own way evaluates a text inside the page, which the policy of the page forbids."""
    for _ in range(seconds * 50):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    pytest.fail(f"the page never came to: {condition}")


def play(page: Page) -> dict[str, float]:
    """Press the player's button by the keyboard and wait until the picture moves."""
    player = page.locator("video[data-hls]")
    page.get_by_role("button", name="Play", exact=True).focus()
    page.keyboard.press("Space")
    until(page, "document.querySelector('video').currentTime > 0.3")
    return player.evaluate("v => ({ready: v.readyState, width: v.videoWidth, time: v.currentTime, length: v.duration})")


def faults(wrong: list[str]) -> list[str]:
    """What went wrong; a file whose loading ended with its page is nobody's fault."""
    return [line for line in wrong if "ERR_ABORTED" not in line]
