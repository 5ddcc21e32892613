"""The event handler of recordings: pure decisions, then writes."""

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, Subquery

from channels_app.envelopes import (
    Event,
    MalformedEventError,
    RecordingFields,
    is_reconciled_id,
    parse_recording,
    recording_duration_ms,
    recording_stream_ids,
)
from channels_app.events.handlers import EventHandler, Result, stream_record
from channels_app.models import Adoption, Channel, InboxEvent, NewVideoState, new_video_state
from ondemand.models import Content, Recording, RemovedRecording, Video, video_uuid
from ondemand.recordings.inspection import checked_release, facts_look, recording_check
from ondemand.recordings.metadata import ENDED, FAILED, facts_complete
from ondemand.recordings.quality import Verdict, better_verdict, verdict_of_video

logger = logging.getLogger(__name__)

START = "Recording Start"
END = "Recording End"
START_FAILURE = "Recording Start Failure"
END_FAILURE = "Recording End Failure"
_METADATA_OF = {END: ENDED, END_FAILURE: FAILED}
_NO_PLACE = "its prefix is empty, and no recording of its session is known yet"
_REMOVED = "its video was deleted: see ondemand_removedrecording"


@dataclass(frozen=True)
class PreparedEvent:
    """The fields of an event, and from S3 the metadata (None: there is none) and the check of the files.

    `problem`: why the metadata could not be read. A later try may help if `verdict.problem` is set too.
    """

    fields: RecordingFields
    metadata: dict[str, Any] | None = None
    problem: str = ""
    verdict: Verdict = field(default_factory=Verdict)


def recording_merge_event(recording: Recording, event: Event, fields: RecordingFields) -> None:
    """Merge an event into its recording; neither order nor repetition matters.

    The earliest start counts, and of two ends the later, then the one with the larger id. A real event counts before
    one that `reconcile` made.
    """
    recording.session_id = max(recording.session_id, fields.session_id)
    recording.stream_ids = sorted({*recording.stream_ids, *fields.stream_ids})
    kind = {START: "start", END: "end"}.get(event.name, "failure")
    at, event_id = getattr(recording, f"{kind}_at"), getattr(recording, f"{kind}_event_id")
    new, stored, is_start = (event.time, event.id), (at, event_id), kind == "start"
    is_real, is_stored_real = not event.is_reconciled, not is_reconciled_id(event_id)
    is_equal = is_real == is_stored_real
    if at is None or is_real > is_stored_real or (is_equal and (new < stored if is_start else new > stored)):
        setattr(recording, f"{kind}_at", event.time)
        setattr(recording, f"{kind}_event_id", event.id)
        if not is_start:
            setattr(recording, f"{kind}_detail", dict(event.detail))


