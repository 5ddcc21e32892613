"""Queue worker, in place of Lambda: receive messages, process their events, delete them.

It runs until it is asked to end. While a service is away it waits and receives nothing, so that the queue does not
count a message as tried and give it up.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

import logging
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import sleep
from typing import Any

from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from channels_app import aws
from channels_app.aws import AwsError, Kind, QueueMessage
from channels_app.events.messages import Taken, messages_give_back, messages_take

logger = logging.getLogger(__name__)

# Below the read timeout of the client (10 s). A stop takes effect after so long, and containers are killed soon after:
# by Docker after 10 s. https://docs.docker.com/reference/cli/docker/container/stop/
WAIT_SECONDS = 5
LONGEST_PAUSE_SECONDS = 60
_ENDING = (signal.SIGTERM, signal.SIGINT)
# Errors that no waiting mends if they come from the start.
_MISCONFIGURED = {Kind.NOT_FOUND, Kind.DENIED, Kind.INVALID, Kind.MISCONFIGURED}


class Stop:
    """A request that the process ends."""

    def __init__(self) -> None:
        self.is_asked = False

    def ask(self, *_: Any) -> None:
        """Ask for the end, as a signal handler; the batch in hand is finished first."""
        self.is_asked = True

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT as the request, instead of being killed by them."""
        before = {number: signal.signal(number, self.ask) for number in _ENDING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@dataclass
class Patience:
    """Exponential backoff with a bound; logs when the waiting begins and when it is over."""

    stop: Stop
    seconds: int = 0

    def wait(self, error: Exception) -> None:
        """Wait twice as long as before, unless the process is to end."""
        if not self.seconds:
            expected = isinstance(error, AwsError | DatabaseError)
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            logger.warning("worker waits: %s", reason, exc_info=None if expected else error)
        self.seconds = min(self.seconds * 2 or 1, LONGEST_PAUSE_SECONDS)
        for _ in range(self.seconds):
            if self.stop.is_asked:
                return
            sleep(1)

    def over(self) -> None:
        """End the backoff after a success."""
        if self.seconds:
            logger.info("worker goes on")
        self.seconds = 0


def queue_work(*, queue_url: str, stop: Stop) -> None:
    """Process the messages of the queue until asked to end.

    Raises:
        AwsError: the queue, the rights or the credentials are not there from the start.
    """
    patience, has_received = Patience(stop), False
    while not stop.is_asked:
        try:
            queue_work_once(queue_url=queue_url)
        except AwsError as error:
            if not has_received and error.kind in _MISCONFIGURED:
                raise
            patience.wait(error)
        except Exception as error:
            # A bug of ours must not end what takes the events of every channel.
            patience.wait(error)
        else:
            patience.over()
            has_received = True


def queue_work_once(*, queue_url: str) -> None:
    """Receive once, and process what came.

    Raises:
        AwsError: SQS refused or could not be asked.
        django.db.Error: the database is away; no message is lost.
    """
    _expect_database()
    messages = aws.messages_receive(queue_url=queue_url, longest=aws.QUEUE_BATCH, wait_seconds=WAIT_SECONDS)
    if not messages:
        return
    taken = _take(queue_url, messages)
    kept = sum(item.delivery.must_come_again for item in taken)
    outcomes = Counter(str(item.delivery.outcome) for item in taken)
    counts = " ".join(f"{outcome}={number}" for outcome, number in sorted(outcomes.items()))
    logger.info("batch processed messages=%d kept=%d %s", len(taken), kept, counts)


def _expect_database() -> None:
    """Before anything is received: what is received while it is away counts as tried."""
    # Outside HTTP no signal of Django runs: a connection that died meanwhile would stay.
    close_old_connections()
    connection.ensure_connection()
    # The queue may be silent for long; what is used after that is looked at again.
    close_old_connections()


def _take(queue_url: str, messages: Sequence[QueueMessage]) -> list[Taken]:
    try:
        return messages_take(queue_url=queue_url, messages=messages)
    except DatabaseError:
        # Where it is there and refuses, a later try is worth more than one at once: the queue counts them.
        if not connection.is_usable():
            messages_give_back(queue_url=queue_url, messages=messages)
        raise
    finally:
        close_old_connections()
