"""Several processes ingest the same events in different orders, on one real database and over one AWS by HTTP."""

import json
import random
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ondemand.models import video_uuid
from tests.support.helpers import THOROUGH
from tests.support.processes import Scratch, scratch_place
from tests.support.road import BUCKET, NINE, Envelope, ended_metadata, lines
from tools.local.aws import LocalAws
from tools.local.broadcast.events import recording_event, stream_event

pytestmark = pytest.mark.slow

PROCESSES = 6 if THOROUGH else 2
KILLED = 3 if THOROUGH else 2
CHANNELS = {
    f"arn:aws:ivs:eu-west-1:111122223333:channel/Channel{n:05}": UUID(int=n) for n in range(1, 6 if THOROUGH else 4)
}
BROADCASTS = 8 if THOROUGH else 2  # of each channel
EVENTS = len(CHANNELS) * BROADCASTS * 5


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    with scratch_place(tmp_path, CHANNELS) as made:
        yield made


def history() -> tuple[list[Envelope], dict[str, dict[str, Any]]]:
    """Broadcasts one after the other on each channel; the last is still live, and every third has metadata already."""
    events: list[Envelope] = []
    objects: dict[str, dict[str, Any]] = {}
    for arn in CHANNELS:
        for number in range(BROADCASTS):
            begins = NINE + timedelta(hours=number)
            stream = f"st-{arn[-5:]}{number:018}"
            prefix = f"ivs/v1/111122223333/{arn[-12:]}/2026/3/4/{9 + number}/0/KOmxgJTeKdNn"
            place = {"bucket": BUCKET, "prefix": prefix, "session_id": f"SESSION{number}"}
            end = begins + timedelta(minutes=50)
            events += [
                stream_event("Session Created", arn, "", stream, begins),
                stream_event("Stream Start", arn, "", stream, begins + timedelta(seconds=5)),
                recording_event("Recording Start", arn, "", stream, begins + timedelta(seconds=7), **place),
                recording_event("Recording End", arn, "", stream, end, **place, duration_ms=2_990_000),
                stream_event("Session Ended" if number == BROADCASTS - 1 else "Stream End", arn, "", stream, end),
            ]
            if number % 3 == 0:
                objects[f"{prefix}/events/recording-ended.json"] = ended_metadata(duration_ms=2_990_250)
    return events, objects


def put_all(aws: LocalAws, objects: dict[str, dict[str, Any]], url: str) -> None:
    """Write the objects by HTTP, as IVS would."""
    import boto3

    client = boto3.session.Session().client(
        "s3", endpoint_url=url, region_name="eu-west-1", aws_access_key_id="local", aws_secret_access_key="local"
    )
    for key, document in objects.items():
        client.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(document).encode())


def start_all(
    scratch: Scratch, events: list[Envelope], folder: Path, chance: random.Random, processes: int
) -> list[Any]:
    """One process for each order of the events."""
    workers = []
    for number in range(processes):
        path = folder / f"order-{number}.jsonl"
        path.write_text(lines(chance.sample(events, len(events))))
        workers.append(scratch.run("ingest_events", str(path)))
    return workers


def check_everything(scratch: Scratch, objects: dict[str, dict[str, Any]]) -> None:
    """One row a recording, one live state and file a channel, nothing failed, none double."""
    outcomes = dict(scratch.rows("SELECT outcome, count(*) FROM channels_app_inboxevent GROUP BY outcome"))
    without_metadata = len(CHANNELS) * BROADCASTS - len(objects)
    assert outcomes == {"applied": EVENTS - without_metadata, "deferred": without_metadata}
    videos = scratch.rows("SELECT uuid, _prefix, _status, _duration_ms, _duplicate_of, active FROM on_demand_videos")
    assert len(videos) == len({prefix for _, prefix, *_ in videos}) == len(CHANNELS) * BROADCASTS
    for uuid, prefix, status, duration_ms, duplicate_of, active in videos:
        read = f"{prefix}/events/recording-ended.json" in objects
        assert uuid == video_uuid(BUCKET, prefix)
        assert (status, duplicate_of, active) == ("available", None, True)
        assert duration_ms == (2_990_250 if read else 2_990_000)
    assert scratch.rows("SELECT count(*) FROM ondemand_recording") == [(len(videos),)]
    assert scratch.rows("SELECT count(*) FROM channels_app_stream") == [(len(videos),)]
    # A start and an end of each stream, but for the last of each channel, which has not ended.
    changes = len(CHANNELS) * (2 * BROADCASTS - 1)
    assert scratch.rows("SELECT count(*), count(DISTINCT _event_id) FROM ivs_state_changes") == [(changes, changes)]
    last = NINE + timedelta(hours=BROADCASTS - 1, seconds=5)
    for arn, uuid in CHANNELS.items():
        [stored] = scratch.aws.s3.journal.objects(f"live/{uuid}.json")
        assert json.loads(stored.body) == {
            "state": "live",
            "timestamp": int(last.timestamp() * 1000),
            "stream_id": f"st-{arn[-5:]}{BROADCASTS - 1:018}",
        }


def test_events_that_killed_and_then_several_processes_ingest_in_different_orders_leave_one_row_a_recording(
    scratch: Scratch, tmp_path: Path
) -> None:
    events, objects = history()
    assert len(events) == EVENTS
    put_all(scratch.aws, objects, scratch.environment["AWS_ENDPOINT_URL_S3"])
    chance = random.Random(11)  # noqa: S311

    killed = start_all(scratch, events, tmp_path, chance, KILLED)
    for worker in killed:
        # After so many events: somewhere between storing the next one, writing it and publishing it.
        for _ in range(chance.randint(1, EVENTS // 5)):
            worker.stdout.readline()
        worker.send_signal(signal.SIGKILL)
    for worker in killed:
        worker.communicate()
    assert [worker.returncode for worker in killed] == [-signal.SIGKILL] * KILLED

    # Everything comes again.
    workers = start_all(scratch, events, tmp_path, chance, PROCESSES)
    said = [worker.communicate() for worker in workers]

    assert [worker.returncode for worker in workers] == [0] * PROCESSES, said[0][1][-3000:]
    for stdout, _ in said:
        outcomes = [json.loads(line)["outcome"] for line in stdout.splitlines()]
        assert len(outcomes) == EVENTS
        assert set(outcomes) <= {"applied", "duplicate", "deferred"}
    check_everything(scratch, objects)
