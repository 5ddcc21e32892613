"""What is in a bucket, in the order of the keys."""

from dataclasses import dataclass
from datetime import datetime

from channels_app.aws.clients import RETRIED, client
from channels_app.aws.errors import told_as_aws_error


@dataclass(frozen=True)
class S3Object:
    """An object, by what a listing tells of it."""

    key: str
    modified_at: datetime


@dataclass(frozen=True)
class Listed:
    """Part of a listing; `is_last` where nothing comes after it."""

    objects: list[S3Object]
    is_last: bool


def objects_list(*, bucket: str, prefix: str, after: str, most: int) -> Listed:
    """ListObjectsV2: at most `most` (to 1000) objects below a prefix whose keys come after `after`; one call.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html

    Raises:
        AwsError: S3 could not be asked.
    """
    with told_as_aws_error("ListObjectsV2", f"{bucket}/{prefix}"):
        reply = client("s3", RETRIED).list_objects_v2(Bucket=bucket, Prefix=prefix, StartAfter=after, MaxKeys=most)
        objects = [S3Object(item["Key"], item["LastModified"]) for item in reply.get("Contents", [])]
        return Listed(objects, is_last=not reply["IsTruncated"])
