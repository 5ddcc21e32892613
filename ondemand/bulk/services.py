"""Services of bulk changes: choose videos, change them in committed batches, undo the change in batches likewise."""

import json
from collections.abc import Mapping
from time import monotonic
from typing import Any
from uuid import UUID

from django.contrib.postgres.functions import TransactionNow
from django.db import connection
from django.db.models import Count, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from common.audit import acting_within, audited
from ondemand.bulk.decisions import (
    Columns,
    Decision,
    Outcome,
    bulk_operation,
    content_decision,
    undo_decisions,
    video_decision,
)
from ondemand.models import BulkChange, BulkChangeRow, Video
from ondemand.models.querysets import VideoQuerySet
from ondemand.recordings.inspection import videos_recheck

BATCH = 1000
MOST_CHOSEN = 250_000
# API Gateway waits for 29 s, and the check of the files of one recording may take 20 of them.
SECONDS = 20
CHECK_SECONDS = 8
# The chosen videos, and those that share their bucket and prefix.
_RECORDINGS = """
SELECT unnest(%s::uuid[]) UNION
SELECT other.uuid FROM on_demand_videos AS chosen
JOIN on_demand_videos AS other ON other._bucket = chosen._bucket AND other._prefix = chosen._prefix
WHERE chosen.uuid = ANY(%s::uuid[]) AND chosen._prefix <> ''
"""


class TooManyChosenError(Exception):
    """More videos were chosen than a change may have; the message is for staff, in their language."""


class BulkChangeStateError(Exception):
    """The state of a bulk change does not allow the call; the message is for staff, in their language."""


