"""The list of channels in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels_app.admin.audit import AuditedAdmin
from channels_app.admin.channel_pages import ChannelPages
from channels_app.channels.provisioning import STILL_CREATING, channel_recover
from channels_app.models import Channel, ChannelQuerySet
from channels_app.models.live_state import LIVE, OFFLINE
from common.admin.pages import ChoiceFilter, LongListAdmin, TextSearch, by_uuid, refusal_sentence, time_column
from common.errors import ServiceError
from common.rest.times import zoned


class LiveFilter(ChoiceFilter):
    title = _("live state")
    parameter_name = "live"
    labels = {LIVE: _("live"), OFFLINE: _("offline")}

    def with_value(self, rows: ChannelQuerySet, value: str) -> ChannelQuerySet:
        return rows.in_state(value)


class AttentionFilter(ChoiceFilter):
    title = _("attention")
    parameter_name = "attention"
    labels = {"no-key": _("Without a stream key"), "unfinished": _("Creation interrupted")}

    def with_value(self, rows: ChannelQuerySet, value: str) -> ChannelQuerySet:
        return rows.without_key() if value == "no-key" else rows.unfinished()


@admin.register(Channel)
class ChannelAdmin(ChannelPages, AuditedAdmin, TextSearch, LongListAdmin):
    """Channels: services create, edit and delete them; a button reveals the stream key."""

    nothing_yet = _(
        "There is no channel yet. Create one; to import one that exists in Amazon IVS run manage.py "
        "import_channel ARN --owner UUID."
    )
    secret_fields = ("stream_key", "channel_data")
    list_display = ("live", "shown_name", "type", "private", "record", "active", "created")
    list_display_links = ("shown_name",)
    list_filter = (LiveFilter, AttentionFilter, "active", "private", "record", "type", "status")
    search_fields = ("name",)
    search_help_text = _("Part of a name, the uuid of a channel or an owner, or an ARN")
    ordering = (F("created_at").desc(nulls_last=True), "-uuid")
    actions = ("recover",)
    created = time_column("created_at", _("created"), ordering="created_at")

    class Media:
        css = {"all": ("channels_app/channels.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        return Channel.objects.with_live_state()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False for the stock pages: a button deletes a channel in Amazon IVS, and its row stays."""
        return False

    def found(self, queryset: QuerySet[Channel], text: str) -> QuerySet[Channel]:
        return queryset.filter(Q(name__icontains=text) | Q(arn=text) | by_uuid(text, "pk", "owner"))

    @admin.action(description=_("Finish or undo interrupted creation"), permissions=["add"])
    def recover(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        """Look each unfinished channel up in IVS, and finish or remove its row."""
        unfinished = queryset.unfinished()  # type: ignore[attr-defined]
        old_enough = unfinished.filter(created_at__lt=timezone.now() - STILL_CREATING)
        skipped = queryset.count() - old_enough.count()
        for channel in list(old_enough):
            try:
                is_ready = channel_recover(channel=channel) is not None
            except ServiceError as error:
                self.message_user(request, f"{channel}: {refusal_sentence(error)}", messages.ERROR)
                continue
            ready = gettext("%(name)s: the channel is ready.")
            removed = gettext("%(name)s: Amazon IVS has no such channel; its row was removed.")
            self.message_user(request, (ready if is_ready else removed) % {"name": channel}, messages.SUCCESS)
        if skipped:
            note = gettext("Not changed, because the creation was not interrupted or may be under way: %d.")
            self.message_user(request, note % skipped, messages.WARNING)

    @admin.display(description=_("name"), ordering="name")
    def shown_name(self, channel: Channel) -> SafeString:
        """Return the name, in its own writing direction, or the uuid if it has none."""
        return format_html("<bdi>{}</bdi>", channel)

    @admin.display(description=_("live"))
    def live(self, channel: Channel) -> SafeString:
        """Return the state as a badge, with its time as the title."""
        state, label = channel.live_state, LiveFilter.labels[channel.live_state.state]
        since = gettext("since %s") % zoned(state.since)
        return format_html('<span class="badge badge-{}" title="{}">{}</span>', state.state, since, label)
