"""Streams against their sessions in IVS: starts, ends and history that were lost.

The session of each stream is read once after its end: then nothing is added to it any more.
"""

import re
from collections.abc import Container, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.utils import timezone

from channels_app.envelopes import STREAM_END, STREAM_START
from channels_app.events.synthetic import recording_envelope, stream_envelope
from channels_app.models import Channel, Stream, StreamHistoryEntry
from channels_app.reconcile.differences import Difference, DifferenceKind, Scope, Step, not_compared
from channels_app.reconcile.other_account import other_account
from channels_app.reconcile.paced_calls import call_or_none, pages
from channels_app.reconcile.repair import events_send
from channels_app.streams.history import KINDS, HistoryKind
from common import aws
from common.sql.rows import rows_of

# The format that GetStreamSession accepts.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetStreamSession.html
_STREAM_ID = re.compile(r"st-[a-zA-Z0-9]{23}", re.ASCII)
# The longest time from the end of a stream to that of its recording: the window for a reconnect is 5 minutes.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateRecordingConfiguration.html
_SETTLES_AFTER = timedelta(minutes=15)
# It is not documented whether IVS keeps the fractions of a second that an event leaves out.
_SAME = timedelta(seconds=1)
_START_FAILURE = "Recording Start Failure"
# The phase of recordings finds it by its place in S3.
_END_FAILURE = "Recording End Failure"
# Facts of an event that its session does not keep.
_LOST = {
    "Stream Failure": ("reason",),
    _START_FAILURE: ("recording_status_reason", "recording_session_id"),
    **{name: ("limit_value", "exceeded_by", "limit_unit") for name, kind in KINDS.items() if kind is HistoryKind.LIMIT},
}


def sessions(scope: Scope, position: Any, *, reported: Container[str]) -> Iterator[Step]:
    """Compare the sessions of every channel, also of deleted ones: IVS keeps theirs for 60 days too.

    `reported` holds the ids of the streams that the phase of live states reported in this run.
    """
    rows = scope.channels().exclude(arn="").filter(status__in=[Channel.Status.READY, Channel.Status.DELETED])
    for channel in rows_of(rows, after=position):
        position = str(channel.uuid)
        if other_account(channel.arn):
            # The phase of channels reports it.
            continue
        try:
            yield from _steps_of_channel(channel, scope, reported)
            yield Step(position=position)
        except aws.AwsError as error:
            # IVS has no sessions of a channel that it has forgotten.
            if error.kind is aws.AwsErrorKind.NOT_FOUND:
                yield Step(position=position)
            else:
                yield Step([not_compared(error, channel=channel)], position)


def _steps_of_channel(channel: Channel, scope: Scope, reported: Container[str]) -> Iterator[Step]:
    for page in pages(aws.sessions_page, channel_arn=channel.arn):
        ids = [session.stream_id for session in page]
        rows = {row.stream_id: row for row in Stream.objects.filter(channel=channel, stream_id__in=ids)}
        for listed in page:
            if not scope.includes(listed.ended_at):
                # The newest come first.
                return
            row = rows.get(listed.stream_id)
            if listed.stream_id in reported:
                continue
            if listed.ended_at is None:
                yield Step([*differences_of_live(channel, row, listed), *_still_live(channel, row)])
            elif row is None or row.compared_at is None:
                session = session_of(channel_arn=channel.arn, stream_id=listed.stream_id)
                if session is not None:
                    yield step_of(channel, row, session)


def differences_of_live(channel: Channel, row: Stream | None, listed: aws.IvsSession) -> list[Difference]:
    """Return the differences of a live stream whose start was lost; others are compared after its end."""
    if row is not None and row.started_at is not None:
        return []
    try:
        session = session_of(channel_arn=channel.arn, stream_id=listed.stream_id)
    except aws.AwsError:
        # The list has its start.
        session = None
    return differences_of(channel, row, session or listed)


def session_of(*, channel_arn: str, stream_id: str) -> aws.IvsSession | None:
    """Return the session of a stream; None if IVS has forgotten it, or its id is not one of IVS."""
    if not _STREAM_ID.fullmatch(stream_id):
        return None
    return call_or_none(aws.session_get, channel_arn=channel_arn, stream_id=stream_id)


