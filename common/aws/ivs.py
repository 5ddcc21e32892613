"""Channels, streams and keys of IVS. Each function makes one call, or a few; its docstring names the operation.

Raises AwsError: the kinds that the docstring names; `not_found` if the channel, key or stream is not in IVS; else IVS
refused or was not reached, or the outcome is unknown. Playback keys have a lower quota, 3 calls a second.
https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_Operations.html
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from common.aws.clients import ONCE, RETRIED, Page, client, from_token
from common.aws.errors import AwsErrorKind, ignored, raises_aws_error, require_request_id

# The members of UpdateChannel by the names used here.
_MEMBERS = {
    "channel_type": "type",
    "latency_mode": "latencyMode",
    "private": "authorized",
    "recording_config_arn": "recordingConfigurationArn",
}
# The most channels in one call of BatchGetChannel.
CHANNELS_AT_ONCE = 50


@dataclass(frozen=True)
class IvsStreamKey:
    """A stream key of IVS, with its value."""

    arn: str
    value: str

    def __repr__(self) -> str:
        return f"IvsStreamKey({self.arn})"


@dataclass(frozen=True)
class IvsChannel:
    """A channel of IVS, with its key if the reply has it; `data` is as the predecessor stores it, without secrets."""

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


@dataclass(frozen=True)
class PlaybackKey:
    """A public key that verifies playback tokens; the reply to its import alone has the fingerprint."""

    arn: str
    name: str
    fingerprint: str = ""


@dataclass(frozen=True)
class ChannelSummary:
    arn: str
    name: str
    tags: dict[str, str]


@dataclass(frozen=True)
class IvsStream:
    channel_arn: str
    stream_id: str
    started_at: datetime


@dataclass(frozen=True)
class StreamNow:
    """The live stream of a channel: `health` is HEALTHY, STARVING or UNKNOWN; `viewers` None if not counted in time."""

    stream_id: str
    health: str
    viewers: int | None
    started_at: datetime | None


@dataclass(frozen=True)
class IvsEvent:
    """An event of a stream; `code` is empty if IVS gives none."""

    name: str
    at: datetime
    code: str = ""


@dataclass(frozen=True)
class IvsSession:
    """A stream, live or ended; `sessions_page` returns only its times, `session_get` also the last 500 events."""

    stream_id: str
    started_at: datetime
    ended_at: datetime | None
    channel_name: str = ""
    bucket: str = ""
    events: list[IvsEvent] = field(default_factory=list)


def channel_create(
    *, name: str, tags: dict[str, str], channel_type: str, latency_mode: str, private: bool, recording_config_arn: str
) -> IvsChannel:
    """Create a channel (CreateChannel), by one call: after an unknown outcome look it up by name."""
    with raises_aws_error("CreateChannel", name):
        reply = client("ivs", ONCE).create_channel(
            name=name,
            type=channel_type,
            latencyMode=latency_mode,
            authorized=private,
            recordingConfigurationArn=recording_config_arn,
            tags=tags,
        )
        return replace(_channel(reply["channel"]), key=_stream_key(reply["streamKey"]))


def channel_arn(*, name: str) -> str | None:
    """Return the ARN of the channel with this name (ListChannels), or None."""
    with raises_aws_error("ListChannels", name):
        channels = client("ivs", RETRIED).list_channels(filterByName=name)["channels"]
        return channels[0]["arn"] if channels else None


def channel_find(*, name: str) -> IvsChannel | None:
    """Return the channel with this name and its key, or None. A channel without a key gets one."""
    arn = channel_arn(name=name)
    if arn is None:
        return None
    key = stream_key_find(channel_arn=arn) or stream_key_create(channel_arn=arn, tags={})
    return replace(channel_get(arn=arn), key=key)


def channel_get(*, arn: str) -> IvsChannel:
    """Return a channel without its key (GetChannel)."""
    with raises_aws_error("GetChannel", arn):
        return _channel(client("ivs", RETRIED).get_channel(arn=arn)["channel"])


def channel_update(*, arn: str, **changes: Any) -> IvsChannel:
    """Change these settings of a channel (UpdateChannel), by the names in `_MEMBERS`; kind `conflict` if it is live."""
    members = {_MEMBERS[name]: value for name, value in changes.items()}
    with raises_aws_error("UpdateChannel", arn):
        return _channel(client("ivs", RETRIED).update_channel(arn=arn, **members)["channel"])


def channel_tag(*, arn: str, tags: dict[str, str]) -> None:
    """Set these tags of a channel and leave the others (TagResource)."""
    with raises_aws_error("TagResource", arn):
        require_request_id(client("ivs", RETRIED).tag_resource(resourceArn=arn, tags=tags))


def stream_key_arns(*, channel_arn: str) -> list[str]:
    """Return the ARN of the one key of a channel; none while the key is being replaced (ListStreamKeys)."""
    with raises_aws_error("ListStreamKeys", channel_arn):
        # IVS returns one a page by default.
        keys = client("ivs", RETRIED).list_stream_keys(channelArn=channel_arn, maxResults=50)["streamKeys"]
        return [key["arn"] for key in keys]


def stream_key_find(*, channel_arn: str) -> IvsStreamKey | None:
    """Return the key of a channel, or None (ListStreamKeys, GetStreamKey)."""
    for arn in stream_key_arns(channel_arn=channel_arn):
        # It may have been deleted since it was listed.
        with ignored(AwsErrorKind.NOT_FOUND), raises_aws_error("GetStreamKey", arn):
            return _stream_key(client("ivs", RETRIED).get_stream_key(arn=arn)["streamKey"])
    return None


def stream_key_create(*, channel_arn: str, tags: dict[str, str]) -> IvsStreamKey:
    """Create the key of a channel (CreateStreamKey), by one call; kind `quota` if the channel has a key."""
    with raises_aws_error("CreateStreamKey", channel_arn):
        return _stream_key(client("ivs", ONCE).create_stream_key(channelArn=channel_arn, tags=tags)["streamKey"])


def stream_key_delete(*, arn: str) -> None:
    """Delete a key, if it exists (DeleteStreamKey). The stream that uses it goes on."""
    with ignored(AwsErrorKind.NOT_FOUND), raises_aws_error("DeleteStreamKey", arn):
        require_request_id(client("ivs", RETRIED).delete_stream_key(arn=arn))


def stream_stop(*, channel_arn: str) -> None:
    """End the stream of a channel (StopStream), by one call; kind `not_broadcasting` if the channel is offline."""
    with raises_aws_error("StopStream", channel_arn):
        require_request_id(client("ivs", ONCE).stop_stream(channelArn=channel_arn))


def channel_delete(*, arn: str) -> None:
    """Delete a channel and its keys, if it exists (DeleteChannel); kind `conflict` if it is live."""
    with ignored(AwsErrorKind.NOT_FOUND), raises_aws_error("DeleteChannel", arn):
        require_request_id(client("ivs", RETRIED).delete_channel(arn=arn))


def channels_page(*, token: str = "") -> Page[ChannelSummary]:
    """Return a page of the channels of the account (ListChannels)."""
    with raises_aws_error("ListChannels", "all channels"):
        reply = client("ivs", RETRIED).list_channels(maxResults=100, **from_token(token))
        items = reply["channels"]
        channels = [ChannelSummary(item["arn"], item.get("name", ""), item.get("tags", {})) for item in items]
        return Page(channels, reply.get("nextToken", ""))


def channels_get(*, arns: list[str]) -> list[IvsChannel]:
    """Return at most `CHANNELS_AT_ONCE` channels, without their keys (BatchGetChannel); unknown ones are left out."""
    with raises_aws_error("BatchGetChannel", f"{len(arns)} channels"):
        return [_channel(channel) for channel in client("ivs", RETRIED).batch_get_channel(arns=arns)["channels"]]


def streams_page(*, token: str = "") -> Page[IvsStream]:
    """Return a page of the live streams of the account (ListStreams)."""
    with raises_aws_error("ListStreams", "all channels"):
        reply = client("ivs", RETRIED).list_streams(maxResults=100, **from_token(token))
        items = reply["streams"]
        streams = [IvsStream(item["channelArn"], item["streamId"], _utc(item["startTime"])) for item in items]
        return Page(streams, reply.get("nextToken", ""))


def stream_now(*, channel_arn: str) -> StreamNow | None:
    """Return the live stream of a channel (GetStream), or None."""
    with ignored(AwsErrorKind.NOT_BROADCASTING), raises_aws_error("GetStream", channel_arn):
        item = client("ivs", RETRIED).get_stream(channelArn=channel_arn)["stream"]
        viewers, started_at = item.get("viewerCount", -1), item.get("startTime")
        if item["streamId"]:
            return StreamNow(
                stream_id=item["streamId"],
                health=item.get("health", "UNKNOWN"),
                # -1 means that counting took too long.
                viewers=viewers if viewers >= 0 else None,
                started_at=_utc(started_at) if started_at is not None else None,
            )
    return None


def is_broadcasting(*, channel_arn: str) -> bool:
    """Return whether the channel is live in IVS (GetStream)."""
    return stream_now(channel_arn=channel_arn) is not None


def sessions_page(*, channel_arn: str, token: str = "") -> Page[IvsSession]:
    """Return a page of the streams of a channel, deleted or not, newest first (ListStreamSessions)."""
    with raises_aws_error("ListStreamSessions", channel_arn):
        options = {"channelArn": channel_arn, "maxResults": 100, **from_token(token)}
        reply = client("ivs", RETRIED).list_stream_sessions(**options)
        return Page([_session(item) for item in reply["streamSessions"]], reply.get("nextToken", ""))


def session_get(*, channel_arn: str, stream_id: str) -> IvsSession:
    """Return one stream with its events (GetStreamSession)."""
    with raises_aws_error("GetStreamSession", f"{stream_id} of {channel_arn}"):
        reply = client("ivs", RETRIED).get_stream_session(channelArn=channel_arn, streamId=stream_id)
        return _session(reply["streamSession"])


def playback_key_import(*, name: str, public_key: str) -> PlaybackKey:
    """Import a public key in PEM form (ImportPlaybackKeyPair), by one call.

    Kind `conflict` if it was imported before, `quota` if the account has three.
    """
    with raises_aws_error("ImportPlaybackKeyPair", name):
        return _playback_key(
            client("ivs", ONCE).import_playback_key_pair(name=name, publicKeyMaterial=public_key)["keyPair"]
        )


def playback_keys() -> list[PlaybackKey]:
    """Return the playback keys of the account, of which there are three at most (ListPlaybackKeyPairs)."""
    with raises_aws_error("ListPlaybackKeyPairs", "all keys"):
        reply = client("ivs", RETRIED).list_playback_key_pairs(maxResults=100)
        return [_playback_key(item) for item in reply["keyPairs"]]


def playback_key_delete(*, arn: str) -> None:
    """Delete a playback key, if it exists (DeletePlaybackKeyPair)."""
    with ignored(AwsErrorKind.NOT_FOUND), raises_aws_error("DeletePlaybackKeyPair", arn):
        require_request_id(client("ivs", RETRIED).delete_playback_key_pair(arn=arn))


def viewer_sessions_revoke(*, channel_arn: str, viewer_id: str, version: int) -> None:
    """End the sessions of a viewer on a channel up to a version, soon (StartViewerSessionRevocation)."""
    with raises_aws_error("StartViewerSessionRevocation", channel_arn):
        require_request_id(
            client("ivs", RETRIED).start_viewer_session_revocation(
                channelArn=channel_arn, viewerId=viewer_id, viewerSessionVersionsLessThanOrEqualTo=version
            )
        )


def _utc(time: datetime) -> datetime:
    """Return the time in UTC; botocore reads times in the zone of the machine."""
    return time.astimezone(UTC)


def _session(item: dict[str, Any]) -> IvsSession:
    destination = item.get("recordingConfiguration", {}).get("destinationConfiguration", {})
    events = [
        IvsEvent(each["name"], _utc(each["eventTime"]), each.get("code", ""))
        for each in item.get("truncatedEvents", [])
        if "name" in each and "eventTime" in each
    ]
    ended_at = item.get("endTime")
    return IvsSession(
        stream_id=item["streamId"],
        started_at=_utc(item["startTime"]),
        ended_at=_utc(ended_at) if ended_at is not None else None,
        channel_name=item.get("channel", {}).get("name", ""),
        bucket=destination.get("s3", {}).get("bucketName", ""),
        events=sorted(events, key=lambda event: event.at),
    )


def _channel(channel: dict[str, Any]) -> IvsChannel:
    """Return the channel of a reply of IVS, without a key; an incomplete reply raises KeyError."""
    recording_config_arn = channel.get("recordingConfigurationArn", "")
    return IvsChannel(
        arn=channel["arn"],
        name=channel.get("name", ""),
        ingest_endpoint=channel.get("ingestEndpoint", ""),
        playback_url=channel.get("playbackUrl", ""),
        channel_type=channel.get("type", ""),
        latency_mode=channel.get("latencyMode", ""),
        private=channel.get("authorized", False),
        # The guides write `none` where the API has an empty text.
        recording_config_arn="" if recording_config_arn == "none" else recording_config_arn,
        tags=channel.get("tags", {}),
        # The predecessor stores field names as Go exports them.
        data={name[0].upper() + name[1:]: value for name, value in channel.items() if name != "srt"},
    )


def _stream_key(key: dict[str, Any]) -> IvsStreamKey:
    return IvsStreamKey(arn=key["arn"], value=key["value"])


def _playback_key(key: dict[str, Any]) -> PlaybackKey:
    return PlaybackKey(arn=key["arn"], name=key.get("name", ""), fingerprint=key.get("fingerprint", ""))
