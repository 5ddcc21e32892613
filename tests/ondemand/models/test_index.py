"""The index of videos and the counts of tags, against their slow definitions, after any writes by any program."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from itertools import permutations, product
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels_app.models import Channel
from ondemand.models import Content, TagCount, Video, VideoIndex
from ondemand.models.publication import Listing
from ondemand.videos.services import VideoNotFoundError, content_replace, video_hide, video_show
from tests.support.helpers import OWNER, THOROUGH, make_channel, make_content, make_video
from tests.support.predecessor.statements import set_active, upsert_content
from tests.support.processes import connect
from tests.support.road import command
from tools.local.aws import LocalAws
from tools.local.postgres.processes import wait_until

pytestmark = pytest.mark.slow

# The counts of tags forget what was before, so this is the time of PostgreSQL.
NOW = datetime.now(UTC)
OLDEST = datetime(1900, 1, 1, tzinfo=UTC)
CHANNELS, VIDEOS = [UUID(int=number) for number in (1, 2)], [UUID(int=number) for number in (11, 12, 13, 14)]
VECTORS = """
SELECT video.uuid, index.search = ivsvod_search_vector(
    content.title, content.description, coalesce(content.tags, '{}'), channel._name,
    ivsvod_chapter_titles(video._chapters))
FROM on_demand_videos AS video
LEFT JOIN ondemand_videoindex AS index ON index.video_id = video.uuid
LEFT JOIN on_demand_video_content AS content ON content.on_demand_video_uuid = video.uuid
LEFT JOIN ivs_channels AS channel ON channel.uuid = video.ivs_channel_uuid
    AND channel.active AND NOT channel._private AND channel._status = 'ready'
"""


def sql(statement: str, *values: Any) -> None:
    """Write as the predecessor, or by hand."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def index_row(video: Video) -> tuple[Any, ...]:
    """Return the row that the index should have, without the vector."""
    undecided = [None] if video.status != "available" else []
    is_open = video.duplicate_of_id is None and video.held in {False, *undecided}
    is_open &= video.visibility in {"public", *undecided}
    content = video.own_content
    window = video.publish_from, video.publish_until
    video.publish_from = video.publish_until = None
    listing = video.listing_at(NOW).value
    video.publish_from, video.publish_until = window
    title = content.shown_title[:100].lower() if content else ""
    tags = sorted(set(content.shown_tags), key=str.encode) if content else []
    times = (*window, video.started_at or OLDEST)
    state = listing, video.status, video.active, is_open
    return (video.pk, video.channel_id, *state, *times, video.duration_ms or 0, title or None, tags, video.metadata)


def assert_right() -> None:
    """The index, the lists that are read from it, and the counts of tags are as the slow definitions say."""
    videos = list(Video.objects.select_related("content").order_by("pk"))
    names = ("publish_from", "publish_until", "start_key", "length_key", "title_key", "tags", "metadata")
    state = ("listing", "status", "active", "is_open")
    rows = VideoIndex.objects.order_by("pk").values_list("video_id", "channel_id", *state, *names)
    assert list(rows) == [index_row(video) for video in videos]
    with connection.cursor() as cursor:
        cursor.execute(VECTORS)
        assert dict(cursor.fetchall()) == {video.pk: True for video in videos}
    listed = {video.pk for video in videos if video.listing_at(NOW) == Listing.LISTED}
    assert set(VideoIndex.objects.listed(NOW).values_list("pk", flat=True)) == listed
    for at in (NOW, NOW + timedelta(hours=1), NOW + timedelta(days=1)):
        assert tag_counts(at) == fresh_tag_counts(videos, at)


def tag_counts(at: datetime) -> dict[str, tuple[int, int]]:
    """Return the numbers of videos and of listed ones with each tag, from their counts."""
    listed = {row["tag"]: row["count"] for row in TagCount.objects.listed(at)}
    return {row["tag"]: (row["uses"], listed.get(row["tag"], 0)) for row in TagCount.objects.in_use()}


def fresh_tag_counts(videos: Sequence[Video], at: datetime) -> dict[str, tuple[int, int]]:
    tags = {video.pk: index_row(video)[-2] for video in videos}
    total = Counter(tag for video in videos for tag in tags[video.pk])
    listed = Counter(tag for video in videos if video.listing_at(at) == Listing.LISTED for tag in tags[video.pk])
    return {tag: (count, listed[tag]) for tag, count in total.items()}


def checked() -> str:
    """Run `backfill --index`, and return its last line."""
    written = StringIO()
    call_command("backfill", "--index", stdout=written)
    return written.getvalue().splitlines()[-1]


# Any sequence of writes. A row that a write needs and that is missing lets it do nothing.