def _still_live(channel: Channel, row: Stream | None) -> Iterator[Difference]:
    """Yield a stream that ended here alone. No event undoes an end; the real end will replace a guessed one."""
    if row is None or row.ended_at is None:
        return
    session = session_of(channel_arn=channel.arn, stream_id=row.stream_id)
    if session is not None and session.ended_at is None:
        yield Difference(
            DifferenceKind.STREAM_STILL_LIVE,
            "wait for its end in IVS",
            channel,
            place={"stream_id": row.stream_id},
            database={"started_at": row.started_at, "ended_at": row.ended_at},
            ivs={"started_at": session.started_at, "ended_at": None},
        )


def step_of(channel: Channel, row: Stream | None, session: aws.IvsSession) -> Step:
    """Return the differences of a stream that `session_of` returned; once settled, it is not compared again."""

    def mark_compared() -> None:
        now = timezone.now()
        if session.ended_at is not None and session.ended_at < now - _SETTLES_AFTER:
            Stream.objects.filter(channel=channel, stream_id=session.stream_id).update(compared_at=now)

    return Step(differences_of(channel, row, session), once_settled=mark_compared)


def differences_of(channel: Channel, row: Stream | None, session: aws.IvsSession) -> list[Difference]:
    """Return one difference for a stream without a row, else one each for a missing start, end and history.

    IVS keeps the newest 500 events: if the start is not among them, the start of the session stands in.
    """
    recorded = list(StreamHistoryEntry.objects.filter(stream=row).values_list("name", "at")) if row else []
    start = [] if row and row.started_at else [_event(session, STREAM_START, session.started_at)]
    has_end = row and row.ended_at
    end = [_event(session, STREAM_END, session.ended_at)] if session.ended_at and not has_end else []
    history = [
        event
        for event in session.events
        if event.name in KINDS
        and event.name != _END_FAILURE
        # An event of a recording needs its bucket, which IVS keeps as it was when the stream began.
        and (event.name != _START_FAILURE or session.bucket)
        and not any(name == event.name and abs(at - event.at) < _SAME for name, at in recorded)
    ]
    missing = {
        DifferenceKind.STREAM_START_MISSING: start,
        DifferenceKind.STREAM_END_MISSING: end,
        DifferenceKind.STREAM_HISTORY_MISSING: history,
    }
    if row is None:
        missing = {DifferenceKind.STREAM_MISSING: sorted([*start, *history, *end], key=lambda event: event.at)}
    return [
        Difference(
            kind,
            f"write {', '.join(dict.fromkeys(event.name for event in events))} at the time in IVS",
            channel,
            place={"stream_id": session.stream_id},
            database={"started_at": row and row.started_at, "ended_at": row and row.ended_at},
            ivs={
                "started_at": session.started_at,
                "ended_at": session.ended_at,
                "events": [{"name": event.name, "at": event.at} for event in events],
            },
            unknown=tuple(sorted({name for event in events for name in _LOST.get(event.name, ())})),
            repair=partial(_send, channel, session, events),
        )
        for kind, events in missing.items()
        if events
    ]


def _event(session: aws.IvsSession, name: str, at: datetime) -> aws.IvsEvent:
    return next((event for event in session.events if event.name == name), aws.IvsEvent(name, at))


def _send(channel: Channel, session: aws.IvsSession, events: list[aws.IvsEvent]) -> None:
    # Events of one name in one second have one id.
    envelopes: dict[str, dict[str, Any]] = {}
    for event in events:
        at = event.at.replace(microsecond=0)
        common: Any = {"arn": channel.arn, "stream_id": session.stream_id, "channel_name": session.channel_name}
        if event.name == _START_FAILURE:
            envelope = recording_envelope(status=event.name, at=at, bucket=session.bucket, prefix="", **common)
        else:
            code = {"code": event.code} if event.code else {}
            envelope = stream_envelope(name=event.name, at=at, **common, **code)
        envelopes[envelope["id"]] = envelope
    events_send(envelopes.values())
