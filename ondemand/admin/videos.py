"""Videos and their content in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Value
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from channels_app.admin import PageLink, SafeLookups, StreamAdmin, TextSearch, list_address
from channels_app.models import Stream
from channels_app.scopes import account_has_scope
from ondemand.admin.actions import VideoActions
from ondemand.admin.bulk import BulkPages
from ondemand.admin.columns import VideoColumns
from ondemand.admin.filters import (
    ChannelFilter,
    ListingFilter,
    PrivateFilter,
    QaFilter,
    ReviewFilter,
    StartedFilter,
    StatusFilter,
    StuckFilter,
    TagFilter,
)
from ondemand.admin.in_place import InPlace
from ondemand.admin.page import VideoPage
from ondemand.admin.tags import TagPages
from ondemand.lookups import videos_of_address, videos_of_id
from ondemand.models import Video
from ondemand.search import search_videos


@admin.register(Video)
class VideoAdmin(VideoColumns, InPlace, BulkPages, TagPages, VideoPage, VideoActions, TextSearch, SafeLookups):
    """Videos come from recordings and are never added or deleted here; their content is edited."""

    change_list_template = "admin/ondemand/video/change_list.html"
    list_display_links = ("picture",)
    list_filter = (
        StartedFilter,
        ReviewFilter,
        ListingFilter,
        ChannelFilter,
        TagFilter,
        QaFilter,
        StatusFilter,
        StuckFilter,
        PrivateFilter,
    )
    # What leads to the files.
    curated_fields = ("bucket", "prefix", "data", "facts", "qa_reasons")
    search_fields = ("content__title",)
    search_help_text = _(
        'Words of title, description and tags ("a phrase", or, -not), a uuid, a stream id or a public URL'
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Video]:
        """All videos, newest first, with all that a row shows, and whether that is shown `to_curator`."""
        to_curator = account_has_scope(request.user, "curate")
        return Video.objects.recent_first_with_channel().annotate(to_curator=Value(to_curator))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: a video comes from a recording."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: a video is hidden."""
        return False

    def found(self, queryset: QuerySet[Video], text: str) -> QuerySet[Video]:
        """Videos by the index of the API's search, by uuid, by stream id or by a URL."""
        of_address = videos_of_address(text)
        if of_address is not None:
            return queryset.filter(pk__in=of_address.values("pk"))
        by_text, *by_id = (
            found.order_by().values("pk") for found in (search_videos(Video.objects.all(), text), *videos_of_id(text))
        )
        return queryset.filter(pk__in=by_text.union(*by_id) if by_id else by_text)


def videos_address(stream: Stream) -> str | None:
    """The list of the videos of a stream."""
    return list_address(Video, q=stream.shown_id) if stream.shown_id else None


StreamAdmin.links += (PageLink("ondemand.view_video", _("Videos"), videos_address),)
