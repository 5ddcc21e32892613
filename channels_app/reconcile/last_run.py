"""Whether `reconcile` is run at all: when it last was, and whether it came to its end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from django.utils.translation import gettext as _

from channels_app.models import Lease
from channels_app.reconcile.running import NAME
from channels_app.times import zoned

# It is meant to run every quarter of an hour or so.
LATE = timedelta(days=1)


class RunState(StrEnum):
    """How the last run stands."""

    NEVER = "never"
    RUNNING = "running"
    STOPPED = "stopped"
    LATE = "late"
    FINISHED = "finished"


@dataclass(frozen=True)
class LastRun:
    """The last run: how it stands, and when it began or, where it has come to its end, ended."""

    state: RunState
    at: datetime | None = None

    @classmethod
    def of(cls, row: Lease | None, now: datetime) -> Self:
        """Decide from the row of its lease; pure."""
        if row is None or row.started_at is None:
            return cls(RunState.NEVER)
        if row.finished_at is None:
            at_work = row.holder is not None and row.expires_at is not None and row.expires_at > now
            return cls(RunState.RUNNING if at_work else RunState.STOPPED, row.started_at)
        return cls(RunState.LATE if row.finished_at < now - LATE else RunState.FINISHED, row.finished_at)

    @property
    def is_amiss(self) -> bool:
        """Whether somebody should see to it."""
        return self.state in {RunState.NEVER, RunState.STOPPED, RunState.LATE}

    @property
    def told(self) -> str:
        """It in a sentence."""
        sentences = {
            RunState.NEVER: _("reconcile has never run."),
            RunState.RUNNING: _("reconcile is at work since %(moment)s."),
            RunState.STOPPED: _("The last reconcile began at %(moment)s and did not come to its end."),
            RunState.LATE: _("reconcile ran last at %(moment)s, longer than a day ago."),
            RunState.FINISHED: _("reconcile ran last at %(moment)s."),
        }
        return sentences[self.state] % {"moment": zoned(self.at)}


def last_run(now: datetime) -> LastRun:
    """The last run; one query."""
    return LastRun.of(Lease.objects.filter(name=NAME).first(), now)
