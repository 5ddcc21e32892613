"""Helpers of the tests that look at the files of recordings: small ones in S3, and an S3 that fails."""

from collections.abc import Callable, Iterable
from typing import Any

from ondemand.models import Video
from tests.support.road import BUCKET, PREFIX, ended_metadata, put, s3
from tools.local.aws import LocalAws

ENDED_KEY = f"{PREFIX}/events/recording-ended.json"
FAILED_KEY = f"{PREFIX}/events/recording-failed.json"
HLS = "media/hls"
MASTER = f"{HLS}/master.m3u8"
HIGH, LOW = "720p30", "160p30"
# Four segments, as long together as the metadata of the samples say.
SEGMENTS = tuple(f"#EXTINF:{seconds},\n{n}.ts" for n, seconds in enumerate([990.125] * 4))
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


def multivariant(*uris: str, head: str = "#EXTM3U") -> bytes:
    variants = [f'#EXT-X-STREAM-INF:BANDWIDTH=1500000,CODECS="avc1.4d001f,mp4a.40.2"\n{uri}' for uri in uris]
    return "\n".join([head, "#EXT-X-VERSION:3", *variants, ""]).encode()


def media(*lines: str, end: str = "#EXT-X-ENDLIST") -> bytes:
    head = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:991", "#EXT-X-PLAYLIST-TYPE:VOD"]
    return "\n".join([*head, *(lines or SEGMENTS), end, ""]).encode()


def good_files() -> dict[str, bytes | dict[str, Any]]:
    """A recording of the samples with two renditions, by the path below its prefix."""
    files: dict[str, bytes | dict[str, Any]] = {
        "events/recording-ended.json": ended_metadata(),
        MASTER: multivariant(f"{HIGH}/playlist.m3u8", f"{LOW}/playlist.m3u8"),
    }
    for name in (HIGH, LOW):
        files |= {f"{HLS}/{name}/playlist.m3u8": media()}
        files |= {f"{HLS}/{name}/{n}.ts": b"segment" for n in (0, 3)}
    return files


def put_recording(*, prefix: str = PREFIX, **changes: Any) -> None:
    """Write the files of a good recording; `changes` are those that differ, by path, and None for those not there."""
    files = {**good_files(), **changes}
    for path, content in files.items():
        if content is not None:
            put(f"{prefix}/{path}", content)


def remove(key: str) -> None:
    s3().delete_object(Bucket=BUCKET, Key=key)


def the_video() -> Video:
    return Video.objects.get(prefix=PREFIX, duplicate_of=None)


Answer = Callable[[dict[str, Any], Any], Iterable[bytes]]


class SpoiledS3:
    """The local S3, but for keys that end so: those get an answer of their own. It notes what it was asked."""

    def __init__(self, aws: LocalAws, answers: dict[str, Answer] | None = None) -> None:
        self.asked: list[str] = []
        self.answers = answers or {}
        self.s3 = aws.s3
        aws.s3 = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self.s3, name)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.asked.append(f"{environ['REQUEST_METHOD']} {path.removeprefix(f'/{BUCKET}/')}")
        for end, answer in self.answers.items():
            if path.endswith(end):
                return answer(environ, start_response)
        return self.s3(environ, start_response)


def answers(status: str, body: bytes = b"", **headers: str) -> Answer:
    """This status, always."""

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        fields = {"Content-Length": str(len(body)), "x-amz-request-id": "A", **headers}
        start_response(status, list(fields.items()))
        return [body]

    return answer


def raises(error: type[Exception]) -> Answer:
    """A connection that ends so: TimeoutError, ConnectionResetError."""

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise error

    return answer


def cut(content: bytes) -> Answer:
    """Half of the content, of which all was promised."""

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", str(len(content))), ("ETag", '"a"')])
        return [content[: len(content) // 2]]

    return answer
