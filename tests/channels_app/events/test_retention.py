"""Care of the inbox: how long it keeps what is done, and that its reads stay quick when it is large."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_app.events import inbox, retention
from channels_app.models import Channel, InboxEvent
from ondemand.models import Video
from ondemand.videos.services import video_hide
from tests.support.helpers import make_channel
from tests.support.road import (
    ARN,
    PREFIX,
    Envelope,
    command,
    ended_metadata,
    live_file,
    outcomes,
    put,
    sample,
    stream_change,
    without,
)
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db

DONE = ["applied", "ignored", "refused", "parked"]
NEEDED = ["received", "deferred", "failed"]
SAMPLES = [
    "session_created",
    "stream_start",
    "recording_start",
    "starvation_start",
    "starvation_end",
    "limit_breach_ingest_bitrate",
    "limit_breach_concurrent_viewers",
    "session_ended",
    "stream_end",
    "recording_end",
    "recording_end_failure",
    "recording_start_failure",
]


def make_event(outcome: str, *, days_ago: float, **values: Any) -> InboxEvent:
    """A row of the inbox, received so long ago."""
    number = InboxEvent.objects.count()
    received_at = timezone.now() - timedelta(days=days_ago)
    made = {"event_id": f"event-{number}", "body": "{}", "received_at": received_at, "outcome": outcome}
    return InboxEvent.objects.create(**{**made, **values})


def prune(*arguments: str) -> dict[str, Any]:
    """What the command prints, which is one object."""
    status, [printed] = command("prune_inbox", *arguments)
    assert status == 0
    return printed


def left() -> list[str]:
    return list(InboxEvent.objects.order_by("pk").values_list("outcome", flat=True))


@pytest.fixture
def kept_100_days(settings: Any) -> None:
    settings.INBOX_RETENTION_DAYS = 100


# What goes and what stays


@pytest.mark.usefixtures("kept_100_days")
def test_old_events_that_nobody_waits_for_go_and_those_that_are_needed_stay() -> None:
    for outcome in (*DONE, *NEEDED, "applied"):
        make_event(outcome, days_ago=100.01)

    printed = prune()

    assert printed["removed"] == {"applied": 2, "ignored": 1, "refused": 1, "parked": 1}
    assert printed["dry_run"] is False
    moment = datetime.fromisoformat(printed["received_before"])
    assert timedelta(days=99) < timezone.now() - moment < timedelta(days=101)
    assert left() == NEEDED


@pytest.mark.usefixtures("kept_100_days")
def test_younger_events_stay() -> None:
    make_event("applied", days_ago=99.99)
    make_event("refused", days_ago=0)

    assert prune()["removed"] == {"applied": 0, "ignored": 0, "refused": 0, "parked": 0}
    assert left() == ["applied", "refused"]


@pytest.mark.usefixtures("kept_100_days")
def test_a_dry_run_says_the_same_and_removes_nothing() -> None:
    for outcome in (*DONE, *NEEDED, "ignored"):
        make_event(outcome, days_ago=101)

    dry = prune("--dry-run")

    assert dry["dry_run"] is True
    assert len(left()) == 8
    assert prune()["removed"] == dry["removed"] == {"applied": 1, "ignored": 2, "refused": 1, "parked": 1}


def test_without_a_term_events_are_kept_for_ever(settings: Any) -> None:
    settings.INBOX_RETENTION_DAYS = None
    make_event("applied", days_ago=10_000)

    nothing = {"received_before": None, "removed": {"applied": 0, "ignored": 0, "refused": 0, "parked": 0}}
    assert prune() == {**nothing, "dry_run": False}
    assert prune("--dry-run") == {**nothing, "dry_run": True}
    assert left() == ["applied"]


# In batches


@pytest.mark.usefixtures("kept_100_days")
def test_batches_have_every_event_once_although_some_have_the_same_time(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for days_ago in (200, 150, 150, 150, 150, 120, 110):
        make_event("applied", days_ago=days_ago, received_at=datetime(2020, 1, 1, tzinfo=UTC) - timedelta(days_ago))
        make_event("deferred", days_ago=200)

    # A savepoint, rows, removal and its release for each of four batches, and the look that finds none.
    with django_assert_num_queries(4 * 4 + 3):
        assert prune()["removed"]["applied"] == 7

    assert left() == ["deferred"] * 7


class Killed(BaseException):
    """What a SIGKILL looks like from inside: no `except Exception` sees it."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("kept_100_days")
def test_events_that_a_killed_run_removed_stay_removed_and_the_next_run_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        make_event("applied", days_ago=101)

    def killed_after_a_batch(*_: Any) -> Any:
        raise Killed

    with monkeypatch.context() as killed:
        killed.setattr(retention, "rows_after", killed_after_a_batch)
        with pytest.raises(Killed):
            prune()
    connection.close()

    assert len(left()) == 3
    assert prune()["removed"]["applied"] == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("kept_100_days")
