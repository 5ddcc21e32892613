"""Clients of AWS: timeouts, retries, the pace of calls to IVS, and the forwarder for networks without internet."""

import base64
import io
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

# The number of tries of a call.
RETRIED = 3
# IVS has no idempotency token: a create that is retried blindly can leave a channel without a row, which costs money.
ONCE = 1
# The quota of IVS is 5 calls a second of each operation, for the whole account. Background work leaves one to requests.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html
CALLS_PER_SECOND = 4

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A page of a list of AWS, and the token of the next page; the token is empty on the last page."""

    items: list[Item]
    next_token: str


def from_token(token: str) -> dict[str, str]:
    """Return the argument that requests the page of this token; empty for the first page."""
    return {"nextToken": token} if token else {}


def config_of(tries: int) -> Any:
    """Return the configuration of botocore: timeouts in seconds, and the number of tries of a call."""
    from botocore.config import Config

    return Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": tries})


@cache
def client(service: str, tries: int) -> Any:
    """Return the client of a service, in the region AWS_REGION or else the region that botocore finds."""
    # Loaded here: most reads and some events make no call to AWS.
    import boto3
    from django.conf import settings

    region = settings.AWS_REGION or None
    made = boto3.session.Session().client(service, region_name=region, config=config_of(tries))
    if service == "ivs":
        made.meta.events.register_first("before-send.ivs", _wait_for_turn)
        if settings.IVS_FORWARDER:
            made.meta.events.register("before-send.ivs", _forward)
    return made


# The time of the next call to IVS on the monotonic clock; None: calls are not paced.
_next_call_at: ContextVar[float | None] = ContextVar("next_call_at", default=None)


@contextmanager
def paced() -> Iterator[None]:
    """Space the calls to IVS inside, retries included, evenly at CALLS_PER_SECOND."""
    token = _next_call_at.set(0.0)
    try:
        yield
    finally:
        _next_call_at.reset(token)


def pause(seconds: float) -> None:
    """Sleep."""
    time.sleep(seconds)


def _wait_for_turn(**_: Any) -> None:
    """Handle `before-send` of botocore: sleep until the next call may be sent; None lets botocore send it."""
    call_at = _next_call_at.get()
    if call_at is None:
        return
    now = time.monotonic()
    if now < call_at:
        pause(call_at - now)
    _next_call_at.set(max(now, call_at) + 1 / CALLS_PER_SECOND)


def _forward(request: Any, **_: Any) -> Any:
    """Handle `before-send` of botocore: return the reply to the request, sent by the Lambda function IVS_FORWARDER.

    IVS has no PrivateLink endpoint for its API, so a network without internet needs a function outside of it. The
    request is signed here: the function cannot change it and needs no permission (deploy/forwarder.yaml).
    https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html

    Raises:
        botocore.exceptions.BotoCoreError: the function could not be called, or could not reach IVS.
        botocore.exceptions.ClientError: Lambda refused.
    """
    from botocore.awsrequest import AWSResponse
    from botocore.exceptions import EndpointConnectionError
    from django.conf import settings

    body = base64.b64encode(body_of(request)).decode()
    payload = {"url": request.url, "method": request.method, "headers": headers_of(request), "body": body}
    # Called once: botocore itself tries again when IVS was not reached.
    reply = client("lambda", ONCE).invoke(FunctionName=settings.IVS_FORWARDER, Payload=json.dumps(payload).encode())
    answer = json.load(reply["Payload"])
    if "FunctionError" in reply:
        # Its message may quote the headers, a session token among them.
        raise EndpointConnectionError(endpoint_url=request.url, error=answer.get("errorType"))
    return AWSResponse(request.url, answer["status"], answer["headers"], Body(base64.b64decode(answer["body"])))


class Body(io.BytesIO):
    """The body of a reply, with the method `stream` of urllib3, which botocore calls."""

    def stream(self, **_: Any) -> Iterable[bytes]:
        yield self.read()


def body_of(request: Any) -> bytes:
    """Return the body of a prepared request, which botocore holds as text, bytes, a file, or chunks with a checksum."""
    body = request.body
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body)


def headers_of(request: Any) -> dict[str, str]:
    """Return the headers of a prepared request as text."""
    return {
        name: value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
