"""The inbox in the admin, and events that are replayed from it."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from channels_app.admin import events as events_admin
from channels_app.events.handlers import StreamEventHandler
from channels_app.models import InboxEvent, Stream
from common import aws as aws_door
from tests.support.console import (
    EVENTS,
    NINE,
    listed_events,
    make_channel,
    make_event,
    member,
    messages_of,
    page,
    run_action,
)
from tests.support.helpers import in_transaction
from tests.support.road import ARN, outcomes, sample
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db


# Inbox


def test_inbox_lists_the_outcome_of_each_event(browser: Client) -> None:
    make_event(
        name="Ingest Bitrate", detail_type="IVS Limit Breach", outcome="failed", error="x" * 200, received_at=NINE
    )
    html = page(browser, EVENTS)
    for text in ("Ingest Bitrate", "2026-03-04 09:05:02 UTC", "IVS Limit Breach", "failed", "x" * 79 + "…"):
        assert text in html
    assert "x" * 81 not in html


def test_inbox_filters_and_search(browser: Client) -> None:
    arn = "arn:aws:ivs:eu-west-1:1:channel/a"
    make_event(
        event_id="e-1", name="a", detail_type="IVS Limit Breach", outcome="failed", stream_id="st-1", channel_arn=arn
    )
    make_event(name="b", detail_type="Other", outcome="ignored")
    for query in (
        {"outcome": "failed"},
        {"detail_type": "IVS Limit Breach"},
        {"q": "e-1"},
        {"q": "st-1"},
        {"q": arn},
    ):
        assert listed_events(page(browser, EVENTS, query)) == ["a"], query
    assert listed_events(page(browser, EVENTS, {"detail_type": "other"})) == ["b"]
    assert listed_events(page(browser, EVENTS, {"detail_type": "nonsense", "outcome": "nonsense"})) == ["b", "a"]


def test_inbox_shows_a_body_indented_or_as_received(browser: Client) -> None:
    for body, shown in (
        ('{"a":{"b":"é"}}', "{\n  &quot;a&quot;: {\n    &quot;b&quot;: &quot;é&quot;\n  }\n}"),
        ('{"a":"\\ud800"}', "\\ud800"),
        ("not <b>json</b>", "not &lt;b&gt;json&lt;/b&gt;"),
        ("[" * 5000, "[" * 5000),
        ("", ""),
    ):
        event = make_event(body=body)
        assert shown in page(browser, f"{EVENTS}{event.pk}/change/").partition('class="envelope"')[2], body[:40]


def test_inbox_is_read_only(browser: Client) -> None:
    event = make_event()
    assert 'type="submit" value="Save"' not in page(browser, f"{EVENTS}{event.pk}/change/")
    assert browser.post(f"{EVENTS}{event.pk}/change/", {"error": "x"}).status_code == 403
    assert browser.get(f"{EVENTS}add/").status_code == 403
    assert browser.post(f"{EVENTS}{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in page(browser, EVENTS)


# Replay


def replayable(browser: Client) -> bool:
    return "Replay selected events" in page(browser, EVENTS)


@pytest.fixture
def failed(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> list[InboxEvent]:
    """A start that failed for a bug that is mended, an end that was applied, and one whose channel is not here."""
    make_channel(arn=ARN)

    def raise_it(*_: Any) -> Any:
        raise ValueError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(StreamEventHandler, "apply", raise_it)
        assert outcomes(sample("stream_start")) == ["failed"]
    assert outcomes(sample("stream_end")) == ["applied"]
    assert outcomes(sample("session_created", id="e-3", resources=[f"{ARN}X"])) == ["parked"]
    return list(InboxEvent.objects.order_by("pk"))


def test_selected_events_are_replayed_whatever_their_outcome(browser: Client, failed: list[InboxEvent]) -> None:
    assert run_action(browser, EVENTS, "replay", *failed) == ["Replayed: 3 (2 applied, 1 parked)."]
    rows = InboxEvent.objects.order_by("pk")
    assert list(rows.values_list("outcome", "attempts")) == [("applied", 2), ("applied", 2), ("parked", 2)]
    assert Stream.objects.get().started_at is not None


def test_a_replay_that_fails_again_says_so(
    browser: Client, failed: list[InboxEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StreamEventHandler, "apply", lambda *_: 1 / 0)
    response = browser.post(EVENTS, {"action": "replay", "_selected_action": [str(failed[0].pk)]})
    [message] = get_messages(response.wsgi_request)
    assert (message.level_tag, str(message)) == ("warning", "Replayed: 1 (1 failed).")
    failed[0].refresh_from_db()
    assert failed[0].error.startswith("ZeroDivisionError")


def test_replaying_needs_the_permission_to_change_events(failed: list[InboxEvent]) -> None:
    viewer, operator = member("view_inboxevent"), member("view_inboxevent", "change_inboxevent")
    assert (replayable(viewer), replayable(operator)) == (False, True)
    response = viewer.post(EVENTS, {"action": "replay", "_selected_action": [str(failed[0].pk)]})
    assert response.status_code in {200, 302}
    assert messages_of(response) in ([], ["No action selected."])
    failed[0].refresh_from_db()
    assert (failed[0].outcome, failed[0].attempts) == ("failed", 1)
    assert run_action(operator, EVENTS, "replay", failed[0]) == ["Replayed: 1 (1 applied)."]
    # And it is no permission to edit.
    assert operator.post(f"{EVENTS}{failed[0].pk}/change/", {"error": "x"}).status_code == 403


def test_more_events_than_a_request_can_replay_are_for_the_command(
    browser: Client, failed: list[InboxEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_admin, "MOST_REPLAYED", 2)
    [message] = run_action(browser, EVENTS, "replay", *failed)
    assert "3 events are more than 2" in message
    assert "manage.py replay" in message
    assert InboxEvent.objects.filter(attempts=1).count() == 3


def test_events_beyond_the_time_limit_are_reported_as_not_replayed(
    browser: Client, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_channel(arn=ARN)
    outcomes(*(sample("session_created", id=f"e-{n:02}") for n in range(12)))
    monkeypatch.setattr(events_admin, "REPLAY_SECONDS", 0)
    first, second = run_action(browser, EVENTS, "replay", *InboxEvent.objects.all())
    assert first == "Replayed: 10 (10 applied)."
    assert second.startswith("Not replayed: 2.")


def test_a_replay_calls_s3_outside_any_transaction(
    browser: Client, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_channel(arn=ARN)
    outcomes(sample("recording_end"), sample("stream_end"))
    client, seen = aws_door.clients.client, []

    def watching(service: str, config: Any) -> Any:
        seen.append(in_transaction())
        return client(service, config)

    monkeypatch.setattr(aws_door.s3, "client", watching)
    assert run_action(browser, EVENTS, "replay", *InboxEvent.objects.all()) == ["Replayed: 2 (1 applied, 1 deferred)."]
    assert seen
    assert not any(seen)
