"""The road of every event: stored as it came and committed, then decided and written, then published, then marked.

IVS delivers by best effort: an event can come twice, late, out of order or never, and a process can die between any
two steps. So each step can be run again: what is stored stays, and what is written is the same the second time.
https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from channels_app.audit import Actor, Way, acting, telling_actor
from channels_app.batches import chunks_of
from channels_app.envelopes import Envelope, is_cut, is_same_document
from channels_app.events import Event, MalformedEventError, load_json, parse
from channels_app.livestate import LiveState
from channels_app.metrics import events_measured
from channels_app.models import Channel, InboxEvent
from channels_app.publishing import live_state_publish
from channels_app.reducers import Applied, moves_live_state

logger = logging.getLogger(__name__)

DUPLICATE = "duplicate"
# As many as SQS hands over at once: each batch is stored by one statement, marked by one, and published once a channel.
BATCH = 10
_TOO_LARGE = "the body is larger than 256 KB"
_RETRIES_ENDED = f"not tried again after {InboxEvent.DEFERRED_FOR // timedelta(hours=1)} hours"
_DONE = (InboxEvent.Outcome.APPLIED, InboxEvent.Outcome.IGNORED)
# A different envelope with the same id is stored beside one of these.
_REPLACEABLE = (InboxEvent.Outcome.RECEIVED, InboxEvent.Outcome.REFUSED, InboxEvent.Outcome.IGNORED)
_WAITING = (InboxEvent.Outcome.PARKED, InboxEvent.Outcome.DEFERRED)
_LONGEST_REASON = 2000
# Where S3 is slow a batch is settled in parts, so many seconds each: Lambda may end before the whole of it is done.
_SLOW = 5.0


class Reducer(Protocol):
    """What one detail-type means."""

    def prepare(self, event: Event) -> Any:
        """Facts from outside the database, before the transaction; bounded in time and size."""

    def apply(self, event: Event, channel: Channel, prepared: Any) -> Applied:
        """Decide and write, inside the transaction that holds the channel's lock. Running it again changes nothing."""


@dataclass(frozen=True)
class Delivery:
    """What became of one delivered item, and why not, where it failed; `event_id` is None where it carries none."""

    event_id: str | None
    outcome: str
    reason: str = ""

    @property
    def must_come_again(self) -> bool:
        """Whether the queue must keep the item: to be retried, or to end in the dead-letter queue."""
        return self.outcome in {InboxEvent.Outcome.FAILED, InboxEvent.Outcome.REFUSED}


@dataclass
class Work:
    """One event on its way. `publishes` is the channel whose live state it may have moved.

    `again`: the row was read to be taken once more, and is marked whatever it was.
    """

    row: InboxEvent
    again: bool = False
    event: Event | None = None
    reducer: Reducer | None = None
    prepared: Any = None
    outcome: str = ""
    reason: str = ""
    publishes: UUID | None = None
    live_state: LiveState | None = None

    @property
    def is_news(self) -> bool:
        """Whether the row is to be marked."""
        return self.outcome != DUPLICATE

    @property
    def moves_legacy_file(self) -> bool:
        """Whether the predecessor would write its single file; what was applied long ago does not move that again."""
        is_old = self.again and self.row.outcome == InboxEvent.Outcome.APPLIED
        return self.event is not None and moves_live_state(self.event) and not is_old

    @property
    def is_overdue(self) -> bool:
        """Whether it has waited too long to be deferred again."""
        return self.row.received_at < timezone.now() - InboxEvent.DEFERRED_FOR

    @property
    def lag(self) -> float | None:
        """How many seconds after its time it was received; None where it is no news, or was found out later."""
        if self.event is None or self.event.is_reconciled or self.again or not self.is_news:
            return None
        return (self.row.received_at - self.event.time).total_seconds()

    @property
    def error(self) -> str:
        """The reason as the row keeps it."""
        return Envelope.of(self.reason).text[:_LONGEST_REASON]

    def end(self, outcome: str, reason: str = "") -> None:
        """Say what became of it. What was applied stays so where nothing depends on it now: what it wrote is there."""
        is_forgotten = outcome == InboxEvent.Outcome.IGNORED and self.row.outcome == InboxEvent.Outcome.APPLIED
        self.outcome, self.reason = (self.row.outcome if is_forgotten else outcome), reason

    def fail(self, error: Exception) -> None:
        """Keep the error; the event comes again."""
        logger.error("event failed event_id=%s", self.row.event_id, exc_info=error)
        self.outcome, self.reason = InboxEvent.Outcome.FAILED, f"{type(error).__name__}: {error}"

    def delivery(self, event_id: str | None) -> Delivery:
        """What is told of it."""
        logger.info("event processed event_id=%s outcome=%s", self.row.event_id, self.outcome)
        return Delivery(event_id, self.outcome, self.reason)


