"""Undo of one decision about a video, by the same rules as that of a bulk change."""

from uuid import UUID

from django.db.models import Q

from channels_app.models import AuditEntry
from common.audit import Way, actor_name, audited
from ondemand.bulk.decisions import Operation, Outcome, undo_decisions
from ondemand.models import Video
from ondemand.videos.services import GrantNeededError, columns_write, recording_locked

_PUBLICATION = (
    "active",
    "held",
    "held_by_check",
    "awaits_review",
    "visibility",
    "playback",
    "publish_from",
    "publish_until",
)


@audited()
def publication_undo(*, video_uuid: UUID, operation: str) -> Outcome:
    """Restore the publication that a video, with all rows of its recording, had before a decision of this actor.

    Its content stays. Nothing is written unless the outcome is `UNDONE`.

    Raises:
        VideoNotFoundError: there is no such video.
        GrantNeededError: it would be public, and shows another recording that needs a grant.
    """
    _video, rows = recording_locked(video_uuid, protects=True)
    own = AuditEntry.objects.filter(
        content_type__app_label="ondemand",
        content_type__model="video",
        object_pk__in=[str(row.pk) for row in rows],
        cid=operation,
        way=Way.ADMIN,
        actor_name=actor_name(),
    )
    first = own.order_by("pk").values_list("pk", flat=True).first()
    if first is None:
        return Outcome.UNRECORDED
    decisions = undo_decisions(Operation(operation, Q(pk__gte=first), _PUBLICATION), rows)
    if decisions[video_uuid].outcome == Outcome.UNDONE:
        for row in rows:
            columns_write(row, decisions[row.pk].columns or {})
        restored = (decisions[video_uuid].columns or {})["playback"]
        if restored == Video.Playback.PUBLIC and Video.objects.get(pk=video_uuid).needs_grant:
            # A trigger decides: `derive_video.sql`.
            raise GrantNeededError
    return decisions[video_uuid].outcome