@audited()
def bulk_choose(
    *,
    kind: str,
    videos: QuerySet[Video],
    by: UUID,
    by_name: str,
    query: str = "",
    values: Mapping[str, Any] | None = None,
) -> BulkChange:
    """Store the videos of the query as a draft, and remove the changes past their retention.

    Raises:
        TooManyChosenError: there are more than `MOST_CHOSEN`.
    """
    BulkChange.objects.outlived().delete()
    change = BulkChange(kind=kind, by=by, by_name=by_name, query=query, values=values and dict(values), chosen=0)
    # By the clock of the audit log, so that undoing finds later writes in it.
    change.made_at = TransactionNow()
    change.save(force_insert=True)
    sql, parameters = videos.order_by().values("pk")[: MOST_CHOSEN + 1].query.sql_with_params()
    # The QuerySet's own SQL, with its parameters apart.
    insert = f"""
        INSERT INTO ondemand_bulkchangerow (change_id, video_uuid, outcome)
        SELECT %s, uuid, 'waiting' FROM ({sql}) AS chosen(uuid)
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(insert, [change.pk, *parameters])
        change.chosen = cursor.rowcount
    if change.chosen > MOST_CHOSEN:
        message = _("More than {most} videos are chosen: narrow the list, for example by date")
        raise TooManyChosenError(message.format(most=MOST_CHOSEN))
    change.save(update_fields=["chosen"])
    change.refresh_from_db(fields=["made_at"])
    return change


@audited()
def bulk_values_set(*, change_uuid: UUID, values: Mapping[str, Any]) -> BulkChange:
    """Set the values of a draft, such as tags or a publication window.

    Raises:
        BulkChangeStateError: the change has begun.
    """
    change = _locked(change_uuid)
    if change.state != BulkChange.State.DRAFT:
        raise BulkChangeStateError(_("This change has begun already"))
    change.values = dict(values)
    change.save(update_fields=["values"])
    return change


@audited()
def bulk_begin(*, change_uuid: UUID) -> BulkChange:
    """Set the state of a draft to running; a change that has begun stays as it is.

    Raises:
        BulkChangeStateError: its values are not set.
    """
    change = _locked(change_uuid)
    if change.values is None:
        raise BulkChangeStateError(_("The values of this change are not set yet"))
    if change.state == BulkChange.State.DRAFT:
        _state_set(change, BulkChange.State.RUNNING)
    return change


def bulk_run(*, change_uuid: UUID, seconds: float = SECONDS) -> None:
    """Change the waiting videos in committed batches while there is time; another call resumes.

    Safe to stop anywhere, and beside another call. All audit entries have the change as their operation: undoing reads
    the values before the change from them.
    """
    began = monotonic()
    with acting_within(BulkChange(pk=change_uuid).operation, command="bulk change"):
        while _run_batch(change_uuid) and monotonic() < began + seconds:
            pass
        change = _outcomes_store(change_uuid)
        if change.kind == BulkChange.Kind.CHECK and change.state == BulkChange.State.DONE:
            # The oldest first. A verdict is stored by its own transaction.
            for _recheck in videos_recheck(videos_to_check(change)):
                if monotonic() >= began + min(seconds, CHECK_SECONDS):
                    break


def bulk_undo(*, change_uuid: UUID, seconds: float = SECONDS) -> None:
    """Restore the videos, except those that somebody changed since, in committed batches as `bulk_run`.

    Raises:
        BulkChangeStateError: the change has not begun.
    """
    until = monotonic() + seconds
    while _undo_batch(change_uuid) and monotonic() < until:
        pass
    _outcomes_store(change_uuid)


def bulk_outcomes(change: BulkChange) -> dict[str, int]:
    """Return the number of rows of each outcome."""
    counted = change.rows.order_by("outcome").values("outcome").annotate(rows=Count("pk"))
    return dict(counted.values_list("outcome", "rows"))


def videos_to_check(change: BulkChange) -> VideoQuerySet:
    """Return the videos of a change that were marked, and not checked since."""
    marked = change.rows.filter(outcome=Outcome.CHANGED).values("video_uuid")
    return Video.objects.with_files().filter(qa=Video.Qa.UNVERIFIED, pk__in=marked)


@audited()
def _run_batch(change_uuid: UUID) -> bool:
    """Change the next waiting videos; return False if none is left, or the change is not running."""
    change = _locked(change_uuid)
    if change.state != BulkChange.State.RUNNING:
        return False
    uuids = _next(change, Outcome.WAITING)
    if not uuids:
        _state_set(change, BulkChange.State.DONE)
        return False
    values = change.values or {}
    decide = content_decision if change.is_of_tags else video_decision
    # Who finds a recording, and when, is the same for all its rows.
    is_check = change.kind == BulkChange.Kind.CHECK
    videos = _videos_locked(change, uuids, with_recordings=not (change.is_of_tags or is_check))
    decisions = {video.pk: decide(change.kind, video, values) for video in videos}
    if is_check:
        have_files = set(Video.objects.with_files().filter(pk__in=decisions).values_list("pk", flat=True))
        decisions |= {uuid: Decision(Outcome.NO_FILES) for uuid in decisions if uuid not in have_files}
    _write(change, dict.fromkeys(uuids, Decision(Outcome.GONE)) | decisions)
    return True


@audited()
def _undo_batch(change_uuid: UUID) -> bool:
    """Restore the next changed videos; return False if none is left."""
    change = _locked(change_uuid)
    if change.state == BulkChange.State.DRAFT:
        raise BulkChangeStateError(_("This change has not begun"))
    uuids = _next(change, Outcome.CHANGED)
    _state_set(change, BulkChange.State.UNDOING if uuids else BulkChange.State.UNDONE)
    if not uuids:
        return False
    videos = _videos_locked(change, uuids, with_recordings=False)
    _write(change, dict.fromkeys(uuids, Decision(Outcome.GONE)) | undo_decisions(bulk_operation(change), videos))
    return True


@audited()
def _outcomes_store(change_uuid: UUID) -> BulkChange:
    change = _locked(change_uuid)
    change.outcomes = bulk_outcomes(change)
    change.save(update_fields=["outcomes"])
    return change


def _locked(change_uuid: UUID) -> BulkChange:
    """Return the change, locked so that no other call takes its next batch."""
    return BulkChange.objects.select_for_update().get(pk=change_uuid)


def _state_set(change: BulkChange, state: BulkChange.State) -> None:
    if change.state != state:
        change.state = state
        change.save(update_fields=["state"])


def _next(change: BulkChange, outcome: Outcome) -> list[UUID]:
    rows = change.rows.filter(outcome=outcome).order_by("pk")
    return list(rows.values_list("video_uuid", flat=True)[:BATCH])


def _videos_locked(change: BulkChange, uuids: list[UUID], *, with_recordings: bool) -> list[Video]:
    """Return the locked videos, with their content for a change of tags, and the other rows of their recordings."""
    locked: Any = RawSQL(_RECORDINGS, [uuids, uuids]) if with_recordings else uuids  # noqa: S611  (a constant)
    videos = list(Video.objects.locked().defer("created_at", "data", "facts", "metadata").filter(pk__in=locked))
    if not change.is_of_tags:
        return videos
    # Content is read after the locks are held: a statement that waited for a lock may have read what was there before.
    return list(Video.objects.with_content().defer("facts", "data").filter(pk__in=[video.pk for video in videos]))


def _write(change: BulkChange, decisions: Mapping[UUID, Decision]) -> None:
    """Write the decided rows by one statement, and store each outcome; rows of recordings are added to the change."""
    changes = {Outcome.CHANGED, Outcome.UNDONE}
    written = {uuid: decision.columns for uuid, decision in decisions.items() if decision.outcome in changes}
    if written and change.is_of_tags:
        _content_write(written, change.by)
    elif written:
        fields: list[Any] = [Video._meta.get_field(name) for name in next(iter(written.values())) or ()]
        assignments = ", ".join(f'"{field.column}" = written."{field.name}"' for field in fields)
        columns = ", ".join(f'"{field.name}" {field.db_type(connection)}' for field in fields)
        _execute(
            f"UPDATE on_demand_videos AS video SET {assignments} "  # noqa: S608  (names of our fields)
            f"FROM jsonb_to_recordset(%s::jsonb) AS written(uuid uuid, {columns}) WHERE video.uuid = written.uuid",
            [_recordset(written)],
        )
        public = [pk for pk, columns in written.items() if (columns or {}).get("playback") == Video.Playback.PUBLIC]
        if public:
            # A trigger decides: `derive_video.sql`.
            kept = Video.objects.with_grant_alone().filter(pk__in=public).values_list("pk", flat=True)
            decisions = {**decisions, **dict.fromkeys(kept, Decision(Outcome.GRANT_NEEDED))}
    rows = [BulkChangeRow(change=change, video_uuid=uuid, outcome=made.outcome) for uuid, made in decisions.items()]
    BulkChangeRow.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["change", "video_uuid"], update_fields=["outcome"]
    )


def _content_write(written: Mapping[UUID, Columns | None], by: UUID) -> None:
    """Write the tags, create the content that is missing, and remove the content that has no columns."""
    removed = [uuid for uuid, columns in written.items() if columns is None]
    _execute(
        "SELECT FROM on_demand_video_content WHERE on_demand_video_uuid = ANY(%s::uuid[]) ORDER BY uuid "
        "FOR NO KEY UPDATE",
        [list(written)],
    )
    if len(removed) < len(written):
        sql = """
            INSERT INTO on_demand_video_content
                (uuid, on_demand_video_uuid, created_at, created_by, title, description, tags, thumbnail)
            SELECT gen_random_uuid(), uuid, now(), %s, title, description, tags, thumbnail
            FROM jsonb_to_recordset(%s::jsonb)
                AS written(uuid uuid, title text, description text, tags text[], thumbnail text)
            ON CONFLICT (on_demand_video_uuid) DO UPDATE SET tags = excluded.tags
        """
        _execute(sql, [by, _recordset({uuid: columns for uuid, columns in written.items() if columns is not None})])
    if removed:
        _execute("DELETE FROM on_demand_video_content WHERE on_demand_video_uuid = ANY(%s::uuid[])", [removed])


def _recordset(written: Mapping[UUID, Columns | None]) -> str:
    """Return the rows for `jsonb_to_recordset`; times are texts that PostgreSQL reads."""
    return json.dumps([{"uuid": uuid, **(columns or {})} for uuid, columns in written.items()], default=str)


def _execute(sql: str, parameters: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
