"""What the libraries raise, as what it means for the caller. Loaded when something went wrong: so is botocore."""

import re

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

from channels_app.aws.errors import Kind

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


def meaning(error: Exception) -> tuple[Kind, str] | None:
    """The kind of failure and a sentence; None for what is no failure of AWS, nor of a reply of it."""
    if isinstance(error, ClientError):
        return _kind(error), _message(error)
    if isinstance(error, ReadTimeoutError):
        return Kind.TIMEOUT, "no answer in time"
    if isinstance(error, BotoConnectionError | HTTPClientError):
        return Kind.UNAVAILABLE, type(error).__name__
    if isinstance(error, _INCOMPLETE):
        return Kind.UNAVAILABLE, "the reply is incomplete"
    # Nothing was sent: no region, no credentials, a parameter that the model refuses.
    return (Kind.MISCONFIGURED, str(error)) if isinstance(error, BotoCoreError) else None


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
