"""What the events of a recording mean: pure decisions, then thin writes."""

import logging
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from channels_app.aws import AwsError
from channels_app.events import Event, MalformedEventError, RecordingFields, parse_recording
from channels_app.models import Channel, InboxEvent, NewVideoState, Stream
from channels_app.publishing import live_state_publish
from channels_app.reducers import stream_hear
from ondemand.metadata import MetadataError, facts_fetch
from ondemand.models import Content, Recording, Video, started_before, video_uuid

logger = logging.getLogger(__name__)

START = "Recording Start"
END = "Recording End"
START_FAILURE = "Recording Start Failure"
END_FAILURE = "Recording End Failure"
_ENDED = "recording-ended.json"
_METADATA_OF = {END: _ENDED, END_FAILURE: "recording-failed.json"}


@dataclass(frozen=True)
class Prepared:
    """The event's fields, what S3 says (None: nothing), and why not."""

    fields: RecordingFields
    facts: dict[str, Any] | None = None
    problem: str = ""


@dataclass(frozen=True)
class Heard:
    """What the events of one recording said, each kind once: the earliest start, and the last of the ends."""

    session_id: str = ""
    start_at: datetime | None = None
    end_at: datetime | None = None
    end_event_id: str = ""
    end_detail: dict[str, Any] | None = None
    failure_at: datetime | None = None
    failure_event_id: str = ""
    failure_detail: dict[str, Any] | None = None
    stream_ids: tuple[str, ...] = ()


def heard_after(known: Heard, event: Event, fields: RecordingFields) -> Heard:
    """What is known once the event is known as well; neither order nor repetition matters."""
    after = replace(
        known,
        session_id=max(known.session_id, fields.session_id),
        stream_ids=tuple(sorted({*known.stream_ids, *fields.stream_ids})),
    )
    if event.name == START:
        return replace(after, start_at=min(known.start_at or event.time, event.time))
    if event.name == END:
        newer = _is_newer(event, known.end_at, known.end_event_id)
        end = {"end_at": event.time, "end_event_id": event.id, "end_detail": dict(event.detail)}
        return replace(after, **end) if newer else after  # type: ignore[arg-type]
    newer = _is_newer(event, known.failure_at, known.failure_event_id)
    failure = {"failure_at": event.time, "failure_event_id": event.id, "failure_detail": dict(event.detail)}
    return replace(after, **failure) if newer else after  # type: ignore[arg-type]


def _is_newer(event: Event, at: datetime | None, event_id: str) -> bool:
    return at is None or (event.time, event.id) > (at, event_id)


def video_columns(heard: Heard, facts: dict[str, Any] | None) -> dict[str, Any]:
    """What the catalogue says of a recording of which this was heard. Of an end and a failure, the end counts."""
    facts = facts or {}
    detail = heard.end_detail or heard.failure_detail or {}
    closed_at = heard.end_at or heard.failure_at
    duration_ms = facts.get("duration_ms", detail.get("recording_duration_ms", 0))
    started_at = _moment(facts.get("started_at")) or heard.start_at
    if started_at is None and closed_at is not None:
        started_at = started_before(closed_at, duration_ms)
    return {
        "status": _status(heard),
        "session_id": heard.session_id,
        "stream_ids": _in_order(detail.get("recording_session_stream_ids", []), heard.stream_ids),
        "duration_ms": duration_ms,
        "started_at": started_at,
        "ended_at": (_moment(facts.get("ended_at")) or closed_at) if closed_at else None,
        "facts": facts or None,
        "qa": Video.Qa.UNVERIFIED,
    }


def _status(heard: Heard) -> str:
    if heard.end_at:
        return Video.Status.AVAILABLE
    return Video.Status.FAILED if heard.failure_at else Video.Status.RECORDING


def _in_order(told: list[str], known: tuple[str, ...]) -> list[str]:
    """The streams in the order in which IVS names them, then the others."""
    return list(dict.fromkeys([*[item for item in told if item in known], *known]))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class RecordingStateReducer:
    """The four statuses of a recording make its video and complete it."""

    def prepare(self, event: Event) -> Prepared:
        """The fields of the event and, at an end, what IVS wrote to S3."""
        if event.name not in {START, END, START_FAILURE, END_FAILURE}:
            return Prepared(RecordingFields("", "", 0, "", ()))
        fields = parse_recording(event)
        if not fields.bucket:
            raise MalformedEventError("recording_s3_bucket_name is empty")
        if not fields.prefix and event.name != START_FAILURE:
            raise MalformedEventError("recording_s3_key_prefix is empty")
        # No other bucket is read, whatever an event says.
        if event.name not in _METADATA_OF or fields.bucket not in settings.RECORDING_BUCKETS:
            return Prepared(fields)
        return _fetch(event, fields)

    def apply(self, event: Event, channel: Channel, prepared: Prepared) -> tuple[InboxEvent.Outcome, str]:
        """Write what the event adds to its recording and to the video."""
        if not prepared.fields.bucket:
            return InboxEvent.Outcome.IGNORED, ""
        video, is_new = _video_locked(event, channel, prepared.fields)
        recording = Recording.objects.filter(video_id=video.pk).first() or Recording(video_id=video.pk)
        heard = heard_after(_heard_of(recording), event, prepared.fields)
        _video_write(video, heard, _best_facts(video.facts, prepared.facts), channel, is_new=is_new)
        stream_hear(channel=channel, event=event)
        for name, value in asdict(heard).items():
            setattr(recording, name, list(value) if name == "stream_ids" else value)
        recording.save()
        # An end waits for its own metadata, though a failure of the same recording may have left some.
        if prepared.problem and (video.facts or {}).get("source") not in {_ENDED, _METADATA_OF[event.name]}:
            return InboxEvent.Outcome.DEFERRED, prepared.problem
        return InboxEvent.Outcome.APPLIED, ""

    def publish(self, event: Event, channel_uuid: UUID) -> None:
        """Write the live-state file where it may have changed: an early event moves an ended stream without a start."""
        if Stream.objects.without_start().filter(channel_id=channel_uuid, stream_id=event.stream_id).exists():
            live_state_publish(channel_uuid=channel_uuid, legacy=False)


