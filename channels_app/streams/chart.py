"""The chart of the last streams of a channel, on one scale, with their incidents; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from channels_app.models import Stream, StreamHistoryEntry
from channels_app.streams.timeline import MARKED_BY, StreamMark, StreamState

# The names of the events in the chart.
MARKED = tuple(name for names in MARKED_BY.values() for name in names)
_KIND = {name: mark for mark, names in MARKED_BY.items() for name in names}
_STARVES, _RECOVERS = MARKED_BY[StreamMark.STARVATION]
_NOTHING = timedelta(0)
_SHORTEST = timedelta(minutes=1)
_UNITS = {"seconds": (1, 2, 5, 10, 15, 30), "minutes": (1, 2, 5, 10, 15, 30), "hours": (1, 2, 3, 6, 12, 24, 48)}
_STEPS = [timedelta(**{unit: number}) for unit, numbers in _UNITS.items() for number in numbers]
_MOST_TICKS = 4


@dataclass(frozen=True)
class ChartMark:
    """An incident `offset` after the start of its stream; `until` is the end of a starvation."""

    kind: StreamMark
    name: str
    at: datetime
    offset: timedelta
    until: timedelta | None = None


@dataclass(frozen=True)
class ChartRow:
    """A stream; `length` is how long it ran at least, None if it never went live."""

    stream: Stream
    state: StreamState
    length: timedelta | None
    marks: list[ChartMark]


@dataclass(frozen=True)
class Chart:
    """Streams on the same scale; `ticks` are times since the start of each."""

    rows: list[ChartRow]
    scale: timedelta
    ticks: list[timedelta]

    def percent(self, offset: timedelta) -> str:
        """Return the position on the scale, for CSS: with a decimal point in every language."""
        return f"{100 * (offset / self.scale):.2f}%"


def chart_of(streams: Iterable[tuple[Stream, Sequence[StreamHistoryEntry]]], now: datetime) -> Chart:
    """Return the chart of streams, each with its history; needs `streams_shown`."""
    rows = [_row(stream, history, now) for stream, history in streams]
    ends = [row.length or _NOTHING for row in rows]
    ends += [mark.until or mark.offset for row in rows for mark in row.marks]
    scale = max([*ends, _SHORTEST])
    return Chart(rows, scale, ticks_of(scale))


def ticks_of(scale: timedelta) -> list[timedelta]:
    """Return a few round times within the scale, 0 included."""
    days = timedelta(days=-(-scale.days // _MOST_TICKS) or 1)
    step = next((step for step in _STEPS if scale <= step * (_MOST_TICKS + 1)), days)
    return [step * number for number in range(int(scale / step) + 1)]


def _row(stream: Stream, history: Sequence[StreamHistoryEntry], now: datetime) -> ChartRow:
    state = StreamState(stream.state)  # type: ignore[attr-defined]
    begin = stream.started_at or stream.first_event_at
    entries = sorted((entry for entry in history if entry.name in _KIND), key=lambda entry: entry.at)
    end = now if state is StreamState.LIVE else stream.ended_at or max([begin, *(entry.at for entry in entries)])
    length = max(end - begin, _NOTHING)
    marks: list[ChartMark] = []
    starving: ChartMark | None = None
    for entry in entries:
        mark = ChartMark(_KIND[entry.name], entry.name, entry.at, max(entry.at - begin, _NOTHING))
        if entry.name == _STARVES:
            # The first of two starts without an end between them counts.
            starving = starving or mark
        elif entry.name == _RECOVERS and starving:
            marks.append(replace(starving, until=max(mark.offset, starving.offset)))
            starving = None
        else:
            marks.append(mark)
    if starving:
        marks.append(replace(starving, until=max(length, starving.offset)))
    marks.sort(key=lambda mark: mark.offset)
    return ChartRow(stream, state, None if state is StreamState.NEVER_LIVE else length, marks)
