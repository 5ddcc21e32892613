"""The life of a recording by its metadata: its channel, start, end and duration."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from channels_app import aws
from channels_app.events import AHEAD, whole_milliseconds
from channels_app.services import CHANNEL_ARN
from ondemand.metadata import LONGEST, MetadataError, document_of, moment_of
from ondemand.reconcile.prefixes import FoundRecording

# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
_FOLDER = re.compile(r"(.*/)?ivs/v1/(?P<account>[0-9]{1,20})/(?P<channel>[a-zA-Z0-9-]{1,60})/", re.ASCII)
_UNREADABLE = {aws.Kind.DENIED, aws.Kind.INVALID, aws.Kind.NOT_FOUND}


class UnreadableError(Exception):
    """S3 does not hand out the metadata, or they are no metadata of a recording; the message says why."""


class OfStageError(Exception):
    """The metadata are of a recording of a stage of IVS Real-Time, which is of no channel."""


@dataclass(frozen=True)
class RecordingLife:
    """`ended_at` is None, and `duration_ms` 0, while the recording runs."""

    channel_arn: str
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int

    @property
    def until(self) -> datetime:
        """Return its end or, while it runs, its last known moment."""
        return self.ended_at or self.started_at + timedelta(milliseconds=self.duration_ms)


def life_read(recording: FoundRecording) -> RecordingLife:
    """Read the object of the end, or else the one of the start.

    Raises:
        UnreadableError: it cannot be had or understood.
        OfStageError: it is of no channel.
        AwsError: S3 could not be asked.
    """
    key = f"{recording.prefix}/events/recording-{recording.last}.json"
    try:
        content = aws.object_read(bucket=recording.bucket, key=key, longest=LONGEST)
    except aws.AwsError as error:
        if error.kind not in _UNREADABLE:
            raise
        raise UnreadableError(str(error)) from error
    if content is None:
        raise UnreadableError("the object is gone")
    return life_of(content, recording.prefix)


def life_of(content: bytes, prefix: str) -> RecordingLife:
    """Return the life of the recording that the object describes. Times are whole seconds, as those of events.

    Raises:
        UnreadableError: it is not JSON, or a field is missing or of a wrong type.
        OfStageError: it is of no channel.
    """
    try:
        document = document_of(content)
        if document.get("channel_arn") is None and document.get("stage_arn") is not None:
            raise OfStageError
        moments = {name: moment_of(document, name) for name in ("recording_started_at", "recording_ended_at")}
    except MetadataError as error:
        raise UnreadableError(str(error)[:200]) from None
    for name, moment in moments.items():
        if moment and moment > timezone.now() + AHEAD:
            raise UnreadableError(f"{name} is out of range")
    started_at, ended_at = moments.values()
    if started_at is None:
        raise UnreadableError("recording_started_at is missing")
    media = document.get("media")
    hls = media.get("hls") if isinstance(media, dict) else None
    return RecordingLife(
        channel_arn=_channel_arn(document, prefix),
        started_at=started_at.replace(microsecond=0),
        ended_at=ended_at and ended_at.replace(microsecond=0),
        duration_ms=whole_milliseconds(hls.get("duration_ms") if isinstance(hls, dict) else None) or 0,
    )


def folder_of(channel_arn: str) -> str:
    """Return the folder in which IVS puts the recordings of a channel.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
    """
    _, _, _, _, account, channel = channel_arn.split(":", 5)
    return f"ivs/v1/{account}/{channel.rpartition('/')[2]}/"


def channel_folder(prefix: str) -> str:
    """Return the part of a prefix that all recordings of a channel share; empty if IVS does not write it so."""
    found = _FOLDER.match(prefix)
    return found[0] if found else ""


def _channel_arn(document: dict[str, Any], prefix: str) -> str:
    arn = document.get("channel_arn")
    if isinstance(arn, str) and CHANNEL_ARN.fullmatch(arn):
        return arn
    found = _FOLDER.match(prefix)
    if found is None or not settings.AWS_REGION:
        raise UnreadableError("channel_arn is missing or not the ARN of a channel")
    return f"arn:aws:ivs:{settings.AWS_REGION}:{found['account']}:channel/{found['channel']}"
