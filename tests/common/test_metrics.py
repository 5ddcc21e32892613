"""Numbers for the alarms: lines in CloudWatch's embedded metric format."""

import json
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from channels_app.events.handlers import StreamEventHandler
from channels_app.events.inbox import inbox_measure
from channels_app.models import InboxEvent
from common import metrics
from common.aws import AwsError
from common.aws.errors import raises_aws_error
from tests.support.helpers import make_channel
from tests.support.road import ARN, command, invoke, lambda_takes, sample, text_of, without
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db


@pytest.fixture
def metric_lines(settings: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return the lines since the last call, each line by its own keys."""
    settings.EMBEDDED_METRICS, settings.PROJECT_NAME, settings.STAGE = True, "vod", "production"

    def lines() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]
        assert all(_is_embedded(line) for line in found)
        return [without(line, "_aws", "Project", "Stage") for line in found]

    return lines


def _is_embedded(line: dict[str, Any]) -> bool:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html"""
    [directive] = line["_aws"]["CloudWatchMetrics"]
    named = {metric["Name"] for metric in directive["Metrics"]}
    return (
        isinstance(line["_aws"]["Timestamp"], int)
        and directive["Namespace"] == "ivsvod"
        and directive["Dimensions"] == [["Project", "Stage"]]
        and (line["Project"], line["Stage"]) == ("vod", "production")
        and named == set(line) - {"_aws", "Project", "Stage"}
        and {metric["Unit"] for metric in directive["Metrics"]} <= {"Count", "Seconds"}
    )


def test_the_metrics_of_a_batch_count_outcomes_and_measure_the_lag(aws: LocalAws, metric_lines: Any) -> None:
    make_channel(arn=ARN)
    now = timezone.now().isoformat()

    lambda_takes(sample("stream_start", time=now), sample("stream_start", time=now), "{broken")

    [line] = metric_lines()
    late = line.pop("InboxLagSeconds")
    assert line == {"EventsApplied": 1, "EventsDuplicate": 1, "EventsRefused": 1}
    assert len(late) == 1
    assert 0 <= late[0] < 60


def test_an_event_that_is_replayed_is_not_late(aws: LocalAws, metric_lines: Any) -> None:
    make_channel(arn=ARN)
    invoke(sample("stream_start"))
    metric_lines()

    command("replay", "--all")

    assert metric_lines() == [{"EventsApplied": 1}]


def test_no_metrics_are_written_unless_the_setting_is_on(aws: LocalAws, metric_lines: Any, settings: Any) -> None:
    settings.EMBEDDED_METRICS = False

    invoke(sample("stream_start"))
    inbox_measure()

    assert metric_lines() == []


def test_the_metrics_of_the_inbox_count_open_events_and_measure_the_age_of_the_oldest(metric_lines: Any) -> None:
    now = timezone.now()
    for number, outcome in enumerate(["parked", "parked", "failed", "deferred", "applied"]):
        row = InboxEvent.objects.create(event_id=f"e{number}", body="{}", outcome=outcome)
        InboxEvent.objects.filter(pk=row.pk).update(received_at=now - timedelta(seconds=100 + number * 1000))

    inbox_measure()

    [line] = metric_lines()
    assert (line["OpenEvents"], line["ParkedEvents"]) == (2, 2)
    assert 3100 <= line["OldestOpenEventSeconds"] < 3200


def test_an_empty_inbox_is_reported(metric_lines: Any) -> None:
    command("process_inbox")

    assert metric_lines() == [{"OpenEvents": 0, "ParkedEvents": 0, "OldestOpenEventSeconds": 0.0}]


def test_a_run_of_process_inbox_that_is_stopped_tells_how_the_inbox_is(
    aws: LocalAws, metric_lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_channel(arn=ARN)
    InboxEvent.objects.create(event_id=sample("stream_start")["id"], body=json.dumps(sample("stream_start")))

    def stopped(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(StreamEventHandler, "apply", stopped)

    assert command("process_inbox") == (130, [])

    assert [line["OpenEvents"] for line in metric_lines()] == [1]


def test_reconcile_counts_the_streams_without_events_that_it_repairs(
    aws: LocalAws, metric_lines: Any, past: Any
) -> None:
    command("reconcile")
    assert metric_lines() == []

    command("reconcile", "--apply")
    assert metric_lines() == [{"StreamsUnheard": 0}]


@pytest.mark.parametrize(
    ("code", "number"),
    [("AccessDeniedException", 1), ("ThrottlingException", 1), ("ResourceNotFoundException", 0), ("NoSuchKey", 0)],
)
def test_trouble_with_aws_is_counted_and_an_answer_is_not(metric_lines: Any, code: str, number: int) -> None:
    from botocore.exceptions import ClientError

    with pytest.raises(AwsError), raises_aws_error("GetChannel", ARN):
        raise ClientError({"Error": {"Code": code}}, "GetChannel")

    assert metric_lines() == [{"AwsErrors": 1}] * number


def test_a_database_that_is_away_is_counted(metric_lines: Any) -> None:
    with patch("channels_app.events.inbox.receive", side_effect=OperationalError("statement timeout")):
        lambda_takes(sample("stream_start"))
    assert metric_lines() == [{"DatabaseErrors": 1}]

    with patch("django.db.backends.utils.CursorWrapper.execute", side_effect=OperationalError("away")):
        assert Client().get("/on-demand").status_code == 503
    assert metric_lines() == [{"DatabaseErrors": 1}]


def test_more_values_than_a_line_may_hold_are_left_out(metric_lines: Any) -> None:
    metrics.events_measured(["applied"] * 150, [1.0] * 150)

    [line] = metric_lines()
    assert line["EventsApplied"] == 150
    assert len(line["InboxLagSeconds"]) == 100


def test_no_event_is_no_line(metric_lines: Any) -> None:
    metrics.events_measured([], [])

    assert metric_lines() == []


def test_a_line_holds_nothing_of_an_event(aws: LocalAws, metric_lines: Any, capsys: pytest.CaptureFixture[str]) -> None:
    invoke(sample("stream_start"))

    out = capsys.readouterr().out
    assert ARN not in out
    assert text_of(sample("stream_start"))[:20] not in out
