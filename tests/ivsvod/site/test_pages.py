"""The catalogue page: what anyone sees, by the public API alone, with and without a script."""

import importlib
import json
import os
import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha384
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.contrib.staticfiles import finders
from django.core.checks import CheckMessage, run_checks
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import clear_url_caches
from django.utils import timezone
from django.utils.html import escape

from channels_app.models import Channel, Stream
from common.rest.rates import Rate
from ivsvod import urls
from ondemand.models import SearchWord, Video
from ondemand.videos.files import CatalogueReader
from ondemand.videos.links import public_origin
from tests.support.helpers import assert_error, kept, make_channel, make_content, make_video
from tests.support.settings import shown

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 3, 4, 9, 5, tzinfo=UTC)
FACTS = {"playlist": "media/hls/master.m3u8", "thumbnails": [f"thumb{n}.jpg" for n in range(3)]}
HOSTILE = "\"><script>alert(1)</script>'&%s {{ 7 }}"


@pytest.fixture
def anyone() -> Client:
    return Client()


@pytest.fixture
def turned_off(settings: Any) -> Iterator[None]:
    settings.CATALOGUE_PAGE = False
    importlib.reload(urls)
    clear_url_caches()
    yield
    settings.CATALOGUE_PAGE = True
    importlib.reload(urls)
    clear_url_caches()


def titled(title: str, **values: Any) -> Video:
    content = {"title": title, "thumbnail": "", **values.pop("content", {})}
    video = make_video(facts=FACTS, **values)
    make_content(video, **content)
    return video


def names(html: str) -> list[str]:
    return [unescape(name) for name in re.findall(r'<h3 dir="auto">(.*?)</h3>', html, re.DOTALL)]


def page(client: Client, path: str, data: Any = None) -> str:
    response = client.get(path, data or {})
    assert response.status_code == 200, response.content[:500]
    assert response["Content-Type"] == "text/html; charset=utf-8"
    # How templates are wrapped is no matter: one space between attributes, and none before the end of a tag.
    return re.sub(r"<[^<>]+>", lambda tag: " ".join(tag[0].split()).replace(" >", ">"), response.content.decode())


def refused(client: Client, path: str, status: int, data: Any = None) -> Any:
    response = client.get(path, data or {})
    assert response.status_code == status
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert response["Cache-Control"] == "no-store"
    assert 'content="noindex"' in response.content.decode()
    return response


def meta(html: str, name: str) -> str | None:
    found = re.search(rf'<meta (?:property|name)="{re.escape(name)}" content="(.*?)">', html, re.DOTALL)
    return unescape(found[1]) if found else None


def test_the_start_page_shows_live_channels_and_the_newest_videos(anyone: Client) -> None:
    live, quiet = make_channel(name="Studio A"), make_channel(name="Studio B")
    go_live(live)
    titled("Older", channel=quiet, started_at=NINE)
    titled("Newer", channel=live, started_at=NINE + timedelta(days=1))
    html = page(anyone, "/")
    assert names(html) == ["Studio A", "Newer", "Older"]
    assert f'href="/watch/live/{live.pk}"' in html
    assert "Live now" in html
    assert "2 videos" in html
    assert "March 5, 2026" in html
    assert "1:00:00" in html


def test_a_card_shows_the_picture_that_the_policy_lets_a_page_load(anyone: Client) -> None:
    elsewhere = titled("Elsewhere", content={"thumbnail": "https://tracker.example.org/a.jpg"})
    own = titled("Own")
    make_video()
    make_content(make_video(), thumbnail="javascript:alert(1)")
    html = page(anyone, "/")
    pictures = re.findall(r'<img src="(.*?)" alt="" loading="lazy"', html)
    assert sorted(pictures) == sorted(
        CatalogueReader(is_curator=True).thumbnails(video)[1] for video in (elsewhere, own)
    )
    # Only that of the service is made small.
    assert re.findall(r"srcset=.*? 320w, (.*?) 640w", html) == [
        f"http://testserver/play/{own.pk}/small/640/{FACTS['thumbnails'][1]}"
    ]
    assert "tracker" not in html
    assert meta(page(anyone, f"/watch/{elsewhere.pk}"), "og:image") == "https://tracker.example.org/a.jpg"


