"""The processing of every event: store and commit, parse, fetch facts, decide and write, publish, mark.

IVS delivers by best effort: an event can come twice, late, out of order or never, and a process can die between any
two steps. So each step can be repeated: stored events stay stored, and a second write changes nothing.
https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html

The handler of its detail-type (`EVENT_HANDLERS`) decides what an event writes and publishes.
"""

import logging
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Min, TextField
from django.utils import timezone
from django.utils.module_loading import import_string

from channels_app.envelopes import Event, MalformedEventError, load_json, parse
from channels_app.events.deliveries import Envelope, is_cut, is_same_document, storable
from channels_app.events.handlers import EventHandler, Publication
from channels_app.models import Channel, InboxEvent
from common.audit import Actor, Way, acting, actor_setting, with_actor
from common.metrics import events_measured, inbox_measured
from common.rest.compiled import CompiledInstances, Parameter
from common.sql.rows import chunks_of

logger = logging.getLogger(__name__)

DUPLICATE = "duplicate"
# As many as SQS delivers at once. A batch is stored by one statement, marked by one, and published once a channel.
BATCH = 10
_RETRIES_ENDED = f"not tried again after {InboxEvent.DEFERRED_FOR // timedelta(hours=1)} hours"
_DONE = (InboxEvent.Outcome.APPLIED, InboxEvent.Outcome.IGNORED)
# Beside a row of these, another envelope with the same id is stored under its digest.
_OTHER_STORED = (InboxEvent.Outcome.RECEIVED, InboxEvent.Outcome.REFUSED, InboxEvent.Outcome.IGNORED)
_WAITING = (InboxEvent.Outcome.PARKED, InboxEvent.Outcome.DEFERRED)
_LONGEST_REASON = 2000
# Compiled once: that took longer than the rest of an event. Handlers read the key and the ARN alone.
_LOCKED_CHANNEL = CompiledInstances(
    lambda: with_actor(Channel.objects.locked().with_arn(Parameter("arn", TextField())))[:1],
    unread=[each.name for each in Channel._meta.concrete_fields if each.name not in {"uuid", "arn"}],
)
# Seconds after which the events so far are published and marked: Lambda may time out before the end of the batch.
_SLOW = 5.0


@dataclass(frozen=True)
class Delivery:
    """The outcome of a delivered item, and its reason; `event_id` is None if the item has none."""

    event_id: str | None
    outcome: str
    reason: str = ""

    @property
    def must_come_again(self) -> bool:
        """Return whether the queue must keep the item: to be retried, or to end in the dead-letter queue."""
        return self.outcome in {InboxEvent.Outcome.FAILED, InboxEvent.Outcome.REFUSED}


@dataclass
class Work:
    """A stored event in processing. `again`: replay it, even if it is done. `document`: its JSON if parsed before."""

    row: InboxEvent
    event_id: str | None
    again: bool = False
    document: Any = None
    event: Event | None = None
    handler: EventHandler | None = None
    facts: Any = None
    outcome: str = ""
    reason: str = ""
    publication: Publication | None = None

    @property
    def error(self) -> str:
        """Return the reason as the row stores it."""
        return storable(self.reason)[:_LONGEST_REASON]

    def end(self, outcome: str, reason: str = "") -> None:
        """Set the outcome. An applied event stays applied if its replay is ignored: what it wrote is stored."""
        was_applied = outcome == InboxEvent.Outcome.IGNORED and self.row.outcome == InboxEvent.Outcome.APPLIED
        self.outcome, self.reason = (self.row.outcome if was_applied else outcome), reason

    def fail(self, error: Exception) -> None:
        """Log the error and store it as the reason; the event comes again."""
        logger.error("event failed event_id=%s", self.row.event_id, exc_info=error)
        self.outcome, self.reason = InboxEvent.Outcome.FAILED, f"{type(error).__name__}: {error}"


def ingest(bodies: Iterable[str]) -> Iterator[Delivery]:
    """Store and process envelopes in batches; return their outcomes. Only an unavailable database raises."""
    for batch in chunks_of(bodies, BATCH):
        yield from _processed(receive(batch))


def process(rows: list[InboxEvent], *, again: bool = False) -> list[Delivery]:
    """Process stored events and return their outcomes; `again` also processes those that are done."""
    return list(_processed([Work(row, row.event_id, again) for row in rows]))


def _processed(works: list[Work]) -> Iterator[Delivery]:
    _process(works)
    for work in works:
        logger.info("event processed event_id=%s outcome=%s", work.row.event_id, work.outcome)
        yield Delivery(work.event_id, work.outcome, work.reason)


def receive(bodies: list[str]) -> list[Work]:
    """Store envelopes under the id of their event, and commit.

    The key is the SHA-256 of the text if the id is unusable, or if a received, refused or ignored row has the id with
    another envelope.
    """
    envelopes = [Envelope.of(body) for body in bodies]
    rows = _store({envelope.key: envelope.text for envelope in envelopes})
    others = {
        envelope.digest: envelope.text
        for envelope in envelopes
        if rows[envelope.key].outcome in _OTHER_STORED and not is_same_document(rows[envelope.key].body, envelope.text)
    }
    rows |= _store(others) if others else {}
    works = []
    for envelope in envelopes:
        row = rows[envelope.digest if envelope.digest in others else envelope.key]
        # The row may have another text of the same event.
        is_same = row.body == envelope.text
        works.append(Work(row, envelope.event_id, document=envelope.document if is_same else None))
    return works


