"""Pages and cursors of lists, and the filters that every list refuses or ignores."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count, F, QuerySet
from django.db.models.functions import Coalesce
from django.test import Client
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from common.rest.pagination import PagePagination
from ondemand.models import Video
from tests.support.helpers import make_content, make_video

NINE = datetime(2026, 3, 4, 9, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def page_of(queryset: QuerySet[Any], address: str = "/list") -> tuple[list[Any], dict[str, Any]]:
    """The rows of a page and the answer around them."""
    pagination = PagePagination()
    rows = pagination.paginate_queryset(queryset, Request(APIRequestFactory().get(address)))
    return rows, pagination.get_paginated_response(rows).data


def walk(queryset: QuerySet[Any], size: int) -> list[Any]:
    """All rows, by the links from page to page."""
    address: str | None = f"/list?pageSize={size}"
    found = []
    while address:
        rows, document = page_of(queryset, address)
        found += rows
        address = document["next"]
    return found


def make_videos() -> None:
    """Rows alike in each key, with and without NULL."""
    moments = [NINE, NINE, None, NINE + timedelta(microseconds=1), None, NINE + timedelta(hours=1), NINE]
    for number, moment in enumerate(moments):
        make_video(started_at=moment, duration_ms=[None, 5, 5, 7][number % 4], stream_ids=["x"] * (number % 3))


ORDERS: dict[str, Callable[[QuerySet[Video]], QuerySet[Video]]] = {
    "the uuid alone": lambda videos: videos.order_by("pk"),
    "falling, NULL first": lambda videos: videos.order_by("-started_at", "uuid"),
    "rising, NULL last": lambda videos: videos.order_by("started_at", "-uuid"),
    "falling, NULL last": lambda videos: videos.order_by(F("started_at").desc(nulls_last=True), "-uuid"),
    "rising, NULL first": lambda videos: videos.order_by(F("started_at").asc(nulls_first=True), F("uuid")),
    "two keys with NULL": lambda videos: videos.order_by("-duration_ms", F("started_at").asc(), "uuid"),
    "an annotation": lambda videos: videos.annotate(n=Coalesce("duration_ms", 6)).order_by("n", "-pk"),
    "over a relation": lambda videos: videos.select_related("content").order_by("content__title", "uuid"),
    "names of values": lambda videos: videos.values("uuid", "started_at").order_by("-started_at", "uuid"),
}


def test_links_walk_a_list_in_its_own_order_and_end_with_null() -> None:
    make_videos()
    for number, video in enumerate(Video.objects.order_by("uuid")):
        if number % 2:
            make_content(video, title=["a", None, "b"][number % 3])
    for name, order in ORDERS.items():
        ordered = order(Video.objects.all())
        for size in (1, 2, 3, 7, 50):
            assert walk(ordered, size) == list(ordered), (name, size)


def test_links_walk_groups_by_their_counts() -> None:
    make_videos()
    groups = Video.objects.values("duration_ms").annotate(count=Count("pk"), key=Coalesce("duration_ms", 0))
    ordered = groups.order_by("-count", "key")
    assert walk(ordered, 1) == list(ordered)


def test_a_list_without_a_total_order_by_names_is_a_mistake_of_its_view() -> None:
    for videos in (Video.objects.order_by(), Video.objects.order_by(Coalesce("duration_ms", 0), "uuid")):
        with pytest.raises(ImproperlyConfigured):
            page_of(videos)


def test_a_link_has_no_host_and_keeps_the_query() -> None:
    make_videos()
    _, document = page_of(Video.objects.order_by("uuid"), "/a%20b?tag=x&tag=%26&page=2&pageSize=2&_=5")
    parts = urlsplit(document["next"])
    query = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc, parts.path) == ("", "", "/a%20b")
    assert {name: values for name, values in query.items() if name != "cursor"} == {
        "tag": ["x", "&"],
        "pageSize": ["2"],
        "_": ["5"],
    }


def test_pages_are_counted_on_along_the_links() -> None:
    make_videos()
    videos = Video.objects.order_by("uuid")
    _, second = page_of(videos, "/list?page=2&pageSize=2")
    _, third = page_of(videos, second["next"])
    assert (second["page"], third["page"], third["pageSize"]) == (2, 3, 2)


def next_query(address: str) -> dict[str, Any]:
    _, document = page_of(Video.objects.order_by("uuid"), address)
    return dict(parse_qs(urlsplit(document["next"]).query))


def test_the_page_size_and_ignored_parameters_may_change_on_the_way() -> None:
    make_videos()
    query = next_query("/list?tag=x&pageSize=2&_=1")
    address = "/list?" + urlencode({**query, "pageSize": 3, "_": 2, "utm_source": "mail"}, doseq=True)
    rows, document = page_of(Video.objects.order_by("uuid"), address)
    assert rows == list(Video.objects.order_by("uuid")[2:5])
    assert document["pageSize"] == 3


@pytest.mark.parametrize(
    "change",
    [{"tag": "y"}, {"tag": ["x", "y"]}, {"tag": []}, {"search": "z"}, {"page": 2}, {"page": ""}, {"page": "undefined"}],
)
def test_a_cursor_with_another_query_or_with_page_is_refused(change: dict[str, Any]) -> None:
    make_videos()
    query = next_query("/list?tag=x&pageSize=2")
    with pytest.raises(ValidationError) as refused:
        page_of(Video.objects.order_by("uuid"), "/list?" + urlencode({**query, **change}, doseq=True))
    assert list(refused.value.detail) == ["cursor"]


def test_a_cursor_of_another_path_or_order_is_refused() -> None:
    make_videos()
    query = urlencode(next_query("/list?pageSize=2"), doseq=True)
    for path, order in (("/other", "uuid"), ("/list", "-uuid")):
        with pytest.raises(ValidationError):
            page_of(Video.objects.order_by(order), f"{path}?{query}")


@pytest.mark.parametrize("spoil", [lambda c: c[:-1], lambda c: "x" + c, lambda c: c.replace(":", ";"), lambda c: ""])
def test_a_cursor_that_was_tampered_with_is_refused(spoil: Callable[[str], str]) -> None:
    make_videos()
    query = next_query("/list?pageSize=2")
    (cursor,) = query["cursor"]
    with pytest.raises(ValidationError) as refused:
        page_of(Video.objects.order_by("uuid"), "/list?" + urlencode({"pageSize": 2, "cursor": spoil(cursor)}))
    assert list(refused.value.detail) == ["cursor"]


@pytest.mark.parametrize("cursor", ["x", "a:b:c", "%00", "%ff", "é", "." + "x" * 20, "x" * 50_000, "null", ":::::"])
def test_no_cursor_breaks_a_list(client: Client, cursor: str) -> None:
    response = client.get(f"/on-demand?cursor={cursor}")
    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["cursor"]


def test_a_cursor_signed_by_another_key_is_refused(client: Client, settings: Any) -> None:
    make_videos()
    address = client.get("/on-demand?pageSize=1").json()["next"]
    assert client.get(address).status_code == 200
    settings.SECRET_KEY = "another key of the same service"
    assert client.get(address).status_code == 400


def test_rows_that_come_and_go_between_pages_move_no_other(client: Client) -> None:
    videos = [make_video(started_at=NINE + timedelta(hours=hour)) for hour in range(6)]
    expected = [str(video.uuid) for video in reversed(videos)]
    first = client.get("/on-demand?pageSize=2").json()
    make_video(started_at=NINE + timedelta(days=1))
    Video.objects.filter(pk=videos[5].pk).update(active=False)
    Video.objects.filter(pk=videos[4].pk).delete()
    second = client.get(first["next"]).json()
    assert [video["uuid"] for video in first["data"] + second["data"]] == expected[:4]


@pytest.mark.parametrize("name", ["x", "Page", "page_size", "tag[]", "%00", "%ff", "", "search[]", "offset"])
def test_an_unknown_parameter_is_a_400_that_names_it(client: Client, name: str) -> None:
    response = client.get(f"/on-demand?{name}=1")
    assert response.status_code == 400
    document = response.json()
    assert document["code"] == "invalid"
    assert document["error"].startswith("Unknown parameter")


def test_parameters_that_the_setting_names_are_ignored(client: Client, settings: Any) -> None:
    assert client.get("/on-demand?_=1&t=2&ts=3&v=4&fbclid=5&gclid=6&utm_source=7&utm_source=8").status_code == 200
    settings.API_IGNORED_PARAMETERS = ["trace*"]
    assert client.get("/on-demand?trace=1&tracer=2").status_code == 200
    assert client.get("/on-demand?_=1").status_code == 400


@pytest.mark.parametrize("query", ["search=a&search=b", "cursor=a&cursor=b"])
def test_a_single_parameter_given_twice_is_a_400_that_names_it(client: Client, query: str) -> None:
    response = client.get(f"/on-demand?{query}")
    assert response.status_code == 400
    assert list(response.json()["fields"]) == [query.partition("=")[0]]


def test_a_malformed_page_or_page_size_counts_as_the_default_as_described(client: Client) -> None:
    for query in ("pageSize=abc", "page=-1", "page=undefined&pageSize=undefined", "page=0&pageSize=1.5"):
        response = client.get(f"/on-demand?{query}")
        assert (response.status_code, response.json()["page"], response.json()["pageSize"]) == (200, 1, 25)
    described = json.loads((Path(__file__).parents[3] / "openapi.json").read_text())
    parameters = described["components"]["parameters"]
    assert "Anything but a whole number from 1 counts as 1." in parameters["page"]["description"]
    assert "Anything but a whole number from 1 counts as 25." in parameters["pageSize"]["description"]


def test_of_page_and_page_size_given_twice_the_last_counts_as_it_did(client: Client) -> None:
    document = client.get("/on-demand?page=1&page=2&pageSize=5&pageSize=7").json()
    assert (document["page"], document["pageSize"]) == (2, 7)
