"""A recording with playlists in S3, and a media host that checks signatures."""

from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from tests.support.signing import pem_of, private_key, public_pem_of
from tools.local.aws import LocalAws

HLS = "media/hls"
MULTIVARIANT = (
    "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=1280x720\n720p30/playlist.m3u8\n"
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="sound",URI="audio/playlist.m3u8"\n'
)
MEDIA = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n0.ts\n#EXTINF:10,\n1.ts\n#EXT-X-ENDLIST\n"
FACTS = {
    "playlist": f"{HLS}/master.m3u8",
    "renditions": [{"path": f"{HLS}/720p30", "playlist": "playlist.m3u8", "width": 1280, "height": 720}],
    "thumbnails": [f"media/thumbnails/thumb{n}.jpg" for n in range(3)],
}


def put_playlists(prefix: str, playlist: str = MEDIA) -> None:
    """Write its playlists, a segment and a picture to S3; each rendition has this playlist."""
    from tests.support.road import put

    put(f"{prefix}/{HLS}/master.m3u8", MULTIVARIANT.encode())
    for rendition in ("720p30", "audio"):
        put(f"{prefix}/{HLS}/{rendition}/playlist.m3u8", playlist.encode())
    put(f"{prefix}/{HLS}/720p30/0.ts", b"a segment")
    put(f"{prefix}/{FACTS['thumbnails'][1]}", b"a picture")


def sign_with(settings: Any, aws: LocalAws, kind: str, number: int = 0, trusted: tuple[int, ...] = ()) -> LocalAws:
    key_id = f"K{number}"
    settings.CLOUDFRONT_KEY_ID = key_id
    settings.CLOUDFRONT_PRIVATE_KEY = pem_of(private_key(kind, number))
    # Its media host is made with the keys that it trusts.
    aws.__dict__.pop("media", None)
    aws.trusted_keys = {f"K{n}": public_pem_of(private_key(kind, n)) for n in (number, *trusted)}
    return aws


def fetched(aws: LocalAws, url: str) -> int:
    """The status with which the media host answers; it serves the bucket below its root."""
    parts = urlsplit(url)
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": parts.path,
        "RAW_URI": f"{parts.path}?{parts.query}",
        "QUERY_STRING": parts.query,
        "HTTP_HOST": parts.netloc,
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": BytesIO(),
    }
    found: list[str] = []
    list(aws.media(environ, lambda status, headers, *_: found.append(status)))
    return int(found[0].split()[0])
