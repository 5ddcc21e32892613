"""Recordings without an end after 48 hours, at which IVS cuts a recording: their end events were lost.

https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from channels_app.events.synthetic import recording_envelope
from channels_app.models import Channel, Stream
from channels_app.reconcile.differences import Difference, DifferenceKind, Scope, Step, not_compared
from channels_app.reconcile.paced_calls import call_paced
from channels_app.reconcile.repair import events_send
from common import aws
from common.sql.rows import rows_of
from ondemand.models import Video
from ondemand.models.querysets import MAX_RECORDING_DURATION
from ondemand.recordings.handlers import END_FAILURE

_REASON = "reconcile: no end was received or found within 48 hours"


def stuck(scope: Scope, position: Any) -> Iterator[Step]:
    """Yield the videos that are `recording` for longer than a recording can last, without an end in S3."""
    rows = Video.objects.stuck(timezone.now())
    if scope.channel:
        rows = rows.filter(channel=scope.channel)
    for video in rows_of(rows, after=position):
        if scope.includes(video.started_at or video.created_at):
            yield Step(_differences(video), str(video.uuid))


def _differences(video: Video) -> Iterator[Difference]:
    bucket, prefix = video.bucket or "", video.prefix or ""
    place = {"bucket": bucket, "prefix": prefix}
    channel = Channel.objects.filter(videos=video).first()
    if bucket not in settings.RECORDING_BUCKETS:
        # No other bucket is read, even if an event names one.
        facts = {"error": "the bucket is none of RECORDING_BUCKETS"}
        yield Difference(
            DifferenceKind.NOT_COMPARED, "name the bucket in RECORDING_BUCKETS", channel, place=place, s3=facts
        )
        return
    folder = f"{prefix}/events/"
    try:
        listed = call_paced(aws.objects_list, bucket=bucket, prefix=f"{folder}recording-", after="", most=10)
    except aws.AwsError as error:
        yield not_compared(error, channel=channel, **place)
        return
    names = [item.key.removeprefix(folder) for item in listed.objects]
    if any(name.endswith(("-ended.json", "-failed.json")) for name in names):
        # The phase of recordings reports why the end cannot be read.
        return
    ended_at = ((video.started_at or video.created_at) + MAX_RECORDING_DURATION).replace(microsecond=0)
    stream_ids = video.stream_ids or []

    def repair() -> None:
        envelope = recording_envelope(
            status=END_FAILURE,
            arn=channel.arn if channel else "",
            at=ended_at,
            bucket=bucket,
            prefix=prefix,
            stream_id=stream_ids[-1] if stream_ids else "",
            stream_ids=stream_ids,
            session_id=video.session_id or "",
            reason=_REASON,
        )
        events_send([envelope])

    yield Difference(
        DifferenceKind.RECORDING_STUCK,
        f"write {END_FAILURE} at {ended_at.isoformat()}" if channel else "import its channel",
        channel,
        place=place,
        database={"status": video.status, "started_at": video.started_at},
        s3={"metadata": names},
        unknown=("ended_at", "recording_status_reason"),
        repair=repair if channel else None,
    )


def last_sign(stream: Stream) -> datetime | None:
    """Return the last time at which a recording of the stream began or ended."""
    rows = Video.objects.filter(channel=stream.channel, stream_ids__contains=[stream.stream_id])
    times = [time for row in rows.values_list("started_at", "ended_at")[:20] for time in row if time]
    return max(times, default=None)
