"""Repairs by events: they pass through the inbox like all events, so that they are stored and applied once."""

import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from channels_app.envelopes import RECONCILED_ID
from channels_app.events.inbox import DUPLICATE, Delivery, ingest, process
from channels_app.models import Channel, InboxEvent
from channels_app.reconcile.differences import Difference, DifferenceKind, Scope, Step
from common.sql.rows import rows_of

# A deferred recording is in the catalogue, and `process_inbox` completes it when S3 has its metadata.
_DONE = {InboxEvent.Outcome.APPLIED, InboxEvent.Outcome.DEFERRED, DUPLICATE}
_UNAPPLIED = (InboxEvent.Outcome.RECEIVED, InboxEvent.Outcome.FAILED)


class NotRepairedError(Exception):
    """An event was not applied; the message says why."""


def events_send(envelopes: Iterable[dict[str, Any]]) -> None:
    """Bring events of `channels_app.events.synthetic` to the inbox; raise NotRepairedError if one is not applied."""
    deliveries = list(ingest([json.dumps(envelope) for envelope in envelopes]))
    # They were applied before, and the rows that they wrote were removed since.
    repeated = [delivery.event_id for delivery in deliveries if delivery.outcome == DUPLICATE]
    rows = list(InboxEvent.objects.filter(event_id__in=repeated).order_by("pk")) if repeated else []
    _refuse_unapplied([each for each in deliveries if each.outcome != DUPLICATE] + process(rows, again=True))


def _refuse_unapplied(deliveries: Iterable[Delivery]) -> None:
    unapplied = [delivery for delivery in deliveries if delivery.outcome not in _DONE]
    if unapplied:
        raise NotRepairedError("; ".join(f"event {each.event_id}: {each.outcome} {each.reason}" for each in unapplied))


def events_unapplied(scope: Scope, position: Any) -> Iterator[Step]:
    """Yield the events of earlier runs that were not applied, or whose live-state file could not be written.

    No other phase retries them: the tables may already hold what they say.
    """
    rows = InboxEvent.objects.filter(event_id__startswith=RECONCILED_ID, outcome__in=_UNAPPLIED)
    if scope.channel:
        rows = rows.filter(channel_arn=scope.channel.arn)
    for row in rows_of(rows):
        difference = Difference(
            DifferenceKind.EVENT_UNAPPLIED,
            f"process the event {row.event_id} again",
            Channel.objects.by_arn(row.channel_arn),
            row.channel_arn,
            place={"stream_id": row.stream_id},
            database={"event_id": row.event_id, "name": row.name, "outcome": row.outcome, "error": row.error},
            repair=partial(_process_again, row),
        )
        yield Step([difference])


def _process_again(row: InboxEvent) -> None:
    _refuse_unapplied(process([row]))
