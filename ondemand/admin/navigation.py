"""The list that led to the page of a video: the neighbours of the video, its place, and the next video to decide."""

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict

from common.admin import pages
from common.rest.ordering import Order, rows_after
from common.sql.rows import counts_of
from ondemand.admin.paginator import IndexPaginator
from ondemand.models import Video, VideoIndex
from ondemand.models.querysets import VideoQuerySet
from ondemand.search.lists import stored_key

FILTERS = "_changelist_filters"


@dataclass(frozen=True)
class ListPosition:
    """Position of a video in a list, and the length of the list.

    `number` is None if the video is not in the list or after the first 1,000.
    A `count` above `pages.COUNTED` means that there are more.
    """

    number: int | None
    count: int


class VideoQueue:
    """Navigate a list ordered by start time. Every method is one index lookup or a bounded count."""

    def __init__(self, rows: VideoQuerySet) -> None:
        self.rows: VideoQuerySet = rows.select_related(None).only("uuid", "started_at")
        self.is_oldest_first = not Order.of(rows).keys[0].descending

    def following(self, video: Video) -> UUID | None:
        """Return the next video, whether or not this one is in the list still."""
        return self.newer(video) if self.is_oldest_first else self.older(video)

    def newer(self, video: Video) -> UUID | None:
        """Return the next newer video."""
        found = rows_after(self.rows.oldest_first(), video).first()
        return found and found.pk

    def older(self, video: Video) -> UUID | None:
        """Return the next older video."""
        newest_first = self.rows.newest_first()
        if video.started_at is None:
            found = rows_after(newest_first, video).first()
            return found and found.pk
        # Each part is one probe of the index; one condition for both would scan it.
        dated = rows_after(self.rows.order_by("-started_at", "-uuid"), video).newest_first()
        undated = newest_first.filter(started_at__isnull=True)
        both = dated[:1].union(undated[:1], all=True)
        found = min(both, key=lambda row: row.started_at is None, default=None)
        return found and found.pk

    def holds(self, video: Video) -> bool:
        """Return whether the video is in the list."""
        return self.rows.filter(pk=video.pk).exists()

    def place(self, video: Video) -> ListPosition:
        """Return where the video stands."""
        backwards = self.rows.newest_first() if self.is_oldest_first else self.rows.oldest_first()
        counted = [rows_after(backwards, video), self.rows.filter(pk=video.pk), self.rows]
        before, own, count = counts_of(counted, bound=pages.COUNTED)
        return ListPosition(before + 1 if own and before < pages.COUNTED else None, count)


class IndexQueue(VideoQueue):
    """A list that the index of videos finds, newest first."""

    def __init__(self, rows: VideoQuerySet, paginator: IndexPaginator) -> None:
        super().__init__(rows)
        self.paginator = paginator

    @cached_property
    def _counted(self) -> list[UUID]:
        return self.paginator.newest

    def newer(self, video: Video) -> UUID | None:
        number = self.place(video).number
        if number is None:
            return self._nearest("oldest", video)
        return self._counted[number - 2] if number > 1 else None

    def older(self, video: Video) -> UUID | None:
        number = self.place(video).number
        return self._nearest("newest", video) if number is None else next(iter(self._counted[number:]), None)

    def place(self, video: Video) -> ListPosition:
        is_counted = video.pk in self._counted[: pages.COUNTED]
        return ListPosition(self._counted.index(video.pk) + 1 if is_counted else None, len(self._counted))

    def _nearest(self, ordering: str, video: Video) -> UUID | None:
        key = VideoIndex.objects.filter(pk=video.pk).values_list("start_key", "video_id").first()
        return next(iter(self.paginator.nearest(ordering, 1, after=stored_key(*key))), None) if key else None


def queue_of(request: HttpRequest, model_admin: admin.ModelAdmin) -> VideoQueue:
    """Return the list through which decisions lead.

    It is that of `_changelist_filters`, or all videos if that is invalid; without it the videos to review, the oldest
    first.
    """
    if not is_of_list(request):
        return VideoQueue(Video.objects.to_review().oldest_first())
    list_request = copy(request)
    list_request.GET = QueryDict(request.GET[FILTERS])
    changelist = _changelist(list_request, model_admin)
    if changelist is None:
        return all_videos()
    paginator = model_admin.get_paginator(list_request, changelist.queryset, changelist.list_per_page)
    if isinstance(paginator, IndexPaginator):
        return IndexQueue(changelist.queryset, paginator)
    return VideoQueue(changelist.queryset)


def is_of_list(request: HttpRequest) -> bool:
    """Return whether the page was opened from a list."""
    return bool(request.GET.get(FILTERS))


def all_videos() -> VideoQueue:
    """Return the list without filters."""
    return VideoQueue(Video.objects.newest_first())


def _changelist(list_request: HttpRequest, model_admin: admin.ModelAdmin) -> ChangeList | None:
    """Return the change list without its rows; None if its address is invalid."""
    rows_only: Any = type("RowsOnly", (_RowsOnly, model_admin.get_changelist(list_request)), {})
    list_admin = copy(model_admin)
    list_admin.get_changelist = lambda request, **options: rows_only  # type: ignore[method-assign]
    try:
        return list_admin.get_changelist_instance(list_request)
    except (IncorrectLookupParameters, SuspiciousOperation):
        return None


class _RowsOnly:
    """A change list that reads no page and counts nothing."""

    def get_results(self, request: HttpRequest) -> None:
        pass
