"""How the inbox is, for the alarms."""

from typing import Any

from django.db.models import Count, Min, Q
from django.utils import timezone

from channels_app.metrics import inbox_measured
from channels_app.models import InboxEvent


def inbox_measure() -> None:
    """Tell how many events are open or failed, how many of all wait for their channel, and how old the oldest is.

    What waits for its channel is no trouble: it may be that of another service.
    """
    parked = Q(outcome=InboxEvent.Outcome.PARKED)
    found: dict[str, Any] = InboxEvent.objects.open_or_failed().aggregate(
        parked=Count("pk", filter=parked),
        open=Count("pk", filter=~parked),
        oldest=Min("received_at", filter=~parked),
    )
    oldest = found["oldest"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    inbox_measured(open_events=found["open"], parked=found["parked"], oldest_open_seconds=age)
