"""Every write of videos and content by a person or a client."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from common.audit import audited
from common.errors import ServiceError
from ondemand.models import Content, Video

# Called with the locked video; raises to refuse the write.
Check = Callable[[Video], None]
# All rows of a recording have the same of these: its files, and so its times, are the same. `edit` and `edited` say
# what is shown of it; see `ondemand/playback/edit_services.py`.
_SHARED = ("visibility", "playback", "publish_from", "publish_until", "chapters", "edit", "edited")
EMPTY_CONTENT: dict[str, Any] = {"title": "", "description": "", "tags": [], "thumbnail": ""}
CONTENT = tuple(EMPTY_CONTENT)


class VideoNotFoundError(ServiceError):
    """There is no such video, or it is not visible to the caller."""

    status_code = 404
    code = "not_found"
    sentence = "Recording not found"


class GrantNeededError(ServiceError):
    code = "grant_needed"
    sentence = "It shows a recording that is played with a grant alone, so playback cannot be public"
    staff_sentence = _("It shows another recording that is played with a grant alone, so it needs one too.")


def allow(video: Video) -> None:
    """Refuse nothing."""


@audited()
def content_replace(*, video_uuid: UUID, by: UUID, values: dict[str, Any], check: Check = allow) -> Content:
    """Write the whole content of a video; `uuid`, `created_at` and `created_by` of an existing one stay.

    Raises:
        VideoNotFoundError: there is no such video.
    """
    recording_locked(video_uuid, check)
    return content_write(video_uuid, by, values)


@audited()
def video_update(*, video_uuid: UUID, by: UUID, values: dict[str, Any], check: Check = allow) -> Video:
    """Change some values of a video: its content, publication, `playback`, edit, `chapters` and `metadata`.

    All rows of a recording have the same of these but the content. A duplicate that shows the content of the first row
    gets a copy of it when part of it is changed.

    Raises:
        VideoNotFoundError: there is no such video.
        GrantNeededError: it would be public, and shows another recording that needs a grant.
    """
    video, rows = recording_locked(video_uuid, check, protects="playback" in values)
    written = {name: values[name] for name in CONTENT if name in values}
    if written:
        shown = video.shown_content if video.own_content is None else None
        kept = {name: getattr(shown, name) for name in CONTENT} if shown else {}
        content_write(video_uuid, by, {**kept, **written})
    shared = {name: values[name] for name in _SHARED if name in values}
    if not shared.get("chapters", True):
        shared["chapters"] = None
    if "visibility" in values:
        shared["awaits_review"] = False
    for row in rows:
        decided = shown_or_hidden(row, shown=values["active"]) if values.get("active") is not None else {}
        own = {"metadata": values["metadata"]} if "metadata" in values and row.pk == video_uuid else {}
        columns_write(row, {**shared, **decided, **own})
    video = Video.objects.with_content().get(pk=video_uuid)
    if values.get("playback") == Video.Playback.PUBLIC and video.needs_grant:
        # A trigger decides: `derive_video.sql`.
        raise GrantNeededError
    return video


@audited()
def video_hide(*, video_uuid: UUID, check: Check = allow) -> None:
    """Remove a video, with all rows of its recording, from every list and page; its files stay in S3.

    Raises:
        VideoNotFoundError: there is no such video.
    """
    for row in recording_locked(video_uuid, check)[1]:
        columns_write(row, shown_or_hidden(row, shown=False))


@audited()
def video_show(*, video_uuid: UUID, check: Check = allow) -> None:
    """Undo `video_hide`. A video that is not available yet is shown when its recording ends.

    Raises:
        VideoNotFoundError: there is no such video.
    """
    for row in recording_locked(video_uuid, check)[1]:
        columns_write(row, shown_or_hidden(row, shown=True))


def shown_or_hidden(video: Video, *, shown: bool) -> dict[str, Any]:
    """Return the columns that show or hide a video."""
    if not shown:
        return {"active": False, "awaits_review": False}
    # NULL, so that the predecessor does not list it before Recording End, which sees that it is not held.
    active = True if video.status == Video.Status.AVAILABLE else None
    return {"active": active, "held": False, "held_by_check": False, "awaits_review": False}


def recording_locked(video_uuid: UUID, check: Check = allow, *, protects: bool = False) -> tuple[Video, list[Video]]:
    """Lock all rows of a recording, those of the predecessor too; return the checked video with content, and the rows.

    With `protects` the videos that show the recording are locked too: its playback may change theirs.

    Raises:
        VideoNotFoundError: there is no such video.
    """
    rows, video = [], None
    if place := Video.objects.filter(pk=video_uuid).values("bucket", "prefix").first():
        own = Video.objects.of_recording(video_uuid, **place)
        found = own | Video.objects.showing(**place) if protects and place["prefix"] else own
        locked = list(found.defer("created_at", "data").locked())
        # Of the others, only the trigger writes some: `protect_edited.sql`.
        is_own = (place["bucket"], place["prefix"] or None)
        rows = [row for row in locked if row.pk == video_uuid or (row.bucket, row.prefix) == is_own]
        # Read after the locks are held: a statement that waited for one may have seen old content.
        video = Video.objects.with_content().filter(pk=video_uuid).first()
    if video is None:
        raise VideoNotFoundError
    check(video)
    return video, rows


def content_write(video_uuid: UUID, by: UUID, values: dict[str, Any]) -> Content:
    """Make or change the content of a locked video."""
    content, is_new = Content.objects.select_for_update().get_or_create(
        video_id=video_uuid, defaults={**EMPTY_CONTENT, **values, "created_by": by}
    )
    if not is_new:
        # `update_or_create` would also write `created_at`, in the precision of Python.
        columns_write(content, values)
    return content


def columns_write(row: Video | Content, columns: dict[str, Any]) -> None:
    """Write columns of a locked row."""
    for name, value in columns.items():
        setattr(row, name, value)
    if columns:
        row.save(update_fields=list(columns))
