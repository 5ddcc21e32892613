"""Look up videos by a uuid, a stream id, a tag, or the URL of a page or a file; and the tags in use."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db.models import Exists, Func, OuterRef, Q, TextField, Value
from django.db.models.functions import Collate, Left, Upper

from channels_app.sql.rows import count_shown, counts_of
from ivsvod.rest.ordering import Order
from ivsvod.rest.uuids import HYPHENATED, parse_uuid, uuid_or_none
from ondemand.models import Content, KnownTag, Video
from ondemand.models.querysets import TAG_BEGINNING, TAG_KEY, VideoQuerySet, beginnings

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


def tags_beginning(prefix: str, limit: int, *, after: str = "") -> list[str]:
    """Return at most `limit` tags in use with this prefix in any letter case, in their order, those behind `after`."""
    # The index of the beginnings of tags finds the content that has the tag.
    beginning = _array(Left(OuterRef("tag"), TAG_BEGINNING))
    content = Content.objects.alias(tag_beginnings=beginnings("tags"))
    in_use = Exists(content.filter(tag_beginnings__contains=beginning, tags__contains=_array(OuterRef("tag"))))
    tags = KnownTag.objects.alias(key=TAG_KEY).filter(in_use).order_by("key", "tag")
    if prefix:
        tags = tags.filter(key__startswith=Upper(Left(Value(prefix), TAG_BEGINNING)))
    if after:
        key = Collate(Upper(Left(Value(after), TAG_BEGINNING)), "C")
        tags = tags.filter(Order.of(tags).after([key, after]))
    return list(tags.values_list("tag", flat=True)[:limit])


def tags_counted(tags: Sequence[str]) -> list[dict[str, str]]:
    """Return each `tag` with the number of its `videos` as text, up to `100+`, in one statement."""
    counts = counts_of([Video.objects.tagged([tag]) for tag in tags])
    return [{"tag": tag, "videos": count_shown(count)} for tag, count in zip(tags, counts, strict=True)]


def _array(value: object) -> Func:
    return Func(value, function="ARRAY", template="%(function)s[%(expressions)s]", output_field=ArrayField(TextField()))


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
