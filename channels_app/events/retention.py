"""Retention of the inbox: events that are done are removed after some time."""

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import Count

from channels_app.models import InboxEvent, InboxEventQuerySet
from ivsvod.rest.ordering import rows_after

# Events that are tried again, or wait for a person, are never removed. Parked ones are: their channel may never come,
# as those of another stage in the account never do.
REMOVED = (
    InboxEvent.Outcome.APPLIED,
    InboxEvent.Outcome.IGNORED,
    InboxEvent.Outcome.REFUSED,
    InboxEvent.Outcome.PARKED,
)
NOTHING = {outcome.value: 0 for outcome in REMOVED}
BATCH = 1000


def inbox_prunable(*, received_before: datetime) -> dict[str, int]:
    """Return how many events of each outcome `inbox_prune` would remove."""
    counted = _old(received_before).values("outcome").annotate(events=Count("pk")).values_list("outcome", "events")
    return NOTHING | dict(counted)


def inbox_prune(*, received_before: datetime) -> dict[str, int]:
    """Remove the events that are done and were received before, in committed batches; return their number by outcome.

    Their changes stay, and they change nothing if they come again: an event writes by its id or by its time. Events
    that are locked at the moment are left to the next run.
    """
    removed = Counter(NOTHING)
    old = _old(received_before).order_by("received_at", "pk")
    rows = old
    while True:
        with transaction.atomic():
            batch = list(rows.select_for_update(skip_locked=True).values("received_at", "pk", "outcome")[:BATCH])
            InboxEvent.objects.filter(pk__in=[row["pk"] for row in batch]).delete()
        if not batch:
            return dict(removed)
        removed.update(row["outcome"] for row in batch)
        rows = rows_after(old, batch[-1])


def _old(received_before: datetime) -> InboxEventQuerySet:
    return InboxEvent.objects.filter(outcome__in=REMOVED, received_at__lt=received_before)
