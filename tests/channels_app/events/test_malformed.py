"""Any JSON value at any field of an event: it is applied or refused by name, and never fails."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from channels_app.models import InboxEvent
from ondemand.models import Video
from tests.support.helpers import THOROUGH, make_channel
from tests.support.road import ARN, EVENTS, PREFIX, command, ended_metadata, lambda_takes, outcomes, put, sample
from tools.local.aws import LocalAws

SAMPLES = sorted(path.stem for path in EVENTS.glob("*.json"))
ENDED_KEY = f"{PREFIX}/events/recording-ended.json"
Path = tuple[str | int, ...]
pytestmark = pytest.mark.django_db

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from(
        [0, -1, 0.5, 1e300, 10**30, "", "0", "st-1", "x" * 5000, "a\0b", "\ud800", "2026-03-04T09:00:00Z"]
    )
    | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """The place of every member of a document, at any depth."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield (*above, name)
        yield from paths(member, (*above, name))


FIELDS = [(name, path) for name in SAMPLES for path in paths(sample(name))]


def spoiled(document: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """The document with this value at this place."""
    changed = copy.deepcopy(document)
    member: Any = changed
    for step in path[:-1]:
        member = member[step]
    member[path[-1]] = value
    return changed


@pytest.mark.usefixtures("aws")
class AnyValueTests(TestCase):
    """Each example in a transaction that is rolled back."""

    @given(st.lists(st.tuples(st.sampled_from(FIELDS), anything), min_size=1, max_size=10))
    @example([(("recording_end", ("detail", "recording_session_stream_ids")), None)])
    @settings(max_examples=200 if THOROUGH else 20, deadline=None, database=None)
    def test_any_json_value_at_any_field_of_an_event_is_applied_or_refused_by_name_and_never_fails(
        self, spoils: list[tuple[tuple[str, Path], Any]]
    ) -> None:
        make_channel(arn=ARN)

        lambda_takes(
            *(spoiled(sample(name, id=f"event-{n}"), path, value) for n, ((name, path), value) in enumerate(spoils))
        )

        rows = InboxEvent.objects.values_list("outcome", "error", "body")
        assert not [row for row in rows if row[0] in {"failed", "received"}]
        assert all(error for outcome, error, _ in rows if outcome == "refused")

    @given(st.sampled_from(list(paths(ended_metadata()))), anything)
    @settings(max_examples=60 if THOROUGH else 10, deadline=None, database=None)
    def test_any_json_value_at_any_field_of_the_metadata_fails_no_event_and_no_reconcile(
        self, path: Path, value: Any
    ) -> None:
        make_channel(arn=ARN)
        put(ENDED_KEY, spoiled(ended_metadata(), path, value))

        assert command("reconcile")[0] == 3
        assert outcomes(sample("recording_end")) in (["applied"], ["deferred"])


def test_a_recording_end_with_null_streams_is_one_of_before_august_2022(aws: LocalAws) -> None:
    channel = make_channel(arn=ARN)
    put(ENDED_KEY, ended_metadata())
    end = sample("recording_end", detail={"recording_session_stream_ids": None, "recording_session_id": None})

    assert outcomes(end) == ["applied"]

    assert Video.objects.get(channel=channel).stream_ids == [end["detail"]["stream_id"]]