def ingest(bodies: Iterable[str]) -> Iterator[Delivery]:
    """Store and process envelopes, some at a time; what fails says so. Only a database that is away raises."""
    for batch in chunks_of(bodies, BATCH):
        stored = receive(batch)
        works = _process([row for row, _ in stored])
        yield from (work.delivery(event_id) for work, (_, event_id) in zip(works, stored, strict=True))


def receive(bodies: list[str]) -> list[tuple[InboxEvent, str | None]]:
    """Store envelopes and commit; returns the row of each, and the id that it carries.

    The key of a row is the id of its event. It is the SHA-256 of the text if the envelope carries no usable id, or if
    the row of its id holds another envelope that is no event for us. An envelope that is too large is cut.
    """
    envelopes = [Envelope.of(body) for body in bodies]
    rows = _store({envelope.key: envelope.text for envelope in envelopes})
    others = {envelope.digest: envelope.text for envelope in envelopes if _is_another(rows[envelope.key], envelope)}
    digested = _store(others) if others else {}
    return [(digested.get(envelope.digest) or rows[envelope.key], envelope.event_id) for envelope in envelopes]


def _is_another(row: InboxEvent, envelope: Envelope) -> bool:
    """Return whether the stored envelope differs and was not applied."""
    return row.outcome in _REPLACEABLE and not is_same_document(row.body, envelope.text)


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
    """The rows by their keys, those that were there and those that are made, by one statement."""
    # In one order everywhere, so that two who store the same events do not wait for each other in a circle.
    keys = sorted(texts)
    found = InboxEvent.objects.raw(_STORE, [timezone.now(), keys, [texts[key] for key in keys], keys])
    rows = {row.event_id: row for row in found}
    # What another worker stored at the same moment, this statement neither made nor saw.
    unseen = [key for key in keys if key not in rows]
    rows |= {row.event_id: row for row in InboxEvent.objects.filter(event_id__in=unseen)} if unseen else {}
    return rows


def process(rows: list[InboxEvent], *, again: bool = False) -> list[Delivery]:
    """Bring stored events to their end; with `again` those too that are done."""
    return [work.delivery(work.row.event_id) for work in _process(rows, again=again)]


def _process(rows: list[InboxEvent], *, again: bool = False) -> list[Work]:
    works: list[Work] = []
    settled, settled_at = 0, monotonic()
    before = {row.pk: row.outcome for row in rows if row.outcome in _DONE and not again}
    for row in rows:
        work = Work(row, again)
        _bring(work, before.get(row.pk))
        if work.outcome in _DONE:
            before[row.pk] = work.outcome
        works.append(work)
        if monotonic() - settled_at > _SLOW:
            _settle(works[settled:])
            settled, settled_at = len(works), monotonic()
    _settle(works[settled:])
    return works


def _settle(works: list[Work]) -> None:
    """Publish, then mark: a crash before the end leaves the events open, and they are applied and published again."""
    _publish(works)
    _mark([work for work in works if work.is_news])
    _unpark(works)
    events_measured([work.outcome for work in works], [work.lag for work in works if work.lag is not None])


def _bring(work: Work, done: str | None) -> None:
    """Decide and write one event, or repeat one that is done."""
    with errors_kept(work):
        event = work_parse(work)
        if done:
            _repeat(work, event, done)
        else:
            _apply(work, event)


@contextmanager
def errors_kept(work: Work) -> Iterator[None]:
    """What goes wrong with an event stays with it."""
    try:
        yield
    except MalformedEventError as error:
        work.outcome = InboxEvent.Outcome.REFUSED
        work.reason = _TOO_LARGE if is_cut(key=work.row.event_id, text=work.row.body) else str(error)
    except Exception as error:
        work.fail(error)
        _connect_again()


def work_parse(work: Work) -> Event:
    """The event, which the work keeps.

    Raises:
        MalformedEventError: IVS could not have sent it.
    """
    work.event = parse(load_json(work.row.body), received_at=work.row.received_at)
    return work.event


