"""Streams against the sessions that IVS remembers: starts, ends and history that never came.

Each stream is asked for once after it ended: then IVS tells nothing more of it.
"""

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.utils import timezone

from channels_app import aws
from channels_app.batches import rows_of
from channels_app.events import STREAM_END, STREAM_START
from channels_app.history import KINDS, HistoryKind
from channels_app.models import Channel, Stream, StreamHistoryEntry
from channels_app.reconcile.asking import ask_unless_missing, pages
from channels_app.reconcile.differences import Difference, Kind, Scope, Step, not_compared
from channels_app.reconcile.elsewhere import elsewhere
from channels_app.reconcile.repairing import events_send
from channels_app.reconciled import recording_envelope, stream_envelope

# What GetStreamSession takes. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetStreamSession.html
_STREAM_ID = re.compile(r"st-[a-zA-Z0-9]{23}", re.ASCII)
_START_FAILURE = "Recording Start Failure"
# A recording may end, or fail, so long after its stream: the window for a reconnect is 5 minutes.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateRecordingConfiguration.html
_SETTLES_AFTER = timedelta(minutes=15)
# Whether IVS tells the fractions of a second that an event leaves out is not documented.
_SAME = timedelta(seconds=1)
# It is found by its place in S3.
_END_FAILURE = "Recording End Failure"
_NEVER_TOLD = {
    "Stream Failure": ("reason",),
    _START_FAILURE: ("recording_status_reason", "recording_session_id"),
    **{name: ("limit_value", "exceeded_by", "limit_unit") for name, kind in KINDS.items() if kind is HistoryKind.LIMIT},
}


@dataclass(frozen=True)
class KnownStream:
    """What the database has of a stream; `history` are names and times."""

    started_at: datetime | None = None
    ended_at: datetime | None = None
    history: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True)
class Missing:
    """What IVS knows of a stream and the database does not."""

    start: aws.IvsEvent | None = None
    end: aws.IvsEvent | None = None
    history: tuple[aws.IvsEvent, ...] = ()


def missing_of(known: KnownStream, session: aws.IvsSession) -> Missing:
    """Compare a stream with its session.

    IVS remembers the newest 500 events: where it has forgotten the start, the start of the session stands in.
    """
    start, end = start_of(session), end_of(session)
    return Missing(
        start=start if known.started_at is None else None,
        end=end if known.ended_at is None else None,
        history=tuple(event for event in session.events if _is_history(event) and not _has(known, event)),
    )


def start_of(session: aws.IvsSession) -> aws.IvsEvent:
    """Its Stream Start."""
    told = (event for event in session.events if event.name == STREAM_START)
    return next(told, aws.IvsEvent(STREAM_START, session.started_at))


def end_of(session: aws.IvsSession) -> aws.IvsEvent | None:
    """Its Stream End; None while it is live."""
    if session.ended_at is None:
        return None
    told = (event for event in session.events if event.name == STREAM_END)
    return next(told, aws.IvsEvent(STREAM_END, session.ended_at))


def _is_history(event: aws.IvsEvent) -> bool:
    return event.name in KINDS and event.name != _END_FAILURE


def _has(known: KnownStream, event: aws.IvsEvent) -> bool:
    return any(name == event.name and abs(at - event.at) < _SAME for name, at in known.history)


def unknown_of(events: Iterable[aws.IvsEvent]) -> tuple[str, ...]:
    """What the events told and IVS does not tell any more."""
    return tuple(sorted({name for event in events for name in _NEVER_TOLD.get(event.name, ())}))


# Finding


def sessions(scope: Scope, position: Any, *, told: Container[str]) -> Iterator[Step]:
    """Every channel, one after the other; deleted ones too, whose sessions IVS keeps for 60 days like the others.

    `told` are the streams of which the phase of live states has told in this run.
    """
    rows = scope.channels().exclude(arn="").filter(status__in=[Channel.Status.READY, Channel.Status.DELETED])
    for channel in rows_of(rows, after=position):
        position = str(channel.uuid)
        if elsewhere(channel.arn):
            # Told where channels are compared.
            continue
        try:
            yield from _of_channel(channel, scope, told=told)
            yield Step(position=position)
        except aws.AwsError as error:
            yield Step([not_compared(error, channel=channel)], position)


def _of_channel(channel: Channel, scope: Scope, *, told: Container[str]) -> Iterator[Step]:
    for page in _pages_of(channel):
        known = {row.stream_id: row for row in _rows(channel, page)}
        for session in page:
            if not scope.takes(session.ended_at):
                # The newest come first.
                return
            row = known.get(session.stream_id)
            if session.stream_id in told:
                continue
            if session.ended_at is None:
                yield Step([*differences_of_live(channel, row, session), *_still_live(channel, row)])
            elif row is None or row.compared_at is None:
                yield from _of_ended(channel, row, session)


def _pages_of(channel: Channel) -> Iterator[list[aws.IvsSession]]:
    """The sessions that IVS remembers; none where it has forgotten the channel."""
    try:
        yield from pages(aws.sessions_page, channel_arn=channel.arn)
    except aws.AwsError as error:
        if error.kind is not aws.Kind.NOT_FOUND:
            raise


def _rows(channel: Channel, page: list[aws.IvsSession]) -> Iterable[Stream]:
    return Stream.objects.filter(channel=channel, stream_id__in=[session.stream_id for session in page])


