"""Public answers that the service stores: who gets them, for how long, and what they cost."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_app.models import Channel
from common.rest.rates import Rate
from ivsvod.api import stored_answers
from ondemand.models import Content, Video
from tests.support.helpers import bearer, kept, make_account, make_channel, make_content, make_video
from tests.support.settings import NEEDED, shown

pytestmark = pytest.mark.django_db
GZIP = {"Accept-Encoding": "gzip"}


class Seconds:
    """A clock that stands still until a test moves it."""

    now = 1_800_000_000.0


@pytest.fixture(autouse=True)
def seconds(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seconds]:
    """Answers are stored; the time passes where a test says so."""
    settings.ANSWER_CACHE = True
    seconds = Seconds()
    monkeypatch.setattr(stored_answers, "time", lambda: seconds.now)
    caches["answers"].clear()
    yield seconds
    caches["answers"].clear()


@pytest.fixture
def video() -> Video:
    video = make_video()
    make_content(video)
    return video


def routes(video: Video) -> dict[str, int]:
    """Public routes, and the seconds for which caches may keep their answers."""
    channel = make_channel().uuid
    lists = ("/on-demand", "/on-demand?search=show", "/on-demand/search?search=show", "/tags", "/channels")
    return {
        **dict.fromkeys((*lists, f"/channels/{channel}/streams"), 10),
        **dict.fromkeys(("/channels/live", f"/channels/{channel}", f"/channels/{channel}/live"), 2),
        f"/on-demand/{video.uuid}": 60,
    }


# Cost


def test_a_stored_answer_and_its_304_cost_no_query(
    client: Client, video: Video, django_assert_num_queries: Any
) -> None:
    for route in routes(video):
        first = client.get(route)
        with django_assert_num_queries(0):
            again = client.get(route)
            not_modified = client.get(route, headers={"If-None-Match": first["ETag"]})
            head = client.head(route)
        assert (again.status_code, again.content) == (200, first.content), route
        assert dict(again.items()) == {**first.headers, "X-Request-ID": again["X-Request-ID"]}, route
        assert (not_modified.status_code, not_modified.content) == (304, b"")
        assert (head.status_code, head.content, head["ETag"]) == (200, b"", first["ETag"])
        assert head["Content-Length"] == str(len(first.content))


def test_the_first_304_stores_the_answer(client: Client, video: Video, django_assert_num_queries: Any) -> None:
    etag = client.get("/on-demand")["ETag"]
    caches["answers"].clear()
    with django_assert_num_queries(1):
        assert client.get("/on-demand", headers={"If-None-Match": etag}).status_code == 304
    with django_assert_num_queries(0):
        assert client.get("/on-demand", headers={"If-None-Match": etag}).status_code == 304
        assert client.get("/on-demand").json()["data"]


def test_compressed_and_plain_answers_are_stored_apart(client: Client, django_assert_num_queries: Any) -> None:
    path = f"/channels/{make_channel(name='x' * 250).uuid}"
    plain, packed = client.get(path), client.get(path, headers=GZIP)
    with django_assert_num_queries(0):
        assert client.get(path).content == plain.content
        again = client.get(path, headers={"Accept-Encoding": "br, gzip;q=0.9"})
    assert (again.content, again["Content-Encoding"]) == (packed.content, "gzip")
    assert again["ETag"] == f"W/{plain['ETag']}"
    assert client.get(path, headers={"Accept-Encoding": "xgzip"}).content == plain.content


# Life


def test_a_stored_answer_lives_as_long_as_any_cache_may_keep_it(client: Client, video: Video, seconds: Seconds) -> None:
    for route, life in routes(video).items():
        first, began = client.get(route), seconds.now
        assert first["Cache-Control"] == kept(life)
        Channel.objects.update(name=route)
        Video.objects.update(metadata={"route": route})
        for age in (0.5, life - 1):
            seconds.now = began + age
            again = client.get(route)
            assert again.content == first.content
            assert again["Cache-Control"] == kept(int(life - age), min(life, 5)), route
        seconds.now = began + life - 0.9
        with CaptureQueriesContext(connection) as statements:
            assert client.get(route)["Cache-Control"] == kept(life)
        assert len(statements)


def test_a_hidden_video_is_shown_no_longer_than_the_answer_lives(
    client: Client, video: Video, seconds: Seconds
) -> None:
    assert client.get("/on-demand").json()["data"]
    Video.objects.update(active=False)
    assert client.get("/on-demand").json()["data"]
    seconds.now += 10
    assert not client.get("/on-demand").json()["data"]


def test_no_stored_answer_outlives_a_publication_change(client: Client, video: Video, seconds: Seconds) -> None:
    Video.objects.update(publish_until=timezone.now() + timedelta(seconds=4.5))
    assert client.get("/on-demand")["Cache-Control"] == kept(4, 0)
    seconds.now += 3
    assert client.get("/on-demand")["Cache-Control"] == kept(1, 0)
    Video.objects.update(publish_until=timezone.now())
    seconds.now += 1
    assert not client.get("/on-demand").json()["data"]


def test_an_answer_without_a_life_is_not_stored(client: Client, video: Video) -> None:
    Video.objects.update(publish_until=timezone.now() + timedelta(seconds=0.9))
    assert client.get("/on-demand")["Cache-Control"] == kept(0)
    Video.objects.update(publish_until=timezone.now())
    assert not client.get("/on-demand").json()["data"]


# Callers


def test_callers_with_a_credential_or_a_cookie_neither_get_nor_leave_a_stored_answer(
    client: Client, video: Video, api_key: str
) -> None:
    browser = Client()
    browser.force_login(make_account("curate", is_staff=True))
    stale = Client()
    stale.cookies["anything"] = "x"

    def titles() -> list[str]:
        answers = [
            client.get("/on-demand", headers=bearer(api_key)),
            browser.get("/on-demand"),
            stale.get("/on-demand"),
        ]
        assert [each["Cache-Control"] for each in answers] == ["private, no-store"] * 2 + [kept(10)]
        return [each.json()["data"][0]["content"]["title"] for each in answers]

    assert titles() == ["Morning show"] * 3
    Content.objects.update(title="Evening show")
    assert client.get("/on-demand").json()["data"][0]["content"]["title"] == "Evening show"
    Content.objects.update(title="Night show")
    assert titles() == ["Night show"] * 3
    assert client.get("/on-demand", headers=bearer("nonsense")).status_code == 401
    assert client.get("/on-demand").json()["data"][0]["content"]["title"] == "Evening show"


def test_a_stored_answer_counts_as_a_request_of_its_address(client: Client, settings: Any) -> None:
    settings.THROTTLE_ADDRESS = Rate(3, 86_400)
    caches["default"].clear()
    assert [client.get("/channels").status_code for _ in range(5)] == [200] * 3 + [429] * 2
    assert client.get("/channels", REMOTE_ADDR="192.0.2.7").status_code == 200
    caches["default"].clear()


def test_reads_that_need_a_credential_are_not_stored(client: Client, settings: Any, api_key: str) -> None:
    settings.API_PUBLIC_READ = False
    assert client.get("/channels", headers=bearer(api_key)).status_code == 200
    assert client.get("/channels").status_code == 401


# Keys and limits


def test_each_path_query_and_host_has_its_own_answer(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["a.example.com", "b.example.com"]
    for _ in range(3):
        make_channel()
    answers = [
        client.get(path, HTTP_HOST=host)
        for path in ("/channels", "/channels?pageSize=1", "/channels?pageSize=2", "/channels/live", "/on-demand")
        for host in settings.ALLOWED_HOSTS
    ]
    assert [len(each.json()["data"]) for each in answers] == [3, 3, 1, 1, 2, 2, 0, 0, 0, 0]
    Channel.objects.all().delete()
    assert len(client.get("/channels", HTTP_HOST="a.example.com").json()["data"]) == 3
    assert client.get("/channels", HTTP_HOST="c.example.com").status_code == 400
    # Another spelling of the query, and bytes that are no UTF-8.
    for query in ("pageSize=01", "pageSize=1&_=\xff", "pageSize=1&_=%C3%BF"):
        answer = client.get("/channels", HTTP_HOST="a.example.com", QUERY_STRING=query)
        assert not answer.json()["data"], query


def test_errors_and_writes_are_not_stored(client: Client, api_key: str) -> None:
    video = make_video(active=False)
    path = f"/on-demand/{video.uuid}"
    assert client.get(path).status_code == 404
    assert client.patch(path, headers=bearer(api_key)).status_code == 200
    assert client.get(path).status_code == 200
    assert client.delete(path, headers=bearer(api_key)).content == b"OK"
    assert client.get("/healthz")["Cache-Control"] == "no-store"


def test_a_very_large_answer_is_not_stored(client: Client, video: Video) -> None:
    Content.objects.update(description="x" * stored_answers.LARGEST)
    for title in ("one", "two"):
        Content.objects.update(title=title)
        assert client.get("/on-demand").json()["data"][0]["content"]["title"] == title


def test_nothing_is_stored_where_it_is_switched_off(client: Client, video: Video, settings: Any) -> None:
    settings.ANSWER_CACHE = False
    assert client.get("/on-demand").json()["data"]
    Video.objects.update(active=False)
    assert not client.get("/on-demand").json()["data"]


def test_it_is_on_by_default_and_its_memory_is_limited() -> None:
    is_on, stores = shown(NEEDED, "ANSWER_CACHE", "CACHES")
    assert is_on
    assert stores["answers"]["OPTIONS"]["MAX_ENTRIES"] * stored_answers.LARGEST < 50_000_000
    assert stores["answers"]["LOCATION"] != stores["default"].get("LOCATION", "")
    assert shown({**NEEDED, "ANSWER_CACHE": "false"}, "ANSWER_CACHE") == [False]


def test_pages_of_other_origins_may_read_stored_answers(client: Client) -> None:
    client.get("/channels")
    answer = client.get("/channels", headers={"Origin": "https://www.example.com", "X-Request-ID": "mine"})
    assert (answer["Access-Control-Allow-Origin"], answer["X-Request-ID"]) == ("*", "mine")
