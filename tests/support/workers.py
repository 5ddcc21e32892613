"""Workers of the queue, several at once and mortal, on one real database; a seed decides who goes on at each step.

Each is a thread with a connection of its own. One runs at a time, and hands over between any two steps of the road; it
may die at each of them, in the middle of a transaction too. What it had not finished is delivered again.
"""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection

from channels_app.events import inbox
from channels_app.events.handlers import StreamEventHandler
from channels_app.streams import live_state_file
from ondemand.recordings.handlers import RecordingEventHandler
from tests.support.road import Envelope, lambda_takes

# Of a hundred steps a worker dies at so many.
MORTALITY = 4
MOST_DEATHS = 12

WAITING_PLACES: list[tuple[Any, str]] = [
    (inbox, "receive"),
    (inbox, "work_prepare"),
    (inbox, "work_write"),
    (RecordingEventHandler, "prepare"),
    (live_state_file, "_write"),
    (live_state_file, "live_state_of"),
    (inbox, "_mark"),
]


HANDLERS = (StreamEventHandler, RecordingEventHandler)


class Death(BaseException):
    """The process of a worker ends here."""


class Stage:
    """The workers, and the one among them who may run."""

    def __init__(self, batches: list[list[Envelope]], *, workers: int, seed: int, crashes: bool) -> None:
        self.waiting = list(batches)
        self.chance = random.Random(seed)  # noqa: S311
        self.deaths_left = MOST_DEATHS if crashes else 0
        self.turns: dict[int, threading.Event] = {number: threading.Event() for number in range(workers)}
        self.alive: set[int] = set(self.turns)
        self.errors: list[BaseException] = []
        self.worker = threading.local()

    def run(self) -> None:
        """Until every batch has been taken to its end by somebody."""
        threads = [threading.Thread(target=self.work, args=[number]) for number in self.turns]
        for thread in threads:
            thread.start()
        self.next()
        for thread in threads:
            thread.join()
        if self.errors:
            raise self.errors[0]

    def work(self, number: int) -> None:
        """Take batches; a worker that died is started again."""
        self.worker.number = number
        self.turns[number].wait()
        try:
            while self.waiting and not self.errors:
                self.take(self.waiting.pop(0))
        except BaseException as error:
            self.errors.append(error)
        finally:
            connection.close()
            self.alive.discard(number)
            self.next()

    def take(self, batch: list[Envelope]) -> None:
        try:
            assert lambda_takes(*batch) == []
        except Death:
            # The queue shows it to somebody else, later.
            self.waiting.insert(self.chance.randint(0, len(self.waiting)), batch)

    def step(self, *, may_wait: bool = True) -> None:
        """Between two steps of the road: somebody else goes on, or this worker dies."""
        number = getattr(self.worker, "number", None)
        if number is None:
            return
        if self.deaths_left and self.chance.randrange(100) < MORTALITY:
            self.deaths_left -= 1
            raise Death
        if may_wait:
            self.turns[number].clear()
            self.next()
            self.turns[number].wait()

    def next(self) -> None:
        if self.alive:
            self.turns[self.chance.choice(sorted(self.alive))].set()


@contextmanager
def seams(stage: Stage) -> Iterator[None]:
    """The road with a step of the stage before and after each of its parts."""

    def around(call: Callable[..., Any], *, may_wait: bool = True) -> Callable[..., Any]:
        def stepped(*arguments: Any, **named: Any) -> Any:
            stage.step(may_wait=may_wait)
            answer = call(*arguments, **named)
            stage.step(may_wait=may_wait)
            return answer

        return stepped

    with ExitStack() as patches:
        for owner, name in WAITING_PLACES:
            patches.enter_context(patch.object(owner, name, around(getattr(owner, name))))
        # Inside the transaction it holds locks: it may die there, and wait for nobody.
        for handler in HANDLERS:
            patches.enter_context(patch.object(handler, "apply", around(handler.apply, may_wait=False)))
        yield
