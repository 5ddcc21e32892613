"""Times that PostgreSQL holds and Python does not: nothing that another program wrote breaks a read or a write."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin import site
from django.db import connection
from django.test import Client
from django.urls import reverse

from channels_app.envelopes import MAX_ACCEPTED_DURATION_MS, whole_milliseconds
from common.rest.times import EARLIEST, LATEST, is_readable
from ondemand.bulk.services import bulk_begin, bulk_choose, bulk_outcomes, bulk_run, bulk_undo
from ondemand.models import BulkChange, Recording, Video
from tests.support.console import happened, make_event, make_stream
from tests.support.helpers import OWNER, THOROUGH, bearer, make_channel, make_content, make_token, make_video
from tests.support.road import ARN, PREFIX, lambda_takes, outcomes, recording_change
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db
MOMENTS = ("infinity", "-infinity", "4713-01-01 BC", "20000-01-01")
FIRST, LAST = "1900-01-01 00:00:00+00", "9000-12-31 23:59:59.999999+00"
ORDERINGS = ("newest", "oldest", "longest", "shortest", "title")


def set_column(table: str, column: str, moment: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = %s::timestamptz", [moment])  # noqa: S608  (names of this test)


def text_of(table: str, column: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column}::text FROM {table}")  # noqa: S608  (names of this test)
        [row] = cursor.fetchall()
    return row[0]


@contextmanager
def past_the_triggers() -> Iterator[None]:
    """As logical replication and some restores write."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.mark.parametrize(
    ("column", "moment", "kept", "is_open"),
    [
        ("_publish_until", "infinity", None, True),
        ("_publish_until", "20000-01-01", None, True),
        ("_publish_until", "-infinity", FIRST, False),
        ("_publish_until", "4713-01-01 BC", FIRST, False),
        ("_publish_from", "-infinity", None, True),
        ("_publish_from", "4713-01-01 BC", None, True),
        ("_publish_from", "infinity", LAST, False),
        ("_publish_from", "20000-01-01", LAST, False),
        ("_started_at", "infinity", "1970-01-01 00:00:00+00", True),
        ("_ended_at", "4713-01-01 BC", "1970-01-01 00:00:00+00", True),
        ("_publish_until", LAST, LAST, True),
    ],
)
def test_a_time_that_no_client_can_read_becomes_one_that_means_the_same(
    client: Client, column: str, moment: str, kept: str | None, is_open: bool
) -> None:
    video = make_video()
    set_column("on_demand_videos", column, moment)
    assert text_of("on_demand_videos", column) == kept
    listed = client.get("/on-demand").json()["data"]
    assert [item["uuid"] for item in listed] == ([str(video.pk)] if is_open else [])
    assert client.get(f"/on-demand/{video.pk}").status_code == (200 if is_open else 404)


def test_sql_and_python_allow_the_same_times() -> None:
    microsecond = timedelta(microseconds=1)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for time, is_allowed in {
        EARLIEST: True,
        EARLIEST - microsecond: False,
        LATEST: True,
        LATEST + microsecond: False,
    }.items():
        assert is_readable(time) == is_allowed
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT ivsvod_usable_time(%(time)s), ivsvod_publish_from(%(time)s) IS NOT DISTINCT FROM %(time)s,"
                " ivsvod_publish_until(%(time)s) IS NOT DISTINCT FROM %(time)s",
                {"time": time},
            )
            assert cursor.fetchone() == (time if is_allowed else epoch, is_allowed, is_allowed)


def test_sql_and_python_accept_the_same_durations() -> None:
    with connection.cursor() as cursor:
        for duration_ms in (MAX_ACCEPTED_DURATION_MS, MAX_ACCEPTED_DURATION_MS + 1):
            cursor.execute("SELECT ivsvod_json_milliseconds(jsonb_build_object('ms', %s::bigint), 'ms')", [duration_ms])
            assert cursor.fetchone() == (whole_milliseconds(duration_ms) or 0,)


@pytest.fixture
def everything(staff: Any, aws: LocalAws) -> Video:
    """A row in each table that has a page or a route."""
    channel = make_channel(arn=ARN)
    video = make_video(channel=channel)
    make_content(video)
    Recording.objects.create(video=video)
    happened(make_stream(channel, "st-u8jzPde0IgxLd6GncfBAepf", start=0), "Stream Failure")
    make_event()
    make_token("read", account="program")
    change = bulk_choose(kind="show", videos=Video.objects.all(), by=OWNER, by_name="boss", values={})
    bulk_begin(change_uuid=change.pk)
    bulk_run(change_uuid=change.pk)
    make_video(duration_ms=None)
    return video


