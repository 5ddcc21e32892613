"""The admin of videos, and the links that lead to it from channels, streams and differences."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from channels_app.admin import (
    AuditedAdmin,
    ChannelAdmin,
    LongListAdmin,
    PageLink,
    ReportedDifferenceAdmin,
    StreamAdmin,
    TextSearch,
    list_address,
    row_address,
)
from channels_app.models import ReportedDifference
from common.rest.scopes import account_has_scope
from ondemand.admin import filters
from ondemand.admin.bulk import ACTIONS, BulkChangePage, BulkChangesPage
from ondemand.admin.change_list import VideoChangeList
from ondemand.admin.columns import InPlaceView, video_columns
from ondemand.admin.deciding import NextView, UndoView
from ondemand.admin.navigation import FILTERS
from ondemand.admin.page import CheckView, VideoPage
from ondemand.admin.paginator import IndexPaginator, index_query
from ondemand.admin.player import QuickPlayer
from ondemand.admin.sharing import SharePage
from ondemand.admin.tags import ChannelsCompletion, TagPage, TagsCompletion, TagsPage
from ondemand.admin.trim_join_clip import EditView
from ondemand.admin.views import AdminView
from ondemand.models import Video, VideoIndex
from ondemand.search.lookups import videos_of_address, videos_of_id
from ondemand.search.text import search_query

# Address, name and view of each page that is not one of Django's.
PAGES: tuple[tuple[str, str, type[AdminView]], ...] = (
    ("bulk/", "bulk", BulkChangesPage),
    ("bulk/<uuid:change_uuid>/", "bulk_change", BulkChangePage),
    ("tags/", "tags", TagsPage),
    ("tags/change/", "tag", TagPage),
    ("tags/complete/", "tags_complete", TagsCompletion),
    ("channels/complete/", "channels_complete", ChannelsCompletion),
    ("<path:object_id>/change/", "change", VideoPage),
    ("<path:object_id>/check/", "check", CheckView),
    ("<path:object_id>/next/", "next", NextView),
    ("<path:object_id>/undo/", "undo", UndoView),
    ("<path:object_id>/edit/", "edit", EditView),
    ("<path:object_id>/share/", "share", SharePage),
    ("<path:object_id>/play/", "play", QuickPlayer),
    ("<path:object_id>/in-place/", "in_place", InPlaceView),
)


@admin.register(Video)
class VideoAdmin(AuditedAdmin, TextSearch, LongListAdmin):
    """Videos come from recordings and are never added or deleted here; their content is edited."""

    change_list_template = "admin/ondemand/video/change_list.html"
    actions = ACTIONS
    # The columns have links of their own.
    list_display_links = None
    list_filter = (
        filters.ReviewFilter,
        filters.ChannelFilter,
        filters.TagFilter,
        filters.StartedFilter,
        filters.ListingFilter,
        filters.ShownFilter,
        filters.QaFilter,
        filters.GrantFilter,
        filters.StuckFilter,
    )
    # The fields that name the location of files.
    curated_fields = ("bucket", "prefix", "data", "facts", "qa_reasons")
    search_fields = ("content__title",)
    search_help_text = _(
        'Words of title, description, tags and chapters ("a phrase", or, -not), a uuid, a stream id or a public URL'
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Video]:
        """Return all videos, newest first, with what a row shows; `to_curator` is whether the caller is a curator."""
        to_curator = account_has_scope(request.user, "curate")
        return Video.objects.newest_first().with_content().annotate(to_curator=Value(to_curator))

    def get_paginator(
        self, request: HttpRequest, queryset: QuerySet[Video], per_page: int, *args: Any, **options: Any
    ) -> Paginator:
        """Return the pages of the queryset, which the index of videos finds if it has all of its conditions."""
        # The autocompletion of the admin gives options, and conditions that are not of the list.
        query = None if options else index_query(request.GET, timezone.now())
        if query is None:
            return super().get_paginator(request, queryset, per_page, *args, **options)
        return IndexPaginator(query, self.get_queryset(request), per_page)

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return VideoChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list; lead a form that sent empty filters to the address without them."""
        if request.method == "GET" and any("" in values for _, values in request.GET.lists()):
            given = {name: list(filter(None, values)) for name, values in request.GET.lists()}
            return HttpResponseRedirect(f"?{urlencode(given, doseq=True)}")
        return super().changelist_view(request, extra_context)

    def get_urls(self) -> list[URLPattern]:
        own = (
            path(address, self.admin_site.admin_view(view.as_view(model_admin=self)), name=f"ondemand_video_{name}")
            for address, name, view in PAGES
        )
        return [*own, *super().get_urls()]

    def get_list_display(self, request: HttpRequest) -> tuple[object, ...]:  # type: ignore[override]
        return video_columns(self, request)

    def get_preserved_filters(self, request: HttpRequest) -> str:
        """Return the filters of the list; for the list without any its first page, so that links lead back to it."""
        kept = super().get_preserved_filters(request)
        match = request.resolver_match
        is_list = match is not None and match.url_name == "ondemand_video_changelist"
        return kept or (urlencode({FILTERS: f"{PAGE_VAR}=1"}) if is_list else "")

    def has_content_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("ondemand.change_content")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def found(self, queryset: QuerySet[Video], text: str) -> QuerySet[Video]:
        """Return the videos found by the search index of the API, a uuid, a stream id or a URL."""
        of_address = videos_of_address(text)
        if of_address is not None:
            return queryset.filter(pk__in=of_address.values("pk"))
        by_text, *by_id = (
            found.order_by().values("pk")
            for found in (VideoIndex.objects.matching(Q(search=search_query(text))), *videos_of_id(text))
        )
        return queryset.filter(pk__in=by_text.union(*by_id) if by_id else by_text)


def difference_video_address(difference: ReportedDifference) -> str | None:
    """Return the address of the video of the recording that `reconcile` reported; None if there is none."""
    if not difference.prefix:
        return None
    videos = Video.objects.filter(bucket=difference.bucket, prefix=difference.prefix, duplicate_of__isnull=True)
    video = videos.only("pk").first()
    return row_address(Video, video.pk) if video else None


_MAY_SEE = "ondemand.view_video"
ChannelAdmin.links += (
    PageLink(_MAY_SEE, _("Videos"), lambda channel: list_address(Video, channel__uuid__exact=channel.pk)),
)
StreamAdmin.links += (
    PageLink(_MAY_SEE, _("Videos"), lambda stream: stream.shown_id and list_address(Video, q=stream.shown_id)),
)
ReportedDifferenceAdmin.links += (PageLink(_MAY_SEE, _("Video"), difference_video_address),)
