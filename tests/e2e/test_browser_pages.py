"""Every page, over rows of every kind, in a browser: it fits, breaks no policy, and shuts nobody out.

The pages of the admin are those that the table of tests/ivsvod/console/test_roles.py lets a superuser see: a page that
is new there is walked here. A page is loaded once and looked at in each way. `THOROUGH=1` looks in all ways with axe,
and in all languages, and leaves a picture of each in test-artifacts/; else languages and axe take turns, and axe looks
at the pages that have a template or a look of a text which none before them had.
"""

import re
from collections.abc import Iterator
from itertools import cycle
from typing import Any
from uuid import UUID

import pytest
from django.test.signals import template_rendered
from playwright.sync_api import Page, expect

from ondemand.models import Video
from tests.ivsvod.console.test_roles import TABLE, filled
from tests.support.chromium import IN_BROWSER, Look, chromium, faults, fits, flaws, has_new_text, opened, picture
from tests.support.every_kind import every_kind
from tests.support.helpers import THOROUGH

pytestmark = IN_BROWSER

# Answers for scripts.
DOCUMENTS = {
    "channels_app/channel/<uuid:pk>/live.json",
    "jsi18n/",
    "ondemand/video/channels/complete/",
    "ondemand/video/tags/complete/",
}
# They say what is missing, or wrong, and so does the status of what they ask for.
AMISS = {"video-gone", "catalogue-wrong", "watch-missing", "embed-missing", "nothing"}
# Without it there is no page, but a sentence that says so.
QUERIES = {"ondemand/video/tags/change/": "?tag=festival"}
# By default the first of each kind: they differ by a name or a badge.
ALIKE = re.compile("admin-.*-(delete|history)$|(video)-(?:scheduled|expired|today)$")
# All that is folded away is seen.
OPEN_ALL = "document.querySelectorAll('details').forEach(each => { each.open = true })"
LOOKS = [Look(1280, "light"), Look(400, "dark")]
MORE_LOOKS = [Look(2560, "light"), Look(1280, "dark", 200), Look(400, "light", 200)]


