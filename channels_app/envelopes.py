"""Typed events from EventBridge envelopes of IVS; pure: no database, no clock.

Every event and field: https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from common.rest.times import parse_time

SOURCE = "aws.ivs"
# Events that `reconcile` creates (channels_app/events/synthetic.py). EventBridge lets only AWS send as `aws.…`.
RECONCILED_SOURCE = "ivsvod.reconcile"
RECONCILED_ID = "reconcile:"
DIGEST_ID = "sha256:"
STREAM_STATE = "IVS Stream State Change"
STREAM_HEALTH = "IVS Stream Health Change"
LIMIT_BREACH = "IVS Limit Breach"
RECORDING_STATE = "IVS Recording State Change"
STREAM_START = "Stream Start"
STREAM_END = "Stream End"

# The field of `detail` that holds the name of the event, by detail-type.
NAME_FIELDS = {
    STREAM_STATE: "event_name",
    STREAM_HEALTH: "event_name",
    LIMIT_BREACH: "limit_name",
    RECORDING_STATE: "recording_status",
}
_NEEDS_CHANNEL = {STREAM_STATE, STREAM_HEALTH, RECORDING_STATE}
# The names that IVS documents, each with its detail-type.
DETAIL_TYPES = {
    **dict.fromkeys(("Session Created", STREAM_START, "Session Ended", STREAM_END), STREAM_STATE),
    **dict.fromkeys(("Stream Failure", "Stream Takeover", "Stream Takeover Failure"), STREAM_STATE),
    **dict.fromkeys(("Starvation Start", "Starvation End"), STREAM_HEALTH),
    **dict.fromkeys(("Ingest Bitrate", "Ingest Resolution"), LIMIT_BREACH),
    **dict.fromkeys(("Concurrent Broadcasts", "Concurrent Viewers"), LIMIT_BREACH),
    **dict.fromkeys(("Recording Start", "Recording End"), RECORDING_STATE),
    **dict.fromkeys(("Recording Start Failure", "Recording End Failure"), RECORDING_STATE),
}
# The clock of another machine may be so far ahead.
AHEAD = timedelta(days=1)
# The longest duration that an event may state. IVS ends a recording after 48 hours; a year leaves room, and keeps
# every sum of times in range. `ivsvod_json_milliseconds` has the same bound.
MAX_ACCEPTED_DURATION_MS = 366 * 86_400_000
# A key has up to 1,024 bytes. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
_LONGEST_PREFIX = 1000
# No event is nested deeper than five; the limit of Python depends on the depth of the caller.
_DEEPEST = 100


class MalformedEventError(ValueError):
    """An envelope that IVS could not have sent; the message names the field."""


@dataclass(frozen=True)
class Event:
    """A parsed envelope. `name` is the name of the event in its detail-type, `""` for an undocumented detail-type."""

    id: str
    detail_type: str
    time: datetime
    channel_arn: str
    name: str
    stream_id: str
    detail: Mapping[str, Any]

    @property
    def is_known(self) -> bool:
        """Return whether IVS documents an event of this name and detail-type."""
        return DETAIL_TYPES.get(self.name) == self.detail_type

    @property
    def is_reconciled(self) -> bool:
        """Return whether `reconcile` created it."""
        return is_reconciled_id(self.id)


def is_reconciled_id(event_id: str) -> bool:
    """Return whether the id is of an event that `reconcile` created."""
    return event_id.startswith(RECONCILED_ID)


@dataclass(frozen=True)
class RecordingFields:
    """The fields of an IVS Recording State Change. `prefix` is `""` for Recording Start Failure."""

    bucket: str
    prefix: str
    duration_ms: int
    session_id: str
    stream_ids: tuple[str, ...]


def load_json(text: str) -> Any:
    """Return the JSON document; raise MalformedEventError for NaN, numbers out of range and too deep nesting too."""
    try:
        document = json.loads(text)
        _refuse_unusual(document, _DEEPEST)
    except (ValueError, RecursionError) as error:
        raise MalformedEventError(f"not JSON: {str(error)[:200]}") from None
    return document


def _refuse_unusual(document: Any, levels: int) -> None:
    if isinstance(document, float) and not math.isfinite(document):
        raise ValueError("a number is out of range")
    if levels < 0:
        raise ValueError("it is nested too deep")
    for item in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        _refuse_unusual(item, levels - 1)


def event_id_of(document: Any) -> str | None:
    """Return the id of an envelope; None if it has none that can be a key."""
    value = document.get("id") if isinstance(document, dict) else None
    # The keys of envelopes without an id begin with DIGEST_ID.
    if not isinstance(value, str) or not value.isprintable() or value.startswith(DIGEST_ID):
        return None
    return value if 0 < len(value) <= 200 else None


def parse(document: Any, *, received_at: datetime) -> Event:
    """Return the typed event; raise MalformedEventError if a field is missing, unusable or of a wrong type."""
    if not isinstance(document, dict):
        raise MalformedEventError("the envelope is not an object")
    event_id = event_id_of(document)
    if event_id is None:
        raise MalformedEventError(f"id is missing, begins with {DIGEST_ID}, or is no text of 1 to 200 characters")
    detail_type, source = _text(document, "detail-type", longest=200), document.get("source")
    is_reconciled = is_reconciled_id(event_id)
    if is_reconciled != (source == RECONCILED_SOURCE):
        raise MalformedEventError(f"id begins with {RECONCILED_ID} where source is {RECONCILED_SOURCE}, nowhere else")
    is_of_ivs = is_reconciled or source == SOURCE
    # None: nothing depends on such events, so their detail may be anything.
    name_field = NAME_FIELDS.get(detail_type) if is_of_ivs else None
    detail = document.get("detail")
    if not isinstance(detail, dict):
        if name_field:
            raise MalformedEventError("detail is not an object")
        detail = {}
    # Some public samples name a limit in the field `limit`.
    names = {name_field: detail.get(name_field, detail.get("limit"))} if name_field else {}
    name = _text(names, name_field, longest=200) if name_field else ""
    # An event with an undocumented name needs no more fields.
    needs_channel = detail_type in _NEEDS_CHANNEL and DETAIL_TYPES.get(name) == detail_type
    needs_stream = needs_channel and not (is_reconciled and detail_type == RECORDING_STATE)
    time = _time(document, received_at)
    # The ARN is never in `detail`. Account-level limit breaches have no channel at all.
    arn = next(iter(_texts(document, "resources")), None if needs_channel else "")
    channel_arn = _text({"resources[0]": arn}, "resources[0]", longest=500)
    stream_id = _text(detail, "stream_id", longest=200, default=None if needs_stream else "") if name_field else ""
    if needs_stream and not stream_id:
        raise MalformedEventError("stream_id is empty")
    return Event(
        id=event_id,
        detail_type=detail_type if is_of_ivs else "",
        time=time,
        channel_arn=channel_arn,
        name=name,
        stream_id=stream_id,
        detail=MappingProxyType(jsonb_safe(detail)),
    )


def parse_recording(event: Event) -> RecordingFields:
    """Return the fields of a recording event; raise MalformedEventError if one is missing or has a wrong type."""
    detail = event.detail
    prefix = _text(detail, "recording_s3_key_prefix", longest=_LONGEST_PREFIX).strip("/")
    if len(prefix.encode()) > _LONGEST_PREFIX:
        raise MalformedEventError(f"recording_s3_key_prefix is longer than {_LONGEST_PREFIX} bytes")
    # Absent or null in the payloads of before August 2022, like the streams.
    has_session = detail.get("recording_session_id") is not None
    return RecordingFields(
        bucket=_text(detail, "recording_s3_bucket_name", longest=63),
        prefix=prefix,
        duration_ms=recording_duration_ms(detail),
        session_id=_text(detail, "recording_session_id", longest=200) if has_session else "",
        stream_ids=tuple(sorted({*recording_stream_ids(detail)[:100], event.stream_id} - {""})),
    )


def recording_duration_ms(detail: Mapping[str, Any]) -> int:
    """Return the length in a recording event, 0 if it has none; raise MalformedEventError if it is unusable."""
    duration = whole_milliseconds(detail.get("recording_duration_ms", 0))
    if duration is None:
        raise MalformedEventError("recording_duration_ms is not a number of milliseconds")
    return duration


def recording_stream_ids(detail: Mapping[str, Any]) -> list[str]:
    """Return the stream ids in a recording event, in its order; raise MalformedEventError if they are no texts."""
    return _texts(detail, "recording_session_stream_ids")


def whole_milliseconds(value: Any) -> int | None:
    """Return the length of a recording without its fraction; None if the value is not such a number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 0 <= value <= MAX_ACCEPTED_DURATION_MS else None


def jsonb_safe(value: Any) -> Any:
    """Return the document with the characters that jsonb refuses (NUL, lone surrogates) replaced by U+FFFD."""
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


def _texts(document: Mapping[str, Any], field: str) -> list[str]:
    value = document.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise MalformedEventError(f"{field} is not a list of texts")
    return value


def _time(document: Mapping[str, Any], received_at: datetime) -> datetime:
    value = document.get("time")
    try:
        time = parse_time(value if isinstance(value, str) else "")
    except ValueError:
        raise MalformedEventError("time is missing or not RFC 3339") from None
    if time.year < 2000:
        raise MalformedEventError("time is before IVS existed")
    if time > received_at + AHEAD:
        raise MalformedEventError("time is more than a day ahead")
    return time
