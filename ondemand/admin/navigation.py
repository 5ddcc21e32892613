"""The neighbours of a video in the list that links to its page, and the next video to review."""

from copy import copy

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict

from ivsvod.rest.ordering import rows_after
from ondemand.admin.filters import ReviewFilter
from ondemand.models import Video
from ondemand.models.querysets import VideoQuerySet

FILTERS = "_changelist_filters"


def neighbours(request: HttpRequest, model_admin: admin.ModelAdmin, video: Video) -> tuple[Video | None, Video | None]:
    """Return the newer and the older video in the list that `_changelist_filters` names, in two queries by key."""
    listed = _listed(request, model_admin).select_related(None).only("uuid", "started_at")
    newer = rows_after(listed.oldest_first(), video).first()
    if video.started_at is None:
        return newer, rows_after(listed.newest_first(), video).first()
    # Each part is one probe of the index; one condition for both would scan it.
    dated = rows_after(listed.order_by("-started_at", "-uuid"), video).newest_first()
    undated = listed.newest_first().filter(started_at__isnull=True)
    older = dated[:1].union(undated[:1], all=True)
    return newer, min(older, key=lambda row: row.started_at is None, default=None)


def is_from_review(request: HttpRequest) -> bool:
    """Return whether the page was opened from the list of videos to review."""
    return QueryDict(request.GET.get(FILTERS, "")).get(ReviewFilter.parameter_name) == "yes"


def next_to_review(video: Video) -> Video | None:
    """Return the next video to review, the oldest first; after the last one it begins again."""
    waiting = others_to_review(video).oldest_first().only("uuid", "started_at")
    return rows_after(waiting, video).first() or waiting.first()


def others_to_review(video: Video) -> VideoQuerySet:
    """Return all other videos to review."""
    return Video.objects.to_review().exclude(pk=video.pk)


def _listed(request: HttpRequest, model_admin: admin.ModelAdmin) -> VideoQuerySet:
    """Return the rows of the list; all videos if its address is invalid."""
    list_request = copy(request)
    list_request.GET = QueryDict(request.GET.get(FILTERS, ""))
    rows_only = type("RowsOnly", (_RowsOnly, model_admin.get_changelist(list_request)), {})
    list_admin = copy(model_admin)
    list_admin.get_changelist = lambda request, **options: rows_only  # type: ignore[method-assign]
    try:
        return list_admin.get_changelist_instance(list_request).queryset
    except (IncorrectLookupParameters, SuspiciousOperation):
        return Video.objects.all()


class _RowsOnly:
    """A change list that reads no page and counts nothing."""

    def get_results(self, request: HttpRequest) -> None:
        pass
