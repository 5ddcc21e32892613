"""Rows that another program deletes by SQL: the predecessor's cleaning jobs, or a person with psql."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.e2e.test_adoption import live_states
from tests.support.adoption import Connection, Databases
from tests.support.predecessor import statements
from tests.support.predecessor.rows import BUCKET
from tests.support.predecessor.statements import COLUMNS

pytestmark = pytest.mark.xdist_group("adopted")

ROLE = "predecessor_cleaning"
PLACE = {"recording_s3_bucket_name": BUCKET, "recording_s3_key_prefix": "ivs/v1/1/a/2026/3/4/9/5/one"}


@pytest.fixture(scope="module")
def databases(embedded_databases: Databases) -> Databases:
    with embedded_databases.as_superuser() as superuser:
        superuser.execute(f"CREATE ROLE {ROLE} LOGIN")
    with embedded_databases.connect(embedded_databases.scratch) as connection:
        connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(COLUMNS)} TO {ROLE}")
    return embedded_databases


@pytest.fixture
def owner(databases: Databases) -> Iterator[Connection]:
    """A connection of this service's role, to an empty database that it has migrated."""
    with databases.connect(databases.scratch) as connection:
        # Less work than TRUNCATE, which makes the files of each table anew.
        for table in (*reversed(COLUMNS), "ondemand_removedrecording", "channels_app_inboxevent"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608
        yield connection


@pytest.fixture
def predecessor(databases: Databases, owner: Connection) -> Iterator[Connection]:
    """A connection of a role with rights on the predecessor's four tables alone."""
    with databases.connect(databases.scratch, user=ROLE) as connection:
        yield connection


def rows(connection: Connection, query: str, *parameters: Any) -> list[Any]:
    found = connection.execute(query, parameters).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def make_channel(connection: Connection) -> UUID:
    values = {"uuid": uuid4(), "owner": uuid4(), "arn": "arn:aws:ivs:eu-west-1:1:channel/a", "channel_data": "{}"}
    return statements.insert_channel(connection, **values)["uuid"]


def make_video(connection: Connection, channel: UUID | None = None, **data: str) -> UUID:
    return statements.insert_video(connection, channel=channel, data=json.dumps(PLACE | data))["uuid"]


# What refers to the rows


def test_the_predecessor_deletes_a_video_that_has_a_recording(owner: Connection, predecessor: Connection) -> None:
    video = make_video(predecessor)
    owner.execute(
        """
        INSERT INTO ondemand_recording
            (video_id, session_id, start_event_id, end_event_id, failure_event_id, stream_ids)
        VALUES (%s, '', '', '', '', '{}')
        """,
        [video],
    )
    predecessor.execute("DELETE FROM on_demand_videos")
    assert rows(owner, "SELECT * FROM on_demand_videos") == rows(owner, "SELECT * FROM ondemand_recording") == []


def test_the_predecessor_deletes_a_channel_with_its_streams(owner: Connection, predecessor: Connection) -> None:
    channel = make_channel(predecessor)
    statements.insert_state_change(predecessor, channel=channel, state="live", data='{"stream_id": "st-1"}')
    owner.execute(
        """
        INSERT INTO channels_app_streamhistoryentry (stream_id, event_id, at, name, detail)
        SELECT id, 'an event', now(), 'Session Created', '{}' FROM channels_app_stream
        """
    )
    owner.execute(
        """
        INSERT INTO channels_app_idempotencykey (caller, key, body_digest, channel_id, created_at, claimed_until)
        VALUES (%s, 'key', '', %s, now(), now())
        """,
        [uuid4(), channel],
    )
    predecessor.execute("DELETE FROM ivs_state_changes")
    predecessor.execute("DELETE FROM ivs_channels")
    ours = ("channels_app_stream", "channels_app_streamhistoryentry", "channels_app_idempotencykey")
    for table in ("ivs_channels", *ours):
        assert rows(owner, f"SELECT count(*) FROM {table}") == [0]  # noqa: S608


def test_foreign_keys_of_the_predecessor_go_on_refusing(predecessor: Connection) -> None:
    channel = make_channel(predecessor)
    statements.insert_state_change(predecessor, channel=channel, state="live", data=None)
    video = make_video(predecessor)
    statements.upsert_content(predecessor, video=video, title="Kept")
    for table in ("ivs_channels", "on_demand_videos"):
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            predecessor.execute(f"DELETE FROM {table}")  # noqa: S608


def test_every_foreign_key_of_this_service_to_the_predecessors_tables_cascades(owner: Connection) -> None:
    query = """
        SELECT conrelid::regclass::text FROM pg_constraint
        WHERE contype = 'f' AND confdeltype <> 'c' AND confrelid = ANY(%s::regclass[])
    """
    assert set(rows(owner, query, list(COLUMNS))) == {"ivs_state_changes", "on_demand_video_content"}


# What becomes of a recording


def places(connection: Connection) -> list[Any]:
    return rows(connection, "SELECT bucket, prefix FROM ondemand_removedrecording")


def duplicates(connection: Connection) -> dict[UUID, UUID | None]:
    return dict(rows(connection, "SELECT uuid, _duplicate_of FROM on_demand_videos"))


def test_the_last_row_of_a_recording_that_is_deleted_leaves_its_place_and_an_insert_takes_it_back(
    owner: Connection, predecessor: Connection
) -> None:
    first, second = make_video(predecessor), make_video(predecessor)
    predecessor.execute("DELETE FROM on_demand_videos WHERE uuid = %s", [second])
    assert places(owner) == []
    predecessor.execute("DELETE FROM on_demand_videos WHERE uuid = %s", [first])
    assert places(owner) == [(BUCKET, PLACE["recording_s3_key_prefix"])]
    made = [make_video(predecessor) for _ in range(2)]
    assert places(owner) == []
    predecessor.execute("DELETE FROM on_demand_videos WHERE uuid = ANY(%s)", [made])
    assert places(owner) == [(BUCKET, PLACE["recording_s3_key_prefix"])]


def test_rows_without_a_place_and_of_any_length_are_deleted(owner: Connection, predecessor: Connection) -> None:
    longest = "ü" * 500
    make_video(predecessor, recording_s3_key_prefix="")
    make_video(predecessor, recording_s3_key_prefix=longest)
    statements.insert_video(predecessor, channel=None, data="[]")
    predecessor.execute("DELETE FROM on_demand_videos")
    assert places(owner) == [(BUCKET, longest)]


def test_the_earliest_duplicate_of_a_deleted_video_becomes_the_first_and_the_audit_log_is_silent(
    owner: Connection, predecessor: Connection
) -> None:
    first, second, third, other = (
        make_video(predecessor, **data) for data in ({}, {}, {}, {"recording_s3_key_prefix": "b"})
    )
    owner.execute("TRUNCATE channels_app_auditentry")
    predecessor.execute("DELETE FROM on_demand_videos WHERE uuid = %s", [first])
    assert duplicates(owner) == {second: None, third: second, other: None}
    assert rows(owner, "SELECT object_pk, way FROM channels_app_auditentry") == [(str(first), "database")]


def test_a_decision_of_staff_for_a_deleted_video_applies_to_the_duplicate_that_replaces_it(
    owner: Connection, predecessor: Connection
) -> None:
    first, second = make_video(predecessor), make_video(predecessor)
    owner.execute(
        "UPDATE on_demand_videos SET active = false, _visibility = 'unlisted', _held = true WHERE uuid = %s", [first]
    )
    predecessor.execute("DELETE FROM on_demand_videos WHERE uuid = %s", [first])
    query = "SELECT uuid, active, _visibility, _held, _duplicate_of FROM on_demand_videos"
    assert rows(owner, query) == [(second, False, "unlisted", True, None)]


def test_metadata_and_chapters_of_a_deleted_video_go_to_the_duplicate_that_replaces_it_and_has_none(
    owner: Connection, predecessor: Connection
) -> None:
    first, second, third = (make_video(predecessor) for _ in range(3))
    values = """_metadata = '{"a": "1"}', _chapters = '[{"at_ms": 0, "title": "One"}]'"""
    owner.execute(f"UPDATE on_demand_videos SET {values} WHERE uuid = %s", [first])  # noqa: S608
    owner.execute("""UPDATE on_demand_videos SET _metadata = '{"b": "2"}' WHERE uuid = %s""", [third])
    predecessor.execute("DELETE FROM on_demand_videos WHERE uuid = %s", [first])
    found = rows(owner, "SELECT uuid, _metadata, _chapters FROM on_demand_videos ORDER BY created_at, uuid")
    chapters = [{"at_ms": 0, "title": "One"}]
    assert found == [(second, {"a": "1"}, chapters), (third, {"b": "2"}, chapters)]


# What becomes of the live state


def change(connection: Connection, channel: UUID, state: str, stream_id: str | None = "st-1") -> None:
    names = {"live": "Stream Start", "offline": "Stream End"}
    data = json.dumps({"event_name": names[state], "stream_id": stream_id}) if stream_id else None
    statements.insert_state_change(connection, channel=channel, state=state, data=data)


def state_of(connection: Connection, channel: UUID) -> str | None:
    return live_states(connection).get(channel, (None, None))[0]


@pytest.mark.parametrize("stream_id", ["st-1", None])
def test_a_channel_is_live_no_more_once_its_only_live_row_is_deleted(
    owner: Connection, predecessor: Connection, stream_id: str | None
) -> None:
    channel = make_channel(predecessor)
    change(predecessor, channel, "live", stream_id)
    assert state_of(owner, channel) == "live"
    predecessor.execute("DELETE FROM ivs_state_changes")
    assert rows(owner, "SELECT * FROM channels_app_stream") == []


@pytest.mark.parametrize("stream_id", ["st-1", None])
def test_a_channel_is_live_again_once_the_row_of_the_end_is_deleted(
    owner: Connection, predecessor: Connection, stream_id: str | None
) -> None:
    channel = make_channel(predecessor)
    for state in ("live", "offline"):
        change(predecessor, channel, state, stream_id)
    assert state_of(owner, channel) == "offline"
    predecessor.execute("DELETE FROM ivs_state_changes WHERE state = 'offline'")
    assert state_of(owner, channel) == "live"


def test_one_of_two_rows_of_a_start_leaves_the_channel_live(owner: Connection, predecessor: Connection) -> None:
    channel = make_channel(predecessor)
    for _ in range(2):
        change(predecessor, channel, "live")
    predecessor.execute("DELETE FROM ivs_state_changes WHERE ctid = (SELECT min(ctid) FROM ivs_state_changes)")
    assert state_of(owner, channel) == "live"


def test_streams_that_ended_keep_their_times_when_old_rows_are_cleaned_away(
    owner: Connection, predecessor: Connection
) -> None:
    channel = make_channel(predecessor)
    for stream_id in ("st-1", "st-2"):
        for state in ("live", "offline"):
            change(predecessor, channel, state, stream_id)
    query = "SELECT stream_id, started_at, ended_at FROM channels_app_stream ORDER BY stream_id"
    before = rows(owner, query)
    predecessor.execute("DELETE FROM ivs_state_changes WHERE state = 'live' AND data ->> 'stream_id' = 'st-1'")
    predecessor.execute("DELETE FROM ivs_state_changes")
    assert rows(owner, query) == before
    assert state_of(owner, channel) == "offline"


@pytest.mark.parametrize(("outcome", "state"), [("applied", "live"), ("failed", None)])
def test_a_start_that_an_applied_event_records_outlives_its_row(
    owner: Connection, predecessor: Connection, outcome: str, state: str | None
) -> None:
    channel = make_channel(predecessor)
    change(predecessor, channel, "live")
    owner.execute(
        """
        INSERT INTO channels_app_inboxevent (event_id, body, received_at, outcome, error, attempts, detail_type, name,
            channel_arn, stream_id)
        SELECT 'an event', '', now(), %s, '', 1, '', 'Stream Start', arn, 'st-1' FROM ivs_channels
        """,
        [outcome],
    )
    predecessor.execute("DELETE FROM ivs_state_changes")
    assert state_of(owner, channel) == state
