"""Failures of calls to AWS as `AwsError`, with a kind."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from common.errors import ServiceError
from common.metrics import AWS_ERRORS, counted


class AwsErrorKind(StrEnum):
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
        """Return whether AWS may have carried out the call nevertheless."""
        return self in {AwsErrorKind.TIMEOUT, AwsErrorKind.UNAVAILABLE}


# Status and code of the API; 502 and aws_failed for all other kinds.
_ANSWERS = {
    AwsErrorKind.INVALID: (400, "aws_refused"),
    AwsErrorKind.PENDING_VERIFICATION: (403, "aws_pending_verification"),
    AwsErrorKind.CONFLICT: (409, "aws_conflict"),
    AwsErrorKind.QUOTA: (503, "aws_quota"),
    AwsErrorKind.THROTTLED: (503, "aws_throttled"),
    AwsErrorKind.TIMEOUT: (503, "aws_timeout"),
    AwsErrorKind.UNAVAILABLE: (503, "aws_unavailable"),
}
_STAFF_SENTENCES = {
    AwsErrorKind.INVALID: _("Amazon IVS refuses a value: %(message)s. Change it, then try again."),
    AwsErrorKind.DENIED: _(
        "Amazon IVS does not permit this. The log of the service names the permission that its role lacks."
    ),
    AwsErrorKind.PENDING_VERIFICATION: _(
        "The AWS account of this service is not verified: its owner opens a case with AWS."
    ),
    AwsErrorKind.NOT_FOUND: _("Amazon IVS does not have it: %(message)s."),
    AwsErrorKind.NOT_BROADCASTING: _("Nothing is on air: Amazon IVS has no stream of this channel."),
    AwsErrorKind.CONFLICT: _("Amazon IVS is changing the same thing right now. Wait a few seconds, then try again."),
    AwsErrorKind.QUOTA: _(
        "A quota of the AWS account is used up: %(message)s. Delete what is unused, or raise the quota."
    ),
    AwsErrorKind.THROTTLED: _("Amazon IVS gets too many requests. Wait a few seconds, then try again."),
    AwsErrorKind.TIMEOUT: _(
        "Amazon IVS did not answer in time, and may have done it nevertheless. Look before you try again."
    ),
    AwsErrorKind.UNAVAILABLE: _("Amazon IVS could not be reached, or failed. Try again in a minute."),
    AwsErrorKind.MISCONFIGURED: _(
        "The region or the credentials of this service for AWS are wrong. The log has the reason."
    ),
}
# The text after it quotes the signed headers, with the session token.
_SIGNED = "The Canonical String"
_LONGEST_MESSAGE = 500
# The message of AWS does not say how to solve it.
_VERIFY = ". The AWS account of this service is not verified yet: its owner must open a support case with AWS"


class AwsError(ServiceError):
    """A failed call to AWS: the operation, its resource and the kind of failure. The message is one line, no secret."""

    def __init__(self, operation: str, resource: str, kind: AwsErrorKind, message: str) -> None:
        message = " ".join(message.partition(_SIGNED)[0].split())[:_LONGEST_MESSAGE]
        super().__init__(f"{operation} of {resource}: {message} ({kind})")
        self.operation, self.resource, self.kind, self.message = operation, resource, kind, message
        self.status_code, self.code = _ANSWERS.get(kind, (502, "aws_failed"))

    def for_client(self) -> str:
        """Return the sentence of the API, without names of accounts, roles and settings of the service."""
        if self.kind in {AwsErrorKind.DENIED, AwsErrorKind.MISCONFIGURED}:
            return f"Amazon IVS refused this service {self.operation}: the log of the service has the reason"
        verb = "did not answer" if self.kind.unknown_outcome else "refused"
        help_text = _VERIFY if self.kind is AwsErrorKind.PENDING_VERIFICATION else ""
        return f"Amazon IVS {verb} {self.operation}: {self.message or self.kind}{help_text}"

    def for_staff(self) -> str:
        return str(_STAFF_SENTENCES[self.kind]) % {"message": self.message.rstrip(".")}


# Expected answers of AWS; every other kind counts towards the alarm.
_EXPECTED = {AwsErrorKind.INVALID, AwsErrorKind.NOT_FOUND, AwsErrorKind.NOT_BROADCASTING, AwsErrorKind.CONFLICT}
# By error code, not by HTTP status: ChannelNotBroadcasting is a 404 too, and so may be the answer of a proxy.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/CommonErrors.html
_KINDS = {
    "ValidationException": AwsErrorKind.INVALID,
    **dict.fromkeys(("AccessDeniedException", "AccessDenied"), AwsErrorKind.DENIED),
    "PendingVerification": AwsErrorKind.PENDING_VERIFICATION,
    **dict.fromkeys(("ResourceNotFoundException", "NoSuchKey", "NoSuchBucket"), AwsErrorKind.NOT_FOUND),
    "AWS.SimpleQueueService.NonExistentQueue": AwsErrorKind.NOT_FOUND,
    "ChannelNotBroadcasting": AwsErrorKind.NOT_BROADCASTING,
    "ConflictException": AwsErrorKind.CONFLICT,
    "ServiceQuotaExceededException": AwsErrorKind.QUOTA,
}
# The answer to HEAD has no body: its status is the code.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
_KINDS_OF_HEAD = {"404": AwsErrorKind.NOT_FOUND, "403": AwsErrorKind.DENIED}
# AWS has many error codes for throttling.
_THROTTLING = re.compile(r"Throttl|TooManyRequests|RequestLimit|SlowDown|LimitExceeded")


@contextmanager
def raises_aws_error(operation: str, resource: str) -> Iterator[None]:
    """Raise `AwsError` for a failure of AWS, its libraries or an incomplete reply, and count it; others pass."""
    try:
        yield
    except Exception as error:
        failure = error if isinstance(error, AwsError) else _translated(error, operation, resource)
        if failure is None:
            raise
        if failure.kind not in _EXPECTED:
            counted(AWS_ERRORS)
        if failure is error:
            raise
        raise failure from error


@contextmanager
def ignored(kind: AwsErrorKind) -> Iterator[None]:
    """Suppress an AwsError of this kind."""
    try:
        yield
    except AwsError as error:
        if error.kind is not kind:
            raise


def require_request_id(reply: dict[str, Any]) -> None:
    """Raise KeyError if a reply without content lacks the request id, which each answer of AWS has."""
    reply["ResponseMetadata"]["RequestId"]


def _translated(error: Exception, operation: str, resource: str) -> AwsError | None:
    """Return the AwsError of an exception; None if neither AWS nor one of its replies caused it."""
    # After a failure botocore is loaded already, or no call was made.
    from botocore import exceptions as boto
    from botocore.parsers import ResponseParserError

    if isinstance(error, boto.ClientError):
        # The model of IVS names the member `exceptionMessage`, and botocore reads only `message`.
        message = error.response["Error"].get("Message") or error.response.get("exceptionMessage", "")
        return AwsError(operation, resource, _kind_of(error), message)
    if isinstance(error, boto.ReadTimeoutError):
        return AwsError(operation, resource, AwsErrorKind.TIMEOUT, "no answer in time")
    if isinstance(error, boto.ConnectionError | boto.HTTPClientError):
        return AwsError(operation, resource, AwsErrorKind.UNAVAILABLE, type(error).__name__)
    # A reply with a status of success that AWS did not send whole: the page of a proxy, or half of a document.
    incomplete = (ResponseParserError, boto.IncompleteReadError, boto.FlexibleChecksumError)
    if isinstance(error, (*incomplete, KeyError, IndexError, TypeError, AttributeError)):
        return AwsError(operation, resource, AwsErrorKind.UNAVAILABLE, "the reply is incomplete")
    # Nothing was sent: no region, no credentials, a parameter that the model refuses.
    is_ours = isinstance(error, boto.BotoCoreError)
    return AwsError(operation, resource, AwsErrorKind.MISCONFIGURED, str(error)) if is_ours else None


def _kind_of(error: Any) -> AwsErrorKind:
    code = error.response["Error"].get("Code", "")
    metadata = error.response.get("ResponseMetadata", {})
    # A status alone counts if AWS itself sent it.
    is_of_aws = any(name.lower().startswith("x-amz") for name in metadata.get("HTTPHeaders", {}))
    head = _KINDS_OF_HEAD.get(code) if is_of_aws and error.operation_name == "HeadObject" else None
    if kind := _KINDS.get(code) or head:
        return kind
    status = metadata.get("HTTPStatusCode", 500)
    if status == 429 or _THROTTLING.search(code):
        return AwsErrorKind.THROTTLED
    # Expired credentials, an unknown signature or operation, the page of a proxy: this service must be changed.
    return AwsErrorKind.MISCONFIGURED if 400 <= status < 500 else AwsErrorKind.UNAVAILABLE
