"""Retention of the inbox: remove old events that are done."""

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import Count

from channels_app.models import InboxEvent, InboxEventQuerySet
from common.rest.ordering import rows_after

_Outcome = InboxEvent.Outcome
# Open and failed events are never removed. Parked ones are: their channel may be of another stage in the account.
REMOVED = (_Outcome.APPLIED, _Outcome.IGNORED, _Outcome.REFUSED, _Outcome.PARKED)
NOTHING = {outcome.value: 0 for outcome in REMOVED}
BATCH = 1000


def inbox_prunable(*, received_before: datetime) -> dict[str, int]:
    """Return how many events of each outcome `inbox_prune` would remove."""
    counted = _old(received_before).values("outcome").annotate(events=Count("pk")).values_list("outcome", "events")
    return NOTHING | dict(counted)


def inbox_prune(*, received_before: datetime) -> dict[str, int]:
    """Remove old events that are done, in committed batches, without locked ones; return their number by outcome."""
    removed = Counter(NOTHING)
    rows = old = _old(received_before).order_by("received_at", "pk")
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
