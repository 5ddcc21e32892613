"""From one video to another: its neighbours in the list that somebody came from, and the next one to review."""

from copy import copy
from dataclasses import dataclass

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict

from channels_app.ordering import rows_after
from ondemand.admin.filters import ReviewFilter
from ondemand.catalogue import VideoQuerySet
from ondemand.models import Video

FILTERS = "_changelist_filters"


@dataclass(frozen=True)
class Neighbours:
    """The videos beside one in a list, newest first; None at its ends."""

    newer: Video | None
    older: Video | None


def neighbours(request: HttpRequest, model_admin: admin.ModelAdmin, video: Video) -> Neighbours:
    """Those beside the video in the list that `_changelist_filters` names; in two queries, by key."""
    listed = _listed(request, model_admin).select_related(None).only("uuid", "started_at")
    return Neighbours(rows_after(listed.oldest_first(), video).first(), _older(listed.newest_first(), video))


def is_from_review(request: HttpRequest) -> bool:
    """Return whether somebody came from the list of what waits for review."""
    return QueryDict(request.GET.get(FILTERS, "")).get(ReviewFilter.parameter_name) == "yes"


def next_to_review(video: Video) -> Video | None:
    """The next one that waits for a word, in the order in which they came; at the end it begins again."""
    waiting = others_to_review(video).oldest_first().only("uuid", "started_at")
    return rows_after(waiting, video).first() or waiting.first()


def others_to_review(video: Video) -> VideoQuerySet:
    """All others that wait."""
    return Video.objects.to_review().exclude(pk=video.pk)


def _older(listed: VideoQuerySet, video: Video) -> Video | None:
    if video.started_at is None:
        return rows_after(listed, video).first()
    # Each part is one probe of the index; as one condition they would be a walk through it.
    known = rows_after(listed.order_by("-started_at", "-uuid"), video).newest_first()
    unknown = listed.filter(started_at__isnull=True)
    found = known[:1].union(unknown[:1], all=True)
    return min(found, key=lambda row: row.started_at is None, default=None)


def _listed(request: HttpRequest, model_admin: admin.ModelAdmin) -> VideoQuerySet:
    """The rows of the list; all videos where its address names none that is a list."""
    asked = copy(request)
    asked.GET = QueryDict(request.GET.get(FILTERS, ""))
    try:
        return _rows(asked, model_admin)
    except (IncorrectLookupParameters, SuspiciousOperation):
        return Video.objects.all()


def _rows(request: HttpRequest, model_admin: admin.ModelAdmin) -> VideoQuerySet:
    made = type("Rows", (_Rows, model_admin.get_changelist(request)), {})
    changelist: ChangeList = made(
        request,
        model_admin.model,
        model_admin.get_list_display(request),
        (),
        model_admin.get_list_filter(request),
        model_admin.date_hierarchy,
        model_admin.get_search_fields(request),
        False,
        model_admin.list_per_page,
        model_admin.list_max_show_all,
        (),
        model_admin,
        (),
        model_admin.search_help_text,
    )
    return changelist.queryset


class _Rows:
    """A list of which no page is read, and nothing counted."""

    def get_results(self, request: HttpRequest) -> None:
        """None."""
