"""EventBridge envelopes as Amazon IVS sends them, and the SQS batch in which Lambda receives them.

https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

Envelope = dict[str, Any]

# The detail-type of each event, by its name.
KINDS = {
    "Session Created": "IVS Stream State Change",
    "Stream Start": "IVS Stream State Change",
    "Session Ended": "IVS Stream State Change",
    "Stream End": "IVS Stream State Change",
    "Stream Failure": "IVS Stream State Change",
    "Stream Takeover": "IVS Stream State Change",
    "Stream Takeover Failure": "IVS Stream State Change",
    "Starvation Start": "IVS Stream Health Change",
    "Starvation End": "IVS Stream Health Change",
    "Ingest Bitrate": "IVS Limit Breach",
    "Ingest Resolution": "IVS Limit Breach",
    "Concurrent Broadcasts": "IVS Limit Breach",
    "Concurrent Viewers": "IVS Limit Breach",
    "Recording Start": "IVS Recording State Change",
    "Recording End": "IVS Recording State Change",
    "Recording Start Failure": "IVS Recording State Change",
    "Recording End Failure": "IVS Recording State Change",
}


def event_name(envelope: Envelope) -> str:
    """Return the name of the event, which is in a field of `detail` that depends on its kind."""
    detail = envelope["detail"]
    return str(detail.get("event_name") or detail.get("recording_status") or detail["limit_name"])


def rfc3339(at: datetime) -> str:
    """Return the time in UTC as IVS writes it: whole seconds and a Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stream_event(
    name: str,
    channel_arn: str,
    channel_name: str,
    stream_id: str,
    at: datetime,
    **extra: str,
) -> Envelope:
    """Return a change of the state or health of a stream; `extra` is the `reason` or `code` of a failure."""
    detail = {"event_name": name, "channel_name": channel_name, "stream_id": stream_id, **extra}
    return _envelope(name, channel_arn, detail, at)


def limit_event(
    name: str,
    at: datetime,
    *,
    account: str,
    region: str,
    channel_arn: str | None = None,
    **detail: Any,
) -> Envelope:
    """Return the breach of a quota. Only the two ingest limits belong to a channel; the others name no resource."""
    return _envelope(name, channel_arn, {"limit_name": name, **detail}, at, account, region)


def recording_event(
    status: str,
    channel_arn: str,
    channel_name: str,
    stream_id: str,
    at: datetime,
    *,
    bucket: str,
    prefix: str,
    session_id: str,
    duration_ms: int = 0,
    stream_ids: Sequence[str] | None = None,
    reason: str = "",
) -> Envelope:
    """Return a change of a recording's state. A start failure has no prefix; only Recording End lists the streams."""
    detail: dict[str, Any] = {
        "channel_name": channel_name,
        "stream_id": stream_id,
        "recording_status": status,
        "recording_status_reason": reason,
        "recording_s3_bucket_name": bucket,
        "recording_s3_key_prefix": prefix,
        "recording_duration_ms": duration_ms,
        "recording_session_id": session_id,
    }
    if stream_ids is not None:
        detail["recording_session_stream_ids"] = list(stream_ids)
    return _envelope(status, channel_arn, detail, at)


def sqs_batch(envelopes: Iterable[Envelope], *, queue: str = "ivs-events") -> dict[str, Any]:
    """Return the envelopes as one Lambda event of an SQS source, one record each.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    records = []
    for envelope in envelopes:
        body = json.dumps(envelope)
        sent = str(int(datetime.fromisoformat(envelope["time"]).timestamp() * 1000))
        record = {
            "messageId": str(uuid.uuid4()),
            "receiptHandle": uuid.uuid4().hex,
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": sent,
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": sent,
            },
            "messageAttributes": {},
            "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:{envelope['region']}:{envelope['account']}:{queue}",
            "awsRegion": envelope["region"],
        }
        records.append(record)
    return {"Records": records}


def _envelope(
    name: str,
    channel_arn: str | None,
    detail: dict[str, Any],
    at: datetime,
    account: str = "",
    region: str = "",
) -> Envelope:
    """Return an envelope, by default of the account and the region of the channel."""
    if channel_arn:
        _, _, _, region, account, _ = channel_arn.split(":", 5)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": KINDS[name],
        "source": "aws.ivs",
        "account": account,
        "time": rfc3339(at),
        "region": region,
        "resources": [channel_arn] if channel_arn else [],
        "detail": detail,
    }
