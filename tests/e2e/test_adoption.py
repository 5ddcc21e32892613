"""`migrate` on a database that the predecessor made and filled, and the predecessor at work beside and after it.

All of it runs in databases of its own, on the embedded PostgreSQL and, where one is installed with its contrib modules,
on the system's PostgreSQL too. The migrations run as a role that is no superuser; those that are killed run as a user
runs them: by `manage.py`, in a process of their own.
"""

import itertools
import json
import random
import signal
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations import CreateModel
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from psycopg import sql

from common.postgresql.base import statements_unlimited
from common.sql.ddl import RunDeferredSQL
from tests.support.adoption import SERVERS, Connection, Databases, databases_on
from tests.support.helpers import THOROUGH, bearer
from tests.support.predecessor import statements
from tests.support.predecessor.rows import BUCKET, LONG_TEXT, ODD_DOCUMENTS, document, find, insert
from tests.support.predecessor.statements import COLUMNS
from tools.local.postgres.processes import wait_until

LONGEST_RECORDING_MS = 48 * 3_600_000
LONGEST_KEY = 1024  # of S3, in bytes; a bucket's name is shorter
PYTHONS_FIRST_MOMENT = datetime(1, 1, 1, tzinfo=UTC)


def _server(name: str) -> Any:
    """A server's databases are made once, by the one worker that runs all its tests."""
    return pytest.param(name, marks=pytest.mark.xdist_group("adopted" if name == "embedded" else f"adopted-{name}"))


# Interruptions take seconds each: one kind on the one server, another on the other where there are two.
def _on(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("databases", [_server(name)], indirect=True)


ON_THE_FIRST_SERVER = _on(next(iter(SERVERS)))
ON_THE_LAST_SERVER = _on(next(reversed(SERVERS)))


@pytest.fixture(scope="module", params=map(_server, SERVERS))
def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[Databases]:
    if request.param == "embedded":
        yield request.getfixturevalue("embedded_databases")
        return
    with databases_on(request.param, tmp_path_factory.mktemp(request.param), django_db_blocker) as databases:
        # All now: a database is not copied while a test is connected to it.
        assert databases.adopted
        assert databases.scratch
        yield databases


@pytest.fixture
def copy(databases: Databases) -> Iterator[Callable[[str], str]]:
    """Makes a copy of a database for one test."""
    names: list[str] = []

    def make(template: str) -> str:
        names.append(databases.create(template=template))
        return names[-1]

    yield make
    for name in names:
        databases.drop(name)


# What is compared

CATALOGUE = {
    "columns": """
        SELECT c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
            a.attgenerated, pg_get_expr(d.adbin, d.adrelid), l.collname
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        LEFT JOIN pg_collation l ON l.oid = a.attcollation
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind NOT IN ('i', 'I', 'S', 't')
            AND a.attnum > 0 AND NOT a.attisdropped
    """,
    "tables": """
        SELECT relname, relkind, relpersistence, reloptions, relrowsecurity, relreplident, relowner::regrole
        FROM pg_class WHERE relnamespace = 'public'::regnamespace
    """,
    "sequences": """
        SELECT sequencename, data_type, start_value, min_value, max_value, increment_by, cycle
        FROM pg_sequences WHERE schemaname = 'public'
    """,
    "indexes": """
        SELECT c.relname, pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready, i.indislive, i.indisprimary
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid), convalidated
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    """,
    "triggers": """
        SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
    """,
    "functions": """
        SELECT p.proname, pg_get_functiondef(p.oid)
        FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.prokind IN ('f', 'p')
            AND p.proname <> 'uuid_generate_v4'
            AND NOT EXISTS (SELECT FROM pg_depend d
                WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    """,
    "statistics": """
        SELECT stxname, pg_get_statisticsobjdef(oid) FROM pg_statistic_ext
        WHERE stxnamespace = 'public'::regnamespace
    """,
    "types": """
        SELECT t.typname, t.typtype FROM pg_type t
        WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('d', 'e', 'r')
    """,
}


def catalogue(connection: Connection) -> dict[str, list[str]]:
    """The schema as PostgreSQL has it, whatever the order of columns and of creation."""
    return {part: sorted(map(str, connection.execute(query))) for part, query in CATALOGUE.items()}


def dump(connection: Connection) -> dict[str, list[bytes]]:
    """Every row of the predecessor's tables in the predecessor's columns, as the server writes them."""
    tables = {}
    for table, names in COLUMNS.items():
        statement = sql.SQL("COPY {} ({}) TO STDOUT").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
        )
        with connection.cursor() as cursor, cursor.copy(statement) as output:
            tables[table] = sorted(map(bytes, output))
    return tables


def derived(connection: Connection) -> dict[str, list[str]]:
    """What is derived from the predecessor's rows, without surrogate keys: `row-1` stands for a stream without id."""
    tables = {
        "ivs_channels": "to_jsonb(r) - 'channel_data'",
        "on_demand_videos": "to_jsonb(r) - 'data'",
        "ondemand_videoindex": "to_jsonb(r) - 'search' || jsonb_build_object('search', md5(r.search::text))",
        "channels_app_stream": "to_jsonb(r) - 'id' || jsonb_build_object('stream_id', {})".format(
            "regexp_replace(r.stream_id, '^row-[0-9]+$', 'row')"
        ),
    }
    query = "SELECT ({})::text FROM {} r"
    return {
        table: sorted(row for (row,) in connection.execute(query.format(expression, table)))
        for table, expression in tables.items()
    }


def quietly_differs(one: Any, other: Any) -> list[Any]:
    """Keys that differ: megabytes of rows are no help in a failure."""
    return [key for key in one.keys() | other.keys() if one.get(key) != other.get(key)]


def assert_adopted(databases: Databases, name: str) -> None:
    """Same schema as everywhere, the rows as they were, and all that is derived."""
    with databases.connect(databases.fresh) as fresh, databases.connect(name) as connection:
        assert catalogue(connection) == catalogue(fresh)
    assert_rows_are_the_predecessors(databases, name)
    with databases.connect(databases.adopted) as adopted, databases.connect(name) as connection:
        assert not quietly_differs(derived(connection), derived(adopted))


def assert_rows_are_the_predecessors(databases: Databases, name: str) -> None:
    with databases.connect(databases.predecessor) as before, databases.connect(name) as after:
        assert not quietly_differs(dump(before), dump(after))


# Schema and rows


