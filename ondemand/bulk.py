"""Services for many videos: chosen once, changed in batches of which each is whole or not there, undone likewise."""

from collections.abc import Collection, Iterable, Mapping
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_app.audit import audited
from ondemand.bulk_rules import (
    CHECKED,
    Decision,
    Kind,
    Outcome,
    as_json,
    content_columns,
    content_decision,
    undo_decision,
    video_decision,
)
from ondemand.bulk_since import decided_since, written_again
from ondemand.bulk_writes import (
    content_write,
    rows_note,
    videos_locked,
    videos_with_content,
    videos_write,
)
from ondemand.catalogue import VideoQuerySet
from ondemand.errors import BulkChangeStateError, TooManyChosenError
from ondemand.models import BulkChange, BulkChangeRow, Video
from ondemand.rechecks import videos_recheck

BATCH = 1000
MOST_CHOSEN = 250_000
# API Gateway waits for 29 s, and a look at the files of one recording may take 20 of them.
SECONDS = 20
CHECK_SECONDS = 8
_CHOOSE = "INSERT INTO ondemand_bulkchangerow (change_id, video_uuid, outcome) SELECT %s, uuid, 'waiting' FROM ({sql})"


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
    """Note which videos are to be changed: those of the query as it is now. Nothing of them is changed yet.

    What was chosen and not begun within a day, and what is older than it is kept, is removed.

    Raises:
        TooManyChosenError: they are more than `MOST_CHOSEN`.
    """
    BulkChange.objects.outlived(timezone.now()).delete()
    change = BulkChange(kind=kind, by=by, by_name=by_name, query=query, values=values and dict(values), chosen=0)
    change.save(force_insert=True)
    change.chosen = _choose(change, videos)
    if change.chosen > MOST_CHOSEN:
        told = _("More than {most} videos are chosen: narrow the list down, by its dates say")
        raise TooManyChosenError(told.format(most=MOST_CHOSEN))
    change.save(update_fields=["chosen"])
    return change


@audited()
def bulk_values_set(*, change_uuid: UUID, values: Mapping[str, Any]) -> BulkChange:
    """Say with what the chosen videos are to be changed.

    Raises:
        BulkChangeStateError: it has begun.
    """
    change = _locked(change_uuid)
    if change.begun_at is not None:
        raise BulkChangeStateError(_("This change has begun already"))
    change.values = dict(values)
    change.save(update_fields=["values"])
    return change


@audited()
def bulk_begin(*, change_uuid: UUID) -> BulkChange:
    """Let it begin; one that has begun already stays as it is.

    Raises:
        BulkChangeStateError: nobody has said with what.
    """
    change = _locked(change_uuid)
    if change.values is None:
        raise BulkChangeStateError(_("Nobody has said yet with what the videos are to be changed"))
    if change.begun_at is None:
        # By the clock of the audit log, in which undoing looks for what others did since.
        change.begun_at = Now()
        change.save(update_fields=["begun_at"])
        change.refresh_from_db(fields=["begun_at"])
    return change


def bulk_run(*, change_uuid: UUID, seconds: float = SECONDS) -> None:
    """Change the videos that wait, in committed batches, while there is time; called again, it goes on.

    Safe to stop anywhere, and beside another that does the same.
    """
    began = monotonic()
    while _batch(change_uuid) and monotonic() < began + seconds:
        pass
    change = _count(change_uuid)
    if change.kind == Kind.CHECK and change.done_at and not change.undoing_at:
        _check(change, began + min(seconds, CHECK_SECONDS))


def bulk_undo(*, change_uuid: UUID, seconds: float = SECONDS) -> None:
    """Put the videos back as they were, but for those that somebody changed since; in batches, as `bulk_run`.

    Raises:
        BulkChangeStateError: it has not begun.
    """
    _undo_begin(change_uuid)
    until = monotonic() + seconds
    while _undo_batch(change_uuid) and monotonic() < until:
        pass
    _count(change_uuid)


def bulk_outcomes(change: BulkChange) -> dict[str, int]:
    """How many rows came to each outcome, as it is now."""
    return dict(
        change.rows.order_by("outcome").values("outcome").annotate(rows=Count("pk")).values_list("outcome", "rows")
    )


def videos_to_check(change: BulkChange) -> VideoQuerySet:
    """The videos of a change that were marked, and not checked since."""
    marked = change.rows.filter(outcome=Outcome.CHANGED).values("video_uuid")
    return Video.objects.with_files().filter(qa=Video.Qa.UNVERIFIED, pk__in=marked)


def _choose(change: BulkChange, videos: QuerySet[Video]) -> int:
    chosen = videos.order_by().values("pk")[: MOST_CHOSEN + 1].query
    sql, parameters = chosen.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_CHOOSE.format(sql=f"{sql}) AS chosen(uuid"), [change.pk, *parameters])
        return int(cursor.rowcount)


