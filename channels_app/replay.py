"""Stored events go down the road of every event again: what failed or waits, and what the reducers of then ignored.

What is done may go again as well: each step of the road can be run again, so a reducer that was improved writes the
stored history into the same tables.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.db.models import QuerySet

from channels_app.batches import chunks_of, rows_of
from channels_app.inbox import BATCH, Delivery, process
from channels_app.models import InboxEvent, InboxEventQuerySet

# What is worth another try by itself: those that are open or failed, and what nothing here depended on.
OUTCOMES = (
    InboxEvent.Outcome.FAILED,
    InboxEvent.Outcome.PARKED,
    InboxEvent.Outcome.IGNORED,
    InboxEvent.Outcome.DEFERRED,
)


def events_chosen(
    *, outcomes: Iterable[str], channel_arn: str | None = None, since: datetime | None = None
) -> InboxEventQuerySet:
    """The stored events of these outcomes; of one channel, and those received since, where these are given.

    What comes from now on is not among them, so that a replay ends.
    """
    newest = InboxEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    events = InboxEvent.objects.filter(outcome__in=list(outcomes), pk__lte=newest)
    if channel_arn is not None:
        events = events.filter(channel_arn=channel_arn)
    return events if since is None else events.filter(received_at__gte=since)


def events_replay(events: QuerySet[InboxEvent], *, limit: int | None = None) -> Iterator[list[Delivery]]:
    """Take the events down the road again, the oldest first, at most `limit`; each batch is done when it is told.

    Safe beside other workers: an event that one of them brings to its end meanwhile stays as that one left it.
    """
    for rows in in_batches(events, size=BATCH, limit=limit):
        yield process(rows, again=True)


def in_batches(events: QuerySet[InboxEvent], *, size: int, limit: int | None = None) -> Iterator[list[InboxEvent]]:
    """At most `limit` of the events, so many at a time, in the order in which they were stored."""
    return chunks_of(islice(rows_of(events), limit), size)