def test_an_empty_and_an_adopted_database_end_with_the_same_schema(databases: Databases) -> None:
    with databases.connect(databases.fresh) as fresh, databases.connect(databases.adopted) as adopted:
        expected, found = catalogue(fresh), catalogue(adopted)
    for part in CATALOGUE:
        assert found[part] == expected[part]
    assert all(", True, True, True, " in index for index in found["indexes"])


def test_adoption_keeps_the_predecessors_columns_constraints_and_indexes(databases: Databases) -> None:
    def known(part: str, lines: Iterable[str]) -> set[str]:
        kept = {line.replace("uuid_generate_v4()", "gen_random_uuid()") for line in lines}
        return kept if part in ("columns", "constraints", "indexes") else set()

    with databases.connect(databases.predecessor) as before, databases.connect(databases.adopted) as after:
        old, new = catalogue(before), catalogue(after)
    for part in CATALOGUE:
        assert known(part, old[part]) <= set(new[part])
    assert not any("uuid_generate_v4" in line for line in new["columns"])


def test_columns_added_to_the_predecessors_tables_begin_with_an_underscore_and_may_be_left_out(
    databases: Databases,
) -> None:
    query = """
        SELECT table_name, column_name, is_nullable = 'YES' OR column_default IS NOT NULL OR is_identity = 'YES'
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name = ANY(%s)
    """
    with databases.connect(databases.adopted) as connection:
        columns = connection.execute(query, [list(COLUMNS)]).fetchall()
    added = [(name, optional) for table, name, optional in columns if name not in COLUMNS[table]]
    assert added
    assert all(name.startswith("_") and optional for name, optional in added)


def test_adoption_loses_no_row_and_changes_none_in_a_predecessor_column(databases: Databases) -> None:
    assert_rows_are_the_predecessors(databases, databases.adopted)
    with databases.connect(databases.adopted) as connection:
        kept = dump(connection)
    assert {table: len(kept[table]) for table in kept} == {table: len(rows) for table, rows in databases.rows.tables()}


@ON_THE_FIRST_SERVER
def test_migrating_twice_changes_nothing(databases: Databases, copy: Callable[[str], str]) -> None:
    name = copy(databases.adopted)
    databases.migrate(name)
    assert_adopted(databases, name)


# What is derived, by another way


def parsed(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def text_at(data: Any, key: str) -> str | None:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, str) and value else None


def allowed_durations(data: Any) -> set[int]:
    """The milliseconds that the contract allows: the number, and 0 for none and for nonsense.

    It does not say whether a number in a string is one, which way a fraction is rounded, nor from where on a number
    is nonsense: IVS ends a recording after 48 hours.
    """
    value = data.get("recording_duration_ms") if isinstance(data, dict) else None
    if isinstance(value, str):
        value = value.strip()
        return {0, *({int(Decimal(value))} if value.isascii() and value.replace(".", "", 1).isdigit() else set())}
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0 or value >= 2**63:
        return {0}
    whole = int(value)
    durations = {whole} if whole == value else {whole, whole + 1}
    return durations if whole <= LONGEST_RECORDING_MS else durations | {0}


def possible_starts(created: datetime, durations: set[int]) -> dict[int, datetime]:
    """A start for each duration that gives one that Python, and so Django, can hold."""
    most = (created - PYTHONS_FIRST_MOMENT) / timedelta(milliseconds=1)
    return {duration: created - timedelta(milliseconds=duration) for duration in durations if duration <= most} or {
        0: created
    }


def may_be_nothing(text: str | None) -> bool:
    """A blank, or longer than S3 has it: to be taken as it is or as nothing."""
    return text is not None and (not text.strip() or len(text.encode()) > LONGEST_KEY)


def read_derived(connection: Connection) -> dict[UUID, dict[str, Any]]:
    names = ("status", "bucket", "prefix", "started_at", "ended_at", "duration_ms", "session_id", "stream_ids")
    columns = sql.SQL(", ").join(sql.Identifier(f"_{name}") for name in (*names, "duplicate_of"))
    query = sql.SQL("SELECT uuid, {} FROM on_demand_videos").format(columns)
    return {row[0]: dict(zip((*names, "duplicate_of"), row[1:], strict=True)) for row in connection.execute(query)}


def test_start_and_duration_of_an_adopted_video_come_from_its_data_and_created_at(databases: Databases) -> None:
    with databases.connect(databases.adopted) as connection:
        found = read_derived(connection)
    wrong = []
    for row in databases.rows.on_demand_videos:
        starts = possible_starts(row["created_at"], allowed_durations(parsed(row["data"])))
        video = found[row["uuid"]]
        if video["started_at"] != starts.get(video["duration_ms"]):
            wrong.append((row["data"][:300], row["created_at"], video["duration_ms"], video["started_at"]))
    assert not wrong


def test_bucket_prefix_session_and_status_of_an_adopted_video_come_from_its_data(databases: Databases) -> None:
    with databases.connect(databases.adopted) as connection:
        found = read_derived(connection)
    wrong = []
    for row in databases.rows.on_demand_videos:
        data, video = parsed(row["data"]), found[row["uuid"]]
        expected = {
            "status": {"available"},
            "bucket": {text_at(data, "recording_s3_bucket_name") or BUCKET, text_at(data, "recording_s3_bucket_name")},
            "prefix": {text_at(data, "recording_s3_key_prefix")},
            "session_id": {text_at(data, "recording_session_id")},
        }
        for name, values in expected.items():
            if any(map(may_be_nothing, values)):
                values |= {None}
            if (video[name] or None) not in values:
                wrong.append((name, row["data"][:300], video[name]))
    assert not wrong


def test_stream_ids_of_an_adopted_video_are_those_of_its_data(databases: Databases) -> None:
    with databases.connect(databases.adopted) as connection:
        found = read_derived(connection)
    for row in databases.rows.on_demand_videos:
        data, stream_ids = parsed(row["data"]), found[row["uuid"]]["stream_ids"] or []
        named = data.get("recording_session_stream_ids") if isinstance(data, dict) else None
        if isinstance(named, list) and named and all(isinstance(name, str) for name in named):
            assert set(stream_ids) - {text_at(data, "stream_id")} == set(named) - {text_at(data, "stream_id")}
        elif named is None and text_at(data, "stream_id"):
            assert stream_ids == [text_at(data, "stream_id")]
        assert all(isinstance(name, str) for name in stream_ids)


