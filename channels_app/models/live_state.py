"""The live state of a channel."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(time: datetime) -> int:
    """Return Unix time in whole milliseconds, rounded down, exact because no float is used."""
    since = time - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


# Prefix of the id of a stream that the trigger creates for a row of the predecessor without a stream id.
UNNAMED = "row-"
LIVE = "live"
OFFLINE = "offline"


@dataclass(frozen=True)
class LiveState:
    """The live state of a channel, as the view `ivsvod_live_states` decides it."""

    # The stream that decides it; None if the channel never streamed.
    last_stream_id: str | None
    state: str
    # None if unknown.
    since: datetime | None

    @property
    def stream_id(self) -> str | None:
        """Return the id that IVS gave the stream; None if unknown."""
        return None if self.last_stream_id is None else shown_stream_id(self.last_stream_id)

    @property
    def timestamp(self) -> int:
        """Return `since` in Unix milliseconds; 0 if unknown."""
        return milliseconds(self.since) if self.since else 0

    @property
    def document(self) -> dict[str, Any]:
        """Return the content of the live-state file."""
        return {"state": self.state, "timestamp": self.timestamp, "stream_id": self.stream_id}


def shown_stream_id(stream_id: str) -> str | None:
    """Return the id that IVS gave a stream; None if the predecessor recorded it without its id."""
    return None if stream_id.startswith(UNNAMED) else stream_id
