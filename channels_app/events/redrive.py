"""Redrive: process the messages of the dead-letter queue here.

A move to the first queue would hide the outcome from the caller.
"""

from collections.abc import Iterator

from channels_app import aws
from channels_app.aws import QueueMessage
from channels_app.events.messages import Taken, messages_give_back, messages_take

# Visibility timeout: longer than most runs, so that each message comes once in a run. After a crash the messages come
# back when it is over.
HIDDEN_SECONDS = 900


def queue_redrive(*, queue_url: str, limit: int | None = None) -> Iterator[Taken]:
    """Process each message of the queue once, at most `limit`; those that must come again stay in it.

    Raises:
        AwsError: SQS refused or could not be asked; the messages yielded until then are done.
    """
    held: dict[str, QueueMessage] = {}
    try:
        for message in _each_once(queue_url, limit, held):
            # One by one: what was yielded is done, even if the caller stops.
            [taken] = messages_take(queue_url=queue_url, messages=[message])
            if not taken.delivery.must_come_again:
                del held[message.message_id]
            yield taken
    finally:
        messages_give_back(queue_url=queue_url, messages=list(held.values()))


def _each_once(queue_url: str, limit: int | None, held: dict[str, QueueMessage]) -> Iterator[QueueMessage]:
    received: set[str] = set()
    while limit is None or len(received) < limit:
        longest = aws.QUEUE_BATCH if limit is None else min(aws.QUEUE_BATCH, limit - len(received))
        messages = aws.messages_receive(queue_url=queue_url, longest=longest, hidden_seconds=HIDDEN_SECONDS)
        held.update({message.message_id: message for message in messages})
        new = [message for message in messages if message.message_id not in received]
        if not new:
            return
        received.update(message.message_id for message in new)
        yield from new
