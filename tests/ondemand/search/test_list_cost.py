"""The cost of lists: the rows that PostgreSQL reads have a bound, whatever the filters, the order, and the page."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import md5
from itertools import combinations, count, islice, product
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.test import Client
from django.utils import timezone

from ondemand.models import PlaybackGrant
from ondemand.models.publication import Listing
from ondemand.search import lists
from ondemand.search.text import MOST_WORDS
from tests.support.helpers import THOROUGH, bearer, make_content, make_video

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# `everywhere` is in all of them, `seldom` in one of a hundred, and `rare` in the oldest listed one. Written without the
# triggers, which cost most of the time. One of four is listed, one is hidden, and the others have each other listing.
MANY = """
SET LOCAL session_replication_role = replica;
-- Without the dead rows of other tests.
TRUNCATE on_demand_videos, ondemand_videoindex CASCADE;
INSERT INTO on_demand_videos
    (uuid, created_at, active, _status, _qa, _visibility, _held, _bucket, _prefix, _session_id, _stream_ids,
        data, _started_at, _duration_ms, ivs_channel_uuid, _publish_from, _publish_until, _metadata)
SELECT md5('video' || n)::uuid, now(), n % 4 <> 1,
    CASE n % 8 WHEN 2 THEN 'recording' WHEN 6 THEN 'failed' ELSE 'available' END,
    'ok', CASE n % 8 WHEN 3 THEN 'unlisted' ELSE 'public' END, n % 8 = 7, 'b', 'p' || n, '', '{}',
    '{}', timestamptz '2026-01-01' + n * interval '1 minute', n * 1000, md5('channel' || n % 50)::uuid,
    CASE WHEN n % 400 = 0 THEN timestamptz '2100-01-01' END, CASE WHEN n % 404 = 0 THEN timestamptz '2020-01-01' END,
    jsonb_build_object('all', 'yes', 'league', (n % 1000)::text)
FROM generate_series(1, 12000) AS n;
INSERT INTO on_demand_video_content (on_demand_video_uuid, created_by, title, description, tags)
SELECT md5('video' || n)::uuid, md5('nobody')::uuid, 'Title ' || n,
    'everywhere' || CASE WHEN n % 100 = 0 THEN ' seldom' ELSE '' END || CASE WHEN n = 4 THEN ' rare' ELSE '' END,
    ARRAY['all', 'tag' || n % 100]
