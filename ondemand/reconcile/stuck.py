"""Recordings that never ended: IVS cuts a recording after 48 hours, so that their ends are lost.

https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
"""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone

from channels_app import aws
from channels_app.batches import rows_of
from channels_app.models import Channel, Stream
from channels_app.reconcile.asking import ask
from channels_app.reconcile.differences import Difference, Kind, Scope, Step, not_compared
from channels_app.reconcile.repairing import events_send
from channels_app.reconciled import recording_envelope
from ondemand.catalogue import LONGEST_RECORDING
from ondemand.models import Video
from ondemand.reducers import END_FAILURE

_REASON = "reconcile: no end was heard or found within 48 hours"


def stuck(scope: Scope, position: Any) -> Iterator[Step]:
    """Videos that are `recording` for longer than any recording is, and of whose end S3 knows nothing either."""
    rows = Video.objects.stuck(timezone.now())
    if scope.channel:
        rows = rows.filter(channel=scope.channel)
    for video in rows_of(rows, after=position):
        if scope.takes(_started_at(video)):
            yield Step(_differences(video), str(video.uuid))


def _started_at(video: Video) -> datetime:
    return video.started_at or video.created_at


def _differences(video: Video) -> Iterator[Difference]:
    place = {"bucket": video.bucket or "", "prefix": video.prefix or ""}
    channel = Channel.objects.filter(videos=video).first()
    if place["bucket"] not in settings.RECORDING_BUCKETS:
        # No other bucket than ours is read, whatever an event said.
        told = {"error": "the bucket is none of RECORDING_BUCKETS"}
        yield Difference(Kind.NOT_COMPARED, "name the bucket in RECORDING_BUCKETS", channel, place=place, s3=told)
        return
    try:
        names = _metadata(place["bucket"], place["prefix"])
    except aws.AwsError as error:
        yield not_compared(error, channel=channel, **place)
        return
    if any(name.endswith(("-ended.json", "-failed.json")) for name in names):
        # What keeps that from being read is told where S3 is compared.
        return
    ended_at = (_started_at(video) + LONGEST_RECORDING).replace(microsecond=0)
    yield Difference(
        Kind.RECORDING_STUCK,
        f"write {END_FAILURE} at {ended_at.isoformat()}" if channel else "import its channel",
        channel,
        place=place,
        database={"status": video.status, "started_at": video.started_at},
        s3={"metadata": names},
        unknown=("ended_at", "recording_status_reason"),
        repair=partial(_send, video, channel, ended_at) if channel else None,
    )


def _metadata(bucket: str, prefix: str) -> list[str]:
    """The names of its metadata."""
    folder = f"{prefix}/events/"
    listed = ask(aws.objects_list, bucket=bucket, prefix=f"{folder}recording-", after="", most=10)
    return [item.key.removeprefix(folder) for item in listed.objects]


def _send(video: Video, channel: Channel, ended_at: datetime) -> None:
    stream_ids = video.stream_ids or []
    events_send(
        [
            recording_envelope(
                status=END_FAILURE,
                arn=channel.arn,
                at=ended_at,
                bucket=video.bucket or "",
                prefix=video.prefix or "",
                stream_id=stream_ids[-1] if stream_ids else "",
                stream_ids=stream_ids,
                session_id=video.session_id or "",
                reason=_REASON,
            )
        ]
    )


def last_sign(stream: Stream) -> datetime | None:
    """The last moment at which a recording of the stream is known to have been made."""
    rows = Video.objects.filter(channel=stream.channel, stream_ids__contains=[stream.stream_id])
    moments = [moment for row in rows.values_list("started_at", "ended_at")[:20] for moment in row if moment]
    return max(moments, default=None)
