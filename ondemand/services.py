"""Every write of videos and content that a person or a client asks for."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, When

from ondemand.models import Content, Video


class VideoNotFoundError(Exception):
    """There is no video with this uuid."""


@transaction.atomic
def content_replace(*, video_uuid: UUID, by: UUID, values: dict[str, Any]) -> Content:
    """Write the whole content of a video; `uuid`, `created_at` and `created_by` of an existing one stay.

    Raises:
        VideoNotFoundError: there is no such video.
    """
    if not Video.objects.select_for_update(no_key=True).filter(pk=video_uuid).exists():
        raise VideoNotFoundError(str(video_uuid))
    content, _ = Content.objects.update_or_create(
        video_id=video_uuid, defaults=values, create_defaults={**values, "created_by": by}
    )
    return content


def video_hide(*, video_uuid: UUID) -> None:
    """Take a video out of every list and page; its files stay.

    Raises:
        VideoNotFoundError: there is no such video.
    """
    _set_active(video_uuid, active=False)


def video_show(*, video_uuid: UUID) -> None:
    """Undo `video_hide`. One that is not available yet stays unlisted until its recording ends, as if never hidden.

    Raises:
        VideoNotFoundError: there is no such video.
    """
    # NULL, so that the predecessor does not list it either.
    _set_active(video_uuid, active=Case(When(status=Video.Status.AVAILABLE, then=True), default=None))


def _set_active(video_uuid: UUID, *, active: bool | Case) -> None:
    if not Video.objects.filter(pk=video_uuid).update(active=active):
        raise VideoNotFoundError(str(video_uuid))