def _fetch(event: Event, fields: RecordingFields) -> Prepared:
    name = _METADATA_OF[event.name]
    try:
        facts = facts_fetch(bucket=fields.bucket, prefix=fields.prefix, name=name)
    except (AwsError, MetadataError) as error:
        logger.warning("metadata not readable event_id=%s prefix=%s: %s", event.id, fields.prefix, error)
        return Prepared(fields, problem=str(error))
    # A failed recording may have no metadata at all.
    missing = facts is None and event.name == END
    return Prepared(fields, facts, problem=f"{name} is not there yet" if missing else "")


def _best_facts(known: dict[str, Any] | None, fetched: dict[str, Any] | None) -> dict[str, Any] | None:
    """What was fetched now, unless the end is known already and this tells of a failure."""
    if fetched is None or (known and known.get("source") == _ENDED != fetched["source"]):
        return known
    return fetched


def _video_locked(event: Event, channel: Channel, fields: RecordingFields) -> tuple[Video, bool]:
    """The video of the recording, found by its bucket and prefix, and whether it is yet to be made."""
    videos = Video.objects.select_for_update(no_key=True)
    if not fields.prefix:
        # A recording that never began has no place: it is found by its channel and stream.
        uuid = video_uuid(channel.arn, event.stream_id)
        known = videos.filter(pk=uuid).first()
    else:
        uuid = video_uuid(fields.bucket, fields.prefix)
        with connection.cursor() as cursor:
            # The predecessor may be inserting the same recording: its trigger takes the same lock.
            cursor.execute("SELECT pg_advisory_xact_lock(ivsvod_place_lock(%s, %s))", [fields.bucket, fields.prefix])
        place = videos.filter(bucket=fields.bucket, prefix=fields.prefix, duplicate_of__isnull=True)
        known = _first_of(list(place.order_by("created_at", "uuid")))
    if known is not None:
        return known, False
    undecided = {"active": None, "visibility": None, "held": None}
    return Video(uuid=uuid, channel=channel, bucket=fields.bucket, prefix=fields.prefix, **undecided), True


def _first_of(rows: list[Video]) -> Video | None:
    """The row that stands for a recording; the predecessor may have received the end of one that began here."""
    first = min(rows, key=_is_unfinished, default=None)
    for row in rows:
        if first is not None and row is not first:
            if _is_unfinished(row):
                _hand_over(row, first)
            row.duplicate_of = first
            row.save()
            Recording.objects.filter(video_id=row.pk).update(video=first)
            if not Content.objects.filter(video=first).exists():
                # Written while the recording ran; the first row is the one that people find.
                Content.objects.filter(video_id=row.pk).update(video=first)
    return first


def _hand_over(row: Video, first: Video) -> None:
    """What staff chose for the row that began is for the one that ended; it opens as any duplicate does."""
    for name in ("visibility", "held", "publish_from", "publish_until"):
        chosen = getattr(row, name)
        setattr(first, name, getattr(first, name) if chosen is None else chosen)
        setattr(row, name, getattr(first, name))
    first.metadata = row.metadata or first.metadata
    first.save()
    row.active, row.status = True, first.status
    row.started_at, row.ended_at, row.duration_ms = first.started_at, first.ended_at, first.duration_ms


def _is_unfinished(row: Video) -> bool:
    """Not available, and not hidden by staff, whose word holds for all rows of the recording."""
    return row.status != Video.Status.AVAILABLE and row.active is not False


def _heard_of(recording: Recording) -> Heard:
    values = {name: getattr(recording, name) for name in Heard.__dataclass_fields__ if name != "stream_ids"}
    return Heard(**values, stream_ids=tuple(recording.stream_ids))


def _video_write(video: Video, heard: Heard, facts: dict[str, Any] | None, channel: Channel, *, is_new: bool) -> None:
    ours = is_new or _is_ours(video)
    columns = video_columns(heard, facts)
    if not ours and not heard.end_at:
        # The predecessor made it of a Recording End: what else is heard can tell no more than when it began.
        columns = {"started_at": heard.start_at or video.started_at}
    for name, value in columns.items():
        setattr(video, name, value)
    if ours:
        _predecessor_columns(video, heard)
        if heard.end_at:
            _publish(video, channel.new_video_state or settings.NEW_VIDEO_STATE)
    video.save(force_insert=is_new)


def _is_ours(video: Video) -> bool:
    own = {video_uuid(video.bucket or "", video.prefix or "")}
    return video.uuid in own or not video.prefix


def _predecessor_columns(video: Video, heard: Heard) -> None:
    """What the predecessor would have written at Recording End: it computes the start from `created_at`."""
    video.data = heard.end_detail or heard.failure_detail or {}
    moment = heard.end_at or heard.failure_at or heard.start_at
    if moment is not None:
        video.created_at = moment


def _publish(video: Video, state: str) -> None:
    """Decide what nobody has decided yet; what staff chose while the recording ran stays.

    Until now `active` is NULL, so that the predecessor does not list it; `held` is not NULL where staff showed it.
    """
    if video.active is None:
        video.active = state != NewVideoState.HIDDEN or video.held is False
    if video.visibility is None:
        is_unlisted = state == NewVideoState.UNLISTED
        video.visibility = Video.Visibility.UNLISTED if is_unlisted else Video.Visibility.PUBLIC
    if video.held is None:
        video.held = False
