"""How long the inbox keeps an event that nobody waits for any more."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Count

from channels_app.models import InboxEvent, InboxEventQuerySet

# What is tried again, or waits for a person, is never removed; but for what waits for a channel that never came, as
# the channels of another stage in the account never do.
REMOVED = (
    InboxEvent.Outcome.APPLIED,
    InboxEvent.Outcome.IGNORED,
    InboxEvent.Outcome.REFUSED,
    InboxEvent.Outcome.PARKED,
)
NOTHING = {outcome.value: 0 for outcome in REMOVED}
BATCH = 1000
_FIRST_KEY = (datetime.min.replace(tzinfo=UTC), 0)


def inbox_prunable(*, received_before: datetime) -> dict[str, int]:
    """How many events of each outcome `inbox_prune` would remove."""
    counted = _old(received_before).values("outcome").annotate(events=Count("pk")).values_list("outcome", "events")
    return NOTHING | dict(counted)


def inbox_prune(*, received_before: datetime) -> dict[str, int]:
    """Remove the events that are done and were received before, in committed batches; returns how many by outcome.

    What they changed stays, and they change nothing should they come again: what an event writes, it writes by its id
    or by its time. Those that somebody holds at the moment are left to the next run.
    """
    removed = Counter(NOTHING)
    for outcomes in _batches(received_before):
        removed.update(outcomes)
    return dict(removed)


def _batches(received_before: datetime) -> Iterator[list[str]]:
    """The outcomes of the events that each batch removed."""
    last = _FIRST_KEY
    while True:
        with transaction.atomic():
            batch = _batch(received_before, last)
            InboxEvent.objects.filter(pk__in=[pk for _, pk, _ in batch]).delete()
        if not batch:
            return
        *_, (received_at, pk, _) = batch
        last = (received_at, pk)
        yield [outcome for _, _, outcome in batch]


def _batch(received_before: datetime, last: tuple[datetime, int]) -> list[tuple[datetime, int, str]]:
    received_at, pk = last
    events = _old(received_before).filter(received_at__gte=received_at).exclude(received_at=received_at, pk__lte=pk)
    locked = events.select_for_update(skip_locked=True).order_by("received_at", "pk")
    return list(locked.values_list("received_at", "pk", "outcome")[:BATCH])


def _old(received_before: datetime) -> InboxEventQuerySet:
    return InboxEvent.objects.filter(outcome__in=REMOVED, received_at__lt=received_before)
