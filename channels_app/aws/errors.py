"""What goes wrong with AWS, as one error."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

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


# By error code, not by HTTP status: ChannelNotBroadcasting is a 404 as well, and so is the answer of a lost proxy.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/CommonErrors.html
_KINDS = {
    "ValidationException": Kind.INVALID,
    "AccessDeniedException": Kind.DENIED,
    "AccessDenied": Kind.DENIED,
    "PendingVerification": Kind.PENDING_VERIFICATION,
    "ResourceNotFoundException": Kind.NOT_FOUND,
    "NoSuchKey": Kind.NOT_FOUND,
    "NoSuchBucket": Kind.NOT_FOUND,
    "AWS.SimpleQueueService.NonExistentQueue": Kind.NOT_FOUND,
    "ChannelNotBroadcasting": Kind.NOT_BROADCASTING,
    "ConflictException": Kind.CONFLICT,
    "ServiceQuotaExceededException": Kind.QUOTA,
    "ThrottlingException": Kind.THROTTLED,
    "TooManyRequestsException": Kind.THROTTLED,
    "SlowDown": Kind.THROTTLED,
}
# The answer to HEAD has no body, and so no code but its status.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
_KINDS_OF_HEAD = {"404": Kind.NOT_FOUND, "403": Kind.DENIED}
# AWS has more names for it than any list of it holds.
_THROTTLING = re.compile(r"Throttl|TooManyRequests|RequestLimit|SlowDown|LimitExceeded")
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

# A reply with a status of success that is not that of AWS: the page of a proxy, half of a document, or nothing.
_INCOMPLETE = (
    ResponseParserError,
    IncompleteReadError,
    FlexibleChecksumError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
)


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
    except ClientError as error:
        raise AwsError(operation, resource, _kind(error), _message(error)) from error
    except ReadTimeoutError as error:
        raise AwsError(operation, resource, Kind.TIMEOUT, "no answer in time") from error
    except (BotoConnectionError, HTTPClientError) as error:
        raise AwsError(operation, resource, Kind.UNAVAILABLE, type(error).__name__) from error
    except _INCOMPLETE as error:
        raise AwsError(operation, resource, Kind.UNAVAILABLE, "the reply is incomplete") from error
    except BotoCoreError as error:
        # Nothing was sent: no region, no credentials, a parameter that the model refuses.
        raise AwsError(operation, resource, Kind.MISCONFIGURED, str(error)) from error


def refuse_unnumbered(reply: dict[str, Any]) -> None:
    """Raise KeyError where a reply that says nothing has not even the id that AWS gives to each of its answers."""
    reply["ResponseMetadata"]["RequestId"]


def _message(error: ClientError) -> str:
    # The model of IVS calls the member so, and botocore reads only `message`.
    return error.response["Error"].get("Message") or error.response.get("exceptionMessage", "")


def _kind(error: ClientError) -> Kind:
    code = error.response["Error"].get("Code", "")
    known = _KINDS.get(code) or _kind_of_head(error, code)
    if known:
        return known
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    if status == 429 or _THROTTLING.search(code):
        return Kind.THROTTLED
    # Credentials that expired, a signature or an operation that AWS does not know, the page of a proxy: ours to mend.
    return Kind.MISCONFIGURED if 400 <= status < 500 else Kind.UNAVAILABLE


def _kind_of_head(error: ClientError, code: str) -> Kind | None:
    """What a status alone says, where AWS itself has sent it."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    is_of_aws = any(name.lower().startswith("x-amz") for name in headers)
    return _KINDS_OF_HEAD.get(code) if is_of_aws and error.operation_name == "HeadObject" else None
