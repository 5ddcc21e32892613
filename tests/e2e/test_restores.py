"""Dumps that are restored, as docs/operations.md says: whole, and as data alone into tables that `migrate` has made."""

import os
import subprocess
from io import StringIO

import pytest
from django.core.management import call_command
from psycopg import sql

from tests.e2e.test_adoption import catalogue, derived, dump, quietly_differs
from tests.support.adoption import OWNER, ROOT, Connection, Databases
from tests.support.predecessor.statements import COLUMNS
from tools.local.postgres import wheel_bin_dir

pytestmark = pytest.mark.xdist_group("adopted")

PLACES = "SELECT bucket, prefix FROM ondemand_removedrecording ORDER BY bucket, prefix"
TAGS = "SELECT tag, sum(videos), sum(listed) FROM ondemand_tagcount GROUP BY tag ORDER BY tag"
AUDIT = "SELECT count(*), max(id) FROM channels_app_auditentry"
ADOPTION = "SELECT id FROM channels_app_adoption"
EMPTY = """
SELECT format('TRUNCATE %s CASCADE', string_agg(format('%I', relname), ', '))
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


@pytest.fixture(scope="module")
def databases(embedded_databases: Databases) -> Databases:
    return embedded_databases


@pytest.fixture(scope="module")
def living(databases: Databases) -> str:
    """An adopted database in which somebody has worked since: a video is removed, another is listed by hand."""
    name = databases.create(template=databases.adopted)
    with databases.connect(name) as connection:
        connection.execute(
            "DELETE FROM on_demand_video_content WHERE uuid IN (SELECT uuid FROM on_demand_video_content LIMIT 5)"
        )
        connection.execute(
            """
            DELETE FROM on_demand_videos WHERE uuid IN (
                SELECT uuid FROM on_demand_videos AS video WHERE _prefix <> '' AND NOT EXISTS (
                    SELECT FROM on_demand_video_content WHERE on_demand_video_uuid = video.uuid) LIMIT 5)
            """
        )
        # Listed by hand, although new videos of its channel are unlisted.
        connection.execute("UPDATE ivs_channels SET _new_video_state = 'unlisted'")
    return name


def piped(databases: Databases, source: list[str], target: list[str], *, user: str = OWNER, options: str = "") -> None:
    """Pipe the output of one PostgreSQL client into another."""
    server = databases.server
    environment = {
        **os.environ,
        "PGHOST": str(server.socket_dir),
        "PGPORT": str(server.port),
        "PGUSER": user,
        "PGOPTIONS": options,
    }
    names = [[str(wheel_bin_dir() / command[0]), *command[1:]] for command in (source, target)]
    with subprocess.Popen(
        names[0], env={**environment, "PGUSER": OWNER, "PGOPTIONS": ""}, stdout=subprocess.PIPE
    ) as dumping:
        done = subprocess.run(
            names[1], env=environment, stdin=dumping.stdout, capture_output=True, text=True, check=False
        )
    assert (dumping.returncode, done.returncode) == (0, 0), done.stderr


def everything(connection: Connection) -> dict[str, list[str]]:
    """All that is derived, and what is remembered."""
    kept = {query: [str(row) for row in connection.execute(query)] for query in (PLACES, TAGS, AUDIT, ADOPTION)}
    return (
        derived(connection) | {table: [str(line) for line in lines] for table, lines in dump(connection).items()} | kept
    )


def in_the_docs(*texts: str) -> bool:
    """Whether the page on operations has the commands as they are tried here."""
    page = " ".join((ROOT / "docs" / "operations.md").read_text().split())
    return all(" ".join(text.split()) in page for text in texts)


def assert_same(databases: Databases, one: str, other: str) -> None:
    with databases.connect(one) as first, databases.connect(other) as second:
        assert not quietly_differs(everything(first), everything(second))
        assert catalogue(first) == catalogue(second)


def test_a_whole_dump_is_restored_as_it_was(databases: Databases, living: str) -> None:
    name = databases.create()
    assert in_the_docs("pg_dump -Fc OLD", "pg_restore --no-owner --exit-on-error -d NEW")
    piped(databases, ["pg_dump", "-Fc", living], ["pg_restore", "--no-owner", "--exit-on-error", "-d", name])
    assert_same(databases, living, name)


def test_data_alone_are_restored_into_migrated_tables_while_no_trigger_fires(databases: Databases, living: str) -> None:
    assert in_the_docs(EMPTY, "PGOPTIONS='-c session_replication_role=replica' psql --single-transaction")
    name = databases.create(template=databases.fresh)
    with databases.connect(name) as connection:
        (empty,) = connection.execute(EMPTY).fetchone() or ("",)
        connection.execute(empty)
    loading = ["psql", "-q", "--single-transaction", "-v", "ON_ERROR_STOP=1", "-d", name]
    piped(
        databases,
        ["pg_dump", "--data-only", living],
        loading,
        user=databases.server.user,
        options="-c session_replication_role=replica",
    )
    assert_same(databases, living, name)


def test_data_of_the_predecessor_that_came_while_no_trigger_fired_are_derived_by_backfill(databases: Databases) -> None:
    """By a dump, or by a logical replication, whose apply worker runs as `replica`."""
    name = databases.create(template=databases.fresh)
    tables = [f"--table={table}" for table in COLUMNS]
    loading = ["psql", "-q", "--single-transaction", "-v", "ON_ERROR_STOP=1", "-d", name]
    piped(
        databases,
        ["pg_dump", "--data-only", *tables, databases.predecessor],
        loading,
        user=databases.server.user,
        options="-c session_replication_role=replica",
    )
    with databases.used_by_django(name):
        call_command("backfill", stdout=StringIO())
    with databases.connect(databases.adopted) as adopted, databases.connect(name) as connection:
        assert not quietly_differs(derived(connection), derived(adopted))
        assert connection.execute(TAGS).fetchall() == adopted.execute(TAGS).fetchall()


@pytest.mark.parametrize("always", [False, True])
def test_triggers_that_are_always_enabled_derive_rows_of_a_replication(databases: Databases, always: bool) -> None:
    name = databases.create(template=databases.fresh)
    with databases.connect(name) as connection:
        for table in sorted(COLUMNS.keys() - {"on_demand_video_content"}) if always else ():
            connection.execute(
                sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER ivsvod_derive").format(sql.Identifier(table))
            )
    with databases.as_superuser(name) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("INSERT INTO on_demand_videos (data) VALUES ('{}')")
        assert connection.execute("SELECT _status FROM on_demand_videos").fetchone() == (
            "available" if always else None,
        )
