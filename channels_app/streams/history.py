"""The history of a stream: its events beside start and end; pure."""

from collections.abc import Mapping
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from channels_app.envelopes import Event


class HistoryKind(TextChoices):
    SESSION = "session", _("session")
    TAKEOVER = "takeover", _("takeover")
    FAILURE = "failure", _("failure")
    HEALTH = "health", _("health")
    LIMIT = "limit", _("limit")


# By the name of the event; other events are not in the history.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html
KINDS = {
    "Session Created": HistoryKind.SESSION,
    "Session Ended": HistoryKind.SESSION,
    "Stream Takeover": HistoryKind.TAKEOVER,
    "Stream Takeover Failure": HistoryKind.FAILURE,
    "Stream Failure": HistoryKind.FAILURE,
    "Recording Start Failure": HistoryKind.FAILURE,
    "Recording End Failure": HistoryKind.FAILURE,
    "Starvation Start": HistoryKind.HEALTH,
    "Starvation End": HistoryKind.HEALTH,
    "Ingest Bitrate": HistoryKind.LIMIT,
    "Ingest Resolution": HistoryKind.LIMIT,
}
# The fields of the reason: a sentence in Stream Failure, else a code.
_REASONS = ("reason", "code", "recording_status_reason")
_LONGEST_TEXT = 1000
_LARGEST = 2**53


def history_detail(event: Event) -> dict[str, Any]:
    """Return `reason`, or of a limit `limit_value`, `exceeded_by` and `limit_unit`; None for unusable values."""
    detail = event.detail
    reason = next((text for name in _REASONS if (text := _text(detail, name))), None)
    if KINDS[event.name] is not HistoryKind.LIMIT:
        return {"reason": reason}
    numbers = {name: _number(detail, name) for name in ("limit_value", "exceeded_by")}
    return {**numbers, "limit_unit": _text(detail, "limit_unit")}


def _text(detail: Mapping[str, Any], name: str) -> str | None:
    value = detail.get(name)
    return value[:_LONGEST_TEXT] if isinstance(value, str) and value else None


def _number(detail: Mapping[str, Any], name: str) -> int | float | None:
    value = detail.get(name)
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST
    return value if usable else None