def test_rows_that_share_bucket_and_prefix_with_an_earlier_row_are_its_duplicates(databases: Databases) -> None:
    groups = defaultdict(list)
    for row in databases.rows.on_demand_videos:
        data = parsed(row["data"])
        if prefix := text_at(data, "recording_s3_key_prefix"):
            groups[text_at(data, "recording_s3_bucket_name") or BUCKET, prefix].append((row["created_at"], row["uuid"]))
    expected = {
        uuid: min(group)[1]
        for place, group in groups.items()
        if not any(map(may_be_nothing, place))
        for _, uuid in group
        if uuid != min(group)[1]
    }
    with databases.connect(databases.adopted) as connection:
        found = {uuid: video["duplicate_of"] for uuid, video in read_derived(connection).items()}
    assert {uuid: first for uuid, first in found.items() if first} == expected
    assert len(expected) > 24


def test_what_ivs_said_of_a_channel_stands_in_its_columns(databases: Databases) -> None:
    query = "SELECT uuid, _name, _type, _latency_mode, _private, _record, _playback_url, _status FROM ivs_channels"
    with databases.connect(databases.adopted) as connection:
        found = {row[0]: row[1:] for row in connection.execute(query)}
    assert len(found) == len(databases.rows.ivs_channels)
    for row in databases.rows.ivs_channels[:24]:
        channel = parsed(row["channel_data"])["Channel"]
        name, recording = channel["Tags"]["Name"], bool(channel["RecordingConfigurationArn"])
        kept = (channel["Type"], channel["LatencyMode"], channel["Authorized"], recording, channel["PlaybackUrl"])
        assert found[row["uuid"]] == (name, *kept, "ready")


def live_states(connection: Connection) -> dict[UUID, tuple[str, datetime]]:
    """The live state as the contract orders streams, from the table of streams."""
    query = """
        SELECT DISTINCT ON (channel_id) channel_id, started_at, ended_at FROM channels_app_stream
        WHERE started_at IS NOT NULL OR ended_at IS NOT NULL
        ORDER BY channel_id, order_at DESC, stream_id COLLATE "C" DESC
    """
    return {
        channel: ("live", started) if started and not ended else ("offline", ended)
        for channel, started, ended in connection.execute(query)
    }


def expected_live_state(changes: list[dict[str, Any]]) -> str | None:
    """The live state of a channel from its rows; None where the contract leaves it open (some name no stream)."""
    streams: dict[str, dict[str, datetime]] = defaultdict(dict)
    names = [text_at(parsed(change["data"] or "null"), "stream_id") for change in changes]
    if not any(names):
        return max(changes, key=lambda change: change["timestamp"])["state"]
    if not all(names):
        return None
    for change in changes:
        data = parsed(change["data"])
        moments = streams[data["stream_id"]]
        moments[data["event_name"]] = min(change["timestamp"], moments.get(data["event_name"], change["timestamp"]))
    last = max((moments.get("Stream Start") or min(moments.values()), key) for key, moments in streams.items())[1]
    return "live" if "Stream Start" in streams[last] and "Stream End" not in streams[last] else "offline"


def test_live_state_of_an_adopted_channel_is_that_of_its_last_stream(databases: Databases) -> None:
    changes = defaultdict(list)
    for row in databases.rows.ivs_state_changes:
        changes[row["ivs_channel_uuid"]].append(row)
    channels = [row["uuid"] for row in databases.rows.ivs_channels[:20]]
    expected = {channel: state for channel in channels if (state := expected_live_state(changes[channel]))}
    with databases.connect(databases.adopted) as connection:
        found = live_states(connection)
    assert {channel: found[channel][0] for channel in expected} == expected
    assert {"live", "offline"} == set(expected.values())


def test_adopted_content_is_found_by_its_words(databases: Databases) -> None:
    query = """
        SELECT count(*), count(*) FILTER (WHERE search IS NULL),
            count(*) FILTER (WHERE search @@ to_tsquery('english', 'river & studio')),
            count(*) FILTER (WHERE to_tsvector('english', description) @@ to_tsquery('english', 'river & studio'))
        FROM on_demand_video_content LEFT JOIN ondemand_videoindex ON video_id = on_demand_video_uuid
        WHERE coalesce(length(description), 0) < 1000
    """
    with databases.connect(databases.adopted) as connection:
        row = connection.execute(query).fetchone()
    assert row
    total, missing, found, expected = row
    assert total and not missing
    assert found == expected > 0


def test_a_near_miss_of_a_word_that_was_adopted_is_known(databases: Databases) -> None:
    near = """
        SELECT word, misspelt, ivsvod_word_forms(word) && ivsvod_word_forms(misspelt)
        FROM ondemand_searchword CROSS JOIN LATERAL (VALUES
            (substr(word, 2)), (left(word, -1)), (word || 'x'), ('x' || substr(word, 2)),
            (left(word, 1) || substr(word, 3, 1) || substr(word, 2, 1) || substr(word, 4)), (word),
            (reverse(word) || 'xx')
        ) AS misspellings (misspelt)
    """
    with databases.connect(databases.adopted) as connection:
        rows = connection.execute(near).fetchall()
    assert rows
    assert {is_near == (not misspelt.endswith("xx")) for _, misspelt, is_near in rows} == {True}


# Stopped and run again


def own_positions(databases: Databases) -> list[int]:
    """How many migrations are recorded when one of ours is the next."""
    with databases.connect(databases.adopted) as connection:
        names = [row[0] for row in connection.execute("SELECT app FROM django_migrations ORDER BY id")]
    return [number for number, app in enumerate(names) if app in ("channels_app", "ondemand")]


def recorded(connection: Connection) -> int:
    if not connection.execute("SELECT to_regclass('django_migrations')").fetchone()[0]:
        return 0
    return connection.execute("SELECT count(*) FROM django_migrations").fetchone()[0]


def wait_for(condition: Callable[[], Any], process: subprocess.Popen[str], *, seconds: float = 60) -> bool:
    """Whether the condition came true before the process ended."""
    end = time.monotonic() + seconds
    while process.poll() is None:
        if condition():
            return True
        if time.monotonic() > end:
            process.kill()
            process.communicate()
            pytest.fail("the migration hangs")
        time.sleep(0.002)
    return False


def wait_until_alone(connection: Connection) -> None:
    """What a killed client had sent may still be running on the server."""
    query = """
        SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    """
    for _ in range(1000):
        if not connection.execute(query).fetchone():
            return
        time.sleep(0.01)
    pytest.fail("a backend of the killed migration is still there")


