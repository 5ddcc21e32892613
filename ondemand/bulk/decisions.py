"""The columns that a bulk change, or its undoing, writes for each video."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from channels_app.models import AuditEntry, new_video_state
from ondemand.models import BulkChange, BulkChangeRow, Content, Video
from ondemand.recordings.handlers import publication_decide
from ondemand.videos.form_values import awaits_decision
from ondemand.videos.limits import MOST_TAGS
from ondemand.videos.services import CONTENT, EMPTY_CONTENT, shown_or_hidden

Outcome = BulkChangeRow.Outcome
Columns = dict[str, Any]
# Recording End decides these if staff have not.
_DECIDED_AT_END = ("active", "visibility", "held")
# An audit entry: its operation, and the field names with the values before and after.
Entry = tuple[str | None, dict[str, Any]]


@dataclass(frozen=True)
class Operation:
    """An audited operation to undo: its id, the filter for later audit entries, and the fields it wrote."""

    name: str
    since: Q
    fields: tuple[str, ...]
    is_of_tags: bool = False


@dataclass(frozen=True)
class Decision:
    """The outcome for one video and, if it is written, its columns; None removes the content."""

    outcome: Outcome
    columns: Columns | None = None


def video_columns(kind: str, video: Video, values: Mapping[str, Any]) -> Columns:
    """Return the columns that a change writes for a video; the same names for every video that it changes."""
    return _VIDEO_COLUMNS[BulkChange.Kind(kind)](video, values)


def video_decision(kind: str, video: Video, values: Mapping[str, Any]) -> Decision:
    """Return the decision for a change of the video itself."""
    columns = video_columns(kind, video, values)
    is_same = all(getattr(video, name) == value for name, value in columns.items())
    return Decision(Outcome.SAME) if is_same else Decision(Outcome.CHANGED, columns)


def content_decision(kind: str, video: Video, values: Mapping[str, Any]) -> Decision:
    """Return the decision for a change of tags; missing content is created whole.

    As with every change of content, a duplicate that shows the content of the first row gets a copy of it.
    """
    shown = video.shown_content
    tags = shown.shown_tags if shown else []
    written = tags_after(kind, tags, values["tags"], values.get("to", ""))
    if written == tags:
        return Decision(Outcome.SAME)
    if len(written) > max(MOST_TAGS, len(tags)):
        return Decision(Outcome.TOO_MANY_TAGS)
    if video.own_content is not None:
        return Decision(Outcome.CHANGED, {"tags": written})
    # No text is NULL, so that the audit entry has all of them: undoing knows by them that the content was created.
    copied = {name: getattr(shown, name, None) or empty for name, empty in EMPTY_CONTENT.items()}
    return Decision(Outcome.CHANGED, {**copied, "tags": written})


def tags_after(kind: str, tags: list[str], named: list[str], to: str = "") -> list[str]:
    """Return the tags of a video after the change: each once, in their order, new ones at the end."""
    if kind == BulkChange.Kind.ADD_TAGS:
        changed = [*tags, *named]
    elif kind == BulkChange.Kind.REMOVE_TAGS:
        changed = [tag for tag in tags if tag not in named]
    else:
        changed = [to if tag in named else tag for tag in tags]
    return changed if changed == tags else list(dict.fromkeys(changed))


def dates_have_no_effect(video: Video, values: Mapping[str, Any]) -> bool:
    """Return whether a schedule leaves a video unchanged: it has a date, and the video still awaits a decision."""
    has_date = bool(values.get("publish_from") or values.get("publish_until"))
    return has_date and not values.get("shown") and awaits_decision(video)


def _schedule(video: Video, values: Mapping[str, Any]) -> Columns:
    if dates_have_no_effect(video, values):
        return {}
    texts = {name: values.get(name) for name in ("publish_from", "publish_until")}
    window = {name: datetime.fromisoformat(text) if text else None for name, text in texts.items()}
    if not values.get("shown"):
        return window
    # The same columns of every row, since one statement writes them.
    shown = shown_or_hidden(video, shown=True)
    return {**window, **(shown if awaits_decision(video) else {name: getattr(video, name) for name in shown})}


_VIDEO_COLUMNS: dict[BulkChange.Kind, Callable[[Video, Mapping[str, Any]], Columns]] = {
    BulkChange.Kind.SHOW: lambda video, values: shown_or_hidden(video, shown=True),
    BulkChange.Kind.HIDE: lambda video, values: shown_or_hidden(video, shown=False),
    BulkChange.Kind.LIST: lambda video, values: {"visibility": Video.Visibility.PUBLIC.value, "awaits_review": False},
    BulkChange.Kind.UNLIST: lambda video, values: {
        "visibility": Video.Visibility.UNLISTED.value,
        "awaits_review": False,
    },
    BulkChange.Kind.PROTECT: lambda video, values: {"playback": Video.Playback.GRANT.value},
    BulkChange.Kind.UNPROTECT: lambda video, values: {"playback": Video.Playback.PUBLIC.value},
    BulkChange.Kind.SCHEDULE: _schedule,
    BulkChange.Kind.CHECK: lambda video, values: {"qa": Video.Qa.UNVERIFIED.value, "qa_reasons": None},
}


def bulk_operation(change: BulkChange) -> Operation:
    """Return the operation of a bulk change."""
    fields = CONTENT if change.is_of_tags else tuple(video_columns(change.kind, Video(), change.values or {}))
    return Operation(change.operation, Q(timestamp__gte=change.made_at), fields, change.is_of_tags)


def undo_decisions(made: Operation, videos: Iterable[Video]) -> dict[UUID, Decision]:
    """Return a decision for each video, which the caller has locked: its earlier values, or the reason to keep it.

    A video stays as it is if somebody has written a field of the operation since, or if its audit entry is missing.
    """
    rows = {video.pk: video for video in videos}
    entries = _audit_entries(made, rows)
    decisions = {pk: _decision(made, video, entries[pk]) for pk, video in rows.items()}
    # Undecided before the change, and the recording has ended since: no event will come to decide it.
    undecided = [
        pk
        for pk, decision in decisions.items()
        if any((decision.columns or {}).get(name, ...) is None for name in _DECIDED_AT_END)
        and rows[pk].status == Video.Status.AVAILABLE
        and any("status" in changes for changes in _since(made, entries[pk]))
    ]
    if undecided:
        for pk, state in Video.objects.filter(pk__in=undecided).values_list("pk", new_video_state("channel__")):
            columns = decisions[pk].columns or {}
            video = Video(qa=rows[pk].qa, **(dict.fromkeys(_DECIDED_AT_END) | columns))
            publication_decide(video, state)
            decisions[pk] = Decision(Outcome.UNDONE, {name: getattr(video, name) for name in columns})
    return decisions


def _audit_entries(made: Operation, uuids: Iterable[UUID]) -> dict[UUID, list[Entry]]:
    """Return the entries of each video about the fields and its status since the operation, the oldest first.

    An entry has its id while the row is locked, so that the ids of one video are in the order of its writes.
    """
    found = AuditEntry.objects.filter(
        made.since,
        content_type=ContentType.objects.get_for_model(Video),
        object_pk__in=[str(uuid) for uuid in uuids],
        changes__has_any_keys=["status", *made.fields],
    )
    entries: dict[UUID, list[Entry]] = defaultdict(list)
    for object_pk, operation, changes in found.order_by("pk").values_list("object_pk", "cid", "changes"):
        entries[UUID(object_pk)].append((operation, changes))
    return entries


def _since(made: Operation, entries: list[Entry]) -> list[dict[str, Any]]:
    """Return the later changes of other writers, after the first one of the operation."""
    operations = [operation for operation, _ in entries]
    first = operations.index(made.name) if made.name in operations else len(operations)
    return [changes for operation, changes in entries[first:] if operation != made.name]


def _decision(made: Operation, video: Video, entries: list[Entry]) -> Decision:
    names = made.fields
    model, row = (Content, video.own_content) if made.is_of_tags else (Video, video)
    fields: Any = {name: model._meta.get_field(name) for name in names}
    own = [changes for operation, changes in entries if operation == made.name]
    written = [(name, *values) for changes in own for name, values in changes.items() if name in names]
    # A check of files writes its marks first and then its verdicts.
    before = {name: fields[name].to_python(old) for name, old, _ in reversed(written)}
    after = {name: fields[name].to_python(new) for name, _, new in written}
    if not written:
        return Decision(Outcome.UNRECORDED)
    # Tags that were changed are restored even if the title changed; a content that was created is removed as it was.
    watched = before if made.is_of_tags else names
    is_written_since = any(not changes.keys().isdisjoint(watched) for changes in _since(made, entries))
    if is_written_since or any(getattr(row, name, None) != value for name, value in after.items()):
        return Decision(Outcome.CHANGED_SINCE)
    if made.is_of_tags:
        return Decision(Outcome.UNDONE, None if "title" in before else before)
    return Decision(Outcome.UNDONE, {name: getattr(video, name) for name in names} | before)