@pytest.mark.parametrize("moment", MOMENTS[:: 1 if THOROUGH else 2])
def test_every_page_and_route_reads_rows_whose_times_are_all_out_of_range(
    everything: Video, client: Client, browser: Client, api_key: str, moment: str
) -> None:
    with past_the_triggers(), connection.cursor() as cursor:
        cursor.execute("""
            SELECT table_name, string_agg(format('%I = %%L', column_name), ', ')
            FROM information_schema.columns
            WHERE table_schema = 'public' AND data_type = 'timestamp with time zone' AND is_generated = 'NEVER'
                AND table_name ~ '^(ivs|on_?demand|channels_app|accounts)' AND table_name IN (
                    SELECT tablename FROM pg_tables)
            GROUP BY table_name
        """)
        for table, assignments in cursor.fetchall():
            cursor.execute(f"UPDATE {table} SET {assignments.replace('%L', '%(moment)s')}", {"moment": moment})  # noqa: S608
    routes = ["/on-demand", "/on-demand/search?search=show", "/tags", "/channels", "/channels/live"]
    routes += [f"/on-demand?ordering={ordering}&pageSize=1" for ordering in ORDERINGS]
    routes += [f"/on-demand/{everything.pk}", f"/channels/{everything.channel_id}/streams"]
    routes += [f"/channels/{everything.channel_id}", f"/channels/{everything.channel_id}/live"]
    answers = {path: walk(client, path, bearer(api_key)) for path in routes}
    pages = ["/admin/", "/", f"/watch/{everything.pk}"]
    pages += [f"/{name}/{everything.channel_id}" for name in ("c", "watch/live")]
    for model in site._registry:
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        pages.append(address)
        pages += [f"{address}{row}/change/" for row in model._default_manager.values_list("pk", flat=True)[:1]]
    answers |= {path: browser.get(path).status_code for path in pages}
    assert {path: status for path, status in answers.items() if status not in (200, 404)} == {}
    assert answers["/on-demand"] == answers[f"/on-demand/{everything.pk}"] == answers["/admin/ondemand/video/"] == 200


def walk(client: Client, path: str | None, headers: dict[str, str]) -> int:
    """The status of the last page."""
    status = 0
    while path:
        answer = client.get(path, headers=headers)
        status, path = answer.status_code, answer.json().get("next")
    return status


@pytest.mark.parametrize("moment", MOMENTS if THOROUGH else MOMENTS[1::2])
def test_a_video_of_any_age_is_written_by_the_api_in_bulk_and_by_events(
    client: Client, api_key: str, aws: LocalAws, moment: str
) -> None:
    channel = make_channel(arn=ARN)
    uuid = insert_as_the_predecessor(channel.pk, moment)
    make_content(Video.objects.get())
    set_column("on_demand_video_content", "created_at", moment)
    address = f"/on-demand/{uuid}"
    for method, body in (("PUT", {"title": "A"}), ("PATCH", {"title": "B"}), ("DELETE", None), ("PATCH", {})):
        answer = client.generic(method, address, json.dumps(body), "application/json", headers=bearer(api_key))
        assert answer.status_code == 200, answer.content
    for kind in ("hide", "show", "schedule", "add_tags"):
        values = {"tags": ["x"]} if kind == "add_tags" else {}
        change = bulk_choose(kind=kind, videos=Video.objects.all(), by=OWNER, by_name="boss", values=values)
        bulk_begin(change_uuid=change.pk)
        bulk_run(change_uuid=change.pk)
        bulk_undo(change_uuid=change.pk)
        assert "waiting" not in bulk_outcomes(BulkChange.objects.get(pk=change.pk))
    assert lambda_takes(recording_change("Recording Start", 0)) == []
    assert outcomes(recording_change("Recording End", 60)) != ["failed"]
    for table in ("on_demand_videos", "on_demand_video_content"):
        assert text_of(table, "created_at") == normal(moment)
    assert text_of("on_demand_videos", "data ->> 'number'") == "1.50"


def insert_as_the_predecessor(channel: UUID, moment: str) -> UUID:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO on_demand_videos (ivs_channel_uuid, created_at, data) VALUES (%s, %s, "
            "jsonb_build_object('recording_s3_bucket_name', 'ivsvod-recordings', 'recording_s3_key_prefix', %s::text,"
            " 'number', 1.50)) RETURNING uuid",
            [channel, moment, PREFIX],
        )
        return UUID(str(cursor.fetchone()[0]))


def normal(moment: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz::text", [moment])
        return str(cursor.fetchone()[0])