def test_a_video_without_a_title_is_named_by_its_channel_and_its_start(anyone: Client) -> None:
    video = make_video(channel=make_channel(name="Main stage"))
    assert names(page(anyone, "/")) == ["Main stage, 2026-03-04 09:05 UTC"]
    Video.objects.filter(pk=video.pk).update(channel_id=None)
    assert names(page(anyone, "/")) == ["2026-03-04 09:05 UTC"]
    Video.objects.filter(pk=video.pk).update(started_at=None, ended_at=None)
    assert "<title>" in page(anyone, f"/watch/{video.pk}")


def test_a_search_highlights_its_terms_and_keeps_them_in_the_form(anyone: Client) -> None:
    titled("Opening of the festival", content={"description": "Tom & <b>Jerry</b> at the festival"})
    titled("Weather")
    html = page(anyone, "/", {"search": "festival"})
    assert names(html) == ["Opening of the festival"]
    assert "<mark>festival</mark>" in html
    assert "Tom &amp; " in html
    assert 'value="festival"' in html
    assert "1 video" in html
    assert "Live now" not in html
    assert meta(html, "robots") == "noindex"


def test_a_search_that_finds_nothing_links_to_a_near_miss(anyone: Client) -> None:
    titled("Opening of the festival")
    assert "Did you mean" not in page(anyone, "/", {"search": "festivla"})
    SearchWord.objects.create(word="festival")
    html = page(anyone, "/", {"search": 'festivla "opening"', "ordering": "newest"})
    link = "/?search=festival+%22opening%22&amp;ordering=newest"
    assert f'Did you mean <a href="{link}"><bdi>festival &quot;opening&quot;</bdi></a>?' in html
    assert names(page(anyone, link.replace("&amp;", "&"))) == ["Opening of the festival"]
    assert "No video matches" in page(anyone, "/", {"search": "unknown"})


def test_videos_are_filtered_by_the_address_of_the_page(anyone: Client) -> None:
    titled("First", duration_ms=60_000, content={"tags": ["news"]})
    second = {"duration_ms": 600_000, "started_at": NINE + timedelta(days=1)}
    titled("Second", content={"tags": ["news", "sport"]}, **second)
    titled("Third", duration_ms=6_000_000, started_at=NINE + timedelta(days=2), content={"tags": []})
    expected = {
        "tag=news": ["Second", "First"],
        "tag=news&tag=sport": ["Second"],
        "started_after=2026-03-05": ["Third", "Second"],
        "started_before=2026-03-04": ["First"],
        "started_after=2026-03-05&started_before=2026-03-05": ["Second"],
        "started_after=2026-03-06T09:05:00Z": ["Third"],
        "min_duration=600": ["Third", "Second"],
        "max_duration=600": ["Second", "First"],
        "ordering=oldest": ["First", "Second", "Third"],
        "ordering=relevance": ["Third", "Second", "First"],
        "search=&channel=&tag=&utm_source=x&nonsense=y": ["Third", "Second", "First"],
    }
    assert {query: names(page(anyone, f"/?{query}")) for query in expected} == expected