def test_each_migration_that_makes_tables_runs_what_django_defers() -> None:
    ours = ("accounts", "channels_app", "ondemand")
    migrations = [each for key, each in MigrationLoader(None).disk_migrations.items() if key[0] in ours]
    kinds = [[type(operation) for operation in migration.operations] for migration in migrations]
    made = [each for each in kinds if CreateModel in each]
    assert len(made) >= 3
    assert all(CreateModel not in each[each.index(RunDeferredSQL) :] for each in made)


STOPPER = """
    CREATE SCHEMA stopper;
    CREATE SEQUENCE stopper.seen;
    CREATE TABLE stopper.stops AS SELECT unnest(%s::int[]) AS number;
    CREATE FUNCTION stopper.stop() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT FROM pg_event_trigger_ddl_commands()
            WHERE object_identity ~ 'ivs|channels_app|on_?demand'
        ) THEN
            RETURN;
        END IF;
        IF nextval('stopper.seen') IN (SELECT number FROM stopper.stops) THEN
            PERFORM pg_terminate_backend(pg_backend_pid());
            PERFORM pg_sleep(0);
        END IF;
    END $$;
    CREATE EVENT TRIGGER stopper ON ddl_command_end EXECUTE FUNCTION stopper.stop();
"""


UNRECORDED = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'not recorded';
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON django_migrations
        FOR EACH ROW WHEN (NEW.app = 'ondemand' AND NEW.name = '0002_own_tables') EXECUTE FUNCTION refuse();
"""


@ON_THE_LAST_SERVER
def test_a_migration_that_is_cut_refused_and_killed_ends_right_when_run_again(
    databases: Databases, copy: Callable[[str], str]
) -> None:
    """Cut at random statements, and where tables are made: with their foreign keys and indexes, or not at all.

    Later on its process is killed at random points.
    """
    rng = random.Random(11)  # noqa: S311 (reproducible, not secret)
    stops = list(itertools.accumulate(rng.randrange(2, 16) for _ in range(3 if THOROUGH else 2)))
    name = copy(databases.predecessor)
    databases.migrate(name, "contenttypes")
    with databases.as_superuser(name) as connection:
        with psycopg.ClientCursor(connection) as cursor:
            cursor.execute(STOPPER, [stops])
        connection.execute(UNRECORDED)
        for error in (*["terminating connection"] * len(stops), "not recorded"):
            with pytest.raises(DatabaseError, match=error):
                databases.migrate(name)
            assert_rows_are_the_predecessors(databases, name)
            with databases.connect(name) as predecessor, undone(predecessor):
                assert_the_predecessor_works(predecessor)
        connection.execute("DROP EVENT TRIGGER stopper; DROP SCHEMA stopper CASCADE")
        connection.execute("DROP TRIGGER refuse ON django_migrations; DROP FUNCTION refuse()")
        left = [position for position in own_positions(databases) if position > recorded(connection)]
    killed = 0
    for position in sorted(rng.sample(left, k=3 if THOROUGH else 2)):
        pause = rng.uniform(0, 0.06)
        with databases.start_manage(name, "migrate") as process, databases.connect(name) as connection:
            if wait_for(lambda connection=connection, position=position: recorded(connection) >= position, process):
                time.sleep(pause)
                process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
            wait_until_alone(connection)
        assert_rows_are_the_predecessors(databases, name)
    assert killed
    databases.migrate(name)
    assert_adopted(databases, name)


@ON_THE_LAST_SERVER
def test_indexes_that_an_interrupted_build_left_invalid_are_built_anew(
    databases: Databases, copy: Callable[[str], str]
) -> None:
    """All of them, as if their migrations had not been recorded; the first build is interrupted again."""
    name = copy(databases.adopted)
    marking = """
        UPDATE pg_index SET indisvalid = false
        FROM pg_class i, pg_class t
        WHERE i.oid = indexrelid AND t.oid = indrelid AND NOT indisunique
            AND t.relname IN ('on_demand_videos', 'ondemand_videoindex') AND i.relname ~ '^(video_|on_demand_)'
        RETURNING i.relname
    """
    building = """
        FROM pg_stat_activity
        WHERE datname = current_database() AND query ~ '^CREATE (UNIQUE )?INDEX CONCURRENTLY'
            AND wait_event_type = 'Lock'
    """
    with databases.as_superuser(name) as connection, databases.connect(name) as reader, ThreadPoolExecutor() as thread:
        indexes = connection.execute(marking).fetchall()
        connection.execute("DELETE FROM django_migrations WHERE app = 'ondemand' AND name >= '0003'")
        # An open snapshot stops no other statement, but a concurrent build waits for it in its last step.
        with reader.transaction():
            reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            reader.execute("SELECT 1")
            migration = thread.submit(databases.migrate, name)
            assert wait_until(lambda: connection.execute(f"SELECT 1 {building}").fetchone() is not None, 60)
            connection.execute(f"SELECT pg_terminate_backend(pid) {building}")
            with pytest.raises(DatabaseError, match="terminating connection"):
                migration.result()
        invalid = connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone()
    assert invalid == (len(indexes),)
    assert len(indexes) > 15
    databases.migrate(name)
    assert_adopted(databases, name)


# While `migrate` runs

LOCKS = """
    CREATE SCHEMA locks;
    CREATE TABLE locks.held (id bigint GENERATED ALWAYS AS IDENTITY, transaction bigint, relation text);
    CREATE FUNCTION locks.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        INSERT INTO locks.held (transaction, relation)
        SELECT txid_current(), relation::regclass::text FROM pg_locks
        WHERE pid = pg_backend_pid() AND locktype = 'relation'
            AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock');
    END $$;
    CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION locks.note();
"""
# Those that its statements write, and those that triggers write on their behalf.
WRITTEN = {*COLUMNS, "channels_app_stream", "channels_app_auditentry", "ondemand_videoindex", "ondemand_tagcount"}


class Writer(threading.Thread):
    """The predecessor at work: each of its writes again and again, each a transaction of its own."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        # Its driver prepares no statements.
        connection.prepare_threshold = None
        self.connection, self.is_done = connection, threading.Event()
        self.rounds, self.errors = 0, list[str]()

    def run(self) -> None:
        while not self.is_done.is_set():
            try:
                self.write()
            except psycopg.Error as error:
                self.errors.append(str(error))
            self.rounds += 1
            # Leaves the migration a processor.
            self.is_done.wait(0.03)

    def write(self) -> None:
        channel = new_channel(self.connection)
        prefix = json.dumps(f"ivs/v1/{uuid4()}")
        data = document({"stream_id": '"st-a"', "recording_s3_key_prefix": prefix})
        for state in ("live", "offline"):
            statements.insert_state_change(self.connection, channel=channel, state=state, data=data)
        video = statements.insert_video(self.connection, channel=channel, data=data)["uuid"]
        for title in ("First", "Second"):
            statements.upsert_content(self.connection, video=video, title=title, tags=[title])
        for active in (False, True):
            statements.set_active(self.connection, video=video, active=active)