_STORE = """
WITH new AS (
    INSERT INTO channels_app_inboxevent
        (event_id, body, received_at, outcome, error, attempts, detail_type, name, channel_arn, stream_id)
    SELECT key, text, %s, 'received', '', 0, '', '', '', '' FROM unnest(%s::text[], %s::text[]) AS envelope (key, text)
    ON CONFLICT (event_id) DO NOTHING RETURNING *
)
SELECT * FROM new UNION ALL SELECT * FROM channels_app_inboxevent WHERE event_id = ANY(%s)
"""


def _store(texts: dict[str, str]) -> dict[str, InboxEvent]:
    """Insert the missing rows and return all by their keys; one statement."""
    # In the same order everywhere, so that two workers that store the same events do not deadlock.
    keys = sorted(texts)
    stored = InboxEvent.objects.raw(_STORE, [timezone.now(), keys, [texts[key] for key in keys], keys])
    rows = {row.event_id: row for row in stored}
    # The statement does not see rows that another worker inserted while it ran.
    missing = [key for key in keys if key not in rows]
    return rows | {row.event_id: row for row in InboxEvent.objects.filter(event_id__in=missing)} if missing else rows


def _process(works: list[Work]) -> None:
    settled, settled_at = 0, monotonic()
    done = {work.row.pk: str(work.row.outcome) for work in works if work.row.outcome in _DONE and not work.again}
    for number, work in enumerate(works, 1):
        work_prepare(work, done=done.get(work.row.pk))
        work_write(work)
        if work.outcome in _DONE:
            done[work.row.pk] = work.outcome
        if monotonic() - settled_at > _SLOW:
            _publish_and_mark(works[settled:number])
            settled, settled_at = number, monotonic()
    _publish_and_mark(works[settled:])


def work_prepare(work: Work, *, done: str | None = None) -> None:
    """Parse an event and let its handler fetch facts, outside any transaction; if it is `done` it is a duplicate."""
    with _errors_kept(work):
        document = load_json(work.row.body) if work.document is None else work.document
        work.event = event = parse(document, received_at=work.row.received_at)
        path = settings.EVENT_HANDLERS.get(event.detail_type) if event.channel_arn else None
        handler: EventHandler | None = import_string(path)() if path else None
        if done:
            work.outcome = DUPLICATE
            if handler is not None and done == InboxEvent.Outcome.APPLIED:
                work.publication = handler.publish_again(event)
        elif handler is None:
            work.end(InboxEvent.Outcome.IGNORED)
        elif work.row.outcome == InboxEvent.Outcome.PARKED and Channel.objects.by_arn(event.channel_arn) is None:
            # No facts from S3 for an event that stays parked.
            work.end(InboxEvent.Outcome.PARKED)
        else:
            work.facts, work.handler = handler.prepare(event), handler


def work_write(work: Work) -> None:
    """Let the handler decide and write, if `work_prepare` set one."""
    event, handler = work.event, work.handler
    if event is None or handler is None:
        return
    with _errors_kept(work):
        with acting(Actor(Way.EVENT, event.name, operation=event.id)), transaction.atomic():
            # The channel first: every worker takes its locks in this order.
            channels = _LOCKED_CHANNEL.instances(arn=event.channel_arn, actor=actor_setting())
            if not channels:
                work.end(InboxEvent.Outcome.PARKED)
                return
            [channel] = channels
            result = handler.apply(event, channel, work.facts)
        is_overdue = work.row.received_at < timezone.now() - InboxEvent.DEFERRED_FOR
        if result.try_again and not is_overdue:
            work.end(InboxEvent.Outcome.DEFERRED, result.reason)
        else:
            work.end(result.outcome, f"{_RETRIES_ENDED}: {result.reason}" if result.try_again else result.reason)
        work.publication = result.publication
        if work.publication is not None and work.row.outcome == InboxEvent.Outcome.APPLIED:
            # A replay publishes the current live state, not that of this old event.
            work.publication = handler.publish_again(event)


@contextmanager
def _errors_kept(work: Work) -> Iterator[None]:
    """Make an error the outcome of its event, so that the other events of the batch are processed."""
    try:
        yield
    except MalformedEventError as error:
        is_too_large = is_cut(key=work.row.event_id, text=work.row.body)
        work.outcome = InboxEvent.Outcome.REFUSED
        work.reason = "the body is larger than 256 KB" if is_too_large else str(error)
    except Exception as error:
        work.fail(error)
        # A dead connection must not fail the next event.
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def _publish_and_mark(works: list[Work]) -> None:
    """Publish, then mark: after a crash before the end the events are still open, and are processed again."""
    by_key: dict[Hashable, list[tuple[Work, Publication]]] = defaultdict(list)
    for work in works:
        if work.publication is not None:
            by_key[work.publication.key].append((work, work.publication))
    for together in by_key.values():
        try:
            reduce(lambda earlier, later: earlier.followed_by(later), [item for _, item in together]).publish()
        except Exception as error:
            # The events of this key come again; the other keys are published.
            for work, _ in together:
                work.fail(error)
    _mark([work for work in works if work.outcome != DUPLICATE])
    _unpark(works)
    # Replayed and reconciled events do not count: they are late by their nature.
    timely = [(work.row, work.event) for work in works if work.event and not work.again and work.outcome != DUPLICATE]
    lags = [(row.received_at - event.time).total_seconds() for row, event in timely if not event.is_reconciled]
    events_measured([work.outcome for work in works], lags)


