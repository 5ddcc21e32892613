"""The start page of the admin: what is live, what waits, what needs attention, and who may see it."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from playwright.sync_api import expect

from channels_app.models import Channel, InboxEvent, Lease, ReportedDifference
from common.audit import Actor, Way, acting, audited
from ivsvod.accounts.models import User
from ivsvod.console.charts import day_chart, length_text
from ondemand.models import Video
from tests.support.chromium import IN_BROWSER, LONG_TITLE, Look, chromium, faults, fits, flaws, opened, picture
from tests.support.console import (
    CHANNELS,
    EVENTS,
    NINE,
    STREAMS,
    VIDEOS,
    make_channel,
    make_event,
    make_stream,
    make_video,
    member,
    page,
)
from tests.support.helpers import THOROUGH

pytestmark = pytest.mark.slow

START = "/admin/"
DIFFERENCES = "/admin/channels_app/reporteddifference/"
LONG_AGO = NINE - timedelta(days=90)
db = pytest.mark.django_db


def section(html: str, name: str) -> str:
    """The text of a panel with its links, without what a browser does not show."""
    found = re.search(rf'<section[^>]*aria-labelledby="{name}">(.*?)</section>', html, re.DOTALL)
    return re.sub(r"\s+", " ", found[1]) if found else ""


def attention_items(html: str) -> dict[str, str]:
    """Return the counts of the attention items by the URL of their list."""
    found = re.findall(r'<a href="([^"]+)"> <span class="badge[^>]*>([^<]+)</span>', section(html, "attention"))
    return {address.replace("&amp;", "&"): count for address, count in found}


def rows_at(client: Client, address: str) -> int:
    """How many rows a list shows."""
    html = page(client, address)
    return len(re.findall(r"<tr[^>]*>\s*<t", html.partition("<tbody>")[2].partition("</tbody>")[0]))


def reconciled() -> None:
    """A run of reconcile that came to its end."""
    Lease.objects.create(name="reconcile", started_at=timezone.now(), finished_at=timezone.now())


def difference(number: int = 0, **values: Any) -> ReportedDifference:
    return ReportedDifference.objects.create(key=f"key-{number}", kind="channel_gone", would="delete it", **values)


def amiss() -> None:
    """Two rows of each kind that needs attention, beside one that looks like it and does not."""
    now = timezone.now()
    old, waiting = {"started_at": now - timedelta(hours=49)}, {"received_at": now - timedelta(minutes=61)}
    for n in range(2):
        make_video(status=Video.Status.FAILED, active=None)
        make_video(qa=Video.Qa.FAILED)
        make_video(status=Video.Status.RECORDING, active=None, **old)
        make_event(outcome=InboxEvent.Outcome.FAILED)
        make_event(outcome=InboxEvent.Outcome.DEFERRED, **waiting)
        make_event(outcome=InboxEvent.Outcome.PARKED)
        make_channel(stream_key="")
        make_channel(status=Channel.Status.PROVISIONING, stream_key="")
        difference(n)
    make_video(status=Video.Status.FAILED, active=False)
    make_video(qa=Video.Qa.FAILED, active=False)
    make_video(status=Video.Status.RECORDING, active=None, started_at=now - timedelta(hours=47))
    make_event(outcome=InboxEvent.Outcome.DEFERRED)
    make_event(outcome=InboxEvent.Outcome.APPLIED, **waiting)
    make_channel(status=Channel.Status.DELETED, stream_key="")


# What needs attention


@db
def test_each_attention_item_is_counted_and_links_to_a_list_of_its_rows(browser: Client) -> None:
    amiss()
    found = attention_items(page(browser, START))
    assert list(found) == [
        f"{VIDEOS}?listing=failed&shown=open",
        f"{VIDEOS}?qa=failed&shown=yes",
        f"{VIDEOS}?stuck=yes",
        f"{EVENTS}?outcome=failed",
        f"{EVENTS}?outcome=stuck",
        f"{EVENTS}?outcome=parked",
        DIFFERENCES,
        f"{CHANNELS}?attention=no-key",
        f"{CHANNELS}?attention=unfinished",
    ]
    assert set(found.values()) == {"2"}
    assert {address: rows_at(browser, address) for address in found} == dict.fromkeys(found, 2)


@db
def test_up_to_a_hundred_rows_are_counted_and_more_are_shown_as_100_plus(browser: Client) -> None:
    for _ in range(100):
        make_event(outcome=InboxEvent.Outcome.FAILED)
    assert attention_items(page(browser, START))[f"{EVENTS}?outcome=failed"] == "100"
    make_event(outcome=InboxEvent.Outcome.FAILED)
    assert attention_items(page(browser, START))[f"{EVENTS}?outcome=failed"] == "100+"


@db
def test_without_a_problem_one_sentence_is_shown(browser: Client) -> None:
    reconciled()
    make_video("Opening")
    panel = section(page(browser, START), "attention")
    assert "Nothing needs attention." in panel
    assert "reconcile last ran at" in panel
    assert "badge" not in panel


@db
@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (None, "reconcile has never run."),
        ({"started_at": NINE}, "The last reconcile began at 2026-03-04 09:05:02 UTC and did not finish."),
        ({"started_at": NINE, "finished_at": NINE}, "reconcile last ran at 2026-03-04 09:05:02 UTC, more than"),
    ],
)
def test_a_reconcile_that_does_not_run_is_a_matter_too(browser: Client, row: Any, sentence: str) -> None:
    if row:
        Lease.objects.create(name="reconcile", **row)
    panel = section(page(browser, START), "attention")
    assert sentence in panel
    assert "Nothing needs attention." not in panel


# What is live, what waits, and what was recorded


@db
def test_a_live_channel_links_to_its_stream(browser: Client, streams: dict[str, Any]) -> None:
    panel = section(page(browser, START), "live")
    assert f"{STREAMS}{streams['live'].pk}/change/" in panel
    assert "since 2026-03-04 10:05:02 UTC" in panel
    assert panel.count("<li>") == 1


@db
def test_the_queue_shows_the_newest_and_leads_through_the_list(browser: Client) -> None:
    for n in range(8):
        make_video(f"Show {n}", active=False, awaits_review=True, started_at=NINE + timedelta(days=n))
    make_video("Listed")
    panel = section(page(browser, START), "review")
    assert re.findall(r"<bdi>(Show \d)</bdi>", panel) == [f"Show {n}" for n in (7, 6, 5, 4, 3, 2)]
    assert '<span class="badge badge-recording">8</span>' in panel
    assert f'href="{VIDEOS}?review=yes"' in panel
    assert "_changelist_filters=review=yes" in unquote(panel)


@db
def test_titles_are_shown_as_text_in_their_own_direction(browser: Client) -> None:
    make_video("<script>alert(1)</script>", active=False, awaits_review=True)
    make_video("עברית", started_at=timezone.now())
    make_stream(make_channel(name="<i>x</i>"), "st-1", start=0)
    html = page(browser, START)
    assert "<script>alert" not in html
    assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>" in html
    assert "<bdi>&lt;i&gt;x&lt;/i&gt;</bdi>" in html
    assert "<bdi>עברית</bdi>" in html


@db
def test_the_week_counts_each_recording_once_by_days_of_the_reader(browser: Client) -> None:
    User.objects.update(time_zone="Pacific/Auckland")
    zone = ZoneInfo("Pacific/Auckland")
    midnight = timezone.localtime(timezone.now(), zone).replace(hour=0, minute=0, second=0, microsecond=0)
    before, after = midnight - timedelta(minutes=1), midnight + timedelta(minutes=1)
    first = make_video("Today", started_at=min(after, timezone.now()), duration_ms=3_600_000)
    make_video("Yesterday", started_at=before, duration_ms=5_400_000)
    make_video("Again", started_at=before, duplicate_of=first)
    make_video("Failed", started_at=before, status=Video.Status.FAILED, active=None)
    make_video("Long ago", started_at=LONG_AGO)
    html = page(browser, START)
    panel = section(html, "week")
    assert re.findall(r"<bdi>([A-Z][a-z]+)</bdi>", panel) == ["Today", "Yesterday"]
    assert "2 recordings, 2.5 h in the last 7 days" in panel
    hours = section(html, "chart-hours")
    today, yesterday = f"{midnight:%a %Y-%m-%d}", f"{before:%a %Y-%m-%d}"
    assert f"{today}: 1.0 h" in hours
    assert f'<th scope="row">{yesterday}</th> <td>1.5 h</td>' in hours
    assert "The last 30 days in Pacific/Auckland: 2.5 h in all, 1.5 h on the busiest day." in hours
    assert f"{yesterday}: 1" in section(html, "chart-recordings")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 h"), (12.4, "12 s"), (59.6, "1 min"), (90, "1 min"), (3599, "59 min"), (3600, "1.0 h"), (9000, "2.5 h")],
)
def test_a_length_is_written_in_the_largest_unit_of_which_it_has_one(seconds: float, text: str) -> None:
    assert length_text(seconds / 3600) == text


@db
def test_charts_have_a_name_a_description_and_a_table(browser: Client) -> None:
    make_video("Opening", started_at=timezone.now())
    panel = section(page(browser, START), "chart-hours")
    label, described = re.search(r'role="img" aria-labelledby="([\w-]+) ([\w-]+)"', panel).groups()  # type: ignore[union-attr]
    assert f'<title id="{label}">Hours recorded a day</title>' in panel
    assert f'<desc id="{described}">' in panel
    assert (panel.count("<rect"), panel.count('<th scope="row">')) == (30, 30)
    assert "style=" not in panel


@pytest.mark.parametrize("values", [[0, 0], [0, 5], [1, 1_000_000]])
def test_bars_stay_inside_of_their_chart_and_small_values_are_visible(values: list[float]) -> None:
    days = [(NINE.date() + timedelta(days=n), float(value)) for n, value in enumerate(values)]
    chart = day_chart("x", "X", days, str)
    for bar, value in zip(chart["bars"], values, strict=True):
        assert float(bar["y"]) >= 0
        assert float(bar["y"]) + float(bar["height"]) == chart["height"]
        assert (float(bar["height"]) > 0) == (value > 0)
    assert float(chart["bars"][-1]["x"]) + float(chart["bars"][-1]["width"]) <= chart["width"]


# Empty states


@db
def test_a_service_without_anything_says_how_things_come_to_be(browser: Client) -> None:
    html = page(browser, START)
    assert f'href="{CHANNELS}add/"' in section(html, "live")
    assert "manage.py import_channel ARN --owner UUID" in section(html, "live")
    assert "There is no recording yet." in section(html, "week")
    assert "a new recording is listed at once." in section(html, "review")
    assert "<svg" not in html.partition("<main")[2].partition("</main>")[0]


@db
def test_the_start_page_counts_the_channels_whose_recordings_wait(browser: Client, settings: Any) -> None:
    waiting = [
        make_channel(new_video_state="hidden"),
        make_channel(new_video_state="unlisted"),
        make_channel(private=True),
    ]
    make_channel(private=True, new_video_state="listed")
    make_channel(new_video_state="listed")
    make_channel(new_video_state="hidden", active=False)
    review = section(page(browser, START), "review")
    assert "Unless its channel is configured otherwise, a new recording is listed at once." in review
    assert "Channels that send new recordings to this list: 3." in review
    settings.HOLD_UNTIL_CHECKED = True
    review = section(page(browser, START), "review")
    assert "at once" not in review
    assert "a new recording is listed when the check of its files finds them good." in review
    Channel.objects.filter(pk__in=[channel.pk for channel in waiting]).update(new_video_state="listed")
    review = section(page(browser, START), "review")
    assert "Channels that send new recordings" not in review
    assert "NEW_VIDEO_STATE, or the setting of a channel, can send new recordings to this list." in review


@db
def test_once_there_are_channels_and_videos_the_first_steps_are_not_shown(browser: Client, settings: Any) -> None:
    settings.NEW_VIDEO_STATE = "hidden"
    make_channel()
    make_video("Opening", started_at=LONG_AGO)
    html = page(browser, START)
    assert "No channel is live." in section(html, "live")
    assert "Nothing was recorded in the last 7 days." in section(html, "week")
    assert "listed at once" not in html


@db
def test_who_may_not_add_channels_is_not_offered_to(streams: dict[str, Any]) -> None:
    Channel.objects.all().delete()
    assert "Create a channel" not in page(member("view_channel", "view_stream"), START)


# Who sees what


PANELS = ["attention", "live", "review", "week"]


@db
def test_each_panel_is_shown_to_accounts_that_may_see_its_rows() -> None:
    amiss()
    make_stream(make_channel(), "st-1", start=0)
    cases: dict[str, tuple[list[str], set[str]]] = {
        "view_video": (["attention", "review", "week"], {VIDEOS}),
        "change_video": (["attention", "review", "week"], {VIDEOS}),
        "view_channel": (["attention", "live"], {CHANNELS, DIFFERENCES}),
        "view_stream": (["live"], set()),
        "view_inboxevent": (["attention"], {EVENTS}),
        "view_user": ([], set()),
        "none at all": ([], set()),
    }
    for permission, (panels, lists) in cases.items():
        client = member(permission)
        html = page(client, START)
        assert [name for name in PANELS if section(html, name)] == panels, permission
        assert {address.partition("?")[0] for address in attention_items(html)} == lists, permission
        assert all(client.get(address).status_code == 200 for address in attention_items(html)), permission
    assert "Your account may not see anything here yet." in html


@db
def test_the_page_links_to_all_other_pages_and_to_the_own_latest_changes(browser: Client, staff: User) -> None:
    with acting(Actor(Way.ADMIN, staff.username, staff.pk, "a request")), audited():
        channel = make_channel(name="<b>Stage</b>")
    html = page(browser, START)
    assert all(f'<a href="{path}">' in html for path in (VIDEOS, CHANNELS, STREAMS, EVENTS, DIFFERENCES))
    assert f'<a href="{CHANNELS}{channel.pk}/change/"><bdi>&lt;b&gt;Stage&lt;/b&gt;</bdi></a>' in html


@db
def test_the_head_of_each_page_leads_to_the_catalogue_page_where_there_is_one(browser: Client, settings: Any) -> None:
    settings.CATALOGUE_PAGE = False
    assert "View site" not in page(browser, START)
    settings.CATALOGUE_PAGE = True
    assert '<a href="/">View site</a>' in page(browser, VIDEOS)


# What it costs


def queries_of(client: Client) -> int:
    with CaptureQueriesContext(connection) as queries:
        page(client, START)
    return len(queries)


@db
def test_the_page_takes_as_many_queries_for_many_rows_as_for_none(browser: Client) -> None:
    clients = [browser, member("change_video", "view_channel", "view_stream", "view_inboxevent")]
    # What is looked up once in the life of a process is looked up here.
    page(browser, START)
    none = [queries_of(client) for client in clients]
    for n in range(12):
        channel = make_channel()
        make_stream(channel, f"st-{n}", start=0)
        video = make_video(f"Show {n}", channel=channel, started_at=timezone.now() - timedelta(hours=n))
        make_video(f"New {n}", channel_id=uuid4(), active=False, awaits_review=True)
        make_video(duplicate_of=video)
        make_event(outcome=InboxEvent.Outcome.FAILED)
        difference(n, channel=channel)
    assert [queries_of(client) for client in clients] == none
    assert max(none) <= 12


# In a browser


def eventful_month(video: Video) -> None:
    """A month of recordings, and all that can wait or be amiss."""
    amiss()
    now = timezone.now()
    Video.objects.filter(pk=video.pk).update(started_at=now - timedelta(hours=2), active=False, awaits_review=True)
    channel = make_channel(name="The hall with the very long name, where every panel of the festival is held")
    for day in range(28):
        for n in range(day % 5):
            started_at = now - timedelta(days=day, hours=n + 3)
            values = {"started_at": started_at, "duration_ms": (n + 1) * 3_000_000, "channel": channel}
            make_video(f"Day {day}, part {n}", facts=None, **values)
    title = "حفل الافتتاح مع جميع المتحدثين"
    make_video(title, active=False, awaits_review=True, started_at=now, channel=channel, facts=None)
    make_stream(channel, "st-1", start=0)
    reconciled()


@pytest.fixture
def month(video: Video) -> None:
    """A recorded broadcast, and what a busy month leaves beside it."""
    eventful_month(video)


class TestInABrowser:
    """The whole page, over the real stack."""

    pytestmark = IN_BROWSER

    def test_the_page_fits_is_accessible_and_leads_to_a_new_recording(self, url: str, month: None) -> None:
        with chromium() as browser, opened(browser, url, 1280, "light") as (page, wrong):
            page.goto(f"{url}{START}")
            expect(page.get_by_role("img", name="Hours recorded a day")).to_be_visible()
            page.get_by_text("As a table").first.press("Enter")
            expect(page.get_by_role("columnheader", name="Hours recorded a day")).to_be_visible()
            for look in (Look(1280, "light"), Look(400, "dark"), Look(2560, "light"))[: 3 if THOROUGH else 2]:
                look.take(page)
                picture(page, f"start-{look}")
                assert (fits(page), flaws(page)) == (True, []), look
            page.get_by_role("link", name=LONG_TITLE).first.click()
            expect(page.get_by_role("heading", name=LONG_TITLE)).to_be_visible()
            assert "review=yes" in unquote(unquote(page.url))
            assert faults(wrong) == []

    def test_a_new_service_says_how_to_begin_and_leads_there(self, url: str, staff: User) -> None:
        with chromium() as browser, opened(browser, url, 400, "light") as (page, wrong):
            page.goto(f"{url}{START}")
            expect(page.get_by_text("There is no channel yet.")).to_be_visible()
            picture(page, "start-new-400-light")
            assert (fits(page), flaws(page)) == (True, [])
            page.get_by_role("link", name="Create a channel").click()
            expect(page.get_by_role("heading", name="Create a channel")).to_be_visible()
            assert faults(wrong) == []
