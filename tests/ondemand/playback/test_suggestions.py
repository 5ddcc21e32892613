"""Suggested edits: by times alone, and by the route."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from channels_app.models import Stream, StreamHistoryEntry
from ondemand.models import Video
from ondemand.playback.suggestions import Recorded, Starvation, join_suggested, trim_suggested
from tests.support.helpers import assert_error, bearer, make_channel, make_token, make_video
from tests.support.road import NINE, STREAM


def span(start: float, end: float | None) -> Starvation:
    return Starvation(NINE + timedelta(seconds=start), None if end is None else NINE + timedelta(seconds=end))


def recorded(number: int, start: float, end: float) -> Recorded:
    return Recorded(UUID(int=number), NINE + timedelta(seconds=start), NINE + timedelta(seconds=end))


@pytest.mark.parametrize(
    ("starvations", "trim"),
    [
        ([], None),
        # At the beginning, at the end, and at both.
        ([(0, 40)], (40_000, None)),
        ([(-5, 40)], (40_000, None)),
        ([(500, None)], (None, 500_000)),
        ([(500, 595)], (None, 500_000)),
        ([(10, 40), (500, 700)], (40_000, 500_000)),
        # One follows the other.
        ([(0, 40), (50, 60)], (60_000, None)),
        # In the middle, too short, or all of it.
        ([(100, 300)], None),
        ([(0, 4)], None),
        ([(0, 598)], None),
        ([(0, None)], None),
        ([(-60, -30), (700, 800)], None),
    ],
)
def test_starvation_at_either_end_is_left_out(starvations: list[Any], trim: Any) -> None:
    suggested = trim_suggested(recorded(1, 0, 600), [span(*each) for each in starvations])
    assert suggested == (trim and {"start_ms": trim[0], "end_ms": trim[1]})


@pytest.mark.parametrize(
    ("others", "joined"),
    [
        ([], []),
        ([(2, 700, 900)], [1, 2]),
        ([(2, -300, -10), (3, 600, 900), (4, 1_000, 1_100)], [2, 1, 3, 4]),
        # Too far away, and recorded twice.
        ([(2, 901, 1_000), (3, -900, -301)], []),
        ([(2, 300, 900)], []),
        ([(2, 700, 800), (3, 1_200, 1_300)], [1, 2]),
    ],
)
def test_recordings_that_follow_each_other_closely_are_joined(others: list[Any], joined: list[int]) -> None:
    found = join_suggested(recorded(1, 0, 600), [recorded(*each) for each in others])
    assert [uuid.int for uuid in found] == joined


@pytest.mark.django_db
def test_the_route_suggests_for_curators_what_is_not_edited_yet() -> None:
    channel = make_channel()
    first, second = (
        make_video(channel=channel, started_at=NINE + timedelta(minutes=start), duration_ms=600_000)
        for start in (0, 12)
    )
    make_video(started_at=NINE + timedelta(minutes=11), channel=make_channel())
    stream = Stream.objects.create(channel=channel, stream_id=STREAM, first_event_at=NINE)
    for name, second_of_it in (("Starvation Start", 1), ("Starvation End", 31)):
        at = NINE + timedelta(seconds=second_of_it)
        StreamHistoryEntry.objects.create(stream=stream, event_id=name, at=at, name=name, detail={})
    headers = bearer(make_token("curate", "read")[1])

    def suggested(video: Video) -> Any:
        return Client().get(f"/on-demand/{video.pk}/suggestions", headers=headers).json()

    joined = [str(first.pk), str(second.pk)]
    assert suggested(first) == {"trim": {"start_ms": 31_000, "end_ms": None}, "join": joined}
    assert suggested(second) == {"trim": None, "join": joined}
    Video.objects.filter(pk=second.pk).update(part_of=first)
    assert suggested(second) == {"trim": None, "join": []}
    assert suggested(first)["join"] == []
    answer = Client().get(f"/on-demand/{first.pk}/suggestions", headers=bearer(make_token("read")[1]))
    assert_error(answer, 403)
    assert_error(Client().get(f"/on-demand/{first.pk}/suggestions"), 401)
