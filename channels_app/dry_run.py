"""What a replay would change: it is done for some events at a time in a transaction that is rolled back.

The events take the steps of the road that write tables, and no other: no row of the inbox is marked, no live-state
file is written. What is needed from S3 is read before the transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import AutoField, Func, JSONField, Model, Q

from channels_app.events import Event
from channels_app.inbox import Delivery, Work, errors_kept, work_parse, work_prepare, work_write
from channels_app.models import Channel, InboxEvent, InboxEventQuerySet
from channels_app.reducers import Rows
from channels_app.replay import in_batches

# The channel is locked, and the events are held in memory, for so many of them at once.
CHUNK = 100

Columns = dict[str, Any]
# Rows by their table and primary key: the model's options, the name of the row, and its columns.
Seen = dict[tuple[str, Any], tuple[str, Columns]]


@dataclass(frozen=True)
class Change:
    """A row that would change, with the columns that would; None before a new row, and after one that would go."""

    table: str
    key: str
    before: Columns | None
    after: Columns | None


@dataclass
class DryRun:
    """What some events would change, and what would become of each."""

    changes: list[Change] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)


def events_dry_run(events: InboxEventQuerySet, *, limit: int | None = None) -> Iterator[DryRun]:
    """What `events_replay` would do, so many events at a time; nothing is left of it.

    What lies further apart is tried without each other: a row that both would change is told twice.
    """
    for rows in in_batches(events, size=CHUNK, limit=limit):
        yield _dry_run([Work(row, again=True) for row in rows])


def _dry_run(works: list[Work]) -> DryRun:
    told = DryRun()
    for arn, together in _prepared_by_channel(works).items():
        told.changes += _tried(arn, together)
    told.changes += _marks(works)
    told.deliveries += [Delivery(work.row.event_id, work.outcome, work.reason) for work in works]
    return told


def _prepared_by_channel(works: list[Work]) -> dict[str, list[tuple[Work, Event]]]:
    """Those that are to be written, by the ARN of their channel."""
    prepared: dict[str, list[tuple[Work, Event]]] = defaultdict(list)
    for work in works:
        with errors_kept(work):
            event = work_parse(work)
            work_prepare(work, event)
            if not work.outcome:
                prepared[event.channel_arn].append((work, event))
    return prepared


def _tried(arn: str, works: list[tuple[Work, Event]]) -> list[Change]:
    """What the events of one channel would change."""
    with transaction.atomic():
        channel = Channel.objects.locked().by_arn(arn)
        rows = [] if channel is None else [row for work, event in works for row in _rows(work, event, channel)]
        before = _seen(rows)
        for work, event in works:
            with errors_kept(work):
                work_write(work, event)
        after = _seen(rows)
        transaction.set_rollback(True)
    return _changes(before, after)


def _rows(work: Work, event: Event, channel: Channel) -> Iterable[Rows]:
    return work.reducer.rows(event, channel, work.prepared) if work.reducer else []


def _seen(rows: list[Rows]) -> Seen:
    """The rows as PostgreSQL writes them in JSON, which holds any value; one query a table."""
    conditions: dict[tuple[type[Model], str], dict[Q, None]] = defaultdict(dict)
    for row in rows:
        # Many events are of one stream, and their conditions the same.
        conditions[row.model, row.key][row.condition] = None
    seen: Seen = {}
    for (model, key), wanted in conditions.items():
        seen |= _seen_of(model, key, reduce(or_, wanted))
    return seen


def _seen_of(model: type[Model], key: str, condition: Q) -> Seen:
    table = model._meta.db_table
    document = Func(template='to_jsonb("%(table)s")', table=table, output_field=JSONField())
    found = model._default_manager.filter(condition).annotate(row_document=document).values_list("pk", "row_document")
    return {(table, pk): (str(columns[key] or pk), _without_surrogate(model, columns)) for pk, columns in found}


def _without_surrogate(model: type[Model], columns: Columns) -> Columns:
    """A number that PostgreSQL counted up says nothing of the row."""
    pk = model._meta.pk
    return {name: value for name, value in columns.items() if not (isinstance(pk, AutoField) and name == pk.column)}


def _changes(before: Seen, after: Seen) -> list[Change]:
    places = dict.fromkeys([*before, *after])
    told = ((place, before.get(place), after.get(place)) for place in places)
    return [_change(place[0], old, new) for place, old, new in told if old != new]


def _change(table: str, old: tuple[str, Columns] | None, new: tuple[str, Columns] | None) -> Change:
    named = old or new
    assert named is not None  # noqa: S101  (they differ)
    before, after = (old or ("", {}))[1], (new or ("", {}))[1]
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return Change(
        table,
        named[0],
        {name: before.get(name) for name in changed} if old else None,
        {name: after.get(name) for name in changed} if new else None,
    )


def _marks(works: list[Work]) -> list[Change]:
    """The rows of the inbox whose outcome would be another, or its reason."""
    table = InboxEvent._meta.db_table
    before: Seen = {(table, work.row.pk): _marked(work, work.row.outcome, work.row.error) for work in works}
    after: Seen = {(table, work.row.pk): _marked(work, work.outcome, work.error) for work in works}
    return _changes(before, after)


def _marked(work: Work, outcome: str, error: str) -> tuple[str, Columns]:
    return work.row.event_id, {"outcome": str(outcome), "error": error}
