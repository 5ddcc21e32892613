"""Writers of several rows at once lock them in one order, so that none of them ends as the victim of a deadlock."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from time import sleep
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from ondemand.bulk.services import bulk_begin, bulk_choose, bulk_outcomes, bulk_run
from ondemand.models import BulkChange, Video
from tests.support.delivery import FACTS, put_playlists
from tests.support.helpers import make_channel, make_content, make_video
from tests.support.recordings import put_recording
from tests.support.road import ARN, BUCKET, NINE, PREFIX, command, ended_metadata, lambda_takes, put, recording_change
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db(transaction=True)

PLACE = {"bucket": BUCKET, "prefix": PREFIX}
LOW, MIDDLE, HIGH = (UUID(int=number) for number in (1, 2, 3))
Write = Callable[[], Any]


# Of this database alone: other tests make their sessions wait at the same time.
_WAITING = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@contextmanager
def held(table: str, uuid: UUID) -> Iterator[Callable[[int], None]]:
    """A row that another session has locked; what it yields waits until so many sessions wait for locks."""
    values = connection.settings_dict
    place = {"host": values["HOST"], "port": values["PORT"], "user": values["USER"], "dbname": values["NAME"]}
    with psycopg.connect(**place, autocommit=True) as watcher, psycopg.connect(**place) as session:
        key = "video_id" if table == "ondemand_videoindex" else "uuid"
        session.execute(f"SELECT FROM {table} WHERE {key} = %s FOR UPDATE", [uuid])

        def expect(waiting: int) -> None:
            for _ in range(200):
                if len(watcher.execute(_WAITING).fetchall()) >= waiting:
                    return
                sleep(0.05)
            pytest.fail(f"{waiting} sessions should wait for a lock")

        yield expect


def met(first: Write, second: Write, *, table: str, uuid: UUID) -> list[Any]:
    """What two writers return that wait for the same row, in this order, until its holder lets go of it."""

    def run(write: Write) -> Any:
        try:
            return write()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        results = []
        with held(table, uuid) as expect:
            for number, write in enumerate((first, second), start=1):
                results.append(threads.submit(run, write))
                expect(number)
        return [result.result(timeout=60) for result in results]


def patch(api_key: str, uuid: UUID) -> int:
    headers = {"Authorization": f"Bearer {api_key}"}
    body = json.dumps({"visibility": "unlisted"})
    return Client().patch(f"/on-demand/{uuid}", body, "application/json", headers=headers).status_code


def bulk(kind: str, values: dict[str, Any]) -> dict[str, int]:
    change = bulk_choose(kind=kind, videos=Video.objects.all(), by=UUID(int=7), by_name="boss", values=values)
    bulk_begin(change_uuid=change.pk)
    bulk_run(change_uuid=change.pk)
    return bulk_outcomes(change)


def by_api(api_key: str) -> Any:
    return patch(api_key, LOW)


def by_bulk(api_key: str) -> Any:
    return bulk(BulkChange.Kind.HIDE, {})


@pytest.mark.parametrize(("staff", "written"), [(by_api, 200), (by_bulk, {"changed": 2})])
def test_an_event_and_staff_write_the_rows_of_a_recording_without_a_deadlock(
    aws: LocalAws, api_key: str, staff: Callable[[str], Any], written: Any
) -> None:
    channel = make_channel(arn=ARN)
    put(f"{PREFIX}/events/recording-ended.json", ended_metadata())
    # The older row has the larger uuid.
    make_video(uuid=HIGH, channel=channel, created_at=NINE, **PLACE)
    make_video(uuid=LOW, channel=channel, created_at=NINE + timedelta(hours=1), **PLACE)

    results = met(
        lambda: staff(api_key),
        lambda: lambda_takes(recording_change("Recording End", 70)),
        table="on_demand_videos",
        uuid=LOW,
    )

    assert results == [written, []]
    assert list(Video.objects.order_by("uuid").values_list("uuid", "duplicate_of")) == [(LOW, HIGH), (HIGH, None)]


def test_a_check_of_files_and_staff_write_the_rows_of_a_recording_without_a_deadlock(
    aws: LocalAws, api_key: str
) -> None:
    put_recording()
    kept_back = {"held": True, "qa": Video.Qa.UNVERIFIED, **PLACE}
    make_video(uuid=HIGH, held_by_check=True, started_at=NINE - timedelta(hours=1), **kept_back)
    make_video(uuid=LOW, started_at=NINE, duplicate_of_id=HIGH, **kept_back)

    results = met(
        lambda: patch(api_key, LOW),
        lambda: command("check_recordings", "--limit", "1")[0],
        table="on_demand_videos",
        uuid=LOW,
    )

    assert results == [200, 0]
    assert set(Video.objects.values_list("held", "visibility")) == {(False, "unlisted")}


def test_backfill_and_staff_write_the_rows_of_a_recording_without_a_deadlock(api_key: str) -> None:
    for number, uuid in enumerate((HIGH, MIDDLE, LOW)):
        make_video(uuid=uuid, created_at=NINE + timedelta(hours=number), **PLACE)

    results = met(lambda: patch(api_key, LOW), lambda: command("backfill")[0], table="on_demand_videos", uuid=LOW)

    assert results == [200, 0]
    assert set(Video.objects.values_list("uuid", "duplicate_of")) == {(HIGH, None), (MIDDLE, HIGH), (LOW, HIGH)}


def test_backfill_and_a_bulk_change_write_the_index_without_a_deadlock() -> None:
    # The content with the smaller uuid is that of the video with the larger one.
    make_content(make_video(uuid=LOW), uuid=HIGH)
    make_content(make_video(uuid=HIGH), uuid=LOW)

    results = met(
        lambda: call_command("backfill", "--search", stdout=StringIO()),
        lambda: bulk(BulkChange.Kind.ADD_TAGS, {"tags": ["late"]}),
        table="ondemand_videoindex",
        uuid=LOW,
    )

    assert results == [None, {"changed": 2}]


def edited(api_key: str, method: str, path: str, body: Any = None) -> Write:
    headers = {"Authorization": f"Bearer {api_key}"}
    text = "" if body is None else json.dumps(body, default=str)
    return lambda: Client().generic(method, f"/on-demand/{path}", text, "application/json", headers=headers).status_code


@pytest.fixture
def shows(aws: LocalAws) -> None:
    """Three recordings of a channel."""
    channel = make_channel()
    for uuid in (LOW, MIDDLE, HIGH):
        put_playlists(f"{PREFIX}{uuid.int}")
        make_video(uuid=uuid, channel=channel, bucket=BUCKET, prefix=f"{PREFIX}{uuid.int}", facts=FACTS)


@pytest.mark.parametrize("row", [LOW, HIGH])
def test_of_two_joins_of_the_same_recordings_one_is_made(shows: None, api_key: str, row: UUID) -> None:
    joins = [
        edited(api_key, "POST", f"{one}/join", {"with": [other, MIDDLE]}) for one, other in ((LOW, HIGH), (HIGH, LOW))
    ]
    assert sorted(met(*joins, table="on_demand_videos", uuid=row)) == [200, 409]
    assert Video.objects.filter(edit__isnull=False).count() == 1
    assert Video.objects.filter(part_of__isnull=False).count() == 2


@pytest.mark.parametrize("is_first", [True, False])
def test_whoever_protects_a_recording_while_it_is_joined_protects_the_whole(
    shows: None, api_key: str, is_first: bool
) -> None:
    join = edited(api_key, "POST", f"{LOW}/join", {"with": [HIGH]})
    protect = edited(api_key, "PATCH", str(HIGH), {"playback": "grant"})
    other = edited(api_key, "POST", f"{HIGH}/clips", {})
    assert other() == 201
    writes = (protect, join) if is_first else (join, protect)
    assert met(*writes, table="on_demand_videos", uuid=HIGH) == [200, 200]
    assert set(Video.objects.exclude(pk=MIDDLE).values_list("playback", flat=True)) == {"grant"}


def test_a_recording_that_is_deleted_while_it_is_joined_is_in_no_join(shows: None, api_key: str) -> None:
    def delete() -> int:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM on_demand_videos WHERE uuid = %s", [HIGH])
        return 204

    join = edited(api_key, "POST", f"{LOW}/join", {"with": [HIGH]})
    deleted, joined = met(delete, join, table="on_demand_videos", uuid=HIGH)
    assert (deleted, joined) == (204, 409)
    assert Video.objects.get(pk=LOW).edit is None
