"""Live states against IVS: streams whose start was lost, and channels that would otherwise stay live."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Min, Q
from django.utils import timezone

from channels_app.envelopes import STREAM_END
from channels_app.events.synthetic import stream_envelope
from channels_app.models import Channel, Stream, StreamHistoryEntry
from channels_app.models.live_state import LIVE, UNNAMED
from channels_app.reconcile.differences import Difference, DifferenceKind, Scope, Step, not_compared
from channels_app.reconcile.other_account import other_account, other_account_difference, other_account_of_missing
from channels_app.reconcile.paced_calls import call_or_none, pages
from channels_app.reconcile.repair import events_send
from channels_app.reconcile.sessions import differences_of_live, session_of, step_of
from common import aws
from common.sql.rows import rows_of

# Returns the last time at which another table has a sign of the stream, or None.
LastObservation = Callable[[Stream], datetime | None]

# IVS may not list a stream yet whose start it has sent.
_TOO_YOUNG = timedelta(minutes=10)


def live_states(scope: Scope, position: Any, *, last_sign: LastObservation, reported: set[str]) -> Iterator[Step]:
    """Yield the streams that are live in IVS alone, then those that are live here alone; add their ids to `reported`.

    For one channel its sessions show what is live in IVS, which cannot list the streams of one channel.
    """
    live: set[tuple[str, str]] = set()
    for streams in pages(aws.streams_page) if scope.channel is None else ():
        live |= {(stream.channel_arn, stream.stream_id) for stream in streams}
        yield Step(_missing_starts(streams, reported))
    # Streams without an end, whether or not a later one began.
    rows = Stream.objects.without_end().exclude(stream_id__startswith=UNNAMED).exclude(channel__arn="")
    for stream in rows_of(rows.filter(channel__in=scope.channels()).select_related("channel")):
        if (stream.channel.arn, stream.stream_id) not in live:
            reported.add(stream.stream_id)
            yield from _unlisted(stream, last_sign)
    # Streams that the predecessor recorded without an id: each row is a stream, and only the last one needs an end.
    live_arns = {arn for arn, _ in live}
    channels = scope.channels().exclude(arn="").with_live_state().in_state(LIVE)
    for channel in rows_of(channels.alias(unnamed=Q(last_stream_id__startswith=UNNAMED)).filter(unnamed=True)):
        stream = Stream.objects.select_related("channel").get(
            channel=channel,
            stream_id=channel.last_stream_id,  # type: ignore[attr-defined]
        )
        if stream.channel.arn not in live_arns:
            yield from _unnamed(stream, scope, last_sign)


def _missing_starts(streams: list[aws.IvsStream], reported: set[str]) -> Iterator[Difference]:
    arns, ids = {stream.channel_arn for stream in streams}, [stream.stream_id for stream in streams]
    # The oldest row, if rows written by hand share an ARN.
    channels = {row.arn: row for row in Channel.objects.filter(arn__in=arns).order_by("-created_at", "-uuid")}
    rows = {
        (row.channel_id, row.stream_id): row
        for row in Stream.objects.filter(channel__in=channels.values(), stream_id__in=ids)
    }
    for stream in streams:
        channel = channels.get(stream.channel_arn)
        if channel is not None:
            listed = aws.IvsSession(stream.stream_id, stream.started_at, None)
            differences = differences_of_live(channel, rows.get((channel.pk, stream.stream_id)), listed)
            reported |= {stream.stream_id} if differences else set()
            yield from differences


def _unlisted(stream: Stream, last_sign: LastObservation) -> Iterator[Step]:
    """Compare a stream that IVS does not list as live with its session: it ended, or began after the list was read."""
    channel = stream.channel
    if reason := other_account(channel.arn):
        yield Step([other_account_difference(reason, channel, stream_id=stream.stream_id)])
        return
    try:
        session = session_of(channel_arn=channel.arn, stream_id=stream.stream_id)
    except aws.AwsError as error:
        yield Step([not_compared(error, channel=channel, stream_id=stream.stream_id)])
        return
    if session is None:
        yield Step(_forgotten(stream, last_sign))
    elif session.ended_at is not None:
        yield step_of(channel, stream, session)


def _unnamed(stream: Stream, scope: Scope, last_sign: LastObservation) -> Iterator[Step]:
    channel = stream.channel
    if reason := other_account(channel.arn):
        yield Step([other_account_difference(reason, channel)])
        return
    try:
        if scope.channel and call_or_none(aws.is_broadcasting, channel_arn=channel.arn):
            return
    except aws.AwsError as error:
        yield Step([not_compared(error, channel=channel)])
        return
    yield Step(_forgotten(stream, last_sign))


def _forgotten(stream: Stream, last_sign: LastObservation) -> Iterator[Difference]:
    """Yield the missing end of a stream without a session, unless its channel is of another account or not in IVS."""
    channel = stream.channel
    try:
        if channel.status != Channel.Status.DELETED and call_or_none(aws.channel_get, arn=channel.arn) is None:
            # The phase of channels reports it; once its row is `deleted` the stream gets its end.
            return
        reason = other_account_of_missing(channel.arn) if channel.status == Channel.Status.DELETED else ""
    except aws.AwsError as error:
        yield not_compared(error, channel=channel, stream_id=stream.stream_id)
        return
    if reason:
        yield other_account_difference(reason, channel, stream_id=stream.stream_id)
        return
    started_at = stream.started_at or stream.first_event_at
    if started_at > timezone.now() - _TOO_YOUNG:
        return
    history = StreamHistoryEntry.objects.filter(stream=stream).aggregate(last=Max("at"))["last"]
    signs = [sign for sign in (history, last_sign(stream)) if sign is not None]
    later = Stream.objects.with_start_or_end().filter(channel=channel, order_at__gt=stream.order_at)
    at = guessed_end(started_at, signs, later.aggregate(first=Min("order_at"))["first"])

    def send_end() -> None:
        time = at.replace(microsecond=0)
        # Not before its start, which has fractions of a second in rows of the predecessor.
        time = max(time, stream.started_at or time)
        events_send([stream_envelope(name=STREAM_END, arn=channel.arn, stream_id=stream.stream_id, at=time)])

    yield Difference(
        DifferenceKind.STREAM_END_UNKNOWN,
        f"write Stream End at {at.isoformat()}, the last sign of the stream",
        channel,
        place={"stream_id": stream.stream_id},
        database={"started_at": stream.started_at, "ended_at": None},
        unknown=("ended_at",),
        repair=send_end,
    )


def guessed_end(started_at: datetime, signs: list[datetime], next_began: datetime | None) -> datetime:
    """Return the last sign of a stream, but not after the next one began: a channel has one stream at a time."""
    last = max([started_at, *signs])
    return last if next_began is None else max(started_at, min(last, next_began))
