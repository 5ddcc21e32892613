"""Objects of S3."""

import json
from contextlib import closing
from time import monotonic
from typing import Any

from channels_app.aws.clients import RETRIED, client
from channels_app.aws.errors import AwsError, Kind, told_as_aws_error

# Small enough that the time is looked at often, whatever the pace at which S3 sends.
_CHUNK = 64 * 1024
_PAGE = 1000


def object_read(*, bucket: str, key: str, longest: int, seconds: float = 20) -> bytes | None:
    """The whole of an object; None where there is none.

    A caller without ListBucket is told 403 for a key that is not there, so for such a one kind `denied` means either.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html

    Raises:
        AwsError: S3 could not be asked, the object came short (kind `unavailable`) or is longer than `longest` bytes
            (kind `invalid`), or reading its body took more than `seconds` (kind `timeout`).
    """
    resource = f"{bucket}/{key}"
    try:
        with told_as_aws_error("GetObject", resource):
            reply = client("s3", RETRIED).get_object(Bucket=bucket, Key=key)
            # Not `with reply["Body"]`: that hands out the bare stream, which compares nothing.
            with closing(reply["Body"]) as body:
                return _read_whole(body, resource, longest, monotonic() + seconds)
    except AwsError as error:
        if error.kind is Kind.NOT_FOUND:
            return None
        raise


def _read_whole(body: Any, resource: str, longest: int, until: float) -> bytes:
    content = bytearray()
    # botocore compares length and checksum with what was promised only once there is no more to read.
    while chunk := body.read(_CHUNK):
        content += chunk
        if len(content) > longest:
            raise AwsError("GetObject", resource, Kind.INVALID, f"the object is longer than {longest} bytes")
        if monotonic() > until:
            raise AwsError("GetObject", resource, Kind.TIMEOUT, "the object comes too slowly")
    return bytes(content)


def object_size(*, bucket: str, key: str) -> int | None:
    """How many bytes an object has; None where there is none.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html

    Raises:
        AwsError: S3 could not be asked; kind `denied` as for `object_read`.
    """
    try:
        with told_as_aws_error("HeadObject", f"{bucket}/{key}"):
            size: int = client("s3", RETRIED).head_object(Bucket=bucket, Key=key)["ContentLength"]
    except AwsError as error:
        if error.kind is Kind.NOT_FOUND:
            return None
        raise
    return size


def object_keys(*, bucket: str, prefix: str, pages: int) -> list[str]:
    """The keys below a prefix, sorted, of at most so many pages of 1000: one call a page.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html

    Raises:
        AwsError: S3 could not be asked.
    """
    keys: list[str] = []
    following: dict[str, str] = {}
    for _ in range(pages):
        with told_as_aws_error("ListObjectsV2", f"{bucket}/{prefix}"):
            reply = client("s3", RETRIED).list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=_PAGE, **following)
            keys += [item["Key"] for item in reply.get("Contents", [])]
            if not reply.get("IsTruncated"):
                break
            following = {"ContinuationToken": reply["NextContinuationToken"]}
    return keys


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