def video_columns(recording: Recording, metadata: dict[str, Any] | None, verdict: Verdict) -> dict[str, Any]:
    """Return the columns of a video that its recording decides. Of an end and a failure, the end counts."""
    metadata = metadata or {}
    # The metadata of a failure is not about the end of a recording that has an end.
    closing = {} if recording.end_at and metadata.get("source") == FAILED else metadata
    detail = recording.end_detail or recording.failure_detail or {}
    closed_at = recording.end_at or recording.failure_at
    duration_ms = closing.get("duration_ms", recording_duration_ms(detail))
    started_at = _time(metadata.get("started_at")) or recording.start_at
    if started_at is None and closed_at is not None:
        started_at = closed_at - timedelta(milliseconds=duration_ms)
    # In the order in which IVS names them, then the others.
    named = [item for item in recording_stream_ids(detail) if item in recording.stream_ids]
    closed_status = Video.Status.AVAILABLE if recording.end_at else Video.Status.FAILED
    return {
        "status": closed_status if closed_at else Video.Status.RECORDING,
        "session_id": recording.session_id,
        "stream_ids": list(dict.fromkeys([*named, *recording.stream_ids])),
        "duration_ms": duration_ms,
        "started_at": started_at,
        "ended_at": (_time(closing.get("ended_at")) or closed_at) if closed_at else None,
        "facts": metadata or None,
        **verdict.columns,
    }


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class RecordingEventHandler(EventHandler):
    """Make and complete the video of a recording by the events of its four statuses."""

    def prepare(self, event: Event) -> PreparedEvent | None:
        """Return the fields of the event and, at an end, what IVS wrote to S3; None for an unknown status."""
        if event.name not in {START, END, START_FAILURE, END_FAILURE}:
            return None
        fields = parse_recording(event)
        if not fields.bucket:
            raise MalformedEventError("recording_s3_bucket_name is empty")
        if not fields.prefix and event.name != START_FAILURE:
            if not fields.session_id:
                raise MalformedEventError("recording_s3_key_prefix and recording_session_id are empty")
            # Another event of the session may have named the place.
            session = {"channel__arn": event.channel_arn, "session_id": fields.session_id, "bucket": fields.bucket}
            prefixes = Video.objects.filter(**session).exclude(prefix="").order_by("prefix")
            prefix = prefixes.values_list("prefix", flat=True).first()
            if not prefix:
                return PreparedEvent(fields, problem=_NO_PLACE)
            fields = replace(fields, prefix=prefix)
        # No other bucket is read, whatever an event says.
        is_read = event.name in _METADATA_OF and fields.bucket in settings.RECORDING_BUCKETS
        facts = _metadata_read(event, fields) if is_read else PreparedEvent(fields)
        if event.name != END or facts.problem:
            return facts
        verdict = recording_check(
            bucket=fields.bucket, prefix=fields.prefix, facts=facts.metadata, duration_ms=fields.duration_ms
        )
        return replace(facts, verdict=verdict)

    def apply(self, event: Event, channel: Channel, facts: PreparedEvent | None) -> Result:
        """Write the content of the event to its recording and to the video."""
        if facts is None:
            return Result(InboxEvent.Outcome.IGNORED)
        if not facts.fields.prefix and event.name != START_FAILURE:
            # Nothing is written yet.
            return Result(InboxEvent.Outcome.IGNORED, facts.problem, try_again=True)
        video, is_new = _video_locked(event, channel, facts.fields)
        recording = (None if is_new else getattr(video, "recording", None)) or Recording(video_id=video.pk)
        recording_merge_event(recording, event, facts.fields)
        is_removed, adopted_at, new_state = False, None, None
        is_undecided = recording.end_at is not None and None in (video.active, video.visibility, video.held)
        if video.prefix and (is_new or is_undecided):
            # One statement for all: an event of a recording costs a fixed number.
            is_removed, adopted_at, new_state = (
                Channel.objects.filter(pk=channel.pk)
                .values_list(
                    Exists(RemovedRecording.objects.filter(bucket=video.bucket or "", prefix=video.prefix)),
                    Subquery(Adoption.objects.values("adopted_at")[:1]),
                    new_video_state(),
                )
                .get()
            )
        if is_removed:
            return Result(InboxEvent.Outcome.IGNORED, _REMOVED)
        # The files of a failed recording are not checked.
        verdict = better_verdict(verdict_of_video(video), facts.verdict if event.name == END else None)
        metadata, stored = facts.metadata, video.facts
        source = metadata["source"] if metadata else ""
        # The stored metadata stays if it alone is of the end, or alone has the pictures.
        if stored and (stored.get("source") == ENDED != source or not facts_complete(metadata, source=source)):
            metadata = stored
        if adopted_at is not None and recording.end_at is not None and recording.end_at < adopted_at:
            new_state = NewVideoState.HIDDEN
        _video_write(video, recording, metadata, verdict, new_state, is_new=is_new)
        file = stream_record(channel=channel, event=event) if event.stream_id else None
        recording.save()
        # What the video still lacks, if a later try may find it. An end waits for its own metadata, though a failure of
        # the same recording may have left some.
        sources = {ENDED, _METADATA_OF.get(event.name, ENDED)}
        is_unverified = event.name == END and video.qa == Video.Qa.UNVERIFIED
        problem = facts.verdict.problem if is_unverified else ""
        reason, try_again = problem, bool(problem)
        if facts.problem and not any(facts_complete(video.facts, source=source) for source in sources):
            reason, try_again = facts.problem, bool(facts.verdict.problem)
        return Result(InboxEvent.Outcome.APPLIED, reason, try_again, file)


def _metadata_read(event: Event, fields: RecordingFields) -> PreparedEvent:
    """Return the metadata of an end or a failure; if it cannot be read, a verdict with the reason."""
    name = _METADATA_OF[event.name]
    found = facts_look(bucket=fields.bucket, prefix=fields.prefix, name=name)
    problem, verdict = found.problem, found.verdict
    # A failed recording may have no metadata at all.
    if verdict is None and found.facts is None and event.name == END:
        problem = f"{name} is not there yet"
        verdict = Verdict(reasons=(f"{problem}.",), problem=problem)
    if verdict is None:
        return PreparedEvent(fields, found.facts)
    logger.warning("metadata not readable event_id=%s prefix=%s: %s", event.id, fields.prefix, problem)
    return PreparedEvent(fields, found.facts, problem, verdict)


