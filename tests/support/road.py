"""Helpers of the tests that follow events: envelopes, the two roads into the inbox, and what they leave in S3."""

import io
import json
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from channels_app.models import Channel, InboxEvent
from ivsvod import lambda_entry
from tools.local.broadcast.events import KINDS, recording_event, sqs_batch, stream_event

Envelope = dict[str, Any]

EVENTS = Path(__file__).resolve().parent / "events"
ARN = "arn:aws:ivs:eu-west-1:111122223333:channel/AjIhKtJ0RlgL"
BUCKET = "ivsvod-recordings"
PREFIX = "ivs/v1/111122223333/AjIhKtJ0RlgL/2026/3/4/9/5/KOmxgJTeKdNn"
STREAM = "st-u8jzPde0IgxLd6GncfBAepf"
NINE = datetime(2026, 3, 4, 9, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """So many minutes after nine."""
    return NINE + timedelta(minutes=minutes)


def sample(name: str, *, detail: dict[str, Any] | None = None, **fields: Any) -> Envelope:
    """The vendor's sample `tests/support/events/<name>.json`, in our bucket, with these fields changed."""
    envelope: Envelope = json.loads((EVENTS / f"{name}.json").read_text())
    if "recording_s3_bucket_name" in envelope["detail"]:
        envelope["detail"]["recording_s3_bucket_name"] = BUCKET
    return {**envelope, **fields, "detail": {**envelope["detail"], **(detail or {})}}


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def stream_change(
    name: Any, minutes: float, *, stream_id: str = STREAM, arn: str = ARN, event_id: str = "", **extra: Any
) -> Envelope:
    """An IVS Stream State Change so many minutes after nine; also one of a name that IVS does not have."""
    event = stream_event(name if name in KINDS else "Stream Start", arn, "room-42", stream_id, at(minutes), **extra)
    return {**event, "id": event_id or event["id"], "detail": {**event["detail"], "event_name": name}}


def recording_change(
    status: Any, minutes: float, *, prefix: str = PREFIX, arn: str = ARN, event_id: str = "", **extra: Any
) -> Envelope:
    """An IVS Recording State Change so many minutes after nine."""
    values = {"bucket": BUCKET, "session_id": "FRIBXuDL7DxtpYlS", "stream_id": STREAM, **extra}
    event = recording_event(status, arn, "room-42", values.pop("stream_id"), at(minutes), prefix=prefix, **values)
    return {**event, "id": event_id or event["id"]}


def text_of(item: Any) -> str:
    return item if isinstance(item, str) else json.dumps(item)


def invoke(event: Any) -> Any:
    """Call the Lambda's handler; the connection of a test in a transaction is kept, as by Django's test client."""
    if not connection.in_atomic_block:
        return lambda_entry.lambda_handler(event, None)
    with (
        patch.object(BaseDatabaseWrapper, "close_if_unusable_or_obsolete"),
        patch.object(connections, "close_all"),
    ):
        return lambda_entry.lambda_handler(event, None)


def lambda_takes(*items: Any) -> list[int]:
    """Deliver envelopes or texts as one SQS batch; returns the positions of those that must come again."""
    batch = sqs_batch([sample("stream_start") for _ in items])
    for record, item in zip(batch["Records"], items, strict=True):
        record["body"] = text_of(item)
    ids = [record["messageId"] for record in batch["Records"]]
    answer = invoke(batch)
    assert list(answer) == ["batchItemFailures"]
    return [ids.index(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


def command(name: str, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Run a command that prints JSON lines; returns its exit status and what it printed."""
    stdout = io.StringIO()
    status = 0
    try:
        call_command(name, *arguments, stdout=stdout)
    except SystemExit as end:
        status = int(end.code or 0)
    return status, [json.loads(line) for line in stdout.getvalue().splitlines()]


def ingest_file(content: str | bytes) -> tuple[int, list[dict[str, Any]]]:
    """Run `ingest_events` on a file with this content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.json"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return command("ingest_events", str(path))


def outcomes(*items: Any) -> list[str]:
    """Deliver envelopes or texts one after the other, each by a file of its own; returns what became of each."""
    return [line["outcome"] for item in items for line in ingest_file(text_of(item))[1]]


def inbox_row(envelope: Envelope) -> InboxEvent:
    return InboxEvent.objects.get(event_id=envelope["id"])


def live(channel: Channel) -> tuple[str, str | None]:
    """The live state and the stream of a channel, as the database has it."""
    state = Channel.objects.with_live_state().get(pk=channel.pk).live_state
    return state.state, state.stream_id


@cache
def s3() -> Any:
    """A client of the local S3, which the fixture `aws` serves."""
    return boto3.session.Session().client("s3")


def put(key: str, body: bytes | dict[str, Any], *, bucket: str = BUCKET) -> None:
    """Write an object, as IVS would."""
    s3().put_object(Bucket=bucket, Key=key, Body=body if isinstance(body, bytes) else json.dumps(body).encode())


def document_in_s3(key: str) -> dict[str, Any] | None:
    """A JSON object; None where there is none."""
    try:
        return json.loads(s3().get_object(Bucket=BUCKET, Key=key)["Body"].read())
    except s3().exceptions.NoSuchKey:
        return None


def live_file(channel: Channel) -> dict[str, Any] | None:
    """What the live-state file of the channel says; None where there is none."""
    return document_in_s3(f"live/{channel.uuid}.json")


def ended_metadata(**hls: Any) -> dict[str, Any]:
    """`events/recording-ended.json` of the recording of the samples.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html#r2s3-json-schema
    """
    return {
        "version": "v1",
        "channel_arn": ARN,
        "recording_started_at": "2026-03-04T09:05:09Z",
        "recording_ended_at": "2026-03-04T10:13:08Z",
        "recording_status": "RECORDING_ENDED",
        "media": {
            "hls": {
                "duration_ms": 3_960_500,
                "path": "media/hls",
                "playlist": "master.m3u8",
                "byte_range_playlist": "byte-range-multivariant.m3u8",
                "renditions": [
                    {
                        "path": name,
                        "playlist": "playlist.m3u8",
                        "byte_range_playlist": "byte-range-variant.m3u8",
                        "resolution_height": height,
                        "resolution_width": width,
                    }
                    for name, width, height in [("720p30", 1280, 720), ("160p30", 284, 160)]
                ],
                **hls,
            },
            "thumbnails": {"path": "media/thumbnails", "resolution_height": 720, "resolution_width": 1280},
            "latest_thumbnail": {
                "path": "media/latest_thumbnail/thumb.jpg",
                "resolution_height": 720,
                "resolution_width": 1280,
            },
        },
    }


def lines(items: Iterable[Any]) -> str:
    return "\n".join(text_of(item) for item in items)
