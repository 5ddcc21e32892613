"""The playlist of a rendition of four hours, signed, beside its bytes from memory; and the making of a grant."""

from collections.abc import Callable
from datetime import timedelta
from time import perf_counter
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.test import Client, RequestFactory
from django.test.utils import override_settings

from common.aws.clients import RETRIED, client
from ondemand.models import Video
from ondemand.playback.grants import GrantRequest, grant_url, video_grant_create
from tools.bench.figures import Figure
from tools.bench.rows import BUCKET

_PREFIX = "ivs/v1/111122223333/BenchBench/2026/3/4/9/5/BenchBench"
_PATH = "media/hls/720p30/playlist.m3u8"
_SEGMENTS = 1440


def playlists_measure(*, times: int) -> dict[str, Figure]:
    """Return the figures; nothing of it stays in the database."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    signed = {"CLOUDFRONT_KEY_ID": "KBENCH", "CLOUDFRONT_PRIVATE_KEY": pem, "RECORDING_BUCKETS": [BUCKET]}
    segments = "".join(f"#EXTINF:10.000000,\n{number}.ts\n" for number in range(_SEGMENTS))
    text = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n{segments}#EXT-X-ENDLIST\n"
    s3 = client("s3", RETRIED)
    if BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=BUCKET, Key=f"{_PREFIX}/{_PATH}", Body=text.encode())
    with override_settings(**signed), transaction.atomic():
        renditions = [{"path": "media/hls/720p30", "playlist": "playlist.m3u8", "width": 1280, "height": 720}]
        facts = {"playlist": "media/hls/master.m3u8", "renditions": renditions}
        place = {"bucket": BUCKET, "prefix": _PREFIX, "facts": facts}
        video = Video.objects.create(status="available", playback="grant", duration_ms=_SEGMENTS * 10_000, **place)
        asked = GrantRequest(viewer="bench", ttl=timedelta(hours=6), by=UUID(int=0))
        address = grant_url(video_grant_create(video=video, request=asked), "/").replace("master.m3u8", _PATH)
        players, gzip = Client(), {"Accept-Encoding": "gzip"}
        content = players.get(address).content

        def stored() -> None:
            answer = HttpResponse(content, content_type="application/vnd.apple.mpegurl")
            GZipMiddleware(lambda request: answer)(_request(gzip))

        figures = {
            "playlist of 4 hours, by a grant": _timed(lambda: players.get(address, headers=gzip), times),
            "the same bytes from memory, compressed": _timed(stored, times),
            "a grant": _timed(lambda: video_grant_create(video=video, request=asked), times),
        }
        transaction.set_rollback(True)
    return figures


def _request(headers: dict[str, str]) -> HttpRequest:
    return RequestFactory(headers=headers).get("/")


def _timed(work: Callable[[], object], times: int) -> Figure:
    figure = Figure()
    for _ in range(times):
        began = perf_counter()
        work()
        figure.seconds.append(perf_counter() - began)
    return figure