def _video_locked(event: Event, channel: Channel, fields: RecordingFields) -> tuple[Video, bool]:
    """Return the locked video of the recording, and whether it is yet to be made."""
    # A save writes no deferred column: the predecessor's columns of its own rows stay as they are.
    videos = Video.objects.locked().defer("created_at", "data").select_related("recording")
    if not fields.prefix:
        # A recording that never began has no place: it is found by its channel and stream.
        uuid = video_uuid(channel.arn, event.stream_id)
        existing = videos.filter(pk=uuid).first()
    else:
        uuid = video_uuid(fields.bucket, fields.prefix)
        # The predecessor may be inserting the same recording: its trigger takes the lock of the channel as well.
        rows = videos.filter(bucket=fields.bucket, prefix=fields.prefix)
        firsts = [row for row in rows if row.duplicate_of_id is None]
        existing = _first_of(firsts) if len(firsts) > 1 else next(iter(firsts), None)
    if existing is not None:
        return existing, False
    undecided = {"active": None, "visibility": None, "held": None}
    # Else the channel decides: see `ivsvod_new_playback`.
    playback = Video.Playback.GRANT if settings.PROTECT_RECORDINGS else None
    place = {"channel": channel, "bucket": fields.bucket, "prefix": fields.prefix}
    return Video(uuid=uuid, playback=playback, **place, **undecided), True


def _first_of(rows: list[Video]) -> Video:
    """Return the first row of a recording, and make the others its duplicates; the caller has locked them.

    There are several if the predecessor received the end of a recording that began here.
    """
    by_uuid = {row.pk: row for row in rows}
    ranks = Video.objects.filter(pk__in=by_uuid).ranks_in_recording()
    first, *others = (by_uuid[pk] for pk in ranks)
    for row in others:
        if ranks[row.pk] > ranks[first.pk]:
            # Choices of staff for the row that began go to the one that ended; then it opens as any duplicate does.
            first.awaits_review = first.awaits_review and row.visibility is None
            for name in ("visibility", "held", "publish_from", "publish_until"):
                chosen = getattr(row, name)
                setattr(first, name, getattr(first, name) if chosen is None else chosen)
                setattr(row, name, getattr(first, name))
            first.metadata = row.metadata or first.metadata
            first.save()
            row.active, row.status = True, first.status
            row.started_at, row.ended_at, row.duration_ms = first.started_at, first.ended_at, first.duration_ms
        row.duplicate_of = first
        row.save()
        recording = getattr(row, "recording", None)
        if recording is not None and getattr(first, "recording", None) is None:
            recording.video = first
            recording.save(update_fields=["video"])
        if not Content.objects.filter(video=first).exists():
            # Written while the recording ran; viewers find the first row.
            Content.objects.filter(video_id=row.pk).update(video=first)
    return first


def _video_write(
    video: Video,
    recording: Recording,
    metadata: dict[str, Any] | None,
    verdict: Verdict,
    new_state: str | None,
    *,
    is_new: bool,
) -> None:
    is_ours = is_new or not video.prefix or video.uuid == video_uuid(video.bucket or "", video.prefix)
    columns = video_columns(recording, metadata, verdict)
    if not is_ours and not recording.end_at:
        # The predecessor made it of a Recording End: other events can only add its start.
        started_at = _time((video.facts or {}).get("started_at"))
        columns = {"started_at": started_at or recording.start_at or video.started_at}
    if is_ours:
        # As the predecessor would have written at Recording End: it computes the start from `created_at`.
        columns["data"] = recording.end_detail or recording.failure_detail or {}
        if created_at := recording.end_at or recording.failure_at or recording.start_at:
            columns["created_at"] = created_at
    for name, value in columns.items():
        setattr(video, name, value)
    if is_ours and recording.end_at:
        publication_decide(video, new_state)
    checked_release(video)
    video.save(force_insert=is_new)


def publication_decide(video: Video, state: str | None) -> None:
    """Decide the publication of a new video by the `new_video_state` of its channel, or NEW_VIDEO_STATE if None.

    Choices that staff made while the recording ran stay. Until now `active` is NULL, so that the predecessor does not
    list it; `held` is not NULL if staff showed it.
    """
    state = state or settings.NEW_VIDEO_STATE
    if video.active is None:
        video.active = state != NewVideoState.HIDDEN or video.held is False
        video.awaits_review = not video.active
    if video.visibility is None:
        is_unlisted = state == NewVideoState.UNLISTED
        video.visibility = Video.Visibility.UNLISTED if is_unlisted else Video.Visibility.PUBLIC
        video.awaits_review |= is_unlisted
    if video.held is None:
        video.held = video.held_by_check = settings.HOLD_UNTIL_CHECKED and video.qa != Video.Qa.OK
