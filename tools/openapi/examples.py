"""Examples of bodies and answers; a test compares each with its schema."""

from typing import Any

UUID = "6f1f3a52-3c1e-5f0a-9d55-0a7c6f5d8b21"
_CHANNEL_UUID = "0d7e3c1a-4b55-4e9f-8a55-2f1d6c3b9a10"
_OWNER = "8d0c0b3e-5f0a-4d5e-9a53-1c2f5f1c7a10"
_MEDIA = "https://media.example.com/ivs/v1/111122223333/AjIhKtJ0RlgL/2026/3/4/9/5/n4kWpXkXkXkX/media"
_INGEST = "a1b2c3d4e5f6.global-contribute.live-video.net"

CONTENT: dict[str, Any] = {
    "title": "Morning show",
    "description": "News and weather",
    "tags": ["news", "weather"],
    "thumbnail": f"{_MEDIA}/thumbnails/thumb0.jpg",
}
VIDEO: dict[str, Any] = {
    "uuid": UUID,
    "start_time": 1772615100000,
    "duration_seconds": 3600.0,
    "location": f"{_MEDIA}/hls/master.m3u8",
    "active": True,
    "content": CONTENT,
    "channel": _CHANNEL_UUID,
    "channel_name": "Morning show",
    "started_at": "2026-03-04T09:05:00Z",
    "ended_at": "2026-03-04T10:05:00Z",
    "status": "available",
    "visibility": "public",
    "publish_from": None,
    "publish_until": None,
    "listing": "listed",
    "watch_url": f"https://vod.example.com/watch/{UUID}",
    "embed_url": f"https://vod.example.com/embed/{UUID}",
    "playback": "public",
    "thumbnails": [f"{_MEDIA}/thumbnails/thumb0.jpg"],
    "picture": {
        width: f"https://vod.example.com/play/{UUID}/small/{width}/media/thumbnails/thumb0.jpg"
        for width in ("320", "640")
    },
    "renditions": [],
    "stream_ids": ["st-1A2b3C4d5E6f7G8h9I0jKlM"],
    "metadata": {"episode": "12"},
    "chapters": [{"at_ms": 0, "title": "Headlines"}, {"at_ms": 900000, "title": "Weather"}],
    "qa": "unverified",
    "trim": None,
    "edit": None,
    "part_of": None,
    "clip_of": None,
}
JOIN: dict[str, Any] = {"with": ["9c1f6a52-1c1e-4f0a-9d55-0a7c6f5d8b21"]}
CLIP_CREATE: dict[str, Any] = {"start_ms": 600_000, "end_ms": 660_000, "title": "The goal"}
SUGGESTIONS: dict[str, Any] = {"trim": {"start_ms": 42_000, "end_ms": None}, "join": [UUID, *JOIN["with"]]}
CLIP: dict[str, Any] = {
    **VIDEO,
    "uuid": "1b7d6a52-1c1e-4f0a-9d55-0a7c6f5d8b21",
    "duration_seconds": 60,
    "location": "https://vod.example.com/play/1b7d6a52-1c1e-4f0a-9d55-0a7c6f5d8b21/master.m3u8",
    "active": False,
    "listing": "hidden",
    "watch_url": None,
    "embed_url": None,
    "stream_ids": [],
    "edit": [{"recording": UUID, "start_ms": 600_000, "end_ms": 660_000}],
    "clip_of": UUID,
}
VIDEO_CHANGES: dict[str, Any] = {"title": "Morning show", "tags": ["news"], "publish_from": "2026-03-06T06:00:00Z"}
HIT: dict[str, Any] = {
    "on_demand_video_uuid": UUID,
    **CONTENT,
    "location": VIDEO["location"],
    "duration_seconds": 3600.0,
    "start_time": VIDEO["start_time"],
    "rank": 0.6,
    "highlight": "<b>Morning</b> show",
    "chapter": None,
}
GRANT_CREATE: dict[str, Any] = {"viewer": "member-42", "ttl_seconds": 3600}
CREATED_GRANT: dict[str, Any] = {
    "id": "3f0f6a52-1c1e-4f0a-9d55-0a7c6f5d8b21",
    "url": "https://vod.example.com/play/g/AbCdEf-shown-once/master.m3u8",
    "expires_at": "2026-03-04T12:05:00Z",
}
GRANT: dict[str, Any] = {
    "id": CREATED_GRANT["id"],
    "video": UUID,
    "channel": None,
    "viewer": "member-42",
    "created_at": "2026-03-04T11:05:00Z",
    "created_by": _OWNER,
    "expires_at": CREATED_GRANT["expires_at"],
    "revoked_at": None,
    "uses": 2,
    "last_used_at": "2026-03-04T11:20:00Z",
}
EXPLANATION: dict[str, Any] = {
    "listing": "unlisted",
    "sentence": "It is unlisted: it opens by its address alone.",
    "rules": [{"rule": "unlisted", "kept": False, "sentence": "It is unlisted: it opens by its address alone."}],
    "playback": {
        "result": "grant",
        "sentence": "It is played with a grant alone.",
        "delivery": "signed",
        "lasting_grants": 2,
        "rules": [{"rule": "grant", "kept": False, "sentence": "It is played with a grant alone."}],
    },
    "callers": [
        {
            "caller": "anonymous",
            "scopes": [],
            "opens": True,
            "location": False,
            "plays": False,
            "grants": False,
            "sentence": "Opens it, and gets no location.",
        }
    ],
}
STORED_CONTENT: dict[str, Any] = {
    "uuid": "c0a8b1de-7a55-4c0e-9b1f-5a3d2e1f0c9b",
    "on_demand_video_uuid": UUID,
    **CONTENT,
    "created_at": "2026-03-05T08:00:00Z",
}
TAG: dict[str, Any] = {"tag": "news", "count": 12}
LIVE: dict[str, Any] = {"state": "live", "since": "2026-03-04T09:05:00Z", "stream_id": "st-1A2b3C4d5E6f7G8h9I0jKlM"}
LIVE_STATE: dict[str, Any] = {**LIVE, "timestamp": 1772615100000}
CHANNEL: dict[str, Any] = {
    "uuid": _CHANNEL_UUID,
    "name": "Morning show",
    "playback_url": "https://a1b2c3d4e5f6.eu-west-1.playback.live-video.net/api/video/v1/eu-west-1.111122223333.channel.AbCd.m3u8",
    "live": LIVE,
}
MANAGED_CHANNEL: dict[str, Any] = {
    **CHANNEL,
    "owner": _OWNER,
    "arn": "arn:aws:ivs:eu-west-1:111122223333:channel/AbCdEfGhIjKl",
    "rtmpAddress": _INGEST,
    "ingest_url": f"rtmps://{_INGEST}:443/app/",
    "type": "STANDARD",
    "latency_mode": "LOW",
    "private": False,
    "record": True,
    "new_video_state": None,
    "active": True,
    "created_at": "2026-03-01T12:00:00Z",
}
STREAM_KEY: dict[str, Any] = {
    "streamKey": "sk_eu-west-1_AbCdEfGhIjKl_shown-once",
    "rtmpAddress": _INGEST,
    "ingest_url": MANAGED_CHANNEL["ingest_url"],
}
STREAM: dict[str, Any] = {
    "stream_id": LIVE["stream_id"],
    "started_at": "2026-03-04T09:05:00Z",
    "ended_at": "2026-03-04T10:05:00Z",
    "videos": [VIDEO],
}
CREATED_CHANNEL: dict[str, Any] = {**MANAGED_CHANNEL, **STREAM_KEY}
CHANNEL_CREATE: dict[str, Any] = {"name": "Morning show", "userId": _OWNER, "latency_mode": "LOW"}
CHANNEL_CHANGES: dict[str, Any] = {"name": "Evening show", "new_video_state": "unlisted"}
