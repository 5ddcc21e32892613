"""The search: rank and its bound, highlights, the text search configuration, and the same query behind both routes."""

import html
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ondemand.search.lists
from channels_app.models import Channel
from ondemand.models import Content, Video
from tests.support.helpers import make_channel, make_content, make_video

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 3, 4, 9, tzinfo=UTC)
PATHS = ("/on-demand", "/on-demand/search")


@pytest.fixture
def client() -> Client:
    """Sees the answer to a failure as a client does."""
    return Client(raise_request_exception=False)


def search(client: Client, text: str, path: str = "/on-demand", **query: Any) -> list[dict[str, Any]]:
    response = client.get(path, {"search": text, **query})
    assert response.status_code == 200, response.content
    return response.json()["data"]


def walk(client: Client, address: str | None) -> Iterator[dict[str, Any]]:
    while address:
        document = client.get(address).json()
        yield from document["data"]
        address = document["next"]


def make_found(number: int, **content: Any) -> str:
    video = make_video(started_at=NINE + number * timedelta(hours=1))
    make_content(video, **{"title": "", "description": "", "tags": [], **content})
    return str(video.uuid)


def test_a_title_counts_more_than_a_tag_and_a_tag_more_than_a_description(client: Client) -> None:
    by_title = make_found(1, title="ocean")
    by_tag = make_found(2, tags=["ocean"])
    by_description = make_found(3, description="ocean")
    assert [video["uuid"] for video in search(client, "ocean")] == [by_title, by_tag, by_description]


def test_a_ranked_walk_shows_all_that_was_there_while_older_videos_are_added(client: Client) -> None:
    """More than are few, and more than enough to be ranked among the newest."""
    there = {make_found(number, title="ocean " * (number % 7 + 1)) for number in range(1, 70)}
    address: str | None = "/on-demand?search=ocean&pageSize=20"
    found = []
    while address:
        document = client.get(address).json()
        found += [video["uuid"] for video in document["data"]]
        for number in range(4):
            make_found(number - 2, title="ocean " * 3)
            make_found(number + 30, title="ocean")
        address = document["next"]
    assert there <= set(found)
    assert len(found) == len(set(found))


def test_a_search_of_nothing_that_can_be_stored_finds_nothing(client: Client) -> None:
    make_found(1, title="ocean")
    assert search(client, "\0") == []


def test_the_hits_and_the_list_are_one_query(client: Client) -> None:
    for number in range(9):
        make_found(number, title="ocean" * (number % 2), description="ocean " * (number % 3), tags=["a"] * (number % 2))
    shown, hits = search(client, "ocean"), search(client, "ocean", "/on-demand/search")
    assert len(shown) == 7
    shared = ("location", "duration_seconds", "start_time", "rank", "highlight", "chapter")
    for video, hit in zip(shown, hits, strict=True):
        assert hit == {
            "on_demand_video_uuid": video["uuid"],
            **video["content"],
            **{name: video[name] for name in shared},
        }
    for query in ({"tag": "a"}, {"ordering": "oldest"}, {"page": 2, "pageSize": 3}, {"ordering": "longest"}):
        shown, hits = (search(client, "ocean", path, **query) for path in PATHS)
        assert [video["uuid"] for video in shown] == [hit["on_demand_video_uuid"] for hit in hits]


def test_results_stay_while_somebody_types_a_word(client: Client) -> None:
    uuid = make_found(1, title="Universities and PostgreSQL", tags=["Broadcasting"])
    for word in ("universities", "PostgreSQL", "broadcasting"):
        for length in range(3, len(word) + 1):
            assert [video["uuid"] for video in search(client, f"and {word[:length]}")] == [uuid], word[:length]
    # The last word alone, and one that is typed to its end.
    for text in ("univ postgresql", "postg -univ", "postgresql - universities", '"postg"', "the", "po"):
        assert search(client, text) == [], text


@pytest.mark.parametrize(
    ("title", "found", "absent"),
    [
        ("東京都の天気予報", ["東京", "天気", "京都", '"天気予報"', "東京 -大阪"], ["大阪", "東天", "東京 -天気"]),
        ("서울 날씨 뉴스", ["서울", "날씨 뉴스", "뉴"], ["부산"]),
        ("北京 IVS 直播回放", ["直播", "ivs 直播", "IVS"], ["播直", "上海"]),
    ],
)
def test_texts_that_are_written_without_spaces_are_found_by_any_part(
    client: Client, title: str, found: list[str], absent: list[str]
) -> None:
    uuid = make_found(1, title=title, description=f"<{title}>")
    for text in found:
        (video,) = search(client, text)
        assert video["uuid"] == uuid
        words = re.findall(r"[^\W_]+", text.split(" -")[0])
        assert {word.lower() for word in marked(video)} == {word.lower() for word in words}
        assert "\x01" not in video["highlight"]
    for text in absent:
        assert search(client, text) == [], text


