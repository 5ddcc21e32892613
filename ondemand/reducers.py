"""What the events of a recording mean: pure decisions, then thin writes."""

import logging
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Exists, Subquery

from channels_app.events import (
    Event,
    MalformedEventError,
    RecordingFields,
    is_reconciled_id,
    parse_recording,
    recording_duration_ms,
    recording_stream_ids,
)
from channels_app.livestate import LiveState
from channels_app.models import Adoption, Channel, InboxEvent, NewVideoState
from channels_app.reducers import Applied, stream_hear
from ondemand.metadata import ENDED, FAILED, facts_complete
from ondemand.models import Content, Recording, RemovedRecording, Video, started_before, video_uuid
from ondemand.recording_check import facts_look, recording_check
from ondemand.services import checked_release
from ondemand.verdicts import Verdict, better_verdict, verdict_of_video

logger = logging.getLogger(__name__)

START = "Recording Start"
END = "Recording End"
START_FAILURE = "Recording Start Failure"
END_FAILURE = "Recording End Failure"
_METADATA_OF = {END: ENDED, END_FAILURE: FAILED}
_REMOVED = "its video was deleted: see ondemand_removedrecording"


@dataclass(frozen=True)
class Prepared:
    """The event's fields, what S3 says (None: nothing), and why not; at an end also what is known of the files.

    `is_final`: a retry cannot help.
    """

    fields: RecordingFields
    facts: dict[str, Any] | None = None
    problem: str = ""
    is_final: bool = False
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Heard:
    """What the events of one recording said, each kind once: the earliest start, and the last of the ends.

    A real event counts before one that `reconcile` made.
    """

    session_id: str = ""
    start_at: datetime | None = None
    start_event_id: str = ""
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
        earlier = _is_earlier(event, known.start_at, known.start_event_id)
        return replace(after, start_at=event.time, start_event_id=event.id) if earlier else after
    if event.name == END:
        newer = _is_newer(event, known.end_at, known.end_event_id)
        end = {"end_at": event.time, "end_event_id": event.id, "end_detail": dict(event.detail)}
        return replace(after, **end) if newer else after  # type: ignore[arg-type]
    newer = _is_newer(event, known.failure_at, known.failure_event_id)
    failure = {"failure_at": event.time, "failure_event_id": event.id, "failure_detail": dict(event.detail)}
    return replace(after, **failure) if newer else after  # type: ignore[arg-type]


def _is_earlier(event: Event, at: datetime | None, event_id: str) -> bool:
    return at is None or (event.is_reconciled, event.time, event.id) < (is_reconciled_id(event_id), at, event_id)


def _is_newer(event: Event, at: datetime | None, event_id: str) -> bool:
    """The later counts, then the larger id."""
    return at is None or (not event.is_reconciled, event.time, event.id) > (
        not is_reconciled_id(event_id),
        at,
        event_id,
    )


