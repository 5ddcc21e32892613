"""Helpers of the tests of `reconcile`: a past that IVS and S3 know, the command, and what it leaves."""

import io
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from channels_app.models import Channel
from tests.support.road import BUCKET, Envelope, s3
from tools.local.aws import LocalAws
from tools.local.broadcast.encoder import BroadcastRun
from tools.local.broadcast.plan import (
    BroadcastPlan,
    RecordingPlan,
    StreamEnds,
    Written,
    events_of,
    plan_broadcast,
    steps,
)
from tools.local.broadcast.recording import RENDITIONS, Recording

ACCOUNT = "111122223333"
WINDOW = timedelta(seconds=5)
# Every table of the service but those of the command, its lease and what it reports, with what differs from run to run.
TABLES = {
    "ivs_channels": [],
    "ivs_state_changes": ["_id"],
    "channels_app_stream": ["id"],
    "channels_app_streamhistoryentry": ["id", "stream_id"],
    "channels_app_inboxevent": ["id"],
    "on_demand_videos": [],
    "on_demand_video_content": [],
    "ondemand_recording": ["id"],
}


class FakeTime:
    """Time that passes when somebody waits, and not else."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Metadata:
    """Recordings of which S3 has the metadata, and no media."""

    def of(self, plan: RecordingPlan) -> Recording:
        return Recording(Path("/nonexistent"), plan.duration_ms, RENDITIONS)


class Asked:
    """The operations of IVS that were called, with their arguments and when."""

    def __init__(self, aws: LocalAws, clock: FakeTime, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, dict[str, Any], float]] = []
        perform = aws.ivs._with_faults

        def noted(model: Any, arguments: dict[str, Any], *, in_process: bool) -> Any:
            self.calls.append((model.name, arguments, clock.now))
            return perform(model, arguments, in_process=in_process)

        monkeypatch.setattr(aws.ivs, "_with_faults", noted)

    def count(self, operation: str, **arguments: str) -> int:
        """How often it was called with these arguments."""
        return sum(name == operation and arguments.items() <= given.items() for name, given, _ in self.calls)


class Past:
    """Broadcasts that IVS and S3 know of; the caller decides which of their events arrive."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws

    def broadcast(
        self,
        channel: Channel,
        at: datetime,
        *faults: str,
        seconds: float = 60,
        is_over: bool = True,
        is_recorded: bool = True,
        without: tuple[str, ...] = (),
    ) -> tuple[BroadcastPlan, list[Envelope]]:
        """Play it; returns its plan and its events. `without` are the objects, `start` or `end`, that S3 lacks."""
        plan = plan_broadcast(
            {"arn": channel.arn, "name": str(channel.uuid)},
            bucket=BUCKET if is_recorded else None,
            at=at,
            duration_ms=round(seconds * 1000),
            faults=frozenset(faults),
            window=WINDOW,
        )
        ivs = BroadcastRun(self.aws.ivs.store, s3(), channel.arn, Metadata())  # type: ignore[arg-type]
        happened = steps(plan)
        if not is_over:
            ends = next(step.at for step in happened if isinstance(step, StreamEnds)) - timedelta(seconds=7)
            happened = [step for step in happened if step.at < ends]
        for step in happened:
            if not (isinstance(step, Written) and step.files in without):
                ivs.do(step)
        return plan, events_of(happened)


def reconcile(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """Run the command; returns its exit status, its lines, and what it said on standard error."""
    stdout, stderr = io.StringIO(), io.StringIO()
    status = 0
    try:
        call_command("reconcile", *arguments, stdout=stdout, stderr=stderr)
    except SystemExit as end:
        status = int(end.code or 0)
    except CommandError as error:
        status = 1
        stderr.write(str(error))
    return status, [json.loads(line) for line in stdout.getvalue().splitlines()], stderr.getvalue()


def kinds(lines: list[dict[str, Any]]) -> list[str]:
    """What differed, in the order in which it was found."""
    return [line["kind"] for line in lines]


def tables() -> dict[str, list[str]]:
    """All rows of the service, as JSON texts in an order of their own."""
    return {table: rows(table, hidden) for table, hidden in TABLES.items()}


def rows(table: str, hidden: list[str]) -> list[str]:
    """The rows of a table without these columns."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_jsonb(t) - %s::text[] FROM {table} AS t", [hidden])  # noqa: S608
        return sorted(json.dumps(json.loads(row[0]), sort_keys=True) for row in cursor.fetchall())


def in_aws(aws: LocalAws) -> Any:
    """All that IVS and S3 hold, with the times at which objects were written."""
    with aws.ivs.store.transaction(write=False) as records:
        resources = [tuple(row) for row in records.connection.execute("SELECT * FROM resources ORDER BY id")]
    listed = s3().list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return resources, [(item["Key"], item["ETag"], item["LastModified"]) for item in listed]


def mended(*expected: str) -> list[dict[str, Any]]:
    """Report, repair, and find nothing more; returns the lines of the report.

    The report changes nothing here; the repair finds what the report found.
    """
    before = tables()
    status, found, _ = reconcile()
    assert (status, kinds(found)) == (3, list(expected)), found
    assert tables() == before
    assert all("would" in line for line in found)
    status, repaired, _ = reconcile("--apply")
    assert (status, kinds(repaired)) == (0, list(expected)), repaired
    assert [line["did"] for line in repaired] == [line["would"] for line in found]
    assert reconcile("--apply") == (0, [], "")
    return found
