"""Going through the phases: each difference is told, and mended where that is wanted."""

import logging
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from channels_app.aws import AwsError
from channels_app.errors import ChannelError
from channels_app.publishing import LiveStateUnsettledError
from channels_app.reconcile.differences import Difference, Kind, Phase, Scope, Step, not_compared
from channels_app.reconcile.repairing import NotRepairedError

logger = logging.getLogger(__name__)

# Where AWS leaves so many questions of a phase in a row unanswered, the rest of it is not asked.
_MOST_UNANSWERED = 10
_EXPECTED = (AwsError, ChannelError, NotRepairedError, LiveStateUnsettledError)


@dataclass(frozen=True)
class Place:
    """How far a run is: the phase, and its position in it (None: its beginning)."""

    phase: str
    position: Any = None


@dataclass(frozen=True)
class Finding:
    """A difference, the line that tells it, and whether it is one no more."""

    difference: Difference
    line: dict[str, Any]
    settled: bool


def walk(
    phases: Mapping[str, Phase], *, scope: Scope, apply: bool, place: Place | None = None
) -> Iterator[Finding | Place]:
    """Every difference, and the place after each step; from `place` on.

    Without `apply` nothing is written, here or in AWS. What AWS does not answer is a finding of its own.
    """
    names = list(phases)
    if place is not None and place.phase in names:
        names = names[names.index(place.phase) :]
    for name in names:
        position = place.position if place is not None and place.phase == name else None
        yield Place(name, position)
        yield from _walk_phase(name, phases[name], scope=scope, apply=apply, position=position)


def _walk_phase(name: str, phase: Phase, *, scope: Scope, apply: bool, position: Any) -> Iterator[Finding | Place]:
    unanswered = 0
    try:
        for step in phase(scope, position):
            findings = yield from _walk_step(step, apply=apply)
            is_unanswered = any(finding.difference.unanswered for finding in findings)
            unanswered = unanswered + 1 if is_unanswered else 0
            yield Place(name, step.position)
            if unanswered == _MOST_UNANSWERED:
                yield from _walk_step(Step([_given_up(name)]), apply=apply)
                return
    except AwsError as error:
        yield from _walk_step(Step([not_compared(error)]), apply=apply)


def _walk_step(step: Step, *, apply: bool) -> Generator[Finding, None, list[Finding]]:
    findings = []
    for difference in step.differences:
        finding = _settle(difference) if apply and difference.repair else _told(difference)
        findings.append(finding)
        yield finding
    if apply and step.once_settled and all(finding.settled for finding in findings):
        step.once_settled()
    return findings


def _told(difference: Difference) -> Finding:
    return Finding(difference, difference.line({"would": difference.would}), settled=False)


def _given_up(name: str) -> Difference:
    told = {"error": f"AWS answered none of the last {_MOST_UNANSWERED} questions of the phase {name}"}
    return Difference(Kind.NOT_COMPARED, "run reconcile again", ivs=told)


def _settle(difference: Difference) -> Finding:
    """Mend it. Whatever goes wrong is told, and does not keep the others from being mended."""
    assert difference.repair is not None  # noqa: S101  (the caller looked)
    try:
        difference.repair()
    except _EXPECTED as error:
        problem = str(error)
    except Exception as error:
        logger.exception("difference not repaired kind=%s", difference.kind)
        problem = f"{type(error).__name__}: {error}"
    else:
        logger.info("difference repaired kind=%s place=%s", difference.kind, dict(difference.place))
        return Finding(difference, difference.line({"did": difference.would}), settled=True)
    return Finding(difference, difference.line({"would": difference.would, "failed": problem}), settled=False)
