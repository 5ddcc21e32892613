"""EventBridge rule, queue, handler, dead-letter queue and back: on moto, which delivers by rules and by receive counts.

What moto does not do is done here: poll the queue as Lambda's event source mapping does.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
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

from channels_app.events import inbox, messages
from channels_app.models import Channel, InboxEvent, StateChange, Stream, StreamHistoryEntry
from common import aws as aws_door
from common.aws import AwsError, AwsErrorKind
from common.aws import sqs as sqs_door
from ondemand.models import Video
from tests.support.helpers import make_channel
from tests.support.road import (
    ARN,
    BUCKET,
    STREAM,
    Envelope,
    command,
    ended_metadata,
    invoke,
    live,
    live_file,
    outcomes,
    put,
    sample,
    stream_change,
    text_of,
    without,
)
from tools.local.aws import LocalAws
from tools.local.broadcast.events import limit_event

pytestmark = pytest.mark.django_db

# ivs.md 1.2: other events of `aws.ivs` are not for us, so the rule names the detail-types as well.
RULE = {
    "source": ["aws.ivs"],
    "detail-type": [
        "IVS Stream State Change",
        "IVS Stream Health Change",
        "IVS Limit Breach",
        "IVS Recording State Change",
    ],
}
MAX_RECEIVES = 2
GOOD = sample("stream_start")


class BrokenHandler:
    """A bug of ours, which a release will mend."""

    def prepare(self, event: Any) -> None:
        raise RuntimeError("a bug")


class Killed(BaseException):
    """What a SIGKILL looks like from inside: no `except Exception` sees it."""


@dataclass
class Queues:
    """The queue, its dead-letter queue, and a mapping of the queue to the Lambda."""

    sqs: Any
    url: str
    dead_letters: str
    invocations: list[list[str]] = field(default_factory=list)

    def poll(self) -> int:
        """One receive, one invocation, and what AWS then does with each message; returns how many there were."""
        messages = self.received(self.url)
        if messages:
            event = {"Records": [_record(message) for message in messages]}
            self.invocations.append([id_in(message["Body"]) for message in messages])
            failed = {item["itemIdentifier"] for item in invoke(event)["batchItemFailures"]}
            for message in messages:
                self._settle(message, must_come_again=message["MessageId"] in failed)
        return len(messages)

    def _settle(self, message: dict[str, Any], *, must_come_again: bool) -> None:
        known = {"QueueUrl": self.url, "ReceiptHandle": message["ReceiptHandle"]}
        if must_come_again:
            self.sqs.change_message_visibility(**known, VisibilityTimeout=0)
        else:
            self.sqs.delete_message(**known)

    def drain(self) -> None:
        """Poll until nothing comes."""
        while self.poll():
            assert len(self.invocations) < 50

    def received(self, url: str, **options: Any) -> list[dict[str, Any]]:
        reply = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], **options)
        return reply.get("Messages", [])

    def dead(self) -> list[str]:
        """The bodies in the dead-letter queue, which anybody may receive, without taking them."""
        return [message["Body"] for message in self.received(self.dead_letters, VisibilityTimeout=0)]

    def bury(self, *items: Any) -> None:
        """Put envelopes or texts into the dead-letter queue."""
        for item in items:
            self.sqs.send_message(QueueUrl=self.dead_letters, MessageBody=text_of(item))


@cache
def client(service: str) -> Any:
    """One for all, for making one takes long."""
    return boto3.session.Session().client(service)


def id_in(body: str) -> str:
    """The id of an envelope; of what is none, the text."""
    try:
        return json.loads(body)["id"]
    except (ValueError, TypeError, KeyError):
        return body


def _record(message: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:ivs-events",
        "awsRegion": "eu-west-1",
    }


@pytest.fixture
def queues(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queues]:
    """The rule, the queue and the dead-letter queue. To be asked for before `aws`: moto's S3 forgets all here."""
    monkeypatch.setattr(sqs_door, "_WAIT_SECONDS", 0)
    with mock_aws():
        sqs, events = client("sqs"), client("events")
        dead_letters = sqs.create_queue(QueueName="ivs-dead-letters")["QueueUrl"]
        redrive_policy = {"deadLetterTargetArn": _arn(sqs, dead_letters), "maxReceiveCount": str(MAX_RECEIVES)}
        url = sqs.create_queue(QueueName="ivs-events", Attributes={"RedrivePolicy": json.dumps(redrive_policy)})
        settings.DEAD_LETTER_QUEUE_URL = dead_letters
        made = Queues(sqs, url["QueueUrl"], dead_letters)
        events.put_rule(Name="ivs-events", EventPattern=json.dumps(RULE))
        events.put_targets(Rule="ivs-events", Targets=[{"Id": "queue", "Arn": _arn(sqs, made.url)}])
        yield made


