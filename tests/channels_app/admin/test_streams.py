"""Streams in the admin."""

import re
from datetime import timedelta
from itertools import product

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from channels_app.envelopes import DETAIL_TYPES
from channels_app.models import Stream, StreamHistoryEntry
from tests.support.console import (
    KEY,
    NINE,
    STREAMS,
    VIDEOS,
    badges,
    happened,
    listed_events,
    listed_streams,
    make_channel,
    make_event,
    make_stream,
    make_video,
    member,
    page,
)

pytestmark = pytest.mark.django_db


def test_streams_are_listed_newest_first_with_their_state(browser: Client, streams: dict[str, Stream]) -> None:
    html = page(browser, STREAMS)
    assert listed_streams(html) == ["st-live", "st-never", "st-ended", "st-open", "st-gone"]
    assert badges(html, "state") == ["live", "never live", "ended", "no end", "no end"]
    assert "2026-03-04 10:05:02 UTC" in html
    assert KEY not in html


def test_the_list_counts_the_marks_and_flags_reconciled_times(browser: Client, streams: dict[str, Stream]) -> None:
    names = ["Stream Failure", "Recording End Failure", "Ingest Bitrate", "Starvation Start", "Starvation End"]
    for name in [*names, "Session Created", "Stream Takeover", "Starvation Start"]:
        happened(streams["ended"], name)
    happened(streams["live"], "Starvation End")
    Stream.objects.filter(stream_id="st-ended").update(end_reconciled=True)
    html = page(browser, STREAMS)
    assert badges(html, "marks") == ["starvation", "", "failure 2 limit starvation 2 takeover", "", ""]
    assert [bool(text) for text in badges(html, "end")] == [False, False, True, False, False]
    assert badges(html, "start") == [""] * 5


def test_streams_are_filtered_and_found(browser: Client, streams: dict[str, Stream]) -> None:
    happened(streams["never live"], "Stream Failure")
    happened(streams["ended"], "Recording Start Failure")
    happened(streams["live"], "Ingest Resolution")
    for query, found in (
        ({"state": "live"}, ["st-live"]),
        ({"state": "ended"}, ["st-ended"]),
        ({"state": "no-end"}, ["st-open", "st-gone"]),
        ({"state": "never-live"}, ["st-never"]),
        ({"mark": "failure"}, ["st-never", "st-ended"]),
        ({"mark": "failure", "state": "ended"}, ["st-ended"]),
        ({"mark": "limit"}, ["st-live"]),
        ({"q": "st-ended"}, ["st-ended"]),
        ({"q": "st-end"}, []),
        ({"_facets": "True", "state": "live"}, ["st-live"]),
    ):
        assert listed_streams(page(browser, STREAMS, query)) == found, query


def test_the_list_of_streams_takes_as_many_queries_for_30_rows_as_for_3(browser: Client) -> None:
    counts: list[int] = []
    for many in (3, 27):
        made = [make_stream(make_channel(), f"st-{n}", start=n) for n in range(many)]
        StreamHistoryEntry.objects.bulk_create(
            StreamHistoryEntry(stream=stream, event_id=f"{stream.pk} {name}", name=name, at=NINE, detail={})
            for stream, name in product(made, DETAIL_TYPES)
        )
        with CaptureQueriesContext(connection) as queries:
            html = page(browser, STREAMS)
        counts.append(len(queries))
    assert len(listed_streams(html)) == 30
    assert counts[0] == counts[1] <= 8


