"""Metrics for the alarms, as log lines that CloudWatch turns into metrics, without a call.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from time import time

from django.conf import settings

NAMESPACE = "ivsvod"
AWS_ERRORS = "AwsErrors"
DATABASE_ERRORS = "DatabaseErrors"
INBOX_LAG = "InboxLagSeconds"
OLDEST_OPEN_EVENT = "OldestOpenEventSeconds"
OPEN_EVENTS = "OpenEvents"
PARKED_EVENTS = "ParkedEvents"
STREAMS_UNHEARD = "StreamsUnheard"
_SECONDS, _COUNT = "Seconds", "Count"
# The most values of a metric that CloudWatch takes in a line.
_MOST_VALUES = 100


def counted(name: str, number: int = 1) -> None:
    """Add to a counter."""
    _write({name: _COUNT}, {name: number})


def events_measured(outcomes: Iterable[str], lags: Iterable[float]) -> None:
    """Count events by outcome (`EventsApplied` and so on), with the seconds between their time and their receipt."""
    counts = Counter(f"Events{outcome.capitalize()}" for outcome in outcomes)
    seconds = [round(lag, 1) for lag in lags][:_MOST_VALUES]
    measured = {INBOX_LAG: seconds} if seconds else {}
    _write(dict.fromkeys(counts, _COUNT) | dict.fromkeys(measured, _SECONDS), {**counts, **measured})


def inbox_measured(*, open_events: int, parked: int, oldest_open_seconds: float) -> None:
    """Record the state of the inbox."""
    units = {OPEN_EVENTS: _COUNT, PARKED_EVENTS: _COUNT, OLDEST_OPEN_EVENT: _SECONDS}
    _write(units, {OPEN_EVENTS: open_events, PARKED_EVENTS: parked, OLDEST_OPEN_EVENT: round(oldest_open_seconds, 1)})


def _write(units: Mapping[str, str], values: Mapping[str, float | list[float]]) -> None:
    # Settings may call AWS for a secret while they are loaded.
    if not units or not settings.configured or not settings.EMBEDDED_METRICS:
        return
    metrics = [{"Name": name, "Unit": unit} for name, unit in units.items()]
    description = {"Namespace": NAMESPACE, "Dimensions": [["Project", "Stage"]], "Metrics": metrics}
    # Two projects in one account may have a stage of the same name.
    dimensions = {"Project": settings.PROJECT_NAME, "Stage": settings.STAGE}
    line = {"_aws": {"Timestamp": int(time() * 1000), "CloudWatchMetrics": [description]}, **dimensions, **values}
    # Without a prefix: CloudWatch reads only lines that are JSON from their first character.
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
