"""What happened to the videos of a bulk change since it wrote them, so that undoing does no harm to it."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, QuerySet

from channels_app.models import AuditEntry
from ondemand.bulk_rules import Columns, Kind
from ondemand.catalogue import IS_PRIVATE
from ondemand.models import BulkChange, BulkChangeRow, Video
from ondemand.reducers import new_video_state, publication_decide

# Recording End decides these where nobody has.
_DECIDED = ("active", "visibility", "held")


def written_again(change: BulkChange, rows: Collection[BulkChangeRow]) -> set[UUID]:
    """The videos of which somebody wrote the same columns since, be it to what the change had made of them."""
    # The verdict of a check is written by the change itself.
    if change.kind == Kind.CHECK:
        return set()
    names = {name for row in rows for name in row.after or {}}
    entries = _entries_since(change, [row.video_uuid for row in rows], names)
    counted = entries.values("object_pk").annotate(many=Count("pk"))
    # One of them is the change's own.
    return {UUID(entry["object_pk"]) for entry in counted.filter(many__gt=1)}


def decided_since(change: BulkChange, rows: Collection[BulkChangeRow]) -> dict[UUID, Columns | None]:
    """What was before, of videos whose recording ended since: what its end would have decided, had nobody changed it.

    Before, nothing was decided; put back as it was, such a video would wait for an end that has come already.
    """
    undecided = {row.video_uuid: row.before for row in rows if row.before and _is_undecided(row.before)}
    if not undecided:
        return {}
    since = set(_entries_since(change, undecided, {"status"}).values_list("object_pk", flat=True))
    ended = Video.objects.filter(pk__in=since, status=Video.Status.AVAILABLE)
    return {
        uuid: _decided(undecided[uuid], qa, new_video_state(of_channel, is_private=is_private))
        for uuid, qa, of_channel, is_private in ended.values_list("pk", "qa", "channel__new_video_state", IS_PRIVATE)
    }


def _entries_since(change: BulkChange, uuids: Iterable[Any], fields: set[str]) -> QuerySet[AuditEntry]:
    """What the audit log has about these fields of the videos since the change began."""
    return AuditEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Video),
        object_pk__in=[str(uuid) for uuid in uuids],
        timestamp__gte=change.begun_at,
        changes__has_any_keys=sorted(fields),
    ).order_by()


def _is_undecided(before: Columns) -> bool:
    return any(before.get(name, ...) is None for name in _DECIDED)


def _decided(before: Columns, qa: str | None, state: str) -> Columns:
    video = Video(qa=qa, **(dict.fromkeys(_DECIDED) | before))
    publication_decide(video, state)
    return {name: getattr(video, name) for name in before}
