"""A real browser over the real stack: what its tests share."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group
from django.db import connection
from playwright.sync_api import Browser, Frame, Page, expect, sync_playwright

from channels_app.channels.provisioning import channel_create
from channels_app.models import Channel, Stream, StreamHistoryEntry
from ivsvod.accounts.models import User
from ivsvod.local.aws import LocalAws
from ivsvod.local.broadcast.studio import broadcast
from ivsvod.local.serving import MOUNT, served, with_local_aws
from ondemand.models import Video
from ondemand.videos.services import content_replace
from tests.support.helpers import THOROUGH

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
PICTURES = Path(__file__).resolve().parents[2] / "test-artifacts"
PASSWORD = "a long password 1"
SECONDS = 8
NOISE = ("error", "warning")
GRAVE = {"serious", "critical"}
# It would load styles anew to look at them, which the policy of the pages forbids.
AXE: dict[str, Any] = {"preload": False, "resultTypes": ["violations"]}
if not THOROUGH:
    # What the guidelines demand; else what axe holds to be good practice, too.
    AXE["runOnly"] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
LONG_TITLE = "Opening show of the summer festival, with every speaker, both panels and the closing concert"

# Each test of a browser has these.
IN_BROWSER = [
    pytest.mark.browser,
    pytest.mark.usefixtures("one_chromium"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(aws: LocalAws, settings: Any) -> Iterator[str]:
    """The service and its media on one origin, as in the demo."""
    # WhiteNoise lists the static files when the application is made.
    from ivsvod.wsgi import application

    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    settings.PLAYBACK_BASE_URL = f"{origin}{MOUNT}/media"
    with served(with_local_aws(application, aws), port):
        yield origin


def recorded_video(aws: LocalAws, recorded: Path) -> Video:
    """A recorded broadcast with content, beside videos of every other kind."""
    staff = User.objects.create_superuser("boss", password=PASSWORD)
    channel = channel_create(name="Main stage", owner=staff.uuid)
    broadcast(home=aws.home, channel=channel, seconds=SECONDS, record=recorded)
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


@cache
def launched() -> tuple[Browser, asyncio.AbstractEventLoop]:
    """Headless Chromium, one for all tests of this process, and playwright's event loop."""
    playwright = sync_playwright().start()
    stops.append(playwright.stop)
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
    browser.on("disconnected", lambda _: launched.cache_clear())
    return browser, asyncio.get_running_loop()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Headless Chromium without any window or cookie. Nothing inside may use the ORM: see `in_thread`."""
    browser, loop = launched()
    # As playwright does between its calls; outside of the block the thread has no loop, and the ORM works.
    asyncio._set_running_loop(loop)
    try:
        yield browser
    finally:
        for context in browser.contexts:
            context.close()
        asyncio._set_running_loop(None)


@contextmanager
def opened(browser: Browser, url: str, width: int, scheme: Any, who: str = "boss") -> Iterator[tuple[Page, list[str]]]:
    """A page on which someone is signed in, and all that goes wrong on it."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(f"{said.text} {said.location}") if said.type in NOISE else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(f"{request.url} {request.failure}"))
    page.on("response", lambda answer: wrong.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    sign_in(page, url, who)
    yield page, wrong
    context.close()


def sign_in(page: Page, url: str, who: str = "boss") -> None:
    # By what no language writes otherwise.
    page.goto(f"{url}/admin/")
    page.locator("input[name=username]").fill(who)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("#login-form [type=submit]").click()
    expect(page.locator("#user-tools")).to_be_visible()
    # Going on before would abort what the page still loads.
    page.wait_for_load_state()


def picture(page: Page, name: str) -> None:
    """Leave a picture of the page for a person to look at, with THOROUGH=1."""
    if not THOROUGH:
        return
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def fits(page: Page) -> bool:
    """Whether the page is no wider than the window: what is wider scrolls in a box of its own."""
    page.locator("body").wait_for()
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def flaws(page: Page) -> list[str]:
    """What axe finds that is serious or critical."""
    found = Axe().run(page, options=AXE).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in GRAVE]


def looked_at(page: Page, name: str) -> None:
    """The page fits, is a picture, and axe finds nothing grave on it."""
    picture(page, name)
    assert fits(page), name
    assert flaws(page) == [], name


def until(page: Page | Frame, condition: str, seconds: int = 30) -> None:
    """Wait. Playwright's own way evaluates a text inside the page, which the policy of the page forbids."""
    for _ in range(seconds * 10):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"the page never came to: {condition}")


def play(page: Page) -> dict[str, float]:
    """Press the player's key and wait until the picture moves."""
    player = page.locator("video[data-hls]")
    player.wait_for()
    # Before there is a picture the browser's controls take no key.
    until(page, "document.querySelector('video').readyState >= 2")
    player.focus()
    page.keyboard.press("Space")
    until(page, "document.querySelector('video').currentTime > 1.5")
    return player.evaluate("v => ({ready: v.readyState, width: v.videoWidth, time: v.currentTime, length: v.duration})")


def faults(wrong: list[str]) -> list[str]:
    """What went wrong; a file whose loading ended with its page is nobody's fault."""
    return [line for line in wrong if "ERR_ABORTED" not in line]
