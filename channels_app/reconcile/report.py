"""Results of runs for the admin: the open differences, and the state of the last run."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Self

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_app.models import Lease, ReportedDifference
from channels_app.reconcile.differences import Checkpoint, DifferenceKind, DifferenceOutcome, Scope
from channels_app.reconcile.lease import RECONCILE
from common.rest.times import zoned

# The most differences that are stored. Further ones are counted, and printed by the run.
MOST = 5_000
_BATCH = 100
_UPDATED = ("channel", "would", "problem", "phase", "is_blocking", "seen_at")
# The schedule runs it every quarter of an hour or so.
LATE = timedelta(days=1)


@dataclass
class Report:
    """The findings of a run, written in batches."""

    phase: str = ""
    _open: dict[str, ReportedDifference] = field(default_factory=dict)
    _settled: set[str] = field(default_factory=set)

    def note(self, passed: DifferenceOutcome | Checkpoint) -> None:
        """Take a finding, or the phase of those that follow; write a full batch."""
        if isinstance(passed, Checkpoint):
            self.phase = passed.phase
            return
        row = _row(self.phase, passed)
        if passed.settled:
            self._open.pop(row.key, None)
            self._settled.add(row.key)
        else:
            self._settled.discard(row.key)
            self._open[row.key] = row
        if len(self._open) + len(self._settled) >= _BATCH:
            self.write()

    def write(self) -> None:
        """Write the findings taken since the last write."""
        if self._settled:
            ReportedDifference.objects.filter(key__in=self._settled).delete()
        rows = list(self._open.values())
        room = MOST - ReportedDifference.objects.count() if rows else 0
        if room < len(rows):
            existing = set(ReportedDifference.objects.filter(key__in=self._open).values_list("key", flat=True))
            new = [row for row in rows if row.key not in existing]
            rows = [row for row in rows if row.key in existing] + new[: max(room, 0)]
        # Existing rows keep `found_at`.
        ReportedDifference.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["key"], update_fields=_UPDATED
        )
        self._settled, self._open = set(), {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Write the last findings, also of a run that fails."""
        self.write()


def differences_close(*, scope: Scope, started_at: datetime) -> None:
    """Delete the differences that a run of this scope did not find again since it began.

    Differences of a phase in which AWS did not answer stay: they may still exist.
    """
    reported = ReportedDifference.objects.all()
    if scope.channel:
        reported = reported.filter(channel=scope.channel)
    blocked = reported.filter(is_blocking=True, seen_at__gte=started_at).values("phase")
    closed = reported.filter(Q(is_blocking=True) | ~Q(phase__in=blocked), seen_at__lt=started_at)
    if scope.since:
        # Older streams and recordings were not compared.
        closed = closed.filter(stream_id="", prefix="")
    closed.delete()


def _row(phase: str, finding: DifferenceOutcome) -> ReportedDifference:
    difference, now = finding.difference, timezone.now()
    channel = str(difference.channel.pk) if difference.channel else ""
    identity = [difference.kind.value, channel, difference.arn, sorted(difference.place.items())]
    # A whole phase could not be compared, without any AWS call.
    is_of_phase = difference.kind == DifferenceKind.NOT_COMPARED and not (channel or difference.arn or difference.place)
    return ReportedDifference(
        key=sha256(json.dumps(identity).encode()).hexdigest(),
        kind=difference.kind,
        channel=difference.channel,
        arn=_storable(difference.shown_arn),
        **{name: _storable(difference.place.get(name, "")) for name in ("stream_id", "bucket", "prefix")},
        phase=phase,
        would=_storable(difference.repair_description),
        problem=_storable(finding.line.get("failed", "")),
        is_blocking=difference.unanswered or is_of_phase,
        found_at=now,
        seen_at=now,
    )


def _storable(text: str) -> str:
    """Return text that PostgreSQL can store: names come from AWS."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()


@dataclass(frozen=True)
class LastRun:
    """The last run: a sentence about it, and whether staff should act."""

    sentence: str
    needs_action: bool


def last_run(now: datetime) -> LastRun:
    """Return the last run; one query."""
    row = Lease.objects.filter(name=RECONCILE).first()
    if row is None or row.started_at is None:
        return LastRun(_("reconcile has never run."), needs_action=True)
    time = {"time": zoned(row.finished_at or row.started_at)}
    if row.finished_at is None:
        if row.holder is not None and row.expires_at is not None and row.expires_at > now:
            return LastRun(_("reconcile is running since %(time)s.") % time, needs_action=False)
        return LastRun(_("The last reconcile began at %(time)s and did not finish.") % time, needs_action=True)
    if row.finished_at < now - LATE:
        return LastRun(_("reconcile last ran at %(time)s, more than a day ago.") % time, needs_action=True)
    return LastRun(_("reconcile last ran at %(time)s.") % time, needs_action=False)