@ON_THE_FIRST_SERVER
def test_the_predecessors_writes_never_fail_while_migrate_runs(
    databases: Databases, copy: Callable[[str], str]
) -> None:
    """A writer holds one table and waits for another: locking both against it, one by one, is a deadlock.

    A row written before the backfill has come to older ones is a duplicate of the oldest with the same prefix.
    """
    name = copy(databases.predecessor)
    first = next(row for row in databases.rows.on_demand_videos if row["data"].count("ivs/v1/") == 1)
    with databases.as_superuser(name) as superuser, ExitStack() as stack:
        superuser.execute(LOCKS)
        writers = [Writer(stack.enter_context(databases.connect(name))) for _ in range(2)]
        for writer in writers:
            writer.start()
        try:
            databases.migrate(name, "ondemand", "0003")
            with databases.connect(name) as connection:
                later = [
                    statements.insert_video(connection, channel=None, data=first["data"])["uuid"] for _ in range(2)
                ]
            databases.migrate(name)
        finally:
            for writer in writers:
                writer.is_done.set()
                writer.join()
        locks = superuser.execute("SELECT transaction, relation FROM locks.held ORDER BY id").fetchall()
        [missed] = superuser.execute(
            "SELECT (SELECT count(*) FROM ivs_channels WHERE _status IS NULL)"
            " + (SELECT count(*) FROM on_demand_videos WHERE _status IS NULL)"
        ).fetchone() or [None]
        found = read_derived(superuser)
    assert [found[uuid]["duplicate_of"] for uuid in (first["uuid"], *later)] == [None, first["uuid"], first["uuid"]]
    assert [writer.errors for writer in writers] == [[], []]
    assert all(writer.rounds > 10 for writer in writers)
    assert missed == 0
    together = locked_together(locks)
    assert together
    assert [tables for tables in together if len(tables) > 1] == []


@ON_THE_FIRST_SERVER
def test_what_the_audit_log_calls_the_predecessors_tables_is_there_before_its_triggers(
    databases: Databases, copy: Callable[[str], str]
) -> None:
    """Django adds it after the last migration, and would fail if the predecessor wrote a row at that moment."""
    name = copy(databases.predecessor)
    with databases.used_by_django(name), statements_unlimited():
        # The command would add them itself.
        MigrationExecutor(connections[DEFAULT_DB_ALIAS]).migrate([("ondemand", "0003_triggers")])
    with databases.connect(name) as own:
        types = own.execute("SELECT app_label, model FROM django_content_type ORDER BY app_label").fetchall()
    assert types == [("channels_app", "channel"), ("ondemand", "video")]


def locked_together(locks: list[tuple[int, str]]) -> list[set[str]]:
    """The tables that each transaction locked against writers, without those that it made itself."""
    held, known = defaultdict(set), set(COLUMNS)
    for transaction, relation in locks:
        held[transaction].add(relation)
    together = []
    for tables in held.values():
        together.append(tables & known)
        known |= tables & WRITTEN
    return [tables for tables in together if tables]


# Back and forth


def assert_the_predecessor_works(connection: Connection) -> None:
    """Each of its statements, the search aside, which the long texts break with or without this project."""
    channel = statements.insert_channel(
        connection, uuid=uuid4(), owner=uuid4(), arn="arn:aws:ivs:eu-west-1:1:channel/a", channel_data="{}"
    )["uuid"]
    statements.insert_state_change(connection, channel=channel, state="live", data=None)
    assert statements.live_state(connection, channel=channel)["state"] == "live"
    video = statements.insert_video(connection, channel=channel, data="{}")["uuid"]
    first = statements.upsert_content(connection, video=video, title="First", tags=["one"])
    second = statements.upsert_content(connection, video=video, title="Second", tags=["two"])
    assert (first["uuid"], first["created_at"], second["title"]) == (second["uuid"], second["created_at"], "Second")
    assert statements.set_active(connection, video=video, active=False)["active"] is False
    assert video not in [row["uuid"] for row in statements.list_videos(connection, page_size=10_000)]
    assert statements.set_active(connection, video=video, active=True)["active"] is True
    assert video in [row["uuid"] for row in statements.list_videos(connection, page_size=10_000)]
    assert statements.get_video(connection, video=video)["content__title"] == "Second"


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    with connection.transaction(force_rollback=True):
        yield


@ON_THE_LAST_SERVER
def test_going_backwards_keeps_the_four_tables_and_forward_again_ends_the_same(
    databases: Databases, copy: Callable[[str], str]
) -> None:
    name = copy(databases.adopted)
    databases.migrate(name, "channels_app", "zero")
    assert_rows_are_the_predecessors(databases, name)
    with databases.connect(name) as connection, undone(connection):
        assert_the_predecessor_works(connection)
    databases.migrate(name)
    assert_adopted(databases, name)


@ON_THE_LAST_SERVER
def test_going_backwards_on_a_database_of_our_own_keeps_the_four_tables_too(
    databases: Databases, copy: Callable[[str], str]
) -> None:
    name = copy(databases.fresh)
    with databases.connect(name) as connection:
        assert_the_predecessor_works(connection)
        before = dump(connection)
        databases.migrate(name, "channels_app", "zero")
        assert dump(connection) == before
        with undone(connection):
            assert_the_predecessor_works(connection)
        databases.migrate(name)
        assert dump(connection) == before
        with databases.connect(databases.fresh) as fresh:
            assert catalogue(connection) == catalogue(fresh)


# The predecessor beside us


@pytest.fixture
def connection(databases: Databases) -> Iterator[Connection]:
    """A connection of the predecessor to a database that this project has made, without rows."""
    with databases.connect(databases.scratch) as connection:
        connection.execute(
            "TRUNCATE ivs_channels, on_demand_videos, ondemand_removedrecording, channels_app_inboxevent CASCADE"
        )
        yield connection


