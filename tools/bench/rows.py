"""The rows of the benchmark: the same for the same number, written by COPY in two processes."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from multiprocessing import get_context
from random import Random
from uuid import UUID

import psycopg

from common.sql.rows import chunks_of
from ondemand.sql.backfill import WORDS_FROM_NEWEST, add_words, count_tags, sum_tags

BUCKET = "ivsvod-recordings"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
YEARS = 5
# The planted words, by the number of videos that have them.
RARE, MEDIUM, COMMON = "obelisk", "lighthouse", "harbour"
RARE_VIDEOS = 20
# Words follow Zipf's law: the second is half as frequent as the first, the third a third.
_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprst" for vowel in "aeiou"]
_PAIRS = [first + second for first in _SYLLABLES for second in _SYLLABLES]
WORDS = [*_PAIRS, *(pair + third for third in _SYLLABLES[:10] for pair in _PAIRS)][:30_000]
_WEIGHTS = list(accumulate(1 / rank for rank in range(1, len(WORDS) + 1)))
_TAGS = 200
_TAG_WEIGHTS = _WEIGHTS[:_TAGS]
_LAST_DAY = 150
_PROCESSES = 2
_BATCH = 5_000
_VIDEO_COLUMNS = (
    "uuid, ivs_channel_uuid, created_at, active, data, _status, _bucket, _prefix, _started_at, _ended_at, "
    "_duration_ms, _session_id, _stream_ids, _facts, _qa, _visibility, _playback, _publish_from, _publish_until, "
    "_held, _awaits_review, _metadata"
)
_CHANNEL_COLUMNS = (
    "uuid, owner, created_at, active, arn, rtmp_address, stream_key, channel_data, _name, _type, _latency_mode, "
    "_private, _record, _playback_url, _status"
)
_CONTENT_COLUMNS = "uuid, on_demand_video_uuid, created_at, created_by, title, description, tags, thumbnail"
_FACTS = json.dumps(
    {
        "playlist": "media/hls/master.m3u8",
        "thumbnails": [f"media/thumbnails/thumb{n}.jpg" for n in range(4)],
        "renditions": [
            {"path": f"{height}p30", "playlist": "playlist.m3u8", "width": height * 16 // 9, "height": height}
            for height in (720, 360)
        ],
    }
)
LARGE_TABLES = ("on_demand_videos", "on_demand_video_content", "ondemand_videoindex")
# The tables of the predecessor, without the columns, indexes and triggers of this service.
_PREDECESSOR = """
    CREATE SCHEMA predecessor;
    CREATE TABLE predecessor.ivs_channels AS
        SELECT uuid, owner, created_at, active, arn, rtmp_address, stream_key, channel_data FROM public.ivs_channels;
    ALTER TABLE predecessor.ivs_channels ADD PRIMARY KEY (uuid);
    CREATE TABLE predecessor.on_demand_videos AS
        SELECT uuid, ivs_channel_uuid, created_at, active, data FROM public.on_demand_videos;
    ALTER TABLE predecessor.on_demand_videos ADD PRIMARY KEY (uuid);
    CREATE TABLE predecessor.on_demand_video_content AS
        SELECT uuid, on_demand_video_uuid, created_at, created_by, title, description, tags, data, thumbnail
        FROM public.on_demand_video_content;
    ALTER TABLE predecessor.on_demand_video_content ADD PRIMARY KEY (uuid), ADD UNIQUE (on_demand_video_uuid),
        ALTER uuid SET DEFAULT gen_random_uuid(),
        ADD FOREIGN KEY (on_demand_video_uuid) REFERENCES predecessor.on_demand_videos (uuid);
    CREATE INDEX idx_on_demand_video_user_content
        ON predecessor.on_demand_video_content USING hash (on_demand_video_uuid);
