"""`work_queue`: the queue without Lambda; on moto's SQS in this process, and by HTTP where processes are killed."""

import json
import logging
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command
from django.db import OperationalError
from moto import mock_aws
from moto.server import DomainDispatcherApplication, create_backend_app
from moto.sqs.models import sqs_backends
from psycopg import sql

from channels_app.events import inbox, messages, queue_worker
from channels_app.models import Channel, InboxEvent, StateChange
from common.aws import AwsError, AwsErrorKind
from tests.support.helpers import make_channel
from tests.support.processes import Scratch, connect, scratch_place, served
from tests.support.road import ARN, Envelope, sample, stream_change, text_of
from tools.local.aws import LocalAws
from tools.local.postgres import processes

in_this_process = pytest.mark.django_db
in_processes = pytest.mark.xdist_group("worker")
MAX_RECEIVES = 2
MANY = 30
# `manage.py` without the long poll, after which a worker ends, and with short waits for a database that is away.
IMPATIENT = """
import django, manage, time
django.setup()
from django.db import connection
from channels_app.events import queue_worker
queue_worker.WAIT_SECONDS = 0
queue_worker.sleep = lambda seconds: time.sleep(seconds / 20)
connection.settings_dict["OPTIONS"]["pool"]["timeout"] = 1
manage.main()
"""
GOOD = sample("stream_start")


class BrokenHandler:
    """A bug of ours, which a release will mend."""

    def prepare(self, event: Any) -> None:
        raise RuntimeError("a bug")


@dataclass
class Queue:
    """The queue and its dead-letter queue."""

    sqs: Any
    url: str
    dead_letters: str

    @classmethod
    def make(cls, sqs: Any, *, hidden_seconds: int) -> "Queue":
        dead_letters = sqs.create_queue(QueueName="ivs-dead-letters")["QueueUrl"]
        known = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"]
        policy = {"deadLetterTargetArn": known["QueueArn"], "maxReceiveCount": str(MAX_RECEIVES)}
        attributes = {"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": str(hidden_seconds)}
        return cls(sqs, sqs.create_queue(QueueName="ivs-events", Attributes=attributes)["QueueUrl"], dead_letters)

    def send(self, *items: Any) -> None:
        for first in range(0, len(items), 10):
            batch = enumerate(map(text_of, items[first : first + 10]))
            entries = [{"Id": str(number), "MessageBody": text} for number, text in batch]
            self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)

    @property
    def counts(self) -> tuple[int, int]:
        """How many wait, and how many somebody has in hand."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        waiting, held = (int(found[name]) for name in names)
        return waiting, held

    def show_again(self) -> None:
        """The time is over for which nobody else gets what somebody has received."""
        for known in sqs_backends["123456789012"]["eu-west-1"].queues.values():
            for message in known._messages:
                message.change_visibility(0)

    @property
    def dead(self) -> list[str]:
        reply = self.sqs.receive_message(QueueUrl=self.dead_letters, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in reply.get("Messages", [])]


@cache
def client(url: str | None = None) -> Any:
    """One for all, for making one takes long."""
    return boto3.session.Session().client("sqs", endpoint_url=url)


class Pauses(list[float]):
    """How long was waited, in this process not at all; a worker that goes on for ever is asked to end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.at: dict[int, Callable[[], object]] = {}
        monkeypatch.setattr(queue_worker, "sleep", self.pause)

    def pause(self, seconds: float) -> None:
        self.append(seconds)
        self.at.get(len(self), lambda: None)()
        assert len(self) < 1000


