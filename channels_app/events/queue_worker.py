"""Queue worker, in place of Lambda: receive messages, process their events, delete them.

While a service is unavailable it waits and receives nothing: the queue counts receives, and gives up messages.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

import logging
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep
from typing import Any

from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from channels_app.events.messages import messages_process, messages_return
from common import aws
from common.aws import AwsError, AwsErrorKind

logger = logging.getLogger(__name__)

# Below the read timeout of the client (10 s). A stop takes that long; Docker kills a container after 10 s.
# https://docs.docker.com/reference/cli/docker/container/stop/
WAIT_SECONDS = 5
LONGEST_PAUSE_SECONDS = 60
# Errors that waiting does not solve if the first receive has them.
_MISCONFIGURED = {AwsErrorKind.NOT_FOUND, AwsErrorKind.DENIED, AwsErrorKind.INVALID, AwsErrorKind.MISCONFIGURED}


class Stop:
    """A request to end the process, after the current batch."""

    def __init__(self) -> None:
        self.is_requested = False

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT make the request instead of killing the process."""

        def request(*_: Any) -> None:
            self.is_requested = True

        before = {number: signal.signal(number, request) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def queue_work(*, queue_url: str, stop: Stop) -> None:
    """Process messages until the stop, with a growing pause after failures; an AwsError if it cannot start."""
    pause, has_received = 0, False
    while not stop.is_requested:
        try:
            queue_work_once(queue_url=queue_url)
        # A bug must not end the worker, which serves the events of every channel.
        except Exception as error:
            if isinstance(error, AwsError) and not has_received and error.kind in _MISCONFIGURED:
                raise
            if not pause:
                reason = str(error).strip().partition("\n")[0] or type(error).__name__
                is_expected = isinstance(error, AwsError | DatabaseError)
                logger.warning("worker waits: %s", reason, exc_info=None if is_expected else error)
            pause = min(pause * 2 or 1, LONGEST_PAUSE_SECONDS)
            for _ in range(pause):
                if stop.is_requested:
                    return
                sleep(1)
        else:
            if pause:
                logger.info("worker goes on")
            pause, has_received = 0, True


def queue_work_once(*, queue_url: str) -> None:
    """Receive once and process the messages; raises AwsError or, without loss of messages, django.db.Error."""
    # First, as the queue counts each receive. Outside HTTP no signal of Django closes a connection that died.
    close_old_connections()
    connection.ensure_connection()
    # The wait for messages may be long: check the connection again at its next use.
    close_old_connections()
    messages = aws.messages_receive(queue_url=queue_url, longest=aws.QUEUE_BATCH, wait_seconds=WAIT_SECONDS)
    if not messages:
        return
    try:
        deliveries = [item.delivery for item in messages_process(queue_url=queue_url, messages=messages)]
    except DatabaseError:
        # If the database is available and refuses, a later try is better than one at once.
        if not connection.is_usable():
            messages_return(queue_url=queue_url, messages=messages)
        raise
    finally:
        close_old_connections()
    kept = sum(delivery.must_come_again for delivery in deliveries)
    outcomes = Counter(str(delivery.outcome) for delivery in deliveries)
    counts = " ".join(f"{outcome}={number}" for outcome, number in sorted(outcomes.items()))
    logger.info("batch processed messages=%d kept=%d %s", len(deliveries), kept, counts)