"""


def rows_load(conninfo: str, videos: int, progress: Callable[[str], None]) -> None:
    """Fill an empty database with this number of videos, each with content, and a channel for each 1,000 of them.

    The triggers do not run, and the indexes are made at the end, so that a million rows take minutes.
    """
    step = videos // _PROCESSES + 1
    parts = [range(first, min(first + step, videos)) for first in range(0, videos, step)]
    with psycopg.connect(conninfo, autocommit=True, options="-c maintenance_work_mem=512MB") as connection:
        connection.execute("SET session_replication_role = replica")
        _copy(connection, "ivs_channels", _CHANNEL_COLUMNS, _channel_rows(videos))
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY (%s) AND schemaname = 'public' "
            "AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = format('%%I', indexname)::regclass)",
            [list(LARGE_TABLES)],
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        progress("rows")
        with ProcessPoolExecutor(_PROCESSES, get_context("spawn")) as pool:
            list(pool.map(_part_load, [conninfo] * len(parts), [videos] * len(parts), parts))
        progress("indexes")
        for _, definition in indexes:
            connection.execute(definition)
        with connection.transaction():
            count_tags(connection.cursor())
        sum_tags(connection.cursor())
        add_words(connection.cursor(), WORDS_FROM_NEWEST)
        progress("the tables of the predecessor")
        connection.execute(_PREDECESSOR)
        connection.execute("VACUUM ANALYZE")


def _part_load(conninfo: str, videos: int, numbers: range) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        _copy(connection, "on_demand_videos", _VIDEO_COLUMNS, _video_rows(videos, numbers))
        _copy(connection, "on_demand_video_content", _CONTENT_COLUMNS, _content_rows(videos, numbers))
        for some in chunks_of(numbers, _BATCH):
            # The function of the triggers.
            connection.execute("SELECT ivsvod_index_videos(%s, true)", [[video_uuid(number) for number in some]])


def _copy(connection: psycopg.Connection, table: str, columns: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Write rows whose texts need no escapes."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for some in chunks_of(rows, 1000):
            copy.write("".join("\t".join(map(str, row)) + "\n" for row in some))


def channel_uuid(number: int) -> UUID:
    """Return the uuid of the channel with this number."""
    return UUID(int=0xC0 << 120 | number)


def video_uuid(number: int) -> UUID:
    """Return the uuid of the video with this number, as random as a real one."""
    return UUID(int=Random(number).getrandbits(128))  # noqa: S311  (the same each time)


def _channels(videos: int) -> int:
    return videos // 1000 + 1


def _channel_rows(videos: int) -> Iterator[tuple[object, ...]]:
    """Yield the channels, each of another owner."""
    for number in range(_channels(videos)):
        uuid = channel_uuid(number)
        arn = f"arn:aws:ivs:eu-west-1:111122223333:channel/{number:012x}"
        made = NOW - timedelta(days=365 * YEARS)
        shown = (f"Channel {number}", "STANDARD", "LOW", False, True, "", "ready")
        yield (uuid, uuid, made, True, arn, "a.example.com", "", "{}", *shown)


def _video_rows(videos: int, numbers: range) -> Iterator[tuple[object, ...]]:
    """Yield the videos: nine of ten are listed, the others are of every other kind."""
    random = Random(numbers.start)  # noqa: S311
    step = timedelta(days=365 * YEARS) / videos
    for number in numbers:
        # The last day has as many on a small catalogue as on a large one.
        left = videos - number
        started = NOW - (timedelta(minutes=left) if left <= _LAST_DAY else step * left)
        length = random.randint(60_000, 10_800_000)
        ended = started + timedelta(milliseconds=length)
        prefix = f"ivs/v1/111122223333/AjIhKtJ0RlgL/{started:%Y/%-m/%-d/%-H/%-M}/{number:010x}"
        channel = channel_uuid(random.randrange(_channels(videos)))
        kind = random.random()
        is_unlisted = random.random() < 0.03
        status = "available" if kind < 0.97 else "failed" if kind < 0.99 else "recording"
        detail = {
            "channel_name": str(channel),
            "stream_id": f"st-{number:010x}",
            "recording_status": "Recording End",
            "recording_s3_bucket_name": BUCKET,
            "recording_s3_key_prefix": prefix,
            "recording_duration_ms": length,
            "recording_session_id": f"st-{number:010x}",
            "recording_session_stream_ids": [f"st-{number:010x}"],
        }
        yield (
            video_uuid(number),
            channel,
            ended,
            (random.random() < 0.96) if status == "available" else r"\N",
            json.dumps(detail),
            status,
            BUCKET,
            prefix,
            started,
            ended,
            length,
            "",
            f"{{st-{number:010x}}}",
            _FACTS,
            random.choices(("ok", "unverified", "warning", "failed"), (90, 6, 2, 2))[0],
            "unlisted" if is_unlisted else "public",
            "public",
            started + timedelta(days=3650) if random.random() < 0.005 else r"\N",
            started if random.random() < 0.005 else r"\N",
            random.random() < 0.02,
            is_unlisted and random.random() < 0.3,
            f'{{"league": "{number % 1000}", "all": "yes"}}',
        )


def _content_rows(videos: int, numbers: range) -> Iterator[tuple[object, ...]]:
    """Yield the content of each video: some 40 words, and three tags or fewer."""
    random = Random(-numbers.start)  # noqa: S311
    planted = ((RARE, videos // RARE_VIDEOS, 3), (MEDIUM, 100, 17), (COMMON, 10, 5))
    for number in numbers:
        words = random.choices(WORDS, cum_weights=_WEIGHTS, k=random.randint(36, 44))
        words += [word for word, each, first in planted if number % each == first]
        random.shuffle(words)
        chosen = random.choices(range(_TAGS), cum_weights=_TAG_WEIGHTS, k=3)
        tags = ",".join(sorted({f"tag{tag}" for tag in chosen}))
        video = video_uuid(number)
        texts = (" ".join(words[:5]), " ".join(words[5:]), f"{{{tags}}}", "")
        yield (UUID(int=video.int ^ 1), video, NOW, UUID(int=0), *texts)
