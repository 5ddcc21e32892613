"""The state of the local IVS: one SQLite file, shared by any number of threads and processes."""

import json
import secrets
import sqlite3
import string
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tools.local.ivs.errors import conflict, not_found

Document = dict[str, Any]

REGION = "eu-west-1"
ACCOUNT = "111122223333"
SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    arn TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS resources_kind ON resources (kind, id);
CREATE TABLE IF NOT EXISTS stream_sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_arn TEXT NOT NULL,
    stream_id TEXT NOT NULL UNIQUE,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    stop_requested INTEGER NOT NULL DEFAULT 0,
    health TEXT NOT NULL DEFAULT 'HEALTHY',
    channel TEXT NOT NULL,
    recording_configuration TEXT
);
CREATE INDEX IF NOT EXISTS stream_sessions_begun ON stream_sessions (channel_arn, started_at, id);
CREATE UNIQUE INDEX IF NOT EXISTS stream_sessions_live ON stream_sessions (channel_arn) WHERE ended_at IS NULL;
CREATE TABLE IF NOT EXISTS stream_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream_id TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    at TEXT NOT NULL,
    code TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS stream_events_stream ON stream_events (stream_id, at, id);
CREATE TABLE IF NOT EXISTS stream_viewers (stream_id TEXT PRIMARY KEY, viewers INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS viewer_session_revocations (
    channel_arn TEXT NOT NULL, viewer_id TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (channel_arn, viewer_id)
);
CREATE TABLE IF NOT EXISTS used_tokens (uuid TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS playback (id INTEGER PRIMARY KEY CHECK (id = 1), base_url TEXT NOT NULL);
"""
# The filter is one member of the document.
SELECT_RESOURCES = """
SELECT id, document FROM resources
WHERE kind = :kind AND (:member IS NULL OR json_extract(document, '$.' || :member) = :value)
ORDER BY id
"""
# The local encoder also plays broadcasts that are older than existing ones, so the newest id is not the newest start.
SELECT_SESSIONS = """
SELECT *, (SELECT viewers FROM stream_viewers AS watched WHERE watched.stream_id = stream_sessions.stream_id) AS viewers
FROM stream_sessions
WHERE (:channel_arn IS NULL OR channel_arn = :channel_arn) AND (:live = 0 OR ended_at IS NULL)
ORDER BY started_at DESC, id DESC
"""
# How long a transaction waits for another one.
BUSY_SECONDS = 30
HEALTH_AFTER_EVENT = {"Starvation Start": "STARVING", "Starvation End": "HEALTHY"}


def wire_time(at: datetime) -> str:
    """Return ISO 8601 in UTC with a fixed number of digits, so that text sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def random_id(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


@dataclass(frozen=True)
class Records:
    """The reads and writes of one transaction."""

    connection: sqlite3.Connection

    # Resources: everything that has an ARN.

    def new_arn(self, kind: str) -> str:
        return f"arn:aws:ivs:{REGION}:{ACCOUNT}:{kind}/{random_id(12)}"

    def get(self, kind: str, arn: str) -> Document:
        document = self.find(kind, arn)
        if document is None:
            raise not_found(arn)
        return document

    def find(self, kind: str, arn: str) -> Document | None:
        query = "SELECT document FROM resources WHERE kind = ? AND arn = ?"
        row = self.connection.execute(query, (kind, arn)).fetchone()
        return json.loads(row["document"]) if row else None

    def select(self, kind: str, member: str | None = None, value: object = None) -> list[tuple[int, Document]]:
        """Return id and document of the resources whose member has the value, in order of creation."""
        rows = self.connection.execute(SELECT_RESOURCES, {"kind": kind, "member": member, "value": value})
        return [(row["id"], json.loads(row["document"])) for row in rows]

    def count(self, kind: str) -> int:
        row = self.connection.execute("SELECT count(*) FROM resources WHERE kind = ?", (kind,)).fetchone()
        return int(row[0])

    def insert(self, kind: str, document: Document) -> None:
        values = (kind, document["arn"], json.dumps(document))
        self.connection.execute("INSERT INTO resources (kind, arn, document) VALUES (?, ?, ?)", values)

    def replace(self, document: Document) -> None:
        values = (json.dumps(document), document["arn"])
        self.connection.execute("UPDATE resources SET document = ? WHERE arn = ?", values)

    def delete(self, arn: str) -> None:
        self.connection.execute("DELETE FROM resources WHERE arn = ?", (arn,))

    def playback_base_url(self) -> str | None:
        """Return the URL that serves live playlists; None if nothing does."""
        row = self.connection.execute("SELECT base_url FROM playback").fetchone()
        return row["base_url"] if row else None

    def revoked_version(self, channel_arn: str, viewer_id: str) -> int | None:
        """Return the version up to which the viewer's sessions are revoked; None if none is."""
        query = "SELECT version FROM viewer_session_revocations WHERE channel_arn = ? AND viewer_id = ?"
        row = self.connection.execute(query, (channel_arn, viewer_id)).fetchone()
        return row["version"] if row else None

    # Stream sessions: they outlive their channel.

    def sessions(self, channel_arn: str | None = None, *, live: bool = False) -> list[sqlite3.Row]:
        """Return the sessions, of all channels without an ARN, newest first."""
        return self.connection.execute(SELECT_SESSIONS, {"channel_arn": channel_arn, "live": live}).fetchall()

    def live_session(self, channel_arn: str) -> sqlite3.Row | None:
        return next(iter(self.sessions(channel_arn, live=True)), None)

    def latest_session(self, channel_arn: str) -> sqlite3.Row | None:
        return next(iter(self.sessions(channel_arn)), None)

    def session(self, stream_id: str) -> sqlite3.Row | None:
        query = "SELECT * FROM stream_sessions WHERE stream_id = ?"
        row: sqlite3.Row | None = self.connection.execute(query, (stream_id,)).fetchone()
        return row

    def end_session(self, session: sqlite3.Row, *, ended_at: datetime, stop_requested: bool) -> None:
        values = (wire_time(ended_at), stop_requested, session["id"])
        self.connection.execute("UPDATE stream_sessions SET ended_at = ?, stop_requested = ? WHERE id = ?", values)

    def add_event(self, stream_id: str, *, name: str, event_type: str, at: datetime, code: str) -> None:
        values = (stream_id, name, event_type, wire_time(at), code)
        self.connection.execute(
            "INSERT INTO stream_events (stream_id, name, type, at, code) VALUES (?, ?, ?, ?, ?)", values
        )


class IvsStore:
    """Channels, keys and streams in a file, and the effects of an encoder on them.

    The encoder's side has no API in AWS: IVS itself does this when a broadcaster connects.
    https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html
    """

    def __init__(self, path: Path) -> None:
        self.path = path
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
            yield Records(connection)
            connection.execute("COMMIT")

    def serve_playback(self, base_url: str) -> None:
        """Give all channels, those to come too, a playback URL below this one: that of the demo, which has a port."""
        with self.transaction() as records:
            records.connection.execute("INSERT OR REPLACE INTO playback VALUES (1, ?)", (base_url,))
            for _, channel in records.select("channel"):
                playlist = channel["playbackUrl"].rpartition("/")[2]
                records.replace({**channel, "playbackUrl": f"{base_url}/{playlist}"})

    def channel_by_key(self, stream_key_value: str) -> Document | None:
        """Return the channel that a broadcaster with this stream key reaches."""
        with self.transaction(write=False) as records:
            keys = records.select("stream-key", "value", stream_key_value)
            return records.find("channel", keys[0][1]["channelArn"]) if keys else None

    def stream_begin(self, channel_arn: str, *, started_at: datetime, stream_id: str | None = None) -> str:
        """Go live, with channel and recording configuration as they are now.

        Raises:
            IvsError: the channel is unknown or live already.
        """
        stream_id = stream_id or f"st-{random_id(23)}"
        with self.transaction() as records:
            channel = records.get("channel", channel_arn)
            if records.live_session(channel_arn):
                raise conflict(f"The channel is live already: {channel_arn}")
            recording = records.find("recording-configuration", channel["recordingConfigurationArn"])
            records.connection.execute(
                "INSERT INTO stream_sessions (channel_arn, stream_id, started_at, channel, recording_configuration)"
                " VALUES (?, ?, ?, ?, ?)",
                (channel_arn, stream_id, wire_time(started_at), json.dumps(channel), json.dumps(recording)),
            )
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
        """Add to the session's truncatedEvents. An event may come before its stream begins, and belong to no stream.

        https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StreamEvent.html
        """
        with self.transaction() as records:
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
            times = [(row["started_at"], row["ended_at"]) for row in records.sessions(channel_arn)]
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


def stream_document(session: sqlite3.Row) -> Document:
    """https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_Stream.html"""
    return {
        "channelArn": session["channel_arn"],
        "streamId": session["stream_id"],
        "playbackUrl": json.loads(session["channel"])["playbackUrl"],
        "startTime": session["started_at"],
        "state": "LIVE",
        "health": session["health"],
        "viewerCount": session["viewers"] or 0,
    }