def test_a_stream_shows_its_timeline_newest_first_with_reasons_and_numbers(
    browser: Client, streams: dict[str, Stream]
) -> None:
    stream = streams["ended"]
    Stream.objects.filter(pk=stream.pk).update(start_reconciled=True)
    bitrate = {"limit_value": 8_500_000, "exceeded_by": 640_000, "limit_unit": "bits per second"}
    happened(stream, "Session Created", -61)
    happened(stream, "Ingest Bitrate", -59, detail=bitrate)
    happened(stream, "Ingest Resolution", -58, detail=dict.fromkeys(bitrate))
    happened(stream, "Starvation Start", -50, event_id="reconcile:1")
    happened(stream, "Stream Failure", -41, detail={"reason": "No <b>capacity</b>"})
    html = page(browser, f"{STREAMS}{stream.pk}/change/").partition('class="timeline ')[2]
    rows = [re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", row)).strip() for row in html.split("<tr>")[2:]]
    assert [row.partition("</table>")[0].strip()[:120] for row in rows][:6] == [
        "2026-03-04 08:25:02 UTC stream Stream End",
        "2026-03-04 08:24:02 UTC failure Stream Failure No &lt;b&gt;capacity&lt;/b&gt;",
        "2026-03-04 08:15:02 UTC health Starvation Start reconciled",
        "2026-03-04 08:07:02 UTC limit Ingest Resolution",
        "2026-03-04 08:06:02 UTC limit Ingest Bitrate 8,500,000 bits per second, exceeded by 640,000",
        "2026-03-04 08:05:02 UTC stream Stream Start reconciled",
    ]


def test_a_stream_of_very_many_events_shows_the_last_500(browser: Client, streams: dict[str, Stream]) -> None:
    made = [
        StreamHistoryEntry(
            stream=streams["live"],
            event_id=str(n),
            name="Starvation Start",
            at=NINE + timedelta(minutes=61, seconds=n),
            detail={"reason": f"entry {n}."},
        )
        for n in range(501)
    ]
    StreamHistoryEntry.objects.bulk_create(made)
    html = page(browser, f"{STREAMS}{streams['live'].pk}/change/")
    assert "entry 500." in html
    assert "entry 0." not in html
    assert "Only the last 500 entries are shown" in html
    assert html.index("entry 500.") < html.index("entry 1.")


def test_a_stream_of_which_nothing_is_known_says_so(browser: Client, streams: dict[str, Stream]) -> None:
    assert "Only the id of this stream is known" in page(browser, f"{STREAMS}{streams['never live'].pk}/change/")


def test_the_page_of_a_stream_takes_a_fixed_number_of_queries(browser: Client, streams: dict[str, Stream]) -> None:
    counts = []
    # What is looked up once in the life of a process is looked up here.
    page(browser, f"{STREAMS}{streams['live'].pk}/change/")
    for many in (1, 40):
        for n in range(many):
            happened(streams["live"], "Starvation Start", n)
        with CaptureQueriesContext(connection) as queries:
            page(browser, f"{STREAMS}{streams['live'].pk}/change/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 5


def links_of(html: str) -> dict[str, str]:
    tools = html.partition('class="object-tools"')[2].partition("</ul>")[0]
    return {label: address for address, label in re.findall(r'<a href="([^"]+)">(\w+)</a>', tools)}


def test_a_stream_links_to_its_channel_its_events_and_its_videos(browser: Client, streams: dict[str, Stream]) -> None:
    stream = streams["ended"]
    make_video("Recorded", stream_ids=["st-ended", "st-other"])
    make_video("Another", stream_ids=["st-other"])
    make_event(name="Stream End", stream_id="st-ended")
    make_event(name="Other", stream_id="st-other")
    links = links_of(page(browser, f"{STREAMS}{stream.pk}/change/"))
    assert list(links) == ["Channel", "Events", "Videos"]
    assert f"/{stream.channel_id}/" in links["Channel"]
    assert listed_events(page(browser, links["Events"])) == ["Stream End"]
    # The pattern of a stream's id is that of IVS.
    assert links["Videos"] == f"{VIDEOS}?q=st-ended"


def test_a_stream_of_the_predecessor_without_an_id_links_to_no_search(browser: Client) -> None:
    stream = make_stream(make_channel(), "row-7", start=1)
    html = page(browser, f"{STREAMS}{stream.pk}/change/")
    assert list(links_of(html)) == ["Channel"]
    assert "without an id" in html
    assert listed_streams(page(browser, STREAMS)) == ["without an id"]


def test_streams_are_read_only_and_for_accounts_that_may_see_streams_or_channels(streams: dict[str, Stream]) -> None:
    address = f"{STREAMS}{streams['live'].pk}/change/"
    for permissions, links in (
        (["view_stream"], []),
        (["view_channel"], ["Channel"]),
        (["view_stream", "view_inboxevent", "view_video"], ["Events", "Videos"]),
    ):
        client = member(*permissions)
        html = page(client, address)
        assert list(links_of(html)) == links
        assert 'type="submit" value="Save"' not in html
        assert client.post(address, {"stream_id": "x"}).status_code == 403
        assert client.get(f"{STREAMS}add/").status_code == 403
        assert client.post(f"{STREAMS}{streams['live'].pk}/delete/", {"post": "yes"}).status_code == 403
        assert "Streams" in page(client, "/admin/")
    assert member("view_inboxevent").get(address).status_code == 403
