"""What happened to the videos of a bulk change since it wrote them, so that undoing does no harm to it."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Q, QuerySet

from channels_app.models import AuditEntry, Channel
from ondemand.bulk_rules import Columns, Kind
from ondemand.models import BulkChange, BulkChangeRow, Video
from ondemand.reducers import publication_decide

# Recording End decides these where nobody has.
_DECIDED = ("active", "visibility", "held")


def written_again(change: BulkChange, rows: Iterable[BulkChangeRow]) -> set[UUID]:
    """The videos of which somebody wrote the same columns since, be it to what the change had made of them."""
    # The verdict of a check is written by the change itself.
    if change.kind == Kind.CHECK:
        return set()
    written = {str(row.video_uuid): list(row.after or {}) for row in rows}
    if not written:
        return set()
    names = {name for columns in written.values() for name in columns}
    entries = _entries_since(change, written, names).values("object_pk").annotate(many=Count("pk"))
    # One of them is the change's own.
    return {UUID(entry["object_pk"]) for entry in entries if entry["many"] > 1}


def decided_since(change: BulkChange, rows: Iterable[BulkChangeRow]) -> dict[UUID, Columns | None]:
    """What was before, of videos whose recording ended since: what its end would have decided, had nobody changed it.

    Before, nothing was decided; put back as it was, such a video would wait for an end that has come already.
    """
    undecided = {row.video_uuid: row.before for row in rows if _is_undecided(row.before)}
    if not undecided:
        return {}
    since = set(_entries_since(change, undecided, {"status"}).values_list("object_pk", flat=True))
    ended = list(Video.objects.filter(pk__in=since, status=Video.Status.AVAILABLE).values("pk", "channel_id", "qa"))
    states = dict(
        Channel.objects.filter(pk__in=[video["channel_id"] for video in ended])
        .exclude(Q(new_video_state="") | Q(new_video_state=None))
        .values_list("pk", "new_video_state")
    )
    return {
        video["pk"]: _decided(undecided[video["pk"]] or {}, video["qa"], states.get(video["channel_id"]))
        for video in ended
    }


def _entries_since(change: BulkChange, uuids: Iterable[Any], fields: set[str]) -> QuerySet[AuditEntry]:
    """What the audit log has about these fields of the videos since the change began."""
    return AuditEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Video),
        object_pk__in=[str(uuid) for uuid in uuids],
        timestamp__gte=change.begun_at,
        changes__has_any_keys=sorted(fields),
    ).order_by()


def _is_undecided(before: Columns | None) -> bool:
    return any(name in _DECIDED and value is None for name, value in (before or {}).items())


def _decided(before: Columns, qa: str | None, state: str | None) -> Columns:
    nothing: dict[str, Any] = dict.fromkeys(_DECIDED) | {"held_by_check": False, "awaits_review": False, "qa": qa}
    video = SimpleNamespace(**(nothing | before))
    publication_decide(video, state or settings.NEW_VIDEO_STATE)
    return {name: getattr(video, name) for name in before}
