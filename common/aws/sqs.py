"""Messages of a queue of SQS. Each docstring names its operation.

Raises AwsError: kind `not_found` if there is no such queue, else SQS refused or could not be reached.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from common.aws.clients import RETRIED, client
from common.aws.errors import AwsError, AwsErrorKind, raises_aws_error, require_request_id

# The most messages in one call.
QUEUE_BATCH = 10
# Long polling queries all servers of the queue; short polling can miss messages.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
_WAIT_SECONDS = 1


@dataclass(frozen=True)
class QueueMessage:
    """A received message, with the receipt of its last delivery."""

    message_id: str
    receipt: str = field(repr=False)
    body: str = field(repr=False)


def messages_receive(
    *, queue_url: str, longest: int, hidden_seconds: int | None = None, wait_seconds: int | None = None
) -> list[QueueMessage]:
    """Return up to `longest` messages (at most 10), hidden from other receivers for `hidden_seconds` (ReceiveMessage).

    Without `hidden_seconds` the visibility timeout of the queue holds. `wait_seconds` must stay below the read timeout.
    """
    hidden = {} if hidden_seconds is None else {"VisibilityTimeout": hidden_seconds}
    with raises_aws_error("ReceiveMessage", queue_url):
        reply = client("sqs", RETRIED).receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=longest,
            WaitTimeSeconds=_WAIT_SECONDS if wait_seconds is None else wait_seconds,
            **hidden,
        )
        # The reply of an empty queue has no member at all.
        require_request_id(reply)
        return [
            QueueMessage(message_id=item["MessageId"], receipt=item["ReceiptHandle"], body=item["Body"])
            for item in reply.get("Messages", [])
        ]


def messages_delete(*, queue_url: str, messages: Sequence[QueueMessage]) -> None:
    """Delete messages (DeleteMessageBatch); an AwsError if SQS refuses at least one. The others are deleted."""
    refused: list[dict[str, Any]] = []
    for entries in _entries(messages):
        with raises_aws_error("DeleteMessage", queue_url):
            reply = client("sqs", RETRIED).delete_message_batch(QueueUrl=queue_url, Entries=entries)
            require_request_id(reply)
            refused += reply.get("Failed", [])
    if refused:
        kind = AwsErrorKind.INVALID if refused[0].get("SenderFault") else AwsErrorKind.UNAVAILABLE
        raise AwsError("DeleteMessage", queue_url, kind, f"{len(refused)} refused, {refused[0].get('Code', '')}")


def messages_release(*, queue_url: str, messages: Sequence[QueueMessage]) -> None:
    """Make messages visible again at once (ChangeMessageVisibilityBatch), also those that are visible already."""
    for entries in _entries(messages, VisibilityTimeout=0):
        with raises_aws_error("ChangeMessageVisibility", queue_url):
            sqs = client("sqs", RETRIED)
            require_request_id(sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=entries))


def _entries(messages: Sequence[QueueMessage], **options: int) -> list[list[dict[str, Any]]]:
    """Return the entries of batch calls, at most `QUEUE_BATCH` a call."""
    entries = [{"Id": str(number), "ReceiptHandle": each.receipt, **options} for number, each in enumerate(messages)]
    return [entries[first : first + QUEUE_BATCH] for first in range(0, len(entries), QUEUE_BATCH)]
