"""The tables of the local IVS inside one open transaction."""

import json
import secrets
import sqlite3
import string
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ivsvod.local.ivs.errors import conflict, not_found

Document = dict[str, Any]
# A row with its place in a listing; the next page begins after the last place.
Placed = tuple[int, Document]

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
"""

# IVS filters by one member of the document at most.
SELECT_RESOURCES = """
SELECT id, document FROM resources
WHERE kind = :kind AND id > :after AND (:member IS NULL OR json_extract(document, '$.' || :member) = :value)
ORDER BY id LIMIT :limit
"""
# Newest start first: the local encoder also plays broadcasts that are older than existing ones. The place in the
# listing is the negative id.
SELECT_SESSIONS = """
SELECT *, (SELECT viewers FROM stream_viewers AS watched WHERE watched.stream_id = stream_sessions.stream_id) AS viewers
FROM stream_sessions
WHERE (:channel_arn IS NULL OR channel_arn = :channel_arn) AND (:live = 0 OR ended_at IS NULL)
  AND (:health IS NULL OR health = :health)
  AND (:after = :before_all
       OR (started_at, id) < (SELECT last.started_at, last.id FROM stream_sessions AS last WHERE last.id = -:after))
ORDER BY started_at DESC, id DESC LIMIT :limit
"""
BEFORE_ALL = -(2**62)
NO_LIMIT = -1


def wire_time(at: datetime) -> str:
    """Return ISO 8601 in UTC with a fixed number of digits, so that text sorts as time does."""
    if at.tzinfo is None:
        raise ValueError("A time needs its zone")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def random_id(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


@dataclass(frozen=True)
class Records:
    """The reads and writes of one transaction."""

    connection: sqlite3.Connection
    region: str
    account: str

    # Resources: everything that has an ARN.

    def new_arn(self, kind: str) -> str:
        return f"arn:aws:ivs:{self.region}:{self.account}:{kind}/{random_id(12)}"

    def get(self, kind: str, arn: str) -> Document:
        document = self.find(kind, arn)
        if document is None:
            raise not_found(arn)
        return document

    def find(self, kind: str, arn: str) -> Document | None:
        row = self.connection.execute(
            "SELECT document FROM resources WHERE kind = ? AND arn = ?", (kind, arn)
        ).fetchone()
        return json.loads(row["document"]) if row else None

    def select(
        self,
        kind: str,
        *,
        member: str | None = None,
        value: object = None,
        after: int = BEFORE_ALL,
        limit: int = NO_LIMIT,
    ) -> list[Placed]:
        """Return the resources of one kind whose member has the value, in order of creation."""
        filters = {"kind": kind, "member": member, "value": value, "after": after, "limit": limit}
        rows = self.connection.execute(SELECT_RESOURCES, filters)
        return [(row["id"], json.loads(row["document"])) for row in rows]

    def has(self, kind: str, member: str, value: object) -> bool:
        return bool(self.select(kind, member=member, value=value, limit=1))

    def count(self, kind: str) -> int:
        row = self.connection.execute("SELECT count(*) FROM resources WHERE kind = ?", (kind,)).fetchone()
        return int(row[0])

    def insert(self, kind: str, document: Document) -> None:
        self.connection.execute(
            "INSERT INTO resources (kind, arn, document) VALUES (?, ?, ?)",
            (kind, document["arn"], json.dumps(document)),
        )

    def replace(self, document: Document) -> None:
        self.connection.execute(
            "UPDATE resources SET document = ? WHERE arn = ?", (json.dumps(document), document["arn"])
        )

    def delete(self, arn: str) -> None:
        self.connection.execute("DELETE FROM resources WHERE arn = ?", (arn,))

    # Stream sessions: they outlive their channel.

    def sessions(
        self,
        *,
        channel_arn: str | None = None,
        live: bool = False,
        health: str | None = None,
        after: int = BEFORE_ALL,
        limit: int = NO_LIMIT,
    ) -> list[sqlite3.Row]:
        """Return the sessions with these properties, newest first."""
        filters = {"channel_arn": channel_arn, "live": live, "health": health, "after": after, "limit": limit}
        return self.connection.execute(SELECT_SESSIONS, {**filters, "before_all": BEFORE_ALL}).fetchall()

    def live_session(self, channel_arn: str) -> sqlite3.Row | None:
        return next(iter(self.sessions(channel_arn=channel_arn, live=True, limit=1)), None)

    def latest_session(self, channel_arn: str) -> sqlite3.Row | None:
        return next(iter(self.sessions(channel_arn=channel_arn, limit=1)), None)

    def session(self, stream_id: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.connection.execute(
            "SELECT * FROM stream_sessions WHERE stream_id = ?", (stream_id,)
        ).fetchone()
        return row

    def begin_session(self, *, channel_arn: str, stream_id: str, started_at: datetime) -> None:
        """Start a session that keeps channel and recording configuration as they are now."""
        channel = self.get("channel", channel_arn)
        if self.live_session(channel_arn):
            raise conflict(f"The channel is live already: {channel_arn}")
        recording = self.find("recording-configuration", channel["recordingConfigurationArn"])
        self.connection.execute(
            "INSERT INTO stream_sessions (channel_arn, stream_id, started_at, channel, recording_configuration)"
            " VALUES (?, ?, ?, ?, ?)",
            (channel_arn, stream_id, wire_time(started_at), json.dumps(channel), recording and json.dumps(recording)),
        )

    def end_session(self, session: sqlite3.Row, *, ended_at: datetime, stop_requested: bool) -> None:
        self.connection.execute(
            "UPDATE stream_sessions SET ended_at = ?, stop_requested = ? WHERE id = ?",
            (wire_time(ended_at), stop_requested, session["id"]),
        )

    def add_event(self, stream_id: str, *, name: str, event_type: str, at: datetime, code: str) -> None:
        self.connection.execute(
            "INSERT INTO stream_events (stream_id, name, type, at, code) VALUES (?, ?, ?, ?, ?)",
            (stream_id, name, event_type, wire_time(at), code),
        )

    def events(self, stream_id: str, limit: int = NO_LIMIT) -> list[sqlite3.Row]:
        """Return the events of a stream, newest first."""
        return self.connection.execute(
            "SELECT * FROM stream_events WHERE stream_id = ? ORDER BY at DESC, id DESC LIMIT ?", (stream_id, limit)
        ).fetchall()

    def revoke_viewer(self, channel_arn: str, viewer_id: str, version: int) -> None:
        """Revoke sessions up to this version; the largest version counts."""
        self.connection.execute(
            "INSERT INTO viewer_session_revocations VALUES (?, ?, ?)"
            " ON CONFLICT (channel_arn, viewer_id) DO UPDATE SET version = max(version, excluded.version)",
            (channel_arn, viewer_id, version),
        )

    def revoked_version(self, channel_arn: str, viewer_id: str) -> int | None:
        row = self.connection.execute(
            "SELECT version FROM viewer_session_revocations WHERE channel_arn = ? AND viewer_id = ?",
            (channel_arn, viewer_id),
        ).fetchone()
        return row["version"] if row else None
