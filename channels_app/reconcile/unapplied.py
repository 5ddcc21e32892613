"""Events that an earlier run made and could not apply, or whose live-state file it could not write."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from channels_app.batches import rows_of
from channels_app.events import RECONCILED_ID
from channels_app.models import Channel, InboxEvent
from channels_app.reconcile.differences import Difference, Kind, Scope, Step
from channels_app.reconcile.repairing import event_send_again

_UNDONE = (InboxEvent.Outcome.RECEIVED, InboxEvent.Outcome.FAILED)


def events_unapplied(scope: Scope, position: Any) -> Iterator[Step]:
    """Nothing else would try them again: the tables may say already what they tell."""
    rows = InboxEvent.objects.filter(event_id__startswith=RECONCILED_ID, outcome__in=_UNDONE)
    if scope.channel:
        rows = rows.filter(channel_arn=scope.channel.arn)
    for row in rows_of(rows):
        yield Step([_difference(row)])


def _difference(row: InboxEvent) -> Difference:
    return Difference(
        Kind.EVENT_UNAPPLIED,
        f"process the event {row.event_id} again",
        Channel.objects.by_arn(row.channel_arn),
        row.channel_arn,
        place={"stream_id": row.stream_id},
        database={"event_id": row.event_id, "name": row.name, "outcome": row.outcome, "error": row.error},
        repair=partial(event_send_again, row),
    )
