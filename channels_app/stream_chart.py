"""The last streams of a channel drawn to one scale: how long each was, and what happened when in it; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels_app.models import Stream, StreamHistoryEntry
from channels_app.timeline import MARKED_BY, StreamMark, StreamWord

# The names of what is drawn.
MARKED = tuple(name for names in MARKED_BY.values() for name in names)
_KIND = {name: mark for mark, names in MARKED_BY.items() for name in names}
_STARVES, _RECOVERS = MARKED_BY[StreamMark.STARVATION]
_NOTHING = timedelta(0)
_SHORTEST = timedelta(minutes=1)
_STEPS = [
    *(timedelta(seconds=seconds) for seconds in (1, 2, 5, 10, 15, 30)),
    *(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 2, 3, 6, 12, 24, 48)),
]
_MOST_TICKS = 4


@dataclass(frozen=True)
class ChartMark:
    """What happened so long after the start of a stream, and `until` when it went on; told by IVS at the time `at`."""

    kind: StreamMark
    name: str
    at: datetime
    offset: timedelta
    until: timedelta | None = None


@dataclass(frozen=True)
class ChartRow:
    """A stream; `length` is how far it is known to have run, None where it never went live."""

    stream: Stream
    word: StreamWord
    length: timedelta | None
    marks: list[ChartMark]


@dataclass(frozen=True)
class Chart:
    """Streams below each other, all to the same scale; `ticks` are times since the start of each."""

    rows: list[ChartRow]
    scale: timedelta
    ticks: list[timedelta]

    def percent(self, offset: timedelta) -> str:
        """Where it is between the start and the end of the scale; a point in every language, for it is a number."""
        return f"{100 * (offset / self.scale):.2f}%"


def chart_of(streams: Iterable[tuple[Stream, Sequence[StreamHistoryEntry]]], now: datetime) -> Chart:
    """The chart of streams that come from `streams_shown`, each with what happened to it."""
    rows = [_row(stream, history, now) for stream, history in streams]
    ends = [row.length or _NOTHING for row in rows]
    ends += [mark.until or mark.offset for row in rows for mark in row.marks]
    scale = max([*ends, _SHORTEST])
    return Chart(rows, scale, ticks_of(scale))


def ticks_of(scale: timedelta) -> list[timedelta]:
    """Round times within the scale, the start included, so few that they can be read."""
    days = timedelta(days=-(-scale.days // _MOST_TICKS) or 1)
    step = next((step for step in _STEPS if scale <= step * (_MOST_TICKS + 1)), days)
    return [step * number for number in range(int(scale / step) + 1)]


def _row(stream: Stream, history: Sequence[StreamHistoryEntry], now: datetime) -> ChartRow:
    word = StreamWord(stream.word)  # type: ignore[attr-defined]
    begin = stream.started_at or stream.first_event_at
    end = now if word is StreamWord.LIVE else stream.ended_at
    known = sorted((entry for entry in history if entry.name in _KIND), key=lambda entry: entry.at)
    last = max([end or begin, *(entry.at for entry in known)])
    marks = _marks(known, begin, (end or last) - begin)
    return ChartRow(stream, word, None if word is StreamWord.NEVER_LIVE else _positive((end or last) - begin), marks)


def _marks(known: list[StreamHistoryEntry], begin: datetime, length: timedelta) -> list[ChartMark]:
    marks: list[ChartMark] = []
    starving: ChartMark | None = None
    for entry in known:
        mark = ChartMark(_KIND[entry.name], entry.name, entry.at, _positive(entry.at - begin))
        if entry.name == _STARVES:
            # Of two starts with no end between them the first counts.
            starving = starving or mark
        elif entry.name == _RECOVERS and starving:
            marks.append(_ended(starving, mark.offset))
            starving = None
        else:
            marks.append(mark)
    if starving:
        marks.append(_ended(starving, length))
    return sorted(marks, key=lambda mark: mark.offset)


def _ended(mark: ChartMark, until: timedelta) -> ChartMark:
    return ChartMark(mark.kind, mark.name, mark.at, mark.offset, max(until, mark.offset))


def _positive(length: timedelta) -> timedelta:
    return max(length, _NOTHING)
