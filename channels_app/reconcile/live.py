"""Live state against IVS: streams that began unheard, and channels that would stay live for ever."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import Max, Min, Q
from django.utils import timezone

from channels_app import aws
from channels_app.batches import rows_of
from channels_app.events import STREAM_END
from channels_app.livestate import LIVE, UNNAMED
from channels_app.models import Channel, Stream, StreamHistoryEntry
from channels_app.reconcile.asking import ask_unless_missing, pages
from channels_app.reconcile.differences import Difference, Kind, Scope, Step, not_compared
from channels_app.reconcile.elsewhere import elsewhere, elsewhere_of_missing, not_here
from channels_app.reconcile.repairing import events_send
from channels_app.reconcile.sessions import differences_of_live, session_of, step_of
from channels_app.reconciled import stream_envelope

# The last that another table knows of a stream; None where it knows nothing.
LastSign = Callable[[Stream], datetime | None]

# IVS may not tell yet of a stream whose start it has sent.
_TOO_YOUNG = timedelta(minutes=10)


def live_states(scope: Scope, position: Any, *, last_sign: LastSign, told: set[str]) -> Iterator[Step]:
    """What is live there and not here, then what is live here and not there; `told` gets the ids of these streams.

    Of one channel its sessions tell what is live there: IVS has no list of the streams of one channel.
    """
    live: set[tuple[str, str]] = set()
    for streams in pages(aws.streams_page) if scope.channel is None else ():
        live |= {(stream.channel_arn, stream.stream_id) for stream in streams}
        yield Step(_starts_missing(streams, told))
    live_arns = {arn for arn, _ in live}
    for stream in _without_end(scope):
        if (stream.channel.arn, stream.stream_id) not in live:
            told.add(stream.stream_id)
            yield from _of_ended(stream, last_sign)
    for stream in _unnamed_last(scope):
        if stream.channel.arn not in live_arns:
            yield from _of_unnamed(stream, scope, last_sign)


def _starts_missing(streams: list[aws.IvsStream], told: set[str]) -> Iterator[Difference]:
    arns = {stream.channel_arn for stream in streams}
    # The oldest, should rows written by hand share an ARN.
    channels = {row.arn: row for row in Channel.objects.filter(arn__in=arns).order_by("-created_at", "-uuid")}
    known = {
        (row.channel_id, row.stream_id): row
        for row in Stream.objects.filter(channel__in=channels.values()).filter(
            stream_id__in=[stream.stream_id for stream in streams]
        )
    }
    for stream in streams:
        channel = channels.get(stream.channel_arn)
        if channel is not None:
            listed = aws.IvsSession(stream.stream_id, stream.started_at, None)
            unheard = differences_of_live(channel, known.get((channel.pk, stream.stream_id)), listed)
            told |= {stream.stream_id} if unheard else set()
            yield from unheard


def _without_end(scope: Scope) -> Iterator[Stream]:
    """Streams that started and did not end, whether or not another came after them."""
    rows = Stream.objects.without_end().exclude(stream_id__startswith=UNNAMED).exclude(channel__arn="")
    return rows_of(rows.filter(channel__in=scope.channels()).select_related("channel"))


def _unnamed_last(scope: Scope) -> Iterator[Stream]:
    """Those of which the predecessor heard without their id, and by which a channel is live.

    Its rows are a stream each, so that all but the last have no end and need none.
    """
    rows = scope.channels().exclude(arn="").with_live_state().in_state(LIVE)
    for channel in rows_of(rows.alias(unnamed=Q(last_stream_id__startswith=UNNAMED)).filter(unnamed=True)):
        yield Stream.objects.select_related("channel").get(
            channel=channel,
            stream_id=channel.last_stream_id,  # type: ignore[attr-defined]
        )


def _of_ended(stream: Stream, last_sign: LastSign) -> Iterator[Step]:
    """The list of live streams lacks it: its session tells when it ended, or that it began since the list was read."""
    channel = stream.channel
    if reason := elsewhere(channel.arn):
        yield Step([not_here(reason, channel, stream_id=stream.stream_id)])
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


def _of_unnamed(stream: Stream, scope: Scope, last_sign: LastSign) -> Iterator[Step]:
    channel = stream.channel
    if reason := elsewhere(channel.arn):
        yield Step([not_here(reason, channel)])
        return
    try:
        if scope.channel and ask_unless_missing(aws.is_broadcasting, channel_arn=channel.arn):
            return
    except aws.AwsError as error:
        yield Step([not_compared(error, channel=channel)])
        return
    yield Step(_forgotten(stream, last_sign))


def _forgotten(stream: Stream, last_sign: LastSign) -> Iterator[Difference]:
    """IVS told nothing of the stream: it has forgotten it, unless the channel is another's or gone."""
    channel = stream.channel
    try:
        if channel.status != Channel.Status.DELETED and ask_unless_missing(aws.channel_get, arn=channel.arn) is None:
            # Told where channels are compared; once its row is `deleted` the stream gets its end.
            return
        reason = elsewhere_of_missing(channel.arn) if channel.status == Channel.Status.DELETED else ""
    except aws.AwsError as error:
        yield not_compared(error, channel=channel, stream_id=stream.stream_id)
        return
    if reason:
        yield not_here(reason, channel, stream_id=stream.stream_id)
    else:
        yield from _end_unknown(stream, last_sign)


def _end_unknown(stream: Stream, last_sign: LastSign) -> Iterator[Difference]:
    started_at = stream.started_at or stream.first_event_at
    if started_at > timezone.now() - _TOO_YOUNG:
        return
    at = guessed_end(started_at, _signs_of(stream, last_sign), _next_began(stream))
    yield Difference(
        Kind.STREAM_END_UNKNOWN,
        f"write Stream End at {at.isoformat()}, the last that is known of the stream",
        stream.channel,
        place={"stream_id": stream.stream_id},
        database={"started_at": stream.started_at, "ended_at": None},
        unknown=("ended_at",),
        repair=partial(_send_end, stream, at),
    )


def guessed_end(started_at: datetime, signs: list[datetime], next_began: datetime | None) -> datetime:
    """The last sign of a stream; a channel has one stream at a time, so not after the next one began."""
    last = max([started_at, *signs])
    return last if next_began is None else max(started_at, min(last, next_began))


def _signs_of(stream: Stream, last_sign: LastSign) -> list[datetime]:
    history = StreamHistoryEntry.objects.filter(stream=stream).aggregate(last=Max("at"))["last"]
    return [moment for moment in (history, last_sign(stream)) if moment is not None]


def _next_began(stream: Stream) -> datetime | None:
    later = Stream.objects.heard().filter(channel=stream.channel, order_at__gt=stream.order_at)
    return later.aggregate(first=Min("order_at"))["first"]


def _send_end(stream: Stream, at: datetime) -> None:
    arn, at = stream.channel.arn, at.replace(microsecond=0)
    # Not before its start, should that have fractions of a second: a row of the predecessor.
    at = max(at, stream.started_at or at)
    events_send([stream_envelope(name=STREAM_END, arn=arn, stream_id=stream.stream_id, at=at)])
