"""A storm: many events, shuffled, each delivered up to three times, by workers of which one is killed each second.

`.venv/bin/python tests/support/storm.py --events 20000 --seed 1` says what was delivered, how many workers died, and
what is not as one orderly delivery of each event leaves it. Not part of `make test`, which has smaller ones.

Each worker is a process that takes batches as Lambda does; what it had not answered when it died comes again, as from
SQS. The database is a real one, and S3 is asked by HTTP.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import Pipe, connection
from pathlib import Path
from typing import Any
from uuid import UUID

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support.ports import free_port  # noqa: E402
from tools.local import launch, postgres  # noqa: E402
from tools.local.aws import LocalAws  # noqa: E402
from tools.local.broadcast.events import recording_event, sqs_batch, stream_event  # noqa: E402

BUCKET = "ivsvod-recordings"
CHANNELS = {f"arn:aws:ivs:eu-west-1:111122223333:channel/Channel{n:05}": UUID(int=n) for n in range(1, 21)}
OF_A_BROADCAST = 8
BATCH = 10
Envelope = dict[str, Any]
Places = list[tuple[str, int]]


def broadcasts(events: int) -> Places:
    """Channel and number of each broadcast; all of them have so many events together."""
    arns = list(CHANNELS)
    return [(arns[number % len(arns)], number // len(arns)) for number in range(events // OF_A_BROADCAST)]


def prefix_of(arn: str, number: int) -> str:
    return f"ivs/v1/111122223333/{arn[-12:]}/2026/3/4/{number}/0/KOmxgJTeKdNn"


def broadcast(arn: str, number: int) -> list[Envelope]:
    from tests.support.road import NINE

    stream, begins = f"st-{arn[-5:]}{number:018}", NINE + timedelta(minutes=30 * number)
    known, end = (arn, "", stream), begins + timedelta(minutes=20)
    place = {"bucket": BUCKET, "prefix": prefix_of(arn, number), "session_id": f"SESSION{number}"}
    return [
        stream_event("Session Created", *known, begins),
        stream_event("Stream Start", *known, begins + timedelta(seconds=5)),
        recording_event("Recording Start", *known, begins + timedelta(seconds=7), **place),
        stream_event("Starvation Start", *known, begins + timedelta(minutes=9)),
        stream_event("Starvation End", *known, begins + timedelta(minutes=10)),
        stream_event("Session Ended", *known, end),
        stream_event("Stream End", *known, end + timedelta(seconds=6)),
        recording_event("Recording End", *known, end + timedelta(seconds=9), **place, duration_ms=1_193_000),
    ]


# The stage


def aws_process(aws: LocalAws, port: int) -> int:
    """The local AWS in a process of its own; its pid."""
    from django.core.servers.basehttp import ThreadedWSGIServer

    from tools.local.serving import QuietRequestHandler

    class Silent(QuietRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadedWSGIServer(("127.0.0.1", port), Silent)
    server.set_app(aws)
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        server.serve_forever()
    server.server_close()
    return pid


@contextmanager
def stage() -> Iterator[None]:
    """A PostgreSQL and an AWS of this run alone, the tables, and the channels."""
    launch.ignore_callers_environment(os.environ)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ivsvod-storm-")))
        server = stack.enter_context(postgres.use(home, durable=False))
        aws = LocalAws(home)
        aws.s3.create_bucket(BUCKET)
        port = free_port()
        os.environ.update(launch.stack_environment(home, server, aws.environment(f"http://127.0.0.1:{port}")))
        os.environ["RECORDING_BUCKET"] = BUCKET
        os.environ["DJANGO_SETTINGS_MODULE"] = "ivsvod.settings"
        import logging

        import ivsvod.lambda_entry  # noqa: F401  (sets Django up)

        logging.disable()
        stack.callback(os.kill, aws_process(aws, port), signal.SIGTERM)
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0, interactive=False)
        from tests.support.helpers import make_channel

        for arn, uuid in CHANNELS.items():
            make_channel(uuid=uuid, arn=arn)
        # Nothing that is open goes into the processes of the workers, the threads of the pool least of all.
        connections.close_all()
        connections["default"].close_pool()
        yield
        connections.close_all()


@dataclass
class Worker:
    """A process, our end of its pipe, and the batch that it has not answered yet."""

    pid: int
    pipe: connection.Connection
    batch: list[Envelope]


def work(pipe: connection.Connection) -> None:
    from ivsvod.lambda_entry import lambda_handler

    while True:
        event = sqs_batch(pipe.recv())
        failed = {item["itemIdentifier"] for item in lambda_handler(event, None)["batchItemFailures"]}
        pipe.send([place for place, record in enumerate(event["Records"]) if record["messageId"] in failed])


def hire(batch: list[Envelope]) -> Worker:
    ours, theirs = Pipe()
    pid = os.fork()
    if pid == 0:
        try:
            work(theirs)
        finally:
            os._exit(1)
    theirs.close()
    ours.send(batch)
    return Worker(pid, ours, batch)


def dismiss(worker: Worker) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    os.waitpid(worker.pid, 0)
    worker.pipe.close()


def deliver(deliveries: list[Envelope], chance: random.Random, workers: int) -> int:
    """Until each has been answered; returns how many workers were killed."""
    waiting = [deliveries[at : at + BATCH] for at in range(0, len(deliveries), BATCH)]
    hired: list[Worker] = []
    deaths, next_death = 0, time.monotonic() + 1
    while waiting or hired:
        while waiting and len(hired) < workers:
            hired.append(hire(waiting.pop()))
        ready = connection.wait([worker.pipe for worker in hired], timeout=max(0, next_death - time.monotonic()))
        for worker in [worker for worker in hired if worker.pipe in ready]:
            failed = worker.pipe.recv()
            if failed:
                waiting.insert(0, [worker.batch[place] for place in failed])
            if waiting:
                worker.batch = waiting.pop()
                worker.pipe.send(worker.batch)
            else:
                dismiss(worker)
                hired.remove(worker)
        if hired and time.monotonic() >= next_death:
            victim = hired.pop(chance.randrange(len(hired)))
            dismiss(victim)
            # The queue shows it to somebody else, later.
            waiting.insert(chance.randint(0, len(waiting)), victim.batch)
            deaths, next_death = deaths + 1, next_death + 1
    return deaths


# What is left


def wrong(places: Places, events: list[Envelope], s3: Any) -> list[str]:
    """What is lost, double, stuck or otherwise not as it must be."""
    from channels_app.models import InboxEvent, StateChange, Stream, StreamHistoryEntry
    from ondemand.models import Recording, Video, video_uuid

    outcomes = [*InboxEvent.objects.order_by("outcome").values_list("outcome", flat=True).distinct()]
    found = [f"outcomes {outcomes}"] if outcomes != ["applied"] else []
    expected = {
        InboxEvent: len(events),
        Video: len(places),
        Recording: len(places),
        Stream: len(places),
        StateChange: 2 * len(places),
        StreamHistoryEntry: 4 * len(places),
    }
    counts = {model: model.objects.count() for model in expected}
    found += [f"{model.__name__}: {counts[model]}, not {n}" for model, n in expected.items() if counts[model] != n]
    videos = set(Video.objects.values_list("uuid", "status", "duration_ms", "active"))
    if videos != {(video_uuid(BUCKET, prefix_of(*at)), "available", 1_193_250, True) for at in places}:
        found.append("videos differ")
    for arn, uuid in CHANNELS.items():
        last = max(number for channel, number in places if channel == arn)
        body = json.loads(s3.get_object(Bucket=BUCKET, Key=f"live/{uuid}.json")["Body"].read())
        if body["state"] != "offline" or body["stream_id"] != f"st-{arn[-5:]}{last:018}":
            found.append(f"live state of {uuid}: {body}")
    return found


def main() -> int:
    """Exit 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311
    with stage():
        import boto3

        from tests.support.road import ended_metadata

        s3 = boto3.session.Session().client("s3")
        places = broadcasts(options.events)
        for at in places:
            body = json.dumps(ended_metadata(duration_ms=1_193_250)).encode()
            s3.put_object(Bucket=BUCKET, Key=f"{prefix_of(*at)}/events/recording-ended.json", Body=body)
        events = [event for at in places for event in broadcast(*at)]
        deliveries = [event for event in events for _ in range(chance.randint(1, 3))]
        chance.shuffle(deliveries)
        began = time.monotonic()
        deaths = deliver(deliveries, chance, options.workers)
        seconds = round(time.monotonic() - began)
        found = wrong(places, events, s3)
    said = {"events": len(events), "deliveries": len(deliveries), "killed": deaths, "seconds": seconds, "wrong": found}
    sys.stdout.write(json.dumps(said) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
