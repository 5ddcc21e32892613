"""The query set of videos, its orders, and the expressions of its indexes. It imports no model of this app."""

from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Count, ExpressionWrapper, F, Func, Q, Subquery, Sum, Value, When
from django.db.models.functions import Collate, Least, Left, TruncDate, Upper

from channels_app.models.channels import PUBLIC
from ondemand.models.publication import (
    LISTED,
    LISTING_BY_ROW,
    OPEN,
    TIME_INDEPENDENT,
    TO_REVIEW,
    Listing,
    listing_expression,
    listing_rules,
    within_window,
)

# IVS cuts a recording then. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
MAX_RECORDING_DURATION = timedelta(hours=48)
TAG_BEGINNING = 100
# Finds and orders tags in any letter case; an index finds beginnings in this collation alone.
TAG_KEY = Collate(Upper(Left("tag", TAG_BEGINNING)), "C")
# Large columns that no page shows.
UNREAD = ("created_at", "data", "content__data", "content__created_at")
UNREAD_OF_FIRST = tuple(f"duplicate_of__{name}" for name in UNREAD)


class VideoQuerySet(models.QuerySet[Any]):
    """Reads of videos."""

    def listed(self, at: Any) -> Self:
        """Return the videos that anyone may find at that time.

        Active, available, public, inside their publication window, not held, and not a duplicate of another.
        """
        return self.filter(LISTED, within_window(at))

    def with_listing(self, listing: str, at: datetime) -> Self:
        """Return the videos with this listing at that time."""
        if listing == Listing.LISTED:
            return self.listed(at)
        if listing in TIME_INDEPENDENT:
            return self.alias(listing=LISTING_BY_ROW).filter(listing=listing)
        if listing == Listing.UNLISTED:
            return self.alias(listing=LISTING_BY_ROW).filter(within_window(at), listing=listing)
        # The condition is part of the expression, and an index may serve it.
        is_broken = ~listing_rules(at)[Listing(listing)]
        return self.alias(listing=listing_expression(at)).filter(is_broken, listing=listing)

    def reachable(self, at: Any) -> Self:
        """Return the videos that open by their uuid: listed and unlisted ones, and their duplicates.

        A duplicate opens only if the first row of its recording does, a part only if the video that shows it does.
        """
        open_now = OPEN & within_window(at)
        leads = ("duplicate_of", "part_of")
        return self.filter(
            open_now, *(Q((f"{lead}__isnull", True)) | _prefixed(f"{lead}__", open_now) for lead in leads)
        )

    def playable(self, at: Any) -> Self:
        """Return the videos that anyone may play at that time: those that open by their uuid and need no grant."""
        return self.reachable(at).filter(playback="public")

    def to_review(self) -> Self:
        """Return the available videos awaiting a publication decision, without duplicates.

        They are held, or NEW_VIDEO_STATE or their channel made them hidden or unlisted.
        """
        return self.filter(TO_REVIEW)

    def recorded(self, since: datetime, until: datetime) -> Self:
        """Return the videos whose recording began in this time, hidden ones too."""
        return self.filter(RECORDED, started_at__gte=since, started_at__lt=until)

    def by_day(self) -> models.QuerySet[Any, dict[str, Any]]:
        """Return each `day` in the current zone, the `count` of videos that begin on it, and their `milliseconds`."""
        days: models.QuerySet[Any, Any] = self.order_by().annotate(day=TruncDate("started_at")).values("day")
        return days.annotate(count=Count("*"), milliseconds=Sum("duration_ms")).order_by("day")

    def stuck(self, at: datetime) -> Self:
        """Return the videos that are `recording` for longer than any recording lasts; a duplicate follows its first."""
        before = at - MAX_RECORDING_DURATION
        is_old = Q(started_at__lt=before) | Q(started_at__isnull=True, created_at__lt=before)
        return self.filter(is_old, status="recording", duplicate_of__isnull=True).exclude(prefix="")

    def next_publication_change(self, at: datetime) -> datetime | None:
        """Return the next time at which the publication of a video begins or ends; by a probe of each index."""
        return min((change for (change,) in self.publication_changes(at)), default=None)

    def publication_changes(self, at: Any) -> models.QuerySet[Any, tuple[datetime]]:
        """Return the next time at which publication begins, and the next one at which it ends."""
        begin, end = self._publication_changes(at)
        return begin.union(end, all=True)

    def with_next_publication_change(self, at: Any) -> Self:
        """Annotate all rows with `next_change_of_all`, the next publication change of any video: it saves a query."""
        begin, end = self.model.objects.all()._publication_changes(at)
        return self.annotate(next_change_of_all=Least(Subquery(begin), Subquery(end)))

    def _publication_changes(self, at: Any) -> list[models.QuerySet[Any, tuple[datetime]]]:
        names = ("publish_from", "publish_until")
        return [self.filter((f"{name}__gt", at)).order_by(name).values_list(name)[:1] for name in names]

    def of_streams(self, stream_ids: list[str]) -> Self:
        """Return the videos whose recording holds at least one of these streams; by an index of their beginnings."""
        starts = [stream_id[:TAG_BEGINNING] for stream_id in stream_ids]
        found = self.alias(stream_beginnings=beginnings("stream_ids"))
        return found.filter(stream_beginnings__overlap=starts, stream_ids__overlap=stream_ids)

    def newest_first(self) -> Self:
        """Order by start, newest first; the uuid breaks ties."""
        return self.order_by(F("started_at").desc(nulls_last=True), "-uuid")

    def with_content(self) -> Self:
        """Join the channel name, the content, and that of the duplicated video; no large columns that no page shows."""
        videos = self.select_related("content", "duplicate_of__content").with_channel_name()
        return videos.defer(*UNREAD, *UNREAD_OF_FIRST)

    def with_own_content(self) -> Self:
        """Join as `with_content`, but for videos that are not duplicates: without their tables, so faster to plan."""
        return self.select_related("content").with_channel_name().defer(*UNREAD)

    def with_channel_name(self) -> Self:
        """Annotate the name of the channel, and whether anyone may know it; None if the channel is missing."""
        is_public = ExpressionWrapper(_prefixed("channel__", PUBLIC), output_field=models.BooleanField())
        return self.annotate(channel_name=F("channel__name"), has_public_channel=is_public)

    def with_grant_alone(self) -> Self:
        """Return the videos that are played with a grant alone."""
        return self.filter(playback="grant")

    def with_files(self) -> Self:
        """Return the available videos whose files are in a bucket that may be read."""
        place = Q(bucket__in=settings.RECORDING_BUCKETS)
        if settings.RECORDING_BUCKET:
            place |= Q(bucket="") | Q(bucket__isnull=True)
        return self.filter(place, status="available").exclude(prefix="").exclude(prefix__isnull=True)

    def ranks_in_recording(self) -> dict[UUID, int]:
        """Return the rank of each of these rows of one recording, the first row first; lower is better."""
        rank = Func(
            "status", "active", "duplicate_of", function="ivsvod_first_row_rank", output_field=models.IntegerField()
        )
        return dict(self.order_by(rank, "created_at", "uuid").values_list("pk", rank))

    def oldest_first(self) -> Self:
        """Order by start, unknown ones first; by the index of `newest_first`, backwards."""
        return self.order_by(F("started_at").asc(nulls_first=True), "uuid")

    def of_recording(self, video_uuid: UUID, bucket: str | None, prefix: str | None) -> Self:
        """Return the video and all other rows of its recording, those of the predecessor too."""
        return self.filter(Q(pk=video_uuid) | Q(bucket=bucket, prefix=prefix) if prefix else Q(pk=video_uuid))

    def showing(self, bucket: str | None, prefix: str | None) -> Self:
        """Return the edited videos that show a part of a recording."""
        return self.filter(edited__isnull=False, edited__parts__contains=[{"bucket": bucket, "prefix": prefix}])

    def locked(self) -> Self:
        """Lock the videos for writing, by uuid. Lock order everywhere: channel, videos, content.

        Content is locked by uuid too; the channel only where a writer needs it. To write several rows of a recording,
        lock all of them first by one such statement: an UPDATE locks its rows in the order of its plan. This weaker
        lock does not block the predecessor's foreign key checks.
        """
        return self.select_for_update(no_key=True, of=("self",)).order_by("uuid")


def is_true(condition: Q) -> Case:
    """Return the expression of a condition, which is never NULL."""
    return Case(When(condition, then=Value(True)), default=Value(False))


# Each recording once, hidden ones and parts of others too, as in the partial index.
RECORDED = Q(status="available", duplicate_of__isnull=True, clip_of__isnull=True)


def beginnings(texts: str) -> Func:
    """Return the beginnings of the texts of a column, for an index: its keys have at most 2,700 bytes."""
    return Func(F(texts), function="ivsvod_tag_beginnings", output_field=ArrayField(models.TextField()))


def _prefixed(path: str, condition: Q) -> Q:
    """Return the same condition of a related row; `path` leads to the row, as in `duplicate_of__`."""
    parts: list[Any] = condition.children
    prefixed = (_prefixed(path, part) if isinstance(part, Q) else (path + part[0], part[1]) for part in parts)
    return Q(*prefixed, _connector=condition.connector, _negated=condition.negated)
