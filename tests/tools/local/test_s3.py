"""The local S3 and the media host before it."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from werkzeug.test import Client

from tools.local.aws import LocalAws, install_in_process
from tools.local.s3 import Journal, S3App, StoredObject

BUCKET = "example-recordings"
BASE_URL = "http://127.0.0.1:9/_s3_test"
ODD_KEYS = [
    "with space/and+plus.ts",
    "Übertragung/größe.m3u8",
    "100%/50%25.jpg",
    "..",
    ".",
    "../../escape.txt",
    "a//b",
    "a",
    "a/b",
    "question?mark=1&x#y",
    "trailing/",
    "quote'\"\\back",
    "ø" * 400,
    "x" * 200 + "..",
]


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    aws = LocalAws(tmp_path / "a home")
    stop = install_in_process(aws, BASE_URL)
    aws.s3.create_bucket(BUCKET, "eu-west-1")
    yield aws
    stop()
    aws.s3.reset()


@pytest.fixture
def client(aws: LocalAws) -> Any:
    return make_client()


def make_client(endpoint_url: str = f"{BASE_URL}/s3", **config: Any) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


def restart(aws: LocalAws) -> None:
    """Do as a new process does: empty the memory, and make a new S3App on the same home."""
    aws.s3.reset()
    aws.__dict__["s3"] = S3App(aws.home)


def body_of(client: Any, key: str) -> bytes:
    return client.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def keys_of(client: Any) -> set[str]:
    return {entry["Key"] for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def buckets_of(client: Any) -> list[str]:
    return [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]


def keys_on_disk(aws: LocalAws) -> set[str]:
    return {stored.key for stored in aws.s3.journal.objects()}


def test_objects_with_their_headers_survive_a_restart(aws: LocalAws, client: Any) -> None:
    client.put_object(
        Bucket=BUCKET,
        Key="live/one.json",
        Body=b'{"state": "live"}',
        ContentType="application/json",
        CacheControl="max-age=2",
        Metadata={"stream": "st-1"},
    )
    before = client.head_object(Bucket=BUCKET, Key="live/one.json")

    restart(aws)

    after = client.get_object(Bucket=BUCKET, Key="live/one.json")
    assert after["Body"].read() == b'{"state": "live"}'
    assert after["ContentType"] == "application/json"
    assert after["CacheControl"] == "max-age=2"
    assert after["Metadata"] == {"stream": "st-1"}
    assert (after["ETag"], after["LastModified"]) == (before["ETag"], before["LastModified"])


def test_keys_of_any_characters_survive_a_restart_and_stay_in_the_home(aws: LocalAws, client: Any) -> None:
    for key in ODD_KEYS:
        client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    restart(aws)
    assert keys_of(client) == set(ODD_KEYS)
    assert all(body_of(client, key) == key.encode() for key in ODD_KEYS)
    assert [path.name for path in aws.home.parent.iterdir()] == [aws.home.name]


def test_an_object_is_replaced_and_the_newest_survives(aws: LocalAws, client: Any) -> None:
    for body in (b"first", b"second"):
        client.put_object(Bucket=BUCKET, Key="one", Body=body)
    restart(aws)
    assert body_of(client, "one") == b"second"


def test_a_multipart_upload_survives_a_restart_with_its_etag(aws: LocalAws, client: Any) -> None:
    upload = client.create_multipart_upload(Bucket=BUCKET, Key="long.ts", ContentType="video/mp2t")["UploadId"]
    bodies = [b"a" * 5 * 1024 * 1024, b"b" * 10]
    parts = [
        {
            "PartNumber": number,
            "ETag": client.upload_part(Bucket=BUCKET, Key="long.ts", UploadId=upload, PartNumber=number, Body=body)[
                "ETag"
            ],
        }
        for number, body in enumerate(bodies, start=1)
    ]
    assert keys_on_disk(aws) == set()
    etag = client.complete_multipart_upload(
        Bucket=BUCKET, Key="long.ts", UploadId=upload, MultipartUpload={"Parts": parts}
    )["ETag"]

    restart(aws)

    kept = client.get_object(Bucket=BUCKET, Key="long.ts")
    assert kept["Body"].read() == b"".join(bodies)
    assert kept["ETag"] == etag
    assert etag.endswith('-2"')
    assert kept["ContentType"] == "video/mp2t"


def test_upload_fileobj_and_copy_survive_a_restart(aws: LocalAws, client: Any) -> None:
    client.upload_fileobj(io.BytesIO(b"still"), BUCKET, "thumb.jpg", ExtraArgs={"ContentType": "image/jpeg"})
    client.copy_object(Bucket=BUCKET, Key="copied.jpg", CopySource={"Bucket": BUCKET, "Key": "thumb.jpg"})
    restart(aws)
    copied = client.get_object(Bucket=BUCKET, Key="copied.jpg")
    assert (copied["Body"].read(), copied["ContentType"]) == (b"still", "image/jpeg")


def test_deleted_objects_stay_deleted(aws: LocalAws, client: Any) -> None:
    for key in ("one", "two", "three", "four"):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    client.delete_object(Bucket=BUCKET, Key="one")
    client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "two"}, {"Key": "three"}]})
    restart(aws)
    assert keys_of(client) == {"four"}


def test_buckets_are_made_kept_and_removed_by_the_api_too(aws: LocalAws, client: Any) -> None:
    client.create_bucket(Bucket="another-one", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    restart(aws)
    assert buckets_of(client) == ["another-one", BUCKET]
    assert client.get_bucket_location(Bucket="another-one")["LocationConstraint"] == "eu-west-1"
    client.delete_bucket(Bucket="another-one")
    restart(aws)
    assert buckets_of(client) == [BUCKET]


def test_create_bucket_twice_keeps_its_objects_and_allows_reads_from_any_origin(aws: LocalAws, client: Any) -> None:
    client.put_object(Bucket=BUCKET, Key="one", Body=b"x")
    aws.s3.create_bucket(BUCKET, "eu-west-1")
    assert keys_of(client) == {"one"}
    restart(aws)
    (rule,) = client.get_bucket_cors(Bucket=BUCKET)["CORSRules"]
    assert (rule["AllowedMethods"], rule["AllowedOrigins"]) == (["GET", "HEAD"], ["*"])


def test_a_refused_request_changes_nothing_on_disk(aws: LocalAws, client: Any) -> None:
    with pytest.raises(ClientError) as refused:
        client.put_object(Bucket="no-such-bucket", Key="one", Body=b"x")
    assert refused.value.response["Error"]["Code"] == "NoSuchBucket"
    restart(aws)
    assert (buckets_of(client), keys_of(client)) == ([BUCKET], set())


def test_a_missing_key_is_no_such_key_to_a_signed_caller(client: Any) -> None:
    with pytest.raises(ClientError) as missing:
        client.get_object(Bucket=BUCKET, Key="none")
    assert missing.value.response["Error"]["Code"] == "NoSuchKey"


@pytest.mark.usefixtures("aws")
def test_anonymous_callers_are_denied_everything() -> None:
    make_client().put_object(Bucket=BUCKET, Key="one", Body=b"x")
    anonymous = make_client(signature_version=UNSIGNED)
    attempts = [
        lambda: anonymous.get_object(Bucket=BUCKET, Key="one"),
        lambda: anonymous.get_object(Bucket=BUCKET, Key="none"),
        lambda: anonymous.list_objects_v2(Bucket=BUCKET),
        lambda: anonymous.put_object(Bucket=BUCKET, Key="one", Body=b"y"),
        lambda: anonymous.delete_object(Bucket=BUCKET, Key="one"),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError) as denied:
            attempt()
        assert denied.value.response["Error"]["Code"] == "AccessDenied"
        assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert body_of(make_client(), "one") == b"x"


def test_a_presigned_url_reads_and_ranges_work(aws: LocalAws, client: Any) -> None:
    client.put_object(Bucket=BUCKET, Key="one two", Body=b"0123456789")
    url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "one two"})
    path = url.removeprefix(BASE_URL)
    assert Client(aws).get(path).data == b"0123456789"
    part = Client(aws).get(path, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.data, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")


def test_apps_of_two_homes_do_not_see_each_other(aws: LocalAws, client: Any, tmp_path: Path) -> None:
    other_url = f"{BASE_URL}_other"
    other = LocalAws(tmp_path / "other")
    stop = install_in_process(other, other_url)
    other.s3.create_bucket("other-bucket")
    assert buckets_of(client) == [BUCKET]
    assert buckets_of(make_client(f"{other_url}/s3")) == ["other-bucket"]
    stop()


@pytest.fixture
def media(aws: LocalAws, client: Any) -> Client:
    client.put_object(
        Bucket=BUCKET,
        Key="p/media/hls/720p30/0.ts",
        Body=b"0123456789",
        ContentType="video/mp2t",
        CacheControl="max-age=60",
    )
    client.put_object(
        Bucket=BUCKET, Key="p/größe 50%.m3u8", Body=b"#EXTM3U\n", ContentType="application/vnd.apple.mpegurl"
    )
    client.put_object(Bucket=BUCKET, Key="empty", Body=b"")
    return Client(aws.media)


SEGMENT = "/p/media/hls/720p30/0.ts"


def test_media_host_serves_an_object_with_its_headers(media: Client) -> None:
    answer = media.get(SEGMENT)
    assert (answer.status_code, answer.data) == (200, b"0123456789")
    assert answer.headers["Content-Type"] == "video/mp2t"
    assert answer.headers["Content-Length"] == "10"
    assert answer.headers["Cache-Control"] == "max-age=60"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == '"781e5e245d69b566979b86e28d23f2c7"'
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Expose-Headers"] == "Content-Length, Content-Range"


def test_media_host_answers_head_without_a_body(media: Client) -> None:
    answer = media.head(SEGMENT)
    assert (answer.status_code, answer.data, answer.headers["Content-Length"]) == (200, b"", "10")
    missing = media.head("/none")
    assert (missing.status_code, missing.data) == (403, b"")


def test_media_host_decodes_paths(media: Client) -> None:
    answer = media.get("/p/gr%C3%B6%C3%9Fe%2050%25.m3u8")
    assert (answer.status_code, answer.data) == (200, b"#EXTM3U\n")
    assert answer.headers["Content-Type"] == "application/vnd.apple.mpegurl"


@pytest.mark.parametrize(
    ("wanted", "body", "content_range"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
def test_media_host_serves_one_range(media: Client, wanted: str, body: bytes, content_range: str) -> None:
    answer = media.get(SEGMENT, headers={"Range": wanted})
    assert (answer.status_code, answer.data) == (206, body)
    assert answer.headers["Content-Range"] == content_range
    assert answer.headers["Content-Length"] == str(len(body))
    assert answer.headers["Content-Type"] == "video/mp2t"


@pytest.mark.parametrize("wanted", ["bytes=0-1,4-5", "bytes=x-y", "lines=1-2", "bytes=5-2", "nonsense"])
def test_media_host_ignores_a_range_it_cannot_read(media: Client, wanted: str) -> None:
    answer = media.get(SEGMENT, headers={"Range": wanted})
    assert (answer.status_code, answer.data) == (200, b"0123456789")


def test_media_host_refuses_a_range_beyond_the_end(media: Client) -> None:
    answer = media.get(SEGMENT, headers={"Range": "bytes=10-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */10")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_media_host_sends_the_whole_object_when_the_range_is_of_an_older_one(media: Client) -> None:
    answer = media.get(SEGMENT, headers={"Range": "bytes=0-1", "If-Range": '"older"'})
    assert (answer.status_code, answer.data) == (200, b"0123456789")


def test_media_host_answers_304_to_a_known_etag(media: Client) -> None:
    answer = media.get(SEGMENT, headers={"If-None-Match": media.get(SEGMENT).headers["ETag"]})
    assert (answer.status_code, answer.data) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/none", "/", "/..", "/p/../empty", "/%2e%2e/empty", "/=bucket.json", "/%FF", f"/{BUCKET}/empty", "/p"]
)
def test_media_host_answers_403_for_a_missing_key(media: Client, path: str) -> None:
    answer = media.get(path)
    assert answer.status_code == 403
    assert b"AccessDenied" in answer.data
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_media_host_is_read_only(media: Client, method: str) -> None:
    answer = media.open(SEGMENT, method=method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_media_host_answers_a_preflight(media: Client) -> None:
    answer = media.options(SEGMENT, headers={"Origin": "https://www.example.com"})
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Headers"] == "Range"


def test_media_host_serves_the_objects_of_each_bucket(aws: LocalAws, client: Any, media: Client) -> None:
    aws.s3.create_bucket("another-one")
    client.put_object(Bucket="another-one", Key="other", Body=b"x")
    assert [media.get(path).status_code for path in (SEGMENT, "/other")] == [200, 200]


def test_media_host_without_a_bucket_has_nothing(tmp_path: Path) -> None:
    assert Client(S3App(tmp_path).media).get("/one").status_code == 403


def test_parallel_writers_of_a_key_leave_one_whole_object(tmp_path: Path) -> None:
    """Two programs on one home, as a demo and a command are: the lock is that of one process."""
    journal = Journal(tmp_path / "s3.sqlite3")
    objects = [StoredObject(BUCKET, "a/b.ts", bytes([n]) * 100_000, {}, f'"{n}"', datetime.now(UTC)) for n in range(4)]

    def write(stored: StoredObject) -> None:
        for _ in range(50):
            journal.write(stored)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, objects))
    [stored] = journal.objects()
    assert stored in objects