@pytest.fixture
def queue(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    """To be asked for before `aws`: moto's S3 forgets all here."""
    monkeypatch.setattr(queue_worker, "WAIT_SECONDS", 0)
    # The connection of a test in a transaction is kept.
    monkeypatch.setattr(queue_worker, "close_old_connections", lambda: None)
    with mock_aws():
        made = Queue.make(client(), hidden_seconds=0)
        settings.EVENT_QUEUE_URL = made.url
        yield made


@pytest.fixture
def channel(queue: Queue, aws: LocalAws) -> Channel:
    return make_channel(arn=ARN)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    return Pauses(monkeypatch)


def work_until_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `work_queue`, and SIGTERM once nothing comes any more."""
    receive = queue_worker.aws.messages_receive

    def then_end(**values: Any) -> Any:
        found = receive(**values)
        if not found:
            signal.raise_signal(signal.SIGTERM)
        return found

    with monkeypatch.context() as ending:
        ending.setattr(queue_worker.aws, "messages_receive", then_end)
        call_command("work_queue")


def raising(error: BaseException) -> Callable[..., Any]:
    def raise_it(*_: Any, **__: Any) -> Any:
        raise error

    return raise_it


def failing(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *errors: Exception) -> None:
    """The first calls fail so, the others do what they did."""
    call, left = getattr(owner, name), list(errors)

    def once(*arguments: Any, **values: Any) -> Any:
        if left:
            raise left.pop(0)
        return call(*arguments, **values)

    monkeypatch.setattr(owner, name, once)


# What becomes of messages


@in_this_process
def test_events_of_the_queue_are_applied_and_their_messages_deleted(
    channel: Channel, queue: Queue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "channels_app.events.queue_worker")
    queue.send(GOOD, sample("stream_end"), GOOD, stream_change("Stream Start", 9, arn=f"{ARN}x"))

    work_until_empty(monkeypatch)

    assert StateChange.objects.count() == 2
    assert (queue.counts, queue.dead) == ((0, 0), [])
    [line] = [record.getMessage() for record in caplog.records if record.name == "channels_app.events.queue_worker"]
    assert line == "batch processed messages=4 kept=0 applied=2 duplicate=1 parked=1"


@in_this_process
def test_a_batch_is_deleted_by_one_call(channel: Channel, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    make_call = BaseClient._make_api_call
    queue.send(*[stream_change("Session Created", minute) for minute in range(10)])

    def noted(client: Any, name: str, parameters: Any) -> Any:
        calls.append(name)
        return make_call(client, name, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    call_command("work_queue", "--once")

    assert [name for name in calls if "Message" in name] == ["ReceiveMessage", "DeleteMessageBatch"]
    assert queue.counts == (0, 0)


@in_this_process
def test_once_takes_one_batch_and_leaves_the_rest(channel: Channel, queue: Queue) -> None:
    queue.send(*[stream_change("Session Created", minute) for minute in range(12)])

    call_command("work_queue", "--once")

    assert InboxEvent.objects.count() == 10
    assert queue.counts == (2, 0)


@in_this_process
def test_once_with_an_empty_queue_ends_at_once(queue: Queue) -> None:
    call_command("work_queue", "--once")

    assert InboxEvent.objects.count() == 0


@in_this_process
def test_a_poison_message_goes_to_the_dead_letter_queue_and_its_neighbours_do_not(
    channel: Channel, queue: Queue, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = f"{BrokenHandler.__module__}.BrokenHandler"
    settings.EVENT_HANDLERS = {**settings.EVENT_HANDLERS, "IVS Stream Health Change": broken}
    queue.send(GOOD, "{broken", sample("starvation_start"), sample("stream_end"))

    work_until_empty(monkeypatch)

    assert queue.counts == (0, 0)
    assert sorted(queue.dead) == sorted(["{broken", text_of(sample("starvation_start"))])
    attempts = dict(InboxEvent.objects.values_list("outcome", "attempts"))
    assert attempts == {"applied": 1, "refused": MAX_RECEIVES, "failed": MAX_RECEIVES}


@in_this_process
def test_a_message_that_sqs_does_not_delete_comes_again_as_a_duplicate(
    channel: Channel, queue: Queue, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_call, refused = BaseClient._make_api_call, [{"Id": "0", "Code": "InternalError", "SenderFault": False}]

    def refuse_once(client: Any, name: str, parameters: Any) -> Any:
        if name == "DeleteMessageBatch" and refused:
            return {"Failed": [refused.pop()], "ResponseMetadata": {"RequestId": "1"}}
        return make_call(client, name, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", refuse_once)
    queue.send(GOOD)

    work_until_empty(monkeypatch)

    assert (StateChange.objects.count(), queue.counts, queue.dead) == (1, (0, 0), [])


# What is away


@in_this_process
def test_the_worker_waits_longer_each_time_for_the_database_and_logs_it_once(
    channel: Channel, queue: Queue, pauses: Pauses, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "channels_app.events.queue_worker")
    away = [OperationalError("the database is away\nDETAIL: where it is")] * 8
    failing(monkeypatch, queue_worker.connection, "ensure_connection", *away)
    queue.send(GOOD)

    work_until_empty(monkeypatch)

    assert len(pauses) == 1 + 2 + 4 + 8 + 16 + 32 + 60 + 60
    assert [record.getMessage() for record in caplog.records if record.name == "channels_app.events.queue_worker"] == [
        "worker waits: the database is away",
        "batch processed messages=1 kept=0 applied=1",
        "worker goes on",
    ]
    assert (queue.counts, queue.dead) == ((0, 0), [])


@in_this_process
def test_while_the_database_is_away_no_message_is_received(
    channel: Channel, queue: Queue, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, queue_worker.connection, "ensure_connection", *[OperationalError("away")] * (MAX_RECEIVES + 3))
    queue.send(GOOD)
    received = []
    receive = queue_worker.aws.messages_receive
    monkeypatch.setattr(queue_worker.aws, "messages_receive", lambda **values: received.append(1) or receive(**values))

    work_until_empty(monkeypatch)

    assert received == [1, 1]
    assert StateChange.objects.count() == 1


@in_this_process
@pytest.mark.parametrize("is_usable", [True, False])
def test_a_failed_batch_returns_at_once_in_an_outage_and_later_after_a_refusal(
    channel: Channel, queue: Queue, pauses: Pauses, monkeypatch: pytest.MonkeyPatch, is_usable: bool
) -> None:
    attributes = {"VisibilityTimeout": "300"}
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes=attributes)
    queue.send(GOOD, sample("stream_end"))
    monkeypatch.setattr(inbox, "receive", raising(OperationalError("the database is away")))
    monkeypatch.setattr(queue_worker.connection, "is_usable", lambda: is_usable)

    with pytest.raises(CommandError, match="the database is away"):
        call_command("work_queue", "--once")

    assert queue.counts == ((0, 2) if is_usable else (2, 0))


@in_this_process
def test_an_sqs_that_is_away_is_waited_for(
    channel: Channel, queue: Queue, pauses: Pauses, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    errors = [
        AwsError("ReceiveMessage", queue.url, kind, "no") for kind in (AwsErrorKind.TIMEOUT, AwsErrorKind.THROTTLED)
    ]
    failing(monkeypatch, queue_worker.aws, "messages_receive", *errors)
    queue.send(GOOD)

    work_until_empty(monkeypatch)

    assert (StateChange.objects.count(), len(pauses)) == (1, 1 + 2)
    assert f"worker waits: ReceiveMessage of {queue.url}: no (timeout)" in caplog.text


@in_this_process
def test_credentials_that_expire_later_are_waited_for(
    channel: Channel, queue: Queue, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive, replies = queue_worker.aws.messages_receive, iter(["good", "expired"])

    def expiring(**values: Any) -> Any:
        if next(replies, "good") == "expired":
            raise AwsError("ReceiveMessage", queue.url, AwsErrorKind.MISCONFIGURED, "The security token has expired")
        return receive(**values)

    monkeypatch.setattr(queue_worker.aws, "messages_receive", expiring)
    queue.send(*[stream_change("Session Created", minute) for minute in range(11)])

    work_until_empty(monkeypatch)

    assert (InboxEvent.objects.count(), len(pauses)) == (11, 1)


@in_this_process
def test_a_bug_does_not_end_the_worker_and_is_logged_with_its_traceback(
    channel: Channel, queue: Queue, pauses: Pauses, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing(monkeypatch, messages.inbox, "ingest", RuntimeError("a bug"))
    queue.send(GOOD)

    work_until_empty(monkeypatch)

    assert StateChange.objects.count() == 1
    assert "worker waits: a bug" in caplog.text
    assert "Traceback" in caplog.text


@in_this_process
def test_a_worker_that_waits_for_the_database_stops_on_request(
    queue: Queue, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_worker.connection, "ensure_connection", raising(OperationalError("away")))
    pauses.at[20] = lambda: signal.raise_signal(signal.SIGINT)

    call_command("work_queue")

    assert len(pauses) == 20
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# What is misconfigured


def test_without_its_setting_the_worker_is_refused_by_name(settings: Any) -> None:
    settings.EVENT_QUEUE_URL = ""

    with pytest.raises(CommandError, match="EVENT_QUEUE_URL is not set"):
        call_command("work_queue")


@in_this_process
@pytest.mark.parametrize("options", [[], ["--once"]])
def test_a_queue_that_is_not_there_ends_the_worker_and_is_named(
    queue: Queue, settings: Any, options: list[str]
) -> None:
    settings.EVENT_QUEUE_URL = f"{queue.url}-of-another-stage"

    with pytest.raises(CommandError, match=r"ReceiveMessage of .*-of-another-stage: .*\(not_found\)"):
        call_command("work_queue", *options)


@in_this_process
def test_a_queue_that_is_denied_ends_the_worker(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    monkeypatch.setattr(BaseClient, "_make_api_call", raising(ClientError(answer, "ReceiveMessage")))

    with pytest.raises(CommandError, match=r"no \(denied\)"):
        call_command("work_queue")


# Processes


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scratch, str]]:
    """A database, an IVS and an S3, and the address of an SQS."""
    application = DomainDispatcherApplication(create_backend_app)
    folder = tmp_path_factory.mktemp("worker")
    with scratch_place(folder, {ARN: UUID(int=1)}) as scratch, served(application) as url:
        scratch.environment["AWS_ENDPOINT_URL_SQS"] = url
        yield scratch, url


@pytest.fixture
def place(services: tuple[Scratch, str]) -> Iterator[tuple[Scratch, Queue]]:
    """The database without events, and a queue of the test's own."""
    scratch, url = services
    with connect(scratch.environment["PG_DATABASE"]) as database:
        database.execute("TRUNCATE channels_app_inboxevent, channels_app_stream CASCADE")
    sqs = client(url)
    made = Queue.make(sqs, hidden_seconds=600)
    scratch.environment["EVENT_QUEUE_URL"] = made.url
    yield scratch, made
    sqs.delete_queue(QueueUrl=made.url)
    sqs.delete_queue(QueueUrl=made.dead_letters)


def many(first: int = 0) -> list[Envelope]:
    numbers = range(first, first + MANY)
    return [stream_change("Session Created", number, stream_id=f"st-{number:022}") for number in numbers]


def log_until(process: "subprocess.Popen[str]", text: str, *, times: int = 1) -> None:
    """Read what it logs, to the line that has this text for the last time."""
    lines = []
    patience = threading.Timer(60, process.kill)
    patience.start()
    try:
        for line in process.stderr:
            lines.append(line)
            times -= text in line
            if not times:
                return
    finally:
        patience.cancel()
    raise AssertionError("".join(lines))


def work(scratch: Scratch, *options: str) -> "subprocess.Popen[str]":
    """A worker in a process of its own."""
    return scratch.run("work_queue", *options, program=["-c", IMPATIENT])


def end(process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> str:
    process.send_signal(number)
    _, log = process.communicate(timeout=60)
    return log


def outcomes(scratch: Scratch) -> dict[str, int]:
    return dict(scratch.rows("SELECT outcome, count(*) FROM channels_app_inboxevent GROUP BY outcome"))


@contextmanager
def channel_locked(scratch: Scratch) -> Iterator[Callable[[], None]]:
    """Nobody can write an event of the channel; what is given waits until somebody tries to."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with connect(scratch.environment["PG_DATABASE"]) as database, database.transaction():
        database.execute("SELECT FROM ivs_channels FOR UPDATE")
        yield lambda: wait_until(lambda: scratch.rows(waiting) == [(1,)])


def wait_until(condition: Callable[[], bool]) -> None:
    assert processes.wait_until(condition, 60)


@contextmanager
def no_database(scratch: Scratch) -> Iterator[None]:
    """Nobody is connected to it, and nobody can connect."""
    name = scratch.environment["PG_DATABASE"]
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with connect("postgres") as server:
        server.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        server.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


@in_processes
def test_a_worker_that_is_stopped_or_killed_or_has_no_database_loses_and_doubles_nothing(
    place: tuple[Scratch, Queue],
) -> None:
    scratch, queue = place
    queue.send(*many())

    with channel_locked(scratch) as wait:
        stopped = work(scratch)
        wait()
        stopped.send_signal(signal.SIGTERM)
    stopped.communicate(timeout=60)
    # It ended after the batch in hand.
    assert stopped.returncode == 0
    assert (queue.counts, outcomes(scratch)) == ((MANY - 10, 0), {"applied": 10})
    assert scratch.rows("SELECT max(attempts) FROM channels_app_inboxevent") == [(1,)]

    with channel_locked(scratch) as wait:
        killed = work(scratch)
        wait()
        end(killed, signal.SIGKILL)
    assert (killed.returncode, queue.counts) == (-signal.SIGKILL, (MANY - 20, 10))
    queue.show_again()

    worked = work(scratch)
    log_until(worked, "batch processed", times=MANY // 10 - 1)
    with no_database(scratch):
        queue.send(*many(MANY))
        log_until(worked, "worker waits")
        assert queue.counts == (MANY, 0)
    log_until(worked, "worker goes on")
    wait_until(lambda: queue.counts == (0, 0))
    end(worked, signal.SIGINT)

    assert worked.returncode == 0
    assert outcomes(scratch) == {"applied": 2 * MANY}
    assert scratch.rows("SELECT count(*) FROM channels_app_streamhistoryentry") == [(2 * MANY,)]
    assert (queue.counts, queue.dead) == ((0, 0), [])


@in_processes
def test_a_statement_of_the_worker_has_the_limit_of_events(
    place: tuple[Scratch, Queue], monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch, queue = place
    monkeypatch.setitem(scratch.environment, "PG_STATEMENT_TIMEOUT", "1")
    queue.send(stream_change("Session Created", 0))

    with channel_locked(scratch):
        worked = work(scratch, "--once")
        _, log = worked.communicate(timeout=60)

    assert worked.returncode == 0
    assert "batch processed messages=1 kept=1 failed=1" in log
    assert queue.counts == (0, 1)
