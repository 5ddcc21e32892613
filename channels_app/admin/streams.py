"""Streams in the admin: the list, the page with its timeline, and the chart on the page of a channel."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from channels_app.models import Channel, InboxEvent, Stream, StreamHistoryEntry
from channels_app.streams.chart import MARKED, Chart, ChartRow, chart_of
from channels_app.streams.timeline import (
    StreamMark,
    StreamState,
    marks_of,
    streams_in_state,
    streams_marked,
    streams_shown,
    timeline_of,
)
from common.admin.pages import ChoiceFilter, PageLink, ReadOnlyAdmin, Text, TextSearch, list_address, row_address
from common.rest.times import NOTHING, clock, zoned

NO_ID = _("without an id")
SHOWN_STREAMS = 20
# Of each stream; a reader could not distinguish more.
_DRAWN_MARKS = 100
_DESCRIBED_MARKS = 10
# SVG paths around the marked point; a starvation is also drawn as a span.
SHAPES = {
    StreamMark.FAILURE: "M-5-5L5 5M5-5L-5 5",
    StreamMark.LIMIT: "M0-6L6 5H-6Z",
    StreamMark.STARVATION: "M-2-7H2V7H-2Z",
    StreamMark.TAKEOVER: "M0-6L6 0L0 6L-6 0Z",
}
LEGEND: dict[StreamMark, Text] = {
    StreamMark.STARVATION: _("starvation: the encoder sent too little"),
    StreamMark.TAKEOVER: _("takeover: another encoder came in"),
    StreamMark.LIMIT: _("breach of a limit"),
    StreamMark.FAILURE: _("failure"),
}


class StateFilter(ChoiceFilter):
    title = pgettext_lazy("a stream", "state")
    parameter_name = "state"
    labels = dict(StreamState.choices)

    def with_value(self, rows: Any, value: str) -> QuerySet[Stream]:
        return streams_in_state(rows, value)


class MarkFilter(ChoiceFilter):
    title = _("what happened")
    parameter_name = "mark"
    labels = dict(StreamMark.choices)

    def with_value(self, rows: Any, value: str) -> QuerySet[Stream]:
        return streams_marked(rows, value)


def events_address(stream: Stream) -> str | None:
    """Return the address of the list of its events, or None if IVS gave it no id."""
    return list_address(InboxEvent, q=stream.shown_id) if stream.shown_id else None


@admin.register(Stream)
class StreamAdmin(TextSearch, ReadOnlyAdmin):
    """Streams, read-only: events create them."""

    nothing_yet = _("There is no stream yet. One appears here when a channel goes live.")
    # Other apps append to it.
    links: tuple[PageLink, ...] = (
        PageLink("channels_app.view_channel", _("Channel"), lambda stream: row_address(Channel, stream.channel_id)),
        PageLink("channels_app.view_inboxevent", _("Events"), events_address),
    )
    list_display = ("shown_id", "state", "marks", "of_channel", "start", "end")
    list_display_links = ("shown_id",)
    list_filter = (StateFilter, MarkFilter)
    search_fields = ("stream_id",)
    search_help_text = _("The whole id of a stream")
    ordering = ("-order_at", "-stream_id")
    # There is no index for another order.
    sortable_by = ("start",)
    change_form_template = "admin/channels_app/stream/change_form.html"
    fieldsets = ((None, {"fields": ("shown_id", "of_channel", "state", "start", "end", "marks")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stream]:
        return streams_shown(Stream.objects.all())

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the caller may see streams, or channels, whose page shows the last streams."""
        return super().has_view_permission(request, obj) or request.user.has_perm("channels_app.view_channel")

    def found(self, queryset: QuerySet[Stream], text: str) -> QuerySet[Stream]:
        return queryset.filter(stream_id=text)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        stream: Stream = context["original"]
        history = list(stream.history.newest_first()[: StreamHistoryEntry.SHOWN + 1])
        timeline = timeline_of(stream, history[: StreamHistoryEntry.SHOWN])
        context |= {
            "subtitle": stream.shown_id or NO_ID,
            "timeline": [{"at": zoned(entry.at), "entry": entry} for entry in timeline],
            "shown_entries": StreamHistoryEntry.SHOWN if len(history) > StreamHistoryEntry.SHOWN else None,
        }
        return super().render_change_form(request, context, *args, **options)

    @admin.display(description=_("stream"), ordering="stream_id")
    def shown_id(self, stream: Stream) -> str:
        return stream.shown_id or str(NO_ID)

    @admin.display(description=_("channel"), ordering="channel__name")
    def of_channel(self, stream: Stream) -> SafeString:
        name: str | None = stream.channel_name  # type: ignore[attr-defined]
        return format_html("<bdi>{}</bdi>", name or stream.channel_id)

    @admin.display(description=pgettext_lazy("a stream", "state"))
    def state(self, stream: Stream) -> SafeString:
        return state_of(stream)

    @admin.display(description=_("start"), ordering="order_at")
    def start(self, stream: Stream) -> SafeString:
        return time_of(stream.started_at, stream.start_reconciled)

    @admin.display(description=_("end"), ordering="ended_at")
    def end(self, stream: Stream) -> SafeString:
        return time_of(stream.ended_at, stream.end_reconciled)

    @admin.display(description=_("what happened"))
    def marks(self, stream: Stream) -> SafeString:
        return marks_badges(stream)


