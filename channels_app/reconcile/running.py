"""A run: under the lease, at the pace that IVS allows, and taken up where one before it was stopped."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from channels_app.aws import paced
from channels_app.reconcile.differences import Phase, Scope
from channels_app.reconcile.lease import HeldLease, lease_keep, lease_release, lease_take
from channels_app.reconcile.reporting import differences_close, reporting
from channels_app.reconcile.walking import Finding, Place, walk

NAME = "reconcile"
# What was compared longer ago is compared again.
_TAKEN_UP_WITHIN = timedelta(days=1)


@dataclass
class Progress:
    """What a run has found so far, and how far it is."""

    started_at: datetime
    found: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    place: Place | None = None

    def note(self, passed: Finding | Place) -> None:
        """Count a finding, or remember a place."""
        if isinstance(passed, Place):
            self.place = passed
        else:
            self.found[passed.difference.kind] += 1
            self.left[passed.difference.kind] += not passed.settled

    @property
    def has_differences(self) -> bool:
        """Whether any are left."""
        return self.left.total() > 0

    def columns(self) -> dict[str, Any]:
        """Of the row of the lease."""
        return {"started_at": self.started_at, "found": dict(self.found), "left": dict(+self.left)}

    def cursor(self, goal: dict[str, Any]) -> dict[str, Any]:
        """Return what a later run with the same goal needs to continue."""
        place = self.place or Place("")
        return {
            "scope": goal,
            "phase": place.phase,
            "position": place.position,
            "started_at": self.started_at.isoformat(),
            "found": dict(self.found),
            "left": dict(self.left),
        }


@dataclass(frozen=True)
class Listeners:
    """Who is told: of each finding its line, and of a run that is taken up when it began."""

    line: Callable[[dict[str, Any]], None]
    resumed: Callable[[datetime], None]


def run(phases: Mapping[str, Phase], *, scope: Scope, apply: bool, resume: bool, tell: Listeners) -> Progress:
    """Compare, and repair with `apply`; return what was found and what is left.

    With `resume` a run over all channels that was stopped is continued by the next one that does the same, within a
    day. A report that a person asks for begins at the beginning instead, so that it is whole.

    Raises:
        LeaseTakenError: another run is at work.
        LeaseLostError: this one stood still for so long that another took its place.
    """
    lease = lease_take(name=NAME)
    try:
        goal = {**scope.key, "apply": apply} if resume and scope.channel is None else None
        progress = _progress(lease, goal, tell=tell)
        lease_keep(lease=lease, scope={**scope.key, "apply": apply}, finished_at=None, **progress.columns())
        with paced(), reporting() as report:
            for passed in walk(phases, scope=scope, apply=apply, place=progress.place):
                progress.note(passed)
                if isinstance(passed, Finding):
                    tell.line(passed.line)
                cursor = {"cursor": progress.cursor(goal)} if goal else {}
                lease_keep(lease=lease, **progress.columns(), **cursor)
                report.note(passed)
        differences_close(scope=scope, started_at=progress.started_at)
        ended = {"cursor": None} if goal else {}
        lease_keep(lease=lease, finished_at=timezone.now(), **ended)
        return progress
    finally:
        lease_release(lease=lease)


def _progress(lease: HeldLease, goal: dict[str, Any] | None, *, tell: Listeners) -> Progress:
    known = lease.row.cursor
    if not goal or not known or known["scope"] != goal:
        return Progress(timezone.now())
    started_at = datetime.fromisoformat(known["started_at"])
    if started_at < timezone.now() - _TAKEN_UP_WITHIN:
        return Progress(timezone.now())
    tell.resumed(started_at)
    place = Place(known["phase"], known["position"]) if known["phase"] else None
    return Progress(started_at, Counter(known["found"]), Counter(known["left"]), place)