def test_a_row_that_somebody_holds_is_left_to_the_next_run() -> None:
    held = make_event("applied", days_ago=101)
    make_event("applied", days_ago=101)
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM channels_app_inboxevent WHERE id = %s FOR UPDATE", [held.pk])
        assert prune()["removed"]["applied"] == 1
        other.rollback()
    finally:
        other.close()

    assert prune()["removed"]["applied"] == 1
    assert left() == []


# A pruned event that comes again


@pytest.fixture
def channel(aws: LocalAws) -> Channel:
    """The channel of the samples; IVS and S3 are there."""
    return make_channel(arn=ARN)


def tables() -> dict[str, list[dict[str, Any]]]:
    """All rows of both apps but those of the inbox, surrogate keys included."""
    models = [model for app in ("channels_app", "ondemand") for model in apps.get_app_config(app).get_models()]
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in models
        if model is not InboxEvent
    }


def a_whole_broadcast() -> list[Envelope]:
    """Every sample; what they ask of S3 is there."""
    put(f"{PREFIX}/events/recording-ended.json", ended_metadata())
    return [sample(name) for name in SAMPLES] + [sample("stream_takeover"), without(sample("stream_start"), "time")]


@pytest.mark.usefixtures("kept_100_days")
def test_events_that_come_again_after_they_were_pruned_change_no_table_and_no_decision_of_staff(
    channel: Channel,
) -> None:
    events = [*a_whole_broadcast(), stream_change("Stream Start", 300, stream_id="st-aaaaaaaaaaaaaaaaaaaaaaa")]
    outcomes(*events)
    assert not InboxEvent.objects.filter(outcome="refused").exists()
    known, file = InboxEvent.objects.count(), live_file(channel)
    for again in (events, events[::-1]):
        before = tables()
        InboxEvent.objects.update(received_at=timezone.now() - timedelta(days=101))
        assert sum(prune()["removed"].values()) == known
        assert not InboxEvent.objects.exists()

        outcomes(*again)

        assert tables() == before
        assert live_file(channel) == file
        # The malformed envelope with the id of another event has a row of its own where it comes first.
        assert InboxEvent.objects.exclude(outcome="refused").count() == known
        # The second time it is hidden.
        video_hide(video_uuid=Video.objects.get(prefix=PREFIX).uuid)


# The indexes


def make_large_inbox() -> None:
    """20,000 events that are done, 300 that wait for their channels, and some that failed."""
    rows = """
        INSERT INTO channels_app_inboxevent
            (event_id, body, received_at, outcome, error, attempts, detail_type, name, channel_arn, stream_id)
        SELECT %(kind)s || n, '{}', '2026-03-04 09:00+00'::timestamptz + n * interval '1 minute',
            (%(outcomes)s::text[])[1 + n %% cardinality(%(outcomes)s::text[])], '', 1 + n %% 7,
            'IVS Stream State Change', 'Stream Start', 'arn:aws:ivs:eu-west-1:111122223333:channel/' || n %% 50, ''
        FROM generate_series(1, %(count)s) AS n
    """
    with connection.cursor() as cursor:
        cursor.execute(rows, {"kind": "done-", "outcomes": DONE, "count": 20_000})
        cursor.execute(rows, {"kind": "parked-", "outcomes": ["parked"], "count": 300})
        cursor.execute(rows, {"kind": "open-", "outcomes": NEEDED, "count": 40})
        cursor.execute("ANALYZE channels_app_inboxevent")


def plan(run: Callable[[], Any]) -> str:
    """How the database carries out the first read of the inbox that this makes."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        run()
    # Django does not know the text of a prepared statement.
    texts = [q["sql"] for q in captured if q["sql"]]
    reads = [text for text in texts if text.startswith(("SELECT", "(SELECT")) and "inboxevent" in text]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {reads[0]}".replace("%", "%%"), [])
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.usefixtures("aws", "kept_100_days")
def test_each_read_of_a_large_inbox_is_part_of_an_index_of_its_own() -> None:
    make_large_inbox()
    # Nothing that waits is read in vain: a few of many are the first of the index, and what is parked comes by channel.
    for retry_failed in (False, True):
        found = plan(lambda retry_failed=retry_failed: next(inbox.process_open(retry_failed=retry_failed, limit=1)))
        assert "Index Scan using inbox_open" in found or "Index Only Scan using inbox_open" in found
        assert "inbox_parked" in found
        assert "Seq Scan on channels_app_inboxevent" not in found

    arn = "arn:aws:ivs:eu-west-1:111122223333:channel/7"
    assert "inbox_parked" in plan(lambda: inbox.process_parked(arn))

    found = plan(prune)

    assert "inbox_prunable" in found
    assert "Sort" not in found
