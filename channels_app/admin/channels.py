"""Channels in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from channels_app.admin.pages import PlainFormAdmin, ReadOnlyAdmin, TextSearch
from channels_app.admin.streams import stream_rows, streams_address
from channels_app.aws import AwsError
from channels_app.errors import ChannelDeletedError, ChannelLeftBehindError, RecordingNotConfiguredError
from channels_app.forms import ChannelCreateForm
from channels_app.models import Channel
from channels_app.services import STILL_CREATING, channel_create, channel_recover
from channels_app.timeline import streams_shown
from channels_app.times import zoned
from channels_app.uuids import parse_uuid

KEY_HELP = (
    "The stream key is not shown here: POST /channels and the command create_channel print it once, when they create "
    "a channel."
)
SHOWN_STREAMS = 20


@admin.register(Channel)
class ChannelAdmin(TextSearch, PlainFormAdmin, ReadOnlyAdmin):
    """Channels: created here by the service, shown with their live state, never with their key."""

    create_title = "Create a channel"
    create_help = KEY_HELP
    secret_fields = ("stream_key", "channel_data")
    list_display = ("shown_name", "live", "owner", "type", "private", "record", "active", "created")
    list_display_links = ("shown_name",)
    list_filter = ("active", "private", "type", "status")
    search_fields = ("name",)
    search_help_text = "Part of a name, the uuid of a channel or an owner, or an ARN"
    show_full_result_count = False
    ordering = (F("created_at").desc(nulls_last=True), "-uuid")
    actions = ("recover",)
    fieldsets = (
        (None, {"fields": ("shown_name", "live", "owner", "active", "status", "created")}),
        ("Broadcasting", {"fields": ("ingest_url", "type", "latency_mode", "record"), "description": KEY_HELP}),
        ("Playing", {"fields": ("private", "playback_url")}),
        ("Streams", {"fields": ("last_streams",)}),
        ("Technical facts", {"fields": ("uuid", "arn"), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        """All channels with their live state."""
        return Channel.objects.with_live_state()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may add channels."""
        return request.user.has_perm("channels_app.add_channel")

    def found(self, queryset: QuerySet[Channel], text: str) -> QuerySet[Channel]:
        """Channels by part of their name, by uuid, owner or ARN."""
        return queryset.filter(Q(name__icontains=text) | Q(arn=text) | _by_uuid(text))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Create a channel. The admin's own view is one transaction, inside which AWS must not be called."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ChannelCreateForm(request.POST or None, initial={"owner": request.user.pk})
        channel = _create(form) if form.is_valid() else None
        if channel is None:
            return self.create_page(request, form, form_url, extra_context)
        self.log_addition(request, channel, "Created in Amazon IVS.")
        address = reverse("admin:channels_app_channel_change", args=[channel.pk])
        told = format_html('Amazon IVS created the channel <a href="{}">{}</a>.', address, channel)
        self.message_user(request, told, messages.SUCCESS)
        return self.response_post_save_add(request, channel)

    @admin.action(description="Finish or undo interrupted creation", permissions=["add"])
    def recover(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        """Look each unfinished channel up in IVS: finish its row, or remove it."""
        unfinished = queryset.unfinished()  # type: ignore[attr-defined]
        old_enough = unfinished.filter(created_at__lt=timezone.now() - STILL_CREATING)
        skipped = queryset.count() - old_enough.count()
        for channel in list(old_enough):
            level, told = _recover(channel)
            self.message_user(request, told, level)
        if skipped:
            told = f"Left as they are, for their creation was not interrupted or may still be under way: {skipped}."
            self.message_user(request, told, messages.WARNING)

    @admin.display(description="name", ordering="name")
    def shown_name(self, channel: Channel) -> SafeString:
        """The name, in its own writing direction; the uuid where there is none."""
        return format_html("<bdi>{}</bdi>", channel)

    @admin.display(description="state")
    def live(self, channel: Channel) -> SafeString:
        """Live or offline, and since when."""
        state = channel.live_state
        return format_html(
            '<span class="badge badge-{0}" title="since {1}">{0}</span>', state.state, zoned(state.since)
        )

    @admin.display(description="created", ordering="created_at")
    def created(self, channel: Channel) -> str:
        """When the row was made."""
        return zoned(channel.created_at)

    @admin.display(description="ingest URL")
    def ingest_url(self, channel: Channel) -> str:
        """Where an encoder connects; a dash until IVS has told."""
        return channel.ingest_url or "–"  # noqa: RUF001

    @admin.display(description="last streams")
    def last_streams(self, channel: Channel) -> str:
        """The last streams, newest first."""
        streams = streams_shown(channel.streams.newest_first())[:SHOWN_STREAMS]
        context = {"rows": stream_rows(streams), "all_streams": streams_address(channel)}
        return render_to_string("admin/channels_app/channel/streams.html", context)


def _by_uuid(text: str) -> Q:
    try:
        uuid = parse_uuid(text)
    except ValueError:
        return Q(pk__in=[])
    return Q(pk=uuid) | Q(owner=uuid)


def _create(form: ChannelCreateForm) -> Channel | None:
    """The channel; None where it was not created, with the reason as an error of the form."""
    try:
        return channel_create(**form.arguments())
    except AwsError as error:
        form.add_error(None, f"Amazon IVS did not create the channel: {error.message} ({error.kind}).")
    except (ChannelDeletedError, RecordingNotConfiguredError) as error:
        form.add_error(None, f"{error}.")
    except ChannelLeftBehindError as error:
        form.add_error(None, f"{error}. The action “Finish or undo interrupted creation” of the list settles it.")
    return None


def _recover(channel: Channel) -> tuple[int, str]:
    name = str(channel)
    try:
        recovered = channel_recover(channel=channel)
    except AwsError as error:
        return messages.ERROR, f"{name}: Amazon IVS could not be asked: {error.message} ({error.kind})."
    except ChannelDeletedError:
        return messages.WARNING, f"{name}: the channel was deleted meanwhile."
    if recovered is None:
        return messages.SUCCESS, f"{name}: Amazon IVS has no such channel; its row was removed."
    return messages.SUCCESS, f"{name}: the channel is ready."
