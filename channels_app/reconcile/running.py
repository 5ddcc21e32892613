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

    def cursor(self, scope: Scope) -> dict[str, Any]:
        """What a later run needs to go on."""
        place = self.place or Place("")
        return {
            "scope": scope.key,
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


def run(phases: Mapping[str, Phase], *, scope: Scope, apply: bool, tell: Listeners) -> Progress:
    """Compare, and with `apply` mend; returns what was found and what is left.

    A run with `apply` over all channels that was stopped is taken up by the next one of the same scope, within a day.

    Raises:
        LeaseTakenError: another run is at work.
        LeaseLostError: this one stood still for so long that another took its place.
    """
    lease = lease_take(name=NAME)
    try:
        progress = _progress(lease, scope, apply=apply, tell=tell)
        lease_keep(lease=lease, scope={**scope.key, "apply": apply}, finished_at=None, **progress.columns())
        with paced(), reporting() as report:
            for passed in walk(phases, scope=scope, apply=apply, place=progress.place):
                progress.note(passed)
                if isinstance(passed, Finding):
                    tell.line(passed.line)
                lease_keep(lease=lease, **progress.columns(), **_cursor(progress, scope, apply=apply))
                report.note(passed)
        differences_close(scope=scope, started_at=progress.started_at)
        ended = {"cursor": None} if _is_resumable(scope, apply=apply) else {}
        lease_keep(lease=lease, finished_at=timezone.now(), **ended)
        return progress
    finally:
        lease_release(lease=lease)


def _is_resumable(scope: Scope, *, apply: bool) -> bool:
    """A report begins at the beginning, or it would not tell all; one channel is done soon."""
    return apply and scope.channel is None


def _cursor(progress: Progress, scope: Scope, *, apply: bool) -> dict[str, Any]:
    return {"cursor": progress.cursor(scope)} if _is_resumable(scope, apply=apply) else {}


def _progress(lease: HeldLease, scope: Scope, *, apply: bool, tell: Listeners) -> Progress:
    known = lease.row.cursor
    if not _is_resumable(scope, apply=apply) or not known or known["scope"] != scope.key:
        return Progress(timezone.now())
    started_at = datetime.fromisoformat(known["started_at"])
    if started_at < timezone.now() - _TAKEN_UP_WITHIN:
        return Progress(timezone.now())
    tell.resumed(started_at)
    place = Place(known["phase"], known["position"]) if known["phase"] else None
    return Progress(started_at, Counter(known["found"]), Counter(known["left"]), place)
