"""The road of every event: stored as it came and committed, then decided and written, then published.

IVS delivers by best effort: an event can come twice, late, out of order or never, and a process can die between any
two steps. So each step can be run again: what is stored stays, and what is written is the same the second time.
https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.module_loading import import_string

from channels_app.events import Event, MalformedEventError, event_id_of, load_json, parse
from channels_app.models import Channel, InboxEvent

logger = logging.getLogger(__name__)

DUPLICATE = "duplicate"
_DONE = (InboxEvent.Outcome.APPLIED, InboxEvent.Outcome.IGNORED)


class Reducer(Protocol):
    """What one detail-type means."""

    def prepare(self, event: Event) -> Any:
        """Facts from outside the database, before the transaction; bounded in time and size."""

    def apply(self, event: Event, channel: Channel, prepared: Any) -> tuple[InboxEvent.Outcome, str]:
        """Decide and write, inside the transaction that holds the channel's lock. Running it again changes nothing.

        Returns the outcome, and why the event is deferred where it is.
        """

    def publish(self, event: Event, channel_uuid: UUID) -> None:
        """Tell the outside, after the commit."""


@dataclass(frozen=True)
class Delivery:
    """What became of one delivered item; `event_id` is None where the envelope has none."""

    event_id: str | None
    outcome: str

    @property
    def must_come_again(self) -> bool:
        """Whether the queue must keep the item: to be retried, or to end in the dead-letter queue."""
        return self.outcome in {InboxEvent.Outcome.FAILED, InboxEvent.Outcome.REFUSED}


def ingest(bodies: Iterable[str]) -> Iterator[Delivery]:
    """Store and process each envelope, one after the other; what fails is in its outcome."""
    for body in bodies:
        row_id, event_id = receive(body)
        yield Delivery(event_id, process(row_id))


def envelope_texts(document: Any) -> list[str]:
    """The envelopes in what a Lambda or a file holds: an SQS batch, a list, or one raw envelope."""
    if isinstance(document, dict) and isinstance(document.get("Records"), list):
        return [_body_of(record) for record in document["Records"]]
    documents = document if isinstance(document, list) else [document]
    return [json.dumps(item) for item in documents]


def _body_of(record: Any) -> str:
    """The body of an SQS record; of anything else its own text, which is refused."""
    body = record.get("body") if isinstance(record, dict) else None
    return body if isinstance(body, str) else json.dumps(record)


def receive(body: str) -> tuple[int, str | None]:
    """Store an envelope and commit; returns the key of its row, and the id that it carries.

    One that carries no usable id is stored by the SHA-256 of its text.
    """
    text = _storable(body)
    try:
        event_id = event_id_of(load_json(text))
    except MalformedEventError:
        event_id = None
    key = event_id or f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    row, _ = InboxEvent.objects.get_or_create(event_id=key, defaults={"body": text})
    return row.pk, event_id


def _storable(body: str) -> str:
    """The text with what PostgreSQL cannot store written as JSON would escape it."""
    return body.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()


def process(row_id: int) -> str:
    """Bring a stored event to its end; returns its outcome, `duplicate` where it was done before.

    An exception rolls the work back and stays on the row. Only a database that is away raises.
    """
    row = InboxEvent.objects.get(pk=row_id)
    try:
        outcome = _process(row)
    except MalformedEventError as error:
        outcome = _set_aside(row, InboxEvent.Outcome.REFUSED, str(error))
    except Exception as error:
        logger.exception("event failed event_id=%s", row.event_id)
        outcome = _set_aside(row, InboxEvent.Outcome.FAILED, f"{type(error).__name__}: {error}")
    logger.info("event processed event_id=%s outcome=%s", row.event_id, outcome)
    return outcome


def _process(row: InboxEvent) -> str:
    event = parse(load_json(row.body), received_at=row.received_at)
    path = settings.EVENT_REDUCERS.get(event.detail_type)
    if path is None or not event.channel_arn:
        return _finish_unread(row, event, InboxEvent.Outcome.IGNORED)
    channel = Channel.objects.by_arn(event.channel_arn)
    if channel is None:
        outcome = _finish_unread(row, event, InboxEvent.Outcome.PARKED)
        # A channel that appeared since has looked for its parked events already, and not found this one.
        return outcome if Channel.objects.by_arn(event.channel_arn) is None else _process(row)
    reducer: Reducer = import_string(path)()
    if row.outcome in _DONE:
        # The live-state file is written on every delivery, so that a retry repairs it.
        reducer.publish(event, channel.uuid)
        return DUPLICATE
    prepared = reducer.prepare(event)
    outcome, reason = _write(row.pk, event, channel.uuid, reducer, prepared)
    reducer.publish(event, channel.uuid)
    # Marked only now: a crash before this line leaves the event open, and it is applied and published again.
    _finish(row.pk, event, outcome, reason)
    return outcome


@transaction.atomic
def _write(
    row_id: int, event: Event, channel_uuid: UUID, reducer: Reducer, prepared: Any
) -> tuple[InboxEvent.Outcome, str]:
    # Inbox row, then channel, then the rest: every worker takes its locks in this order.
    InboxEvent.objects.select_for_update().get(pk=row_id)
    channel = Channel.objects.locked().get(pk=channel_uuid)
    return reducer.apply(event, channel, prepared)


def _finish_unread(row: InboxEvent, event: Event, outcome: InboxEvent.Outcome) -> str:
    if row.outcome in _DONE:
        return DUPLICATE
    _finish(row.pk, event, outcome)
    return outcome


def _finish(row_id: int, event: Event, outcome: InboxEvent.Outcome, reason: str = "") -> None:
    InboxEvent.objects.filter(pk=row_id).exclude(outcome__in=_DONE).update(
        outcome=outcome,
        error=_storable(reason)[:2000],
        attempts=F("attempts") + 1,
        processed_at=timezone.now(),
        detail_type=event.detail_type,
        name=event.name,
        event_time=event.time,
        channel_arn=event.channel_arn,
        stream_id=event.stream_id,
    )


def _set_aside(row: InboxEvent, outcome: InboxEvent.Outcome, error: str) -> str:
    InboxEvent.objects.filter(pk=row.pk).exclude(outcome__in=_DONE).update(
        outcome=outcome, error=_storable(error)[:2000], attempts=F("attempts") + 1, processed_at=timezone.now()
    )
    return outcome


def process_open(*, retry_failed: bool = False, limit: int | None = None) -> Iterator[Delivery]:
    """Process stored events that are not done, the least tried first, then the oldest; safe beside other workers."""
    rows = InboxEvent.objects.open_or_failed() if retry_failed else InboxEvent.objects.open()
    # Those that wait for ever must not keep the others from their turn.
    for row_id, event_id in list(rows.order_by("attempts", "pk").values_list("pk", "event_id")[:limit]):
        yield Delivery(event_id, process(row_id))


def process_parked(arn: str) -> list[Delivery]:
    """Process the events that waited for a channel which is in the database now."""
    rows = InboxEvent.objects.parked_for(arn).order_by("pk").values_list("pk", "event_id")
    return [Delivery(event_id, process(row_id)) for row_id, event_id in list(rows)]