@audited()
def _count(change_uuid: UUID) -> BulkChange:
    change = _locked(change_uuid)
    change.outcomes = bulk_outcomes(change)
    change.save(update_fields=["outcomes"])
    return change


@audited()
def _batch(change_uuid: UUID) -> bool:
    """Change the next videos that wait; False where none does, or the change is being undone."""
    change = _locked(change_uuid)
    if change.begun_at is None or change.undoing_at is not None:
        return False
    waiting = _next(change, Outcome.WAITING)
    if not waiting:
        _stamp(change, "done_at")
        return False
    uuids = [row.video_uuid for row in waiting]
    decisions = dict.fromkeys(uuids, Decision(Outcome.GONE)) | _decided(change, uuids)
    _write(change, decisions)
    return True


def _decided(change: BulkChange, uuids: list[UUID]) -> dict[UUID, Decision]:
    values = change.values or {}
    if change.is_of_tags:
        rows = videos_with_content(videos_locked(uuids, with_recordings=False))
        return {row.pk: content_decision(change.kind, row, values) for row in rows}
    is_check = change.kind == Kind.CHECK
    videos = videos_locked(uuids, with_recordings=not is_check)
    decisions = {video.pk: video_decision(change.kind, video, values) for video in videos}
    return _with_files_only(decisions) if is_check else decisions


def _with_files_only(decisions: dict[UUID, Decision]) -> dict[UUID, Decision]:
    have_files = set(Video.objects.with_files().filter(pk__in=decisions).values_list("pk", flat=True))
    without = {uuid: Decision(Outcome.NO_FILES) for uuid in decisions if uuid not in have_files}
    return decisions | without


def _check(change: BulkChange, until: float) -> None:
    """Check the marked videos, the oldest first, and note the verdicts as what the change made of them."""
    for recheck in videos_recheck(videos_to_check(change)):
        found = as_json({name: getattr(recheck.video, name) for name in CHECKED})
        change.rows.filter(video_uuid=recheck.video.pk, outcome=Outcome.CHANGED).update(after=found)
        if monotonic() >= until:
            return


@audited()
def _undo_begin(change_uuid: UUID) -> None:
    change = _locked(change_uuid)
    if change.begun_at is None:
        raise BulkChangeStateError(_("This change has not begun"))
    if change.undoing_at is None:
        _stamp(change, "undoing_at")


@audited()
def _undo_batch(change_uuid: UUID) -> bool:
    """Put the next videos back; False where none is left."""
    change = _locked(change_uuid)
    changed = _next(change, Outcome.CHANGED)
    if not changed:
        _stamp(change, "undone_at")
        return False
    gone = dict.fromkeys((row.video_uuid for row in changed), Decision(Outcome.GONE))
    _write(change, gone | _undone(change, changed))
    return True


def _undone(change: BulkChange, rows: Collection[BulkChangeRow]) -> dict[UUID, Decision]:
    """What undoing makes of each video that is there."""
    now = _as_they_are(change, rows)
    touched = written_again(change, rows)
    before = {row.video_uuid: row.before for row in rows} | decided_since(change, rows)
    return {
        row.video_uuid: Decision(Outcome.CHANGED_SINCE)
        if row.video_uuid in touched
        else undo_decision(now[row.video_uuid], row.after or {}, before[row.video_uuid])
        for row in rows
        if row.video_uuid in now
    }


def _as_they_are(change: BulkChange, rows: Iterable[BulkChangeRow]) -> dict[UUID, Any]:
    """Of each video that is there what the change wrote, as it is now."""
    names = {row.video_uuid: row.after or {} for row in rows}
    videos = videos_locked(names, with_recordings=False)
    if change.is_of_tags:
        return {row.pk: content_columns(row.own_content, names[row.pk]) for row in videos_with_content(videos)}
    return {video.pk: as_json({name: getattr(video, name) for name in names[video.pk]}) for video in videos}


def _write(change: BulkChange, decisions: Mapping[UUID, Decision]) -> None:
    if change.is_of_tags:
        content_write(decisions, change.by)
    else:
        videos_write(decisions)
    rows_note(change, decisions)


def _next(change: BulkChange, outcome: Outcome) -> list[BulkChangeRow]:
    return list(change.rows.filter(outcome=outcome).order_by("pk")[:BATCH])


def _locked(change_uuid: UUID) -> BulkChange:
    """The change, for nobody else to take its next batch."""
    return BulkChange.objects.select_for_update().get(pk=change_uuid)


def _stamp(change: BulkChange, name: str) -> None:
    if getattr(change, name) is None:
        setattr(change, name, timezone.now())
        change.save(update_fields=[name])
