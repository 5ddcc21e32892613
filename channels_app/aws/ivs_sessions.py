"""Streams of IVS: those that are live, and the sessions of the last 60 days. Each docstring names its operation.

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_Operations.html
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from channels_app.aws.clients import RETRIED, Page, client, from_token
from channels_app.aws.errors import AwsError, Kind, raises_aws_error

_PAGE = 100


@dataclass(frozen=True)
class IvsStream:
    """A stream that is live."""

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
    """A stream, live or ended. `sessions_page` returns only its times.

    `session_get` adds the name of the channel, the bucket of the recording and the last 500 events, oldest first.
    """

    stream_id: str
    started_at: datetime
    ended_at: datetime | None
    channel_name: str = ""
    bucket: str = ""
    events: list[IvsEvent] = field(default_factory=list)


def streams_page(*, token: str = "") -> Page[IvsStream]:
    """Return a page of the live streams of the account (ListStreams).

    Raises:
        AwsError: IVS could not be reached.
    """
    with raises_aws_error("ListStreams", "all channels"):
        reply = client("ivs", RETRIED).list_streams(maxResults=_PAGE, **from_token(token))
        items = reply["streams"]
        streams = [IvsStream(item["channelArn"], item["streamId"], _utc(item["startTime"])) for item in items]
        return Page(streams, reply.get("nextToken", ""))


def stream_now(*, channel_arn: str) -> StreamNow | None:
    """Return the live stream of a channel (GetStream), or None.

    Raises:
        AwsError: kind `not_found` if there is no such channel, or IVS could not be reached.
    """
    try:
        with raises_aws_error("GetStream", channel_arn):
            item = client("ivs", RETRIED).get_stream(channelArn=channel_arn)["stream"]
            if not item["streamId"]:
                return None
            viewers, started_at = item.get("viewerCount", -1), item.get("startTime")
            return StreamNow(
                stream_id=item["streamId"],
                health=item.get("health", "UNKNOWN"),
                # -1 means that counting took too long.
                viewers=viewers if viewers >= 0 else None,
                started_at=_utc(started_at) if started_at is not None else None,
            )
    except AwsError as error:
        if error.kind is not Kind.NOT_BROADCASTING:
            raise
        return None


def is_broadcasting(*, channel_arn: str) -> bool:
    """Return whether the channel is live in IVS (GetStream).

    Raises:
        AwsError: kind `not_found` if there is no such channel, or IVS could not be reached.
    """
    return stream_now(channel_arn=channel_arn) is not None


def sessions_page(*, channel_arn: str, token: str = "") -> Page[IvsSession]:
    """Return a page of the streams of a channel, deleted or not, newest first (ListStreamSessions).

    Raises:
        AwsError: kind `not_found` if IVS no longer has the channel, or IVS could not be reached.
    """
    with raises_aws_error("ListStreamSessions", channel_arn):
        options = {"channelArn": channel_arn, "maxResults": _PAGE, **from_token(token)}
        reply = client("ivs", RETRIED).list_stream_sessions(**options)
        return Page([_session(item) for item in reply["streamSessions"]], reply.get("nextToken", ""))


def session_get(*, channel_arn: str, stream_id: str) -> IvsSession:
    """Return one stream with its events (GetStreamSession).

    Raises:
        AwsError: kind `not_found` if IVS no longer has the stream, or IVS could not be reached.
    """
    with raises_aws_error("GetStreamSession", f"{stream_id} of {channel_arn}"):
        reply = client("ivs", RETRIED).get_stream_session(channelArn=channel_arn, streamId=stream_id)
        return _session(reply["streamSession"])


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
