"""What a look at the database says."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Result(StrEnum):
    """`blocker`: to be mended before `migrate`; `warning`: to be known."""

    OK = "ok"
    WARNING = "warning"
    BLOCKER = "blocker"


@dataclass(frozen=True)
class Finding:
    """One line of `switch --check`."""

    check: str
    result: Result
    told: str

    @property
    def line(self) -> dict[str, Any]:
        """As it is printed."""
        return {"check": self.check, "result": str(self.result), "told": self.told}


def ok(check: str, told: str) -> Finding:
    """Nothing to do."""
    return Finding(check, Result.OK, told)


def warning(check: str, told: str) -> Finding:
    """Something to be known."""
    return Finding(check, Result.WARNING, told)


def blocker(check: str, told: str) -> Finding:
    """Something to be mended first."""
    return Finding(check, Result.BLOCKER, told)
