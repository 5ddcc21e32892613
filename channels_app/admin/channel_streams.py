"""The last streams of a channel on its page: a timeline to one scale, and beside it what it says in words."""

from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels_app.admin.streams import stream_rows, streams_address
from channels_app.models import Channel, StreamHistoryEntry
from channels_app.stream_chart import MARKED, Chart, ChartMark, ChartRow, chart_of
from channels_app.timeline import StreamMark, streams_shown
from channels_app.times import clock, zoned

SHOWN_STREAMS = 20
# Of each stream; more could not be told apart.
_DRAWN_MARKS = 100
_TOLD_MARKS = 10
# Paths around the point that they mark; a starvation is a span besides.
SHAPES = {
    StreamMark.FAILURE: "M-5-5L5 5M5-5L-5 5",
    StreamMark.LIMIT: "M0-6L6 5H-6Z",
    StreamMark.STARVATION: "M-2-7H2V7H-2Z",
    StreamMark.TAKEOVER: "M0-6L6 0L0 6L-6 0Z",
}
LEGEND: dict[StreamMark, str | Promise] = {
    StreamMark.STARVATION: _("starvation: the encoder sent too little"),
    StreamMark.TAKEOVER: _("takeover: another encoder came in"),
    StreamMark.LIMIT: _("breach of a limit"),
    StreamMark.FAILURE: _("failure"),
}


def streams_context(channel: Channel, now: datetime) -> dict[str, Any]:
    """What the template of the last streams needs, in two queries."""
    marked = StreamHistoryEntry.objects.filter(name__in=MARKED).newest_first()[:_DRAWN_MARKS]
    streams = streams_shown(channel.streams.newest_first())[:SHOWN_STREAMS]
    streams = streams.prefetch_related(Prefetch("history", marked, to_attr="marked"))
    chart = chart_of([(stream, stream.marked) for stream in streams], now)
    return {
        "rows": [_row(chart, row) for row in chart.rows],
        "ticks": [(chart.percent(tick), clock(tick)) for tick in chart.ticks],
        "legend": [(mark, SHAPES[mark], told) for mark, told in LEGEND.items()],
        "all_streams": streams_address(channel),
    }


def _row(chart: Chart, row: ChartRow) -> dict[str, Any]:
    [told] = stream_rows([row.stream])
    return {
        **told,
        "word": row.word.value,
        "marks": told["marks"] if row.marks else "",
        "length": clock(row.length) if row.length is not None else None,
        "told": _told(row),
        "bar": chart.percent(row.length) if row.length is not None else None,
        "spans": [_span(chart, mark) for mark in row.marks if mark.until],
        "points": [_point(chart, mark) for mark in row.marks if not mark.until],
    }


def _span(chart: Chart, mark: ChartMark) -> dict[str, str]:
    length = (mark.until or mark.offset) - mark.offset
    return {"x": chart.percent(mark.offset), "width": chart.percent(length), "told": _mark_told(mark)}


def _point(chart: Chart, mark: ChartMark) -> dict[str, str]:
    told = f"{_mark_told(mark)} · {zoned(mark.at)}"
    return {"x": chart.percent(mark.offset), "kind": mark.kind.value, "shape": SHAPES[mark.kind], "told": told}


def _mark_told(mark: ChartMark) -> str:
    facts = {"name": mark.name, "at": clock(mark.offset)}
    if mark.until is None:
        return gettext("%(name)s at %(at)s") % facts
    length = clock(mark.until - mark.offset)
    return gettext("starvation at %(at)s for %(length)s") % {**facts, "length": length}


def _told(row: ChartRow) -> str:
    """The drawing in words."""
    length = gettext("It never went live") if row.length is None else gettext("Length %s") % clock(row.length)
    marks = [_mark_told(mark) for mark in row.marks]
    more = [gettext("and %d more") % (len(marks) - _TOLD_MARKS)] if len(marks) > _TOLD_MARKS else []
    return ". ".join([length, "; ".join([*marks[:_TOLD_MARKS], *more]) or gettext("Nothing else happened")])