def test_the_name_of_the_channel_is_searched_with_the_video(client: Client) -> None:
    channel, other = make_channel(name="Harbour television"), make_channel(name="Else")
    without_content = make_video(channel=channel)
    uuid = make_found(1, title="Weather")
    Video.objects.filter(pk=uuid).update(channel=channel)
    assert {video["uuid"] for video in search(client, "harbour")} == {uuid, str(without_content.pk)}
    assert [video["uuid"] for video in search(client, "harbour weather")] == [uuid]
    hits = search(client, "harbour", "/on-demand/search")
    picture = "https://www.example.com/a.jpg"
    assert {(hit["title"], hit["thumbnail"], *hit["tags"]) for hit in hits} == {("", ""), ("Weather", picture)}
    channel.name = "Port"
    channel.save()
    assert search(client, "harbour") == []
    assert len(search(client, "port")) == 2
    Video.objects.filter(pk=uuid).update(channel=other)
    assert [video["uuid"] for video in search(client, "port")] == [str(without_content.pk)]
    # The name of a channel that is not shown would be spelt out by a search for its beginnings.
    for hidden, shown in ({"private": True}, {"private": False}), ({"active": False}, {"active": True}):
        Channel.objects.filter(pk=channel.pk).update(**hidden)
        assert search(client, "port") == [], hidden
        Channel.objects.filter(pk=channel.pk).update(**shown)
        assert len(search(client, "port")) == 1
    channel.delete()
    assert search(client, "port") == []


def test_only_search_results_have_a_rank(client: Client) -> None:
    make_found(1, title="ocean")
    assert {"rank", "highlight"} <= search(client, "ocean", ordering="newest")[0].keys()
    for text in ("", " "):
        assert not {"rank", "highlight"} & search(client, text)[0].keys()
        assert search(client, text, "/on-demand/search") == []


def test_an_empty_search_is_an_empty_list_with_any_filter_that_is_well_formed(client: Client) -> None:
    make_found(1, title="ocean")
    document = client.get("/on-demand/search?tag=x&pageSize=3").json()
    assert document == {"data": [], "page": 1, "pageSize": 3, "next": None}
    assert client.get("/on-demand/search?channel=x").status_code == 400


# Highlights


def marked(video: dict[str, Any]) -> list[str]:
    return re.findall("<mark>(.*?)</mark>", video["highlight"])


def test_a_highlight_marks_matches_in_title_description_and_tags(client: Client) -> None:
    make_found(1, title="Oceans", description="by day", tags=["deep ocean", "news"])
    make_found(2, title="Far away", description="x " * 300 + "the ocean at last" + " y" * 300)
    first, second = search(client, "ocean", ordering="oldest")
    assert first["highlight"] == "<mark>Oceans</mark> – by day – deep <mark>ocean</mark>, news"  # noqa: RUF001
    assert marked(second) == ["ocean"]
    assert "<mark>ocean</mark> at last" in second["highlight"]
    assert len(second["highlight"]) < 500


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script> ocean",
        'ocean" onload="x',
        "a < ocean > b & c",
        "&lt;b&gt; ocean &amp;",
        "<mark>ocean</mark>",
        "'ocean'",
        "\ue000ocean\ue001 \ue000",
        "<ocean>",
        "ocean<br/>ocean",
    ],
)
def test_a_highlight_is_escaped_html(client: Client, text: str) -> None:
    make_found(1, title="ocean", description=text, tags=[text])
    (video,) = search(client, "ocean")
    rest = re.sub("</?mark>", "", video["highlight"])
    assert not re.search("[<>\"'\ue000\ue001]|&(?!(amp|lt|gt|quot|#x27);)", rest)
    assert video["highlight"].count("<mark>") == video["highlight"].count("</mark>") >= 1
    assert "ocean" in marked(video)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80))
def test_no_text_breaks_out_of_its_highlight(text: str) -> None:
    Video.objects.all().delete()
    make_found(1, title="ocean", description=text)
    (video,) = search(Client(), "ocean")
    rest = re.sub("</?mark>", "", video["highlight"])
    assert html.escape(html.unescape(rest)) == rest


