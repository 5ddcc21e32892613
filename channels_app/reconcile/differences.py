"""A difference between the database, IVS and S3: what is so where, and what would mend it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from channels_app.aws import AwsError
from channels_app.models import Channel, ChannelQuerySet
from channels_app.reconcile.kinds import Kind as Kind


@dataclass(frozen=True)
class Difference:
    """One difference. `would` says in the infinitive what `repair` does or, where there is none, what people can do.

    `place` are `stream_id`, or `bucket` and `prefix`. `unknown` names what nobody can tell any more. `unanswered`: AWS
    was asked and did not answer.
    """

    kind: Kind
    would: str
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
        """The ARN that it is about, or that of its channel."""
        return self.arn or (self.channel.arn if self.channel else "")

    def line(self, became: Mapping[str, str]) -> dict[str, Any]:
        """The JSON line that tells it; `became` is `would`, `did`, or `would` with why it `failed`."""
        return {
            "kind": self.kind,
            "channel": self.channel.uuid if self.channel else None,
            "arn": self.shown_arn,
            **self.place,
            "database": self.database,
            "ivs": self.ivs,
            "s3": self.s3,
            **became,
            "unknown": self.unknown,
        }


def not_compared(error: AwsError, *, channel: Channel | None = None, **place: str) -> Difference:
    """AWS did not answer: whether something differs is not known."""
    told = {"operation": error.operation, "error": str(error)}
    where = "s3" if error.operation in {"ListObjectsV2", "GetObject"} else "ivs"
    again = "run reconcile again"
    return Difference(Kind.NOT_COMPARED, again, channel, place=place, unanswered=True, **{where: told})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Step:
    """Part of a phase. `position` is where the phase goes on after it, None where it must begin again.

    `once_settled` is called when nothing of it differs any more.
    """

    differences: Iterable[Difference] = ()
    position: Any = None
    once_settled: Callable[[], object] | None = None


@dataclass(frozen=True)
class Scope:
    """What is to be compared: one channel or all, and of streams and recordings those since a moment or all."""

    channel: Channel | None = None
    since: datetime | None = None

    def channels(self) -> ChannelQuerySet:
        """The rows."""
        return Channel.objects.filter(pk=self.channel.pk) if self.channel else Channel.objects.all()

    def takes(self, moment: datetime | None) -> bool:
        """Whether it is late enough; what has no time is."""
        return self.since is None or moment is None or moment >= self.since

    @property
    def key(self) -> dict[str, str | None]:
        """The same for the same scope, as JSON."""
        return {
            "channel": str(self.channel.uuid) if self.channel else None,
            "since": self.since.isoformat() if self.since else None,
        }


# Takes the scope and the position to go on from; None: from its beginning.
Phase = Callable[[Scope, Any], Iterator[Step]]