def _arn(sqs: Any, url: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


@pytest.fixture
def channel(queues: Queues, aws: LocalAws) -> Channel:
    """The channel of the samples; IVS and S3 are there, EventBridge and SQS too."""
    return make_channel(arn=ARN)


def happen(*envelopes: Envelope) -> list[str]:
    """What IVS tells EventBridge; returns the ids that it gave them."""
    entries = [
        {
            "Source": envelope["source"],
            "DetailType": envelope["detail-type"],
            "Time": datetime.fromisoformat(envelope["time"]),
            "Resources": envelope["resources"],
            "Detail": json.dumps(envelope["detail"]),
        }
        for envelope in envelopes
    ]
    reply = client("events").put_events(Entries=entries)
    return [entry["EventId"] for entry in reply["Entries"]]


def broken_health(settings: Any) -> None:
    """From now on every health event fails."""
    broken = f"{BrokenHandler.__module__}.BrokenHandler"
    settings.EVENT_HANDLERS = {**settings.EVENT_HANDLERS, "IVS Stream Health Change": broken}


def row(event_id: str) -> InboxEvent:
    return InboxEvent.objects.get(event_id=event_id)


def run_redrive(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    return command("redrive", *arguments)


def raising(error: BaseException) -> Callable[..., Any]:
    def raise_it(*_: Any, **__: Any) -> Any:
        raise error

    return raise_it


# Rule, queue, handler


def test_a_broadcast_goes_from_the_event_bus_to_the_tables(channel: Channel, queues: Queues) -> None:
    metadata = ended_metadata()
    prefix = sample("recording_end")["detail"]["recording_s3_key_prefix"]
    put(f"{prefix}/events/recording-ended.json", metadata)
    limit = limit_event(
        "Concurrent Viewers",
        datetime.fromisoformat(GOOD["time"]),
        limit_value=15_000,
        exceeded_by=12,
        limit_unit="viewers",
        account="111122223333",
        region="eu-west-1",
    )
    names = ["session_created", "stream_start", "recording_start", "starvation_start", "session_ended", "stream_end"]

    ids = happen(*[sample(name) for name in names], sample("recording_end"), limit)
    queues.drain()

    assert [row(event_id).outcome for event_id in ids] == ["applied"] * 7 + ["ignored"]
    assert [row(event_id).attempts for event_id in ids] == [1] * 8
    assert live(channel) == ("offline", STREAM)
    assert list(StateChange.objects.order_by("timestamp").values_list("state", flat=True)) == ["live", "offline"]
    names = StreamHistoryEntry.objects.order_by("at").values_list("name", flat=True)
    assert list(names) == ["Session Created", "Starvation Start", "Session Ended"]
    assert Video.objects.get().duration_ms == metadata["media"]["hls"]["duration_ms"]
    assert live_file(channel)["state"] == "offline"
    assert queues.dead() == []


def test_events_of_other_kinds_do_not_pass_the_rule(channel: Channel, queues: Queues) -> None:
    stage = {**sample("stream_start"), "detail-type": "IVS Stage Update", "detail": {"event_name": "Participant"}}
    foreign = {**sample("stream_start"), "source": "aws.medialive"}

    happen(stage, foreign)
    queues.drain()

    assert (queues.invocations, InboxEvent.objects.count()) == ([], 0)


def test_a_poison_message_ends_in_the_dead_letter_queue_with_its_reason_in_the_inbox(
    channel: Channel, queues: Queues, settings: Any
) -> None:
    broken_health(settings)
    nameless = sample("stream_end")
    del nameless["detail"]["stream_id"]

    malformed, broken = happen(nameless, sample("starvation_start"))
    queues.sqs.send_message(QueueUrl=queues.url, MessageBody="{broken")
    queues.drain()

    assert (row(malformed).outcome, row(malformed).attempts) == ("refused", MAX_RECEIVES)
    assert "stream_id" in row(malformed).error
    assert (row(broken).outcome, row(broken).error) == ("failed", "RuntimeError: a bug")
    assert InboxEvent.objects.get(event_id__startswith="sha256:").error.startswith("not JSON")
    assert sorted(id_in(body) for body in queues.dead()) == sorted(["{broken", malformed, broken])


def test_the_neighbours_of_a_poison_message_are_applied_once_and_never_again(
    channel: Channel, queues: Queues, settings: Any
) -> None:
    broken_health(settings)

    ids = happen(sample("stream_start"), sample("starvation_start"), sample("session_ended"), sample("stream_end"))
    queues.drain()

    assert [len(batch) for batch in queues.invocations] == [4] + [1] * (MAX_RECEIVES - 1)
    assert [row(event_id).attempts for event_id in ids] == [1, MAX_RECEIVES, 1, 1]
    assert [row(event_id).outcome for event_id in ids] == ["applied", "failed", "applied", "applied"]
    assert (StateChange.objects.count(), Stream.objects.count()) == (2, 1)
    assert [id_in(body) for body in queues.dead()] == [ids[1]]


def test_a_message_that_comes_again_is_a_duplicate(channel: Channel, queues: Queues) -> None:
    [event_id] = happen(sample("stream_start"))
    [message] = queues.received(queues.url, VisibilityTimeout=0)
    # The invocation is done, and the Lambda service dies before it deletes the message.
    assert invoke({"Records": [_record(message)]}) == {"batchItemFailures": []}

    queues.drain()

    assert len(queues.invocations) == 1
    assert (row(event_id).outcome, row(event_id).attempts) == ("applied", 1)
    assert StateChange.objects.count() == 1
    assert outcomes(message["Body"]) == ["duplicate"]
    assert queues.dead() == []


def test_an_event_that_failed_once_is_applied_when_it_comes_again(
    channel: Channel, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    [event_id] = happen(sample("stream_start"))
    with monkeypatch.context() as away:
        away.setattr(
            aws_door, "json_write", raising(AwsError("PutObject", BUCKET, AwsErrorKind.UNAVAILABLE, "S3 is away"))
        )
        queues.poll()
    assert row(event_id).outcome == "failed"

    queues.drain()

    assert (row(event_id).outcome, row(event_id).attempts, row(event_id).error) == ("applied", 2, "")
    assert queues.dead() == []


# The dead-letter queue, and back


def test_failed_messages_are_processed_after_their_cause_is_solved(
    channel: Channel, queues: Queues, settings: Any
) -> None:
    handlers = settings.EVENT_HANDLERS
    broken_health(settings)
    [event_id] = happen(sample("starvation_start"))
    queues.drain()
    assert [id_in(body) for body in queues.dead()] == [event_id]

    settings.EVENT_HANDLERS = handlers
    status, [line] = run_redrive()

    assert status == 0
    assert UUID(line.pop("message_id"))
    assert line == {"event_id": event_id, "outcome": "applied", "reason": ""}
    assert StreamHistoryEntry.objects.get().event_id == event_id
    assert queues.dead() == []
    assert run_redrive() == (0, [])


def test_an_empty_dead_letter_queue_prints_nothing(queues: Queues) -> None:
    assert run_redrive() == (0, [])


def test_every_message_is_reported_and_those_that_must_come_again_stay(
    channel: Channel, queues: Queues, settings: Any
) -> None:
    broken_health(settings)
    elsewhere = stream_change("Stream Start", 5, arn=f"{ARN}x")
    queues.bury(GOOD, GOOD, elsewhere, sample("recording_end"), "{broken", sample("starvation_start"))
    queues.bury(without(sample("stream_end"), "time"), sample("limit_breach_concurrent_viewers"))

    status, printed = run_redrive()

    assert status == 1
    told_of = [(line["event_id"], line["outcome"]) for line in printed]
    assert told_of == [
        (GOOD["id"], "applied"),
        (GOOD["id"], "duplicate"),
        (elsewhere["id"], "parked"),
        (sample("recording_end")["id"], "deferred"),
        (None, "refused"),
        (sample("starvation_start")["id"], "failed"),
        (sample("stream_end")["id"], "refused"),
        (sample("limit_breach_concurrent_viewers")["id"], "ignored"),
    ]
    reasons = [line["reason"] for line in printed]
    assert reasons[0] == reasons[1] == ""
    assert reasons[4].startswith("not JSON")
    assert reasons[5] == "RuntimeError: a bug"
    assert reasons[6].startswith("time is missing")
    staying = ["{broken", sample("starvation_start")["id"], sample("stream_end")["id"]]
    assert [id_in(body) for body in queues.dead()] == staying


def test_a_run_takes_each_message_once_however_often_the_queue_gives_it(
    channel: Channel, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "HIDDEN_SECONDS", 0)
    queues.bury("{broken", "[", "")

    assert [line["outcome"] for line in run_redrive()[1]] == ["refused"] * 3

    assert list(InboxEvent.objects.values_list("attempts", flat=True)) == [1, 1, 1]
    assert len(queues.dead()) == 3


def test_more_messages_than_one_receive_gives_are_all_taken(channel: Channel, queues: Queues) -> None:
    envelopes = [stream_change("Session Created", minute) for minute in range(23)]
    queues.bury(*envelopes)

    status, printed = run_redrive()

    assert (status, [line["event_id"] for line in printed]) == (0, [envelope["id"] for envelope in envelopes])
    assert queues.dead() == []


def test_a_limit_leaves_the_other_messages_in_the_queue(channel: Channel, queues: Queues) -> None:
    queues.bury(*[stream_change("Session Created", minute) for minute in range(14)])

    assert len(run_redrive("--limit", "12")[1]) == 12
    assert len(queues.dead()) == 2
    assert len(run_redrive("--limit", "1")[1]) == 1
    assert len(queues.dead()) == 1


@pytest.mark.parametrize("limit", ["0", "-3"])
def test_a_limit_is_at_least_one(queues: Queues, limit: str) -> None:
    with pytest.raises(CommandError, match="--limit"):
        call_command("redrive", f"--limit={limit}")


def test_without_its_setting_the_command_is_refused_by_name(settings: Any) -> None:
    settings.DEAD_LETTER_QUEUE_URL = ""

    with pytest.raises(CommandError, match="DEAD_LETTER_QUEUE_URL is not set"):
        call_command("redrive")


def test_a_queue_that_is_not_there_is_named(queues: Queues, settings: Any) -> None:
    settings.DEAD_LETTER_QUEUE_URL = f"{queues.dead_letters}-of-another-stage"

    with pytest.raises(CommandError, match=r"ReceiveMessage of .*-of-another-stage: .*\(not_found\)"):
        call_command("redrive")


def test_two_runs_at_once_share_the_messages(channel: Channel, queues: Queues) -> None:
    envelopes = [stream_change("Session Created", minute) for minute in range(13)]
    queues.bury(*envelopes)
    one, other = (messages.queue_redrive(queue_url=queues.dead_letters) for _ in range(2))

    taken = [next(one), next(other), *one, *other]

    assert sorted(item.delivery.event_id for item in taken) == sorted(envelope["id"] for envelope in envelopes)
    assert {item.delivery.outcome for item in taken} == {"applied"}
    assert queues.dead() == []


def test_a_message_of_two_runs_is_applied_once(channel: Channel, queues: Queues) -> None:
    queues.bury(GOOD)
    [early] = aws_door.messages_receive(queue_url=queues.dead_letters, longest=10, hidden_seconds=0)

    assert [line["outcome"] for line in run_redrive()[1]] == ["applied"]
    [delivery] = inbox.ingest([early.body])

    assert delivery.outcome == "duplicate"
    assert StateChange.objects.count() == 1


@pytest.mark.parametrize("last", [0, 1])
def test_a_run_that_is_killed_before_it_deletes_a_message_loses_nothing_and_doubles_nothing(
    channel: Channel, queues: Queues, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    monkeypatch.setattr(messages, "HIDDEN_SECONDS", 0)
    queues.bury(GOOD, sample("stream_end"), "{broken")
    with monkeypatch.context() as killed:
        # Nothing cleans up after a SIGKILL: the messages come back when nobody has deleted them in time.
        killed.setattr(messages, "messages_return", lambda **_: None)
        killed.setattr(aws_door, "messages_delete", deletes_until(last))
        with pytest.raises(Killed):
            run_redrive()

    status, printed = run_redrive()

    expected = [["duplicate", "applied", "refused"], ["duplicate", "refused"]][last]
    assert (status, [line["outcome"] for line in printed]) == (1, expected)
    assert StateChange.objects.count() == 2
    assert queues.dead() == ["{broken"]


def deletes_until(last: int) -> Callable[..., None]:
    """DeleteMessage so many times, then a SIGKILL."""
    delete, deleted = aws_door.messages_delete, []

    def until(**values: Any) -> None:
        if len(deleted) == last:
            raise Killed
        deleted.append(values)
        delete(**values)

    return until


def test_a_database_that_is_away_leaves_every_message_to_be_taken_at_once(
    channel: Channel, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues.bury(GOOD, sample("stream_end"))
    with monkeypatch.context() as away:
        away.setattr(inbox, "receive", raising(OperationalError("the database is away")))
        with pytest.raises(CommandError, match="the database is away"):
            run_redrive()

    assert [line["outcome"] for line in run_redrive()[1]] == ["applied", "applied"]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [("ReceiveMessage", ["applied", "refused"]), ("DeleteMessageBatch", ["duplicate", "refused"])],
)
def test_a_failed_call_is_one_line_of_output_and_the_next_run_goes_on(
    channel: Channel, queues: Queues, monkeypatch: pytest.MonkeyPatch, operation: str, expected: list[str]
) -> None:
    queues.bury(GOOD, "{broken")
    with monkeypatch.context() as away:
        away.setattr("botocore.client.BaseClient._make_api_call", throttled(operation))
        with pytest.raises(
            CommandError,
            match=rf"^{operation.removesuffix('Batch')} of {queues.dead_letters}: Slow down \(throttled\)$",
        ):
            call_command("redrive")

    assert [line["outcome"] for line in run_redrive()[1]] == expected


def test_messages_that_cannot_be_released_are_logged_and_come_back(
    channel: Channel, queues: Queues, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    queues.bury("{broken")
    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", throttled("ChangeMessageVisibilityBatch"))

    status, printed = run_redrive()

    assert (status, [line["outcome"] for line in printed]) == (1, ["refused"])
    assert queues.dead() == []
    assert "messages come back only when their visibility timeout ends" in caplog.text


def throttled(operation: str) -> Callable[..., Any]:
    """Calls of AWS of which this one is refused."""
    make_call = BaseClient._make_api_call
    answer = {
        "Error": {"Code": "RequestThrottled", "Message": "Slow down"},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }

    def make(client: Any, name: str, parameters: Any) -> Any:
        if name == operation:
            raise ClientError(answer, name)
        return make_call(client, name, parameters)

    return make


def test_an_answer_that_is_not_of_sqs_is_no_empty_queue(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", lambda *_: {"ResponseMetadata": {}})

    with pytest.raises(AwsError) as raised:
        aws_door.messages_receive(queue_url=queues.dead_letters, longest=1, hidden_seconds=1)

    assert raised.value.kind is AwsErrorKind.UNAVAILABLE


def test_a_message_shows_neither_its_body_nor_its_receipt_in_a_log(queues: Queues) -> None:
    queues.bury(GOOD)

    [message] = aws_door.messages_receive(queue_url=queues.dead_letters, longest=1, hidden_seconds=1)

    assert repr(message) == f"QueueMessage(message_id='{message.message_id}')"
    assert message.body == text_of(GOOD)
