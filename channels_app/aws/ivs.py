"""The operations of IVS, each one call or a few."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from channels_app.aws.clients import ONCE, RETRIED, client
from channels_app.aws.errors import AwsError, Kind, refuse_unnumbered, told_as_aws_error
from channels_app.aws.sessions import stream_now

# The members of UpdateChannel, by our words.
_MEMBERS = {
    "channel_type": "type",
    "latency_mode": "latencyMode",
    "private": "authorized",
    "recording_config_arn": "recordingConfigurationArn",
}


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
    with told_as_aws_error("CreateChannel", name):
        reply = client("ivs", ONCE).create_channel(
            name=name,
            type=channel_type,
            latencyMode=latency_mode,
            authorized=private,
            recordingConfigurationArn=recording_config_arn,
            tags=tags,
        )
        return ivs_channel(reply["channel"], _ivs_stream_key(reply["streamKey"]))


def channel_arn(*, name: str) -> str | None:
    """The ARN of the channel with this name, by ListChannels; None where IVS has none.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListChannels.html

    Raises:
        AwsError: IVS could not be asked.
    """
    with told_as_aws_error("ListChannels", name):
        arns = _arns(client("ivs", RETRIED).list_channels(filterByName=name)["channels"])
    return arns[0] if arns else None


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
    with told_as_aws_error("GetChannel", arn):
        return ivs_channel(client("ivs", RETRIED).get_channel(arn=arn)["channel"], None)


def channel_update(*, arn: str, **changes: Any) -> IvsChannel:
    """UpdateChannel: `channel_type`, `latency_mode`, `private` and `recording_config_arn`, those that are given.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_UpdateChannel.html

    Raises:
        AwsError: kind `conflict` while it is live, `not_found`, or IVS refused or could not be asked.
    """
    members = {_MEMBERS[name]: value for name, value in changes.items()}
    with told_as_aws_error("UpdateChannel", arn):
        return ivs_channel(client("ivs", RETRIED).update_channel(arn=arn, **members)["channel"], None)


def channel_tag(*, arn: str, tags: dict[str, str]) -> None:
    """TagResource: sets these tags and leaves the others.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_TagResource.html

    Raises:
        AwsError: kind `not_found`, or IVS refused or could not be asked.
    """
    with told_as_aws_error("TagResource", arn):
        refuse_unnumbered(client("ivs", RETRIED).tag_resource(resourceArn=arn, tags=tags))


def stream_key_arns(*, channel_arn: str) -> list[str]:
    """ListStreamKeys: a channel has one key, or none for as long as it is being replaced.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListStreamKeys.html

    Raises:
        AwsError: kind `not_found` where there is no such channel, or IVS could not be asked.
    """
    with told_as_aws_error("ListStreamKeys", channel_arn):
        # One a page unless asked for more.
        return _arns(client("ivs", RETRIED).list_stream_keys(channelArn=channel_arn, maxResults=50)["streamKeys"])


def stream_key_find(*, channel_arn: str) -> IvsStreamKey | None:
    """The key of a channel; None where it has none.

    Raises:
        AwsError: kind `not_found` where there is no such channel, or IVS could not be asked.
    """
    for arn in stream_key_arns(channel_arn=channel_arn):
        try:
            with told_as_aws_error("GetStreamKey", arn):
                return _ivs_stream_key(client("ivs", RETRIED).get_stream_key(arn=arn)["streamKey"])
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
    with told_as_aws_error("CreateStreamKey", channel_arn):
        return _ivs_stream_key(client("ivs", ONCE).create_stream_key(channelArn=channel_arn, tags=tags)["streamKey"])


def stream_key_delete(*, arn: str) -> None:
    """DeleteStreamKey; a key that is gone already is fine. The stream that runs by it goes on.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_DeleteStreamKey.html

    Raises:
        AwsError: IVS refused or could not be asked.
    """
    with _missing_is_fine(), told_as_aws_error("DeleteStreamKey", arn):
        refuse_unnumbered(client("ivs", RETRIED).delete_stream_key(arn=arn))


def stream_stop(*, channel_arn: str) -> None:
    """StopStream, called once: the second of two calls would say that nothing is on air.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StopStream.html

    Raises:
        AwsError: kind `not_broadcasting`, `not_found`, or IVS refused, or nothing is known.
    """
    with told_as_aws_error("StopStream", channel_arn):
        refuse_unnumbered(client("ivs", ONCE).stop_stream(channelArn=channel_arn))


def is_broadcasting(*, channel_arn: str) -> bool:
    """Whether IVS has a stream of the channel now.

    Raises:
        AwsError: kind `not_found` where there is no such channel, or IVS could not be asked.
    """
    return stream_now(channel_arn=channel_arn) is not None


def channel_delete(*, arn: str) -> None:
    """DeleteChannel, its keys included; a channel that is gone already is fine.

    Raises:
        AwsError: kind `conflict` while it is live.
    """
    with _missing_is_fine(), told_as_aws_error("DeleteChannel", arn):
        refuse_unnumbered(client("ivs", RETRIED).delete_channel(arn=arn))


def _arns(items: list[dict[str, Any]]) -> list[str]:
    return [item["arn"] for item in items]


def ivs_channel(channel: dict[str, Any], key: IvsStreamKey | None) -> IvsChannel:
    """The channel that a reply of IVS describes; raises as `told_as_aws_error` expects where it is incomplete."""
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
