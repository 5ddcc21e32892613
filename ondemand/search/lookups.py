"""Look up videos by a uuid, a stream id, a tag, or the URL of a page or a file; and the tags in use."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings
from django.db.models import Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, Collate, Left, Upper

from common.rest.ordering import Order
from common.rest.uuids import HYPHENATED, parse_uuid, uuid_or_none
from ondemand.models import TagCount, Video, VideoIndex
from ondemand.models.index import NAME_KEY, has_tags
from ondemand.models.querysets import TAG_BEGINNING, VideoQuerySet

_STREAM_ID = re.compile(r"st-[A-Za-z0-9]+")
_UUID = re.compile(HYPHENATED, re.ASCII | re.IGNORECASE)
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
_S3_HOST = re.compile(r"([a-z0-9.-]{3,63})\.s3[a-z0-9.-]*\.amazonaws\.com(?:\.cn)?", re.ASCII)
_MOST_FOLDERS = 30


def videos_of_address(text: str) -> VideoQuerySet | None:
    """Return the videos of the URL of a page, an API response or a file of a recording; None if it is no URL."""
    try:
        url = urlsplit(text)
    except ValueError:
        return None
    if url.scheme not in {"http", "https", "s3"} or not url.netloc:
        return None
    matches = Q(pk__in=[parse_uuid(found) for found in _UUID.findall(text)])
    for bucket, key in _places(url):
        # Rows may omit the bucket of the settings.
        buckets = [bucket, ""] if bucket == settings.RECORDING_BUCKET else [bucket]
        parts = key.replace("\0", "").strip("/").split("/")[:_MOST_FOLDERS]
        folders = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
        matches |= Q(bucket__in=buckets, prefix__in=folders)
    return Video.objects.filter(matches)


def videos_of_id(text: str) -> list[VideoQuerySet]:
    """Return one query for each kind of id that the text is: a stream id, or a uuid of a video."""
    uuid = uuid_or_none(text)
    of_stream = [Video.objects.of_streams([text])] if _STREAM_ID.fullmatch(text) else []
    return [*of_stream, *([Video.objects.filter(pk=uuid)] if uuid else [])]


def videos_tagged(tag: str) -> VideoQuerySet:
    """Return the videos that have the tag."""
    return Video.objects.filter(pk__in=VideoIndex.objects.matching(has_tags([tag])).values("pk"))


def tags_beginning(prefix: str, limit: int, *, after: str = "") -> list[dict[str, Any]]:
    """Return at most `limit` tags in use with this prefix in any letter case, in their order, those behind `after`.

    Each is a `tag` with the number of its `uses`.
    """
    tags: QuerySet[Any, Any] = TagCount.objects.in_use()
    if prefix:
        tags = tags.filter(key__startswith=Upper(Left(Value(prefix), TAG_BEGINNING)))
    if after:
        key = Collate(Upper(Left(Value(after), TAG_BEGINNING)), "C")
        tags = tags.filter(Order.of(tags).after([key, after]))
    return list(tags[:limit])


def tag_uses(tag: str) -> int:
    """Return the number of videos that have the tag."""
    # By the index of their beginnings.
    counts = TagCount.objects.alias(name_key=NAME_KEY).filter(name_key=tag[:TAG_BEGINNING], tag=tag)
    return counts.aggregate(uses=Coalesce(Sum("videos"), 0))["uses"]


def _places(url: SplitResult) -> Iterator[tuple[str, str]]:
    """Yield each bucket and key that the URL may mean."""
    base = urlsplit(settings.PLAYBACK_BASE_URL)
    path = unquote(url.path)
    if base.netloc and (url.netloc, url.scheme) == (base.netloc, base.scheme) and path.startswith(f"{base.path}/"):
        yield from ((bucket, path[len(base.path) :]) for bucket in settings.RECORDING_BUCKETS)
    elif url.scheme == "s3":
        yield url.netloc, path
    elif found := _S3_HOST.fullmatch(url.netloc):
        yield found[1], path
