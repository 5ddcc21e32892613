"""What IVS knows of streams: those that are live, and the sessions of the last 60 days.

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StreamSession.html
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from channels_app.aws.clients import RETRIED, client
from channels_app.aws.errors import AwsError, Kind, told_as_aws_error
from channels_app.aws.pages import Page, from_token

_PAGE = 100


@dataclass(frozen=True)
class IvsStream:
    """A stream that is live."""

    channel_arn: str
    stream_id: str
    started_at: datetime


@dataclass(frozen=True)
class StreamNow:
    """What IVS says of the stream of one channel now; `health` is HEALTHY, STARVING or UNKNOWN.

    `viewers` is None where IVS could not count them in time.
    """

    stream_id: str
    health: str
    viewers: int | None
    started_at: datetime | None


@dataclass(frozen=True)
class IvsEvent:
    """What happened to a stream; `code` is empty where IVS tells none."""

    name: str
    at: datetime
    code: str = ""


@dataclass(frozen=True)
class IvsSession:
    """A stream, live or over (`ended_at`). The list tells the times alone; the channel's name, where it was recorded to
    and its events, oldest first, are those of `session_get`.

    IVS remembers the last 500 events.
    """

    stream_id: str
    started_at: datetime
    ended_at: datetime | None
    channel_name: str = ""
    bucket: str = ""
    events: list[IvsEvent] = field(default_factory=list)


def streams_page(*, token: str = "") -> Page[IvsStream]:
    """ListStreams: all that is live in the account.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListStreams.html

    Raises:
        AwsError: IVS could not be asked.
    """
    with told_as_aws_error("ListStreams", "all channels"):
        reply = client("ivs", RETRIED).list_streams(maxResults=_PAGE, **from_token(token))
        streams = [
            IvsStream(item["channelArn"], item["streamId"], _utc(item["startTime"])) for item in reply["streams"]
        ]
        return Page(streams, reply.get("nextToken", ""))


def stream_now(*, channel_arn: str) -> StreamNow | None:
    """GetStream; None where IVS has no stream of the channel.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetStream.html

    Raises:
        AwsError: kind `not_found` where there is no such channel, or IVS could not be asked.
    """
    try:
        with told_as_aws_error("GetStream", channel_arn):
            return _stream_now(client("ivs", RETRIED).get_stream(channelArn=channel_arn)["stream"])
    except AwsError as error:
        if error.kind is not Kind.NOT_BROADCASTING:
            raise
        return None


def sessions_page(*, channel_arn: str, token: str = "") -> Page[IvsSession]:
    """ListStreamSessions, newest first; those of a deleted channel too.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListStreamSessions.html

    Raises:
        AwsError: kind `not_found` where IVS knows no such channel any more, or IVS could not be asked.
    """
    with told_as_aws_error("ListStreamSessions", channel_arn):
        reply = client("ivs", RETRIED).list_stream_sessions(
            channelArn=channel_arn, maxResults=_PAGE, **from_token(token)
        )
        return Page([_session(item) for item in reply["streamSessions"]], reply.get("nextToken", ""))


def session_get(*, channel_arn: str, stream_id: str) -> IvsSession:
    """GetStreamSession: one stream with what happened to it.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetStreamSession.html

    Raises:
        AwsError: kind `not_found` where IVS knows no such stream any more, or IVS could not be asked.
    """
    with told_as_aws_error("GetStreamSession", f"{stream_id} of {channel_arn}"):
        reply = client("ivs", RETRIED).get_stream_session(channelArn=channel_arn, streamId=stream_id)
        return _session(reply["streamSession"])


def _utc(moment: datetime) -> datetime:
    """botocore tells times in the zone of the machine."""
    return moment.astimezone(UTC)


def _stream_now(item: dict[str, Any]) -> StreamNow | None:
    if not item["streamId"]:
        return None
    viewers, started_at = item.get("viewerCount", -1), item.get("startTime")
    return StreamNow(
        stream_id=item["streamId"],
        health=item.get("health", "UNKNOWN"),
        # -1 is: counting took too long.
        viewers=viewers if viewers >= 0 else None,
        started_at=_utc(started_at) if started_at is not None else None,
    )


def _session(item: dict[str, Any]) -> IvsSession:
    recorded = item.get("recordingConfiguration", {}).get("destinationConfiguration", {})
    told = [each for each in item.get("truncatedEvents", []) if "name" in each and "eventTime" in each]
    events = [IvsEvent(each["name"], _utc(each["eventTime"]), each.get("code", "")) for each in told]
    ended_at = item.get("endTime")
    return IvsSession(
        stream_id=item["streamId"],
        started_at=_utc(item["startTime"]),
        ended_at=_utc(ended_at) if ended_at is not None else None,
        channel_name=item.get("channel", {}).get("name", ""),
        bucket=recorded.get("s3", {}).get("bucketName", ""),
        events=sorted(events, key=lambda event: event.at),
    )
