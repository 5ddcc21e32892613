"""Synthetic events, which `reconcile` creates from facts of IVS and S3; pure.

Their id is a digest of their content, so that the same finding is a duplicate; a real event outranks them.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from channels_app.envelopes import DETAIL_TYPES, NAME_FIELDS, RECONCILED_ID, RECONCILED_SOURCE, RECORDING_STATE


def stream_envelope(
    *, name: str, arn: str, stream_id: str, at: datetime, channel_name: str = "", **detail: Any
) -> dict[str, Any]:
    """Return an event of a stream; its detail-type is that of its name, or a KeyError if IVS has no such event."""
    detail_type = DETAIL_TYPES[name]
    fields = {NAME_FIELDS[detail_type]: name, "channel_name": channel_name, "stream_id": stream_id, **detail}
    return _envelope(detail_type, arn, at, fields, about=[stream_id, name])


def recording_envelope(
    *,
    status: str,
    arn: str,
    at: datetime,
    bucket: str,
    prefix: str,
    duration_ms: int = 0,
    stream_id: str = "",
    stream_ids: Sequence[str] = (),
    session_id: str = "",
    reason: str = "",
    channel_name: str = "",
) -> dict[str, Any]:
    """Return an event of a recording, identified by bucket and prefix; its streams may be unknown."""
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
    if stream_ids:
        detail["recording_session_stream_ids"] = list(stream_ids)
    return _envelope(RECORDING_STATE, arn, at, detail, about=[bucket, prefix, stream_id, status])


def _envelope(detail_type: str, arn: str, at: datetime, detail: dict[str, Any], *, about: list[str]) -> dict[str, Any]:
    time = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    digest = hashlib.sha256("\n".join([detail_type, arn, *about, time]).encode()).hexdigest()
    _, _, _, region, account, _ = arn.split(":", 5)
    return {
        "version": "0",
        "id": f"{RECONCILED_ID}{digest[:40]}",
        "detail-type": detail_type,
        "source": RECONCILED_SOURCE,
        "account": account,
        "time": time,
        "region": region,
        "resources": [arn],
        "detail": detail,
    }
