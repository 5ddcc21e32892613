"""Videos and their content in the admin."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import Q, QuerySet
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from channels_app.admin import SafeLookups, StreamAdmin, StreamLink, TextSearch, WordFilter
from channels_app.models import Channel, Stream
from channels_app.times import zoned
from channels_app.uuids import parse_uuid
from ondemand.forms import ContentForm
from ondemand.models import Content, Video
from ondemand.pictures import video_picture
from ondemand.search import search_videos
from ondemand.services import video_hide, video_show, video_update

NOTHING = "–"  # noqa: RUF001
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


class ContentInline(admin.StackedInline):
    """The content of a video."""

    model = Content
    form = ContentForm
    template = "admin/ondemand/video/content.html"
    fields = ("title", "description", "tags", "thumbnail")
    extra = 1
    max_num = 1
    can_delete = False


@admin.register(Video)
class VideoAdmin(TextSearch, SafeLookups):
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

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        """Nothing of the row itself is edited, and an event may write it at the same time."""

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool) -> None:
        """Write what was edited, as the API's PATCH does."""
        # Fills what the history is told about, and saves nothing.
        formset.save(commit=False)
        for content_form in formset.forms:
            if isinstance(content_form, ContentForm) and content_form.has_changed():
                video_update(video_uuid=form.instance.pk, by=_account(request), values=content_form.changes())

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """The page, with what the player needs."""
        video: Video = context["original"]
        context |= {"subtitle": _title(video), "location": video.location, "poster": video_picture(video)}
        return super().render_change_form(request, context, *args, **options)

    @admin.action(description="Show selected videos", permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        """Show those that are hidden; a recording that is not finished shows by itself."""
        hidden = queryset.exclude(active=True, held=False).filter(status=Video.Status.AVAILABLE)
        self._apply(request, queryset, hidden, video_show, "Shown")

    @admin.action(description="Hide selected videos", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        """Hide those that are shown, or will be."""
        self._apply(request, queryset, queryset.exclude(active=False), video_hide, "Hidden")

    def _apply(
        self,
        request: HttpRequest,
        selected: QuerySet[Video],
        changing: QuerySet[Video],
        service: Callable[..., None],
        word: str,
    ) -> None:
        total = selected.count()
        uuids = list(changing.order_by().values_list("pk", flat=True))
        for uuid in uuids:
            service(video_uuid=uuid)
        told = f"{word}: {len(uuids)} of {total} selected videos."
        self.message_user(request, told, messages.SUCCESS if uuids else messages.WARNING)

    @admin.display(description="picture")
    def picture(self, video: Video) -> SafeString:
        """A thumbnail."""
        url = video_picture(video)
        if url is None:
            return format_html('<span class="no-picture">{}</span>', "No picture")
        return format_html('<img class="thumbnail" loading="lazy" src="{}" alt="Picture of {}">', url, _title(video))

    @admin.display(description="title", ordering="content__title")
    def title(self, video: Video) -> SafeString:
        """The title in its own writing direction; a dash where there is none."""
        content = video.shown_content
        return format_html("<bdi>{}</bdi>", (content and content.title) or NOTHING)

    @admin.display(description="channel", ordering="channel__name")
    def channel_name(self, video: Video) -> str:
        """The channel; its uuid where there is no such channel."""
        return str(_channel(video) or video.channel_id or NOTHING)

    @admin.display(description="start", ordering="started_at")
    def start(self, video: Video) -> str:
        """When the recording began."""
        return zoned(video.started_at)

    @admin.display(description="end")
    def end(self, video: Video) -> str:
        """When the recording ended."""
        return zoned(video.ended_at)

    @admin.display(description="duration", ordering="duration_ms")
    def length(self, video: Video) -> str:
        """h:mm:ss; a dash where it is not known."""
        if not video.duration_ms:
            return NOTHING
        minutes, seconds = divmod(video.duration_ms // 1000, 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"

    @admin.display(description="listing")
    def word(self, video: Video) -> SafeString:
        """Whether people find it, or why not."""
        return format_html('<span class="badge badge-{0}">{0}</span>', video.listing_at(timezone.now()))

    @admin.display(description="files")
    def files(self, video: Video) -> SafeString:
        """What is known of its files."""
        return format_html('<span class="badge badge-qa-{0}">{0}</span>', video.qa or Video.Qa.UNVERIFIED.value)

    @admin.display(description="found in the files")
    def files_reasons(self, video: Video) -> SafeString | str:
        """One a line."""
        return format_html_join("", "<div>{}</div>", ((reason,) for reason in video.qa_reasons or [])) or NOTHING

    @admin.display(description="playlist")
    def playlist(self, video: Video) -> str | SafeString:
        """A link to it."""
        return format_html('<a href="{0}">{0}</a>', video.location) if video.location else NOTHING

    @admin.display(description="renditions")
    def shown_renditions(self, video: Video) -> SafeString | str:
        """One a line."""
        return format_html_join("", "<div>{}</div>", ((_rendition(item),) for item in video.renditions)) or NOTHING

    @admin.display(description="stream ids")
    def shown_stream_ids(self, video: Video) -> str:
        """All streams that the recording holds."""
        return ", ".join(video.stream_ids or []) or NOTHING

    @admin.display(description="duplicate of")
    def original(self, video: Video) -> str | SafeString:
        """A link to the video that has the same files."""
        if video.duplicate_of_id is None:
            return NOTHING
        address = reverse("admin:ondemand_video_change", args=[video.duplicate_of_id])
        return format_html('<a href="{}">{}</a>', address, video.duplicate_of_id)

    @admin.display(description="raw data")
    def raw_data(self, video: Video) -> SafeString:
        """The predecessor's column, indented."""
        text = json.dumps(video.data, indent=2, ensure_ascii=False)
        return format_html('<pre class="envelope" tabindex="0">{}</pre>', text)


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


def _title(video: Video) -> str:
    content = video.shown_content
    return (content and content.title) or str(video.uuid)


def _channel(video: Video) -> Channel | None:
    return video.channel


def _rendition(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    size = f"{item['width']} x {item['height']}" if item.get("width") and item.get("height") else "sound"
    return f"{item.get('path', '')} ({size})"


def _account(request: HttpRequest) -> UUID:
    return request.user.pk  # type: ignore[return-value]  # an account: the admin lets no one else in
