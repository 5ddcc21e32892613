"""How many rows are written by one statement each: videos, their content, and the notes of a bulk change."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.expressions import RawSQL

from ondemand.bulk_rules import Columns, Decision
from ondemand.models import BulkChange, BulkChangeRow, Video

# What a bulk change reads of a video.
READ = (
    "uuid",
    "status",
    "active",
    "held",
    "held_by_check",
    "awaits_review",
    "visibility",
    "publish_from",
    "publish_until",
    "qa",
    "qa_reasons",
)
# Those that were chosen, and what shares their bucket and prefix.
_RECORDINGS = """
SELECT unnest(%s::uuid[]) UNION
SELECT other.uuid FROM on_demand_videos AS chosen
JOIN on_demand_videos AS other ON other._bucket = chosen._bucket AND other._prefix = chosen._prefix
WHERE chosen.uuid = ANY(%s::uuid[]) AND chosen._prefix <> ''
"""
_VIDEOS = """
UPDATE on_demand_videos AS video SET {assignments} FROM jsonb_to_recordset(%s::jsonb) AS written(uuid uuid, {columns})
WHERE video.uuid = written.uuid
"""
_CONTENT = """
INSERT INTO on_demand_video_content
    (uuid, on_demand_video_uuid, created_at, created_by, title, description, tags, thumbnail)
SELECT gen_random_uuid(), uuid, now(), %s, title, description, tags, thumbnail
FROM jsonb_to_recordset(%s::jsonb) AS written(uuid uuid, title text, description text, tags text[], thumbnail text)
ON CONFLICT (on_demand_video_uuid) DO UPDATE SET tags = excluded.tags
"""
_CONTENT_LOCKED = """
SELECT FROM on_demand_video_content WHERE on_demand_video_uuid = ANY(%s::uuid[]) ORDER BY uuid FOR NO KEY UPDATE
"""
_CONTENT_REMOVED = "DELETE FROM on_demand_video_content WHERE on_demand_video_uuid = ANY(%s::uuid[])"


def videos_locked(uuids: Iterable[UUID], *, with_recordings: bool) -> list[Video]:
    """The videos, for nobody else to write; with the other rows of their recordings where these change with them.

    Who finds a recording, and when, is the same for all its rows.
    """
    chosen = list(uuids)
    wanted: Any = RawSQL(_RECORDINGS, [chosen, chosen]) if with_recordings else chosen  # noqa: S611  (a constant)
    return list(Video.objects.locked().only(*READ).filter(pk__in=wanted))


def videos_with_content(videos: Iterable[Video]) -> list[Video]:
    """The videos with what they show: read once they are locked, for a statement that waited for the lock saw less."""
    return list(Video.objects.with_content().defer("facts", "data").filter(pk__in=[video.pk for video in videos]))


def videos_write(decisions: Mapping[UUID, Decision]) -> None:
    """Write what was decided; all decisions of a bulk change are about the same columns."""
    written = _written(decisions)
    if not written:
        return
    fields: list[Any] = [Video._meta.get_field(name) for name in next(iter(written.values())) or ()]
    assignments = ", ".join(f'"{field.column}" = written."{field.name}"' for field in fields)
    columns = ", ".join(f'"{field.name}" {field.db_type(connection)}' for field in fields)
    sql = _VIDEOS.format(assignments=assignments, columns=columns)
    _execute(sql, [_recordset(written)])


def content_write(decisions: Mapping[UUID, Decision], by: UUID) -> None:
    """Write the tags that were decided, and make or remove the content where there was none."""
    written = _written(decisions)
    if not written:
        return
    kept = {uuid: columns for uuid, columns in written.items() if columns is not None}
    removed = [uuid for uuid, columns in written.items() if columns is None]
    _execute(_CONTENT_LOCKED, [list(written)])
    if kept:
        _execute(_CONTENT, [by, _recordset(kept)])
    if removed:
        _execute(_CONTENT_REMOVED, [removed])


def rows_note(change: BulkChange, decisions: Mapping[UUID, Decision]) -> None:
    """Note what became of each video of the change; rows of their recordings are added to it."""
    rows = [
        BulkChangeRow(
            change=change, video_uuid=uuid, outcome=decision.outcome, before=decision.before, after=decision.after
        )
        for uuid, decision in decisions.items()
    ]
    BulkChangeRow.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["change", "video_uuid"],
        update_fields=["outcome", "before", "after"],
    )


def _written(decisions: Mapping[UUID, Decision]) -> dict[UUID, Columns | None]:
    return {uuid: decision.after for uuid, decision in decisions.items() if decision.is_written}


def _recordset(written: Mapping[UUID, Columns | None]) -> str:
    return json.dumps([{"uuid": str(uuid), **(columns or {})} for uuid, columns in written.items()])


def _execute(sql: str, parameters: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