def new_channel(connection: Connection, **values: Any) -> UUID:
    defaults = {"uuid": uuid4(), "owner": uuid4(), "arn": "arn:aws:ivs:eu-west-1:1:channel/a", "channel_data": "{}"}
    return statements.insert_channel(connection, **(defaults | values))["uuid"]


def value(connection: Connection, query: str, *parameters: Any) -> Any:
    row = connection.execute(query, parameters).fetchone()
    assert row
    return row[0] if len(row) == 1 else row


def test_the_predecessors_statements_work_on_an_empty_migrated_database(connection: Connection) -> None:
    assert_the_predecessor_works(connection)


def test_the_predecessors_statements_work_on_its_adopted_database(databases: Databases) -> None:
    with databases.connect(databases.adopted) as connection, undone(connection):
        assert_the_predecessor_works(connection)


def test_the_predecessors_search_finds_what_it_wrote(connection: Connection) -> None:
    video = statements.insert_video(connection, channel=None, data="{}")["uuid"]
    statements.upsert_content(connection, video=video, title="River run", tags=["Sport", None, ""])
    for search in ("river", '"river run"', "sport -ocean"):
        hits = statements.search_videos(connection, search=search)
        assert [hit["on_demand_video_uuid"] for hit in hits] == [video]
    assert statements.search_videos(connection, search="ocean") == []


def test_the_predecessors_search_fails_on_very_long_texts_as_it_did_before(databases: Databases) -> None:
    for name in (databases.predecessor, databases.adopted):
        with databases.connect(name) as connection, pytest.raises(psycopg.errors.ProgramLimitExceeded):
            statements.search_videos(connection, search="river")


def test_a_recording_that_the_predecessor_writes_is_derived_at_once(connection: Connection) -> None:
    channel = new_channel(connection)
    data = {
        "recording_status": "Recording End",
        "recording_s3_bucket_name": BUCKET,
        "recording_s3_key_prefix": "ivs/v1/1/a/2026/3/4/9/5/KOmxgJTeKdNn",
        "recording_duration_ms": 3_960_000,
        "recording_session_id": "FRIBXuDL7DxtpYlS",
        "recording_session_stream_ids": ["st-one", "st-two"],
        "stream_id": "st-two",
    }
    first, second = (statements.insert_video(connection, channel=channel, data=json.dumps(data)) for _ in range(2))
    found = read_derived(connection)
    video = found[first["uuid"]]
    assert video["started_at"] == first["created_at"] - timedelta(milliseconds=3_960_000)
    assert (video["status"], video["duration_ms"]) == ("available", 3_960_000)
    assert (video["bucket"], video["prefix"]) == (BUCKET, data["recording_s3_key_prefix"])
    assert (video["session_id"], video["stream_ids"]) == ("FRIBXuDL7DxtpYlS", ["st-one", "st-two"])
    assert video["duplicate_of"] is None
    assert found[second["uuid"]]["duplicate_of"] == first["uuid"]


def test_state_changes_that_the_predecessor_writes_move_the_live_state_at_once(connection: Connection) -> None:
    def change(state: str, name: str, stream_id: str) -> str:
        data = document({"event_name": json.dumps(name), "stream_id": json.dumps(stream_id)})
        statements.insert_state_change(connection, channel=channel, state=state, data=data)
        return live_states(connection)[channel][0]

    channel = new_channel(connection)
    assert change("live", "Stream Start", "st-a") == "live"
    assert change("offline", "Stream End", "st-a") == "offline"
    assert change("live", "Stream Start", "st-a") == "offline"  # delivered again, late
    assert change("offline", "Stream End", "st-b") == "offline"
    assert change("live", "Stream Start", "st-b") == "offline"  # delivered after its end
    assert change("live", "Stream Start", "st-c") == "live"
    assert change("offline", "Stream End", "st-b") == "live"  # a late end of an older stream


def test_state_changes_without_data_move_the_live_state_by_their_state(connection: Connection) -> None:
    for data in (None, "null", "{}", "[]", '"text"', '{"event_name": 7}'):
        channel = new_channel(connection)
        for state in ("live", "offline", "live", "offline"):
            statements.insert_state_change(connection, channel=channel, state=state, data=data)
            assert live_states(connection)[channel][0] == state


def test_content_that_the_predecessor_replaces_is_found_by_its_new_words_only(connection: Connection) -> None:
    query = """
        SELECT search @@ to_tsquery('english', 'river'), search @@ to_tsquery('english', 'ocean')
        FROM ondemand_videoindex
    """
    video = statements.insert_video(connection, channel=None, data="{}")["uuid"]
    statements.upsert_content(connection, video=video, title="River", tags=["a"])
    assert value(connection, query) == (True, False)
    statements.upsert_content(connection, video=video, title="x", tags=["Ocean", None, ""])
    assert value(connection, query) == (False, True)
    statements.upsert_content(connection, video=video)
    assert value(connection, query) == (False, False)


def test_content_of_any_length_is_kept_whole_and_found_by_its_beginning(connection: Connection) -> None:
    texts = {"title": LONG_TEXT, "description": LONG_TEXT, "tags": [*LONG_TEXT.split(), None, ""]}
    video = statements.insert_video(connection, channel=None, data="{}")["uuid"]
    for part in (*texts, *texts):  # the first is an insert, all others are updates
        row = statements.upsert_content(connection, video=video, **{part: texts[part]})
        assert row[part] == texts[part], f"{part} is changed"
        assert value(connection, "SELECT search @@ 'word1'::tsquery FROM ondemand_videoindex")
    row = statements.upsert_content(connection, video=video, **texts)
    assert all(row[part] == texts[part] for part in texts)


def test_rows_written_through_the_triggers_are_derived_as_by_the_backfill(
    databases: Databases, connection: Connection
) -> None:
    for table, rows in databases.rows.tables():
        for row in rows:
            insert(connection, table, row)
    # New recordings of private channels are held back. Those of before stay as they were.
    connection.execute(
        "UPDATE on_demand_videos AS video SET _held = false FROM ivs_channels AS channel"
        " WHERE channel.uuid = video.ivs_channel_uuid AND channel._private AND video._held"
    )
    with databases.connect(databases.adopted) as adopted:
        expected, found = derived(adopted), derived(connection)
    for table in expected:
        assert len(found[table]) == len(expected[table])
        assert [(one, other) for one, other in zip(found[table], expected[table], strict=True) if one != other] == []


