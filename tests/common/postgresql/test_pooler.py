"""The service behind PgBouncer in transaction mode, whose clients share one connection to the server."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from socket import socket
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.test import Client

from channels_app.models import AuditEntry
from common.postgresql.base import DatabaseWrapper
from ondemand.models import Content
from tests.support.helpers import assert_error, bearer, make_channel, make_content, make_video
from tests.support.ports import free_port
from tests.support.processes import connect
from tests.support.road import ARN, lambda_takes, live, stream_change
from tools.local.aws import LocalAws
from tools.local.postgres.processes import wait_until
from tools.local.postgres.programs import find_programs

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = [
    pytest.mark.skipif(PGBOUNCER is None, reason="needs PgBouncer: apt-get install pgbouncer"),
    # They share one process.
    pytest.mark.xdist_group("pgbouncer"),
]
CONFIGURATION = """
[databases]
* = host={socket} port={socket_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = 1
query_wait_timeout = 10
"""
# What a session may leave behind for the next one.
LEFT = """
SELECT 'setting', name, setting FROM pg_settings WHERE source = 'session' AND name <> 'application_name'
UNION ALL SELECT 'actor', 'ivsvod.actor', nullif(current_setting('ivsvod.actor', true), '')
UNION ALL SELECT 'prepared', name, statement FROM pg_prepared_statements
UNION ALL SELECT 'cursor', name, statement FROM pg_cursors WHERE name <> ''
UNION ALL SELECT 'lock', locktype, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'
UNION ALL SELECT 'table', relname, '' FROM pg_class WHERE relpersistence = 't'
ORDER BY 1, 2
"""


@pytest.fixture(scope="module")
def role() -> Iterator[str]:
    """A role with a limit of its own, as docs/operations.md says."""
    name = f"pooled_{uuid4().hex[:12]}"
    with connect("postgres") as server:
        server.execute(f"CREATE ROLE {name} LOGIN SUPERUSER")
        server.execute(f"ALTER ROLE {name} SET statement_timeout = '1s'")
    yield name
    with connect("postgres") as server:
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [name])
        server.execute(f"DROP ROLE {name}")


@pytest.fixture(scope="module")
def pgbouncer(role: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A PgBouncer before the server of the session; where it is reached."""
    folder, port = tmp_path_factory.mktemp("pgbouncer"), free_port()
    users, configuration = folder / "users.txt", folder / "pgbouncer.ini"
    users.write_text(f'"{role}" ""\n')
    place = {"socket": os.environ["PG_HOST"], "socket_port": os.environ["PG_PORT"], "port": port, "users": users}
    configuration.write_text(CONFIGURATION.format(**place))
    # As the server runs: PgBouncer, too, refuses to be root.
    process = subprocess.Popen([*find_programs().prefix, str(PGBOUNCER), "-q", str(configuration)])
    try:
        assert wait_until(lambda: process.poll() is None and listens(port), 30)
        yield {"HOST": "127.0.0.1", "PORT": str(port), "USER": role}
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(params=["pool", "kept"])
def pooled(
    request: pytest.FixtureRequest, pgbouncer: dict[str, Any], transactional_db: None, settings: Any
) -> Iterator[dict[str, Any]]:
    """The connections of this process lead through PgBouncer: with a pool as under WSGI, or kept as on Lambda."""
    settings.PG_POOLER = True
    pool = {"pool": {"min_size": 0, "max_size": 2, "timeout": 5}} if request.param == "pool" else {}
    changed = {**pgbouncer, "CONN_MAX_AGE": 0 if pool else 60, "OPTIONS": {"sslmode": "disable", **pool}}
    connection.close()
    connection.close_pool()
    with patch.dict(connection.settings_dict, changed):
        yield pgbouncer
        connection.close()
        connection.close_pool()


@contextmanager
def another_client(place: dict[str, Any]) -> Iterator[psycopg.Connection[Any]]:
    """Another client of the same PgBouncer, and so of the same connection to the server."""
    parameters = {"host": place["HOST"], "port": place["PORT"], "user": place["USER"]}
    with psycopg.connect(**parameters, dbname=connection.settings_dict["NAME"], autocommit=True) as client:
        yield client


@pytest.fixture
def nothing_left(pooled: dict[str, Any]) -> Iterator[None]:
    """What the service does leaves nothing to the next client of the connection."""

    def state() -> list[Any]:
        with another_client(pooled) as client:
            return [client.execute(text).fetchall() for text in ("SELECT pg_backend_pid()", LEFT)]

    before = state()
    yield
    assert state() == before


def test_lists_and_search_are_read_through_a_pooler(nothing_left: None) -> None:
    for title in ("Opening night", "Closing night"):
        make_content(make_video(), title=title)
    paths = [
        "/on-demand?tag=news&ordering=title",
        "/on-demand?search=opening",
        "/on-demand/search?search=night",
        "/tags",
    ]

    answers = [Client().get(path).json()["data"] for path in paths]

    assert [len(rows) for rows in answers] == [2, 1, 2, 1]


def test_a_write_through_a_pooler_is_recorded_as_that_of_its_caller(nothing_left: None, api_key: str) -> None:
    video = make_video()

    answer = Client().patch(
        f"/on-demand/{video.pk}", {"title": "Opening night"}, "application/json", headers=bearer(api_key)
    )

    assert (answer.status_code, Content.objects.get(video=video).title) == (200, "Opening night")
    assert AuditEntry.objects.latest("pk").actor_name == "the shared key"


def test_events_take_their_way_through_a_pooler(nothing_left: None, aws: LocalAws) -> None:
    channel = make_channel(arn=ARN)

    assert lambda_takes(stream_change("Stream Start", 0)) == []
    assert live(channel)[0] == "live"


def test_the_limit_of_the_role_ends_a_statement_through_a_pooler(nothing_left: None) -> None:
    make_video()
    with connect(connection.settings_dict["NAME"]) as session, session.transaction():
        session.execute("LOCK TABLE ondemand_videoindex")
        answer = Client().get("/on-demand")

    assert_error(answer, 503, "statement_timeout")
    assert Client().get("/on-demand").status_code == 200


def test_a_pooler_that_nobody_named_is_named_by_the_error(pooled: dict[str, Any], settings: Any) -> None:
    settings.PG_POOLER, settings.PG_STATEMENT_TIMEOUT = False, 5
    alone = {**connection.settings_dict, "OPTIONS": {"sslmode": "disable"}}

    with (
        closing(DatabaseWrapper(alone, alias="alone")) as wrapper,
        pytest.raises(psycopg.OperationalError, match="set PG_POOLER"),
    ):
        wrapper.get_new_connection(wrapper.get_connection_params())


def listens(port: int) -> bool:
    with socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
