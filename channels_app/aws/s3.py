"""Objects of S3."""

import json
from typing import Any

from channels_app.aws.clients import RETRIED, client
from channels_app.aws.errors import AwsError, Kind, told_as_aws_error


def object_read(*, bucket: str, key: str, longest: int) -> bytes | None:
    """The bytes of an object; None where there is none that can be read yet.

    For a missing key S3 answers 403 to a caller without ListBucket, so "not there" and "not allowed" look alike.

    Raises:
        AwsError: S3 could not be asked, or the object is longer than `longest` bytes (kind `invalid`).
    """
    try:
        with told_as_aws_error("GetObject", f"{bucket}/{key}"):
            reply = client("s3", RETRIED).get_object(Bucket=bucket, Key=key)
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
    with told_as_aws_error("ListObjectsV2", f"{bucket}/{prefix}"):
        reply = client("s3", RETRIED).list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=longest)
    return [item["Key"] for item in reply.get("Contents", [])]


def json_write(*, bucket: str, key: str, document: dict[str, Any], max_age: int) -> None:
    """Write a small JSON object that caches may keep for `max_age` seconds.

    Raises:
        AwsError: S3 refused or could not be asked.
    """
    with told_as_aws_error("PutObject", f"{bucket}/{key}"):
        client("s3", RETRIED).put_object(
            Bucket=bucket,
            Key=key,
            Body=json.dumps(document).encode(),
            ContentType="application/json",
            CacheControl=f"max-age={max_age}",
        )