FROM generate_series(1, 12000) AS n;
SELECT ivsvod_index_videos(array_agg(uuid), true) FROM on_demand_videos;
-- What was inserted lately stands in lists of its own, which cost as much as reading all rows.
SELECT gin_clean_pending_list(indexrelid::regclass) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relam = (SELECT oid FROM pg_am WHERE amname = 'gin') AND indrelid = 'ondemand_videoindex'::regclass;
"""
TRIED, FEW, BOUND, RANKED, RANKED_AMONG, ENOUGH = 50, 100, 1_000, 50, 400, 10
# The rows that are tried; the ranges that are counted, and one that is sorted; two sorts of values
# and two walks; the page.
MOST = TRIED + 5 * (FEW + 1) + RANKED_AMONG + 2 * (BOUND + 1) + 30
_SCANS = re.compile(r"Seq Scan|Index Scan|Index Only Scan|Bitmap Heap Scan")


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if _SCANS.search(plan["Node Type"]) and plan.get("Relation Name") == "ondemand_videoindex":
        yield plan
    for child in plan.get("Plans", []):
        yield from scans(child)


@contextmanager
def captured() -> Iterator[list[dict[str, str]]]:
    """The statements of the block; a prepared one is run again by EXECUTE, with the plan that it has for any values."""
    found: list[dict[str, str]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        compose = connection.ops.compose_sql
        if isinstance(context["cursor"].cursor, ServerBindingCursor):
            numbers = count(1)
            text = re.sub("%s", lambda _: f"${next(numbers)}", sql).replace("%%", "%")
            execution = f"EXECUTE ondemand_videoindex ({', '.join(['%s'] * len(params))})"
            found.append({"prepare": f"PREPARE ondemand_videoindex AS {text}", "sql": compose(execution, params)})
        else:
            found.append({"sql": compose(sql, params)})
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def plans(statements: list[dict[str, str]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The statements that read the index, each with its plan."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        for statement in statements:
            sql = statement["sql"]
            if "ondemand_videoindex" not in sql:
                continue
            if "prepare" in statement:
                cursor.execute(statement["prepare"])
            settings = re.match(r"(SET LOCAL \w+ = off; )*", sql)
            assert settings
            query = re.sub(r"(; SET LOCAL \w+ = DEFAULT)*$", "", sql[settings.end() :])
            cursor.execute(f"{settings[0]}EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query}")
            while cursor.description is None:
                cursor.nextset()
            [plan] = cursor.fetchone()[0]
            for name in re.findall(r"enable_\w+", settings[0]):
                cursor.execute(f"SET LOCAL {name} = DEFAULT")
            if "prepare" in statement:
                cursor.execute("DEALLOCATE ondemand_videoindex")
            yield query, plan["Plan"]


def rows_read(statements: list[dict[str, str]]) -> int:
    """The rows of the index that the statements read, by their plans."""
    total = 0
    for _, plan in plans(statements):
        for node in scans(plan):
            removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            total += (node["Actual Rows"] + removed) * node["Actual Loops"]
    return total


@pytest.fixture
def _many(monkeypatch: pytest.MonkeyPatch) -> None:
    """12,000 videos, and bounds that are far below."""
    bounds = {"TRIED": TRIED, "FEW": FEW, "BOUND": BOUND}
    for name, value in {**bounds, "RANKED": RANKED, "RANKED_AMONG": RANKED_AMONG, "ENOUGH": ENOUGH}.items():
        monkeypatch.setattr(lists, name, value)
    with connection.cursor() as cursor:
        cursor.execute(MANY)


# A query, and the condition of the numbers of the videos that it finds.
Case = tuple[dict[str, Any], Callable[[int], bool]]
ORDERS: dict[str, Callable[[int], Any]] = {
    "newest": lambda n: -n,
    "longest": lambda n: -n,
    "oldest": lambda n: n,
    "title": lambda n: f"title {n}",
}


def filters() -> list[Case]:
    """Return each filter with values that many videos match, few or none."""
    channel = UUID(md5(b"channel0", usedforsecurity=False).hexdigest())
    return [
        ({}, lambda n: True),
        ({"search": "everywhere"}, lambda n: True),
        ({"search": "seldom"}, lambda n: n % 100 == 0),
        ({"search": "rare"}, lambda n: n == 4),
        ({"search": "absent"}, lambda n: False),
        ({"search": "everywhere -seldom"}, lambda n: n % 100 > 0),
        ({"search": "seldom rare"}, lambda n: False),
        ({"tag": "all"}, lambda n: True),
        ({"tag": "tag0"}, lambda n: n % 100 == 0),
        ({"tag": "tag8"}, lambda n: n % 100 == 8),
        ({"tag": "absent"}, lambda n: False),
        ({"min_duration": 1}, lambda n: True),
        ({"min_duration": 11_990}, lambda n: n >= 11_990),
        ({"min_duration": 10**6}, lambda n: False),
        ({"started_after": "2026-01-01T00:00:00Z"}, lambda n: True),
        ({"started_after": "2026-01-09T00:00:00Z"}, lambda n: n >= 8 * 24 * 60),
        ({"started_after": "2027-01-01T00:00:00Z"}, lambda n: False),
        ({"channel": channel}, lambda n: n % 50 == 0),
        ({"channel": UUID(int=0)}, lambda n: False),
        ({"metadata[league]": "0"}, lambda n: n % 1000 == 0),
        ({"metadata[league]": "none"}, lambda n: False),
        ({"metadata[all]": "yes"}, lambda n: True),
    ]


def listing_of(n: int) -> str:
    """Return the listing of a video of `MANY`."""
    window = "scheduled" if n % 400 == 0 else "expired" if n % 404 == 0 else "listed"
    return {1: "hidden", 2: "recording", 3: "unlisted", 5: "hidden", 6: "failed", 7: "held"}.get(n % 8, window)


def pairs(first: Iterable[Case], second: Iterable[Case]) -> Iterator[Case]:
    """Yield each filter of one list with each of the other that has another name."""
    for (query, condition), (other, other_condition) in product(first, second):
        if not query.keys() & other.keys():
            yield {**query, **other}, lambda n, one=condition, two=other_condition: one(n) and two(n)  # type: ignore[misc]


def some(cases: Iterable[Case]) -> Iterable[Case]:
    """Return a fifth of the cases, which come in all orders; all with THOROUGH=1."""
    return cases if THOROUGH else islice(cases, 0, None, 5)


def assert_right_and_bounded(client: Client, cases: Iterable[Case], **headers: Any) -> None:
    """Each list has the right videos, on its first page or its second, and reads a limited number of rows."""
    uuids = {n: str(UUID(md5(f"video{n}".encode(), usedforsecurity=False).hexdigest())) for n in range(1, 12_001)}
    for number, (query, condition) in enumerate(cases):
        order = query.get("ordering") or list(ORDERS)[number % 4]
        found = sorted(filter(condition, uuids), key=ORDERS[order])
        page = 2 if len(found) > 25 and number % 3 == 0 else 1
        address = f"/on-demand?{urlencode({**query, 'ordering': order, 'page': page})}"
        with captured() as statements:
            document = client.get(address, **headers).json()
        videos = [video["uuid"] for video in document["data"]]
        assert videos == [uuids[n] for n in found[page * 25 - 25 : page * 25]], address
        assert rows_read(statements) <= MOST, address


@pytest.mark.usefixtures("_many")
@pytest.mark.parametrize("is_analyzed", [True, False], ids=["with statistics", "without statistics"])
def test_the_rows_that_a_list_reads_have_a_bound(client: Client, is_analyzed: bool) -> None:
    """Each filter alone in each order, and in pairs; statistics lead to the index that serves an order or one range."""
    if is_analyzed:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE ondemand_videoindex")
    listed: list[Case] = [({}, lambda n: listing_of(n) == "listed")]
    both = (pair for one, other in combinations(filters(), 2) for pair in pairs([one], [other]))
    assert_right_and_bounded(client, some(pairs(listed, both)))
    if is_analyzed:
        orders: list[Case] = [({"ordering": order}, lambda n: listing_of(n) == "listed") for order in ORDERS]
        assert_right_and_bounded(client, pairs(orders, filters()))


@pytest.mark.usefixtures("_many")
def test_the_rows_that_a_list_of_curators_reads_have_a_bound(client: Client, api_key: str) -> None:
    """Each filter of curators alone in each order, and with each other filter."""
    by_state = {"status=recording": "recording", "status=failed": "failed", "status=available": "listed"}
    by_state |= {"active=true": "listed", "active=false": "hidden"}
    by_state |= {f"listing={listing.value}": listing.value for listing in Listing}
    states: list[Case] = [
        (dict([state.split("=")]), lambda n, listing=listing: listing_of(n) == listing)  # type: ignore[misc]
        for state, listing in by_state.items()
    ]
    orders: list[Case] = [({"ordering": order}, lambda n: True) for order in ORDERS]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ondemand_videoindex")
    for cases in (pairs(states, orders), some(pairs(states, filters()))):
        assert_right_and_bounded(client, cases, headers=bearer(api_key))


@pytest.mark.usefixtures("_many")
@pytest.mark.parametrize("query", ["min_duration=1000000", "ordering=longest&started_after=2027-01-01T00:00:00Z"])
def test_a_range_without_a_video_reads_no_row(client: Client, query: str) -> None:
    """Also beside a filter that many videos match."""
    for others in ("", "&tag=all", "&search=everywhere"):
        with captured() as statements:
            assert client.get(f"/on-demand?{query}{others}").json()["data"] == []
        assert sum("ondemand_videoindex" in each["sql"] for each in statements) >= 1
        assert rows_read(statements) == 0, others


@pytest.mark.usefixtures("_many")
def test_a_search_ranks_a_limited_number_of_videos_whatever_the_page(client: Client) -> None:
    address = "/on-demand?search=everywhere&pageSize=20"
    pages = {}
    for page in range(1, 6):
        with captured() as statements:
            pages[page] = client.get(f"{address}&page={page}").json()
        ranked = max(plan["Actual Rows"] for sql, plan in plans(statements) if "ts_rank" in sql)
        assert ranked <= RANKED + 1
    # The last page of those that are ranked leads to the first of the others, by its cursor and by its number.
    walked = client.get(pages[2]["next"]).json()
    assert walked["data"] == pages[3]["data"]
    assert len(walked["data"]) == 20


def test_a_search_uses_a_limited_number_of_words(client: Client) -> None:
    make_content(make_video(), title="two", description=" ".join(["one"] * MOST_WORDS), tags=[])
    many = " ".join(["one"] * (MOST_WORDS - 1))

    def found(text: str) -> int:
        return len(client.get("/on-demand", {"search": text}).json()["data"])

    assert found(f"{many} two") == 1
    assert found(f"{many} absent") == 0
    assert found(f"{many} two absent") == 1
    # An "or" between words is none, and words need no space, though they are a phrase then.
    assert found(" or ".join(["absent"] * (MOST_WORDS - 1)) + " or two") == 1
    assert found(" or ".join(["absent"] * MOST_WORDS) + " or two") == 0
    assert found(",".join(["one"] * MOST_WORDS) + ",absent") == 1


@pytest.mark.usefixtures("_many")
def test_the_video_of_a_grant_is_found_by_its_key() -> None:
    plan = PlaybackGrant.objects.playing(timezone.now()).filter(digest="of a token").explain()
    assert "Seq Scan on on_demand_videos" not in plan