def test_the_form_shows_the_filters_of_the_url(anyone: Client) -> None:
    channel = make_channel(name="Main stage")
    titled("Show", channel=channel, content={"tags": ["news", "sport"]})
    html = page(
        anyone,
        "/",
        {
            "channel": channel.pk.hex,
            "tag": ["news", "not in use"],
            "started_after": "2026-03-01",
            "started_before": "2026-04-01T00:00:00Z",
            "min_duration": "95",
            "ordering": "longest",
        },
    )
    assert f'<option value="{channel.pk}" selected>Main stage</option>' in html
    checked = re.findall(r'name="tag" value="([^"]*)" checked', html)
    assert checked == ["news", "not in use"]
    assert 'name="started_after" value="2026-03-01"' in html
    assert 'name="started_before" value="2026-03-31"' in html
    assert '<option value="95" selected>1:35</option>' in html
    assert '<option value="longest" selected>' in html
    assert "<details open>" in html
    assert "No video matches" in html


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"started_after": "2026-02-30"}, "From: This is not a day."),
        ({"started_before": "yesterday"}, "Until: This is not a day."),
        ({"started_before": "9999-12-31"}, "Until: This is not a day."),
        ({"channel": "x"}, "Channel: There is no such channel."),
        ({"min_duration": "-1"}, "At least: This is not a number of seconds."),
        ({"max_duration": "NaN"}, "At most: This is not a number of seconds."),
        ({"ordering": HOSTILE}, "Order: The videos cannot be put in this order."),
        ({"cursor": "abc"}, "Page: There is no such page of this list."),
        ({"tag": "a\0b"}, "Tags: This cannot be a tag."),
    ],
)
def test_a_malformed_filter_is_named_on_the_page(anyone: Client, query: dict[str, str], sentence: str) -> None:
    html = refused(anyone, "/", 400, query).content.decode()
    assert sentence in unescape(html)
    assert "<script>alert" not in html
    assert 'id="filters"' in html


def test_the_list_is_walked_by_its_pages(anyone: Client) -> None:
    for number in range(50):
        titled(f"Show {number:02}", started_at=NINE + timedelta(hours=number))
    seen, address = [], "/?search=show&ordering=newest"
    for sentence in ("Videos 1 to 24", "Videos 25 to 48", "Videos 49 to 50"):
        html = page(anyone, address)
        assert sentence in html
        seen += names(html)
        assert "search=show" in address
        address = unescape(next(iter(re.findall(r'rel="next" href="(.*?)"', html)), ""))
    assert seen == [f"Show {number:02}" for number in reversed(range(50))]
    assert address == ""
    back = unescape(re.findall(r'rel="prev" href="(.*?)"', html)[0])
    assert parse_qs(urlsplit(back).query) == {"search": ["show"], "ordering": ["newest"], "page": ["2"]}
    assert names(page(anyone, back)) == seen[24:48]
    assert "The list ends before this page" in page(anyone, "/?page=9")


def test_the_page_of_a_channel_has_its_videos_in_the_chosen_order_and_says_whether_it_is_live(anyone: Client) -> None:
    channel = make_channel(name="Main stage")
    for number in range(30):
        titled(f"Show {number:02}", channel=channel, started_at=NINE + timedelta(hours=number))
    titled("Elsewhere", channel=make_channel(name="Studio B"))
    path = f"/c/{channel.pk}"
    html = page(anyone, path)
    assert names(html) == [f"Show {number:02}" for number in reversed(range(6, 30))]
    assert re.search(r"<title>\s*Main stage\s*</title>", html)
    assert meta(html, "og:url") == f"http://testserver{path}"
    assert meta(html, "robots") is None
    assert "Videos 1 to 24" in html
    assert "Watch the live stream" not in html
    # A card names another channel only.
    assert f'href="{path}"' not in html.split('id="results"')[1]
    assert f'href="{path}"' in page(anyone, "/", {"search": "show"})
    html = page(anyone, path, {"ordering": "oldest", "search": "ignored"})
    assert names(html)[0] == "Show 00"
    further = unescape(re.findall(r'rel="next" href="(.*?)"', html)[0])
    assert further.startswith(f"{path}?ordering=oldest&cursor=")
    html = page(anyone, further)
    assert names(html) == [f"Show {number:02}" for number in range(24, 30)]
    assert f'rel="prev" href="{path}?ordering=oldest"' in html
    assert meta(html, "robots") == "noindex"
    go_live(channel)
    assert f'href="/watch/live/{channel.pk}"' in page(anyone, path)
    wrong = refused(anyone, path, 400, {"ordering": HOSTILE}).content.decode()
    assert "Order: The videos cannot be put in this order." in wrong
    assert f'href="{path}"' in wrong


def test_a_channel_that_the_api_does_not_show_has_no_page(anyone: Client, browser: Client) -> None:
    private, gone = make_channel(private=True), make_channel(active=False)
    video = titled("Show", channel=gone)
    for client in (anyone, browser):
        for uuid in (private.pk, gone.pk, uuid4(), "x"):
            refused(client, f"/c/{uuid}", 404)
    assert "/c/" not in page(anyone, f"/watch/{video.pk}")


