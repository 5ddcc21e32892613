"""Recordings in S3 against the catalogue: those whose events never came."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings

from channels_app import aws
from channels_app.models import Channel
from channels_app.reconcile.differences import Difference, Kind, Scope, Step, not_compared
from channels_app.reconcile.repairing import events_send
from channels_app.reconciled import recording_envelope
from channels_app.services import CHANNEL_ARN
from ondemand.models import RemovedRecording, Video
from ondemand.reconcile.documents import (
    OfStageError,
    RecordingLife,
    UnreadableError,
    channel_folder,
    folder_of,
    life_read,
)
from ondemand.reconcile.prefixes import ENDED, FAILED, FoundRecording, PageRead, recordings_in
from ondemand.reconcile.streams import HeldStreams, streams_of
from ondemand.reducers import END, END_FAILURE, START

_BATCH = 50


@dataclass(frozen=True)
class KnownVideo:
    """What the catalogue has of a recording. `lacks_start`: events of it were heard, and not the one of its start."""

    status: str | None
    lacks_start: bool


def statuses_missing(known: KnownVideo | None, names: Iterable[str]) -> list[str]:
    """The events that must have been there, by what metadata S3 has, and were not heard.

    A row of the predecessor is made of an end alone, and lacks nothing. A recording that ended cannot have failed.
    """
    names = set(names)
    if known is None:
        closing = END if ENDED in names else END_FAILURE if FAILED in names else None
        return [START, closing] if closing else [START]
    missing = [START] if known.lacks_start else []
    if ENDED in names and known.status != Video.Status.AVAILABLE:
        return [*missing, END]
    if FAILED in names and known.status == Video.Status.RECORDING:
        return [*missing, END_FAILURE]
    return missing


@dataclass
class _Unknown:
    """Channels that are not in the database, each told once."""

    arns: set[str] = field(default_factory=set)
    folder: str = ""

    def has(self, prefix: str) -> bool:
        """Whether it is known already that the channel of the recording is not."""
        return bool(self.folder) and prefix.startswith(self.folder)

    def told(self, arn: str, prefix: str) -> bool:
        """Remember the channel; whether it was told before."""
        is_told = arn in self.arns
        self.arns.add(arn)
        self.folder = channel_folder(prefix)
        return is_told


def recordings(scope: Scope, position: Any) -> Iterator[Step]:
    """Every recording in the buckets that may be read. The position is a bucket and a key in it."""
    if scope.channel and not CHANNEL_ARN.fullmatch(scope.channel.arn):
        return
    buckets = list(dict.fromkeys(settings.RECORDING_BUCKETS))
    if not buckets:
        yield Step([_no_bucket(scope.channel)])
    begin, after = position or ("", "")
    for bucket in buckets[buckets.index(begin) :] if begin in buckets else buckets:
        try:
            yield from _of_bucket(bucket, after if bucket == begin else "", scope)
        except aws.AwsError as error:
            yield Step([not_compared(error, bucket=bucket)])


def _no_bucket(channel: Channel | None) -> Difference:
    told = {"error": "no bucket is named: RECORDING_BUCKET is not set"}
    return Difference(Kind.NOT_COMPARED, "set RECORDING_BUCKET and run reconcile again", channel, s3=told)


def _of_bucket(bucket: str, after: str, scope: Scope) -> Iterator[Step]:
    folder = folder_of(scope.channel.arn) if scope.channel else ""
    unknown = _Unknown()
    batch: list[FoundRecording] = []
    for found in recordings_in(bucket, folder=folder, after=after):
        if isinstance(found, PageRead):
            # Among keys of others there is nothing to tell for long, and the lease is to be kept.
            after = found.behind if found.behind and not batch else after
            yield Step(position=[bucket, after])
            continue
        batch.append(found)
        if len(batch) == _BATCH:
            yield from _of_batch(bucket, batch, scope, unknown)
            batch, after = [], found.behind
    yield from _of_batch(bucket, batch, scope, unknown)


def _of_batch(bucket: str, batch: list[FoundRecording], scope: Scope, unknown: _Unknown) -> Iterator[Step]:
    known = _known(bucket, [recording.prefix for recording in batch])
    removed = _removed(bucket, [recording.prefix for recording in batch])
    for recording in batch:
        if recording.prefix in removed:
            continue
        missing = statuses_missing(known.get(recording.prefix), recording.names)
        # It began before its metadata were written.
        if missing and scope.takes(recording.modified_at) and not unknown.has(recording.prefix):
            differences = _differences(recording, known.get(recording.prefix), missing, scope, unknown)
            yield Step(differences, [bucket, recording.behind])
    if batch:
        yield Step(position=[bucket, batch[-1].behind])


def _known(bucket: str, prefixes: list[str]) -> dict[str | None, KnownVideo]:
    """By prefix; of several rows of one recording the one that stands for it."""
    rows = Video.objects.filter(bucket=bucket, prefix__in=prefixes, duplicate_of__isnull=True)
    told = rows.order_by("-created_at", "-uuid").values_list("prefix", "status", "recording__pk", "recording__start_at")
    known: dict[str | None, KnownVideo] = {}
    for prefix, status, is_heard, start_at in told:
        video = KnownVideo(status, lacks_start=is_heard is not None and start_at is None)
        if prefix not in known or status == Video.Status.AVAILABLE or known[prefix].status != Video.Status.AVAILABLE:
            known[prefix] = video
    return known


def _removed(bucket: str, prefixes: list[str]) -> set[str]:
    """Return the prefixes whose videos were deleted: that nothing is known of them is no difference."""
    return set(RemovedRecording.objects.filter(bucket=bucket, prefix__in=prefixes).values_list("prefix", flat=True))


def _differences(
    recording: FoundRecording, known: KnownVideo | None, missing: list[str], scope: Scope, unknown: _Unknown
) -> Iterator[Difference]:
    place = {"bucket": recording.bucket, "prefix": recording.prefix}
    try:
        life = life_read(recording)
    except UnreadableError as error:
        told = {"metadata": sorted(recording.names), "error": str(error)}
        would = "look at the metadata of the recording, and at what the service may read"
        yield Difference(Kind.RECORDING_UNREADABLE, would, place=place, s3=told)
        return
    except OfStageError:
        return
    except aws.AwsError as error:
        yield not_compared(error, bucket=recording.bucket, prefix=recording.prefix)
        return
    if not scope.takes(life.started_at):
        return
    channel = Channel.objects.by_arn(life.channel_arn)
    if channel is not None:
        yield _missing(recording, known, missing, life, channel)
    elif not unknown.told(life.channel_arn, recording.prefix):
        yield _of_unknown_channel(recording, life)


def _of_unknown_channel(recording: FoundRecording, life: RecordingLife) -> Difference:
    return Difference(
        Kind.UNKNOWN_CHANNEL,
        f"import_channel {life.channel_arn} --owner UUID",
        arn=life.channel_arn,
        s3={"bucket": recording.bucket, "first_prefix": recording.prefix},
    )


def _missing(
    recording: FoundRecording, known: KnownVideo | None, missing: list[str], life: RecordingLife, channel: Channel
) -> Difference:
    kind = Kind.RECORDING_START_MISSING if missing == [START] else Kind.RECORDING_END_MISSING
    return Difference(
        Kind.RECORDING_MISSING if known is None else kind,
        f"write {' and '.join(missing)} as S3 tells them",
        channel,
        place={"bucket": recording.bucket, "prefix": recording.prefix},
        database={"status": known.status if known else None},
        s3={
            "metadata": sorted(recording.names),
            "started_at": life.started_at,
            "ended_at": life.ended_at,
            "duration_ms": life.duration_ms,
        },
        unknown=("recording_session_id", *(["recording_status_reason"] if END_FAILURE in missing else [])),
        repair=partial(_send, recording, missing, life, channel),
    )


def _send(recording: FoundRecording, missing: list[str], life: RecordingLife, channel: Channel) -> None:
    held = streams_of(channel, life)
    events_send([_envelope(status, recording, life, channel, held) for status in missing])


def _envelope(
    status: str, recording: FoundRecording, life: RecordingLife, channel: Channel, held: HeldStreams
) -> dict[str, Any]:
    place: Any = {
        "arn": channel.arn,
        "bucket": recording.bucket,
        "prefix": recording.prefix,
        "channel_name": held.channel_name,
    }
    if status == START:
        at = held.told_at(held.first, status, life.started_at)
        return recording_envelope(status=status, at=at, stream_id=held.first, **place)
    return recording_envelope(
        status=status,
        at=held.told_at(held.last, status, life.until.replace(microsecond=0)),
        # A failure of the end tells none, whatever there is.
        duration_ms=life.duration_ms if status == END else 0,
        stream_id=held.last,
        stream_ids=held.ids,
        **place,
    )
