"""Process messages of a queue as events, and redrive those of the dead-letter queue.

A message is deleted only after its event is stored and done, and an event that comes twice is a duplicate. So a crash,
or two workers with the same message, neither lose nor double anything. A redrive processes the messages here: a move to
the first queue would hide the outcome from the caller.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from channels_app.events import inbox
from channels_app.events.inbox import Delivery
from common import aws
from common.aws import AwsError, QueueMessage

logger = logging.getLogger(__name__)

# Visibility timeout of a redrive: longer than most runs, so that each message comes once in a run. After a crash the
# messages come back when it ends.
HIDDEN_SECONDS = 900


@dataclass(frozen=True)
class ProcessedMessage:
    """A message and the outcome of its event; it stays in the queue if `delivery.must_come_again`."""

    message_id: str
    delivery: Delivery


def messages_process(*, queue_url: str, messages: Sequence[QueueMessage]) -> list[ProcessedMessage]:
    """Process the messages, and delete those that need not come again; an AwsError if not all could be deleted."""
    deliveries = list(inbox.ingest(message.body for message in messages))
    processed = list(zip(messages, deliveries, strict=True))
    done = [message for message, delivery in processed if not delivery.must_come_again]
    aws.messages_delete(queue_url=queue_url, messages=done)
    return [ProcessedMessage(message.message_id, delivery) for message, delivery in processed]


def messages_return(*, queue_url: str, messages: Sequence[QueueMessage]) -> None:
    """Make the messages visible in the queue again at once; if that fails, they are when their timeout ends."""
    try:
        aws.messages_release(queue_url=queue_url, messages=messages)
    except AwsError as error:
        logger.warning("messages come back only when their visibility timeout ends queue=%s: %s", queue_url, error)


def queue_redrive(*, queue_url: str, limit: int | None = None) -> Iterator[ProcessedMessage]:
    """Process each message of the queue once, at most `limit`; those that must come again stay in it.

    Raises:
        AwsError: SQS refused or could not be reached; the messages yielded until then are done.
    """
    received: set[str] = set()
    held: dict[str, QueueMessage] = {}
    try:
        while limit is None or len(received) < limit:
            longest = aws.QUEUE_BATCH if limit is None else min(aws.QUEUE_BATCH, limit - len(received))
            messages = aws.messages_receive(queue_url=queue_url, longest=longest, hidden_seconds=HIDDEN_SECONDS)
            held.update({message.message_id: message for message in messages})
            new = [message for message in messages if message.message_id not in received]
            if not new:
                return
            received.update(message.message_id for message in new)
            for message in new:
                # One by one: the yielded messages are done, even if the caller stops.
                [processed] = messages_process(queue_url=queue_url, messages=[message])
                if not processed.delivery.must_come_again:
                    del held[message.message_id]
                yield processed
    finally:
        messages_return(queue_url=queue_url, messages=list(held.values()))