def test_state_changes_written_in_any_order_through_the_triggers_are_derived_the_same(
    databases: Databases, connection: Connection
) -> None:
    """Videos are left out: of two of one recording, the first is not known before both are there."""
    rng = random.Random(3)  # noqa: S311
    for table in ("ivs_channels", "ivs_state_changes"):
        rows = getattr(databases.rows, table)
        for row in rng.sample(rows, k=len(rows)):
            insert(connection, table, row)
    with databases.connect(databases.adopted) as adopted:
        found, expected = derived(connection), derived(adopted)
    for table in ("ivs_channels", "channels_app_stream"):
        assert found[table] == expected[table], table


def test_no_data_makes_a_statement_of_the_predecessor_fail(databases: Databases, connection: Connection) -> None:
    rows = databases.rows
    for row in rows.ivs_channels:
        written = {name: row[name] for name in ("uuid", "owner", "arn", "rtmp_address", "stream_key", "channel_data")}
        statements.insert_channel(connection, **written)
    for row in rows.ivs_state_changes:
        statements.insert_state_change(
            connection, channel=row["ivs_channel_uuid"], state=row["state"], data=row["data"]
        )
    made = {}
    for row in rows.on_demand_videos:
        video = statements.insert_video(connection, channel=row["ivs_channel_uuid"], data=row["data"])
        made[row["uuid"]] = video["uuid"]
        assert statements.set_active(connection, video=video["uuid"], active=False)["active"] is False
    for row in rows.on_demand_video_content:
        texts = {name: row[name] for name in ("title", "description", "tags", "thumbnail")}
        # An insert and an update; the test of rows that are written through the triggers inserts these texts.
        statements.upsert_content(connection, video=made[row["on_demand_video_uuid"]])
        written = statements.upsert_content(connection, video=made[row["on_demand_video_uuid"]], **texts)
        assert {name: written[name] for name in texts} == texts
    with databases.connect(databases.adopted) as adopted:
        backfilled, derived_now = read_derived(adopted), read_derived(connection)
    for old, new in made.items():
        for name in ("status", "bucket", "prefix", "session_id", "stream_ids"):
            assert derived_now[new][name] == backfilled[old][name], find(rows.on_demand_videos, old)["data"][:300]


def test_a_time_at_the_edge_of_what_postgresql_holds_makes_no_insert_fail(connection: Connection) -> None:
    moments = ("infinity", "-infinity", "4713-01-01 00:00:00+00 BC", "294276-12-31 00:00:00+00")
    statement = """
        INSERT INTO on_demand_videos (uuid, created_at, data) VALUES (DEFAULT, %s::timestamptz, %s::jsonb)
        RETURNING created_at = %s::timestamptz
    """
    for moment, duration in itertools.product(moments, ("3600000", "9223372036854775807", '"x"')):
        data = document({"recording_duration_ms": duration, "recording_s3_key_prefix": '"a"'})
        assert connection.execute(statement, [moment, data, moment]).fetchone() == (True,)
    channel = new_channel(connection)
    for moment in moments:
        connection.execute("INSERT INTO ivs_state_changes VALUES (%s::timestamptz, %s, 'live')", [moment, channel])


def test_data_changed_by_hand_to_anything_never_fails(databases: Databases) -> None:
    with databases.connect(databases.adopted) as connection, undone(connection):
        for data in ODD_DOCUMENTS:
            connection.execute("UPDATE on_demand_videos SET data = %s::jsonb", [data])
            connection.execute("UPDATE ivs_state_changes SET data = %s::jsonb", [data])
            connection.execute("UPDATE ivs_channels SET channel_data = %s::jsonb", [data])


# Locks


def test_a_channel_locked_by_this_project_does_not_hold_up_the_predecessor(
    databases: Databases, connection: Connection
) -> None:
    channel = new_channel(connection)
    connection.execute("SET lock_timeout = '5s'")
    with databases.connect(databases.scratch) as ours, ours.transaction():
        ours.execute("SELECT FROM ivs_channels WHERE uuid = %s FOR NO KEY UPDATE", [channel])
        for state, name in (("live", "Stream Start"), ("offline", "Stream End")):
            data = document({"event_name": json.dumps(name), "stream_id": '"st-a"'})
            statements.insert_state_change(connection, channel=channel, state=state, data=data)
        statements.insert_video(connection, channel=channel, data="{}")
    assert live_states(connection)[channel][0] == "offline"


def test_readers_of_this_project_do_not_hold_up_the_predecessor(databases: Databases, connection: Connection) -> None:
    connection.execute("SET lock_timeout = '5s'")
    with databases.connect(databases.scratch) as ours, ours.transaction():
        for table in COLUMNS:
            ours.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
        assert_the_predecessor_works(connection)


def test_the_predecessor_works_with_rights_on_its_own_four_tables_alone(
    databases: Databases, connection: Connection
) -> None:
    with databases.as_superuser() as superuser:
        superuser.execute("DROP ROLE IF EXISTS predecessor_alone")
        superuser.execute("CREATE ROLE predecessor_alone LOGIN")
    tables = ", ".join(COLUMNS)
    connection.execute(f"GRANT SELECT, INSERT, UPDATE ON {tables} TO predecessor_alone")
    try:
        with databases.connect(databases.scratch, user="predecessor_alone") as alone:
            assert_the_predecessor_works(alone)
    finally:
        connection.execute(f"REVOKE ALL ON {tables} FROM predecessor_alone")
        with databases.as_superuser() as superuser:
            superuser.execute("DROP ROLE predecessor_alone")


