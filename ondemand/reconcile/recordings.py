"""Compare the recordings in S3 with the catalogue, to find those whose events were lost."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone

from channels_app.channels.provisioning import CHANNEL_ARN
from channels_app.events.synthetic import recording_envelope
from channels_app.models import Channel, ReportedDifference
from channels_app.reconcile.differences import Difference, DifferenceKind, DifferenceOutcome, Scope, Step, not_compared
from channels_app.reconcile.repair import events_send
from channels_app.reconcile.report import Report
from channels_app.reconcile.runner import walk
from common import aws
from ondemand.models import RemovedRecording, Video
from ondemand.reconcile import documents
from ondemand.reconcile.prefixes import ENDED, FAILED, FoundRecording, PageRead, recordings_in
from ondemand.reconcile.streams import streams_of
from ondemand.recordings.handlers import END, END_FAILURE, START

_BATCH = 50


@dataclass(frozen=True)
class ExistingVideo:
    """A recording in the catalogue. `lacks_start`: some of its events arrived, but not that of its start."""

    status: str | None
    lacks_start: bool


def statuses_missing(video: ExistingVideo | None, names: Iterable[str]) -> list[str]:
    """Return the events that did not arrive, by the names of the metadata in S3.

    A row of the predecessor is made of an end alone, and lacks nothing. A recording that ended cannot have failed.
    """
    names = set(names)
    if video is None:
        closing = END if ENDED in names else END_FAILURE if FAILED in names else None
        return [START, closing] if closing else [START]
    missing = [START] if video.lacks_start else []
    if ENDED in names and video.status != Video.Status.AVAILABLE:
        return [*missing, END]
    if FAILED in names and video.status == Video.Status.RECORDING:
        return [*missing, END_FAILURE]
    return missing


def recordings(scope: Scope, position: Any) -> Iterator[Step]:
    """Compare every recording in RECORDING_BUCKETS. The position is a bucket and a key in it."""
    if scope.channel and not CHANNEL_ARN.fullmatch(scope.channel.arn):
        return
    buckets = list(dict.fromkeys(settings.RECORDING_BUCKETS))
    if not buckets:
        facts = {"error": "no bucket is named: RECORDING_BUCKET is not set"}
        description = "set RECORDING_BUCKET and run reconcile again"
        yield Step([Difference(DifferenceKind.NOT_COMPARED, description, scope.channel, s3=facts)])
    begin, after = position or ("", "")
    for bucket in buckets[buckets.index(begin) :] if begin in buckets else buckets:
        try:
            yield from _steps_of_bucket(bucket, after if bucket == begin else "", scope)
        except aws.AwsError as error:
            yield Step([not_compared(error, bucket=bucket)])


def recording_reconcile(*, bucket: str, prefix: str) -> list[DifferenceOutcome]:
    """Compare one recording with the catalogue, repair it and report what is left; return what differed.

    It takes at most two lists of keys, the metadata, and the sessions of its streams. It needs no lease: two at once,
    or a run of `reconcile` beside it, send events with the same id, and write one row for each difference.
    """

    def phase(scope: Scope, position: Any) -> Iterator[Step]:
        found = [each for each in recordings_in(bucket, folder=f"{prefix}/") if isinstance(each, FoundRecording)]
        yield from _steps_of_batch(bucket, found, scope, set())

    began_at, findings = timezone.now(), []
    with Report() as report:
        # By the name of the phase a whole run closes what is reported here.
        for passed in walk({"recordings": phase}, scope=Scope(), apply=True):
            report.note(passed)
            findings += [passed] if isinstance(passed, DifferenceOutcome) else []
    if not any(finding.difference.unanswered for finding in findings):
        reported = ReportedDifference.objects.filter(phase="recordings", bucket=bucket, prefix=prefix)
        reported.filter(seen_at__lt=began_at).delete()
    return findings


def _steps_of_bucket(bucket: str, after: str, scope: Scope) -> Iterator[Step]:
    folder = ""
    if scope.channel:
        account, _, channel = scope.channel.arn.split(":", 4)[4].partition(":channel/")
        folder = f"ivs/v1/{account}/{channel}/"
    # The ARNs and the folders of channels without a row, each of which is reported once.
    unknown: set[str] = set()
    batch: list[FoundRecording] = []
    for found in recordings_in(bucket, folder=folder, after=after):
        if isinstance(found, PageRead):
            # A step without differences renews the lease: other keys may fill many pages.
            after = found.behind if found.behind and not batch else after
            yield Step(position=[bucket, after])
            continue
        batch.append(found)
        if len(batch) == _BATCH:
            yield from _steps_of_batch(bucket, batch, scope, unknown)
            batch, after = [], found.behind
    yield from _steps_of_batch(bucket, batch, scope, unknown)


def _steps_of_batch(bucket: str, batch: list[FoundRecording], scope: Scope, unknown: set[str]) -> Iterator[Step]:
    prefixes = [recording.prefix for recording in batch]
    videos = _existing_videos(bucket, prefixes)
    removed = RemovedRecording.objects.filter(bucket=bucket, prefix__in=prefixes)
    removed_prefixes = set(removed.values_list("prefix", flat=True))
    for recording in batch:
        video = videos.get(recording.prefix)
        missing = statuses_missing(video, recording.names)
        # It began before its metadata were written.
        is_due = missing and recording.prefix not in removed_prefixes and scope.includes(recording.modified_at)
        if is_due and _folder(recording) not in unknown:
            yield Step(_differences(recording, video, missing, scope, unknown), [bucket, recording.behind])
    if batch:
        yield Step(position=[bucket, batch[-1].behind])


def _existing_videos(bucket: str, prefixes: list[str]) -> dict[str | None, ExistingVideo]:
    """Return the videos by prefix; of several rows of one recording an available one, else the oldest."""
    rows = Video.objects.filter(bucket=bucket, prefix__in=prefixes, duplicate_of__isnull=True)
    columns = rows.order_by("-created_at", "-uuid").values_list(
        "prefix", "status", "recording__pk", "recording__start_at"
    )
    videos: dict[str | None, ExistingVideo] = {}
    # The last one of a prefix stays.
    for prefix, status, recording_pk, start_at in sorted(columns, key=lambda row: row[1] == Video.Status.AVAILABLE):
        videos[prefix] = ExistingVideo(status, lacks_start=recording_pk is not None and start_at is None)
    return videos


def _differences(
    recording: FoundRecording,
    video: ExistingVideo | None,
    missing: list[str],
    scope: Scope,
    unknown: set[str],
) -> Iterator[Difference]:
    place = {"bucket": recording.bucket, "prefix": recording.prefix}
    try:
        facts = documents.facts_read(recording)
    except documents.UnreadableError as error:
        reason = {"metadata": sorted(recording.names), "error": str(error)}
        description = "look at the metadata of the recording, and at what the service may read"
        yield Difference(DifferenceKind.RECORDING_UNREADABLE, description, place=place, s3=reason)
        return
    except aws.AwsError as error:
        yield not_compared(error, bucket=recording.bucket, prefix=recording.prefix)
        return
    if facts is None or not scope.includes(facts.started_at):
        return
    channel = Channel.objects.by_arn(facts.channel_arn)
    if channel is None:
        is_reported = facts.channel_arn in unknown
        unknown |= {facts.channel_arn, _folder(recording)}
        if not is_reported:
            description = f"import_channel {facts.channel_arn} --owner UUID"
            first = {"bucket": recording.bucket, "first_prefix": recording.prefix}
            yield Difference(DifferenceKind.UNKNOWN_CHANNEL, description, arn=facts.channel_arn, s3=first)
        return
    kind = DifferenceKind.RECORDING_START_MISSING if missing == [START] else DifferenceKind.RECORDING_END_MISSING
    yield Difference(
        DifferenceKind.RECORDING_MISSING if video is None else kind,
        f"write {' and '.join(missing)} from the metadata in S3",
        channel,
        place=place,
        database={"status": video.status if video else None},
        s3={
            "metadata": sorted(recording.names),
            "started_at": facts.started_at,
            "ended_at": facts.ended_at,
            "duration_ms": facts.duration_ms,
        },
        unknown=("recording_session_id", *(["recording_status_reason"] if END_FAILURE in missing else [])),
        repair=partial(_send, recording, missing, facts, channel),
    )


def _folder(recording: FoundRecording) -> str:
    """Return the folder of the recordings of its channel; its own prefix if that is not as IVS writes it."""
    found = documents.FOLDER.match(recording.prefix)
    return found[0] if found else recording.prefix


def _send(recording: FoundRecording, missing: list[str], facts: documents.RecordingMetadata, channel: Channel) -> None:
    streams = streams_of(channel, facts)
    name = next((session.channel_name for session in streams.sessions.values()), "")
    common: Any = {"arn": channel.arn, "channel_name": name, "bucket": recording.bucket, "prefix": recording.prefix}
    envelopes = []
    for status in missing:
        if status == START:
            stream_id, time = streams.ids[0] if streams.ids else "", facts.started_at
            ended: Any = {}
        else:
            stream_id, time = streams.ids[-1] if streams.ids else "", facts.until.replace(microsecond=0)
            # A failure of the end has no duration, whatever the metadata say.
            ended = {"stream_ids": streams.ids, "duration_ms": facts.duration_ms if status == END else 0}
        at = streams.time_of(stream_id, status, time)
        envelopes.append(recording_envelope(status=status, at=at, stream_id=stream_id, **common, **ended))
    events_send(envelopes)