def test_up_next_is_what_follows_in_the_list_of_the_channel_then_come_videos_with_the_same_tag(anyone: Client) -> None:
    channel, other = make_channel(name="Main stage"), make_channel(name="Studio B")
    videos = {
        number: titled(
            f"Show {number}", channel=channel, started_at=NINE + timedelta(days=number), content={"tags": []}
        )
        for number in range(4)
    }
    tags = {"tags": ["", "news", "rare"]}
    tagged = titled("Tagged", channel=channel, started_at=NINE + timedelta(days=2.5), content=tags)
    titled("News elsewhere", channel=other, started_at=NINE - timedelta(days=1), content={"tags": ["news"]})
    alone = titled("Without a channel", started_at=NINE + timedelta(days=1.5), content={"tags": []})
    expected = {
        tagged: ["Show 2", "Show 1", "Show 0", "News elsewhere"],
        videos[1]: ["Show 0"],
        # The last one is followed by the first.
        videos[0]: ["Show 3", "Tagged", "Show 2", "Show 1"],
        alone: ["Show 1", "Show 0", "News elsewhere"],
    }
    assert {video: names(page(anyone, f"/watch/{video.pk}")) for video in expected} == expected
    assert "Up next" not in page(anyone, f"/embed/{tagged.pk}")


def test_an_empty_catalogue_says_when_videos_appear(anyone: Client) -> None:
    html = page(anyone, "/")
    assert "No videos yet" in html
    assert "Videos appear here when a broadcast has ended" in html


def test_the_page_of_a_video_shows_its_details(anyone: Client) -> None:
    channel = make_channel(name="Main stage")
    content = {"description": "Line one\nhttps://example.org/a?b=1&c=2", "tags": ["news", "R&D"]}
    renditions = [{"path": "720p", "playlist": "p.m3u8", "width": 1280, "height": 720}]
    video = titled("Opening show", channel=channel, content=content)
    Video.objects.filter(pk=video.pk).update(facts={**FACTS, "renditions": renditions})
    titled("Another", channel=channel)
    html = page(anyone, f"/watch/{video.pk}")
    url = f"http://testserver/watch/{video.pk}"
    assert re.search(r"<title>\s*Opening show\s*</title>", html)
    assert f'<link rel="canonical" href="{url}">' in html
    assert meta(html, "og:type") == "video.other"
    assert meta(html, "og:title") == "Opening show"
    assert meta(html, "og:description") == meta(html, "description") == "Line one https://example.org/a?b=1&c=2"
    assert meta(page(anyone, f"/c/{channel.pk}"), "description") == "Recordings and live streams: Main stage"
    assert meta(html, "og:url") == url
    assert meta(html, "og:image") == CatalogueReader(is_curator=True).thumbnails(video)[1]
    assert meta(html, "og:video") == f"http://testserver/embed/{video.pk}"
    assert (meta(html, "og:video:width"), meta(html, "og:video:height")) == ("1280", "720")
    assert meta(html, "video:duration") == "3600"
    assert meta(html, "video:release_date") == "2026-03-04T09:05:00Z"
    assert meta(html, "robots") is None
    assert f'data-hls="{CatalogueReader(is_curator=True).location(video)}"' in html
    assert f'poster="{CatalogueReader(is_curator=True).thumbnails(video)[1]}"' in html
    assert f'href="/c/{channel.pk}"' in html
    assert 'href="/?tag=R%26D"' in html
    assert 'href="https://example.org/a?b=1&amp;c=2"' in html
    assert "March 4, 2026, 9:05 a.m. UTC" in html
    assert f'value="{url}" readonly' in html
    assert "&lt;iframe src=&quot;http://testserver/embed/" in html
    assert names(html) == ["Another"]


CHAPTERS = [{"at_ms": 0, "title": "Opening"}, {"at_ms": 62_500, "title": HOSTILE}]


