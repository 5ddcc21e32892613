"""Channels and the inbox of events in the admin."""

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet, TextChoices
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from channels_app.aws import AwsError
from channels_app.errors import ChannelDeletedError, ChannelLeftBehindError, RecordingNotConfiguredError
from channels_app.events import MalformedEventError, load_json
from channels_app.forms import ChannelCreateForm
from channels_app.models import Channel, InboxEvent
from channels_app.services import STILL_CREATING, channel_create, channel_recover
from channels_app.times import zoned
from channels_app.uuids import parse_uuid

KEY_HELP = (
    "The stream key is not shown here: POST /channels and the command create_channel print it once, when they create "
    "a channel."
)
SHOWN_STREAMS = 20
LONGEST_ERROR = 80


class SafeLookups(admin.ModelAdmin):
    """Addresses of lists: a field may be filtered by in any way, so some fields and values are refused."""

    # A filter must not be a way to guess a secret letter by letter.
    secret_fields: tuple[str, ...] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether a list may be filtered so; NUL is in no row, and PostgreSQL raises for it."""
        if lookup.split("__")[0] in self.secret_fields or "\0" in str(value):
            return False
        return super().lookup_allowed(lookup, value, request)


class TextSearch(admin.ModelAdmin):
    """A list whose search box is read by one method, `found(queryset, text)`; its text is never empty."""

    found: Callable[..., QuerySet[Any]]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that are found; all of them where nothing is sought. No row comes twice."""
        text = search_term.strip()
        return (self.found(queryset, text) if text else queryset), False


class WordFilter(admin.SimpleListFilter):
    """By a field that holds one of a few words; an unknown word filters nothing."""

    words: type[TextChoices]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All of them."""
        return [(word.value, str(word.label)) for word in self.words]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with that word."""
        wanted = self.value()
        return queryset.filter((str(self.parameter_name), wanted)) if wanted in self.words.values else queryset


class PlainFormAdmin(admin.ModelAdmin):
    """Rows are made by a service from a plain form: the model's own form and its transaction are not used."""

    create_title = ""
    create_help = ""

    def create_page(
        self, request: HttpRequest, form: forms.Form, form_url: str, extra_context: dict[str, Any] | None
    ) -> HttpResponse:
        """The page of the form, with what is wrong with it."""
        fieldsets = [(None, {"fields": list(form.fields), "description": self.create_help})]
        admin_form = AdminForm(form, fieldsets, {}, model_admin=self)  # type: ignore[arg-type]
        context = {
            **self.admin_site.each_context(request),
            "title": self.create_title,
            "adminform": admin_form,
            "inline_admin_formsets": [],
            "errors": form.errors,
            "media": self.media + admin_form.media,
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            **(extra_context or {}),
        }
        return self.render_change_form(request, context, add=True, form_url=form_url)


class ReadOnlyAdmin(SafeLookups):
    """Pages that show rows and change none."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All that the page shows."""
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: such rows come from elsewhere."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


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
        streams = channel.streams.order_by("-order_at", "-stream_id")[:SHOWN_STREAMS]
        rows = [(stream.stream_id, zoned(stream.started_at), zoned(stream.ended_at)) for stream in streams]
        return render_to_string("admin/channels_app/channel/streams.html", {"rows": rows})


class OutcomeFilter(WordFilter):
    """By what became of the event."""

    title = parameter_name = "outcome"
    words = InboxEvent.Outcome


class DetailTypeFilter(admin.SimpleListFilter):
    """By the event's detail-type. The known ones are named, for asking the table would read all of it."""

    title = "detail type"
    parameter_name = "detail_type"
    known = (
        "IVS Stream State Change",
        "IVS Stream Health Change",
        "IVS Limit Breach",
        "IVS Recording State Change",
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The four of IVS, and all others as one."""
        return [*((name, name) for name in self.known), ("other", "another one, or none")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The events of that type; an unknown word filters nothing."""
        if self.value() == "other":
            return queryset.exclude(detail_type__in=self.known)
        return queryset.filter(detail_type=self.value()) if self.value() in self.known else queryset


@admin.register(InboxEvent)
class InboxEventAdmin(TextSearch, ReadOnlyAdmin):
    """The inbox, read-only."""

    list_display = ("received", "happened", "detail_type", "name", "outcome", "short_error", "attempts")
    list_filter = (OutcomeFilter, DetailTypeFilter)
    search_fields = ("event_id", "stream_id", "channel_arn")
    search_help_text = "The whole id of an event or a stream, or the whole ARN of a channel"
    show_full_result_count = False
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("event_id", "received", "happened", "detail_type", "name")}),
        ("What became of it", {"fields": ("outcome", "error", "attempts", "processed")}),
        ("What it is about", {"fields": ("channel_arn", "stream_id")}),
        ("Envelope", {"fields": ("envelope",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboxEvent]:
        """All events; the list does without their bodies."""
        return InboxEvent.objects.defer("body")

    def found(self, queryset: QuerySet[InboxEvent], text: str) -> QuerySet[InboxEvent]:
        """Events by exact ids."""
        return queryset.filter(Q(event_id=text) | Q(stream_id=text) | Q(channel_arn=text))

    @admin.display(description="received", ordering="id")
    def received(self, event: InboxEvent) -> str:
        """When it came."""
        return zoned(event.received_at)

    @admin.display(description="event time", ordering="event_time")
    def happened(self, event: InboxEvent) -> str:
        """When it happened, as the event says."""
        return zoned(event.event_time)

    @admin.display(description="processed")
    def processed(self, event: InboxEvent) -> str:
        """When it was last tried."""
        return zoned(event.processed_at)

    @admin.display(description="error")
    def short_error(self, event: InboxEvent) -> str:
        """The beginning of the error."""
        return event.error if len(event.error) <= LONGEST_ERROR else f"{event.error[:LONGEST_ERROR]}…"

    @admin.display(description="body")
    def envelope(self, event: InboxEvent) -> SafeString:
        """The body, indented where it is JSON, as it came where it is not."""
        return format_html('<pre class="envelope" tabindex="0">{}</pre>', _indented(event.body))


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


def _indented(body: str) -> str:
    try:
        text = json.dumps(load_json(body), indent=2, ensure_ascii=False)
    except MalformedEventError:
        return body
    # JSON may spell half a character, which no page can carry.
    return text.encode("utf-8", "backslashreplace").decode()