_PARSED = ("detail_type", "name", "time", "channel_arn", "stream_id")
# In id order, so that two workers do not deadlock.
_MARK = """
WITH locked AS (SELECT id FROM channels_app_inboxevent WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE)
UPDATE channels_app_inboxevent AS event SET
    outcome = mark.outcome, error = mark.error, attempts = event.attempts + 1, processed_at = %s,
    detail_type = coalesce(mark.detail_type, event.detail_type), name = coalesce(mark.name, event.name),
    event_time = coalesce(mark.event_time, event.event_time),
    channel_arn = coalesce(mark.channel_arn, event.channel_arn), stream_id = coalesce(mark.stream_id, event.stream_id)
FROM locked JOIN unnest(%s::bigint[], %s::text[], %s::text[], %s::text[],
        %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::text[])
    AS mark (id, outcome, error, replayed, detail_type, name, event_time, channel_arn, stream_id) USING (id)
WHERE event.id = locked.id AND (event.outcome NOT IN ('applied', 'ignored') OR event.outcome = mark.replayed)
"""


def _mark(works: list[Work]) -> None:
    """Write the outcomes by one statement; a row that was done meanwhile stays so, unless it is replayed."""
    marks: dict[int, tuple[Any, ...]] = {}
    for work in works:
        row, event = work.row, work.event
        # The queue no longer has an event that waits here: it goes on waiting, for the next `process_inbox`.
        waits = work.outcome == InboxEvent.Outcome.FAILED and row.outcome in _WAITING
        outcome, replayed = str(row.outcome if waits else work.outcome), str(row.outcome) if work.again else ""
        fields = [getattr(event, name, None) for name in _PARSED]
        marks[row.pk] = (row.pk, outcome, work.error, replayed, *fields)
    if marks:
        columns = [list(column) for column in zip(*(marks[pk] for pk in sorted(marks)), strict=True)]
        with connection.prepared_cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute(_MARK, [columns[0], timezone.now(), *columns])


def _unpark(works: list[Work]) -> None:
    """Process parked events whose channel was written before they were marked: it did not find them."""
    parked = [work for work in works if work.outcome == InboxEvent.Outcome.PARKED]
    arns = {work.event.channel_arn for work in parked if work.event}
    existing = set(Channel.objects.filter(arn__in=arns).values_list("arn", flat=True)) if arns else set()
    late = [work for work in parked if work.event and work.event.channel_arn in existing]
    if late:
        retries = [Work(work.row, work.event_id, work.again) for work in late]
        _process(retries)
        for work, retry in zip(late, retries, strict=True):
            work.outcome, work.reason = retry.outcome, retry.reason


def process_open(*, retry_failed: bool = False, limit: int | None = None) -> Iterator[Delivery]:
    """Process stored events that are not done, the least tried first, then the oldest; safe beside other workers."""
    rows = InboxEvent.objects.open_or_failed() if retry_failed else InboxEvent.objects.open()
    # By attempts, so that events that fail again and again do not delay the others.
    open_keys, parked_keys = (
        events.order_by("attempts", "id").values_list("attempts", "id")[:limit]
        for events in (rows, InboxEvent.objects.parked_with_channel())
    )
    keys = open_keys.union(parked_keys, all=True).order_by("attempts", "id")[:limit]
    yield from _process_stored([key for _, key in keys])


def process_parked(arn: str) -> list[Delivery]:
    """Process the events that waited for a channel, which is in the database now."""
    parked = InboxEvent.objects.filter(outcome=InboxEvent.Outcome.PARKED, channel_arn=arn)
    return list(_process_stored(parked.order_by("pk").values_list("pk", flat=True)))


def _process_stored(keys: Iterable[int]) -> Iterator[Delivery]:
    for batch in chunks_of(list(keys), BATCH):
        rows = InboxEvent.objects.in_bulk(batch)
        yield from process([rows[key] for key in batch if key in rows])


def inbox_measure() -> None:
    """Write the metrics of the inbox: the number of open or failed events, the age of the oldest; parked ones apart."""
    found: dict[str, Any] = InboxEvent.objects.open_or_failed().aggregate(open=Count("pk"), oldest=Min("received_at"))
    parked = InboxEvent.objects.filter(outcome=InboxEvent.Outcome.PARKED).count()
    age = (timezone.now() - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    inbox_measured(open_events=found["open"], parked=parked, oldest_open_seconds=age)
