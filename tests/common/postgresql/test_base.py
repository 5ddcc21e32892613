"""Connections to the database: a password that is rotated, and limits that a role brings along."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Barrier
from time import sleep
from typing import Any

import boto3
import psycopg
import pytest
from botocore.client import BaseClient
from django.conf import settings
from django.db import connection
from moto import mock_aws

from common.aws.secrets import secrets_forget
from common.postgresql.base import DatabaseWrapper

# The role and the rules of sign-in are those of the server that all workers share.
pytestmark = [pytest.mark.xdist_group("sign-in"), pytest.mark.slow]
CHECKOUT = Path(__file__).resolve().parents[3]
THREADS = 6


def superuser() -> psycopg.Connection[Any]:
    values = connection.settings_dict
    return psycopg.connect(
        host=values["HOST"], port=values["PORT"], user=values["USER"], dbname=values["NAME"], autocommit=True
    )


# A password that is rotated

ROLE = "ivsvod_rotated"


class Rotation:
    """A role of PostgreSQL whose password stands in Secrets Manager, and what connects as this role."""

    def __init__(self, server: psycopg.Connection[Any], operations: list[str]) -> None:
        self.server, self.operations = server, operations
        self.secrets = boto3.session.Session().client("secretsmanager", region_name="eu-west-1")
        self.arn = self.secrets.create_secret(Name="ivsvod", SecretString="first")["ARN"]
        self.settings: dict[str, Any] = {}

    def change(self, password: str, *, in_secret: bool = True) -> None:
        """Change the password in PostgreSQL and, unless that is left out, in Secrets Manager."""
        self.server.execute(f"ALTER ROLE {ROLE} PASSWORD '{password}'")
        if in_secret:
            self.secrets.put_secret_value(SecretId=self.arn, SecretString=password)
        self.operations.clear()

    def wrapper(self) -> DatabaseWrapper:
        """As each thread of a process has one: with the same settings, and the same pool where there is one."""
        return DatabaseWrapper(self.settings, alias="rotated")


@pytest.fixture
def scram(db: None) -> Iterator[psycopg.Connection[Any]]:
    """The embedded server, which trusts everyone but this role."""
    with superuser() as server:
        [[path]] = server.execute("SHOW hba_file").fetchall()
        file = Path(path)
        before = file.read_text()
        file.write_text(f"local all {ROLE} scram-sha-256\n{before}")
        server.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'first'")
        server.execute("SELECT pg_reload_conf()")
        yield server
        file.write_text(before)
        server.execute("SELECT pg_reload_conf()")
        server.execute(f"DROP ROLE {ROLE}")


@pytest.fixture(params=[False, True], ids=["alone", "pooled"])
def rotation(
    request: pytest.FixtureRequest, scram: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rotation]:
    """With a pool and without."""
    operations: list[str] = []
    call = BaseClient._make_api_call

    def counted(self: Any, operation: str, parameters: Any) -> Any:
        operations.append(operation)
        return call(self, operation, parameters)

    with mock_aws():
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        monkeypatch.setattr(BaseClient, "_make_api_call", counted)
        rotation = Rotation(scram, operations)
        # Longer than a busy machine takes to connect.
        pool = {"pool": {"min_size": 0, "max_size": 10, "timeout": 2, "reconnect_timeout": 0.5}}
        rotation.settings = {
            **connection.settings_dict,
            "USER": ROLE,
            "PASSWORD": "first",
            "PASSWORD_REFERENCE": rotation.arn,
            "OPTIONS": pool if request.param else {},
        }
        yield rotation
        rotation.wrapper().close_pool()
    secrets_forget()


def answer(wrapper: DatabaseWrapper) -> str:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


def test_a_rotated_password_is_read_again_while_connections_in_use_stay_open(rotation: Rotation) -> None:
    with ExitStack() as stack:
        in_use = [stack.enter_context(closing(rotation.wrapper()))]
        assert answer(in_use[0]) == ROLE

        for password in ("second", "third"):
            rotation.change(password)
            in_use.append(stack.enter_context(closing(rotation.wrapper())))
            assert [answer(wrapper) for wrapper in reversed(in_use)] == [ROLE] * len(in_use)
            assert rotation.operations == ["GetSecretValue"]


def test_threads_that_are_refused_at_once_ask_for_the_password_once(rotation: Rotation) -> None:
    with closing(rotation.wrapper()) as first:
        assert answer(first) == ROLE
    rotation.change("second")
    # What the pool has kept is of before.
    rotation.server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [ROLE])
    ready, all_connected = Barrier(THREADS), Barrier(THREADS)

    def connect(_: int) -> str:
        with closing(rotation.wrapper()) as wrapper:
            ready.wait()
            found = answer(wrapper)
            all_connected.wait(30)
            return found

    with ThreadPoolExecutor(THREADS) as threads:
        assert list(threads.map(connect, range(THREADS))) == [ROLE] * THREADS
    assert rotation.operations == ["GetSecretValue"]


def test_a_wrong_password_that_was_not_changed_is_refused_with_the_reason_of_the_server(rotation: Rotation) -> None:
    rotation.change("another", in_secret=False)

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        rotation.wrapper().get_new_connection(rotation.wrapper().get_connection_params())
    assert rotation.operations == ["GetSecretValue"]


# Limits that a role brings along


def test_the_statement_timeout_of_a_role_does_not_limit_migrate(db: None) -> None:
    values = connection.settings_dict
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "ivsvod.settings",
        "PG_HOST": values["HOST"],
        "PG_PORT": str(values["PORT"]),
        "PG_DATABASE": values["NAME"],
        "PG_USER": "ivsvod_limited",
        "PG_PASSWORD": "unused",
        "SECRET_KEY": "anything",
        "ALLOWED_HOSTS": "testserver",
        "FIELD_ENCRYPTION_KEYS": settings.FIELD_ENCRYPTION_KEYS[0],
    }
    with superuser() as server, superuser() as watcher:
        watcher.execute("CREATE ROLE ivsvod_limited LOGIN SUPERUSER")
        watcher.execute("ALTER ROLE ivsvod_limited SET statement_timeout = '100ms'")
        try:
            with server.transaction():
                server.execute("LOCK TABLE django_migrations")
                line = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
                command = subprocess.Popen(line, cwd=CHECKOUT, env=environment, stderr=subprocess.PIPE, text=True)
                while command.poll() is None and not waits(watcher, "ivsvod_limited"):
                    sleep(0.01)
                # Longer than the role allows.
                sleep(0.2)
            _, errors = command.communicate(timeout=60)
            assert command.returncode == 0, errors
        finally:
            watcher.execute("DROP ROLE ivsvod_limited")


def waits(server: psycopg.Connection[Any], role: str) -> bool:
    """Whether a statement of the role waits for a lock."""
    found = "SELECT FROM pg_stat_activity WHERE usename = %s AND wait_event_type = 'Lock'"
    return bool(server.execute(found, [role]).rowcount)
