"""What a run leaves for people to read in the admin: the differences that are open, and none that is not."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from django.db.models import Q
from django.utils import timezone

from channels_app.models import ReportedDifference
from channels_app.reconcile.differences import Difference, Kind, Scope
from channels_app.reconcile.walking import Finding, Place

# More are counted by the run and read from its lines: nobody goes through so many by hand.
MOST = 5_000
# So many findings are written together.
_BATCH = 100
_TOLD_ANEW = ("channel", "would", "problem", "phase", "is_blocking", "seen_at")


@dataclass
class Report:
    """The findings of a run, written some at a time."""

    phase: str = ""
    _open: dict[str, ReportedDifference] = field(default_factory=dict)
    _settled: set[str] = field(default_factory=set)

    def note(self, passed: Finding | Place) -> None:
        """Take a finding, or the phase of those that follow; writes once there are many."""
        if isinstance(passed, Place):
            self.phase = passed.phase
            return
        key = key_of(passed.difference)
        if passed.settled:
            self._open.pop(key, None)
            self._settled.add(key)
        else:
            self._settled.discard(key)
            self._open[key] = _row(key, self.phase, passed)
        if len(self._open) + len(self._settled) >= _BATCH:
            self.write()

    def write(self) -> None:
        """Write what was taken since the last time."""
        if self._settled:
            ReportedDifference.objects.filter(key__in=self._settled).delete()
        if self._open:
            differences_report(rows=self._open.values())
        self._settled, self._open = set(), {}


@contextmanager
def reporting() -> Iterator[Report]:
    """Whatever ends the run, what it has found is written."""
    report = Report()
    try:
        yield report
    finally:
        report.write()


def key_of(difference: Difference) -> str:
    """The same for the same difference, in every run."""
    channel = str(difference.channel.pk) if difference.channel else ""
    told = [difference.kind.value, channel, difference.arn, sorted(difference.place.items())]
    return sha256(json.dumps(told).encode()).hexdigest()


def differences_report(*, rows: Iterable[ReportedDifference]) -> None:
    """Write differences that are open; those that are known keep when they were found."""
    rows = list(rows)
    room = MOST - ReportedDifference.objects.count()
    if room < len(rows):
        known = set(ReportedDifference.objects.filter(key__in=[row.key for row in rows]).values_list("key", flat=True))
        fresh = [row for row in rows if row.key not in known]
        rows = [row for row in rows if row.key in known] + fresh[: max(room, 0)]
    ReportedDifference.objects.bulk_create(rows, update_conflicts=True, unique_fields=["key"], update_fields=_TOLD_ANEW)


def differences_close(*, scope: Scope, started_at: datetime) -> None:
    """Take away what a run of that scope has not found since it began.

    Where AWS did not answer, what was not found may be there all the same: the differences of that phase stay.
    """
    reported = ReportedDifference.objects.all()
    if scope.channel:
        reported = reported.filter(channel=scope.channel)
    blocked = reported.blocking().filter(seen_at__gte=started_at).values("phase")
    gone = reported.filter(Q(is_blocking=True) | ~Q(phase__in=blocked), seen_at__lt=started_at)
    if scope.since:
        # Older streams and recordings were not looked at.
        gone = gone.filter(stream_id="", prefix="")
    gone.delete()


def _row(key: str, phase: str, finding: Finding) -> ReportedDifference:
    difference, now = finding.difference, timezone.now()
    return ReportedDifference(
        key=key,
        kind=difference.kind,
        channel=difference.channel,
        arn=_text(difference.shown_arn),
        **{name: _text(difference.place.get(name, "")) for name in ("stream_id", "bucket", "prefix")},
        phase=phase,
        would=_text(difference.would),
        problem=_text(finding.line.get("failed", "")),
        is_blocking=_is_blocking(difference),
        found_at=now,
        seen_at=now,
    )


def _is_blocking(difference: Difference) -> bool:
    """AWS did not answer, or a whole phase has nothing to ask it with."""
    about_nothing = not (difference.channel or difference.arn or difference.place)
    return difference.unanswered or (difference.kind == Kind.NOT_COMPARED and about_nothing)


def _text(text: str) -> str:
    """As PostgreSQL can store it: names come from elsewhere."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()