@contextmanager
def role_with(databases: Databases, connection: Connection, *grants: str) -> Iterator[Connection]:
    """A connection of a new role that has these rights, such as `SELECT ON ivs_channels`, and no others."""
    role = "predecessor_of_old"
    with databases.as_superuser() as superuser:
        superuser.execute(f"CREATE ROLE {role} LOGIN")
    try:
        for grant in grants:
            connection.execute(f"GRANT {grant} TO {role}")
        with databases.connect(databases.scratch, user=role) as limited:
            yield limited
    finally:
        connection.execute(f"REVOKE ALL ON {', '.join(COLUMNS)} FROM {role}")
        with databases.as_superuser() as superuser:
            superuser.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize(
    ("statement", "grants"),
    [
        (statements.insert_channel, ["INSERT, SELECT ON ivs_channels"]),
        (statements.insert_state_change, ["INSERT, SELECT ON ivs_state_changes"]),
        (statements.insert_video, ["INSERT, SELECT ON on_demand_videos", "SELECT ON ivs_channels"]),
        (statements.upsert_content, ["INSERT, SELECT, UPDATE ON on_demand_video_content"]),
        (statements.set_active, ["SELECT, UPDATE ON on_demand_videos"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_write_of_the_predecessor_needs_the_rights_that_it_needed_before(
    databases: Databases, connection: Connection, statement: Callable[..., Any], grants: list[str]
) -> None:
    channel = new_channel(connection)
    data = document({"recording_s3_key_prefix": '"p"', "stream_id": '"st-a"'})
    video = statements.insert_video(connection, channel=channel, data=data)["uuid"]
    values: dict[Any, dict[str, Any]] = {
        statements.insert_channel: {"uuid": uuid4(), "owner": uuid4(), "arn": "arn:new", "channel_data": "{}"},
        statements.insert_state_change: {"channel": channel, "state": "live", "data": data},
        statements.insert_video: {"channel": channel, "data": data},
        statements.upsert_content: {"video": video, "title": "First", "tags": ["one"]},
        statements.set_active: {"video": video, "active": False},
    }
    with role_with(databases, connection, *grants) as limited:
        assert statement(limited, **values[statement])
    if statement is not statements.insert_state_change:
        entry = "SELECT way, actor_name FROM channels_app_auditentry ORDER BY id DESC LIMIT 1"
        assert value(connection, entry) == ("database", "predecessor_of_old")
    if statement is statements.insert_state_change:
        assert live_states(connection)[channel][0] == "live"
    if statement is statements.insert_video:
        assert value(connection, "SELECT count(*) FROM on_demand_videos WHERE _duplicate_of = %s", video) == 1


def test_one_statement_inserts_any_number_of_recordings(databases: Databases, connection: Connection) -> None:
    """The memory for locks has room for fewer than 11,000 of all sessions together."""
    new_channel(connection)
    with databases.connect(databases.scratch) as other, other.transaction():
        other.execute("SELECT pg_advisory_xact_lock(number) FROM generate_series(1, 7500) AS number")
        connection.execute("""
            INSERT INTO on_demand_videos (ivs_channel_uuid, data)
            SELECT (SELECT uuid FROM ivs_channels), jsonb_build_object('recording_s3_key_prefix', 'p' || number % 3800)
            FROM generate_series(1, 4000) AS number
        """)
    query = "SELECT count(*), count(*) FILTER (WHERE _duplicate_of IS NOT NULL) FROM on_demand_videos"
    assert value(connection, query) == (4000, 200)


def test_two_statements_that_insert_the_same_recordings_in_opposite_orders_see_each_other(
    databases: Databases, connection: Connection
) -> None:
    statement = """
        INSERT INTO on_demand_videos (ivs_channel_uuid, data)
        SELECT channel, jsonb_build_object('recording_s3_key_prefix', channel)
        FROM unnest(%s::uuid[]) AS channel, LATERAL (SELECT pg_sleep(0.1 + 0 * length(channel::text))) AS pause
    """
    channels = [new_channel(connection) for _ in range(2)]

    def insert_all(order: list[UUID]) -> None:
        with databases.connect(databases.scratch) as own:
            own.execute(statement, [order])

    with ThreadPoolExecutor() as threads:
        list(threads.map(insert_all, [channels, channels[::-1]]))
    query = "SELECT count(*), count(_duplicate_of), count(DISTINCT _duplicate_of) FROM on_demand_videos"
    assert value(connection, query) == (4, 2, 2)


def test_rows_are_derived_under_an_empty_search_path_as_in_a_restore(connection: Connection) -> None:
    channel = new_channel(connection)
    connection.execute("SET search_path = ''")
    data = document({"recording_s3_bucket_name": '"b"', "recording_s3_key_prefix": '"p"'})
    columns = "(ivs_channel_uuid, data) VALUES (%s, %s::jsonb)"
    for _ in range(2):
        connection.execute(f"INSERT INTO public.on_demand_videos {columns}", [channel, data])
    columns = "(ivs_channel_uuid, state) VALUES (%s, 'live')"
    connection.execute(f"INSERT INTO public.ivs_state_changes {columns}", [channel])
    connection.execute("SET search_path = public")
    assert value(connection, "SELECT count(*) FROM on_demand_videos WHERE _duplicate_of IS NOT NULL") == 1
    assert live_states(connection)[channel][0] == "live"


# The API on the adopted database


@ON_THE_LAST_SERVER
def test_the_api_serves_the_adopted_database(databases: Databases, copy: Callable[[str], str], settings: Any) -> None:
    settings.AUTH_API_KEY = "the shared key"
    name, client, key = copy(databases.adopted), Client(), bearer("the shared key")
    with databases.connect(name) as connection:
        rows = connection.execute(
            "SELECT video.uuid, video.active, first.uuid IS NOT NULL,"
            " first.uuid IS NULL OR coalesce(first.active, false)"
            " FROM on_demand_videos AS video LEFT JOIN on_demand_videos AS first ON first.uuid = video._duplicate_of"
        ).fetchall()

    def code(path: str, **options: Any) -> int:
        return client.get(path, **options).status_code

    with databases.used_by_django(name):
        listed, page = [], 0
        while page * 100 == len(listed):
            page += 1
            answer = client.get("/on-demand", {"page": page, "pageSize": 100})
            listed += [UUID(video["uuid"]) for video in answer.json()["data"]]
        assert sorted(listed) == sorted(uuid for uuid, active, duplicate, _ in rows if active and not duplicate)
        for uuid, *_ in rows if THOROUGH else rows[::5]:
            assert code(f"/on-demand/{uuid}", headers=key) == 200, uuid
        of_each_kind = {row[1:]: row for row in rows}.values()
        assert {bool(active and first) for _, active, _, first in of_each_kind} == {True, False}
        for uuid, active, _, first in of_each_kind:
            assert code(f"/on-demand/{uuid}") == (200 if active and first else 404)
        for channel in databases.rows.ivs_channels if THOROUGH else databases.rows.ivs_channels[::5]:
            assert code(f"/channels/{channel['uuid']}/live") == 200, channel
        for search in ("show", "-show", '"a b" or c'):
            assert code("/on-demand/search", data={"search": search}) == 200
        for uuid, *_ in rows[::50]:
            answer = client.put(f"/on-demand/{uuid}", json.dumps({"title": "New"}), headers=key)
            assert answer.status_code == 200, uuid
