"""Live streams and the sessions they leave behind.

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StreamSession.html
"""

import json
import sqlite3

from ivsvod.local.ivs.calls import Call, page, without
from ivsvod.local.ivs.errors import IvsError, not_found
from ivsvod.local.ivs.records import Document, Placed

MAXIMUM_EVENTS = 500
# The sample encoder's values; nothing here looks into the video.
VIDEO: Document = {
    "avcProfile": "High",
    "avcLevel": "4.2",
    "codec": "avc1.64002A",
    "encoder": "ivsvod local encoder",
    "targetBitrate": 4_000_000,
    "targetFramerate": 30,
    "videoHeight": 720,
    "videoWidth": 1280,
    "level": "4.2",
    "profile": "High",
    "track": "Track0",
}
AUDIO: Document = {
    "codec": "mp4a.40.2",
    "targetBitrate": 128_000,
    "sampleRate": 48_000,
    "channels": 2,
    "track": "Track0",
}


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
    health = call.get("filterBy", {}).get("health")

    def select(after: int, limit: int) -> list[Placed]:
        sessions = call.records.sessions(live=True, health=health, after=after, limit=limit)
        return [(-session["id"], without(stream_document(session), "playbackUrl")) for session in sessions]

    return page(call, "streams", select)


def stop_stream(call: Call) -> Document:
    """End the stream. A real encoder reconnects by itself while its key exists.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StopStream.html
    """
    call.records.end_session(_live_session(call), ended_at=call.now, stop_requested=True)
    return {}


def list_stream_sessions(call: Call) -> Document:
    """Return the sessions of a channel, newest first; a deleted channel keeps its own."""
    _check_channel(call)

    def select(after: int, limit: int) -> list[Placed]:
        sessions = call.records.sessions(channel_arn=call["channelArn"], after=after, limit=limit)
        return [(-session["id"], summary(session)) for session in sessions]

    def summary(session: sqlite3.Row) -> Document:
        events = call.records.events(session["stream_id"])
        failed = any(event["name"].endswith("Failure") or event["type"] == "IVS Limit Breach" for event in events)
        return {**_session_times(session), "hasErrorEvent": failed}

    return page(call, "streamSessions", select)


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
    document = {
        **_session_times(session),
        "channel": json.loads(session["channel"]),
        "ingestConfiguration": {"video": VIDEO, "audio": AUDIO},
        "ingestConfigurations": {"videoConfigurations": [VIDEO], "audioConfigurations": [AUDIO]},
        "truncatedEvents": [
            {"name": event["name"], "type": event["type"], "eventTime": event["at"]}
            | ({"code": event["code"]} if event["code"] else {})
            for event in call.records.events(session["stream_id"], MAXIMUM_EVENTS)
        ],
    }
    if session["recording_configuration"]:
        document["recordingConfiguration"] = json.loads(session["recording_configuration"])
    return {"streamSession": document}
