"""The list of videos in the admin: what a row says, filters, search and actions."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import Value
from django.test import Client
from django.utils import timezone

from common.sql.rows import count_shown
from ondemand.admin.change_list import TABS
from ondemand.admin.periods import parse_period, periods_within
from ondemand.admin.videos import VideoAdmin
from ondemand.models import BulkChange, Content, PlaybackGrant, Video
from ondemand.models.publication import Listing
from ondemand.videos.files import CatalogueReader
from ondemand.videos.form_values import edited_values, versions_of
from ondemand.videos.thumbnails import picture_allowed, video_picture
from tests.support.console import (
    CHANNELS,
    EVENTS,
    NINE,
    VIDEOS,
    make_channel,
    make_event,
    make_video,
    member,
    page,
    row_titles,
)

pytestmark = pytest.mark.django_db


# Videos: the list


def test_list_shows_a_video_at_a_glance(browser: Client) -> None:
    channel = make_channel()
    video = make_video("Opening show", channel=channel)
    html = page(browser, VIDEOS)
    assert f'src="/play/{video.pk}/small/320/thumb1.jpg"' in html
    assert 'loading="lazy"' in html
    assert 'alt="Picture of Opening show"' in html
    for text in (">Opening show</bdi>", "Main stage", "2026-03-04 09:05:02 UTC", "1:02:05", ">listed<"):
        assert text in html


def test_list_shows_unknown_values_as_dashes(browser: Client) -> None:
    nowhere = uuid4()
    bare = {"prefix": None, "bucket": None, "started_at": None, "ended_at": None, "duration_ms": None, "facts": None}
    video = make_video(channel_id=nowhere, stream_ids=None, active=None, **bare)
    Video.objects.filter(pk=video.pk).update(**bare, status=None, data=[1, "x", None])
    Video.objects.filter(pk=video.pk).update(started_at=None)
    html = page(browser, VIDEOS)
    assert "No picture" in html
    assert row_titles(html) == ["A recording without a title"]
    assert str(nowhere) in html
    assert ">hidden<" in html
    assert "There is nothing to play" in page(browser, f"{VIDEOS}{video.pk}/change/")


def test_list_is_newest_first_and_unknown_starts_are_last(browser: Client) -> None:
    for title, started_at in (("old", NINE), ("new", NINE + timedelta(days=1)), ("unknown", None)):
        video = make_video(title, started_at=started_at)
        Video.objects.filter(pk=video.pk).update(started_at=started_at)
    assert row_titles(page(browser, VIDEOS)) == ["new", "old", "unknown"]


def one_of_each_listing() -> None:
    """Create a video of each listing, two hidden ones; the title of each is its listing."""
    first = make_video("listed")
    soon, past = timezone.now() + timedelta(hours=1), timezone.now() - timedelta(hours=1)
    make_video("unlisted", visibility="unlisted")
    make_video("scheduled", publish_from=soon)
    make_video("expired", publish_until=past)
    make_video("held", held=True, active=False)
    make_video("hidden", active=False)
    make_video("hidden", active=None)
    make_video("recording", active=None, held=None, visibility=None, status=Video.Status.RECORDING)
    make_video("failed", active=None, held=None, visibility=None, status=Video.Status.FAILED)
    make_video("duplicate", duplicate_of=first)


def choices(html: str, name: str) -> list[str]:
    """The choices of a filter in their order, without that for all."""
    select = html[html.index(f'<select id="filter-{name}"') :].partition("</select>")[0]
    return re.findall(r">([^<>]+)</option>", select)[1:]


def tabs(html: str) -> dict[str, tuple[str, str]]:
    """The count and the address of each tab; the current one has a star."""
    nav = html[html.index('<nav class="tabs"') :].partition("</nav>")[0]
    found = re.findall(r'<a href="([^"]*)"\s*(aria-current)?[^>]*>([^<]*)(?:<span class="count">([^<]*)</span>)?', nav)
    return {
        label.strip() + ("*" if current else ""): (count, unescape(address)) for address, current, label, count in found
    }


def chips(html: str) -> dict[str, str]:
    """The address without each filter that is set."""
    found = re.findall(r'<a class="chip"\s+href="([^"]*)".*?</span>\s*(.*?): <bdi>(.*?)</bdi>', html, re.DOTALL)
    return {f"{title}: {text}": unescape(address) for address, title, text in found}


def test_the_list_shows_the_listing_of_a_video_and_the_reason(browser: Client) -> None:
    one_of_each_listing()
    html = page(browser, VIDEOS)
    assert re.findall(r'class="badge badge-(\w+)">\1<', html) == row_titles(html)
    assert "badge-qa" not in html
    assert len(row_titles(html)) == 10
    for reason in ("It is hidden.", "Its recording failed.", "It is held back until somebody shows it."):
        assert reason in html
    assert html.count('class="reason"') == 9


def test_filters(browser: Client) -> None:
    make_video("shown", tags=["gala", "day one"], qa="warning", channel=make_channel())
    make_video("hidden", active=False)
    make_video("failed", active=None, status=Video.Status.FAILED, started_at=datetime(2024, 12, 31, 23, 59, tzinfo=UTC))
    every = {"shown", "hidden", "failed"}
    expected = {
        "status=available": {"shown", "hidden"},
        "status=failed": {"failed"},
        "listing=listed": {"shown"},
        "listing=hidden": {"hidden"},
        "listing=hidden&status=failed": set(),
        "listing=nonsense&shown=nonsense&qa=nonsense": every,
        "qa=warning": {"shown"},
        "shown=yes": {"shown"},
        "shown=no": {"hidden"},
        "listing=failed&shown=open": {"failed"},
        "tag=gala": {"shown"},
        "tag=gal": set(),
        "channel=main+st": {"shown"},
        "channel=nobody": set(),
        "channel=+": every,
        "started=2026": {"shown", "hidden"},
        "started=2026-03-04": {"shown", "hidden"},
        "started=2026-02": set(),
        "started=2024-12-31": {"failed"},
        "started=2026-13": every,
    }
    assert {query: set(row_titles(page(browser, f"{VIDEOS}?{query}"))) for query in expected} == expected


def test_each_listing_is_a_filter_that_shows_only_its_videos(browser: Client) -> None:
    one_of_each_listing()
    for listing in Listing:
        assert set(row_titles(page(browser, VIDEOS, {"listing": listing}))) == {listing.value}


def test_tabs_count_their_rows_to_a_bound_and_keep_the_other_filters(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_of_each_listing()
    make_video("undecided", active=False, awaits_review=True)
    assert tabs(page(browser, VIDEOS)) == {
        "All*": ("11", "?"),
        "To review": ("1", "?review=yes"),
        "Listed": ("1", "?listing=listed"),
        "Scheduled": ("1", "?listing=scheduled"),
        "Hidden": ("3", "?listing=hidden"),
        "Failed": ("1", "?listing=failed"),
    }
    monkeypatch.setattr("ondemand.admin.change_list.COUNTED", 2)
    assert tabs(page(browser, VIDEOS, {"listing": "hidden"}))["Hidden*"] == ("2+", "?listing=hidden")
    assert count_shown(1001, 1000) == "1,000+"
    # With another filter the tab that is open is counted alone.
    found = tabs(page(browser, VIDEOS, {"qa": "unverified", "review": "yes", "q": "undecided", "o": "6"}))
    assert found["To review*"] == ("1", "?o=6&q=undecided&qa=unverified&review=yes")
    assert found["Hidden"] == ("", "?listing=hidden&o=6&q=undecided&qa=unverified")
    assert found["All"] == ("", "?o=6&q=undecided&qa=unverified")
    assert not any(label.endswith("*") for label in tabs(page(browser, VIDEOS, {"listing": "expired"})))


def test_an_index_has_the_rows_of_each_tab_in_the_order_in_which_they_are_counted() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        for tab in TABS:
            sql, values = tab.rows(timezone.now()).values_list(Value(1))[:1001].query.sql_with_params()
            cursor.execute(f"EXPLAIN {sql}", values)
            nodes = [line.strip(" ->").partition("  ")[0] for (line,) in cursor.fetchall() if "cost=" in line]
            assert [re.sub(" (using|on) .*", "", node) for node in nodes if "Index" not in node] == ["Limit"], tab.label


def test_each_filter_that_is_set_is_a_chip_that_removes_it_alone(browser: Client) -> None:
    channel = make_channel(name="Side stage")
    make_video("Opening", channel=channel)
    assert chips(page(browser, VIDEOS, {"listing": "listed", "o": "6", "qa": "nonsense"})) == {}
    query = {"review": "yes", "q": "opening", "qa": "unverified", "channel__uuid__exact": str(channel.pk)}
    found = chips(page(browser, VIDEOS, {**query, "status": "failed"}))
    channel_id = f"channel__uuid__exact={channel.pk}"
    assert found == {
        "Search: opening": f"?{channel_id}&qa=unverified&review=yes&status=failed",
        "Channel: Side stage": "?q=opening&qa=unverified&review=yes&status=failed",
        "Files: Unverified": f"?{channel_id}&q=opening&review=yes&status=failed",
        "Status: failed": f"?{channel_id}&q=opening&qa=unverified&review=yes",
    }
    assert 'class="chips-clear" href="?review=yes"' in page(browser, VIDEOS, query)
    assert chips(page(browser, VIDEOS, {"listing": "expired"})) == {"Listing: Expired": "?"}
    # A filter of links alone is no choice of the form, but can be removed.
    html = page(browser, VIDEOS, {"listing": "failed", "shown": "open"})
    assert chips(html) == {"Decision: Not decided": "?listing=failed"}
    assert '<select id="filter-shown"' not in html
    assert '<input type="hidden" name="shown" value="open">' in html


def test_a_form_that_sends_empty_filters_leads_to_the_address_without_them(browser: Client) -> None:
    response = browser.get(VIDEOS, {"review": "yes", "tag": "", "qa": "ok", "started": ""})
    assert (response.status_code, response["Location"]) == (302, "?review=yes&qa=ok")
    repeated = browser.get(VIDEOS, {"status": ["failed", "", "available"], "tag": ""})
    assert repeated["Location"] == "?status=failed&status=available"


def test_a_channel_is_filtered_by_its_uuid_under_either_name_and_shown_by_its_name(browser: Client) -> None:
    channel = make_channel(name="Side stage")
    make_video("here", channel=channel)
    make_video("elsewhere", channel=make_channel())
    for name in ("channel", "channel__uuid__exact"):
        html = page(browser, VIDEOS, {name: str(channel.pk)})
        assert row_titles(html) == ["here"]
        assert list(chips(html)) == ["Channel: Side stage"]
        # The form sends the uuid again: a part of the name would find other channels too.
        assert re.search(rf'name="channel"\s+value="{channel.pk}"', html)
    assert row_titles(page(browser, VIDEOS, {"channel": str(uuid4())})) == []


def test_the_form_of_filters_keeps_the_tab_and_the_search_and_offers_the_listings_without_a_tab(
    browser: Client,
) -> None:
    make_video("x")
    html = page(browser, VIDEOS, {"q": "x", "review": "yes", "listing": "hidden", "tag": "a"})
    form = html[html.index('<form class="filters-form"') :].partition("</form>")[0]
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', form)
    assert sorted(hidden) == [("q", "x"), ("review", "yes")]
    assert re.search(r'name="tag"\s+value="a"', form)
    assert choices(html, "listing") == ["Unlisted", "Expired", "Hidden", "Held", "Recording", "Duplicate"]


def test_years_lead_to_months_and_days_with_a_recording_in_the_time_zone_of_the_user(
    browser: Client, settings: Any
) -> None:
    for moment in ((2024, 12, 31, 23, 30), (2026, 3, 4, 9, 5), (2026, 3, 9, 1, 0), (2026, 7, 1, 0, 0)):
        make_video(str(moment), started_at=datetime(*moment, tzinfo=UTC))
    unknown = make_video("unknown")
    Video.objects.filter(pk=unknown.pk).update(started_at=None)
    assert choices(page(browser, VIDEOS), "started") == ["2026", "2024"]
    assert choices(page(browser, VIDEOS, {"started": "2026"}), "started") == ["2026", "2026-07", "2026-03"]
    of_march = ["2026", "2026-03", "2026-03-09", "2026-03-04"]
    assert choices(page(browser, VIDEOS, {"started": "2026-03"}), "started") == of_march
    found = choices(page(browser, VIDEOS, {"started": "2026-03-04", "q": "x"}), "started")
    assert found == ["2026", "2026-03", "2026-03-04", "2026-03-09"]
    settings.TIME_ZONE = "Europe/Berlin"
    with timezone.override("Europe/Berlin"):
        assert [period.text for period in periods_within(None)] == ["2026", "2025"]
        day = parse_period("2026-03-29")
        assert day
        assert day.end - day.begin.astimezone(UTC) == timedelta(hours=23)


@pytest.mark.parametrize(
    ("zone", "month", "moments", "days"),
    [
        ("Atlantic/Azores", "2025-10", ["2025-10-26T00:42", "2025-10-26T01:30", "2025-10-20T12:00"], [26, 20]),
        ("Atlantic/Azores", "2025-10", ["2025-10-26T00:00", "2025-10-25T23:59", "2025-10-20T12:00"], [26, 25, 20]),
        ("America/Havana", "2026-11", ["2026-11-02T12:00", "2026-11-01T04:30"], [2, 1]),
    ],
)
def test_a_day_whose_first_hour_occurs_twice_is_listed_once_and_hides_no_other(
    zone: str, month: str, moments: list[str], days: list[int]
) -> None:
    for moment in (*moments, "2024-03-04T12:00"):
        make_video(moment, started_at=datetime.fromisoformat(f"{moment}Z"))
    with timezone.override(zone):
        assert [period.text for period in periods_within(None)] == [month[:4], "2024"]
        assert [period.text for period in periods_within(parse_period(month[:4]))] == [month]
        assert [period.text for period in periods_within(parse_period(month))] == [f"{month}-{day:02}" for day in days]


def test_a_list_too_long_to_count_has_pages_from_both_ends(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.admin.pages.COUNTED", 40)
    monkeypatch.setattr(VideoAdmin, "list_per_page", 20)
    made = {"status": "available", "data": {}}
    videos = [Video(started_at=NINE - timedelta(minutes=n), **made) for n in range(50)]
    Video.objects.bulk_create(videos)
    titled = {"created_by": UUID(int=0), "tags": [], "description": "", "thumbnail": ""}
    Content.objects.bulk_create(Content(video=video, title=f"{n:03}", **titled) for n, video in enumerate(videos))
    first = page(browser, VIDEOS)
    assert row_titles(first)[:2] == ["000", "001"]
    assert "40+" in first
    assert 'href="?p=-1">last</a>' in first
    assert row_titles(page(browser, VIDEOS, {"p": "2"}))[0] == "020"
    last = page(browser, VIDEOS, {"p": "-1"})
    assert row_titles(last) == [f"{n:03}" for n in range(30, 50)]
    assert 'href="?p=-2">last −1</a>' in last  # noqa: RUF001
    assert row_titles(page(browser, VIDEOS, {"p": "-2"})) == [f"{n:03}" for n in range(10, 30)]
    for nonsense in ("-3", "3", "0", "9" * 30):
        assert browser.get(VIDEOS, {"p": nonsense}).status_code == 302
    monkeypatch.setattr("common.admin.pages.COUNTED", 50)
    short = page(browser, VIDEOS, {"p": "3"})
    assert len(row_titles(short)) == 10
    assert "50\n" in short
    assert browser.get(VIDEOS, {"p": "-1"}).status_code == 302


@pytest.mark.parametrize("is_long", [False, True], ids=["counted", "too long to count"])
def test_a_search_finds_listed_and_other_videos_newest_first_on_pages_from_both_ends(
    browser: Client, monkeypatch: pytest.MonkeyPatch, is_long: bool
) -> None:
    """The index of videos finds them, together with the filters that it has; the others are left to PostgreSQL."""
    monkeypatch.setattr("common.admin.pages.COUNTED", 40 if is_long else 1000)
    monkeypatch.setattr(VideoAdmin, "list_per_page", 20)
    channel = make_channel(name="Side stage")
    status = ("available", "recording", "available")
    made: list[Video] = [
        Video(
            started_at=NINE - timedelta(minutes=n),
            status=status[n % 3],
            active=n % 2 == 0,
            channel=channel if n < 10 else None,
        )
        for n in range(50)
    ]
    Video.objects.bulk_create([Video(started_at=NINE, status="available"), *made])
    written = {"created_by": UUID(int=0), "description": "found", "thumbnail": ""}
    Content.objects.bulk_create(
        Content(video=video, title=f"{n:03}", tags=["even"] if n % 2 == 0 else [], **written)
        for n, video in enumerate(made)
    )

    def titles(**query: str) -> list[str]:
        return row_titles(page(browser, VIDEOS, query))

    every = [f"{n:03}" for n in range(50)]
    assert titles(q="found") == every[:20]
    assert titles(q="found", p="2") == every[20:40]
    assert ("40+" if is_long else "50\n") in page(browser, VIDEOS, {"q": "found"})
    if is_long:
        assert titles(q="found", p="-1") == every[30:]
        assert titles(q="found", p="-2") == every[10:30]
    else:
        assert titles(q="found", p="3") == every[40:]
    assert titles(tag="even") == every[:40:2]
    assert titles(q="found", listing="recording") == every[1::3]
    assert titles(q="found", listing="listed") == [title for title in every[::2] if int(title) % 3 != 1]
    assert titles(q="found", tag="even", channel="side") == every[:10:2]
    assert titles(q="found", tag="even", channel__uuid__exact=str(channel.pk)) == every[:10:2]
    assert titles(q="found", started="2026-03-03") == []
    assert titles(q="found", started="2026") == every[:20]
    # With an order, or a filter that the index does not have.
    assert titles(q="found", o="6") == every[:29:-1]
    assert titles(q="found", status="recording") == every[1::3]


def test_only_the_start_is_sortable_and_the_index_serves_both_directions(browser: Client) -> None:
    for title, started_at in (("old", NINE), ("new", NINE + timedelta(days=1)), ("unknown", None)):
        video = make_video(title)
        Video.objects.filter(pk=video.pk).update(started_at=started_at)
    html = page(browser, VIDEOS)
    assert re.findall(r'<th scope="col"\s+class="sortable column-(\w+)', html) == ["start"]
    assert row_titles(page(browser, VIDEOS, {"o": "6"})) == ["unknown", "old", "new"]
    assert row_titles(page(browser, VIDEOS, {"o": "-6"})) == ["new", "old", "unknown"]


def test_search_finds_by_the_url_of_a_page_or_a_file(browser: Client, settings: Any) -> None:
    video = make_video("Opening", prefix="ivs/v1/111122223333/AjIh/2026/3/4/9/5/Ab Cd")
    make_video("Closing", prefix="ivs/v1/111122223333/AjIh/2026/3/4/9/5/Other")
    own = {
        "location": CatalogueReader(is_curator=True).location(video),
        "thumbnail": CatalogueReader(is_curator=True).thumbnails(video)[0],
    }
    bucket = settings.RECORDING_BUCKET
    for address in (
        f"https://www.example.com/watch/{video.pk}?t=3",
        f"http://testserver/admin/ondemand/video/{video.pk}/change/",
        f"https://api.example.com/on-demand/{str(video.pk).upper()}",
        *own.values(),
        f"https://{video.files_bucket}.s3.amazonaws.com/{video.prefix}/media/hls/master.m3u8",
        f"s3://{video.files_bucket}/{video.prefix}/",
    ):
        assert row_titles(page(browser, VIDEOS, {"q": address})) == ["Opening"], address
    for address in ("https://[", "https://media.example.com/", "https://elsewhere.test/ivs/v1", f"s3://x{bucket}/ivs"):
        assert row_titles(page(browser, VIDEOS, {"q": address})) == [], address


def test_search_finds_by_text_uuid_and_stream_id(browser: Client) -> None:
    opening = make_video("Opening shows", tags=["gala"], stream_ids=["st-Opening1"])
    make_video("Closing", stream_ids=["st-Closing1"])
    uuid = opening.pk
    for text in ("show", "gala", '"opening show"', "opening -closing", str(uuid), uuid.hex.upper(), " st-Opening1 "):
        assert row_titles(page(browser, VIDEOS, {"q": text})) == ["Opening shows"], text
    for text in ("nothing", str(uuid4()), "st-none", "'; DROP TABLE"):
        assert row_titles(page(browser, VIDEOS, {"q": text})) == [], text
    assert "Null characters are not allowed" in page(browser, VIDEOS, {"q": "\0"})


def test_hostile_texts_are_shown_and_not_interpreted(browser: Client) -> None:
    hostile = '"><script>alert(1)</script>'
    channel = make_channel(name=hostile)
    video = make_video(hostile, channel=channel, tags=[hostile], data={"x": hostile}, session_id=hostile)
    Content.objects.update(description=f"</textarea>{hostile}", thumbnail=f"javascript:{hostile}")
    event = make_event(body=f'{{"id": "{hostile[2:]}"}}', error=hostile, name=hostile)
    for path in (
        VIDEOS,
        f"{VIDEOS}{video.pk}/change/",
        CHANNELS,
        f"{CHANNELS}{channel.pk}/change/",
        EVENTS,
        f"{EVENTS}{event.pk}/change/",
    ):
        html = page(browser, path)
        assert "alert(1)" in html
        assert "<script>alert" not in html
        assert 'src="javascript' not in html


# Videos: pictures


def test_a_chosen_picture_is_shown_only_if_the_policy_allows_it(settings: Any) -> None:
    settings.CONTENT_SECURITY_POLICY = {
        "DIRECTIVES": {"img-src": ["'self'", "data:", "https://img.example.org", "*.pics.example"]}
    }
    assert picture_allowed("https://img.example.org/a.jpg")
    assert picture_allowed("https://a.pics.example/a.jpg")
    assert picture_allowed("https://media.example.com/x.jpg")
    for url in (
        "http://img.example.org/a.jpg",
        "https://img.example.org.evil.test/a.jpg",
        "https://img.example.org@evil.test/a.jpg",
        "javascript:alert(1)",
        "data:image/png;base64,",
        "https://[",
        "/a.jpg",
    ):
        assert not picture_allowed(url), url
    video = make_video("Opening")
    made = f"https://media.example.com/{video.prefix}/thumb1.jpg"
    for chosen, shown in (("https://img.example.org/a.jpg",) * 2, ("https://elsewhere.test/a.jpg", made), (None, made)):
        Content.objects.update(thumbnail=chosen)
        assert video_picture(Video.objects.with_content().get(), CatalogueReader(is_curator=True)) == shown


def test_the_autocompletion_of_the_admin_finds_videos(browser: Client) -> None:
    make_video("Opening")
    make_video("Closing")
    asked = {"app_label": "ondemand", "model_name": "video", "field_name": "duplicate_of", "term": "opening"}
    found = browser.get("/admin/autocomplete/", asked).json()["results"]
    assert len(found) == 1


# Videos: played from the list


def test_a_picture_has_the_frames_and_the_player_of_its_video(browser: Client) -> None:
    video, failed = make_video("Opening"), make_video("Gone", status=Video.Status.FAILED, active=None)
    html = page(browser, VIDEOS)
    link = re.search(rf'<a class="picture" href="{VIDEOS}{video.pk}/change/[^"]*" data-play="([^"]*)".*?>', html)
    assert link
    frames = [f"https://media.example.com/{video.prefix}/thumb{n}.jpg" for n in range(3)]
    assert f'data-frames="{" ".join(frames)}"' in link[0]
    assert re.search(rf'href="{VIDEOS}{failed.pk}/change/[^"]*" data-play=""', html)
    answer = browser.get(link[1])
    assert f'data-hls="{CatalogueReader(is_curator=True).location(video)}"' in answer.content.decode()
    assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    missing = browser.get(f"{VIDEOS}{uuid4()}/play/")
    assert (missing.status_code, missing["Location"]) == (302, "/admin/")


def test_the_admin_of_videos_is_composed_of_few_classes() -> None:
    layers = ("ondemand", "channels_app", "common", "ivsvod")
    own = [each.__name__ for each in VideoAdmin.__mro__ if each.__module__.split(".")[0] in layers]
    assert own == ["VideoAdmin", "AuditedAdmin", "TextSearch", "LongListAdmin"]


@pytest.mark.parametrize("name", ["change", "check", "next", "undo", "edit", "share", "play"])
def test_a_missing_video_leads_to_the_start_page_from_each_of_its_views(browser: Client, name: str) -> None:
    address = f"{VIDEOS}{uuid4()}/{name}/"
    answers = [browser.get(address), browser.post(address)]
    assert {answer["Location"] for answer in answers if answer.status_code != 405} == {"/admin/"}


def test_the_list_and_its_player_make_no_grant(browser: Client, signed: Any) -> None:
    video = make_video("Opening")
    assert f"{VIDEOS}{video.pk}/play/" in page(browser, VIDEOS)
    assert not PlaybackGrant.objects.exists()
    html = page(browser, f"{VIDEOS}{video.pk}/play/")
    assert not PlaybackGrant.objects.exists()
    assert 'data-hls="/play/g/' in html
    assert f'data-hls="/play/{video.pk}' not in html


def test_a_viewer_plays_no_protected_video_from_the_list(settings: Any) -> None:
    video = make_video("Opening", playback="grant")
    viewer = member("view_video", "view_content")
    assert f"{VIDEOS}{video.pk}/play/" not in page(viewer, VIDEOS)
    assert "data-hls" not in page(viewer, f"{VIDEOS}{video.pk}/play/")


# Videos: edited in the list


def in_place(client: Client, video: Video, field: str, value: str, version: str | None = None) -> Any:
    known = versions_of(edited_values(Video.objects.with_content().get(pk=video.pk)), ["title", "tags"])
    sent = {"field": field, field: value, "version": known[field] if version is None else version}
    return client.post(f"{VIDEOS}{video.pk}/in-place/", sent)


def test_a_title_and_tags_are_edited_in_the_list(browser: Client, staff: Any) -> None:
    video = make_video("Opening", tags=["a"])
    html = page(browser, VIDEOS)
    version = re.search(r'data-in-place="title"\s+data-address="([^"]*)"\s+data-version="(\w+)"', html)
    assert version
    assert version[1] == f"{VIDEOS}{video.pk}/in-place/"
    answer = in_place(browser, video, "title", "  Closing \n show ", version[2])
    assert (answer.status_code, answer.json()["value"]) == (200, "Closing   show")
    answer = in_place(browser, video, "tags", "a\nb\n\na\n  c  d ")
    assert answer.json()["value"] == "a\nb\nc d"
    content = Content.objects.get()
    assert (content.title, content.tags) == ("Closing   show", ["a", "b", "c d"])
    assert in_place(browser, video, "title", "Again", answer.json()["version"]).status_code == 409


def test_a_video_without_content_gets_content_created_by_the_editor(browser: Client, staff: Any) -> None:
    video = make_video()
    assert in_place(browser, video, "title", "Named").status_code == 200
    assert (Content.objects.get().created_by, Content.objects.get().title) == (staff.pk, "Named")


def test_the_second_of_two_editors_gets_the_value_of_the_first_and_writes_nothing(browser: Client) -> None:
    video = make_video("Opening", tags=["a", "b"])
    shown = versions_of(edited_values(video), ["title", "tags"])
    Content.objects.update(title="<Theirs>")
    answer = in_place(browser, video, "title", "Mine", shown["title"])
    assert answer.status_code == 409
    assert answer.json()["error"] == "Somebody changed it to “<Theirs>”."
    assert answer.json()["value"] == "<Theirs>"
    assert Content.objects.get().title == "<Theirs>"
    # Another field was not touched, and the response has the version for a second try.
    assert in_place(browser, video, "tags", "c", shown["tags"]).status_code == 200
    assert in_place(browser, video, "title", "Mine", answer.json()["version"]).status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("title", "x" * 201, "Title: "),
        ("title", "\0", "Title: Null characters are not allowed."),
        ("tags", "x" * 65, "Tags: A tag has more than 64 characters."),
        ("tags", "\n".join(map(str, range(51))), "Tags: More than 50 tags."),
        ("active", "no", "field: one of title, tags."),
    ],
)
def test_an_error_in_the_list_names_its_field(browser: Client, field: str, value: str, error: str) -> None:
    video = make_video("Opening", tags=["a"])
    answer = in_place(browser, video, field, value, "whatever")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(error)
    assert Content.objects.get().title == "Opening"


def test_who_may_edit_in_the_list() -> None:
    video = make_video("Opening")
    viewer, editor = member("view_video", "view_content"), member("view_video", "change_content")
    assert 'id="in-place"' not in page(viewer, VIDEOS)
    assert in_place(viewer, video, "title", "Mine").status_code == 403
    assert in_place(member("view_video", "change_video"), video, "title", "Mine").status_code == 403
    assert in_place(Client(), video, "title", "Mine").status_code == 302
    assert editor.get(f"{VIDEOS}{video.pk}/in-place/").status_code == 405
    assert Client(enforce_csrf_checks=True).post(f"{VIDEOS}{video.pk}/in-place/").status_code in {302, 403}
    assert 'id="in-place"' in page(editor, VIDEOS)
    assert in_place(editor, video, "title", "Mine").status_code == 200
    Content.objects.all().delete()
    Video.objects.all().delete()
    answer = editor.post(f"{VIDEOS}{video.pk}/in-place/", {"field": "title", "title": "x"})
    assert (answer.status_code, answer.json()["error"]) == (404, "This video no longer exists.")


# Videos: who may what


def test_a_viewer_sees_videos_and_changes_none() -> None:
    video = make_video("Opening")
    viewer = member("view_video", "view_content")
    html = page(viewer, VIDEOS)
    assert 'name="action"' not in html
    assert "action-select" not in html
    html = page(viewer, f"{VIDEOS}{video.pk}/change/")
    assert "Opening" in html
    assert 'name="title"' not in html
    viewer.post(VIDEOS, {"action": "hide", "_selected_action": [str(video.pk)]})
    assert not BulkChange.objects.exists()
    assert viewer.post(f"{VIDEOS}{video.pk}/change/", {"title": "Mine"}).status_code == 403
    video.refresh_from_db()
    assert video.active is True


def test_videos_are_neither_added_nor_deleted(browser: Client) -> None:
    video = make_video("Opening")
    for path in (f"{VIDEOS}add/", f"{VIDEOS}{video.pk}/delete/"):
        assert browser.get(path).status_code == 403
        assert browser.post(path, {"post": "yes"}).status_code == 403
    assert "delete_selected" not in page(browser, VIDEOS)
