"""Process messages of a queue as events, and delete those that need not come again.

A message is deleted only when its event is stored and done, and an event that comes twice is a duplicate. So neither a
crash nor two workers with the same message lose or double anything.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from channels_app import aws
from channels_app.aws import AwsError, QueueMessage
from channels_app.events import inbox
from channels_app.events.inbox import Delivery

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Taken:
    """A processed message and the outcome of its event; it stays in the queue if that must come again."""

    message_id: str
    delivery: Delivery


def messages_take(*, queue_url: str, messages: Sequence[QueueMessage]) -> list[Taken]:
    """Process the messages, and delete those that need not come again.

    Raises:
        AwsError: not all of these could be deleted; they come again, as duplicates.
    """
    deliveries = list(inbox.ingest(message.body for message in messages))
    processed = list(zip(messages, deliveries, strict=True))
    done = [message for message, delivery in processed if not delivery.must_come_again]
    aws.messages_delete(queue_url=queue_url, messages=done)
    return [Taken(message.message_id, delivery) for message, delivery in processed]


def messages_give_back(*, queue_url: str, messages: Sequence[QueueMessage]) -> None:
    """Make the messages visible in the queue again at once; if that fails, their visibility timeout does it."""
    try:
        aws.messages_release(queue_url=queue_url, messages=messages)
    except AwsError as error:
        logger.warning("messages come back only when their time is over queue=%s: %s", queue_url, error)
