"""The decisions of undoing a bulk change: from its audit entries, which have the values before and after."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType

from channels_app.models import AuditEntry, new_video_state
from ondemand.bulk.decisions import Decision, Outcome, video_columns
from ondemand.models import BulkChange, Content, Video
from ondemand.recordings.handlers import publication_decide
from ondemand.videos.services import CONTENT

# Recording End decides these where nobody has.
_DECIDED_AT_END = ("active", "visibility", "held")
# An audit entry: its operation, and the field names with the values before and after.
Entry = tuple[str | None, dict[str, Any]]


def undo_decisions(change: BulkChange, videos: Iterable[Video]) -> dict[UUID, Decision]:
    """Decide for each video, which the caller has locked, whether and how it goes back to what it was.

    A video stays as it is if somebody has written a column of the change since, or if its audit entry is missing.
    """
    rows = {video.pk: video for video in videos}
    names = CONTENT if change.is_of_tags else tuple(video_columns(change.kind, Video(), change.values or {}))
    entries = _audit_entries(change, rows, names)
    decisions = {pk: _decision(change, video, names, entries[pk]) for pk, video in rows.items()}
    # Before the change nothing was decided. An end that came since would not come again to decide it.
    undecided = [
        pk
        for pk, decision in decisions.items()
        if any((decision.columns or {}).get(name, ...) is None for name in _DECIDED_AT_END)
        and rows[pk].status == Video.Status.AVAILABLE
        and any("status" in changes for changes in _since(change, entries[pk]))
    ]
    if undecided:
        for pk, state in Video.objects.filter(pk__in=undecided).values_list("pk", new_video_state("channel__")):
            columns = decisions[pk].columns or {}
            video = Video(qa=rows[pk].qa, **(dict.fromkeys(_DECIDED_AT_END) | columns))
            publication_decide(video, state)
            decisions[pk] = Decision(Outcome.UNDONE, {name: getattr(video, name) for name in columns})
    return decisions


def _audit_entries(change: BulkChange, uuids: Iterable[UUID], names: Iterable[str]) -> dict[UUID, list[Entry]]:
    """Return the entries of each video about these fields and its status since the change was made, the oldest first.

    An entry has its id while the row is locked, so that the ids of one video are in the order of its writes.
    """
    found = AuditEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Video),
        object_pk__in=[str(uuid) for uuid in uuids],
        timestamp__gte=change.made_at,
        changes__has_any_keys=["status", *names],
    )
    entries: dict[UUID, list[Entry]] = defaultdict(list)
    for object_pk, operation, changes in found.order_by("pk").values_list("object_pk", "cid", "changes"):
        entries[UUID(object_pk)].append((operation, changes))
    return entries


def _since(change: BulkChange, entries: list[Entry]) -> list[dict[str, Any]]:
    """Return the changes that others made after the first one of the bulk change."""
    operations = [operation for operation, _ in entries]
    first = operations.index(change.operation) if change.operation in operations else len(operations)
    return [changes for operation, changes in entries[first:] if operation != change.operation]


def _decision(change: BulkChange, video: Video, names: tuple[str, ...], entries: list[Entry]) -> Decision:
    model, row = (Content, video.own_content) if change.is_of_tags else (Video, video)
    fields: Any = {name: model._meta.get_field(name) for name in names}
    own = [changes for operation, changes in entries if operation == change.operation]
    written = [(name, *values) for changes in own for name, values in changes.items() if name in names]
    # A check of files writes its marks first and then its verdicts.
    before = {name: fields[name].to_python(old) for name, old, _ in reversed(written)}
    after = {name: fields[name].to_python(new) for name, _, new in written}
    if not written:
        return Decision(Outcome.UNRECORDED)
    # Tags that were changed are restored even if the title changed; a content that was created is removed as it was.
    watched = before if change.is_of_tags else names
    is_written_since = any(not changes.keys().isdisjoint(watched) for changes in _since(change, entries))
    if is_written_since or any(getattr(row, name, None) != value for name, value in after.items()):
        return Decision(Outcome.CHANGED_SINCE)
    if change.is_of_tags:
        return Decision(Outcome.UNDONE, None if "title" in before else before)
    return Decision(Outcome.UNDONE, {name: getattr(video, name) for name in names} | before)
