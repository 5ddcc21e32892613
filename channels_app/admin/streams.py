"""Streams in the admin: what happened to each, and when."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from channels_app.admin.links import PageLink, links_shown, list_address, row_address
from channels_app.admin.pages import ReadOnlyAdmin, TextSearch, WordFilter
from channels_app.models import Channel, InboxEvent, Stream, StreamHistoryEntry
from channels_app.timeline import (
    StreamMark,
    StreamWord,
    marks_of,
    streams_in_state,
    streams_marked,
    streams_shown,
    timeline_of,
)
from channels_app.times import NOTHING, zoned

NO_ID = _("without an id")


class StateFilter(WordFilter):
    """By how far the stream is."""

    title = pgettext_lazy("a stream", "state")
    parameter_name = "state"
    words = dict(StreamWord.choices)

    def of_word(self, rows: Any, word: str) -> QuerySet[Stream]:
        """The streams of which the word is true."""
        return streams_in_state(rows, word)


class MarkFilter(WordFilter):
    """By what happened to the stream."""

    title = _("what happened")
    parameter_name = "mark"
    words = dict(StreamMark.choices)

    def of_word(self, rows: Any, word: str) -> QuerySet[Stream]:
        """The streams that have the mark."""
        return streams_marked(rows, word)


def channel_address(stream: Stream) -> str:
    """The page of its channel."""
    return row_address(Channel, stream.channel_id)


def events_address(stream: Stream) -> str | None:
    """The list of its events."""
    return list_address(InboxEvent, q=stream.shown_id) if stream.shown_id else None


def streams_address(channel: Channel) -> str:
    """The list of all streams of a channel."""
    return list_address(Stream, channel__uuid__exact=channel.pk)


@admin.register(Stream)
class StreamAdmin(TextSearch, ReadOnlyAdmin):
    """Streams, read-only: they come from events."""

    nothing_yet = _("There is no stream yet. One comes here by itself when a channel goes live.")
    # Other apps add theirs.
    links: tuple[PageLink, ...] = (
        PageLink("channels_app.view_channel", _("Channel"), channel_address),
        PageLink("channels_app.view_inboxevent", _("Events"), events_address),
    )
    list_display = ("shown_id", "state", "marks", "of_channel", "start", "end")
    list_display_links = ("shown_id",)
    list_filter = (StateFilter, MarkFilter)
    search_fields = ("stream_id",)
    search_help_text = _("The whole id of a stream")
    ordering = ("-order_at", "-stream_id")
    # No index is in another order.
    sortable_by = ("start",)
    change_form_template = "admin/channels_app/stream/change_form.html"
    fieldsets = ((None, {"fields": ("shown_id", "of_channel", "state", "start", "end", "marks")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stream]:
        """All streams with what a row shows."""
        return streams_shown(Stream.objects.all())

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see streams, or channels, whose page shows the last ones."""
        return super().has_view_permission(request, obj) or request.user.has_perm("channels_app.view_channel")

    def found(self, queryset: QuerySet[Stream], text: str) -> QuerySet[Stream]:
        """The streams with this id."""
        return queryset.filter(stream_id=text)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """The page, with the timeline and links to what else is known of the stream."""
        stream: Stream = context["original"]
        history = list(stream.history.newest_first()[: StreamHistoryEntry.SHOWN + 1])
        timeline = timeline_of(stream, history[: StreamHistoryEntry.SHOWN])
        context |= {
            "subtitle": stream.shown_id or NO_ID,
            "timeline": [(zoned(entry.at), entry) for entry in timeline],
            "shown_entries": StreamHistoryEntry.SHOWN if len(history) > StreamHistoryEntry.SHOWN else None,
            "links": links_shown(request, self.links, stream),
        }
        return super().render_change_form(request, context, *args, **options)

    @admin.display(description=_("stream"), ordering="stream_id")
    def shown_id(self, stream: Stream) -> str:
        """The id that IVS gave it."""
        return stream.shown_id or str(NO_ID)

    @admin.display(description=_("channel"), ordering="channel__name")
    def of_channel(self, stream: Stream) -> SafeString:
        """The name of its channel; the uuid where there is none."""
        name: str | None = stream.channel_name  # type: ignore[attr-defined]
        return format_html("<bdi>{}</bdi>", name or stream.channel_id)

    @admin.display(description=pgettext_lazy("a stream", "state"))
    def state(self, stream: Stream) -> SafeString:
        """How far it is, in one word."""
        return state_of(stream)

    @admin.display(description=_("start"), ordering="order_at")
    def start(self, stream: Stream) -> SafeString:
        """When it went live, and whether that was found out later."""
        return moment_of(stream.started_at, stream.start_reconciled)

    @admin.display(description=_("end"), ordering="ended_at")
    def end(self, stream: Stream) -> SafeString:
        """When it ended, and whether that was found out later."""
        return moment_of(stream.ended_at, stream.end_reconciled)

    @admin.display(description=_("what happened"))
    def marks(self, stream: Stream) -> SafeString:
        """What happened to it that is worth a look."""
        return marks_shown(stream)


def stream_rows(streams: Iterable[Stream]) -> list[dict[str, Any]]:
    """What a short list shows of each; the streams must come from `streams_shown`."""
    return [
        {
            "id": stream.shown_id or NO_ID,
            "address": reverse("admin:channels_app_stream_change", args=[stream.pk]),
            "state": state_of(stream),
            "start": moment_of(stream.started_at, stream.start_reconciled),
            "end": moment_of(stream.ended_at, stream.end_reconciled),
            "marks": marks_shown(stream),
        }
        for stream in streams
    ]


def state_of(stream: Stream) -> SafeString:
    """The word of a stream as a badge."""
    word = StreamWord(stream.word)  # type: ignore[attr-defined]
    return format_html('<span class="badge badge-{}">{}</span>', word, word.label)


def moment_of(moment: datetime | None, is_reconciled: bool) -> SafeString:
    """A time of a stream, and whether `reconcile` found it out."""
    if not moment or not is_reconciled:
        return format_html("{}", zoned(moment))
    why = gettext("Found out by reconcile, for want of an event")
    return format_html('{} <span class="badge" title="{}">{}</span>', zoned(moment), why, gettext("reconciled"))


def marks_shown(stream: Stream) -> SafeString:
    """The marks of a stream as badges, with how often where it was more than once; a dash where there is none."""
    marks = marks_of(stream)
    badges = ((mark, f"{mark.label} {count}" if count > 1 else mark.label) for mark, count in marks.items())
    return format_html_join(" ", '<span class="badge badge-mark-{}">{}</span>', badges) or format_html("{}", NOTHING)
