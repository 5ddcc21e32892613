"""Messages of a queue of SQS."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from channels_app.aws.clients import RETRIED, client
from channels_app.aws.errors import refuse_unnumbered, told_as_aws_error

# The most that one call takes.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
BATCH = 10
# Long polling asks all servers of the queue; short polling can miss messages that are there.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
_WAIT_SECONDS = 1


@dataclass(frozen=True)
class QueueMessage:
    """A message as it was received; the receipt is that of the last time."""

    message_id: str
    receipt: str = field(repr=False)
    body: str = field(repr=False)


def messages_receive(*, queue_url: str, longest: int, hidden_seconds: int) -> list[QueueMessage]:
    """ReceiveMessage: up to `longest` messages (at most 10), which nobody else gets for `hidden_seconds`.

    Raises:
        AwsError: kind `not_found` where there is no such queue, or SQS could not be asked.
    """
    with told_as_aws_error("ReceiveMessage", queue_url):
        reply = client("sqs", RETRIED).receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=longest,
            VisibilityTimeout=hidden_seconds,
            WaitTimeSeconds=_WAIT_SECONDS,
        )
        # An empty queue is told by no member at all.
        refuse_unnumbered(reply)
        return [
            QueueMessage(message_id=item["MessageId"], receipt=item["ReceiptHandle"], body=item["Body"])
            for item in reply.get("Messages", [])
        ]


def message_delete(*, queue_url: str, message: QueueMessage) -> None:
    """DeleteMessage. A message that somebody else received since may stay.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html

    Raises:
        AwsError: SQS refused or could not be asked.
    """
    with told_as_aws_error("DeleteMessage", queue_url):
        refuse_unnumbered(client("sqs", RETRIED).delete_message(QueueUrl=queue_url, ReceiptHandle=message.receipt))


def messages_release(*, queue_url: str, messages: Sequence[QueueMessage]) -> None:
    """ChangeMessageVisibilityBatch: anybody may receive them again at once. One that is hidden no longer is fine.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html

    Raises:
        AwsError: SQS could not be asked; the others come back when their time is over.
    """
    for first in range(0, len(messages), BATCH):
        entries = [
            {"Id": str(number), "ReceiptHandle": message.receipt, "VisibilityTimeout": 0}
            for number, message in enumerate(messages[first : first + BATCH])
        ]
        with told_as_aws_error("ChangeMessageVisibility", queue_url):
            refuse_unnumbered(
                client("sqs", RETRIED).change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)
            )