def insert_as_predecessor(video: UUID, channel: UUID | None, prefix: str) -> None:
    data = f'{{"recording_s3_bucket_name": "b", "recording_s3_key_prefix": "{prefix}", "recording_duration_ms": 60000}}'
    statement = "INSERT INTO on_demand_videos (uuid, ivs_channel_uuid, data) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
    sql(statement, video, channel, data)


def insert(video: UUID, values: dict[str, Any]) -> None:
    if not Video.objects.filter(pk=video).exists():
        make_video(uuid=video, **values)


def content_as_predecessor(video: UUID, title: Any, description: Any, tags: Any) -> None:
    if Video.objects.filter(pk=video).exists():
        upsert_content(connection.connection, video=video, title=title, description=description, tags=tags)


def content_as_service(video: UUID, title: Any, description: Any, tags: Any) -> None:
    values = {"title": title or "", "description": description or "", "tags": [tag for tag in tags or [] if tag]}
    with suppress(VideoNotFoundError):
        content_replace(video_uuid=video, by=OWNER, values={**values, "thumbnail": ""})


def shown(video: UUID, write: Callable[..., Any]) -> None:
    with suppress(VideoNotFoundError):
        write(video_uuid=video)


def content_moved(source: UUID, target: UUID) -> None:
    if Video.objects.filter(pk=target, content=None).exists():
        Content.objects.filter(video=source).update(video=target)


def channel_written(channel: UUID, name: Any, private: bool) -> None:
    if not Channel.objects.filter(pk=channel).update(name=name, private=private):
        make_channel(uuid=channel, name=name, private=private)


a_video, videos = st.sampled_from(VIDEOS), st.lists(st.sampled_from(VIDEOS), min_size=1, max_size=4)
a_channel = st.sampled_from(CHANNELS)
texts = st.sampled_from([None, "", "Opening night", "ÉTÉ à Köln", "日本の朝", "x" * 3000, "a b " * 400])
tags = st.none() | st.lists(st.sampled_from([None, "", "news", "News", "two words", "日本", "t" * 300]), max_size=4)
flags = st.sampled_from([None, True, False])
times = st.sampled_from([None, NOW - timedelta(days=2), NOW, NOW + timedelta(days=1)])
columns = st.fixed_dictionaries(
    {},
    optional={
        "channel_id": st.none() | a_channel,
        "status": st.sampled_from(Video.Status.values),
        "active": flags,
        "held": flags,
        "visibility": st.sampled_from([None, *Video.Visibility.values]),
        "publish_from": times,
        "publish_until": times,
        "started_at": times,
        "duration_ms": st.sampled_from([None, 0, 5, 2**40]),
        "duplicate_of_id": st.none() | a_video,
        "qa": st.sampled_from(Video.Qa.values),
        "metadata": st.sampled_from([{}, {"league": "7"}, {"league": "7", "all": "yes"}]),
        "chapters": st.sampled_from([None, 7, [None, {"title": 5}], [{"at_ms": 0, "title": "Ocean"}]]),
    },
)


def calls(write: Callable[..., object], *values: st.SearchStrategy[Any]) -> st.SearchStrategy[Callable[[], object]]:
    return st.builds(partial, st.just(write), *values)


WRITES = st.one_of(
    calls(insert_as_predecessor, a_video, st.none() | a_channel, st.sampled_from(["", "ivs/one", "ivs/two"])),
    calls(insert, a_video, columns.map(lambda values: {**values, "prefix": "ivs/one"})),
    calls(lambda uuids, values: Video.objects.filter(pk__in=uuids).update(**{"qa": "ok", **values}), videos, columns),
    calls(lambda uuid, active: set_active(connection.connection, video=uuid, active=active), a_video, flags),
    calls(shown, a_video, st.sampled_from([video_hide, video_show])),
    calls(lambda uuids: Video.objects.filter(pk__in=uuids).delete(), videos),
    calls(content_as_predecessor, a_video, texts, texts, tags),
    calls(content_as_service, a_video, texts, texts, tags),
    calls(lambda uuids, tags: Content.objects.filter(video__in=uuids).update(tags=tags), videos, tags),
    calls(content_moved, a_video, a_video),
    calls(lambda uuid: Content.objects.filter(video=uuid).delete(), a_video),
    calls(channel_written, a_channel, texts, st.booleans()),
    calls(lambda uuid: sql("DELETE FROM ivs_channels WHERE uuid = %s", uuid), a_channel),
    calls(lambda: call_command("backfill", stdout=StringIO())),
)


