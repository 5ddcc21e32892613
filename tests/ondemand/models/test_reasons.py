"""Why people find a video or do not: each rule in a sentence."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from ondemand.models import Video
from ondemand.models.publication import Listing

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LISTED: dict[str, Any] = {
    "status": "available",
    "active": True,
    "held": False,
    "publish_from": None,
    "publish_until": None,
    "visibility": "public",
}
MOMENTS = st.sampled_from([None, NOW - HOUR, NOW, NOW + HOUR])


def sentences(**values: Any) -> list[str]:
    return list(Video(**{**LISTED, **values}).listing_reasons_at(NOW).sentences)


@settings(deadline=None, database=None)
@given(
    values=st.fixed_dictionaries(
        {
            "duplicate_of_id": st.sampled_from([None, uuid4()]),
            "status": st.sampled_from(["recording", "available", "failed", None]),
            "active": st.sampled_from([True, False, None]),
            "held": st.sampled_from([True, False, None]),
            "visibility": st.sampled_from(["public", "unlisted", None]),
            "publish_from": MOMENTS,
            "publish_until": MOMENTS,
        }
    ),
    held_by_check=st.booleans(),
)
def test_the_reasons_agree_with_the_listing(values: dict[str, Any], held_by_check: bool) -> None:
    video = Video(**values, held_by_check=held_by_check)
    reasons = video.listing_reasons_at(NOW)
    assert reasons.result == video.listing_at(NOW)
    assert reasons.is_kept == (reasons.result == Listing.LISTED)
    assert all(rule.sentence for rule in reasons.rules)
    assert [rule.name for rule in reasons.rules] == list(Listing)[:-1]
    kept = {rule.sentence for rule in reasons.rules if rule.is_kept}
    assert reasons.is_kept or not set(reasons.sentences) & kept


def test_a_listed_video_names_all_rules_that_let_it() -> None:
    assert sentences(publish_from=NOW - HOUR, publish_until=NOW + HOUR) == [
        "It is no duplicate of another.",
        "Its recording is available.",
        "It is not held back.",
        "It is shown.",
        "Its publication began at 2026-11-01 11:00:00 UTC.",
        "Its publication ends at 2026-11-01 13:00:00 UTC.",
        "It is public.",
    ]
    assert sentences()[-3:] == ["Its publication has no beginning.", "Its publication has no end.", "It is public."]


def test_every_rule_that_holds_a_video_back_is_named_and_none_twice() -> None:
    assert sentences(active=False, visibility="unlisted", publish_from=NOW + HOUR) == [
        "It is hidden.",
        "Its publication begins at 2026-11-01 13:00:00 UTC.",
        "It is unlisted: it opens by its address alone.",
    ]
    assert sentences(status="recording", active=None, held=None) == [
        "Its recording is not finished.",
        "It is decided when its recording ends whether it is shown.",
    ]
    assert sentences(status="failed", active=None, held=None) == ["Its recording failed."]
    assert sentences(status="failed", active=False, held=None) == ["Its recording failed.", "It is hidden."]
    assert sentences(held=True, held_by_check=True) == ["It is held back until the check of its files finds them good."]
    assert sentences(held=None) == ["It is held back until somebody shows it."]
    assert sentences(active=None) == ["It is hidden: nobody has shown it yet."]


def test_times_are_in_the_zone_of_the_reader() -> None:
    with timezone.override("Europe/Berlin"):
        assert sentences(publish_until=NOW - HOUR) == ["Its publication ended at 2026-11-01 12:00:00 CET."]
