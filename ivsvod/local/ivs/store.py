"""The state of the local IVS: one SQLite file, shared by any number of threads and processes."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from ivsvod.local.ivs.errors import not_found
from ivsvod.local.ivs.records import SCHEMA, Document, Records, random_id
from ivsvod.local.ivs.streams import stream_document

# How long a transaction waits for another one.
BUSY_SECONDS = 30
HEALTH_AFTER_EVENT = {"Starvation Start": "STARVING", "Starvation End": "HEALTHY"}


class IvsStore:
    """Channels, keys and streams in a file, and the effects of an encoder on them.

    The encoder's side has no API in AWS: IVS itself does this when a broadcaster connects.
    https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html
    """

    def __init__(self, path: Path, *, region: str = "eu-west-1", account: str = "111122223333") -> None:
        self.path = path
        self.region = region
        self.account = account
        path.parent.mkdir(parents=True, exist_ok=True)
        # Stream keys are in it.
        path.touch(mode=0o600)
        with self._connection() as connection:
            # Under one lock from the start: processes that open a new store at once wait for each other.
            connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA}; COMMIT;")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        # One connection a transaction: nothing to share between threads, nothing to inherit by a fork, nothing to leak.
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            # A crash of the machine may lose the last calls; a killed process loses nothing.
            connection.execute("PRAGMA synchronous = OFF")
            yield connection
        finally:
            connection.close()

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Records]:
        """Open a short transaction; an exception inside undoes it, because closing the connection rolls back."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            yield Records(connection, region=self.region, account=self.account)
            connection.execute("COMMIT")

    def channel_by_key(self, stream_key_value: str) -> Document | None:
        """Return the channel that a broadcaster with this stream key reaches."""
        with self.transaction(write=False) as records:
            keys = records.select("stream-key", member="value", value=stream_key_value, limit=1)
            return records.find("channel", keys[0][1]["channelArn"]) if keys else None

    def stream_begin(self, channel_arn: str, *, started_at: datetime, stream_id: str | None = None) -> str:
        """Go live; raises IvsError when the channel is unknown or live already."""
        stream_id = stream_id or f"st-{random_id(23)}"
        with self.transaction() as records:
            records.begin_session(channel_arn=channel_arn, stream_id=stream_id, started_at=started_at)
        return stream_id

    def stream_end(self, channel_arn: str, *, ended_at: datetime, stream_id: str | None = None) -> None:
        """Go offline. After StopStream this only corrects the time; a channel that is not live stays as it is.

        Without `stream_id` it is the stream that is live, or the latest one.
        """
        with self.transaction() as records:
            latest = records.live_session(channel_arn) or records.latest_session(channel_arn)
            session = records.session(stream_id) if stream_id else latest
            if session and (session["ended_at"] is None or session["stop_requested"]):
                records.end_session(session, ended_at=ended_at, stop_requested=bool(session["stop_requested"]))

    def session_event(self, stream_id: str, *, name: str, type: str, at: datetime, code: str = "") -> None:  # noqa: A002 -- IVS calls it so
        """Add to the session's truncatedEvents.

        https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StreamEvent.html
        """
        with self.transaction() as records:
            if records.session(stream_id) is None:
                raise not_found(stream_id)
            records.add_event(stream_id, name=name, event_type=type, at=at, code=code)
            if name in HEALTH_AFTER_EVENT:
                health = "UPDATE stream_sessions SET health = ? WHERE stream_id = ?"
                records.connection.execute(health, (HEALTH_AFTER_EVENT[name], stream_id))

    def set_viewers(self, channel_arn: str, viewers: int) -> None:
        """Set the number of viewers of the live stream; -1 means that IVS cannot count them in time."""
        with self.transaction() as records:
            session = records.live_session(channel_arn)
            if session is None:
                raise not_found(f"a live stream of {channel_arn}")
            counted = (session["stream_id"], viewers)
            records.connection.execute("INSERT OR REPLACE INTO stream_viewers VALUES (?, ?)", counted)

    def stream_of(self, channel_arn: str) -> Document | None:
        """Return the live stream as GetStream shows it."""
        with self.transaction(write=False) as records:
            session = records.live_session(channel_arn)
            return stream_document(session) if session else None

    def session_times(self, channel_arn: str) -> list[tuple[datetime, datetime | None]]:
        """Return start and end of each stream of the channel, the newest first; a live one has no end."""
        with self.transaction(write=False) as records:
            times = [(row["started_at"], row["ended_at"]) for row in records.sessions(channel_arn=channel_arn)]
        read = datetime.fromisoformat
        return [(read(started_at), read(ended_at) if ended_at else None) for started_at, ended_at in times]

    def recording_bucket(self, channel_arn: str) -> str | None:
        """Return the bucket of the channel's recordings; None if it is not recorded, or does not exist."""
        configuration = self._recording_configuration(channel_arn)
        return configuration["destinationConfiguration"]["s3"]["bucketName"] if configuration else None

    def reconnect_window(self, channel_arn: str) -> timedelta:
        """Return how long a recording waits for its encoder to reconnect; zero by default, and without a recording."""
        configuration = self._recording_configuration(channel_arn) or {}
        return timedelta(seconds=configuration.get("recordingReconnectWindowSeconds", 0))

    def _recording_configuration(self, channel_arn: str) -> Document | None:
        with self.transaction(write=False) as records:
            channel = records.find("channel", channel_arn) or {}
            return records.find("recording-configuration", channel.get("recordingConfigurationArn", ""))

    def stop_requested(self, channel_arn: str) -> bool:
        """Return whether StopStream ended the channel's latest stream."""
        with self.transaction(write=False) as records:
            session = records.latest_session(channel_arn)
            return bool(session and session["stop_requested"])

    def revoked_version(self, channel_arn: str, viewer_id: str) -> int | None:
        """Return the version up to which the viewer's sessions are revoked; None if none is."""
        with self.transaction(write=False) as records:
            return records.revoked_version(channel_arn, viewer_id)