@pytest.mark.django_db
@settings(
    max_examples=1000 if THOROUGH else 40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(writes=st.lists(WRITES, max_size=20))
def test_after_any_writes_the_index_and_the_counts_are_what_a_slow_look_finds(writes: list[Callable[[], Any]]) -> None:
    with transaction.atomic():
        for video, channel in zip(VIDEOS, CHANNELS, strict=False):
            make_content(make_video(uuid=video, channel=make_channel(uuid=channel), prefix="ivs/one"))
        for write in writes:
            write()
        assert_right()
        assert checked() == "The index of videos was wrong in 0 rows, and is right now."
        assert_right()
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_a_video_that_gets_another_uuid_stands_in_the_index_alone() -> None:
    make_video(uuid=VIDEOS[0], channel=None)
    make_video(uuid=VIDEOS[1], channel=None)
    sql("UPDATE on_demand_videos SET uuid = %s WHERE uuid = %s", VIDEOS[2], VIDEOS[0])
    assert_right()


@pytest.mark.django_db
def test_backfill_finds_and_repairs_rows_that_somebody_made_wrong() -> None:
    wrong, removed = make_video(uuid=VIDEOS[0]), make_video(uuid=VIDEOS[1])
    make_content(wrong, tags=["news"])
    sql("UPDATE ondemand_videoindex SET title_key = 'x', tags = '{wrong}' WHERE video_id = %s", wrong.pk)
    sql("DELETE FROM ondemand_videoindex WHERE video_id = %s", removed.pk)
    sql("INSERT INTO ondemand_tagcount (tag, videos, listed) VALUES ('news', 5, 5)")
    # An orphan: its video was removed without triggers.
    sql("INSERT INTO ondemand_videoindex SELECT (json_populate_record(index, %s)).* FROM ondemand_videoindex AS index",
        f'{{"video_id": "{VIDEOS[2]}"}}')  # fmt: skip

    assert checked() == "The index of videos was wrong in 1 rows, and is right now."
    assert_right()


@pytest.mark.django_db
def test_reconcile_adds_up_the_counts_of_tags_when_it_may_repair(aws: LocalAws) -> None:
    content = make_content(make_video(), tags=["news"])
    for tags in (["news", "weather"], ["news"], ["weather"], ["news"]):
        Content.objects.filter(pk=content.pk).update(tags=tags)
    rows = TagCount.objects.count()

    assert command("reconcile")[0] == 0
    assert TagCount.objects.count() == rows > 1
    assert command("reconcile", "--apply")[0] == 0
    assert list(TagCount.objects.values_list("tag", "videos", "listed")) == [("news", 1, 1)]


@pytest.mark.django_db
def test_the_counts_of_a_tag_forget_publications_that_ended(aws: LocalAws) -> None:
    times = [None, NOW - timedelta(days=3), NOW - timedelta(days=2), NOW + timedelta(days=1)]
    windows = [(begin, end) for begin in times for end in times if begin is None or end is None or begin < end]
    for begin, end in windows:
        make_content(make_video(publish_from=begin, publish_until=end), tags=["news"])
    assert TagCount.objects.count() == len(windows)

    assert command("reconcile", "--apply")[0] == 0
    # Those that have no time ahead are one row, and each other one has its own.
    kept = set(TagCount.objects.values_list("publish_from", "publish_until"))
    assert kept == {(None, None), (None, times[3]), (times[3], None)}
    assert_right()
    # What was counted with its window leaves the count with it.
    Video.objects.update(publish_from=None, publish_until=None)
    assert_right()
    Video.objects.filter(active=True).update(active=False)
    assert_right()


# Two sessions at once

CHANGES = {
    "video": "UPDATE on_demand_videos SET active = false",
    "content": "UPDATE on_demand_video_content SET title = 'Closing night', tags = '{late}'",
    "channel": "UPDATE ivs_channels SET _name = 'Evening show'",
    "new video": """
        INSERT INTO on_demand_videos (uuid, ivs_channel_uuid, data)
        SELECT gen_random_uuid(), uuid, '{"recording_s3_bucket_name": "b", "recording_s3_key_prefix": "ivs/new"}'
        FROM ivs_channels
    """,
}
PAIRS = [*permutations(["video", "content", "channel"], 2), *permutations(["channel", "new video"], 2)]
_WAITING = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.mark.django_db(transaction=True)
def test_of_two_sessions_the_second_sees_what_the_first_has_written() -> None:
    name = connection.settings_dict["NAME"]
    with connect(name) as watcher, connect(name) as holder, connect(name) as other, ThreadPoolExecutor(1) as thread:
        for (first, second), is_indexed in product(PAIRS, (True, False)):
            case = f"{first}, then {second}, {'indexed' if is_indexed else 'not yet indexed'}"
            make_content(make_video(channel=make_channel()), tags=["news"])
            if not is_indexed:
                sql("DELETE FROM ondemand_videoindex")
            with holder.transaction():
                holder.execute(CHANGES[first])
                written = thread.submit(other.execute, CHANGES[second])
                assert wait_until(lambda: watcher.execute(_WAITING).rowcount > 0, 10), f"no lock: {case}"
            written.result(timeout=60)
            try:
                assert_right()
            except AssertionError as error:
                raise AssertionError(case) from error
            sql("DELETE FROM on_demand_video_content; DELETE FROM on_demand_videos; DELETE FROM ivs_channels")
