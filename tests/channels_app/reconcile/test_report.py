"""Reported differences: what the last runs of `reconcile` found, and nothing that is repaired."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_app.models import Channel, Lease, ReportedDifference
from channels_app.reconcile import report
from channels_app.reconcile.differences import Difference, DifferenceKind, Phase, Scope, Step, not_compared
from channels_app.reconcile.report import last_run
from channels_app.reconcile.runner import Progress, run
from common.aws import AwsError, AwsErrorKind
from tests.support.console import CHANNELS, STREAMS, make_channel, make_stream, make_video, member, page
from tests.support.reconciling import Past, reconcile
from tests.support.road import at
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db
DIFFERENCES = "/admin/channels_app/reporteddifference/"
NOW = timezone.now()


def phase_of(*differences: Difference) -> Phase:
    """Return a phase with these differences."""
    return lambda _scope, _position: iter([Step(differences)])


def compared(*, apply: bool = False, scope: Scope | None = None, **phases: Phase) -> Progress:
    return run(phases, scope=scope or Scope(), apply=apply, resume=apply)


def reported() -> list[str]:
    return sorted(ReportedDifference.objects.values_list("kind", flat=True))


def difference(
    kind: DifferenceKind = DifferenceKind.STREAM_MISSING, channel: Channel | None = None, **values: Any
) -> Difference:
    return Difference(kind, "write Stream Start", channel, **values)


# What is open


def test_a_run_stores_what_it_finds_and_a_repair_takes_it_away(aws: LocalAws, past: Past) -> None:
    from channels_app.channels.provisioning import channel_create
    from tests.support.helpers import OWNER

    channel = channel_create(name="Morning show", owner=OWNER)
    past.broadcast(channel, at(0), is_recorded=False)
    status, lines, _ = reconcile()
    row = ReportedDifference.objects.get()
    assert (status, row.kind, row.channel) == (3, "stream_missing", channel)
    assert (row.stream_id, row.would) == (lines[0]["stream_id"], lines[0]["would"])
    first = row.found_at
    reconcile()
    row.refresh_from_db()
    assert (ReportedDifference.objects.count(), row.found_at) == (1, first)
    assert row.seen_at > first
    assert reconcile("--apply")[0] == 0
    assert reported() == []


def test_what_a_run_finds_no_more_is_open_no_more() -> None:
    channel = make_channel()
    one, other = (difference(channel=channel, place={"stream_id": name}) for name in ("st-1", "st-2"))
    compared(live=phase_of(one, other))
    compared(live=phase_of(other))
    assert ReportedDifference.objects.get().stream_id == "st-2"
    compared(live=phase_of())
    assert reported() == []


def test_a_run_over_one_channel_leaves_the_others_alone() -> None:
    mine, other = make_channel(), make_channel()
    orphan = Difference(DifferenceKind.CHANNEL_ORPHAN, "make its row", arn="arn:aws:ivs:eu-west-1:1:channel/x")
    compared(live=phase_of(difference(channel=mine), difference(channel=other), orphan))
    compared(scope=Scope(channel=mine), live=phase_of())
    assert reported() == ["channel_orphan", "stream_missing"]
    assert ReportedDifference.objects.filter(channel=mine).count() == 0


def test_a_run_since_a_day_leaves_older_streams_and_recordings_alone() -> None:
    channel = make_channel()
    place = {"bucket": "b", "prefix": "p"}
    compared(
        all=phase_of(
            difference(channel=channel, place={"stream_id": "st-1"}),
            difference(DifferenceKind.RECORDING_MISSING, channel, place=place),
            difference(DifferenceKind.CHANNEL_RENAMED, channel),
        )
    )
    compared(scope=Scope(since=NOW), all=phase_of())
    assert reported() == ["recording_missing", "stream_missing"]


def test_where_aws_did_not_answer_what_was_known_stays() -> None:
    channel = make_channel()
    error = AwsError("ListStreamSessions", "ivs", AwsErrorKind.THROTTLED, "Too often.")
    compared(
        sessions=phase_of(difference(channel=channel)),
        live=phase_of(difference(DifferenceKind.STREAM_STILL_LIVE, channel)),
    )
    compared(sessions=phase_of(not_compared(error)), live=phase_of())
    assert reported() == ["not_compared", "stream_missing"]
    compared(sessions=phase_of(), live=phase_of())
    assert reported() == []


def test_a_repair_that_fails_stays_with_its_reason_and_one_that_succeeds_goes() -> None:
    channel = make_channel()

    def fail() -> None:
        raise AwsError("CreateStreamKey", channel.arn, AwsErrorKind.DENIED, "No permission.")

    broken = difference(DifferenceKind.STREAM_KEY_MISSING, channel, repair=fail)
    mended = difference(DifferenceKind.CHANNEL_RENAMED, channel, repair=lambda: None)
    compared(channels=phase_of(broken, mended))
    assert reported() == ["channel_renamed", "stream_key_missing"]
    compared(apply=True, channels=phase_of(broken, mended))
    row = ReportedDifference.objects.get()
    assert (row.kind, "CreateStreamKey" in row.problem) == ("stream_key_missing", True)


def test_a_run_that_is_stopped_keeps_what_it_found_and_takes_nothing_away() -> None:
    channel = make_channel()
    old = difference(DifferenceKind.CHANNEL_GONE, channel)
    compared(channels=phase_of(old))

    def dies(_scope: Scope, _position: Any) -> Any:
        yield Step([difference(channel=channel)])
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        compared(channels=phase_of(), live=dies)
    assert reported() == ["channel_gone", "stream_missing"]


def test_a_run_that_is_taken_up_keeps_what_its_first_part_found() -> None:
    channel = make_channel()

    def dies(_scope: Scope, _position: Any) -> Any:
        yield Step([difference(DifferenceKind.STREAM_STILL_LIVE, channel)])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compared(apply=True, channels=phase_of(difference(DifferenceKind.CHANNEL_GONE, channel)), live=dies)
    compared(apply=True, channels=phase_of(), live=phase_of(difference(DifferenceKind.STREAM_STILL_LIVE, channel)))
    assert reported() == ["channel_gone", "stream_still_live"]


def test_many_differences_cost_few_statements_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "MOST", 40)
    channel = make_channel()
    many = [difference(channel=channel, place={"stream_id": f"st-{n}"}) for n in range(50)]
    with CaptureQueriesContext(connection) as queries:
        progress = compared(live=phase_of(*many))
    written = [query for query in queries if "reporteddifference" in query["sql"]]
    assert (progress.left["stream_missing"], ReportedDifference.objects.count()) == (50, 40)
    assert len(written) <= 10
    compared(live=phase_of(*many))
    assert ReportedDifference.objects.count() == 40


def test_names_that_postgresql_cannot_store_are_stored_without_what_it_cannot() -> None:
    compared(recordings=phase_of(difference(place={"bucket": "b", "prefix": "a\0b\ud800"})))
    assert ReportedDifference.objects.get().prefix == "a�b?"


def test_differences_go_with_their_channel() -> None:
    channel = make_channel()
    compared(live=phase_of(difference(channel=channel)))
    channel.delete()
    assert reported() == []


# When it last ran


@pytest.mark.parametrize(
    ("row", "part", "needs_action"),
    [
        (None, "never", True),
        ({}, "never", True),
        ({"started_at": NOW, "holder": uuid4(), "expires_at": NOW + timedelta(minutes=1)}, "is running", False),
        ({"started_at": NOW, "holder": uuid4(), "expires_at": NOW - timedelta(minutes=1)}, "did not finish", True),
        ({"started_at": NOW}, "did not finish", True),
        ({"started_at": NOW, "finished_at": NOW}, "reconcile last ran at", False),
        ({"started_at": NOW, "finished_at": NOW - timedelta(hours=25)}, "more than a day ago", True),
    ],
)
def test_the_state_of_the_last_run(row: dict[str, Any] | None, part: str, needs_action: bool) -> None:
    if row is not None:
        Lease.objects.create(name="reconcile", **row)
    last = last_run(NOW)
    assert part in last.sentence
    assert last.needs_action == needs_action


# In the admin


def test_the_list_says_what_differs_what_mends_it_and_how_old_it_is(browser: Client) -> None:
    channel = make_channel(name='<b>"Stage"</b>')
    compared(
        live=phase_of(
            difference(channel=channel, place={"stream_id": "st-1"}),
            difference(DifferenceKind.CHANNEL_GONE, channel),
        )
    )
    html = page(browser, DIFFERENCES)
    assert "No event of a stream arrived" in html
    assert "write Stream Start" in html
    assert "&lt;b&gt;&quot;Stage&quot;&lt;/b&gt;" in html
    assert re.search(r"reconcile last ran at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", html)
    html = page(browser, DIFFERENCES, {"kind": "channel_gone"})
    assert 'class="field-where">st-1' not in html
    assert html.count('class="field-shown_kind"') == 1
    assert page(browser, DIFFERENCES, {"q": "st-1"}).count('class="field-shown_kind"') == 1
    assert page(browser, DIFFERENCES, {"q": str(channel.pk)}).count('class="field-shown_kind"') == 2
    assert page(browser, DIFFERENCES, {"q": "\0", "kind": "nonsense"})


def test_the_page_of_a_difference_leads_to_what_it_is_about(browser: Client) -> None:
    channel = make_channel()
    stream = make_stream(channel, "st-1", start=0)
    video = make_video(bucket="b", prefix="p")
    compared(
        live=phase_of(
            difference(channel=channel, place={"stream_id": "st-1"}),
            difference(DifferenceKind.RECORDING_END_MISSING, channel, place={"bucket": "b", "prefix": "p"}),
        )
    )
    of_stream, of_video = (
        page(browser, f"{DIFFERENCES}{ReportedDifference.objects.get(**about).pk}/change/")
        for about in ({"stream_id": "st-1"}, {"prefix": "p"})
    )
    assert f"{CHANNELS}{channel.pk}/change/" in of_stream
    assert f"{STREAMS}{stream.pk}/change/" in of_stream
    assert f"/admin/ondemand/video/{video.pk}/change/" in of_video
    assert 'name="_save"' not in of_stream


def test_the_list_is_for_those_who_may_see_channels_and_changes_nothing() -> None:
    compared(live=phase_of(difference(channel=make_channel())))
    row = ReportedDifference.objects.get()
    assert member().get(DIFFERENCES).status_code == 403
    client = member("view_channel")
    assert "No event of a stream arrived" in page(client, DIFFERENCES)
    assert client.post(f"{DIFFERENCES}{row.pk}/change/", {}).status_code == 403
    assert client.post(f"{DIFFERENCES}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{DIFFERENCES}add/").status_code == 403


def test_the_list_takes_as_many_queries_for_30_rows_as_for_3(browser: Client) -> None:
    counts = []
    for many in (3, 30):
        compared(live=phase_of(*(difference(channel=make_channel(), place={"stream_id": f"{n}"}) for n in range(many))))
        with CaptureQueriesContext(connection) as queries:
            page(browser, DIFFERENCES)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12
