"""Metrics of the inbox, for the alarms."""

from typing import Any

from django.db.models import Count, Min
from django.utils import timezone

from channels_app.metrics import inbox_measured
from channels_app.models import InboxEvent


def inbox_measure() -> None:
    """Measure how many events are open or failed, the age of the oldest of these, and how many are parked.

    Parked events count apart: their channel may be that of another service.
    """
    found: dict[str, Any] = InboxEvent.objects.open_or_failed().aggregate(open=Count("pk"), oldest=Min("received_at"))
    parked = InboxEvent.objects.filter(outcome=InboxEvent.Outcome.PARKED).count()
    oldest = found["oldest"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    inbox_measured(open_events=found["open"], parked=parked, oldest_open_seconds=age)
