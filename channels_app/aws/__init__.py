"""The one door to AWS: IVS, S3 and SQS, with short timeouts, and every failure as one `AwsError`."""

from channels_app.aws.account import CHANNELS_AT_ONCE, ChannelSummary, channels_get, channels_page
from channels_app.aws.errors import AwsError, Kind
from channels_app.aws.ivs import (
    IvsChannel,
    IvsStreamKey,
    channel_arn,
    channel_create,
    channel_delete,
    channel_find,
    channel_get,
    channel_tag,
    channel_update,
    is_broadcasting,
    stream_key_arns,
    stream_key_create,
    stream_key_delete,
    stream_key_find,
    stream_stop,
)
from channels_app.aws.listing import Listed, S3Object, objects_list
from channels_app.aws.pacing import CALLS_PER_SECOND, paced, pause
from channels_app.aws.pages import Page
from channels_app.aws.s3 import json_write, object_keys, object_read, object_size
from channels_app.aws.sessions import (
    IvsEvent,
    IvsSession,
    IvsStream,
    StreamNow,
    session_get,
    sessions_page,
    stream_now,
    streams_page,
)
from channels_app.aws.sqs import BATCH as QUEUE_BATCH
from channels_app.aws.sqs import QueueMessage, messages_delete, messages_receive, messages_release

__all__ = [
    "CALLS_PER_SECOND",
    "CHANNELS_AT_ONCE",
    "QUEUE_BATCH",
    "AwsError",
    "ChannelSummary",
    "IvsChannel",
    "IvsEvent",
    "IvsSession",
    "IvsStream",
    "IvsStreamKey",
    "Kind",
    "Listed",
    "Page",
    "QueueMessage",
    "S3Object",
    "StreamNow",
    "channel_arn",
    "channel_create",
    "channel_delete",
    "channel_find",
    "channel_get",
    "channel_tag",
    "channel_update",
    "channels_get",
    "channels_page",
    "is_broadcasting",
    "json_write",
    "messages_delete",
    "messages_receive",
    "messages_release",
    "object_keys",
    "object_read",
    "object_size",
    "objects_list",
    "paced",
    "pause",
    "session_get",
    "sessions_page",
    "stream_key_arns",
    "stream_key_create",
    "stream_key_delete",
    "stream_key_find",
    "stream_now",
    "stream_stop",
    "streams_page",
]
