"""Errors of the local IVS, named as in the service model, and faults that tests switch on."""

import threading
from dataclasses import dataclass
from typing import Literal


class IvsError(Exception):
    """An error answer: ``code`` names the modelled exception, and with it the HTTP status.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/CommonErrors.html
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def invalid(message: str) -> IvsError:
    return IvsError("ValidationException", message)


def not_found(arn: str) -> IvsError:
    return IvsError("ResourceNotFoundException", f"Resource not found: {arn}")


def conflict(message: str) -> IvsError:
    return IvsError("ConflictException", message)


def quota_exceeded(resources: str, limit: int) -> IvsError:
    return IvsError("ServiceQuotaExceededException", f"Quota exceeded: {limit} {resources}")


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
