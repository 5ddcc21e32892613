"""The bounds of a search: rows that are ranked, and terms that are looked for."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ondemand.videos.search import MOST_WORDS, RANKED
from tests.support.helpers import make_content, make_video

pytestmark = pytest.mark.django_db

VIDEOS = 20_000
# `everywhere` is in all of them, and each other word in one of 200. Without the triggers, which cost most of the time.
MANY = """
SET LOCAL session_replication_role = replica;
INSERT INTO on_demand_videos
    (uuid, created_at, active, _status, _qa, _visibility, _held, _bucket, _prefix, _session_id, _stream_ids,
        data, _started_at, _duration_ms)
SELECT md5('video' || n)::uuid, now(), true, 'available', 'ok', 'public', false, 'b', 'p' || n, '', '{}',
    '{}',
    timestamptz '2026-01-01' + n * interval '1 minute', n
FROM generate_series(1, %(videos)s) AS n;
INSERT INTO on_demand_video_content
    (uuid, on_demand_video_uuid, created_at, created_by, title, description, tags, thumbnail, _search)
SELECT gen_random_uuid(), md5('video' || n)::uuid, now(), md5('nobody')::uuid, 'everywhere', 'word' || n %% 200, '{}',
    '', to_tsvector('english', 'everywhere word' || n %% 200)
FROM generate_series(1, %(videos)s) AS n;
ANALYZE on_demand_videos, on_demand_video_content;
"""


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def ranked_by(statement: str) -> int:
    """Of how many rows the statement computes the rank: the most that a step of its plan takes that mentions it."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, VERBOSE, TIMING OFF, FORMAT JSON) " + statement)
        [plan] = cursor.fetchone()[0]
    found = [node for node in nodes(plan["Plan"]) if "ts_rank" in json.dumps({**node, "Plans": None})]
    return max(
        (
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0))
            * node["Actual Loops"]
            for node in found
        ),
        default=0,
    )


def ranked(client: Client, address: str) -> tuple[int, dict[str, Any]]:
    """Of how many rows a request computes the rank, by the plans of its statements, and its answer."""
    with CaptureQueriesContext(connection) as queries:
        document = client.get(address).json()
    return max(ranked_by(query["sql"]) for query in queries if "ts_rank" in query["sql"]), document


def words(number: int) -> str:
    return "%20or%20".join(["everywhere", *(f"word{n}" for n in range(number - 1))])


def test_no_search_ranks_more_rows_than_the_bound_whatever_its_words_its_order_and_its_page(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MANY % {"videos": VIDEOS})
    most = {}
    for number in (1, 20, 200):
        most[number], first = ranked(client, f"/on-demand?search={words(number)}")
        assert len(first["data"]) == 25
        assert first["data"][0]["rank"] > 0
        most[number, "cursor"], second = ranked(client, first["next"])
        assert not {video["uuid"] for video in first["data"]} & {video["uuid"] for video in second["data"]}
    # The last page of those that are ranked leads to the first of the others, by its cursor and by its number.
    address = f"/on-demand?search={words(200)}&pageSize=100"
    most["last"], last = ranked(client, f"{address}&page=50")
    most["beyond, cursor"], beyond = ranked(client, last["next"])
    most["beyond, page"], numbered = ranked(client, f"{address}&page=51")
    assert beyond["data"] == numbered["data"]
    assert len(beyond["data"]) == 100
    for order in ("newest", "oldest", "longest", "title"):
        most[order], _ = ranked(client, f"/on-demand/search?search={words(200)}&ordering={order}&page=2")

    assert {case: rows for case, rows in most.items() if rows > RANKED} == {}
    assert most[200] == RANKED
    # A walk of long ago: so many are newer than its bound by now.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE on_demand_videos SET _started_at = _started_at + interval '1 year' WHERE _duration_ms < 9000"
        )
    rows, document = ranked(client, first["next"])
    assert (rows, document["data"]) == (RANKED, second["data"])


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
