"""The least that answers a list: a WSGI application of psycopg and orjson, with the bytes and SQL of this service.

It has no middleware, checks nothing, and knows the rows of the benchmark alone.
"""

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import orjson
import psycopg

_LIST = """
    WITH page AS (
        SELECT start_key, video_id FROM ondemand_videoindex
        WHERE listing = 'listed' AND start_key < %(before)s
            AND (publish_from IS NULL OR publish_from <= %(at)s) AND (publish_until IS NULL OR publish_until > %(at)s)
        ORDER BY start_key DESC, video_id DESC LIMIT 26
    )
    SELECT video.uuid, ivs_channel_uuid, video.active, video._status, _prefix, _started_at, _ended_at, _duration_ms,
        _stream_ids, _facts, _qa, _visibility, _metadata, channel._name, title, description, tags, thumbnail
    FROM page JOIN on_demand_videos AS video ON video.uuid = page.video_id
        LEFT JOIN ivs_channels AS channel ON channel.uuid = ivs_channel_uuid
        LEFT JOIN on_demand_video_content AS content ON content.on_demand_video_uuid = video.uuid
    ORDER BY start_key DESC, video_id DESC
"""
_ORIGIN = "http://127.0.0.1"
# As long as a link with a cursor.
_NEXT = "/on-demand?cursor=" + "x" * 220


@cache
def _connection() -> psycopg.Connection:
    connection = psycopg.connect(os.environ["BENCH_CONNINFO"], autocommit=True, prepare_threshold=0)
    connection.adapters.register_loader("jsonb", _JsonLoader)
    return connection


class _JsonLoader(psycopg.adapt.Loader):
    def load(self, data: Any) -> Any:
        return orjson.loads(data)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _document(row: tuple[Any, ...]) -> dict[str, Any]:
    uuid, channel, active, status, prefix, started, ended, length, *others, title, description, tags, thumbnail = row
    streams, facts, qa, visibility, metadata, channel_name = others
    place = f"{os.environ['BENCH_MEDIA']}/{prefix}"
    return {
        "start_time": int(started.timestamp() * 1000),
        "duration_seconds": length // 1000 if length % 1000 == 0 else length / 1000,
        "location": f"{place}/{facts['playlist']}",
        "uuid": uuid,
        "active": active,
        "content": {"title": title, "description": description, "tags": tags, "thumbnail": thumbnail},
        "channel": channel,
        "channel_name": channel_name,
        "started_at": _time(started),
        "ended_at": _time(ended),
        "status": status,
        "visibility": visibility,
        "publish_from": None,
        "publish_until": None,
        "listing": "listed",
        "watch_url": f"{_ORIGIN}/watch/{uuid}",
        "embed_url": f"{_ORIGIN}/embed/{uuid}",
        "playback": "public",
        "thumbnails": [f"{place}/{path}" for path in facts["thumbnails"]],
        "picture": {width: f"{_ORIGIN}/play/{uuid}/small/{width}/{facts['thumbnails'][2]}" for width in ("320", "640")},
        "renditions": facts["renditions"],
        "stream_ids": streams,
        "metadata": metadata,
        "chapters": [],
        "qa": qa,
        **dict.fromkeys(("trim", "edit", "part_of", "clip_of")),
    }


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a list of the videos that started before the time in the query."""
    before = parse_qs(environ["QUERY_STRING"])["started_before"][0]
    rows = _connection().execute(_LIST, {"before": before, "at": datetime.now(UTC)}).fetchall()
    documents = [_document(row) for row in rows[:25]]
    body = orjson.dumps({"data": documents, "page": 1, "pageSize": 25, "next": _NEXT})
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
