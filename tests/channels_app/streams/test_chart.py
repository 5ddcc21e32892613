"""The last streams of a channel drawn to one scale."""

from datetime import datetime, timedelta

import pytest

from channels_app.models import Stream, StreamHistoryEntry
from channels_app.streams.chart import Chart, chart_of, ticks_of
from common.rest.times import clock
from tests.support.console import NINE

NOW = NINE + timedelta(hours=2)


def minutes(value: float | None) -> datetime | None:
    return None if value is None else NINE + timedelta(minutes=value)


def stream(state: str, start: float | None = 0, end: float | None = None) -> Stream:
    made = Stream(stream_id="st-1", started_at=minutes(start), ended_at=minutes(end), first_event_at=NINE)
    made.state = state  # type: ignore[attr-defined]
    return made


def entry(name: str, at: float) -> StreamHistoryEntry:
    return StreamHistoryEntry(name=name, at=minutes(at), detail={})


def drawn(row_of: Stream, **happened: float) -> tuple[float | None, list[tuple[str, float, float | None]]]:
    """The length of the only row in minutes, and its marks."""
    names = {"starves": "Starvation Start", "recovers": "Starvation End", "takeover": "Stream Takeover"}
    history = [entry(names[name.rstrip("12")], at) for name, at in happened.items()]
    [row] = chart_of([(row_of, history)], NOW).rows
    marks = [
        (mark.name, _in_minutes(mark.offset), None if mark.until is None else _in_minutes(mark.until))
        for mark in row.marks
    ]
    return None if row.length is None else _in_minutes(row.length), marks


def _in_minutes(length: timedelta) -> float:
    return length / timedelta(minutes=1)


def test_the_length_of_a_stream_ends_at_its_end_now_or_its_last_event() -> None:
    assert drawn(stream("ended", 0, 60)) == (60, [])
    assert drawn(stream("live", 0)) == (120, [])
    assert drawn(stream("no-end", 0), takeover=40) == (40, [("Stream Takeover", 40, None)])
    assert drawn(stream("no-end", 0)) == (0, [])
    assert drawn(stream("never-live", None), takeover=5) == (None, [("Stream Takeover", 5, None)])


def test_clocks_that_disagree_draw_nothing_before_the_start() -> None:
    assert drawn(stream("ended", 30, 10), takeover=0) == (0, [("Stream Takeover", 0, None)])
    assert drawn(stream("live", 500)) == (0, [])


def test_starvation_lasts_from_its_start_to_its_end() -> None:
    ended = stream("ended", 0, 60)
    assert drawn(ended, recovers=20, starves=10)[1] == [("Starvation Start", 10, 20)]
    assert drawn(ended, starves=10)[1] == [("Starvation Start", 10, 60)]
    assert drawn(ended, recovers=10)[1] == [("Starvation End", 10, None)]
    assert drawn(ended, starves1=10, starves2=20, recovers=30)[1] == [("Starvation Start", 10, 30)]
    assert drawn(ended, starves=90)[1] == [("Starvation Start", 90, 90)]


def test_other_events_are_not_drawn() -> None:
    chart = chart_of([(stream("ended", 0, 60), [entry("Session Created", 1), entry("Session Ended", 59)])], NOW)
    assert chart.rows[0].marks == []


def test_all_rows_have_one_scale_and_an_empty_chart_has_one_too() -> None:
    chart = chart_of([(stream("ended", 0, 60), []), (stream("ended", 0, 15), [])], NOW)
    assert [chart.percent(row.length or timedelta(0)) for row in chart.rows] == ["100.00%", "25.00%"]
    ticks = [timedelta(seconds=15 * number) for number in range(5)]
    assert chart_of([], NOW) == Chart([], timedelta(minutes=1), ticks)


@pytest.mark.parametrize(
    ("scale", "step", "many"),
    [
        (timedelta(seconds=4), timedelta(seconds=1), 5),
        (timedelta(minutes=8), timedelta(minutes=2), 5),
        (timedelta(hours=1, minutes=40), timedelta(minutes=30), 4),
        (timedelta(hours=30), timedelta(hours=6), 6),
        (timedelta(days=40), timedelta(days=10), 5),
        (timedelta(days=4001), timedelta(days=1001), 4),
    ],
)
def test_the_scale_has_few_and_round_ticks(scale: timedelta, step: timedelta, many: int) -> None:
    assert ticks_of(scale) == [step * number for number in range(many)]


def test_durations_are_reported_in_hours_minutes_and_seconds() -> None:
    assert clock(timedelta(days=2, seconds=3661)) == "49:01:01"
    assert clock(timedelta(0)) == "0:00:00"
