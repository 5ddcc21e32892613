"""What the queue gave up comes back: each message of the dead-letter queue goes down the road of every event again.

A move to the first queue would hide what becomes of it from whoever asked for it. A message is deleted only when it
need not come again, and what happens twice is a duplicate: so a crash anywhere, or two at once, loses and doubles
nothing.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from channels_app import aws, inbox
from channels_app.aws import AwsError, QueueMessage
from channels_app.inbox import Delivery

logger = logging.getLogger(__name__)

# How long nobody else gets what a run has received: longer than most runs, so that each message comes once in one.
# After a crash they come back when it is over.
HIDDEN_SECONDS = 900


@dataclass(frozen=True)
class Redriven:
    """A message, and what became of its event; it stays in the queue where that must come again."""

    message_id: str
    delivery: Delivery


def queue_redrive(*, queue_url: str, limit: int | None = None) -> Iterator[Redriven]:
    """Process each message of the queue once, at most `limit`; those that must come again stay in it.

    Raises:
        AwsError: SQS refused or could not be asked; what was told until then is done.
    """
    held: dict[str, QueueMessage] = {}
    try:
        for message in _each_once(queue_url, limit, held):
            [delivery] = inbox.ingest([message.body])
            if not delivery.must_come_again:
                aws.message_delete(queue_url=queue_url, message=message)
                del held[message.message_id]
            yield Redriven(message.message_id, delivery)
    finally:
        _release(queue_url, held)


def _each_once(queue_url: str, limit: int | None, held: dict[str, QueueMessage]) -> Iterator[QueueMessage]:
    seen: set[str] = set()
    while limit is None or len(seen) < limit:
        longest = aws.QUEUE_BATCH if limit is None else min(aws.QUEUE_BATCH, limit - len(seen))
        messages = aws.messages_receive(queue_url=queue_url, longest=longest, hidden_seconds=HIDDEN_SECONDS)
        held.update({message.message_id: message for message in messages})
        unseen = [message for message in messages if message.message_id not in seen]
        if not unseen:
            return
        seen.update(message.message_id for message in unseen)
        yield from unseen


def _release(queue_url: str, held: dict[str, QueueMessage]) -> None:
    try:
        aws.messages_release(queue_url=queue_url, messages=list(held.values()))
    except AwsError as error:
        logger.warning("messages come back only in %s s queue=%s: %s", HIDDEN_SECONDS, queue_url, error)
