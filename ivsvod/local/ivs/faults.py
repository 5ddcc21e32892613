"""Faults of the local IVS that tests switch on."""

import threading
from dataclasses import dataclass
from typing import Literal

from ivsvod.local.ivs.errors import IvsError

FaultKind = Literal["throttle", "error500", "hang", "drop_reply"]


@dataclass
class Fault:
    """A failure of the next ``times`` calls of ``operation`` (``*``: of any operation).

    ``drop_reply`` performs the call and then resets the connection. ``hang`` never answers; ``done`` says
    whether the call took effect. ``throttle`` and ``error500`` answer and change nothing.
    """

    operation: str
    kind: FaultKind
    times: int = 1
    done: bool = True


_taking = threading.Lock()


def take_fault(faults: list[Fault], operation: str) -> Fault | None:
    """Return the first fault of this operation, counting it down; a used-up fault leaves the list."""
    with _taking:
        fault = next((fault for fault in faults if fault.operation in (operation, "*")), None)
        if fault is not None:
            fault.times -= 1
        faults[:] = [fault for fault in faults if fault.times > 0]
        return fault


def throttled(operation: str) -> IvsError:
    return IvsError("ThrottlingException", f"Rate exceeded for {operation}")
