"""Replay: process stored events again: those that failed, wait or were ignored, and on request those that are done.

In a dry run the handlers write in a transaction that is rolled back, and the rows are compared: no row of the inbox is
marked and no file is written.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import AutoField, Func, JSONField, Model, QuerySet, TextField

from channels_app.events.inbox import BATCH, Delivery, Work, process, work_prepare, work_write
from channels_app.models import Channel, InboxEvent, InboxEventQuerySet
from common.sql.rows import chunks_of, rows_of

_Outcome = InboxEvent.Outcome
# Replayed by default: waiting or failed events, and those without a handler.
OUTCOMES = (_Outcome.FAILED, _Outcome.PARKED, _Outcome.IGNORED, _Outcome.DEFERRED)
# The number of events for which a dry run holds the lock of a channel, and keeps events in memory.
CHUNK = 100
LOCK_TIMEOUT = "5s"
# A row is named by the first of these columns that it has, else by its primary key.
_NAMES = ("_event_id", "event_id", "stream_id", "video_id", "on_demand_video_uuid")

Columns = dict[str, Any]
# A row by its model and primary key.
RowKey = tuple[type[Model], Any]


@dataclass(frozen=True)
class Change:
    """The changed columns of a row. `before` is None for a new row, `after` for a deleted one."""

    table: str
    key: str
    before: Columns | None
    after: Columns | None


@dataclass(frozen=True)
class DryRun:
    """The rows that some events would change, and the outcome of each event."""

    changes: list[Change]
    deliveries: list[Delivery]


def events_chosen(
    *, outcomes: Iterable[str], channel_arn: str | None = None, since: datetime | None = None
) -> InboxEventQuerySet:
    """Return the stored events of these outcomes, optionally only of a channel or received since."""
    # Events that arrive from now on are excluded, so that a replay ends.
    newest = InboxEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    events = InboxEvent.objects.filter(outcome__in=list(outcomes), pk__lte=newest)
    if channel_arn is not None:
        events = events.filter(channel_arn=channel_arn)
    return events if since is None else events.filter(received_at__gte=since)


def events_replay(events: QuerySet[InboxEvent], *, limit: int | None = None) -> Iterator[list[Delivery]]:
    """Process at most `limit` of the events again, oldest first, in batches; an outcome of another worker stays."""
    for rows in _in_batches(events, size=BATCH, limit=limit):
        yield process(rows, again=True)


def _in_batches(events: QuerySet[InboxEvent], *, size: int, limit: int | None = None) -> Iterator[list[InboxEvent]]:
    """Iterate over at most `limit` of the events in batches, in the order in which they were stored."""
    return chunks_of(islice(rows_of(events), limit), size)


def events_dry_run(events: InboxEventQuerySet, *, limit: int | None = None) -> Iterator[DryRun]:
    """Return the changes that `events_replay` would make, `CHUNK` events at a time, each as if it were the first."""
    for rows in _in_batches(events, size=CHUNK, limit=limit):
        works = [Work(row, row.event_id, again=True) for row in rows]
        by_channel: dict[str, list[Work]] = defaultdict(list)
        for work in works:
            work_prepare(work)
            if work.event is not None and not work.outcome:
                by_channel[work.event.channel_arn].append(work)
        changes = [change for arn, together in by_channel.items() for change in _changes_of_channel(arn, together)]
        for work in works:
            stored = {"outcome": str(work.row.outcome), "error": work.row.error}
            written = {"outcome": str(work.outcome), "error": work.error}
            changes += _changed(InboxEvent._meta.db_table, work.row.event_id, stored, written)
        yield DryRun(changes, [Delivery(work.row.event_id, work.outcome, work.reason) for work in works])


def _changes_of_channel(arn: str, works: list[Work]) -> list[Change]:
    """Return the changes by the events of a channel; if another process holds its lock, all of them fail."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            channel = Channel.objects.locked().by_arn(arn)
            before = _versions(channel)
            with transaction.atomic():
                for work in works:
                    work_write(work)
                after = _versions(channel)
                changed = [place for place in {**before, **after} if before.get(place) != after.get(place)]
                written = _rows(changed)
                transaction.set_rollback(True)
            stored = _rows(changed)
    except OperationalError as error:
        for work in works:
            work.fail(error)
        return []
    changes = []
    for model, pk in changed:
        old, new = stored.get((model, pk)), written.get((model, pk))
        named = new or old or {}
        key = next((str(named[name]) for name in _NAMES if named.get(name)), str(pk))
        changes += _changed(model._meta.db_table, key, old, new)
    return changes


def _versions(channel: Channel | None) -> dict[RowKey, str]:
    """Return the version (xmin) of each row with a foreign key to the channel, or to a row that has one."""
    # https://www.postgresql.org/docs/current/ddl-system-columns.html
    if channel is None:
        return {}
    paths: dict[Any, str] = {}
    for relation in Channel._meta.related_objects:
        paths.setdefault(relation.related_model, relation.field.name)
        for part in relation.related_model._meta.related_objects:
            paths.setdefault(part.related_model, f"{part.field.name}__{relation.field.name}")
    return {
        (model, pk): version
        for model, path in paths.items()
        for pk, version in model._base_manager.filter(**{path: channel})
        .annotate(version=Func(template=f'"{model._meta.db_table}".xmin::text', output_field=TextField()))
        .values_list("pk", "version")
    }


def _rows(places: list[RowKey]) -> dict[RowKey, Columns]:
    """Return the rows that exist, as PostgreSQL writes them in JSON; one query a table."""
    keys: dict[type[Model], list[Any]] = defaultdict(list)
    for model, pk in places:
        keys[model].append(pk)
    rows: dict[RowKey, Columns] = {}
    for model, pks in keys.items():
        document = Func(template=f'to_jsonb("{model._meta.db_table}")', output_field=JSONField())
        found = model._base_manager.filter(pk__in=pks).annotate(row_document=document)
        for pk, columns in found.values_list("pk", "row_document"):
            if isinstance(model._meta.pk, AutoField):
                # A generated key is not a change.
                del columns[model._meta.pk.column]
            rows[model, pk] = columns
    return rows


def _changed(table: str, key: str, old: Columns | None, new: Columns | None) -> list[Change]:
    """Return the change of one row; none if the row is the same."""
    names = [name for name in {**(old or {}), **(new or {})} if (old or {}).get(name) != (new or {}).get(name)]
    before, after = ({name: row.get(name) for name in names} if row else None for row in (old, new))
    return [Change(table, key, before, after)] if names else []