def stream_rows(streams: Iterable[Stream]) -> list[dict[str, Any]]:
    """Return what a short list shows of each stream; the streams must come from `streams_shown`."""
    return [
        {
            "id": stream.shown_id or NO_ID,
            "address": row_address(Stream, stream.pk),
            "state": state_of(stream),
            "start": time_of(stream.started_at, stream.start_reconciled),
            "end": time_of(stream.ended_at, stream.end_reconciled),
            "marks": marks_badges(stream),
        }
        for stream in streams
    ]


def state_of(stream: Stream) -> SafeString:
    """Return the state of a stream as a badge; the stream must come from `streams_shown`."""
    state = StreamState(stream.state)  # type: ignore[attr-defined]
    return format_html('<span class="badge badge-{}">{}</span>', state, state.label)


def time_of(time: datetime | None, is_reconciled: bool) -> SafeString:
    """Return a time of a stream, with a badge if `reconcile` added it."""
    if not time or not is_reconciled:
        return format_html("{}", zoned(time))
    why = gettext("Added by reconcile, because the event did not arrive")
    return format_html('{} <span class="badge" title="{}">{}</span>', zoned(time), why, gettext("reconciled"))


def marks_badges(stream: Stream) -> SafeString:
    """Return the marks of a stream as badges with their counts above 1, or a dash if it has none."""
    marks = marks_of(stream)
    badges = ((mark, f"{mark.label} {count}" if count > 1 else mark.label) for mark, count in marks.items())
    return format_html_join(" ", '<span class="badge badge-mark-{}">{}</span>', badges) or format_html("{}", NOTHING)


# The chart


def streams_context(channel: Channel, now: datetime) -> dict[str, Any]:
    """Return the context of the template of the last streams, in two queries."""
    marked = StreamHistoryEntry.objects.filter(name__in=MARKED).newest_first()[:_DRAWN_MARKS]
    streams = streams_shown(channel.streams.newest_first())[:SHOWN_STREAMS]
    streams = streams.prefetch_related(Prefetch("history", marked, to_attr="marked"))
    chart = chart_of([(stream, stream.marked) for stream in streams], now)
    return {
        "rows": [_row(chart, row) for row in chart.rows],
        "ticks": [(chart.percent(tick), clock(tick)) for tick in chart.ticks],
        "legend": [(mark, SHAPES[mark], label) for mark, label in LEGEND.items()],
        "all_streams": list_address(Stream, channel__uuid__exact=channel.pk),
    }


def _row(chart: Chart, row: ChartRow) -> dict[str, Any]:
    [shown] = stream_rows([row.stream])
    bar_length = None if row.length is None else clock(row.length)
    sentences, spans, points = [], [], []
    for mark in row.marks:
        place = {"x": chart.percent(mark.offset), "kind": mark.kind.value, "shape": SHAPES[mark.kind]}
        at = clock(mark.offset)
        if mark.until:
            length = clock(mark.until - mark.offset)
            sentence = gettext("starvation at %(at)s for %(length)s") % {"at": at, "length": length}
            spans.append({**place, "width": chart.percent(mark.until - mark.offset), "title": sentence})
        else:
            sentence = gettext("%(name)s at %(at)s") % {"name": mark.name, "at": at}
            points.append({**place, "title": f"{sentence} · {zoned(mark.at)}"})
        sentences.append(sentence)
    more = len(sentences) - _DESCRIBED_MARKS
    described = sentences[:_DESCRIBED_MARKS] + ([gettext("and %d more") % more] if more > 0 else [])
    begin = gettext("It never went live") if bar_length is None else gettext("Length %s") % bar_length
    return {
        **shown,
        "bar_state": row.state.value,
        "marks": shown["marks"] if row.marks else "",
        "length": bar_length,
        "description": f"{begin}. {'; '.join(described) or gettext('Nothing else happened')}",
        "bar": None if row.length is None else chart.percent(row.length),
        "spans": spans,
        "points": points,
    }
