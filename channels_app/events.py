"""EventBridge envelopes of IVS as typed values; pure: no database, no clock.

Every event and field: https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NoReturn

SOURCE = "aws.ivs"
# What `reconcile` found out later (channels_app/reconciled.py). EventBridge lets nobody but AWS send as `aws.…`.
RECONCILED_SOURCE = "ivsvod.reconcile"
RECONCILED_ID = "reconcile:"
STREAM_STATE = "IVS Stream State Change"
STREAM_HEALTH = "IVS Stream Health Change"
LIMIT_BREACH = "IVS Limit Breach"
RECORDING_STATE = "IVS Recording State Change"

# The field of `detail` that says what happened, by detail-type.
_NAME_FIELDS = {
    STREAM_STATE: "event_name",
    STREAM_HEALTH: "event_name",
    LIMIT_BREACH: "limit_name",
    RECORDING_STATE: "recording_status",
}
_NEEDS_CHANNEL = {STREAM_STATE, STREAM_HEALTH, RECORDING_STATE}
# The names that IVS documents, each with its detail-type.
DETAIL_TYPES = {
    **dict.fromkeys(
        (
            "Session Created",
            "Stream Start",
            "Session Ended",
            "Stream End",
            "Stream Failure",
            "Stream Takeover",
            "Stream Takeover Failure",
        ),
        STREAM_STATE,
    ),
    **dict.fromkeys(("Starvation Start", "Starvation End"), STREAM_HEALTH),
    **dict.fromkeys(
        ("Ingest Bitrate", "Ingest Resolution", "Concurrent Broadcasts", "Concurrent Viewers"), LIMIT_BREACH
    ),
    **dict.fromkeys(
        ("Recording Start", "Recording End", "Recording Start Failure", "Recording End Failure"), RECORDING_STATE
    ),
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
# What a clock of another machine may be ahead.
_AHEAD = timedelta(days=1)
# A recording is cut after 48 hours; a year leaves room and keeps every sum of times in range.
_LONGEST_MS = 366 * 86_400_000
# No event is nested deeper than five; Python's own limit falls with the depth of its caller.
_DEEPEST = 100


class MalformedEventError(ValueError):
    """An envelope that IVS could not have sent; the message names the field."""


@dataclass(frozen=True)
class Event:
    """One envelope. `name` is the discriminator of its detail-type, `""` where the detail-type has none."""

    id: str
    detail_type: str
    time: datetime
    channel_arn: str
    name: str
    stream_id: str
    detail: Mapping[str, Any]

    @property
    def is_known(self) -> bool:
        """Whether IVS documents an event of this name and detail-type."""
        return DETAIL_TYPES.get(self.name) == self.detail_type

    @property
    def is_reconciled(self) -> bool:
        """Whether `reconcile` made it of what IVS or S3 still knew."""
        return self.id.startswith(RECONCILED_ID)


def name_field(detail_type: str) -> str:
    """The field of `detail` that says what happened."""
    return _NAME_FIELDS[detail_type]


@dataclass(frozen=True)
class RecordingFields:
    """The fields of an IVS Recording State Change. `prefix` is `""` for Recording Start Failure."""

    bucket: str
    prefix: str
    duration_ms: int
    session_id: str
    stream_ids: tuple[str, ...]


def load_json(text: str) -> Any:
    """The JSON document.

    Raises:
        MalformedEventError: not JSON, or JSON with NaN, numbers out of range, or depth that no event has.
    """
    try:
        document = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        _refuse_depth(document, _DEEPEST)
    except (ValueError, RecursionError) as error:
        raise MalformedEventError(f"not JSON: {str(error)[:200]}") from None
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


def _refuse_depth(document: Any, left: int) -> None:
    if left < 0:
        raise ValueError("it is nested too deep")
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    for item in inner:
        _refuse_depth(item, left - 1)


def event_id_of(document: Any) -> str | None:
    """The id that an envelope carries; None where it has none that can be a key."""
    value = document.get("id") if isinstance(document, dict) else None
    return value if isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable() else None


def parse(document: Any, *, received_at: datetime) -> Event:
    """The typed event.

    Raises:
        MalformedEventError: no id, no usable time, a time more than a day after `received_at`, or a wrong type.
    """
    if not isinstance(document, dict):
        raise MalformedEventError("the envelope is not an object")
    event_id = event_id_of(document)
    if event_id is None:
        raise MalformedEventError("id is missing or no text of 1 to 200 printable characters")
    detail_type = _text(document, "detail-type", longest=200)
    detail = document.get("detail")
    if not isinstance(detail, dict):
        raise MalformedEventError("detail is not an object")
    is_reconciled = _is_reconciled(document, event_id)
    told_of_ivs = is_reconciled or document.get("source") == SOURCE
    ours = told_of_ivs and detail_type in _NAME_FIELDS
    needs_stream = detail_type in _NEEDS_CHANNEL and not (is_reconciled and detail_type == RECORDING_STATE)
    return Event(
        id=event_id,
        detail_type=detail_type if told_of_ivs else "",
        time=_time(document, received_at),
        channel_arn=_channel_arn(document, required=ours and detail_type in _NEEDS_CHANNEL),
        name=_text(detail, _NAME_FIELDS[detail_type], longest=200) if ours else "",
        stream_id=_stream_id(detail, required=needs_stream) if ours else "",
        detail=MappingProxyType(jsonb_safe(detail)),
    )


def _is_reconciled(document: Mapping[str, Any], event_id: str) -> bool:
    if event_id.startswith(RECONCILED_ID) != (document.get("source") == RECONCILED_SOURCE):
        raise MalformedEventError(f"id begins with {RECONCILED_ID} where source is {RECONCILED_SOURCE}, nowhere else")
    return event_id.startswith(RECONCILED_ID)


def parse_recording(event: Event) -> RecordingFields:
    """The fields of a recording event.

    Raises:
        MalformedEventError: a field is missing or has a wrong type.
    """
    detail = event.detail
    session_id = _text(detail, "recording_session_id", longest=200, default="")
    duration = detail.get("recording_duration_ms", 0)
    if isinstance(duration, bool) or not isinstance(duration, int) or not 0 <= duration <= _LONGEST_MS:
        raise MalformedEventError("recording_duration_ms is not a number of milliseconds")
    stream_ids = detail.get("recording_session_stream_ids", [])
    if not isinstance(stream_ids, list) or not all(isinstance(item, str) for item in stream_ids):
        raise MalformedEventError("recording_session_stream_ids is not a list of texts")
    return RecordingFields(
        bucket=_text(detail, "recording_s3_bucket_name", longest=63),
        prefix=_text(detail, "recording_s3_key_prefix", longest=1000).strip("/"),
        duration_ms=duration,
        session_id=session_id,
        stream_ids=tuple(sorted({*stream_ids[:100], event.stream_id} - {""})),
    )


def jsonb_safe(value: Any) -> Any:
    """The document with what jsonb refuses (NUL, lone surrogates) replaced by U+FFFD."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {jsonb_safe(key): jsonb_safe(item) for key, item in value.items()}
    if isinstance(value, list):
        return [jsonb_safe(item) for item in value]
    return value


