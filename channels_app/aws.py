"""The one door to AWS: IVS and S3, with short timeouts, and every failure as one `AwsError`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    ReadTimeoutError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

_TIMEOUTS = {"connect_timeout": 2, "read_timeout": 10}
_RETRIED = Config(**_TIMEOUTS, retries={"mode": "standard", "total_max_attempts": 3})
# IVS has no idempotency token: a create that is retried blindly can leave a channel that nobody knows and all pay for.
_ONCE = Config(**_TIMEOUTS, retries={"mode": "standard", "total_max_attempts": 1})


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


# By error code, not by HTTP status: ChannelNotBroadcasting is a 404 as well.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/CommonErrors.html
_KINDS = {
    "ValidationException": Kind.INVALID,
    "AccessDeniedException": Kind.DENIED,
    "AccessDenied": Kind.DENIED,
    "403": Kind.DENIED,
    "PendingVerification": Kind.PENDING_VERIFICATION,
    "ResourceNotFoundException": Kind.NOT_FOUND,
    "NoSuchKey": Kind.NOT_FOUND,
    "NoSuchBucket": Kind.NOT_FOUND,
    "404": Kind.NOT_FOUND,
    "ChannelNotBroadcasting": Kind.NOT_BROADCASTING,
    "ConflictException": Kind.CONFLICT,
    "ServiceQuotaExceededException": Kind.QUOTA,
    "ThrottlingException": Kind.THROTTLED,
    "TooManyRequestsException": Kind.THROTTLED,
    "SlowDown": Kind.THROTTLED,
}


class AwsError(Exception):
    """A call to AWS failed: which operation, on what, and what kind of failure."""

    def __init__(self, operation: str, resource: str, kind: Kind, message: str) -> None:
        super().__init__(f"{operation} of {resource}: {message} ({kind})")
        self.operation = operation
        self.resource = resource
        self.kind = kind
        self.message = message


@dataclass(frozen=True)
class IvsChannel:
    """A channel of IVS with its key. `data` is the reply without any secret, in the shape the predecessor stores."""

    arn: str
    ingest_endpoint: str
    playback_url: str
    stream_key: str
    data: dict[str, Any]

    def __repr__(self) -> str:
        return f"IvsChannel({self.arn})"


def channel_create(
    *, name: str, tags: dict[str, str], channel_type: str, latency_mode: str, private: bool, recording_config_arn: str
) -> IvsChannel:
    """CreateChannel, called once: whatever it raises with an unknown outcome must be looked up by name.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateChannel.html

    Raises:
        AwsError: IVS refused, or nothing is known.
    """
    with _errors("CreateChannel", name):
        reply = _client("ivs", _ONCE).create_channel(
            name=name,
            type=channel_type,
            latencyMode=latency_mode,
            authorized=private,
            recordingConfigurationArn=recording_config_arn,
            tags=tags,
        )
    return _ivs_channel(reply["channel"], reply["streamKey"])


def channel_find(*, name: str) -> IvsChannel | None:
    """The channel with this name, with its key; None where IVS has none. A channel without a key gets one.

    Raises:
        AwsError: IVS could not be asked.
    """
    with _errors("ListChannels", name):
        client = _client("ivs", _RETRIED)
        found = client.list_channels(filterByName=name)["channels"]
        if not found:
            return None
        channel = client.get_channel(arn=found[0]["arn"])["channel"]
        keys = client.list_stream_keys(channelArn=channel["arn"])["streamKeys"]
        if keys:
            return _ivs_channel(channel, client.get_stream_key(arn=keys[0]["arn"])["streamKey"])
    with _errors("CreateStreamKey", name):
        return _ivs_channel(channel, _client("ivs", _ONCE).create_stream_key(channelArn=channel["arn"])["streamKey"])


def channel_delete(*, arn: str) -> None:
    """DeleteChannel, its keys included; a channel that is gone already is fine.

    Raises:
        AwsError: kind `conflict` while it is live.
    """
    try:
        with _errors("DeleteChannel", arn):
            _client("ivs", _RETRIED).delete_channel(arn=arn)
    except AwsError as error:
        if error.kind is not Kind.NOT_FOUND:
            raise


def object_read(*, bucket: str, key: str, longest: int) -> bytes | None:
    """The bytes of an object; None where there is none that can be read yet.

    For a missing key S3 answers 403 to a caller without ListBucket, so "not there" and "not allowed" look alike.

    Raises:
        AwsError: S3 could not be asked, or the object is longer than `longest` bytes (kind `invalid`).
    """
    try:
        with _errors("GetObject", f"{bucket}/{key}"):
            reply = _client("s3", _RETRIED).get_object(Bucket=bucket, Key=key)
            with reply["Body"] as body:
                content: bytes = body.read(longest + 1)
    except AwsError as error:
        if error.kind in {Kind.NOT_FOUND, Kind.DENIED}:
            return None
        raise
    if len(content) > longest:
        raise AwsError("GetObject", f"{bucket}/{key}", Kind.INVALID, f"the object is longer than {longest} bytes")
    return content


def object_keys(*, bucket: str, prefix: str, longest: int) -> list[str]:
    """The keys below a prefix, sorted, at most `longest` (to 1000): one call.

    Raises:
        AwsError: S3 could not be asked.
    """
    with _errors("ListObjectsV2", f"{bucket}/{prefix}"):
        reply = _client("s3", _RETRIED).list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=longest)
    return [item["Key"] for item in reply.get("Contents", [])]


def json_write(*, bucket: str, key: str, document: dict[str, Any], max_age: int) -> None:
    """Write a small JSON object that caches may keep for `max_age` seconds.

    Raises:
        AwsError: S3 refused or could not be asked.
    """
    with _errors("PutObject", f"{bucket}/{key}"):
        _client("s3", _RETRIED).put_object(
            Bucket=bucket,
            Key=key,
            Body=json.dumps(document).encode(),
            ContentType="application/json",
            CacheControl=f"max-age={max_age}",
        )


@cache
def _client(service: str, config: Config) -> Any:
    return boto3.session.Session().client(service, config=config)


def _ivs_channel(channel: dict[str, Any], key: dict[str, Any]) -> IvsChannel:
    return IvsChannel(
        arn=channel["arn"],
        ingest_endpoint=channel.get("ingestEndpoint", ""),
        playback_url=channel.get("playbackUrl", ""),
        stream_key=key["value"],
        data={
            "Channel": _exported({name: value for name, value in channel.items() if name != "srt"}),
            "StreamKey": {"Arn": key["arn"], "ChannelArn": key.get("channelArn", channel["arn"])},
        },
    )


def _exported(document: dict[str, Any]) -> dict[str, Any]:
    """The predecessor stores field names as Go exports them; tags are no fields."""
    return {name[0].upper() + name[1:]: value for name, value in document.items()}


@contextmanager
def _errors(operation: str, resource: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise AwsError(operation, resource, _kind(error), _message(error)) from error
    except ReadTimeoutError as error:
        raise AwsError(operation, resource, Kind.TIMEOUT, "no answer in time") from error
    except (BotoConnectionError, HTTPClientError) as error:
        raise AwsError(operation, resource, Kind.UNAVAILABLE, type(error).__name__) from error
    except BotoCoreError as error:
        # Nothing was sent: no region, no credentials, a parameter that the model refuses.
        raise AwsError(operation, resource, Kind.MISCONFIGURED, str(error)) from error


def _message(error: ClientError) -> str:
    # The model of IVS calls the member so, and botocore reads only `message`.
    return error.response["Error"].get("Message") or error.response.get("exceptionMessage", "")


def _kind(error: ClientError) -> Kind:
    known = _KINDS.get(error.response["Error"].get("Code", ""))
    if known:
        return known
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return Kind.INVALID if 400 <= status < 500 else Kind.UNAVAILABLE
