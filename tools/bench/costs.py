"""The cost of each index and trigger: writes with it and without it, in one transaction that is rolled back."""

import json
from collections.abc import Iterator
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from common.sql.rows import chunks_of
from tools.bench.rows import BUCKET, LARGE_TABLES, channel_uuid
from tools.bench.writes import EDIT, RESTART_INBOX_KEYS, Statements, edits, events_sent

_TABLES = [
    *LARGE_TABLES,
    *("ondemand_tagcount", "channels_app_auditentry", "channels_app_inboxevent", "channels_app_stream"),
    *("channels_app_streamhistoryentry", "ivs_channels", "ivs_state_changes"),
]
# Without keys, and without the index by place, which the insert of a video reads.
_INDEXES = """
    SELECT tablename, indexname FROM pg_indexes
    WHERE schemaname = 'public' AND tablename = ANY (%s) AND indexname <> 'on_demand_videos_place_idx'
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = format('%%I', indexname)::regclass)
    ORDER BY array_position(%s, tablename::text), indexname
"""
# Those of INSERT and UPDATE.
_TRIGGERS = """
    SELECT tgrelid::regclass::text, tgname FROM pg_trigger
    WHERE NOT tgisinternal AND tgrelid::regclass::text = ANY (%s) AND tgtype & 20 <> 0
    ORDER BY array_position(%s, tgrelid::regclass::text), tgname
"""
_INSERT = """
    INSERT INTO on_demand_videos (uuid, ivs_channel_uuid, created_at, active, data)
    VALUES (%s, %s, DEFAULT, DEFAULT, %s::jsonb)
"""


class Added(NamedTuple):
    """The microseconds of a write, and its bytes of write-ahead log."""

    us: float
    wal_bytes: float


# The transactions of ten events: they are stored together, applied one by one, and marked together.
_OF_BATCH = 12
# By kind of write.
Cost = dict[str, Added]
# By index or trigger.
Costs = dict[str, Cost]


def costs_measure(conninfo: str, videos: int, *, times: int) -> Costs:
    """Return what each index and trigger adds to the insert of a video, an edit of content, and an event."""
    batches = list(chunks_of(events_sent(), _OF_BATCH))[: times // 4 + 1]
    works: dict[str, tuple[int, list[Statements]]] = {
        "insert": (1, [[(_INSERT, values)] for values in _inserts(times)]),
        "edit": (1, [[(EDIT.format(schema="public"), values)] for values in edits(videos, times, seed=2)]),
        "event": (10, [[statement for transaction in batch for statement in transaction] for batch in batches]),
    }
    costs: Costs = {}
    with psycopg.connect(conninfo, autocommit=True) as raw:
        # First: after a checkpoint each page is written whole once.
        raw.execute("CHECKPOINT")
        with raw.transaction(force_rollback=True):
            for name, removal in _removals(raw):
                base, without = _cost(raw, works), _cost(raw, works, removal)
                costs[name] = {
                    work: Added(*(round(one - other) for one, other in zip(base[work], without[work], strict=True)))
                    for work in works
                }
    return costs


def _inserts(number: int) -> Iterator[list[Any]]:
    for each in range(number):
        prefix = f"ivs/v1/111122223333/costs/{each}"
        data = {"recording_s3_bucket_name": BUCKET, "recording_s3_key_prefix": prefix, "recording_duration_ms": each}
        # Anywhere among the others.
        yield [UUID(int=each * 2**128 // number), channel_uuid(each % 10), json.dumps(data)]


def _removals(raw: psycopg.Connection) -> Iterator[tuple[str, sql.Composed]]:
    """Yield the name of each index and trigger, and the statement that takes it out of the way."""
    for table, name in raw.execute(_INDEXES, [_TABLES, _TABLES]).fetchall():
        yield f"{table}: {name}", sql.SQL("DROP INDEX {}").format(sql.Identifier(name))
    for table, name in raw.execute(_TRIGGERS, [_TABLES, _TABLES]).fetchall():
        disable = sql.SQL("ALTER TABLE {} DISABLE TRIGGER {}").format(sql.Identifier(table), sql.Identifier(name))
        yield f"{table}: trigger {name}", disable


def _cost(raw: psycopg.Connection, works: dict[str, tuple[int, list[Statements]]], removal: Any = "") -> Cost:
    cost: Cost = {}
    with raw.transaction(force_rollback=True):
        raw.execute(removal)
        for work, (units, parts) in works.items():
            # The first run warms the caches, and touches the pages.
            for _ in range(2):
                seconds, written = [], []
                with raw.transaction(force_rollback=True):
                    raw.execute(RESTART_INBOX_KEYS)
                    for statements in parts:
                        before, began = _written(raw), perf_counter()
                        for statement, values in statements:
                            raw.execute(statement, values)
                        seconds.append(perf_counter() - began)
                        written.append(_written(raw) - before)
            cost[work] = Added(median(seconds) / units * 1e6, median(written) / units)
    return cost


def _written(raw: psycopg.Connection) -> int:
    row = raw.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
    assert row  # noqa: S101
    return int(row[0])
