"""Databases as the predecessor left them, and as `migrate` makes of them."""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from cryptography.fernet import Fernet
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.test import override_settings
from psycopg import sql

from common.audit import command_acting
from common.postgresql.base import DatabaseWrapper, statements_unlimited
from tests.support.helpers import THOROUGH
from tests.support.predecessor.rows import BUCKET, Rows, fill, generate
from tools.local import postgres

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = (ROOT / "tests" / "support" / "predecessor" / "schema.sql").read_text()
OWNER = "ivsvod_owner"
EXTENSION = 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp";'
# The embedded PostgreSQL has no contrib modules. There, and only there, this stands in for the extension's function.
STAND_IN = """
    CREATE FUNCTION uuid_generate_v4() RETURNS uuid LANGUAGE sql VOLATILE AS 'SELECT gen_random_uuid()';
"""
Connection = psycopg.Connection[Any]


def system_server() -> Path | None:
    """The programs of the newest PostgreSQL of the system (14 or newer) that has uuid-ossp."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*"), key=lambda path: path.name, reverse=True):
        control = Path("/usr/share/postgresql") / folder.name / "extension" / "uuid-ossp.control"
        if folder.name.isdecimal() and int(folder.name) >= 14 and control.exists():
            return folder / "bin"
    return None


SERVERS = {"embedded": None} | ({"system": found} if THOROUGH and (found := system_server()) else {})


@dataclass
class Databases:
    """Databases on one server, and `manage.py` for each of them."""

    server: postgres.Server
    # The fixture `django_db_blocker`.
    blocker: Any
    rows: Rows = field(default_factory=generate)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def connect(self, database: str, *, user: str = OWNER) -> Iterator[Connection]:
        with psycopg.connect(
            host=str(self.server.socket_dir),
            port=self.server.port,
            user=user,
            dbname=database,
            autocommit=True,
            options="-c timezone=UTC",
        ) as connection:
            yield connection

    @contextmanager
    def as_superuser(self, database: str = "postgres") -> Iterator[Connection]:
        with self.connect(database, user=self.server.user) as connection:
            yield connection

    def create(self, *, template: str = "template1") -> str:
        name = f"adoption_{next(self.numbers)}"
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
        copying = statement.format(*map(sql.Identifier, (name, OWNER, template)))
        with self.as_superuser() as connection:
            # A database is copied only while nobody uses it, and a client that has gone may be seen a little longer.
            for _ in range(10):
                try:
                    connection.execute(copying)
                except psycopg.errors.ObjectInUse:
                    time.sleep(0.05)
                else:
                    return name
        raise AssertionError(f"{template} is in use")

    def drop(self, name: str) -> None:
        with self.as_superuser() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @cached_property
    def predecessor(self) -> str:
        """What the predecessor left: its tables and their rows. To be copied, not to be written to."""
        name = self.create()
        with self.connect(name) as connection:
            if not connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'uuid-ossp'").fetchone():
                connection.execute(SCHEMA.replace(EXTENSION, STAND_IN))
            else:
                connection.execute(SCHEMA)
            fill(connection, self.rows)
        return name

    @cached_property
    def adopted(self) -> str:
        """The same, migrated. To be copied or read."""
        name = self.create(template=self.predecessor)
        self.migrate(name)
        return name

    @cached_property
    def fresh(self) -> str:
        """An empty database, migrated. To be copied or read."""
        name = self.create()
        self.migrate(name)
        return name

    @cached_property
    def scratch(self) -> str:
        """A copy of the fresh one to write to; emptied for each test."""
        return self.create(template=self.fresh)

    def start_manage(self, database: str, *arguments: str) -> subprocess.Popen[str]:
        place = {"PG_HOST": str(self.server.socket_dir), "PG_PORT": str(self.server.port), "PG_PASSWORD": "unused"}
        environment = {
            "PATH": os.environ["PATH"],
            "PG_USER": OWNER,
            "PG_DATABASE": database,
            "SECRET_KEY": "a key of the tests, long enough to be taken for one; 50 characters and more",
            "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "ALLOWED_HOSTS": "localhost",
            "RECORDING_BUCKET": BUCKET,
            "STAGE": "dev",
            "AWS_REGION": "eu-west-1",
            # No address outside of this machine is asked for credentials.
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment | place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def used_by_django(self, database: str) -> Iterator[None]:
        """Give Django in this process the database, as `start_manage` does in another, which takes a second longer."""
        before = connections[DEFAULT_DB_ALIAS]
        place = {"HOST": str(self.server.socket_dir), "PORT": self.server.port, "USER": OWNER, "NAME": database}
        # Without the pool, which would keep connections.
        own = DatabaseWrapper({**before.settings_dict, **place, "OPTIONS": {}}, DEFAULT_DB_ALIAS)
        connections[DEFAULT_DB_ALIAS] = own
        try:
            with self.blocker.unblock(), override_settings(RECORDING_BUCKET=BUCKET, RECORDING_BUCKETS=[BUCKET]):
                yield
        finally:
            own.close()
            connections[DEFAULT_DB_ALIAS] = before
            ContentType.objects.clear_cache()

    def migrate(self, database: str, *arguments: str) -> None:
        with self.used_by_django(database), statements_unlimited(), command_acting("migrate"):
            call_command("migrate", *arguments, verbosity=0)


@contextmanager
def databases_on(server_name: str, home: Path, blocker: Any) -> Iterator[Databases]:
    """Databases on the session's server, or on one of the system's PostgreSQL for as long as somebody needs it."""
    with ExitStack() as stack:
        if server_name == "embedded":
            server = stack.enter_context(postgres.use(Path(os.environ["IVSVOD_TEST_HOME"]), durable=False))
        else:
            stack.callback(postgres.stop, home)
            server = postgres.start(home, durable=False, bin_dir=SERVERS[server_name])
        databases = Databases(server, blocker)
        with databases.as_superuser() as connection:
            connection.execute(f"CREATE ROLE {OWNER} LOGIN NOSUPERUSER NOCREATEROLE")
        yield databases
