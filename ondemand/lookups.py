"""Which videos a text names: by a uuid, the id of a stream, or a URL of a page or of a file."""

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings
from django.db.models import Q

from channels_app.uuids import HYPHENATED, parse_uuid, uuid_or_none
from ondemand.catalogue import VideoQuerySet
from ondemand.models import Video

_STREAM_ID = re.compile(r"st-[A-Za-z0-9]+")
_UUID = re.compile(HYPHENATED, re.ASCII | re.IGNORECASE)
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
_S3_HOST = re.compile(r"([a-z0-9.-]{3,63})\.s3[a-z0-9.-]*\.amazonaws\.com(?:\.cn)?", re.ASCII)
_MOST_FOLDERS = 30


def videos_of_address(text: str) -> VideoQuerySet | None:
    """The videos of a URL: of a page or an answer of this service, or of a file of a recording; None: it is no URL."""
    try:
        url = urlsplit(text)
    except ValueError:
        return None
    if url.scheme not in {"http", "https", "s3"} or not url.netloc:
        return None
    named = Q(pk__in=[parse_uuid(found) for found in _UUID.findall(text)])
    for bucket, key in _places(url):
        named |= Q(bucket__in=_stored_as(bucket), prefix__in=list(_folders(key)))
    return Video.objects.filter(named)


def videos_of_id(text: str) -> list[VideoQuerySet]:
    """The videos with this uuid, or of a stream with this id."""
    uuid = uuid_or_none(text)
    of_stream = [Video.objects.of_streams([text])] if _STREAM_ID.fullmatch(text) else []
    return [*of_stream, *([Video.objects.filter(pk=uuid)] if uuid else [])]


def _places(url: SplitResult) -> Iterator[tuple[str, str]]:
    """The bucket and key that a URL may stand for."""
    base = urlsplit(settings.PLAYBACK_BASE_URL)
    path = unquote(url.path)
    if base.netloc and (url.netloc, url.scheme) == (base.netloc, base.scheme) and path.startswith(f"{base.path}/"):
        yield from ((bucket, path[len(base.path) :]) for bucket in settings.RECORDING_BUCKETS)
    elif url.scheme == "s3":
        yield url.netloc, path
    elif found := _S3_HOST.fullmatch(url.netloc):
        yield found[1], path


def _stored_as(bucket: str) -> list[str]:
    """How rows name the bucket: the one of the settings may be left out."""
    return [bucket, ""] if bucket == settings.RECORDING_BUCKET else [bucket]


def _folders(key: str) -> Iterator[str]:
    """The key and all folders that it is in."""
    parts = key.replace("\0", "").strip("/").split("/")[:_MOST_FOLDERS]
    return ("/".join(parts[:length]) for length in range(1, len(parts) + 1))