def _connect_again() -> None:
    """A connection that died under one event must not fail its neighbours."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def _repeat(work: Work, event: Event, done: str) -> None:
    """The live-state file is written on every delivery, so that a retry repairs it."""
    work.outcome = DUPLICATE
    channel = Channel.objects.by_arn(event.channel_arn) if done == InboxEvent.Outcome.APPLIED else None
    if channel is not None:
        work.publishes = channel.pk


def _apply(work: Work, event: Event) -> None:
    work_prepare(work, event)
    work_write(work, event)


def work_prepare(work: Work, event: Event) -> None:
    """Find who knows what it means, and fetch what that needs from outside the database; outside any transaction."""
    path = settings.EVENT_REDUCERS.get(event.detail_type) if event.channel_arn else None
    if path is None:
        # Nothing here depends on it.
        work.end(InboxEvent.Outcome.IGNORED)
    elif work.row.outcome == InboxEvent.Outcome.PARKED and Channel.objects.by_arn(event.channel_arn) is None:
        # Nothing is asked of S3 for one that waits still.
        work.end(InboxEvent.Outcome.PARKED)
    else:
        work.reducer = import_string(path)()
        work.prepared = work.reducer.prepare(event)


def work_write(work: Work, event: Event) -> None:
    """Decide and write one that is prepared; one that has come to its end already is left alone."""
    if work.reducer is None:
        return
    with acting(Actor(Way.EVENT, event.name, operation=event.id)), transaction.atomic():
        # The channel, then the rest: every worker takes its locks in this order.
        channel = telling_actor(Channel.objects.locked()).by_arn(event.channel_arn)
        if channel is None:
            work.end(InboxEvent.Outcome.PARKED)
            return
        applied = work.reducer.apply(event, channel, work.prepared)
    if applied.outcome == InboxEvent.Outcome.DEFERRED and work.is_overdue:
        work.end(applied.given_up_as, f"{_RETRIES_ENDED}: {applied.reason}")
    else:
        work.end(applied.outcome, applied.reason)
    if applied.live_state is not None:
        work.publishes, work.live_state = channel.pk, applied.live_state


def _publish(works: list[Work]) -> None:
    """Tell the outside, once a channel; where that fails the events of the channel come again."""
    for channel_uuid in dict.fromkeys(work.publishes for work in works if work.publishes):
        told = [work for work in works if work.publishes == channel_uuid]
        legacy = any(work.moves_legacy_file for work in told)
        try:
            live_state_publish(channel_uuid=channel_uuid, state=told[-1].live_state, legacy=legacy)
        except Exception as error:
            # S3 is away, or the state went on changing; whatever it is, the other channels are published.
            for work in told:
                work.fail(error)


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
    """Write what became of the events, by one statement; who is done stays so, but for what it was replayed from."""
    if not works:
        return
    marks = {work.row.pk: _marked(work) for work in works}
    columns = [list(column) for column in zip(*(marks[pk] for pk in sorted(marks)), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [columns[0], timezone.now(), *columns])


def _marked(work: Work) -> tuple[Any, ...]:
    event, replayed = work.event, work.row.outcome if work.again else ""
    # The queue has forgotten one that waits here: it goes on waiting, for the next `process_inbox`.
    waits = work.outcome == InboxEvent.Outcome.FAILED and work.row.outcome in _WAITING
    told = (work.row.pk, str(work.row.outcome if waits else work.outcome), work.error, str(replayed))
    if event is None:
        return (*told, None, None, None, None, None)
    return (*told, event.detail_type, event.name, event.time, event.channel_arn, event.stream_id)


def _unpark(works: list[Work]) -> None:
    """A channel that appeared since an event was parked has looked for its events already, and not found this one."""
    parked = [work for work in works if work.outcome == InboxEvent.Outcome.PARKED and work.event]
    arns = {work.event.channel_arn for work in parked if work.event}
    appeared = set(Channel.objects.filter(arn__in=arns).values_list("arn", flat=True)) if arns else set()
    late = [work for work in parked if work.event and work.event.channel_arn in appeared]
    if late:
        for work, done in zip(late, _process([work.row for work in late], again=late[0].again), strict=True):
            work.outcome, work.reason = done.outcome, done.reason


def process_open(*, retry_failed: bool = False, limit: int | None = None) -> Iterator[Delivery]:
    """Process stored events that are not done, the least tried first, then the oldest; safe beside other workers.

    A parked event is taken only when its channel is in the database. Other parked events are not read.
    """
    rows = InboxEvent.objects.open_or_failed() if retry_failed else InboxEvent.objects.open()
    # What fails again and again must not keep the others from their turn.
    turns, returned = (
        events.order_by("attempts", "id").values_list("attempts", "id")[:limit]
        for events in (rows, InboxEvent.objects.parked_with_channel())
    )
    yield from _process_stored([key for _, key in turns.union(returned, all=True).order_by("attempts", "id")[:limit]])


def process_parked(arn: str) -> list[Delivery]:
    """Process the events that waited for a channel which is in the database now."""
    return list(_process_stored(InboxEvent.objects.parked_for(arn).order_by("pk").values_list("pk", flat=True)))


def _process_stored(keys: Iterable[int]) -> Iterator[Delivery]:
    for batch in chunks_of(list(keys), BATCH):
        rows = InboxEvent.objects.in_bulk(batch)
        yield from process([rows[key] for key in batch if key in rows])