def video_columns(heard: Heard, facts: dict[str, Any] | None, verdict: Verdict) -> dict[str, Any]:
    """What the catalogue says of a recording of which this was heard. Of an end and a failure, the end counts."""
    facts = facts or {}
    # An end that beats a failure does not end as the failure did.
    of_closing = {} if heard.end_at and facts.get("source") == FAILED else facts
    detail = heard.end_detail or heard.failure_detail or {}
    closed_at = heard.end_at or heard.failure_at
    duration_ms = of_closing.get("duration_ms", recording_duration_ms(detail))
    started_at = _moment(facts.get("started_at")) or heard.start_at
    if started_at is None and closed_at is not None:
        started_at = started_before(closed_at, duration_ms)
    return {
        "status": _status(heard),
        "session_id": heard.session_id,
        "stream_ids": _in_order(recording_stream_ids(detail), heard.stream_ids),
        "duration_ms": duration_ms,
        "started_at": started_at,
        "ended_at": (_moment(of_closing.get("ended_at")) or closed_at) if closed_at else None,
        "facts": facts or None,
        **verdict.columns,
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
            fields = _placed_by_session(event, fields)
            if not fields.prefix:
                return Prepared(fields, problem="its prefix is empty, and no recording of its session is known yet")
        if event.name not in _METADATA_OF:
            return Prepared(fields)
        prepared = _fetch(event, fields)
        # Whether a recording that failed plays is nobody's question.
        return _checked(prepared) if event.name == END else replace(prepared, verdict=None)

    def apply(self, event: Event, channel: Channel, prepared: Prepared) -> Applied:
        """Write what the event adds to its recording and to the video."""
        if not prepared.fields.bucket:
            return Applied(InboxEvent.Outcome.IGNORED)
        if not prepared.fields.prefix and event.name != START_FAILURE:
            # Nothing is written of it yet.
            return Applied(InboxEvent.Outcome.DEFERRED, prepared.problem, given_up_as=InboxEvent.Outcome.IGNORED)
        video, is_new = _video_locked(event, channel, prepared.fields)
        is_removed, adopted_at = False, None
        if video.prefix and (is_new or (event.name == END and video.active is None)):
            # One statement for both: an event of a recording costs a fixed number.
            is_removed, adopted_at = (
                Channel.objects.filter(pk=channel.pk)
                .values_list(
                    Exists(RemovedRecording.objects.filter(bucket=video.bucket or "", prefix=video.prefix)),
                    Subquery(Adoption.objects.values("adopted_at")[:1]),
                )
                .get()
            )
        if is_removed:
            return Applied(InboxEvent.Outcome.IGNORED, _REMOVED)
        recording = (None if is_new else getattr(video, "recording", None)) or Recording(video_id=video.pk)
        heard = heard_after(_heard_of(recording), event, prepared.fields)
        verdict = better_verdict(verdict_of_video(video), prepared.verdict)
        facts = _best_facts(video.facts, prepared.facts)
        is_old = adopted_at is not None and heard.end_at is not None and heard.end_at < adopted_at
        _video_write(video, heard, facts, verdict, channel, is_new=is_new, precedes_adoption=is_old)
        live_state = _stream_hear(channel, event)
        for name, value in asdict(heard).items():
            setattr(recording, name, list(value) if name == "stream_ids" else value)
        recording.save()
        outcome, problem = _outcome(event, video, prepared)
        return Applied(outcome, problem, live_state)


def _placed_by_session(event: Event, fields: RecordingFields) -> RecordingFields:
    """The fields with the place that another event of the session told.

    Raises:
        MalformedEventError: it names no session either.
    """
    if not fields.session_id:
        raise MalformedEventError("recording_s3_key_prefix and recording_session_id are empty")
    known = Video.objects.filter(channel__arn=event.channel_arn, session_id=fields.session_id, bucket=fields.bucket)
    prefix = known.exclude(prefix="").order_by("prefix").values_list("prefix", flat=True).first()
    return replace(fields, prefix=prefix or "")


def _stream_hear(channel: Channel, event: Event) -> LiveState | None:
    """Note the stream; the live state, where that may have moved: an early event moves a stream without a start."""
    if not event.stream_id:
        # What was found in S3 names no stream.
        return None
    heard = stream_hear(channel=channel, event=event)
    return heard.live_state if heard.by_first_event else None


def _fetch(event: Event, fields: RecordingFields) -> Prepared:
    # No other bucket is read, whatever an event says.
    if fields.bucket not in settings.RECORDING_BUCKETS:
        return Prepared(fields)
    name = _METADATA_OF[event.name]
    found = facts_look(bucket=fields.bucket, prefix=fields.prefix, name=name)
    if found.verdict is not None:
        return replace(_unread(event, fields, found.problem, found.verdict), facts=found.facts)
    if found.facts is None and event.name == END:
        reason = f"{name} is not there yet"
        return _unread(event, fields, reason, Verdict(reasons=(f"{reason}.",), problem=reason))
    # A failed recording may have no metadata at all.
    return Prepared(fields, found.facts)


def _unread(event: Event, fields: RecordingFields, problem: str, verdict: Verdict) -> Prepared:
    logger.warning("metadata not readable event_id=%s prefix=%s: %s", event.id, fields.prefix, problem)
    return Prepared(fields, problem=problem, is_final=not verdict.problem, verdict=verdict)


def _checked(prepared: Prepared) -> Prepared:
    """With a look at the files, unless S3 could not be read already."""
    if prepared.problem:
        return prepared
    fields, facts = prepared.fields, prepared.facts
    verdict = recording_check(bucket=fields.bucket, prefix=fields.prefix, facts=facts, duration_ms=fields.duration_ms)
    return replace(prepared, verdict=verdict)


def _outcome(event: Event, video: Video, prepared: Prepared) -> tuple[InboxEvent.Outcome, str]:
    """Return `deferred` while a later try may complete the video, else `applied`; and what the video lacks."""
    # An end waits for its own metadata, though a failure of the same recording may have left some.
    sources = {ENDED, _METADATA_OF.get(event.name, ENDED)}
    if prepared.problem and not any(facts_complete(video.facts, source=source) for source in sources):
        return (InboxEvent.Outcome.APPLIED if prepared.is_final else InboxEvent.Outcome.DEFERRED), prepared.problem
    problem = prepared.verdict.problem if prepared.verdict and video.qa == Video.Qa.UNVERIFIED else ""
    return (InboxEvent.Outcome.DEFERRED if problem else InboxEvent.Outcome.APPLIED), problem


def _best_facts(known: dict[str, Any] | None, fetched: dict[str, Any] | None) -> dict[str, Any] | None:
    """What was fetched now, unless what is known is of the end and this of a failure, or this lacks the pictures."""
    if fetched is None or (known and known.get("source") == ENDED != fetched["source"]):
        return known
    return fetched if facts_complete(fetched, source=fetched["source"]) or not known else known


def _video_locked(event: Event, channel: Channel, fields: RecordingFields) -> tuple[Video, bool]:
    """The video of the recording, found by its bucket and prefix, and whether it is yet to be made."""
    # A save writes no column that was not read: those of the predecessor stay as they are where the row is its own.
    videos = Video.objects.locked().defer("created_at", "data").select_related("recording")
    if not fields.prefix:
        # A recording that never began has no place: it is found by its channel and stream.
        uuid = video_uuid(channel.arn, event.stream_id)
        known = videos.filter(pk=uuid).first()
    else:
        uuid = video_uuid(fields.bucket, fields.prefix)
        # The predecessor may be inserting the same recording: its trigger takes the lock of the channel as well.
        rows = {row.pk: row for row in videos.filter(bucket=fields.bucket, prefix=fields.prefix)}
        firsts = [row.pk for row in rows.values() if row.duplicate_of_id is None]
        if len(firsts) > 1:
            # All are locked by now. PostgreSQL puts them in the order of time, for it holds times that Python does not.
            by_age = Video.objects.filter(pk__in=firsts).order_by("created_at", "uuid")
            firsts = list(by_age.values_list("pk", flat=True))
        known = _first_of([rows[pk] for pk in firsts])
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
            _take_along(row, first)
            if not Content.objects.filter(video=first).exists():
                # Written while the recording ran; the first row is the one that people find.
                Content.objects.filter(video_id=row.pk).update(video=first)
    return first


def _take_along(row: Video, first: Video) -> None:
    """What the events said of the recording goes with its first row."""
    recording = getattr(row, "recording", None)
    if recording is not None and getattr(first, "recording", None) is None:
        recording.video = first
        recording.save(update_fields=["video"])


def _hand_over(row: Video, first: Video) -> None:
    """What staff chose for the row that began is for the one that ended; it opens as any duplicate does."""
    first.awaits_review = first.awaits_review and row.visibility is None
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


def _video_write(
    video: Video,
    heard: Heard,
    facts: dict[str, Any] | None,
    verdict: Verdict,
    channel: Channel,
    *,
    is_new: bool,
    precedes_adoption: bool,
) -> None:
    ours = is_new or _is_ours(video)
    columns = video_columns(heard, facts, verdict)
    if not ours and not heard.end_at:
        # The predecessor made it of a Recording End: what else is heard can tell no more than when it began.
        told = _moment((video.facts or {}).get("started_at"))
        columns = {"started_at": told or heard.start_at or video.started_at}
    for name, value in columns.items():
        setattr(video, name, value)
    if ours:
        _predecessor_columns(video, heard)
        if heard.end_at:
            state = new_video_state(channel.new_video_state, is_private=channel.is_private)
            publication_decide(video, NewVideoState.HIDDEN if precedes_adoption else state)
    checked_release(video)
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


def new_video_state(of_channel: str | None, *, is_private: bool) -> str:
    """Return what a new recording becomes: what its channel says, else hidden if that is private, else the setting.

    The SQL function `ivsvod_publish_video` decides so of rows of the predecessor, without the setting.
    """
    return of_channel or (NewVideoState.HIDDEN.value if is_private else settings.NEW_VIDEO_STATE)


def publication_decide(video: Video, state: str) -> None:
    """Decide what nobody has decided yet; what staff chose while the recording ran stays.

    Until now `active` is NULL, so that the predecessor does not list it; `held` is not NULL where staff showed it.
    """
    if video.active is None:
        video.active = state != NewVideoState.HIDDEN or video.held is False
        video.awaits_review = not video.active
    if video.visibility is None:
        is_unlisted = state == NewVideoState.UNLISTED
        video.visibility = Video.Visibility.UNLISTED if is_unlisted else Video.Visibility.PUBLIC
        video.awaits_review |= is_unlisted
    if video.held is None:
        video.held = video.held_by_check = settings.HOLD_UNTIL_CHECKED and video.qa != Video.Qa.OK
