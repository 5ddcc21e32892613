"""Differences between the database, IVS and S3, and the steps and findings of which a run consists."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from channels_app.models import Channel, ChannelQuerySet
from channels_app.models.differences import DifferenceKind as DifferenceKind
from common.aws import AwsError

RUN_AGAIN = "run reconcile again"


@dataclass(frozen=True)
class Difference:
    """One difference. `repair_description` says in the infinitive what `repair` does, or what staff can do without one.

    `place` holds `stream_id`, or `bucket` and `prefix`. `unknown` names facts that cannot be recovered. `unanswered`:
    AWS was called and did not answer.
    """

    kind: DifferenceKind
    repair_description: str
    channel: Channel | None = None
    arn: str = ""
    place: Mapping[str, str] = field(default_factory=dict)
    database: Mapping[str, Any] = field(default_factory=dict)
    ivs: Mapping[str, Any] = field(default_factory=dict)
    s3: Mapping[str, Any] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    repair: Callable[[], object] | None = None
    unanswered: bool = False

    @property
    def shown_arn(self) -> str:
        """Return the ARN of the difference, else that of its channel."""
        return self.arn or (self.channel.arn if self.channel else "")

    def line(self, outcome: Mapping[str, str]) -> dict[str, Any]:
        """Return its JSON line; `outcome` has `would` or `did`, and `failed` with the reason if a repair failed."""
        return {
            "kind": self.kind,
            "channel": self.channel.uuid if self.channel else None,
            "arn": self.shown_arn,
            **self.place,
            "database": self.database,
            "ivs": self.ivs,
            "s3": self.s3,
            **outcome,
            "unknown": self.unknown,
        }


def not_compared(error: AwsError, *, channel: Channel | None = None, **place: str) -> Difference:
    """Return the difference for an AWS call without an answer."""
    facts = {"operation": error.operation, "error": str(error)}
    where = "s3" if error.operation in {"ListObjectsV2", "GetObject"} else "ivs"
    return Difference(DifferenceKind.NOT_COMPARED, RUN_AGAIN, channel, place=place, unanswered=True, **{where: facts})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Step:
    """Part of a phase. `position` is where the phase continues after it; None: it must begin again.

    `once_settled` is called when none of its differences is left.
    """

    differences: Iterable[Difference] = ()
    position: Any = None
    once_settled: Callable[[], object] | None = None


@dataclass(frozen=True)
class Checkpoint:
    """The progress of a run: the phase, and the position in it (None: its beginning)."""

    phase: str
    position: Any = None


@dataclass(frozen=True)
class DifferenceOutcome:
    """A difference, its JSON line, and whether it is repaired."""

    difference: Difference
    line: dict[str, Any]
    settled: bool


@dataclass(frozen=True)
class Scope:
    """Which rows are compared: one channel or all; all streams and recordings, or those since a time."""

    channel: Channel | None = None
    since: datetime | None = None

    def channels(self) -> ChannelQuerySet:
        return Channel.objects.filter(pk=self.channel.pk) if self.channel else Channel.objects.all()

    def includes(self, time: datetime | None) -> bool:
        """Return whether a time is in scope; an unknown time is."""
        return self.since is None or time is None or time >= self.since

    @property
    def key(self) -> dict[str, str | None]:
        """Return the scope as JSON; equal scopes have equal keys."""
        return {
            "channel": str(self.channel.uuid) if self.channel else None,
            "since": self.since.isoformat() if self.since else None,
        }


# Takes the scope and the position at which to continue (None: the beginning).
Phase = Callable[[Scope, Any], Iterator[Step]]
