"""Channels in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels_app.admin.audit import AuditedAdmin
from channels_app.admin.channel_pages import ChannelPages
from channels_app.admin.pages import SafeLookups, TextSearch, WordFilter, by_uuid, refusal_sentence
from channels_app.errors import ServiceError
from channels_app.livestate import LIVE, OFFLINE
from channels_app.models import Channel, ChannelQuerySet
from channels_app.services import STILL_CREATING, channel_recover
from channels_app.times import zoned

STATES: dict[str, str | Promise] = {LIVE: _("live"), OFFLINE: _("offline")}


class LiveFilter(WordFilter):
    """By the live state."""

    title = _("live state")
    parameter_name = "live"
    words = STATES

    def of_word(self, rows: ChannelQuerySet, word: str) -> ChannelQuerySet:
        """The channels in that state."""
        return rows.in_state(word)


class AttentionFilter(WordFilter):
    """Channels that somebody should see to."""

    title = _("attention")
    parameter_name = "attention"
    words = {"no-key": _("Without a stream key"), "unfinished": _("Creation interrupted")}

    def of_word(self, rows: ChannelQuerySet, word: str) -> ChannelQuerySet:
        """The channels of which it is true."""
        return rows.without_key() if word == "no-key" else rows.unfinished()


@admin.register(Channel)
class ChannelAdmin(ChannelPages, AuditedAdmin, TextSearch, SafeLookups):
    """Channels: created, edited and deleted by services; their key is shown to whoever asks for it by a button."""

    nothing_yet = _(
        "There is no channel yet. Create one; one that is in Amazon IVS already is taken over by manage.py "
        "import_channel ARN --owner UUID."
    )
    secret_fields = ("stream_key", "channel_data")
    list_display = ("live", "shown_name", "owner", "type", "private", "record", "active", "created")
    list_display_links = ("shown_name",)
    list_filter = (LiveFilter, AttentionFilter, "active", "private", "record", "type", "status")
    search_fields = ("name",)
    search_help_text = _("Part of a name, the uuid of a channel or an owner, or an ARN")
    ordering = (F("created_at").desc(nulls_last=True), "-uuid")
    actions = ("recover",)

    class Media:
        css = {"all": ("channels_app/channels.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        """All channels with their live state."""
        return Channel.objects.with_live_state()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never by the stock pages: a button deletes a channel in Amazon IVS, and its row stays."""
        return False

    def found(self, queryset: QuerySet[Channel], text: str) -> QuerySet[Channel]:
        """Channels by part of their name, by uuid, owner or ARN."""
        return queryset.filter(Q(name__icontains=text) | Q(arn=text) | by_uuid(text, "pk", "owner"))

    @admin.action(description=_("Finish or undo interrupted creation"), permissions=["add"])
    def recover(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        """Look each unfinished channel up in IVS: finish its row, or remove it."""
        unfinished = queryset.unfinished()  # type: ignore[attr-defined]
        old_enough = unfinished.filter(created_at__lt=timezone.now() - STILL_CREATING)
        skipped = queryset.count() - old_enough.count()
        for channel in list(old_enough):
            level, told = _recover(channel)
            self.message_user(request, told, level)
        if skipped:
            told = gettext("Left as they are, for their creation was not interrupted or may be under way: %d.")
            self.message_user(request, told % skipped, messages.WARNING)

    @admin.display(description=_("name"), ordering="name")
    def shown_name(self, channel: Channel) -> SafeString:
        """The name, in its own writing direction; the uuid where there is none."""
        return format_html("<bdi>{}</bdi>", channel)

    @admin.display(description=_("live"))
    def live(self, channel: Channel) -> SafeString:
        """Live or offline, and since when."""
        state = channel.live_state
        since = gettext("since %s") % zoned(state.since)
        told = STATES[state.state]
        return format_html('<span class="badge badge-{}" title="{}">{}</span>', state.state, since, told)

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, channel: Channel) -> str:
        """When the row was made."""
        return zoned(channel.created_at)


def _recover(channel: Channel) -> tuple[int, str]:
    name = {"name": str(channel)}
    try:
        recovered = channel_recover(channel=channel)
    except ServiceError as error:
        return messages.ERROR, f"{channel}: {refusal_sentence(error)}"
    if recovered is None:
        return messages.SUCCESS, gettext("%(name)s: Amazon IVS has no such channel; its row was removed.") % name
    return messages.SUCCESS, gettext("%(name)s: the channel is ready.") % name
