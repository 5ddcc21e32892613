"""`GET /tags`: the tags of listed videos, with counts, by prefix."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from ondemand.models import Video
from tests.support.helpers import bearer, make_content, make_token, make_video

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    """Sees the answer to a failure as a client does."""
    return Client(raise_request_exception=False)


def make_tagged(*tags: Any, **values: Any) -> Video:
    video = make_video(**values)
    make_content(video, tags=list(tags))
    return video


def tags(client: Client, query: str = "") -> dict[str, int]:
    response = client.get(f"/tags{query}")
    assert response.status_code == 200, response.content
    return {item["tag"]: item["count"] for item in response.json()["data"]}


def walk(client: Client, address: str | None) -> Iterator[dict[str, Any]]:
    while address:
        document = client.get(address).json()
        yield from document["data"]
        address = document["next"]


def test_tags_are_counted_by_video_and_ordered_by_name(client: Client) -> None:
    make_tagged("news", "weather", "news", None, "")
    make_tagged("news", "art")
    make_tagged()
    make_video()
    document = client.get("/tags").json()
    assert document == {
        "data": [{"tag": "art", "count": 1}, {"tag": "news", "count": 2}, {"tag": "weather", "count": 1}],
        "page": 1,
        "pageSize": 25,
        "next": None,
    }


def test_null_tags_and_rows_of_the_predecessor_count_too(client: Client) -> None:
    video = make_video()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO on_demand_video_content (on_demand_video_uuid, created_by, tags) "
            "VALUES (%s, gen_random_uuid(), '{NULL,\"\",art}')",
            [video.pk],
        )
    make_content(make_video(), tags=None)
    assert tags(client) == {"art": 1}


def test_tags_by_prefix_in_any_letter_case(client: Client) -> None:
    make_tagged("news", "Newcomers", "old news", "%", "%a", "_b", "\\", "Ärger", "😀")
    expected = {
        "ne": {"news", "Newcomers"},
        "NEW": {"news", "Newcomers"},
        "news": {"news"},
        "%25": {"%", "%a"},
        "_": {"_b"},
        "%5C": {"\\"},
        "ä": {"Ärger"},
        "%F0%9F%98%80": {"😀"},
        "x": set(),
    }
    assert {prefix: set(tags(client, f"?prefix={prefix}")) for prefix in expected} == expected


@pytest.mark.parametrize(
    "query", ["prefix=", "prefix=%00", "prefix=a&prefix=b", "x=1", "search=x", "tag=x", "ordering=x"]
)
def test_a_malformed_prefix_or_an_unknown_name_is_a_400_that_names_it(client: Client, query: str) -> None:
    response = client.get(f"/tags?{query}")
    assert (response.status_code, list(response.json()["fields"])) == (400, [query.partition("=")[0]])


def test_the_links_reach_all_tags_of_any_length(client: Client) -> None:
    long = ["x" * length for length in (99, 100, 101, 3000, 50_000)]
    make_tagged(*long, "a", "B", "b")
    make_tagged("a", "x" * 100 + "y", "x" * 100 + "Y")
    for size in (1, 2, 50):
        found = [item["tag"] for item in walk(client, f"/tags?pageSize={size}")]
        assert len(found) == len(set(found)) == 10, size
        pages = [client.get(f"/tags?pageSize={size}&page={page + 1}").json()["data"] for page in range(10 // size + 1)]
        assert [item["tag"] for page in pages for item in page] == found, size
        assert len(list(walk(client, f"/tags?prefix=xx&pageSize={size}"))) == 7, size


def test_new_videos_between_pages_move_no_tag(client: Client) -> None:
    make_tagged("a", "b", "c", "d")
    first = client.get("/tags?pageSize=2").json()
    for _ in range(3):
        make_tagged("a", "d", "aa")
    second = client.get(first["next"]).json()
    assert [item["tag"] for item in first["data"] + second["data"]] == ["a", "b", "c", "d"]


def test_reads_need_the_scope_read_unless_they_are_public(client: Client, settings: Any) -> None:
    settings.API_PUBLIC_READ = False
    assert client.get("/tags").status_code == 401
    assert client.get("/tags", headers=bearer(make_token("curate")[1])).status_code == 403
    assert client.get("/tags", headers=bearer(make_token("read")[1])).status_code == 200
    assert client.post("/tags").status_code == 405


@pytest.mark.parametrize("rows", [3, 30])
def test_tags_take_a_fixed_number_of_queries(client: Client, django_assert_num_queries: Any, rows: int) -> None:
    for number in range(rows):
        make_tagged(f"tag {number}", "all")
    with django_assert_num_queries(2):
        assert len(client.get("/tags?pageSize=100").json()["data"]) == rows + 1
