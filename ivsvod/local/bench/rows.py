"""The rows of the benchmark: the same for the same number, written by COPY."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from django.db import connection

BUCKET = "ivsvod-recordings"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
YEARS = 5
_WORDS = 2000
_TAGS = 200
_LAST_DAY = 150
_VIDEO_COLUMNS = (
    "uuid, ivs_channel_uuid, created_at, active, data, _status, _bucket, _prefix, _started_at, _ended_at, "
    "_duration_ms, _session_id, _stream_ids, _facts, _qa, _visibility, _publish_from, _publish_until, _held, "
    "_awaits_review"
)
_CHANNEL_COLUMNS = (
    "uuid, owner, created_at, active, arn, rtmp_address, stream_key, channel_data, _name, _type, _latency_mode, "
    "_private, _record, _playback_url, _status"
)
_CONTENT_COLUMNS = "uuid, on_demand_video_uuid, created_at, created_by, title, description, tags, thumbnail, _search"
_FACTS = json.dumps({"playlist": "media/hls/master.m3u8", "thumbnails": [f"media/thumbnails/{n}.jpg" for n in (1, 2)]})


def rows_load(videos: int) -> None:
    """Fill an empty database with this number of videos, a channel for each 500 of them, and content for two of three.

    The triggers do not run: the derived columns are written too, so that a million rows take minutes.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        _copy(cursor, "ivs_channels", _CHANNEL_COLUMNS, channels(videos))
        _copy(cursor, "on_demand_videos", _VIDEO_COLUMNS, video_rows(videos))
        _copy(cursor, "on_demand_video_content", _CONTENT_COLUMNS, content_rows(videos))
        cursor.execute(
            "INSERT INTO ondemand_knowntag (tag) "
            "SELECT DISTINCT tag FROM on_demand_video_content, unnest(tags) AS tag WHERE tag <> '' ORDER BY tag"
        )
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")


def _copy(cursor: Any, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def channel_uuid(number: int) -> UUID:
    """Return the uuid of the channel with this number."""
    return UUID(int=0xC0 << 120 | number)


def video_uuid(number: int) -> UUID:
    """Return the uuid of the video with this number, as random as a real one."""
    return UUID(int=Random(number).getrandbits(128))  # noqa: S311  (the same each time)


def channels(videos: int) -> Iterator[tuple[Any, ...]]:
    """Yield the channels, each of another owner."""
    for number in range(_channels(videos)):
        uuid = channel_uuid(number)
        arn = f"arn:aws:ivs:eu-west-1:111122223333:channel/{number:012x}"
        made = NOW - timedelta(days=365 * YEARS)
        shown = (f"Channel {number}", "STANDARD", "LOW", False, True, "", "ready")
        yield (uuid, uuid, made, True, arn, "a.example.com", "", "{}", *shown)


def video_rows(videos: int) -> Iterator[tuple[Any, ...]]:
    """Yield the videos: nine of ten are listed, the others are of every other kind."""
    random = Random(videos)  # noqa: S311
    step = timedelta(days=365 * YEARS) / videos
    for number in range(videos):
        # The last day has as many on a small catalogue as on a large one.
        left = videos - number
        started = NOW - (timedelta(minutes=left) if left <= _LAST_DAY else step * left)
        length = random.randint(60_000, 10_800_000)
        prefix = f"ivs/v1/111122223333/AjIhKtJ0RlgL/{started:%Y/%-m/%-d/%-H/%-M}/{number:010x}"
        channel = channel_uuid(random.randrange(_channels(videos)))
        kind = random.random()
        is_unlisted = random.random() < 0.03
        status = "available" if kind < 0.97 else "failed" if kind < 0.99 else "recording"
        yield (
            video_uuid(number),
            channel,
            started + timedelta(milliseconds=length),
            (random.random() < 0.96) if status == "available" else None,
            "{}",
            status,
            BUCKET,
            prefix,
            started,
            started + timedelta(milliseconds=length),
            length,
            "",
            [f"st-{number:010x}"],
            _FACTS,
            random.choices(("ok", "unverified", "warning", "failed"), (90, 6, 2, 2))[0],
            "unlisted" if is_unlisted else "public",
            started + timedelta(days=3650) if random.random() < 0.005 else None,
            started if random.random() < 0.005 else None,
            random.random() < 0.02,
            is_unlisted and random.random() < 0.3,
        )


def content_rows(videos: int) -> Iterator[tuple[Any, ...]]:
    """Yield content of two of three videos: tags, and words of which a few are frequent and most are rare."""
    random = Random(-videos)  # noqa: S311
    for number in range(videos):
        if number % 3 == 0:
            continue
        words = [f"word{min(int(random.paretovariate(0.7)), _WORDS)}" for _ in range(12)]
        tags = sorted({f"tag{min(int(random.paretovariate(0.8)), _TAGS)}" for _ in range(3)})
        uuid = UUID(int=video_uuid(number).int ^ 1)
        texts = (" ".join(words[:4]), " ".join(words[4:]), tags, "")
        # As `ivsvod_search_vector` computes it: the title counts most, then tags, then the description.
        weighted = (
            [(word, "A") for word in words[:4]] + [(tag, "B") for tag in tags] + [(word, "D") for word in words[4:]]
        )
        positions: dict[str, list[str]] = {}
        for position, (term, weight) in enumerate(weighted, 1):
            positions.setdefault(term, []).append(f"{position}{weight}")
        vector = " ".join(f"'{term}':{','.join(places)}" for term, places in positions.items())
        yield (uuid, video_uuid(number), NOW, UUID(int=0), *texts, vector)


def _channels(videos: int) -> int:
    return videos // 500 + 1
