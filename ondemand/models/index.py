"""The index of videos: a narrow row for each video, from which lists, search and counts of tags are read.

Triggers write it when any program changes a video, its content or the name of its channel:
`index_videos.sql`.
"""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.fields.array import ArrayContains, ArrayOverlap  # type: ignore[attr-defined]
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Q, QuerySet, Sum
from django.db.models.functions import MD5, Left

from ondemand.models.publication import Listing, within_window
from ondemand.models.querysets import TAG_BEGINNING, TAG_KEY, beginnings
from ondemand.models.videos import Video

# Each is a total order, and that of an index.
ORDERINGS: dict[str, tuple[Any, ...]] = {
    "newest": ("-start_key", "-video_id"),
    "oldest": ("start_key", "video_id"),
    "longest": ("-length_key", "-video_id"),
    "shortest": ("length_key", "video_id"),
    "title": (F("title_key").asc(nulls_last=True), "video_id"),
}
# The same in indexes, which PostgreSQL walks from either end.
_NEWEST = (F("start_key").desc(), F("video").desc())
_LONGEST = (F("length_key").desc(), F("video").desc())
_TITLE = (F("title_key"), F("video"))
# A tag may be longer than the key of an index.
NAME_KEY = Left("tag", TAG_BEGINNING)
IS_LISTED = Q(listing=Listing.LISTED)
# The channel as an array, because the GIN index holds arrays.
CHANNEL_KEYS = Func(
    F("channel_id"), template="ARRAY[%(expressions)s]", output_field=ArrayField(models.UUIDField(null=True))
)


def has_tags(tags: list[str]) -> Q:
    """Return the condition of the rows that have all of these tags, of which an index has the beginnings."""
    return Q(ArrayContains(beginnings("tags"), [tag[:TAG_BEGINNING] for tag in tags]), tags__contains=tags)


def of_channels(uuids: list[UUID]) -> Q:
    """Return the condition of the rows of these channels, for the index of values."""
    return Q(ArrayOverlap(CHANNEL_KEYS, uuids))


class VideoIndexQuerySet(models.QuerySet["VideoIndex"]):
    """Reads of the index."""

    def listed(self, at: Any) -> Self:
        """Return the rows of the videos that anyone may find at that time."""
        return self.filter(IS_LISTED, within_window(at))

    def matching(self, values: Q, *, listing: Q | None = None) -> Self:
        """Return the rows that meet conditions of the two GIN indexes.

        With `listing`, use only the index that holds it; rows of other listings may be among them.
        """
        listed, others = self.filter(IS_LISTED, values), self.filter(~IS_LISTED, values)
        if listing:
            return listed if listing == IS_LISTED else others
        return listed | others

    def in_order(self, ordering: str) -> Self:
        """Order by one of `ORDERINGS`."""
        return self.order_by(*ORDERINGS[ordering])


class VideoIndex(models.Model):
    """A video in the index."""

    video = models.OneToOneField(
        Video,
        on_delete=models.DO_NOTHING,
        primary_key=True,
        db_constraint=False,
        # For queries alone: the rows are no part of what people write.
        related_name="+",
        related_query_name="index",
    )
    channel_id = models.UUIDField(null=True)
    # The listing without the publication window: see `listing.sql`.
    listing = models.TextField()
    status = models.TextField(null=True)  # noqa: DJ001
    active = models.BooleanField(null=True)
    # Public, not held, and no duplicate: listed if `status`, `active` and the time did not count.
    is_open = models.BooleanField()
    publish_from = models.DateTimeField(null=True)
    publish_until = models.DateTimeField(null=True)
    # A video without a start counts as older than all others, one without a length as 0 ms long.
    start_key = models.DateTimeField()
    length_key = models.BigIntegerField()
    # The beginning of the title in small letters, so that a cursor stays short; NULL if there is no title.
    title_key = models.TextField(null=True)  # noqa: DJ001
    tags = ArrayField(models.TextField())
    metadata = models.JSONField()
    # Title, tags, description and the name of the channel.
    search = SearchVectorField()

    objects = VideoIndexQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                *_NEWEST,
                name="video_index_newest",
                include=["publish_from", "publish_until"],
                condition=IS_LISTED,
            ),
            models.Index(
                F("channel_id"),
                *_NEWEST,
                name="video_index_of_channel",
                condition=IS_LISTED,
            ),
            models.Index(*_LONGEST, name="video_index_longest", condition=IS_LISTED),
            models.Index(*_TITLE, name="video_index_title", condition=IS_LISTED),
            # The same orders of each other listing.
            *(
                models.Index(F("listing"), *order, name=f"video_index_other_{name}", condition=~IS_LISTED)
                for name, order in (
                    ("newest", _NEWEST),
                    ("longest", _LONGEST),
                    ("title", _TITLE),
                )
            ),
            # The newest of all that are not listed, for staff.
            models.Index(*_NEWEST, name="video_index_others", condition=~IS_LISTED),
            # The scheduled and the expired videos.
            *(
                models.Index(fields=[name], name=f"video_index_{name}", condition=Q((f"{name}__isnull", False)))
                for name in ("publish_from", "publish_until")
            ),
            # The videos of each value. PostgreSQL reads the long lists of frequent values only where rare ones are, so
            # one index of all filters needs no choice between several.
            *(
                GinIndex(F("search"), beginnings("tags"), F("metadata"), CHANNEL_KEYS, name=name, condition=condition)
                for name, condition in {"video_index_values": IS_LISTED, "video_index_other_values": ~IS_LISTED}.items()
            ),
        ]

    def __str__(self) -> str:
        return str(self.video_id)


class TagCountQuerySet(models.QuerySet["TagCount"]):
    """Reads of the counts of tags."""

    def listed(self, at: datetime) -> QuerySet["TagCount", dict[str, Any]]:
        """Return each tag of listed videos with its `count`, by name: an order in which new videos move no tag.

        Long tags are in the order of their beginnings, then of their digests.
        """
        tags = self.values("tag").annotate(name_key=NAME_KEY, digest_key=MD5("tag"))
        counts = tags.annotate(count=Sum("listed", filter=within_window(at)))
        return counts.filter(count__gt=0).order_by("name_key", "digest_key")

    def in_use(self) -> QuerySet["TagCount", dict[str, Any]]:
        """Return each tag that a video has with the number of its `uses`, by name in any letter case."""
        tags = self.values("tag").annotate(key=TAG_KEY, uses=Sum("videos"))
        return tags.filter(uses__gt=0).order_by("key", "tag")


class TagCount(models.Model):
    """A number of videos, and of listed ones, that have a tag and a publication window: the sum of rows is the count.

    A trigger adds rows with the differences that a statement makes; see `count_tags.sql`.
    """

    id = models.BigAutoField(primary_key=True)
    tag = models.TextField()
    # The listed ones count inside of the window alone.
    publish_from = models.DateTimeField(null=True)
    publish_until = models.DateTimeField(null=True)
    videos = models.IntegerField()
    listed = models.IntegerField()

    objects = TagCountQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(NAME_KEY, MD5("tag"), name="tag_count_name"),
            models.Index(TAG_KEY, name="tag_count_beginning"),
        ]

    def __str__(self) -> str:
        return self.tag
