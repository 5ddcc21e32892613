"""Event handlers, one for each detail-type: write tables and return what to publish. Here the handler of streams."""

import json
from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

from django.db import connection

from channels_app.envelopes import RECORDING_STATE, STREAM_END, STREAM_START, Event
from channels_app.models import Channel, InboxEvent
from channels_app.models.live_state import LiveState
from channels_app.streams.history import KINDS, history_detail
from channels_app.streams.live_state_file import LiveStateFile

_RECORD_EVENT = "SELECT * FROM ivsvod_record_event(%s, %s, %s, %s, %s, %s::jsonb, %s::jsonb)"


class Publication(Protocol):
    """Something outside of the database to write after commit, once for all events with the same `key`."""

    @property
    def key(self) -> Hashable:
        """Identify the target of the write."""

    def followed_by(self, later: Self) -> Self:
        """Return the publication that replaces both."""

    def publish(self) -> None:
        """Write it; any error makes the events come again."""


@dataclass(frozen=True)
class Result:
    """Outcome of a handler; `ignored` if nothing was written. `try_again`: a fact is missing, as `reason` says."""

    outcome: InboxEvent.Outcome
    reason: str = ""
    try_again: bool = False
    publication: Publication | None = None


class EventHandler(ABC):
    """Base of the handlers; `settings.EVENT_HANDLERS` names one for each detail-type."""

    def prepare(self, event: Event) -> Any:
        """Return facts from outside the database, bounded in time and size; called outside any transaction."""
        return None

    @abstractmethod
    def apply(self, event: Event, channel: Channel, facts: Any) -> Result:
        """Decide and write, in the transaction that holds the channel's lock. A second run changes nothing."""

    def publish_again(self, event: Event) -> Publication | None:
        """Return the publication of a retry of an applied event: the live-state file, which it repairs."""
        channel = Channel.objects.by_arn(event.channel_arn)
        return LiveStateFile(channel.pk) if channel is not None else None


class StreamEventHandler(EventHandler):
    """State, health and exceeded limits of a stream.

    Stream Start and Stream End change the live state; any other event may be the first of a stream, which decides its
    order. Session Ended comes before Stream End, while IVS drains video, and ends nothing.
    """

    def apply(self, event: Event, channel: Channel, facts: None) -> Result:
        if not event.is_known or not event.stream_id:
            return Result(InboxEvent.Outcome.IGNORED)
        return Result(InboxEvent.Outcome.APPLIED, publication=stream_record(channel=channel, event=event))


def stream_record(*, channel: Channel, event: Event) -> LiveStateFile | None:
    """Record an event of any kind in its stream; return the live-state file if it may be out of date.

    The transaction must hold the channel's lock. The merge is in SQL, because the predecessor's rows need it too: the
    earliest start and end count, and a real event outranks a reconciled one.
    """
    history = json.dumps(history_detail(event)) if event.name in KINDS else None
    with connection.prepared_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(
            _RECORD_EVENT,
            [channel.pk, event.stream_id, event.time, event.name, event.id, json.dumps(dict(event.detail)), history],
        )
        row: tuple[str | None, str, datetime | None, bool] | None = cursor.fetchone()
    assert row is not None  # noqa: S101  (a function returns one row)
    stream_id, state, since, by_first_event = row
    # A recording event changes the live state only if its stream has an end and no start: then it may order the stream.
    if stream_id is None or (event.detail_type == RECORDING_STATE and not by_first_event):
        return None
    # The predecessor wrote its single file at these two.
    legacy = event.name in {STREAM_START, STREAM_END}
    return LiveStateFile(channel.pk, LiveState(stream_id, state, since), legacy=legacy)
