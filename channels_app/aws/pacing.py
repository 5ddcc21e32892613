"""How often Amazon IVS may be asked by work that nobody waits for.

The quota is 5 calls a second of each operation, for the whole account and not to be raised, and people's requests need
some of them. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

CALLS_PER_SECOND = 4


class Pacer:
    """Lets one call go at a time, evenly spread over each second."""

    def __init__(self) -> None:
        self._free_at = 0.0

    def wait(self) -> None:
        """Wait for the turn of the next call."""
        now = time.monotonic()
        if now < self._free_at:
            pause(self._free_at - now)
        self._free_at = max(now, self._free_at) + 1 / CALLS_PER_SECOND


_pacer: ContextVar[Pacer | None] = ContextVar("pacer", default=None)


@contextmanager
def paced() -> Iterator[None]:
    """Each call to IVS inside waits for its turn, and each repetition of one that failed."""
    token = _pacer.set(Pacer())
    try:
        yield
    finally:
        _pacer.reset(token)


def pause(seconds: float) -> None:
    """Do nothing for a while."""
    time.sleep(seconds)


def keep_pace(**_: Any) -> None:
    """What botocore calls before it sends anything; an answer of None lets the request go."""
    pacer = _pacer.get()
    if pacer is not None:
        pacer.wait()
