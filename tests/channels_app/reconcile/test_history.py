"""The measure of `reconcile`: of a history, a tenth of the events arrived, and the rest is repaired from IVS and S3."""

import json
import random
from itertools import cycle
from typing import Any

import pytest
from django.db import transaction

from channels_app.channels.provisioning import channel_create
from channels_app.models import Channel
from tests.support.helpers import OWNER, THOROUGH
from tests.support.reconciling import Past, reconcile, tables
from tests.support.road import Envelope, at, lambda_takes, live_file
from tools.local.aws import LocalAws

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# What happens in a broadcast, and whether it is recorded.
SHOWS: list[tuple[tuple[str, ...], bool]] = [
    (("starvation", "takeover", "takeover-failure", "quota"), False),
    (("reconnect", "starvation"), True),
    (("quota", "takeover", "starvation"), False),
    (("split", "starvation"), True),
    (("starvation", "quota", "stream-failure"), False),
    (("recording-end-failure", "quota"), True),
    (("reconnect-late", "takeover", "quota"), False),
    (("recording-start-failure", "takeover-failure", "starvation"), True),
    (("reconnect-late", "takeover", "quota", "starvation"), False),
]
# Neither IVS nor S3 keeps these. Of the inbox: the envelopes as they came.
LOST = {
    # The ids of events, and whether there was one.
    *(
        "_event_id",
        "event_id",
        "start_event_id",
        "end_event_id",
        "failure_event_id",
        "start_reconciled",
        "end_reconciled",
    ),
    # The session of a recording is in its events alone.
    *("session_id", "_session_id", "recording_session_id"),
    # Kept by `reconcile` itself.
    "compared_at",
}
# Why something failed, and by how much a limit was exceeded; which streams a failed recording holds is found anew.
LOST_OF_FAILURES = {"reason", "recording_status_reason", "recording_session_stream_ids"}
LOST_OF_LIMITS = {"limit_value", "exceeded_by", "limit_unit"}
FAILURES = {"Stream Failure", "Recording Start Failure", "Recording End Failure"}


def history(past: Past, channels: list[Channel], count: int) -> list[Envelope]:
    """So many events or a few more; two channels are live at the end."""
    events: list[Envelope] = []
    shows, hour = cycle(SHOWS), 0
    while len(events) < count:
        for channel in channels:
            faults, is_recorded = next(shows)
            events += past.broadcast(channel, at(60 * hour), *faults, is_recorded=is_recorded)[1]
        hour += 1
    for channel in channels[:2]:
        events += past.broadcast(channel, at(60 * hour), is_over=False, is_recorded=False)[1]
    return sorted(events, key=lambda event: (event["resources"] == [], *event["resources"], event["time"]))


def deliver(events: list[Envelope]) -> None:
    for begin in range(0, len(events), 10):
        assert lambda_takes(*events[begin : begin + 10]) == []


def outcome_of_all(events: list[Envelope], channels: list[Channel]) -> tuple[dict[str, list[str]], list[Any]]:
    """The tables and files where nothing is lost; the database is as before."""
    with transaction.atomic():
        deliver(events)
        left = tables(), [live_file(channel) for channel in channels]
        transaction.set_rollback(True)
    return left


def known_still(rows: list[str], attempts: list[Envelope]) -> list[str]:
    """The rows without what cannot be known; attempts that IVS did not process are not among its sessions."""
    forgotten = {event["id"] for event in attempts} | {event["detail"]["stream_id"] for event in attempts}
    documents = [json.loads(row) for row in rows]
    kept = [row for row in documents if not {row.get("event_id"), row.get("stream_id")} & forgotten]
    return sorted(json.dumps(_known_still(row), sort_keys=True) for row in kept)


def _known_still(document: dict[str, Any]) -> dict[str, Any]:
    """A row, or a detail in it."""
    unknown = set(LOST)
    if {document.get("name"), document.get("recording_status")} & FAILURES:
        unknown |= LOST_OF_FAILURES
    kept = {name: value for name, value in document.items() if name not in unknown}
    if document.get("name") in {"Ingest Bitrate", "Ingest Resolution"}:
        kept["detail"] = {name: kept["detail"][name] for name in kept["detail"].keys() - LOST_OF_LIMITS}
    elif document.get("name") in FAILURES:
        kept["detail"] = {}
    return {name: _known_still(value) if isinstance(value, dict) else value for name, value in kept.items()}


def sessions(aws: LocalAws) -> set[str]:
    """The ids of the streams that IVS knows."""
    with aws.ivs.store.transaction(write=False) as records:
        return {session["stream_id"] for session in records.sessions()}


def test_nine_tenths_of_a_history_are_found_again_in_all_that_ivs_and_s3_know(aws: LocalAws, past: Past) -> None:
    channels = [channel_create(name=f"Room {number}", owner=OWNER) for number in range(4)]
    events = history(past, channels, 1000 if THOROUGH else 130)
    expected, files = outcome_of_all(events, channels)
    deliver(sorted(events, key=lambda event: event["time"])[: len(events) // 10])

    status, lines, _ = reconcile("--apply")

    assert status == 0
    assert len(lines) > 20
    left = tables()
    known = sessions(aws)
    attempts = [event for event in events if event["detail"].get("stream_id", "") not in {"", *known}]
    assert 0 < len(attempts) < 60
    for table in expected.keys() - {"channels_app_inboxevent"}:
        assert known_still(left[table], attempts) == known_still(expected[table], attempts), table
    assert [live_file(channel) for channel in channels] == files
    assert reconcile("--apply") == (0, [], "")


def test_real_events_that_come_after_a_repair_leave_what_they_leave_without_one(aws: LocalAws, past: Past) -> None:
    channels = [channel_create(name="Morning show", owner=OWNER)]
    events = history(past, channels, 60)
    expected, files = outcome_of_all(events, channels)
    assert reconcile("--apply")[0] == 0
    random.Random(1).shuffle(events)  # noqa: S311

    deliver(events)

    assert [live_file(channel) for channel in channels] == files
    left = tables()
    for table in expected.keys() - {"channels_app_inboxevent"}:
        assert without_comparison(left[table]) == without_comparison(expected[table]), table
    assert reconcile("--apply") == (0, [], "")


def without_comparison(rows: list[str]) -> list[str]:
    documents = [json.loads(row) for row in rows]
    return sorted(json.dumps({**row, "compared_at": None}, sort_keys=True) for row in documents)
