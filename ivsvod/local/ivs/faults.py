"""Faults that tests switch on, and the rate quotas of the service."""

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Literal

from ivsvod.local.ivs.errors import IvsError

FaultKind = Literal["throttle", "error500", "hang", "drop_reply"]

CALLS_PER_SECOND = 5
# The operations whose rate quota is another one.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html
OTHER_CALLS_PER_SECOND = {
    "BatchStartViewerSessionRevocation": 2,
    "CreateRecordingConfiguration": 3,
    "GetRecordingConfiguration": 3,
    "ListRecordingConfigurations": 3,
    "DeleteRecordingConfiguration": 3,
    "ImportPlaybackKeyPair": 3,
    "GetPlaybackKeyPair": 3,
    "ListPlaybackKeyPairs": 3,
    "DeletePlaybackKeyPair": 3,
    "StartViewerSessionRevocation": 10,
    "TagResource": 10,
    "UntagResource": 10,
    "ListTagsForResource": 10,
}


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


class RateLimit:
    """Limits the calls of one operation within any second, in this process alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, deque[float]] = {}

    def count(self, operation: str) -> None:
        """Count one call, or raise ThrottlingException when the second is full."""
        limit = OTHER_CALLS_PER_SECOND.get(operation, CALLS_PER_SECOND)
        now = time.monotonic()
        with self._lock:
            calls = self._calls.setdefault(operation, deque())
            while calls and calls[0] <= now - 1:
                calls.popleft()
            if len(calls) >= limit:
                raise throttled(operation)
            calls.append(now)


def throttled(operation: str) -> IvsError:
    return IvsError("ThrottlingException", f"Rate exceeded for {operation}")
