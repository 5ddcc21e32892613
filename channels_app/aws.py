"""The one door to AWS: IVS and S3, with short timeouts, and every failure as one `AwsError`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
# The members of UpdateChannel, by our words.
_MEMBERS = {
    "channel_type": "type",
    "latency_mode": "latencyMode",
    "private": "authorized",
    "recording_config_arn": "recordingConfigurationArn",
}


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
class IvsStreamKey:
    """A stream key of IVS, with its value."""

    arn: str
    value: str

    def __repr__(self) -> str:
        return f"IvsStreamKey({self.arn})"


@dataclass(frozen=True)
class IvsChannel:
    """A channel of IVS; with its key, where the call tells it. `data` is the reply as the predecessor stores it.

    No secret is in `data`: neither the key's value nor the SRT passphrase.
    """

    arn: str
    name: str
    ingest_endpoint: str
    playback_url: str
    channel_type: str
    latency_mode: str
    private: bool
    recording_config_arn: str
    tags: dict[str, str]
    data: dict[str, Any]
    key: IvsStreamKey | None = None

    def __repr__(self) -> str:
        return f"IvsChannel({self.arn})"

    @property
    def stream_key(self) -> str:
        """The value of its key; empty where there is none."""
        return self.key.value if self.key else ""


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
    return _ivs_channel(reply["channel"], _ivs_stream_key(reply["streamKey"]))


def channel_arn(*, name: str) -> str | None:
    """The ARN of the channel with this name, by ListChannels; None where IVS has none.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListChannels.html

    Raises:
        AwsError: IVS could not be asked.
    """
    with _errors("ListChannels", name):
        found = _client("ivs", _RETRIED).list_channels(filterByName=name)["channels"]
    return found[0]["arn"] if found else None


def channel_find(*, name: str) -> IvsChannel | None:
    """The channel with this name, with its key; None where IVS has none. A channel without a key gets one.

    Raises:
        AwsError: IVS could not be asked.
    """
    arn = channel_arn(name=name)
    if arn is None:
        return None
    key = stream_key_find(channel_arn=arn) or stream_key_create(channel_arn=arn, tags={})
    return replace(channel_get(arn=arn), key=key)


def channel_get(*, arn: str) -> IvsChannel:
    """GetChannel; without its key.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetChannel.html

    Raises:
        AwsError: kind `not_found`, or IVS could not be asked.
    """
    with _errors("GetChannel", arn):
        return _ivs_channel(_client("ivs", _RETRIED).get_channel(arn=arn)["channel"], None)


def channel_update(*, arn: str, **changes: Any) -> IvsChannel:
    """UpdateChannel: `channel_type`, `latency_mode`, `private` and `recording_config_arn`, those that are given.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_UpdateChannel.html

    Raises:
        AwsError: kind `conflict` while it is live, `not_found`, or IVS refused or could not be asked.
    """
    members = {_MEMBERS[name]: value for name, value in changes.items()}
    with _errors("UpdateChannel", arn):
        return _ivs_channel(_client("ivs", _RETRIED).update_channel(arn=arn, **members)["channel"], None)


def channel_tag(*, arn: str, tags: dict[str, str]) -> None:
    """TagResource: sets these tags and leaves the others.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_TagResource.html

    Raises:
        AwsError: kind `not_found`, or IVS refused or could not be asked.
    """
    with _errors("TagResource", arn):
        _client("ivs", _RETRIED).tag_resource(resourceArn=arn, tags=tags)


def stream_key_arns(*, channel_arn: str) -> list[str]:
    """ListStreamKeys: a channel has one key, or none for as long as it is being replaced.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListStreamKeys.html

    Raises:
        AwsError: kind `not_found` where there is no such channel, or IVS could not be asked.
    """
    with _errors("ListStreamKeys", channel_arn):
        # One a page unless asked for more.
        reply = _client("ivs", _RETRIED).list_stream_keys(channelArn=channel_arn, maxResults=50)
    return [item["arn"] for item in reply["streamKeys"]]


def stream_key_find(*, channel_arn: str) -> IvsStreamKey | None:
    """The key of a channel; None where it has none.

    Raises:
        AwsError: kind `not_found` where there is no such channel, or IVS could not be asked.
    """
    for arn in stream_key_arns(channel_arn=channel_arn):
        try:
            with _errors("GetStreamKey", arn):
                return _ivs_stream_key(_client("ivs", _RETRIED).get_stream_key(arn=arn)["streamKey"])
        except AwsError as error:
            # Deleted since it was listed.
            if error.kind is not Kind.NOT_FOUND:
                raise
    return None


def stream_key_create(*, channel_arn: str, tags: dict[str, str]) -> IvsStreamKey:
    """CreateStreamKey, called once: what it raises with an unknown outcome must be looked up.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateStreamKey.html

    Raises:
        AwsError: kind `quota` while the channel has a key, `not_found`, or IVS refused, or nothing is known.
    """
    with _errors("CreateStreamKey", channel_arn):
        reply = _client("ivs", _ONCE).create_stream_key(channelArn=channel_arn, tags=tags)
    return _ivs_stream_key(reply["streamKey"])


def stream_key_delete(*, arn: str) -> None:
    """DeleteStreamKey; a key that is gone already is fine. The stream that runs by it goes on.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_DeleteStreamKey.html

    Raises:
        AwsError: IVS refused or could not be asked.
    """
    with _missing_is_fine(), _errors("DeleteStreamKey", arn):
        _client("ivs", _RETRIED).delete_stream_key(arn=arn)


def stream_stop(*, channel_arn: str) -> None:
    """StopStream, called once: the second of two calls would say that nothing is on air.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StopStream.html

    Raises:
        AwsError: kind `not_broadcasting`, `not_found`, or IVS refused, or nothing is known.
    """
    with _errors("StopStream", channel_arn):
        _client("ivs", _ONCE).stop_stream(channelArn=channel_arn)


def is_broadcasting(*, channel_arn: str) -> bool:
    """Whether IVS has a stream of the channel now.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetStream.html

    Raises:
        AwsError: kind `not_found` where there is no such channel, or IVS could not be asked.
    """
    try:
        with _errors("GetStream", channel_arn):
            _client("ivs", _RETRIED).get_stream(channelArn=channel_arn)
    except AwsError as error:
        if error.kind is not Kind.NOT_BROADCASTING:
            raise
        return False
    return True


def channel_delete(*, arn: str) -> None:
    """DeleteChannel, its keys included; a channel that is gone already is fine.

    Raises:
        AwsError: kind `conflict` while it is live.
    """
    with _missing_is_fine(), _errors("DeleteChannel", arn):
        _client("ivs", _RETRIED).delete_channel(arn=arn)


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


def _ivs_channel(channel: dict[str, Any], key: IvsStreamKey | None) -> IvsChannel:
    return IvsChannel(
        arn=channel["arn"],
        name=channel.get("name", ""),
        ingest_endpoint=channel.get("ingestEndpoint", ""),
        playback_url=channel.get("playbackUrl", ""),
        channel_type=channel.get("type", ""),
        latency_mode=channel.get("latencyMode", ""),
        private=channel.get("authorized", False),
        recording_config_arn=_reference(channel.get("recordingConfigurationArn", "")),
        tags=channel.get("tags", {}),
        data=_exported({name: value for name, value in channel.items() if name != "srt"}),
        key=key,
    )


def _ivs_stream_key(key: dict[str, Any]) -> IvsStreamKey:
    return IvsStreamKey(arn=key["arn"], value=key["value"])


def _reference(arn: str) -> str:
    """The guides write `none` where the API has an empty text."""
    return "" if arn == "none" else arn


def _exported(document: dict[str, Any]) -> dict[str, Any]:
    """The predecessor stores field names as Go exports them; tags are no fields."""
    return {name[0].upper() + name[1:]: value for name, value in document.items()}


@contextmanager
def _missing_is_fine() -> Iterator[None]:
    """What is to be deleted may be gone already."""
    try:
        yield
    except AwsError as error:
        if error.kind is not Kind.NOT_FOUND:
            raise


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
