"""A run of `reconcile`: walks the phases under a lease, at the pace that IVS allows, and continues a stopped run."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from channels_app.models import Lease
from channels_app.reconcile.differences import (
    RUN_AGAIN,
    Checkpoint,
    Difference,
    DifferenceKind,
    DifferenceOutcome,
    Phase,
    Scope,
    not_compared,
)
from channels_app.reconcile.lease import RECONCILE, lease_keep, lease_release, lease_take
from channels_app.reconcile.repair import NotRepairedError
from channels_app.reconcile.report import Report, differences_close
from channels_app.streams.live_state_file import LiveStateUnsettledError
from common.aws import AwsError, paced
from common.errors import ChannelError

logger = logging.getLogger(__name__)

# An older run is not continued.
_CONTINUED_WITHIN = timedelta(days=1)
# The number of steps in a row without an answer of AWS after which the rest of the phase is left out.
_MOST_UNANSWERED = 10
_EXPECTED = (AwsError, ChannelError, NotRepairedError, LiveStateUnsettledError)


@dataclass
class Progress:
    """Counts of the differences found and left, by kind, and the checkpoint of a run."""

    started_at: datetime
    found: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    checkpoint: Checkpoint | None = None

    def note(self, passed: DifferenceOutcome | Checkpoint) -> None:
        """Count a finding, or remember a checkpoint."""
        if isinstance(passed, Checkpoint):
            self.checkpoint = passed
        else:
            self.found[passed.difference.kind] += 1
            self.left[passed.difference.kind] += not passed.settled

    def columns(self) -> dict[str, Any]:
        """Return the columns of the lease's row."""
        return {"started_at": self.started_at, "found": dict(self.found), "left": dict(+self.left)}

    def cursor(self, goal: dict[str, Any]) -> dict[str, Any]:
        """Return what a later run with the same goal needs to continue."""
        checkpoint = self.checkpoint or Checkpoint("")
        return {
            "scope": goal,
            "phase": checkpoint.phase,
            "position": checkpoint.position,
            "started_at": self.started_at.isoformat(),
            "found": dict(self.found),
            "left": dict(self.left),
        }


def run(
    phases: Mapping[str, Phase],
    *,
    scope: Scope,
    apply: bool,
    resume: bool,
    on_line: Callable[[dict[str, Any]], object] = lambda line: None,
    on_resumed: Callable[[datetime], object] = lambda started_at: None,
) -> Progress:
    """Compare, and repair if `apply` is set; return the counts of what was found and what is left.

    `on_line` gets the line of each finding, `on_resumed` the start time of a run that is continued. With `resume` a run
    over all channels continues a stopped one with the same goal, within a day. A report that a person requests begins
    at the beginning instead, so that it is complete.

    Raises:
        LeaseTakenError: another run is active.
        LeaseLostError: this run was so slow that another took its lease.
    """
    lease = lease_take(name=RECONCILE)
    try:
        goal = {**scope.key, "apply": apply} if resume and scope.channel is None else None
        progress = _progress(lease, goal, on_resumed)
        lease_keep(lease=lease, scope={**scope.key, "apply": apply}, finished_at=None, **progress.columns())
        with paced(), Report() as report:
            for passed in walk(phases, scope=scope, apply=apply, checkpoint=progress.checkpoint):
                progress.note(passed)
                if isinstance(passed, DifferenceOutcome):
                    on_line(passed.line)
                cursor = {"cursor": progress.cursor(goal)} if goal else {}
                lease_keep(lease=lease, **progress.columns(), **cursor)
                report.note(passed)
        differences_close(scope=scope, started_at=progress.started_at)
        ended = {"cursor": None} if goal else {}
        lease_keep(lease=lease, finished_at=timezone.now(), **ended)
        return progress
    finally:
        lease_release(lease=lease)


def _progress(lease: Lease, goal: dict[str, Any] | None, on_resumed: Callable[[datetime], object]) -> Progress:
    """Return the progress of a stopped run with this goal, or that of a new run."""
    cursor, now = lease.cursor, timezone.now()
    if not goal or not cursor or cursor["scope"] != goal:
        return Progress(now)
    started_at = datetime.fromisoformat(cursor["started_at"])
    if started_at < now - _CONTINUED_WITHIN:
        return Progress(now)
    on_resumed(started_at)
    checkpoint = Checkpoint(cursor["phase"], cursor["position"]) if cursor["phase"] else None
    return Progress(started_at, Counter(cursor["found"]), Counter(cursor["left"]), checkpoint)


def walk(
    phases: Mapping[str, Phase], *, scope: Scope, apply: bool, checkpoint: Checkpoint | None = None
) -> Iterator[DifferenceOutcome | Checkpoint]:
    """Yield every difference, and a checkpoint after each step; from `checkpoint` on.

    Without `apply` nothing is written, here or in AWS. A call that AWS does not answer is a finding.
    """
    names = list(phases)
    if checkpoint is not None and checkpoint.phase in names:
        names = names[names.index(checkpoint.phase) :]
    for name in names:
        position = checkpoint.position if checkpoint is not None and checkpoint.phase == name else None
        yield Checkpoint(name, position)
        yield from _walk_phase(name, phases[name], scope=scope, apply=apply, position=position)


def _walk_phase(
    name: str, phase: Phase, *, scope: Scope, apply: bool, position: Any
) -> Iterator[DifferenceOutcome | Checkpoint]:
    unanswered = 0
    try:
        for step in phase(scope, position):
            findings = []
            for difference in step.differences:
                findings.append(_repair_or_report(difference, apply=apply))
                yield findings[-1]
            if apply and step.once_settled and all(finding.settled for finding in findings):
                step.once_settled()
            is_unanswered = any(finding.difference.unanswered for finding in findings)
            unanswered = unanswered + 1 if is_unanswered else 0
            yield Checkpoint(name, step.position)
            if unanswered == _MOST_UNANSWERED:
                facts = {"error": f"AWS answered none of the last {_MOST_UNANSWERED} questions of the phase {name}"}
                yield _repair_or_report(Difference(DifferenceKind.NOT_COMPARED, RUN_AGAIN, ivs=facts), apply=apply)
                return
    except AwsError as error:
        yield _repair_or_report(not_compared(error), apply=apply)


def _repair_or_report(difference: Difference, *, apply: bool) -> DifferenceOutcome:
    """Repair the difference if `apply` is set. A repair that fails is reported, and stops no other repair."""
    outcome = {"would": difference.repair_description}
    if not apply or difference.repair is None:
        return DifferenceOutcome(difference, difference.line(outcome), settled=False)
    try:
        difference.repair()
    except _EXPECTED as error:
        outcome["failed"] = str(error)
    except Exception as error:
        logger.exception("difference not repaired kind=%s", difference.kind)
        outcome["failed"] = f"{type(error).__name__}: {error}"
    else:
        logger.info("difference repaired kind=%s place=%s", difference.kind, dict(difference.place))
        return DifferenceOutcome(difference, difference.line({"did": difference.repair_description}), settled=True)
    return DifferenceOutcome(difference, difference.line(outcome), settled=False)