@pytest.mark.parametrize("size", [100, 3_000_000])
def test_the_highlight_of_a_long_text_is_short(client: Client, size: int) -> None:
    make_found(1, title="ocean", description="day " * (size // 4), tags=["y" * size])
    (video,) = search(client, "ocean")
    assert marked(video) == ["ocean"]
    assert len(video["highlight"]) < 3000


def test_a_page_makes_highlights_of_its_own_rows_alone(client: Client) -> None:
    """The excerpt costs most of all; one video more than the page shows that there is another page."""
    for number in range(60):
        make_found(number, title="ocean")
    rows = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        result = execute(sql, params, many, context)
        if "ts_headline" in sql:
            rows.append(context["cursor"].rowcount)
        return result

    with connection.execute_wrapper(count):
        search(client, "ocean", pageSize=2)
    assert rows == [3]


# The bound of the ranking


def test_more_matches_than_the_bound_follow_newest_first(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ondemand.search.lists, "RANKED", 5)
    # The best of all is the oldest, and the bound leaves it out.
    made = [make_found(number, title="ocean" if number in {0, 9} else "", description="ocean") for number in range(12)]
    newest_five = [made[number] for number in (9, 11, 10, 8, 7)]
    expected = [*newest_five, *(made[number] for number in range(6, -1, -1))]
    for size in (1, 4, 5, 6, 13):
        assert [v["uuid"] for v in walk(client, f"/on-demand?search=ocean&pageSize={size}")] == expected
        # To one page behind the last.
        pages = [search(client, "ocean", page=page, pageSize=size) for page in range(1, 14 // size + 2)]
        assert [video["uuid"] for page in pages for video in page] == expected
    assert [v["uuid"] for v in walk(client, "/on-demand?search=ocean&ordering=oldest&pageSize=4")] == made


def test_a_walk_keeps_its_bound_while_rows_come_and_go(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ondemand.search.lists, "RANKED", 4)
    made = [make_found(number, description="ocean") for number in range(10)]
    address: str | None = "/on-demand?search=ocean&pageSize=1"
    seen, page = [], 0
    while address:
        document = client.get(address).json()
        seen += [video["uuid"] for video in document["data"]]
        address, page = document["next"], page + 1
        if page < 9:
            # Newer ones, ranked before and behind the place of the walker, and an older one.
            make_found(100 + page, title="ocean" * (page % 2), description="ocean")
            make_found(-page, description="ocean " * page)
        if page == 3:
            Video.objects.filter(pk=made[4]).update(active=False)
    assert len(seen) == len(set(seen))
    assert set(made) - {made[4]} <= set(seen)


@pytest.mark.parametrize("rows", [3, 30])
def test_a_search_takes_a_fixed_number_of_queries(
    client: Client, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    for number in range(rows):
        make_found(number, title="ocean")
    for path in PATHS:
        with django_assert_num_queries(4):
            assert len(search(client, "ocean", path, pageSize=rows)) == rows


# The configuration


def backfill_search(settings: Any, name: str) -> None:
    settings.SEARCH_CONFIG = name
    call_command("backfill", "--search", stdout=io.StringIO())


@pytest.mark.parametrize("name", ["german", "pg_catalog.german"])
def test_another_configuration_by_setting_and_backfill(client: Client, settings: Any, name: str) -> None:
    uuid = make_found(1, title="Die Häuser am Meer")
    assert search(client, "haus") == []
    backfill_search(settings, name)
    assert [video["uuid"] for video in search(client, "haus")] == [uuid]
    assert marked(search(client, "haus")[0]) == ["Häuser"]
    later = make_found(2, title="Bäume und Häuser")
    assert {video["uuid"] for video in search(client, "haus")} == {uuid, later}
    backfill_search(settings, "english")
    assert search(client, "haus") == []


@pytest.mark.parametrize("name", ["klingon", "public.english", "english'; DROP TABLE on_demand_videos; --", "a.b.c"])
def test_an_unknown_configuration_is_refused_and_changes_nothing(client: Client, settings: Any, name: str) -> None:
    make_found(1, title="oceans")
    settings.SEARCH_CONFIG = name
    with pytest.raises(CommandError, match="SEARCH_CONFIG"):
        call_command("backfill", "--search", stdout=io.StringIO())
    assert len(search(client, "ocean")) == 1


def test_rewriting_vectors_changes_no_content(client: Client, settings: Any) -> None:
    make_found(1, title="oceans")
    before = Content.objects.values().get()
    backfill_search(settings, "simple")
    assert Content.objects.values().get() == before
    assert search(client, "oceans") == search(client, "ocean")
    assert len(search(client, "oceans -ocean")) == 1
