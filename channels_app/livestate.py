"""The live state of a channel, from its last stream; pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self


def milliseconds(moment: datetime) -> int:
    """Return Unix time in whole milliseconds, rounded down, without passing through a float."""
    since = moment - datetime.fromtimestamp(0, tz=moment.tzinfo)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


# Prefix of a stream that the trigger makes of a row of the predecessor without a stream id.
UNNAMED = "row-"
LIVE = "live"
OFFLINE = "offline"


@dataclass(frozen=True)
class LiveState:
    """`state` is `live` or `offline`, since `timestamp` in Unix milliseconds (0: unknown)."""

    state: str
    timestamp: int
    since: datetime | None
    stream_id: str | None

    @property
    def document(self) -> dict[str, Any]:
        """Return the content of the live-state file."""
        return {"state": self.state, "timestamp": self.timestamp, "stream_id": self.stream_id}

    @classmethod
    def of(
        cls,
        *,
        stream_id: str | None,
        started_at: datetime | None,
        ended_at: datetime | None,
        created_at: datetime | None,
        is_deleted: bool,
    ) -> Self:
        """Return the live state by the last stream that has a Stream Start or a Stream End; all None if there is none.

        A deleted channel is offline even if the end of its last stream never came; since when is unknown then.
        """
        live = started_at is not None and ended_at is None
        since = started_at if live else ended_at or created_at
        named = None if stream_id is None or stream_id.startswith(UNNAMED) else stream_id
        if live and is_deleted:
            return cls(OFFLINE, 0, None, named)
        return cls(LIVE if live else OFFLINE, milliseconds(since) if since else 0, since, named)
