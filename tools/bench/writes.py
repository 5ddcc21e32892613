"""The writes of the benchmark: events through the inbox, and edits of content."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from time import perf_counter
from typing import Any

import psycopg
from django.db import connection, transaction

from channels_app.events.inbox import ingest
from channels_app.events.synthetic import stream_envelope
from channels_app.models import Channel, InboxEvent, Stream
from tools.bench.figures import Figure
from tools.bench.rows import NOW, WORDS, channel_uuid, video_uuid

# The statements of a transaction, or one outside of any.
Statements = list[tuple[str, Any]]
EVENTS = 300
_EDITS = 300
_MARK = "bench-"
# The statements that are sent again mark rows by their keys, so these must be the same again.
RESTART_INBOX_KEYS = """
    SELECT setval(pg_get_serial_sequence('channels_app_inboxevent', 'id'), coalesce(max(id), 0) + 1, false)
    FROM channels_app_inboxevent
"""
# The statement of the predecessor.
EDIT = """
    INSERT INTO {schema}.on_demand_video_content AS content
        (uuid, on_demand_video_uuid, created_at, created_by, title, description, tags, data, thumbnail)
    VALUES (DEFAULT, %s, DEFAULT, '00000000-0000-0000-0000-000000000000', %s, %s, %s, 'null'::jsonb, '')
    ON CONFLICT (on_demand_video_uuid) DO UPDATE
    SET title = excluded.title, description = excluded.description, tags = excluded.tags, data = excluded.data,
        thumbnail = excluded.thumbnail
    RETURNING *
"""


def events_measure(conninfo: str) -> dict[str, Figure]:
    """Return the seconds of an event in one process: by this service, and by a script with its writes and commits.

    Health events of streams that have not begun: they publish nothing to S3.
    """
    own, script = Figure(), Figure()
    sent = events_sent()
    try:
        for _ in range(3):
            # The script repeats what the database was sent.
            _remove()
            own.seconds.append(_ingest_seconds())
            _remove()
            script.seconds.append(_repeat_seconds(conninfo, sent))
            applied = InboxEvent.objects.filter(event_id__startswith=_MARK, outcome=InboxEvent.Outcome.APPLIED)
            if applied.count() != EVENTS:
                raise RuntimeError("the script wrote something else")
    finally:
        _remove()
    return {"events": own, "events: smallest script": script}


def events_sent() -> list[Statements]:
    """Return the statements that write or lock for some events: each time, they are given the same keys."""
    _remove()
    try:
        with _recorded() as sent:
            _ingest_seconds()
    finally:
        _remove()
    return sent


def _ingest_seconds() -> float:
    arn = Channel.objects.get(pk=channel_uuid(0)).arn
    bodies = []
    for number in range(EVENTS):
        stream_id = f"{_MARK}{number % 10}"
        at = NOW + timedelta(seconds=number)
        envelope = stream_envelope(name="Starvation Start", arn=arn, stream_id=stream_id, at=at)
        bodies.append(json.dumps(envelope | {"id": f"{_MARK}{number}", "source": "aws.ivs"}))
    began = perf_counter()
    outcomes = {delivery.outcome for delivery in ingest(bodies)}
    taken = perf_counter() - began
    if outcomes != {InboxEvent.Outcome.APPLIED}:
        raise RuntimeError(f"events were {outcomes}")
    return taken / EVENTS


def _repeat_seconds(conninfo: str, sent: list[Statements]) -> float:
    with psycopg.connect(conninfo, autocommit=True) as raw:
        began = perf_counter()
        for statements in sent:
            if len(statements) == 1:
                raw.execute(*statements[0])
                continue
            with raw.transaction():
                for sql, parameters in statements:
                    raw.execute(sql, parameters)
        return (perf_counter() - began) / EVENTS


@contextmanager
def _recorded() -> Iterator[list[Statements]]:
    """Record the statements that write or lock, by transaction."""
    sent: list[Statements] = []
    is_open = False

    def committed() -> None:
        nonlocal is_open
        is_open = False

    def record(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        nonlocal is_open
        if not sql.lstrip().startswith("SELECT") or "ivsvod_record" in sql or "FOR NO KEY" in sql:
            if connection.in_atomic_block and is_open:
                sent[-1].append((sql, parameters))
            else:
                sent.append([(sql, parameters)])
            if connection.in_atomic_block and not is_open:
                is_open = True
                transaction.on_commit(committed)
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(record):
        yield sent


def _remove() -> None:
    """Remove the events and their streams. The next rows of the inbox have the same keys, which the script marks."""
    InboxEvent.objects.filter(event_id__startswith=_MARK).delete()
    Stream.objects.filter(stream_id__startswith=_MARK).delete()
    with connection.cursor() as cursor:
        cursor.execute(RESTART_INBOX_KEYS)


def edits_measure(conninfo: str, videos: int) -> dict[str, Figure]:
    """Return the seconds of the predecessor's edit of content, on its table and on that of this service."""
    figures = {"content edit": Figure(), "predecessor: content edit": Figure()}
    with psycopg.connect(conninfo, autocommit=True) as raw:
        for values in edits(videos, _EDITS, seed=1):
            for name, schema in zip(figures, ("public", "predecessor"), strict=True):
                began = perf_counter()
                raw.execute(EDIT.format(schema=schema), values)
                figures[name].seconds.append(perf_counter() - began)
    return figures


def edits(videos: int, number: int, *, seed: int) -> Iterator[list[Any]]:
    """Yield the values of edits of any videos; of another seed other ones, so that each edit changes something."""
    random = Random(seed)  # noqa: S311
    for each in range(number):
        words = random.choices(WORDS, k=40)
        yield [video_uuid(random.randrange(videos)), " ".join(words[:5]), " ".join(words), [f"tag{each % 50}"]]
