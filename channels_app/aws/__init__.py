"""The one door to AWS: IVS and S3, with short timeouts, and every failure as one `AwsError`."""

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
from channels_app.aws.s3 import json_write, object_keys, object_read

__all__ = [
    "AwsError",
    "IvsChannel",
    "IvsStreamKey",
    "Kind",
    "channel_arn",
    "channel_create",
    "channel_delete",
    "channel_find",
    "channel_get",
    "channel_tag",
    "channel_update",
    "is_broadcasting",
    "json_write",
    "object_keys",
    "object_read",
    "stream_key_arns",
    "stream_key_create",
    "stream_key_delete",
    "stream_key_find",
    "stream_stop",
]
