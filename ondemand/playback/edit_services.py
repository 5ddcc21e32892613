"""Edits of videos, which are data: trims, joins and clips. Nothing in S3 changes, and each can be undone.

The playlists are read first, without a transaction; then the rows are locked, compared with what was read, and written.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from common.audit import audited
from common.errors import ServiceError
from ondemand.models import Video, evenly_spread
from ondemand.models.chapters import LATEST_MS, Chapter
from ondemand.playback.chapter_moves import RecordedChapter, cut_chapters, recorded_chapters, shown_chapters
from ondemand.playback.delivery import PlaylistUnreadableError, stored_playlists, stored_segments
from ondemand.playback.parts import Cut, EditError, Part, Shown, Timeline, edited_template, timeline, windows
from ondemand.playback.renditions import (
    EditedMultivariant,
    StoredMultivariant,
    edited_multivariant,
    stored_multivariant,
)
from ondemand.videos.limits import MOST_PARTS
from ondemand.videos.services import Check, VideoNotFoundError, allow, columns_write, content_write

_MOST_PICTURES = 500
# Longer recordings are cut at whole segments: byte ranges make a playlist five times as large.
_FINER_MS = 4 * 3600 * 1000


class EditConflictError(ServiceError):
    """The video cannot have this edit as it is now; the message says why."""

    code = "edit_conflict"


class EditOutdatedError(ServiceError):
    code = "edit_outdated"
    sentence = "The video was changed meanwhile: look at it again"


@dataclass(frozen=True)
class Source:
    """A window of the recording of a video; None is its begin or its end."""

    video: Video
    start_ms: int | None = None
    end_ms: int | None = None


class EditInput(NamedTuple):
    """All that an edit of a row depends on."""

    bucket: str | None
    prefix: str | None
    status: str | None
    channel_id: UUID | None
    playlists: tuple[str | None, str | None]
    edit: list[dict[str, Any]] | None
    chapters: Any
    related: tuple[UUID | None, ...]


@dataclass(frozen=True)
class PreparedEdit:
    """The columns of an edit, cut at the bounds of segments, and the state of the rows that it was prepared for.

    `edited` has `duration_ms`, `parts`, `pictures`, `renditions`, and in `cut_chapters` those of the own recording that
    are not shown, in its times. A part is `recording`, `bucket`, `prefix`, `playlist`, `start_ms`, `end_ms`, and
    `at_ms` of the edited video; a picture is its part, path and `at_ms`.
    """

    edit: list[dict[str, Any]] | None
    edited: dict[str, Any] | None
    inputs: dict[UUID, EditInput]
    chapters: list[Chapter] | None = None

    @property
    def places(self) -> dict[UUID, tuple[Any, Any]]:
        """Return bucket and prefix of each row."""
        return {uuid: (entry.bucket, entry.prefix) for uuid, entry in self.inputs.items()}

    @property
    def columns(self) -> dict[str, Any]:
        return {"edit": self.edit, "edited": self.edited, "chapters": self.chapters}

    def require_unchanged(self, *videos: Video) -> None:
        """Compare locked videos with those that were read.

        Raises:
            EditOutdatedError: one was changed.
        """
        if any(self.inputs[video.pk] != _edit_input(video) for video in videos):
            raise EditOutdatedError


def trim_prepare(video: Video, trim: dict[str, int | None] | None) -> PreparedEdit:
    """Return the edit that shows only a part of a recording, from `start_ms` to `end_ms`; or that undoes it.

    Raises:
        EditConflictError: the video has no recording of its own that can be cut, or another edit.
        EditError: nothing would be left.
        PlaylistUnreadableError, AwsError: its playlists cannot be read.
    """
    _require_whole(video)
    if trim is None or (trim["start_ms"], trim["end_ms"]) == (None, None):
        return _whole(video)
    return _with_chapters(_prepared([Source(video, **trim)]), [video], own=video)


def join_prepare(video: Video, others: Sequence[UUID]) -> PreparedEdit:
    """Return the edit that shows several recordings of a channel, each as it is trimmed, in this order.

    The video itself is the first one, unless `others` say where it stands.

    Raises:
        EditConflictError: one of the videos cannot be joined.
        EditError: they are none, too many, one twice, not of one channel, or have no rendition in common.
        PlaylistUnreadableError, AwsError: their playlists cannot be read.
    """
    uuids = list(others) if video.pk in others else [video.pk, *others]
    if not 2 <= len(uuids) <= MOST_PARTS:
        raise EditError(f"a video is joined with 1 to {MOST_PARTS - 1} others")
    by_uuid = {found.pk: found for found in Video.objects.filter(pk__in=uuids).defer("created_at", "data")}
    if missing := [uuid for uuid in uuids if uuid not in by_uuid]:
        raise EditError(f"there is no video {missing[0]}")
    videos = [by_uuid[uuid] for uuid in uuids]
    if len({(found.bucket, found.prefix) for found in videos}) < len(videos):
        raise EditError("it would show one recording twice")
    if video.channel_id is None or {found.channel_id for found in videos} != {video.channel_id}:
        raise EditError("they are not of one channel")
    for found in videos:
        _require_whole(found)
        if found.duplicate_of_id is not None:
            raise EditConflictError(f"{found.pk} is a duplicate: join {found.duplicate_of_id}")
    windows_of = [found.trim or {"start_ms": None, "end_ms": None} for found in videos]
    prepared = _prepared([Source(found, **window) for found, window in zip(videos, windows_of, strict=True)])
    return _with_chapters(prepared, videos, own=video)


def unjoin_prepare(video: Video) -> PreparedEdit:
    """Return the edit that a joined video had before: its own trim, or none.

    Raises:
        EditConflictError: the video is not joined, or is a duplicate.
        PlaylistUnreadableError, AwsError: its playlists cannot be read.
    """
    if not video.is_joined:
        raise EditConflictError("The video is not joined")
    if video.duplicate_of_id is not None:
        raise EditConflictError(f"{video.pk} is a duplicate: undo the join of {video.duplicate_of_id}")
    shown = zip(shown_by(video), video.edit or (), strict=True)
    own = next(part for (place, _), part in shown if place == (video.bucket, video.prefix))
    if (own["start_ms"], own["end_ms"]) == (None, None):
        return _whole(video)
    return _with_chapters(_prepared([Source(video, own["start_ms"], own["end_ms"])]), [video], own=video)


def clip_prepare(video: Video, start_ms: int | None, end_ms: int | None) -> PreparedEdit:
    """Return the edit of a clip: a window of what a video shows, in times of that video.

    Raises:
        EditConflictError: the video has no recording that can be cut.
        EditError: nothing would be left.
        PlaylistUnreadableError, AwsError: the playlists cannot be read.
    """
    inside = windows(shown_by(video), start_ms, end_ms)
    if not inside:
        raise EditError("the window holds nothing of the video")
    recordings = {shown.recording: None for shown in inside}
    place = reduce(or_, (Q(bucket=bucket, prefix=prefix) for bucket, prefix in recordings))
    rows = Video.objects.filter(place, duplicate_of__isnull=True).defer("created_at", "data")
    by_place = {(row.bucket or "", row.prefix or ""): row for row in rows}
    if by_place.keys() < recordings.keys():
        raise EditConflictError("A recording that the video shows is gone")
    prepared = _prepared([Source(by_place[place], cut.start_ms, cut.end_ms) for place, cut in inside])
    prepared = replace(prepared, inputs={**prepared.inputs, video.pk: _edit_input(video)})
    return _with_chapters(prepared, [video])


def shown_by(video: Video) -> list[Shown]:
    """Return the windows that a video shows: of an unedited one its whole recording."""
    return [_all_of(video)] if video.edit is None else _windows(video.edited)


def _all_of(video: Video) -> Shown:
    return Shown((video.bucket or "", video.prefix or ""), Cut(0, video.duration_ms or LATEST_MS, 0))


def _windows(edited: dict[str, Any] | None) -> list[Shown]:
    return [
        Shown((part["bucket"], part["prefix"]), Cut(part["start_ms"], part["end_ms"], part["at_ms"]))
        for part in (edited or {}).get("parts", [])
    ]


def _recorded_chapters(video: Video) -> list[RecordedChapter]:
    own, _ = _all_of(video)
    cut = [RecordedChapter(own, item["at_ms"], item["title"]) for item in (video.edited or {}).get("cut_chapters", [])]
    return recorded_chapters(shown_by(video), video.shown_chapters, cut)


def _whole(video: Video) -> PreparedEdit:
    """Return the edit that shows the whole recording."""
    chapters = shown_chapters(_recorded_chapters(video), [_all_of(video)])
    return PreparedEdit(None, None, {video.pk: _edit_input(video)}, chapters or None)


def _with_chapters(prepared: PreparedEdit, videos: Iterable[Video], own: Video | None = None) -> PreparedEdit:
    """Return the edit with the chapters of these videos; those of its `own` recording that it cuts away are kept."""
    found = [chapter for video in videos for chapter in _recorded_chapters(video)]
    windows = _windows(prepared.edited)
    cut = cut_chapters([chapter for chapter in found if own and chapter.recording == _all_of(own).recording], windows)
    kept = [{"at_ms": chapter.at_ms, "title": chapter.title} for chapter in cut]
    edited = {**(prepared.edited or {}), "cut_chapters": kept}
    return replace(prepared, edited=edited, chapters=shown_chapters(found, windows) or None)


@audited()
def video_join(*, video_uuid: UUID, prepared: PreparedEdit, check: Check = allow) -> Video:
    """Join recordings into one video; the others are its parts, and are no longer listed.

    Raises:
        VideoNotFoundError, EditOutdatedError: a video was deleted or changed since the edit was prepared.
    """
    parts = [UUID(part["recording"]) for part in prepared.edit or ()]
    for row in _recordings_locked(video_uuid, parts, prepared, check):
        is_own = (row.bucket, row.prefix) == prepared.places[video_uuid]
        columns_write(row, prepared.columns if is_own else {"part_of_id": video_uuid})
    return Video.objects.with_content().get(pk=video_uuid)


@audited()
def video_unjoin(*, video_uuid: UUID, prepared: PreparedEdit, check: Check = allow) -> Video:
    """Undo a join: its parts are videos of their own again, as they were. Its `playback` stays.

    Raises:
        VideoNotFoundError, EditOutdatedError: the video was deleted or changed since the edit was prepared.
    """
    parts = list(Video.objects.filter(part_of=video_uuid).values_list("pk", flat=True))
    for row in _recordings_locked(video_uuid, [video_uuid, *parts], prepared, check):
        is_own = (row.bucket, row.prefix) == prepared.places[video_uuid]
        columns_write(row, prepared.columns if is_own else {"part_of_id": None})
    return Video.objects.with_content().get(pk=video_uuid)


@audited()
def clip_create(
    *, video_uuid: UUID, prepared: PreparedEdit, by: UUID, active: bool, content: dict[str, Any], check: Check = allow
) -> Video:
    """Make a video of its own that shows a window of another, and has its own content and publication.

    It needs a grant if its source does.

    Raises:
        VideoNotFoundError, EditOutdatedError: a video was deleted or changed since the edit was prepared.
    """
    rows = {row.pk: row for row in _recordings_locked(video_uuid, list(prepared.inputs), prepared, check)}
    source, edited = rows[video_uuid], prepared.edited or {}
    first = rows[UUID(edited["parts"][0]["recording"])]
    started_at = first.started_at and first.started_at + timedelta(milliseconds=edited["parts"][0]["start_ms"])
    clip = Video.objects.create(
        channel_id=source.channel_id,
        active=active,
        # The predecessor shows it, without a playlist: its own would be that of the whole recording.
        data={"recording_duration_ms": edited["duration_ms"]},
        status=Video.Status.AVAILABLE,
        bucket="",
        prefix="",
        started_at=started_at,
        ended_at=started_at and started_at + timedelta(milliseconds=edited["duration_ms"]),
        duration_ms=edited["duration_ms"],
        session_id="",
        stream_ids=[],
        qa=first.qa,
        playback=Video.Playback.GRANT if source.needs_grant else Video.Playback.PUBLIC,
        clip_of_id=source.clip_of_id or source.pk,
        **prepared.columns,
    )
    if content:
        content_write(clip.pk, by, content)
    return Video.objects.with_content().get(pk=clip.pk)


def _recordings_locked(video_uuid: UUID, uuids: Sequence[UUID], prepared: PreparedEdit, check: Check) -> list[Video]:
    """Lock all rows of the recordings of these videos, and check them; return the rows.

    Raises:
        VideoNotFoundError, EditOutdatedError: a video was deleted or changed since the edit was prepared.
    """
    places = Video.objects.filter(pk__in=[video_uuid, *uuids]).filter(prefix__gt="").values_list("bucket", "prefix")
    place = reduce(or_, (Q(bucket=bucket, prefix=prefix) for bucket, prefix in places), Q(pk__in=[video_uuid, *uuids]))
    rows = list(Video.objects.filter(place).defer("created_at", "data").locked())
    by_uuid = {row.pk: row for row in rows}
    # Read after the locks are held: a statement that waited for one may have seen old content.
    video = Video.objects.with_content().filter(pk=video_uuid).first()
    if video is None:
        raise VideoNotFoundError
    check(video)
    if not prepared.inputs.keys() <= by_uuid.keys():
        raise EditOutdatedError
    prepared.require_unchanged(*(by_uuid[uuid] for uuid in prepared.inputs))
    return rows


def _require_whole(video: Video) -> None:
    """Raise EditConflictError unless the video is that of a recording, and neither joined nor a part."""
    if video.clip_of_id is not None:
        raise EditConflictError(f"{video.pk} is a clip: its window stays, and another clip can be made")
    if video.is_joined:
        raise EditConflictError(f"{video.pk} is joined with others: undo that first")
    if video.part_of_id is not None:
        raise EditConflictError(f"{video.pk} is part of {video.part_of_id}: undo that first")


def _prepared(sources: Sequence[Source]) -> PreparedEdit:
    """Return the edit that shows these windows one after the other."""
    for source in sources:
        if not _is_readable(source.video):
            raise EditConflictError("Only an available recording can be edited, in a bucket that may be read")
    is_short = sum(source.video.duration_ms or 0 for source in sources) <= _FINER_MS
    found = [_multivariant(source.video, finer=is_short) for source in sources]
    places = [(source.video.files_bucket, source.video.prefix or "") for source in sources]
    multivariant = edited_multivariant([playlist for _, playlist in found])
    times = _times(sources, places, multivariant)
    parts = [
        {
            "recording": str(source.video.pk),
            "bucket": source.video.bucket or "",
            "prefix": source.video.prefix,
            "playlist": path,
            "start_ms": cut.start_ms,
            "end_ms": cut.end_ms,
            "at_ms": cut.at_ms,
        }
        for source, (path, _), cut in zip(sources, found, times.cuts, strict=True)
    ]
    edit = [
        {
            "recording": str(source.video.pk),
            "start_ms": None if source.start_ms is None else cut.start_ms,
            "end_ms": None if source.end_ms is None else cut.end_ms,
        }
        for source, cut in zip(sources, times.cuts, strict=True)
    ]
    edited = {
        "duration_ms": times.duration_ms,
        "parts": parts,
        "pictures": _pictures([source.video for source in sources], times),
        "renditions": _renditions(multivariant),
    }
    return PreparedEdit(edit, edited, {source.video.pk: _edit_input(source.video) for source in sources})


def _is_readable(video: Video) -> bool:
    is_available = video.status == Video.Status.AVAILABLE and bool(video.prefix)
    return is_available and video.files_bucket in settings.RECORDING_BUCKETS


def _multivariant(video: Video, *, finer: bool) -> tuple[str, StoredMultivariant]:
    """Return path and content of the playlist of a recording; if `finer`, the one with byte ranges if there is one."""
    place = video.files_bucket, video.prefix or ""
    ranges = (video.facts or {}).get("byte_range_playlist")
    if finer and ranges:
        # Without it the cuts are coarser, and the edit is the same otherwise.
        with suppress(PlaylistUnreadableError):
            return ranges, stored_playlists(*place, ranges)
    return video.playlist, stored_playlists(*place, video.playlist)


def _times(sources: Sequence[Source], places: Sequence[tuple[str, str]], multivariant: EditedMultivariant) -> Timeline:
    """Return where the windows are cut; every rendition is tried."""
    times: Timeline | None = None
    for paths in multivariant.paths:
        renditions = [stored_segments(*place, path) for place, path in zip(places, paths, strict=True)]
        if times is None:
            wanted = zip(renditions, sources, strict=True)
            times = timeline([Part(reference, source.start_ms, source.end_ms) for reference, source in wanted])
        edited_template(times, renditions)
    if times is None:
        raise EditError("the recordings have no rendition in common")
    return times


def _pictures(videos: Sequence[Video], times: Timeline) -> list[list[Any]]:
    """Return those inside the windows. One of a part that is shorter than their interval is from before it."""
    pictures: list[list[Any]] = []
    for number, (video, cut) in enumerate(zip(videos, times.cuts, strict=True)):
        timed = video.timed_recorded_pictures
        inside = [(path, at) for path, at in timed if cut.start_ms <= at < cut.end_ms]
        before = [(path, cut.start_ms) for path, at in timed if at < cut.start_ms]
        pictures += [[number, path, cut.at_ms + at - cut.start_ms] for path, at in inside or before[-1:]]
    kept = evenly_spread([str(number) for number in range(len(pictures))], _MOST_PICTURES)
    return [pictures[int(number)] for number in kept]


def _renditions(multivariant: EditedMultivariant) -> list[dict[str, Any]]:
    renditions = []
    for rendition in stored_multivariant(multivariant.content, "").tagged("#EXT-X-STREAM-INF"):
        folder, _, playlist = rendition.path.rpartition("/")
        sizes = rendition.attributes.get("RESOLUTION", "").split("x")
        width, height = map(int, sizes) if len(sizes) == 2 and all(size.isdecimal() for size in sizes) else (None, None)
        renditions.append({"path": folder, "playlist": playlist, "width": width, "height": height})
    return renditions


def _edit_input(video: Video) -> EditInput:
    """Return all that an edit depends on."""
    facts = video.facts or {}
    return EditInput(
        video.bucket,
        video.prefix,
        video.status,
        video.channel_id,
        (facts.get("playlist"), facts.get("byte_range_playlist")),
        video.edit,
        video.chapters,
        (video.part_of_id, video.clip_of_id, video.duplicate_of_id),
    )
