"""Repairs by events: they take the road of all events, so that they are stored, and once whatever happens."""

import json
from collections.abc import Iterable
from typing import Any

from channels_app.inbox import DUPLICATE, Delivery, ingest, process
from channels_app.models import InboxEvent

# A recording whose facts S3 does not tell yet is in the catalogue all the same, and `process_inbox` completes it.
_DONE = {InboxEvent.Outcome.APPLIED, InboxEvent.Outcome.DEFERRED, DUPLICATE}


class NotRepairedError(Exception):
    """An event was not applied; the message says why."""


def events_send(envelopes: Iterable[dict[str, Any]]) -> None:
    """Bring events of `channels_app.reconciled` to the inbox.

    Raises:
        NotRepairedError: one of them was not applied.
    """
    deliveries = list(ingest([json.dumps(envelope) for envelope in envelopes]))
    # Applied before, and what they wrote was removed since.
    repeated = [delivery.event_id for delivery in deliveries if delivery.outcome == DUPLICATE]
    rows = list(InboxEvent.objects.filter(event_id__in=repeated).order_by("pk")) if repeated else []
    _refuse_undone([each for each in deliveries if each.outcome != DUPLICATE] + process(rows, again=True))


def event_send_again(row: InboxEvent) -> None:
    """Process a stored event.

    Raises:
        NotRepairedError: it was not applied.
    """
    _refuse_undone(process([row]))


def _refuse_undone(deliveries: Iterable[Delivery]) -> None:
    undone = [delivery for delivery in list(deliveries) if delivery.outcome not in _DONE]
    if undone:
        raise NotRepairedError("; ".join(f"event {each.event_id}: {each.outcome} {each.reason}" for each in undone))
