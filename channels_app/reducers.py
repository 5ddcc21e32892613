"""What the events of a stream mean: what is written of them, and what is published."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from channels_app.events import STREAM_STATE, Event
from channels_app.history import KINDS, history_detail
from channels_app.livestate import LiveState
from channels_app.models import Channel, InboxEvent

STREAM_START = "Stream Start"
STREAM_END = "Stream End"

_HEAR = "SELECT * FROM ivsvod_hear_event(%s, %s, %s, %s, %s, %s::jsonb, %s::jsonb)"


@dataclass(frozen=True)
class Applied:
    """The outcome of an event; `reason` if it is deferred or incomplete.

    `live_state` is set if it is to be published. A deferred event becomes `given_up_as` when its retries end.
    """

    outcome: InboxEvent.Outcome
    reason: str = ""
    live_state: LiveState | None = None
    given_up_as: InboxEvent.Outcome = InboxEvent.Outcome.APPLIED


@dataclass(frozen=True)
class Heard:
    """The channel after an event: its live state (None: it never streamed), and whether any event can have moved it.

    So it is where the stream has an end and no start: its first event says when it was.
    """

    live_state: LiveState | None
    by_first_event: bool


class StreamReducer:
    """Events that tell of a stream: its state, its health, and limits that it exceeded.

    Stream Start and Stream End move the live state; any other may be the first of a stream, which puts it before
    another. Session Ended comes before Stream End, while IVS drains video, and ends nothing.
    """

    def prepare(self, event: Event) -> None:
        """Nothing is needed from outside."""

    def apply(self, event: Event, channel: Channel, prepared: None) -> Applied:
        """Note the stream that the event tells of, and what it tells."""
        if not event.is_known or not event.stream_id:
            return Applied(InboxEvent.Outcome.IGNORED)
        heard = stream_hear(channel=channel, event=event)
        return Applied(InboxEvent.Outcome.APPLIED, live_state=heard.live_state)


def moves_live_state(event: Event) -> bool:
    """Whether it is a start or an end, at each of which the predecessor wrote its file."""
    return event.detail_type == STREAM_STATE and event.name in {STREAM_START, STREAM_END}


def stream_hear(*, channel: Channel, event: Event) -> Heard:
    """Note what an event of any kind tells of its stream, and return the channel as it is then.

    Inside the transaction that holds the channel's lock. The merge is SQL, for the predecessor's rows go through it as
    well: the earliest start and end count, and a real event before one that `reconcile` made.
    """
    history = json.dumps(history_detail(event)) if event.name in KINDS else None
    with connection.cursor() as cursor:
        cursor.execute(
            _HEAR,
            [channel.pk, event.stream_id, event.time, event.name, event.id, json.dumps(dict(event.detail)), history],
        )
        row: tuple[Any, ...] | None = cursor.fetchone()
    assert row is not None  # noqa: S101  (a function returns one row)
    return _heard(channel, *row)


def _heard(
    channel: Channel,
    stream_id: str | None,
    started_at: datetime | None,
    ended_at: datetime | None,
    by_first_event: bool,
) -> Heard:
    state = LiveState.of(
        stream_id=stream_id,
        started_at=started_at,
        ended_at=ended_at,
        created_at=channel.created_at,
        is_deleted=channel.status == Channel.Status.DELETED,
    )
    return Heard(state if stream_id else None, by_first_event)
