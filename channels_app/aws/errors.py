"""What goes wrong with AWS, as one error."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from channels_app.metrics import AWS_ERRORS, counted


class Kind(StrEnum):
    """What a failure means for the caller. Where `unknown_outcome` is true the call may have been done."""

    INVALID = "invalid"
    DENIED = "denied"
    PENDING_VERIFICATION = "pending_verification"
    NOT_FOUND = "not_found"
    NOT_BROADCASTING = "not_broadcasting"
    CONFLICT = "conflict"
    QUOTA = "quota"
    THROTTLED = "throttled"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    MISCONFIGURED = "misconfigured"

    @property
    def unknown_outcome(self) -> bool:
        """Whether the call may have been carried out all the same."""
        return self in {Kind.TIMEOUT, Kind.UNAVAILABLE}


# What follows quotes the signed headers, the session token among them.
_SIGNED = "The Canonical String"
_LONGEST_MESSAGE = 500


class AwsError(Exception):
    """A call to AWS failed: which operation, on what, and what kind of failure; the message is one line, no secret."""

    def __init__(self, operation: str, resource: str, kind: Kind, message: str) -> None:
        message = " ".join(message.partition(_SIGNED)[0].split())[:_LONGEST_MESSAGE]
        super().__init__(f"{operation} of {resource}: {message} ({kind})")
        self.operation = operation
        self.resource = resource
        self.kind = kind
        self.message = message


# What AWS says of something that is as it says; the others are trouble, for which there is an alarm.
_ANSWERS = {Kind.INVALID, Kind.NOT_FOUND, Kind.NOT_BROADCASTING, Kind.CONFLICT}


@contextmanager
def told_as_aws_error(operation: str, resource: str) -> Iterator[None]:
    """Whatever the libraries raise inside becomes an `AwsError`, and so does reading a reply that is incomplete."""
    try:
        with _translated(operation, resource):
            yield
    except AwsError as error:
        if error.kind not in _ANSWERS:
            counted(AWS_ERRORS)
        raise


@contextmanager
def _translated(operation: str, resource: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # botocore is loaded by now, or nothing of it was called.
        from channels_app.aws.translation import meaning

        told = meaning(error)
        if told is None:
            raise
        raise AwsError(operation, resource, *told) from error


def refuse_unnumbered(reply: dict[str, Any]) -> None:
    """Raise KeyError where a reply that says nothing has not even the id that AWS gives to each of its answers."""
    reply["ResponseMetadata"]["RequestId"]
