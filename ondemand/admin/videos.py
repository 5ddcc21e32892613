"""Videos and their content in the admin."""

import re
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from channels_app.admin import SafeLookups, StreamAdmin, StreamLink, TextSearch, WordFilter
from channels_app.models import Stream
from channels_app.uuids import parse_uuid
from ondemand.admin.actions import VideoActions
from ondemand.admin.columns import VideoColumns
from ondemand.admin.page import ContentInline, VideoPage
from ondemand.models import Video
from ondemand.search import search_videos

_STREAM_ID = re.compile(r"st-[A-Za-z0-9]+")


class StatusFilter(WordFilter):
    """By how far the recording is."""

    title = parameter_name = "status"
    words = Video.Status


class QaFilter(WordFilter):
    """By what is known of the files."""

    title = "files"
    parameter_name = "qa"
    words = Video.Qa


class ShownFilter(admin.SimpleListFilter):
    """By what people decided; NULL is hidden, as it was for the predecessor."""

    title = "shown"
    parameter_name = "shown"
    wanted = {"yes": Q(active=True), "no": Q(active=False) | Q(active__isnull=True)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Yes and no."""
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The videos that are shown, or those that are not; an unknown word filters nothing."""
        return queryset.filter(self.wanted.get(self.value() or "", Q()))


@admin.register(Video)
class VideoAdmin(VideoColumns, VideoPage, VideoActions, TextSearch, SafeLookups):
    """Videos come from recordings and are never added or deleted here; their content is edited."""

    list_display = ("picture", "title", "word", "files", "channel_name", "start", "length")
    list_display_links = ("picture", "title")
    list_filter = (StatusFilter, QaFilter, ShownFilter)
    search_fields = ("content__title",)
    search_help_text = 'Words of title, description and tags ("a phrase", or, -not), a uuid or a stream id'
    show_full_result_count = False
    actions = ("show", "hide")
    inlines = (ContentInline,)
    change_form_template = "admin/ondemand/video/change_form.html"
    fieldsets = (
        (None, {"fields": ("word", "files", "channel_name", "start", "length")}),
        (
            "Technical facts",
            {
                "classes": ("collapse",),
                "fields": (
                    "uuid",
                    "playlist",
                    "bucket",
                    "prefix",
                    "shown_renditions",
                    "shown_stream_ids",
                    "end",
                    "status",
                    "files_reasons",
                    "original",
                    "raw_data",
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Video]:
        """All videos, newest first, with all that a row shows."""
        return Video.objects.recent_first_with_channel()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All: what is known of a recording comes from its events."""
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: a video comes from a recording."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: a video is hidden."""
        return False

    def found(self, queryset: QuerySet[Video], text: str) -> QuerySet[Video]:
        """Videos by the index of the API's search, by uuid or by stream id."""
        by_text, *by_id = [found.order_by().values("pk") for found in _matches(text)]
        return queryset.filter(pk__in=by_text.union(*by_id) if by_id else by_text)


def videos_address(stream: Stream) -> str | None:
    """The list of the videos of a stream."""
    found = urlencode({"q": stream.shown_id})
    return f"{reverse('admin:ondemand_video_changelist')}?{found}" if stream.shown_id else None


StreamAdmin.links += (StreamLink("ondemand.view_video", "Videos", videos_address),)


def _matches(text: str) -> list[QuerySet[Video]]:
    found: list[QuerySet[Video]] = [search_videos(Video.objects.all(), text)]
    if _STREAM_ID.fullmatch(text):
        found.append(Video.objects.filter(stream_ids__contains=[text]))
    with suppress(ValueError):
        found.append(Video.objects.filter(pk=parse_uuid(text)))
    return found
