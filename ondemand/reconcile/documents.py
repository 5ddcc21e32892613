"""The facts in the metadata of a recording: its channel, start, end and duration."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from channels_app.channels.provisioning import CHANNEL_ARN
from channels_app.envelopes import AHEAD, whole_milliseconds
from common import aws
from ondemand.reconcile.prefixes import FoundRecording
from ondemand.recordings.metadata import LONGEST, MetadataError, document_of, time_of

# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
# The part of a prefix that all recordings of a channel share.
FOLDER = re.compile(r"(.*/)?ivs/v1/(?P<account>[0-9]{1,20})/(?P<channel>[a-zA-Z0-9-]{1,60})/", re.ASCII)
_UNREADABLE = {aws.AwsErrorKind.DENIED, aws.AwsErrorKind.INVALID, aws.AwsErrorKind.NOT_FOUND}


class UnreadableError(Exception):
    """S3 refuses the metadata, or they are not those of a recording; the message gives the reason."""


@dataclass(frozen=True)
class RecordingMetadata:
    """Facts of a recording. While it runs `ended_at` is None and `duration_ms` 0. Times are whole seconds."""

    channel_arn: str
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int

    @property
    def until(self) -> datetime:
        """Return its end or, while it runs, the last known time."""
        return self.ended_at or self.started_at + timedelta(milliseconds=self.duration_ms)


def facts_read(recording: FoundRecording) -> RecordingMetadata | None:
    """Return the facts in the metadata of the end, else of the start; None for a stage of IVS Real-Time.

    Raises:
        UnreadableError: S3 refuses them, they are not JSON, or a field is missing or malformed.
        AwsError: S3 did not answer.
    """
    key = f"{recording.prefix}/events/recording-{recording.last}.json"
    try:
        content = aws.object_read(bucket=recording.bucket, key=key, longest=LONGEST)
    except aws.AwsError as error:
        if error.kind not in _UNREADABLE:
            raise
        raise UnreadableError(str(error)) from error
    if content is None:
        raise UnreadableError("the object was deleted")
    try:
        document = document_of(content)
        if document.get("channel_arn") is None and document.get("stage_arn") is not None:
            return None
        times = {name: time_of(document, name) for name in ("recording_started_at", "recording_ended_at")}
    except MetadataError as error:
        raise UnreadableError(str(error)[:200]) from None
    for name, time in times.items():
        if time and time > timezone.now() + AHEAD:
            raise UnreadableError(f"{name} is out of range")
    started_at, ended_at = times.values()
    if started_at is None:
        raise UnreadableError("recording_started_at is missing")
    media = document.get("media")
    hls = media.get("hls") if isinstance(media, dict) else None
    arn = document.get("channel_arn")
    if not (isinstance(arn, str) and CHANNEL_ARN.fullmatch(arn)):
        found = FOLDER.match(recording.prefix)
        if found is None or not settings.AWS_REGION:
            raise UnreadableError("channel_arn is missing or not the ARN of a channel")
        arn = f"arn:aws:ivs:{settings.AWS_REGION}:{found['account']}:channel/{found['channel']}"
    return RecordingMetadata(
        channel_arn=arn,
        started_at=started_at.replace(microsecond=0),
        ended_at=ended_at and ended_at.replace(microsecond=0),
        duration_ms=whole_milliseconds(hls.get("duration_ms") if isinstance(hls, dict) else None) or 0,
    )
