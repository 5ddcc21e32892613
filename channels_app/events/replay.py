"""Replay: process stored events again: those that failed, wait or were ignored, and on request those that are done."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.db.models import QuerySet

from channels_app.events.inbox import BATCH, Delivery, process
from channels_app.models import InboxEvent, InboxEventQuerySet
from channels_app.sql.batches import chunks_of, rows_of

_Outcome = InboxEvent.Outcome
# Replayed by default: waiting or failed events, and those without a handler.
OUTCOMES = (_Outcome.FAILED, _Outcome.PARKED, _Outcome.IGNORED, _Outcome.DEFERRED)


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
    for rows in in_batches(events, size=BATCH, limit=limit):
        yield process(rows, again=True)


def in_batches(events: QuerySet[InboxEvent], *, size: int, limit: int | None = None) -> Iterator[list[InboxEvent]]:
    """Iterate over at most `limit` of the events in batches, in the order in which they were stored."""
    return chunks_of(islice(rows_of(events), limit), size)
