"""Live streams and the sessions they leave behind.

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StreamSession.html
"""

import json
import sqlite3
from datetime import UTC, datetime

from tools.local.ivs.calls import Call, page, without
from tools.local.ivs.errors import IvsError, not_found
from tools.local.ivs.store import Document, stream_document

MAXIMUM_EVENTS = 500


def _live_session(call: Call) -> sqlite3.Row:
    call.records.get("channel", call["channelArn"])
    session = call.records.live_session(call["channelArn"])
    if session is None:
        raise IvsError("ChannelNotBroadcasting", f"The channel is not broadcasting: {call['channelArn']}")
    return session


def get_stream(call: Call) -> Document:
    return {"stream": stream_document(_live_session(call))}


def list_streams(call: Call) -> Document:
    """Return the live streams, newest first."""
    sessions = _with_places(call.records.sessions(live=True))
    return page(call, "streams", sessions, lambda session: without(stream_document(session), "playbackUrl"))


def _with_places(sessions: list[sqlite3.Row]) -> list[tuple[list[float], sqlite3.Row]]:
    return [([-datetime.fromisoformat(row["started_at"]).timestamp(), -row["id"]], row) for row in sessions]


def stop_stream(call: Call) -> Document:
    """End the stream. A real encoder reconnects by itself while its key exists.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StopStream.html
    """
    call.records.end_session(_live_session(call), ended_at=datetime.now(UTC), stop_requested=True)
    return {}


def list_stream_sessions(call: Call) -> Document:
    """Return the sessions of a channel, newest first; a deleted channel keeps its own."""
    _check_channel(call)
    return page(call, "streamSessions", _with_places(call.records.sessions(call["channelArn"])), _session_times)


def _check_channel(call: Call) -> None:
    arn = call["channelArn"]
    if call.records.find("channel", arn) is None and call.records.latest_session(arn) is None:
        raise not_found(arn)


def _session_times(session: sqlite3.Row) -> Document:
    times = {"streamId": session["stream_id"], "startTime": session["started_at"]}
    return {**times, "endTime": session["ended_at"]} if session["ended_at"] else times


def get_stream_session(call: Call) -> Document:
    """Return one session, by default the latest, with channel and recording configuration as of its start."""
    _check_channel(call)
    arn, stream_id = call["channelArn"], call.get("streamId")
    session = call.records.session(stream_id) if stream_id else call.records.latest_session(arn)
    if session is None or session["channel_arn"] != arn:
        raise not_found(stream_id or f"a stream session of {arn}")
    events = call.records.connection.execute(
        "SELECT * FROM stream_events WHERE stream_id = ? ORDER BY at DESC, id DESC LIMIT ?",
        (session["stream_id"], MAXIMUM_EVENTS),
    )
    document = {
        **_session_times(session),
        "channel": json.loads(session["channel"]),
        "truncatedEvents": [
            {"name": event["name"], "type": event["type"], "eventTime": event["at"]}
            | ({"code": event["code"]} if event["code"] else {})
            for event in events
        ],
    }
    if recording := json.loads(session["recording_configuration"] or "null"):
        document["recordingConfiguration"] = recording
    return {"streamSession": document}