def _of_ended(channel: Channel, row: Stream | None, session: aws.IvsSession) -> Iterator[Step]:
    asked = session_of(channel_arn=channel.arn, stream_id=session.stream_id)
    if asked is not None:
        yield step_of(channel, row, asked)


def differences_of_live(channel: Channel, row: Stream | None, listed: aws.IvsSession) -> list[Difference]:
    """Of a stream that is live and whose start never came; what else happens to it is compared when it has ended."""
    if row is not None and row.started_at is not None:
        return []
    try:
        asked = session_of(channel_arn=channel.arn, stream_id=listed.stream_id)
    except aws.AwsError:
        # That it is live, and since when, is known without it.
        asked = None
    return differences_of(channel, row, asked or listed)


def session_of(*, channel_arn: str, stream_id: str) -> aws.IvsSession | None:
    """What IVS remembers of a stream; None where it has forgotten it, or never could have named one so.

    Raises:
        AwsError: IVS could not be asked.
    """
    if not _STREAM_ID.fullmatch(stream_id):
        return None
    return ask_unless_missing(aws.session_get, channel_arn=channel_arn, stream_id=stream_id)


def _still_live(channel: Channel, row: Stream | None) -> Iterator[Difference]:
    """A stream that ended here and not there. No event undoes an end; its real end takes the place of a guessed one."""
    if row is None or row.ended_at is None:
        return
    asked = session_of(channel_arn=channel.arn, stream_id=row.stream_id)
    if asked is not None and asked.ended_at is None:
        yield Difference(
            Kind.STREAM_STILL_LIVE,
            "wait for its end in IVS",
            channel,
            place={"stream_id": row.stream_id},
            database={"started_at": row.started_at, "ended_at": row.ended_at},
            ivs={"started_at": asked.started_at, "ended_at": None},
        )


def step_of(channel: Channel, row: Stream | None, session: aws.IvsSession) -> Step:
    """All that differs in a stream that `session_get` told; what is left of it is nothing, once it is mended."""
    settled = partial(_mark_compared, channel, session)
    return Step(differences_of(channel, row, session), once_settled=settled)


def _mark_compared(channel: Channel, session: aws.IvsSession) -> None:
    now = timezone.now()
    if session.ended_at is not None and session.ended_at < now - _SETTLES_AFTER:
        Stream.objects.filter(channel=channel, stream_id=session.stream_id).update(compared_at=now)


def differences_of(channel: Channel, row: Stream | None, session: aws.IvsSession) -> list[Difference]:
    """One of a stream that nobody heard of, else one for the start, the end and the history that are missing."""
    missing = missing_of(_known(row), session)
    start = [missing.start] if missing.start else []
    end = [missing.end] if missing.end else []
    history = [event for event in missing.history if _can_be_told(event, session)]
    told = {
        Kind.STREAM_START_MISSING: start,
        Kind.STREAM_END_MISSING: end,
        Kind.STREAM_HISTORY_MISSING: history,
    }
    if row is None:
        told = {Kind.STREAM_MISSING: sorted([*start, *history, *end], key=lambda event: event.at)}
    return [_difference(kind, channel, row, session, events) for kind, events in told.items() if events]


def _can_be_told(event: aws.IvsEvent, session: aws.IvsSession) -> bool:
    """An event of a recording needs its bucket, which IVS tells as it was when the stream began."""
    return event.name != _START_FAILURE or bool(session.bucket)


def _known(row: Stream | None) -> KnownStream:
    if row is None:
        return KnownStream()
    history = StreamHistoryEntry.objects.filter(stream=row).values_list("name", "at")
    return KnownStream(row.started_at, row.ended_at, tuple(history))


def _difference(
    kind: Kind, channel: Channel, row: Stream | None, session: aws.IvsSession, events: list[aws.IvsEvent]
) -> Difference:
    names = ", ".join(dict.fromkeys(event.name for event in events))
    return Difference(
        kind,
        f"write {names} at the time that IVS tells",
        channel,
        place={"stream_id": session.stream_id},
        database={"started_at": row and row.started_at, "ended_at": row and row.ended_at},
        ivs={
            "started_at": session.started_at,
            "ended_at": session.ended_at,
            "events": [{"name": event.name, "at": event.at} for event in events],
        },
        unknown=unknown_of(events),
        repair=partial(_send, channel, session, events),
    )


def _send(channel: Channel, session: aws.IvsSession, events: list[aws.IvsEvent]) -> None:
    envelopes = {made["id"]: made for made in (_envelope(channel, session, event) for event in events)}
    # Events of one name in one second are one.
    events_send(envelopes.values())


def _envelope(channel: Channel, session: aws.IvsSession, event: aws.IvsEvent) -> dict[str, Any]:
    at = event.at.replace(microsecond=0)
    if event.name == _START_FAILURE:
        return recording_envelope(
            status=event.name,
            arn=channel.arn,
            at=at,
            bucket=session.bucket,
            prefix="",
            stream_id=session.stream_id,
            channel_name=session.channel_name,
        )
    return stream_envelope(
        name=event.name,
        arn=channel.arn,
        stream_id=session.stream_id,
        at=at,
        channel_name=session.channel_name,
        **({"code": event.code} if event.code else {}),
    )