def _text(document: Mapping[str, Any], field: str, *, longest: int, default: str | None = None) -> str:
    value = document.get(field, default)
    if not isinstance(value, str):
        raise MalformedEventError(f"{field} is missing or not a text")
    if len(value) > longest or not value.isprintable():
        raise MalformedEventError(f"{field} is longer than {longest} characters or holds control characters")
    return value


def _time(document: Mapping[str, Any], received_at: datetime) -> datetime:
    value = document.get("time")
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise MalformedEventError("time is missing or not RFC 3339")
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise MalformedEventError("time is not a moment") from None
    if moment.year < 2000:
        raise MalformedEventError("time is before IVS existed")
    if moment > received_at + _AHEAD:
        raise MalformedEventError("time is more than a day ahead")
    return moment


def _channel_arn(document: Mapping[str, Any], *, required: bool) -> str:
    # The ARN is never in `detail`. Account-level limit breaches have no channel at all.
    resources = document.get("resources", [])
    if not isinstance(resources, list) or not all(isinstance(item, str) for item in resources):
        raise MalformedEventError("resources is not a list of texts")
    if not resources and not required:
        return ""
    return _text({"resources[0]": resources[0] if resources else None}, "resources[0]", longest=500)


def _stream_id(detail: Mapping[str, Any], *, required: bool) -> str:
    stream_id = _text(detail, "stream_id", longest=200, default=None if required else "")
    if required and not stream_id:
        raise MalformedEventError("stream_id is empty")
    return stream_id