def test_the_page_of_a_video_links_to_its_chapters_and_gives_its_pictures_to_the_player(
    anyone: Client, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "de"
    video = titled("Opening", chapters=CHAPTERS)
    html = page(anyone, f"/watch/{video.pk}")
    # The decimal point is that of the address, in each language.
    assert re.findall(r'<a href="\?t=([^"]*)" data-seek="\1">', html) == ["0", "62.5"]
    assert f"<bdi>{escape(HOSTILE)}</bdi>" in html
    assert "<script>alert" not in html
    found = re.search(r'<script id="playing" type="application/json">(.*?)</script>', html)
    assert found
    playing = json.loads(found[1])
    assert playing["pictures"] == CatalogueReader(is_curator=True).thumbnails(video)
    assert [chapter["title"] for chapter in playing["chapters"]] == ["Opening", HOSTILE]
    assert playing["heights"] == []
    assert 'data-length="3600"' in html
    # The frame has the controls of the browser alone.
    assert "data-seek" not in page(anyone, f"/embed/{video.pk}")


def test_the_player_gets_no_picture_that_the_page_may_not_show(anyone: Client) -> None:
    for values, chapters in ({"playback": "grant"}, 2), ({"prefix": ""}, 0):
        html = page(anyone, f"/watch/{titled('Opening', chapters=CHAPTERS, **values).pk}")
        assert html.count("data-seek=") == chapters
        assert "thumb0" not in html
    # The policy would let no page load them.
    video = titled("Opening", bucket="elsewhere", chapters=CHAPTERS)
    assert "thumb0" not in page(anyone, f"/watch/{video.pk}")


def test_a_search_result_links_to_the_chapter_that_was_found(anyone: Client) -> None:
    video = titled("Morning show", chapters=[*CHAPTERS, {"at_ms": 900_000, "title": "The weather"}])
    html = page(anyone, "/", {"search": "weather"})
    assert f'<a href="/watch/{video.pk}?t=900">' in html
    assert "?t=" not in page(anyone, "/", {"search": "morning"})


def test_cached_pages_have_urls_of_the_public_host_whatever_the_request(anyone: Client, settings: Any) -> None:
    settings.PUBLIC_HOST, settings.ALLOWED_HOSTS = "vod.example.com", ["vod.example.com"]
    forged = {"HTTP_HOST": "vod.example.com:1234", "HTTP_X_FORWARDED_PROTO": "http"}
    video, channel = titled("Opening show"), make_channel(name="Main stage")
    for path in ("/", f"/c/{channel.pk}", f"/watch/{video.pk}", f"/embed/{video.pk}", f"/watch/live/{channel.pk}"):
        honest = anyone.get(path, HTTP_HOST="vod.example.com", secure=True)
        assert honest.status_code == 200
        assert b'<link rel="canonical" href="https://vod.example.com/' in honest.content
        assert anyone.get(path, **forged).content == honest.content


def test_without_a_public_host_the_scheme_is_that_of_a_proxy_that_is_there(settings: Any) -> None:
    for proxies, scheme in (("0", "http"), ("1", "https")):
        [header] = shown({**os.environ, "TRUSTED_PROXIES": proxies}, "SECURE_PROXY_SSL_HEADER")
        settings.SECURE_PROXY_SSL_HEADER = header
        request = RequestFactory().get("/", HTTP_HOST="testserver", HTTP_X_FORWARDED_PROTO="https")
        assert public_origin(request) == f"{scheme}://testserver/"


def test_texts_of_strangers_stay_texts(anyone: Client) -> None:
    channel = make_channel(name=HOSTILE)
    content = {"description": HOSTILE, "tags": [HOSTILE], "thumbnail": f"https://media.example.com/{HOSTILE}"}
    video = titled(HOSTILE, channel=channel, content=content)
    make_video(channel=channel)
    go_live(channel)
    uuids = {"watch": video.pk, "embed": video.pk, "watch/live": channel.pk, "c": channel.pk}
    paths = ["/", "/?search=script", *(f"/{name}/{uuid}" for name, uuid in uuids.items())]
    for path in paths:
        html = page(anyone, path)
        assert "<script>alert" not in html
        assert not re.search(r"<[^>]+\s(on\w+|style)=", html)
    assert HOSTILE in names(page(anyone, "/"))


def test_long_and_empty_texts_are_shown(anyone: Client) -> None:
    video = titled("x" * 5000, content={"description": "y " * 100_000, "tags": ["", " ", *map(str, range(500))]})
    html = page(anyone, f"/watch/{video.pk}")
    assert len(meta(html, "og:title") or "") == 200
    assert html.count('class="tag"') == 40
    assert len(names(page(anyone, "/"))[0]) == 200


def test_an_unlisted_video_is_reached_by_its_address_alone(anyone: Client) -> None:
    video = titled("Secret party", visibility="unlisted")
    assert names(page(anyone, "/")) == []
    html = page(anyone, f"/watch/{video.pk}")
    assert "Secret party" in html
    assert meta(html, "robots") == "noindex"


@pytest.mark.parametrize("place", ["watch", "embed"])
def test_a_hidden_video_has_no_page_even_for_staff(browser: Client, place: str) -> None:
    hidden, failed = titled("Hidden", active=False), make_video(status=Video.Status.FAILED)
    for uuid in (hidden.pk, failed.pk, uuid4(), "search", "not-a-uuid", "%00", "x" * 3000):
        html = refused(browser, f"/{place}/{uuid}", 404).content.decode()
        assert "There is nothing here" in html
        assert "Hidden" not in html
    refused(browser, f"/watch/live/{uuid4()}", 404)
    refused(browser, "/watch/live/x", 404)


def test_a_uuid_is_taken_in_all_its_forms(anyone: Client) -> None:
    video = titled("Show")
    html = page(anyone, f"/watch/{{{str(video.pk).upper()}}}")
    assert f'<link rel="canonical" href="http://testserver/watch/{video.pk}">' in html


def test_a_video_that_cannot_be_played_says_why(anyone: Client, settings: Any) -> None:
    settings.RECORDING_BUCKET = ""
    video = titled("Show", bucket="", prefix="")
    html = page(anyone, f"/watch/{video.pk}")
    assert "its recording has not been found" in html
    assert "data-hls" not in html
    assert "player.js" not in html
    assert meta(html, "og:video") is None


def test_a_live_channel_is_played_where_ivs_serves_it(anyone: Client) -> None:
    channel = make_channel(name="Studio A")
    assert "The stream has not begun." in page(anyone, f"/watch/live/{channel.pk}")
    go_live(channel)
    response = anyone.get(f"/watch/live/{channel.pk}")
    html = response.content.decode()
    assert f'data-hls="{channel.playback_url}"' in html
    assert re.search(r"<title>\s*Studio A\s*</title>", html)
    policy = policy_of(response)
    assert "https://*.live-video.net" in policy["connect-src"]
    assert "https://*.live-video.net" in policy["media-src"]
    assert "live-video.net" not in anyone.get("/")["Content-Security-Policy"]
    Channel.objects.filter(pk=channel.pk).update(private=True)
    private = page(anyone, f"/watch/live/{channel.pk}")
    assert "This channel is live, and plays with a grant alone." in private
    assert "data-granted" in private
    assert "noindex" in private
    assert "Studio A" not in private
    assert "Recordings of this channel" not in private
    assert channel.playback_url not in private
    assert "Live now" not in page(anyone, "/")
    refused(anyone, f"/watch/live/{uuid4()}", 404)


def test_the_page_of_a_channel_that_was_live_links_to_the_recording_when_it_is_listed(anyone: Client) -> None:
    channel = make_channel(name="Studio A")
    go_live(channel)
    stream = Stream.objects.get()
    Stream.objects.update(ended_at=NINE + timedelta(hours=1))
    path = f"/watch/live/{channel.pk}"
    titled("An earlier one", channel=channel, started_at=NINE - timedelta(days=1))
    assert "Its recording appears here when it is published." in page(anyone, path)
    video = titled("Show", channel=channel, stream_ids=[stream.stream_id])
    html = page(anyone, path)
    assert "The stream has ended." in html
    assert f'<a href="/watch/{video.pk}">Watch the recording</a>' in html
    assert f'data-live="/channels/{channel.pk}/live"' in html


@pytest.mark.parametrize(
    ("ancestors", "policy"),
    [(["*"], ["*"]), (["https://www.example.com"], ["https://www.example.com"]), ([], ["'none'"])],
)
def test_only_the_player_can_be_framed_by_the_sites_of_the_setting(
    anyone: Client, settings: Any, ancestors: list[str], policy: list[str]
) -> None:
    settings.EMBED_ANCESTORS = ancestors
    video = titled("Show")
    response = anyone.get(f"/embed/{video.pk}")
    assert policy_of(response)["frame-ancestors"] == policy
    assert policy_of(anyone.get(f"/embed/{uuid4()}"))["frame-ancestors"] == policy
    assert "X-Frame-Options" not in response
    html = response.content.decode()
    assert f'data-hls="{CatalogueReader(is_curator=True).location(video)}"' in html
    assert "<header" not in html
    assert meta(html, "robots") == "noindex"
    watched = anyone.get(f"/watch/{video.pk}")
    assert policy_of(watched)["frame-ancestors"] == ["'none'"]
    assert watched["X-Frame-Options"] == "DENY"
    assert ("&lt;iframe" in watched.content.decode()) == bool(ancestors)


def test_every_page_is_kept_by_anyone_as_long_as_the_api_allows(anyone: Client, browser: Client) -> None:
    channel = make_channel()
    video = titled("Show", channel=channel)
    lives = {"/": 2, "/?search=show": 10, f"/c/{channel.pk}": 2, f"/watch/{video.pk}": 10, f"/embed/{video.pk}": 60}
    for path, life in {**lives, f"/watch/live/{channel.pk}": 2}.items():
        stale = Client()
        stale.cookies["sessionid"] = "bad"
        for client in (anyone, browser, stale):
            response = client.get(path)
            assert response["Cache-Control"] == kept(life)
            assert "Vary" not in response or {"", "Cookie"}.isdisjoint(response["Vary"].split(", "))
            assert not response.cookies
            again = client.get(path, headers={"If-None-Match": f"W/{response['ETag']}"})
            assert again.status_code == 304
            assert again["Cache-Control"] == response["Cache-Control"]
    Video.objects.filter(pk=video.pk).update(publish_until=timezone.now() + timedelta(seconds=50))
    assert anyone.get(f"/embed/{video.pk}")["Cache-Control"] in {kept(seconds, 0) for seconds in range(50)}


def test_pages_show_no_account_and_a_credential_opens_nothing_more(browser: Client) -> None:
    titled("Hidden", active=False)
    assert browser.get("/").content == Client().get("/").content
    assert names(page(browser, "/")) == []


def test_head_and_other_methods(anyone: Client) -> None:
    assert anyone.head("/").content == b""
    assert anyone.head("/").status_code == 200
    assert anyone.post("/").status_code == 405


def test_an_outage_is_a_page_with_that_reason(anyone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused to secret-host")

    monkeypatch.setattr("ondemand.api.viewsets.VideoViewSet.list", away)
    monkeypatch.setattr("ondemand.api.viewsets.VideoViewSet.retrieve", away)
    for path in ("/", f"/watch/{uuid4()}", f"/embed/{uuid4()}"):
        response = refused(anyone, path, 503)
        assert response["Retry-After"]
        assert "The videos cannot be reached" in response.content.decode()
        assert "secret-host" not in response.content.decode()


def test_visitors_are_counted_as_the_callers_that_they_are(anyone: Client, settings: Any) -> None:
    settings.THROTTLE_ADDRESS = Rate(4, 3600)
    address = f"2001:db8:{uuid4().hex[:4]}::1"
    assert anyone.get("/", REMOTE_ADDR=address).status_code == 200
    response = anyone.get("/", REMOTE_ADDR=address)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "Too many requests" in response.content.decode()
    assert anyone.get("/", REMOTE_ADDR=f"2001:db8:{uuid4().hex[:4]}::2").status_code == 200


def test_a_closed_api_closes_the_page_and_fails_the_check(anyone: Client, settings: Any) -> None:
    def errors() -> list[CheckMessage]:
        return [found for found in run_checks() if found.id == "catalogue.E001"]

    assert errors() == []
    settings.API_PUBLIC_READ = False
    (error,) = errors()
    assert "API_PUBLIC_READ" in (error.hint or "")
    video = titled("Show")
    for path in ("/", f"/watch/{video.pk}", f"/embed/{video.pk}"):
        response = refused(anyone, path, 403)
        assert "This catalogue is closed" in response.content.decode()
        assert "WWW-Authenticate" not in response
    settings.CATALOGUE_PAGE = False
    assert errors() == []


def test_turned_off_there_is_nothing_at_these_addresses(anyone: Client, turned_off: None) -> None:
    video = titled("Show")
    for path in ("/", f"/c/{uuid4()}", f"/watch/{video.pk}", f"/embed/{video.pk}", f"/watch/live/{uuid4()}"):
        assert_error(anyone.get(path), 404, "not_found")


def test_a_page_asks_the_database_a_fixed_number_of_times(anyone: Client) -> None:
    channels = [make_channel(name=f"Studio {number}") for number in range(5)]
    go_live(channels[0])
    expected = {"/": 5, "/?search=show": 6, "/?page=2": 5, "/c/": 2, "/watch/": 4, "/embed/": 1}
    for count in (60, 75):
        while Video.objects.count() < count:
            number = Video.objects.count()
            tags = [f"shared {number % 3}", f"tag {number}"]
            channel = channels[number % 5]
            video = titled(
                f"Show {number}", channel=channel, content={"tags": tags}, started_at=NINE + timedelta(days=number)
            )
            addresses = {"/watch/": video.pk, "/embed/": video.pk, "/c/": channel.pk}
        query_counts = {}
        for path in expected:
            with CaptureQueriesContext(connection) as queries:
                page(anyone, f"{path}{addresses.get(path, '')}")
            query_counts[path] = len(queries)
        assert query_counts == expected, count


def test_a_channel_beyond_the_first_page_of_channels_has_its_name(
    anyone: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.API_MAX_PAGE_SIZE = 2
    oldest, gone = make_channel(name="The first"), make_channel(name="Gone", active=False)
    for _ in range(3):
        make_channel(name="Later")
    titled("One", channel=oldest)
    titled("Two", channel=gone)
    html = page(anyone, "/", {"channel": str(oldest.pk)})
    assert "<bdi>The first</bdi>" in html
    assert f'<option value="{oldest.pk}" selected>The first</option>' in html
    html = page(anyone, "/", {"channel": str(gone.pk)})
    assert f'<option value="{gone.pk}" selected>{gone.pk}</option>' in html
    assert "Gone" not in html


def test_days_are_days_of_the_service_and_times_name_its_zone(anyone: Client, settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    late = datetime(2026, 3, 5, 3, 30, tzinfo=UTC)
    titled("Late show", started_at=late)
    html = page(anyone, "/", {"started_after": "2026-03-04", "started_before": "2026-03-04"})
    assert names(html) == ["Late show"]
    assert "March 4, 2026, 10:30 p.m. EST" in html
    assert "America/New_York" in html


def test_the_page_speaks_the_language_of_the_service(anyone: Client, settings: Any) -> None:
    settings.LANGUAGE_CODE = "ar"
    assert '<html lang="ar" dir="rtl">' in page(anyone, "/")


def test_the_library_of_the_player_is_the_file_that_the_page_expects(anyone: Client) -> None:
    html = page(anyone, f"/watch/{titled('Show').pk}")
    address, expected = re.findall(r'data-(?:library|integrity)="(.*?)"', html)
    file = finders.find("ondemand/vendor/hls.js-1.7.4/hls.min.js")
    assert re.fullmatch(r"/static/ondemand/vendor/hls.js-1.7.4/hls.min(\.\w+)?.js", address)
    assert expected == f"sha384-{b64encode(sha384(Path(file).read_bytes()).digest()).decode()}"


def policy_of(response: Any) -> dict[str, list[str]]:
    parts = (part.split() for part in response["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in parts}


def go_live(channel: Channel) -> None:
    Stream.objects.create(channel=channel, stream_id=f"st-{uuid4().hex[:12]}", started_at=NINE, first_event_at=NINE)
