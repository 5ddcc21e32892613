"""Messages of a queue go down the road of every event; those that need not come again are deleted.

A message is deleted only when its event is stored and done, and what happens twice is a duplicate: so a crash anywhere,
or two who take the same message, loses and doubles nothing.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from channels_app import aws, inbox
from channels_app.aws import AwsError, QueueMessage
from channels_app.inbox import Delivery

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Taken:
    """A message, and what became of its event; it stays in the queue where that must come again."""

    message_id: str
    delivery: Delivery


def messages_take(*, queue_url: str, messages: Sequence[QueueMessage]) -> list[Taken]:
    """Process the messages, and delete those that need not come again.

    Raises:
        AwsError: not all of these could be deleted; they come again, as duplicates.
    """
    deliveries = list(inbox.ingest(message.body for message in messages))
    told = list(zip(messages, deliveries, strict=True))
    done = [message for message, delivery in told if not delivery.must_come_again]
    aws.messages_delete(queue_url=queue_url, messages=done)
    return [Taken(message.message_id, delivery) for message, delivery in told]


def messages_give_back(*, queue_url: str, messages: Sequence[QueueMessage]) -> None:
    """Let anybody receive them again at once; where that fails, when their time is over."""
    try:
        aws.messages_release(queue_url=queue_url, messages=messages)
    except AwsError as error:
        logger.warning("messages come back only when their time is over queue=%s: %s", queue_url, error)