def admin_pages(world: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The name and the path of each page that the admin has a route for."""
    for route, (row, _) in TABLE.items():
        if row[-1] == "." and route not in DOCUMENTS:
            name = re.sub("<[^>]*>", "one", route).strip("/").replace("/", "-")
            yield f"admin-{name or 'start'}", filled(route, world) + QUERIES.get(route, "")


def other_pages(world: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Pages of the admin that look different for other rows, and those for everybody."""
    for key, pk in world.items():
        word, _, kind = key.partition(" ")
        if kind in {"video", "stream", "channel"}:
            app = "ondemand" if kind == "video" else "channels_app"
            yield f"{kind}-{word}", f"/admin/{app}/{kind}/{pk}/change/"
    for kind in ("tags", "schedule"):
        yield f"bulk-{kind}", f"/admin/ondemand/video/bulk/{world[f'{kind} draft']}/"
    yield "video-gone", f"/admin/ondemand/video/{UUID(int=8)}/change/"
    yield "videos-filtered", "/admin/ondemand/video/?listing=expired&tag=a&started=2026"
    yield "events-none", "/admin/channels_app/inboxevent/?q=none"
    yield "catalogue", "/"
    yield "catalogue-found", "/?search=festival&tag=festival&ordering=oldest"
    yield "catalogue-nothing", "/?search=nowhere"
    yield "catalogue-wrong", "/?min_duration=x"
    yield "catalogue-channel", f"/c/{world['channels_app/channel']}?ordering=title"
    yield "watch", f"/watch/{world['ondemand/video']}"
    yield "watch-unbroken", f"/watch/{world['unbroken video']}"
    yield "watch-live", f"/watch/live/{world['channels_app/channel']}"
    yield "watch-offline", f"/watch/live/{world['offline channel']}"
    yield "watch-missing", "/watch/x"
    yield "embed", f"/embed/{world['ondemand/video']}"
    yield "embed-missing", "/embed/x"
    yield "nothing", "/nothing"


def looked_at(page: Page, name: str, look: Look, *, closely: bool) -> Iterator[str]:
    """Return what is wrong with the page."""
    if not fits(page):
        yield f"{look}: it is {page.evaluate('document.documentElement.scrollWidth')} wide"
    if closely:
        picture(page, f"{name}-{look}")
        yield from (f"{look}: {flaw}" for flaw in flaws(page))


@pytest.fixture
def templates() -> Iterator[set[str]]:
    """Return the names of the templates that are rendered, as they are."""
    names: set[str] = set()

    def note(template: Any, **_: Any) -> None:
        names.add(str(template.name))

    template_rendered.connect(note)
    yield names
    template_rendered.disconnect(note)


# Those of the service, and one from right to left.
LANGUAGES = ["en", "de", "es", "he"]
# In this one the pages are an operator's own.
BRANDED = "es"
BRAND = {"SITE_NAME": "Acme TV", "SITE_COLOUR": "#ffd400", "SITE_FOOTER": [("Imprint", "/imprint"), ("Privacy", "/x")]}
NO_BRAND = {"SITE_NAME": "", "SITE_COLOUR": "", "SITE_FOOTER": []}


@pytest.mark.parametrize("languages", [[each] for each in LANGUAGES] if THOROUGH else [LANGUAGES], ids="-".join)
def test_every_page_fits_breaks_no_policy_and_shuts_nobody_out(
    url: str, video: Video, settings: Any, templates: set[str], languages: list[str]
) -> None:
    world = every_kind(video)
    settings.LANGUAGES = [(each, each) for each in LANGUAGES]
    looks = LOOKS + (MORE_LOOKS if THOROUGH else [])
    found, known = [], set[str]()
    # Two routes of the admin may lead to one page.
    pages = {path: name for name, path in (*admin_pages(world), *other_pages(world))}
    if not THOROUGH:
        kinds = {ALIKE.sub(r"\1\2", name): (path, name) for path, name in reversed(pages.items())}
        pages = dict(reversed(kinds.values()))
    with chromium() as browser, opened(browser, url, 1280, "light") as (page, wrong):
        for (path, name), language in zip(pages.items(), cycle(languages), strict=False):
            templates.clear()
            for setting, value in (BRAND if language == BRANDED else NO_BRAND).items():
                setattr(settings, setting, value)
            page.set_extra_http_headers({"Accept-Language": language})
            page.goto(f"{url}{path}")
            is_new = not templates <= known
            known |= templates
            page.evaluate(OPEN_ALL)
            # A page of templates that were seen is looked at in one way.
            taken = looks if is_new or THOROUGH else looks[:1]
            for number, look in enumerate(taken):
                # The window is as the last page left it, but the size of the text went with that page.
                if number or look.text != 100:
                    look.take(page)
                closely = THOROUGH or (number == 0 and (has_new_text(page) or is_new))
                found += [
                    f"{language}-{name} {finding}"
                    for finding in looked_at(page, f"{language}-{name}", look, closely=closely)
                ]
            # The next page is seen first as this one was last, so that the window changes once a page.
            looks = looks[::-1] if len(taken) > 1 else looks
            found += [] if name in AMISS else [f"{name} {line}" for line in faults(wrong)]
            wrong.clear()
    assert "\n".join(found) == ""


# Of a group of radio buttons only one takes the focus; the arrows do the rest.
WATCH_FOCUS = """() => {
  const actions = "a[href], button:enabled, select, textarea, summary, " +
    "input:enabled:not([type=hidden]):not([type=radio])";
  window.actions = [...document.querySelectorAll(actions)].filter((each) => each.checkVisibility() &&
    each.tabIndex >= 0);
  window.seen = new Map();
  document.addEventListener("focusin", ({ target }) => {
    const { outlineStyle, boxShadow } = getComputedStyle(target);
    window.seen.set(target, outlineStyle !== "none" || boxShadow !== "none");
  });
  return window.actions.length;
}"""
NOT_REACHED = """() => window.actions.filter((each) => window.seen.get(each) === undefined).map((e) => e.outerHTML)"""
NOT_SEEN = """() => window.actions.filter((each) => window.seen.get(each) === false).map((e) => e.outerHTML)"""


def test_the_keyboard_reaches_every_action_and_shows_where_it_is(url: str, video: Video) -> None:
    pages = ["", "admin/ondemand/video/", "admin/", f"admin/channels_app/channel/{video.channel_id}/change/"]
    with chromium() as browser, opened(browser, url, 1280, "light") as (page, wrong):
        for path in pages[: 4 if THOROUGH else 2]:
            page.goto(f"{url}/{path}")
            many = page.evaluate(WATCH_FOCUS)
            page.keyboard.press("Tab")
            skip = page.get_by_role("link", name="Skip to")
            expect(skip).to_be_focused()
            expect(skip).to_be_in_viewport()
            # A key that is held repeats. Fields of a date take a few more; at its end it begins again.
            for _ in range(many + 20):
                page.keyboard.down("Tab")
            page.keyboard.up("Tab")
            assert page.evaluate(NOT_REACHED) == [], path
            assert page.evaluate(NOT_SEEN) == [], path
        assert faults(wrong) == []
