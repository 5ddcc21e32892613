"""An S3 in a dictionary, for the long runs of the convergence test: a hundred thousand histories in an hour or two.

The few calls that the door to AWS makes, as boto3 answers them; the usual runs use the local S3, which is moto's.
"""

import io
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody


class MemoryS3:
    """One bucket, whatever its name."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> dict[str, Any]:
        self.objects[Key] = Body
        return {}

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:
        body = self.found(Key, "GetObject")
        return {"Body": StreamingBody(io.BytesIO(body), len(body))}

    def head_object(self, *, Key: str, **_: Any) -> dict[str, Any]:
        return {"ContentLength": len(self.found(Key, "HeadObject"))}

    def list_objects_v2(self, *, Prefix: str = "", **_: Any) -> dict[str, Any]:
        keys = sorted(key for key in self.objects if key.startswith(Prefix))
        return {"Contents": [{"Key": key} for key in keys], "IsTruncated": False}

    def delete_objects(self, *, Delete: dict[str, Any], **_: Any) -> None:
        for item in Delete["Objects"]:
            del self.objects[item["Key"]]

    def found(self, key: str, operation: str) -> bytes:
        if key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}, "ResponseMetadata": {"HTTPStatusCode": 404}}, operation)
        return self.objects[key]
