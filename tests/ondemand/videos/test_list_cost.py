"""The cost of lists: the rows that PostgreSQL reads have a bound, whatever the filters, the order, and the page."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import md5
from itertools import combinations, count
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.test import Client

from ondemand.models.publication import Listing
from ondemand.videos import lists
from ondemand.videos.search import MOST_WORDS
from tests.support.helpers import bearer, make_content, make_video

pytestmark = pytest.mark.django_db

# `everywhere` is in all of them, `some` in one of a hundred, and `rare` in the oldest listed one. Written without the
# triggers, which cost most of the time. One of four is listed, one is hidden, and the others have each other listing.
MANY = """
SET LOCAL session_replication_role = replica;
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
    'everywhere' || CASE WHEN n % 100 = 0 THEN ' some' ELSE '' END || CASE WHEN n = 4 THEN ' rare' ELSE '' END,
    ARRAY['all', 'tag' || n % 100]
FROM generate_series(1, 12000) AS n;
SELECT ivsvod_index_videos(array_agg(uuid), true) FROM on_demand_videos;
-- What was inserted lately stands in lists of its own, which cost as much as reading all rows.
SELECT gin_clean_pending_list(indexrelid::regclass) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relam = (SELECT oid FROM pg_am WHERE amname = 'gin') AND indrelid = 'ondemand_videoindex'::regclass;
"""
TRIED, FEW, BOUND, RANKED = 50, 100, 1_000, 50
# The rows that are tried; the ranges that are counted, and one that is sorted; a sort of values and a walk; the page.
MOST = TRIED + 4 * (FEW + 1) + 2 * (BOUND + 1) + 30
ORDERS = ("newest", "longest", "oldest", "title")
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


def rows_read(statements: list[dict[str, str]]) -> int:
    """The rows of the index that the statements read, by their plans."""
    total = 0
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
            for node in scans(plan["Plan"]):
                removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
                total += (node["Actual Rows"] + removed) * node["Actual Loops"]
    return total


@pytest.fixture
def _many(monkeypatch: pytest.MonkeyPatch) -> None:
    """12,000 videos, and bounds that are far below."""
    for name, value in {"TRIED": TRIED, "FEW": FEW, "BOUND": BOUND, "RANKED": RANKED}.items():
        monkeypatch.setattr(lists, name, value)
    with connection.cursor() as cursor:
        cursor.execute(MANY)


def filters() -> list[dict[str, Any]]:
    """Return each filter with values that many videos match, few or none."""
    times = ("2026-01-01T00:00:00Z", "2026-01-09T00:00:00Z", "2027-01-01T00:00:00Z")
    channel = UUID(md5(b"channel0", usedforsecurity=False).hexdigest())
    return [
        {},
        *({"search": text} for text in ("everywhere", "some", "rare", "absent", "everywhere -some", "some rare")),
        *({"tag": tag} for tag in ("all", "tag0", "tag7", "absent")),
        *({"min_duration": seconds} for seconds in (1, 11_990, 10**6)),
        *({"started_after": time} for time in times),
        *({"channel": uuid} for uuid in (channel, UUID(int=0))),
        *({"metadata[league]": value} for value in ("0", "none")),
        {"metadata[all]": "yes"},
    ]


def assert_bounded(client: Client, queries: Iterable[dict[str, Any]], **headers: Any) -> None:
    for query in queries:
        address = f"/on-demand?{urlencode(query)}"
        with captured() as statements:
            document = client.get(address, **headers).json()
        assert "data" in document, (address, document)
        assert rows_read(statements) <= MOST, address


@pytest.mark.usefixtures("_many")
@pytest.mark.parametrize("is_analyzed", [True, False], ids=["with statistics", "without statistics"])
def test_the_rows_that_a_list_reads_have_a_bound(client: Client, is_analyzed: bool) -> None:
    """Each filter alone in each order, and in pairs; statistics lead to the index that serves an order or one range."""
    if is_analyzed:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE ondemand_videoindex")
    pairs = [{**one, **other} for one, other in combinations(filters(), 2)]
    assert_bounded(client, ({**query, "ordering": ORDERS[number % 4]} for number, query in enumerate(pairs)))
    if is_analyzed:
        assert_bounded(client, ({**query, "ordering": order} for query in filters() for order in ORDERS))


@pytest.mark.usefixtures("_many")
def test_the_rows_that_a_list_of_curators_reads_have_a_bound(client: Client, api_key: str) -> None:
    """Each filter of curators alone in each order, and with each other filter."""
    states = [
        *({"listing": listing.value} for listing in Listing),
        *({"status": status} for status in ("recording", "failed", "available")),
        *({"active": active} for active in ("true", "false")),
    ]
    pairs = [
        {**state, **other, "ordering": ORDERS[number % 4]} for state in states for number, other in enumerate(filters())
    ]
    alone = [{**state, "ordering": order} for state in states for order in ORDERS]
    assert_bounded(client, alone, headers=bearer(api_key))
    ordered = ({**query, "ordering": ORDERS[number % 4]} for number, query in enumerate(pairs))
    assert_bounded(client, ordered, headers=bearer(api_key))


@pytest.mark.usefixtures("_many")
def test_a_search_ranks_a_limited_number_of_videos_whatever_the_page(client: Client) -> None:
    address = "/on-demand?search=everywhere&pageSize=20"
    pages = {}
    for page in range(1, 6):
        with captured() as statements:
            pages[page] = client.get(f"{address}&page={page}").json()
        ranked = max(json.dumps(query["sql"]).count("::uuid") for query in statements if "ts_rank" in query["sql"])
        assert ranked <= RANKED
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
