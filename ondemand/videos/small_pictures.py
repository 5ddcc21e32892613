"""Small versions of the picture that a video shows: made when a page first loads one, and kept in the bucket."""

import logging
import re
from hashlib import sha256
from io import BytesIO
from typing import Any

from django.conf import settings

from common import aws
from ondemand.models import Video
from ondemand.videos.files import SMALL_WIDTHS, shown_path, uploaded_name
from ondemand.videos.uploads import LARGEST_FILE, PictureError, picture_normalised

logger = logging.getLogger(__name__)

CONTENT_TYPE = "image/webp"
# A smaller file takes longer to encode.
_ENCODING: dict[str, Any] = {"format": "WEBP", "quality": 60, "method": 4}
_PATH = re.compile(rf"small/({'|'.join(map(str, SMALL_WIDTHS))})/(.+)", re.ASCII | re.DOTALL)
# The time in which S3 must send a picture.
_READ_SECONDS = 5
_YEAR = 365 * 24 * 3600


def small_path_parts(path: str) -> tuple[int | None, str]:
    """Return the width and the path of the large picture; the width is None for the path of another file."""
    found = _PATH.fullmatch(path)
    return (int(found[1]), found[2]) if found else (None, path)


def small_picture(video: Video, path: str, width: int) -> bytes | None:
    """Return the picture that the video shows, at most `width` pixels wide; None if it shows another, or none is made.

    A failure of S3 and a damaged picture are logged: the large one is shown instead. A damaged one is decoded once.
    """
    place = _place(video, path)
    if place is None or place[0] not in settings.RECORDING_BUCKETS:
        return None
    bucket, key = place
    try:
        return _kept_or_made(bucket, key, width)
    except aws.AwsError as error:
        logger.warning("no small picture of %s: %s", key, error)
        return None


def _place(video: Video, path: str) -> tuple[str, str] | None:
    """Return bucket and key of the picture that the video shows; None if it is another than that of the path."""
    if not video.is_playable or path != shown_path(video):
        return None
    if uploaded_name(path):
        return settings.RECORDING_BUCKET, path
    place = video.place_of(path)
    return (place[0], f"{place[1]}/{place[2]}") if place else None


def _kept_or_made(bucket: str, key: str, width: int) -> bytes | None:
    # Beside no recording, and under a digest, so that the key does not name one.
    kept = {
        "bucket": settings.RECORDING_BUCKET or bucket,
        "key": f"small/{sha256(f'{bucket}/{key}'.encode()).hexdigest()}-{width}.webp",
    }
    content: bytes | None = None
    with aws.ignored(aws.AwsErrorKind.DENIED):
        content = aws.object_read(**kept, longest=LARGEST_FILE, seconds=_READ_SECONDS)
    if content is not None:
        return content or None
    large = aws.object_read(bucket=bucket, key=key, longest=LARGEST_FILE, seconds=_READ_SECONDS)
    if large is None:
        return None
    try:
        content = picture_normalised(BytesIO(large), (width, 2 * width), _ENCODING)
    except PictureError as error:
        logger.warning("no small picture of %s: %s", key, error)
        content = b""
    try:
        aws.object_write(**kept, content=content, content_type=CONTENT_TYPE, max_age=_YEAR)
    except aws.AwsError as error:
        logger.warning("a small picture of %s is not kept: %s", key, error)
    return content or None
