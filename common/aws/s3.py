"""Objects of S3. Each docstring names its operation.

Raises AwsError if S3 refuses or cannot be reached.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html
"""

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from common.aws.clients import RETRIED, client
from common.aws.errors import AwsError, AwsErrorKind, ignored, raises_aws_error

# In bytes: small enough that the time is checked often, however slowly S3 sends.
_CHUNK = 64 * 1024
_PAGE = 1000


@dataclass(frozen=True)
class S3Object:
    key: str
    modified_at: datetime


@dataclass(frozen=True)
class ObjectPage:
    """A page of a listing; `is_last` if there are no more objects."""

    objects: list[S3Object]
    is_last: bool


def object_read(*, bucket: str, key: str, longest: int, seconds: float = 20) -> bytes | None:
    """Return the content of an object (GetObject), or None if there is none.

    Raises:
        AwsError: kind `denied` also for a missing key, without ListBucket; `unavailable` if the object came short,
            `invalid` if it is longer than `longest` bytes, `timeout` if its body took more than `seconds`.
    """
    resource = f"{bucket}/{key}"
    with ignored(AwsErrorKind.NOT_FOUND), raises_aws_error("GetObject", resource):
        reply = client("s3", RETRIED).get_object(Bucket=bucket, Key=key)
        # Not `with reply["Body"]`: that yields the bare stream, which checks neither length nor checksum.
        with closing(reply["Body"]) as body:
            content, until = bytearray(), monotonic() + seconds
            # botocore compares length and checksum with the headers at the end of the body.
            while chunk := body.read(_CHUNK):
                content += chunk
                if len(content) > longest:
                    raise AwsError(
                        "GetObject", resource, AwsErrorKind.INVALID, f"the object is longer than {longest} bytes"
                    )
                if monotonic() > until:
                    raise AwsError("GetObject", resource, AwsErrorKind.TIMEOUT, "the object comes too slowly")
            return bytes(content)
    return None


def object_size(*, bucket: str, key: str) -> int | None:
    """Return the size of an object in bytes (HeadObject), or None; kind `denied` may mean that too."""
    with ignored(AwsErrorKind.NOT_FOUND), raises_aws_error("HeadObject", f"{bucket}/{key}"):
        return int(client("s3", RETRIED).head_object(Bucket=bucket, Key=key)["ContentLength"])
    return None


def object_keys(*, bucket: str, prefix: str, pages: int) -> list[str]:
    """Return the keys below a prefix, sorted, of at most `pages` pages of 1000 (ListObjectsV2, one call a page)."""
    keys: list[str] = []
    next_page: dict[str, str] = {}
    for _ in range(pages):
        with raises_aws_error("ListObjectsV2", f"{bucket}/{prefix}"):
            reply = client("s3", RETRIED).list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=_PAGE, **next_page)
            keys += [item["Key"] for item in reply.get("Contents", [])]
            if not reply.get("IsTruncated"):
                break
            next_page = {"ContinuationToken": reply["NextContinuationToken"]}
    return keys


def objects_list(*, bucket: str, prefix: str, after: str, most: int) -> ObjectPage:
    """Return at most `most` (to 1000) objects below a prefix with keys after `after` (ListObjectsV2)."""
    with raises_aws_error("ListObjectsV2", f"{bucket}/{prefix}"):
        reply = client("s3", RETRIED).list_objects_v2(Bucket=bucket, Prefix=prefix, StartAfter=after, MaxKeys=most)
        objects = [S3Object(item["Key"], item["LastModified"]) for item in reply.get("Contents", [])]
        return ObjectPage(objects, is_last=not reply["IsTruncated"])


def json_write(*, bucket: str, key: str, document: dict[str, Any], max_age: int) -> None:
    """Write a small JSON object that caches may keep for `max_age` seconds (PutObject)."""
    content = json.dumps(document).encode()
    object_write(bucket=bucket, key=key, content=content, content_type="application/json", max_age=max_age)


def object_write(*, bucket: str, key: str, content: bytes, content_type: str, max_age: int) -> None:
    """Write a small object that caches may keep for `max_age` seconds (PutObject)."""
    with raises_aws_error("PutObject", f"{bucket}/{key}"):
        client("s3", RETRIED).put_object(
            Bucket=bucket, Key=key, Body=content, ContentType=content_type, CacheControl=f"max-age={max_age}"
        )
