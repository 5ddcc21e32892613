"""`manage.py` in processes of its own, on a real database and over an AWS by HTTP."""

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from psycopg import sql

from tests.support.road import BUCKET
from tools.local.aws import LocalAws

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Scratch:
    """A database and an AWS of the test's own; `environment` leads `manage.py` to them and nowhere else."""

    environment: dict[str, str]
    aws: LocalAws

    def run(self, *arguments: str, program: Sequence[str] = ("manage.py",)) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-W", "error", *program, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with connect(self.environment["PG_DATABASE"]) as database:
            return database.execute(statement).fetchall()


def connect(database: str) -> "psycopg.Connection[Any]":
    return psycopg.connect(
        host=os.environ["PG_HOST"],
        port=os.environ["PG_PORT"],
        user=os.environ["PG_USER"],
        password=os.environ.get("PG_PASSWORD", ""),
        dbname=database,
        autocommit=True,
    )


class QuietHandler(WSGIRequestHandler):
    """Says nothing about each request."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def served(application: Any) -> Iterator[str]:
    """An AWS on a free port; Django's server answers a PUT at once, and does not wait for its 100-continue."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler)
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@cache
def migrated_template() -> str:
    """Return the name of an empty, migrated database of the session's server, to be copied and never connected to."""
    name = "ivsvod_template"
    # The workers of a session share it: the first that needs it makes it, and the others wait.
    with (Path(os.environ["IVSVOD_TEST_HOME"]) / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with connect("postgres") as server:
            if server.execute("SELECT 1 FROM pg_database WHERE datname = %s AND datistemplate", [name]).fetchone():
                return name
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            line = [sys.executable, "-W", "error", str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
            subprocess.run(line, env={**os.environ, "PG_DATABASE": name}, check=True)
            server.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(sql.Identifier(name)))
    return name


@contextmanager
def database() -> Iterator[str]:
    """A migrated database of the test's own."""
    name = f"processes_{uuid4().hex[:12]}"
    copying = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with connect("postgres") as server:
        server.execute(copying.format(sql.Identifier(name), sql.Identifier(migrated_template())))
    try:
        yield name
    finally:
        with connect("postgres") as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def scratch_place(folder: Path, channels: Mapping[str, UUID]) -> Iterator[Scratch]:
    """A migrated database with these channels, by their ARNs, and an AWS with the bucket."""
    aws = LocalAws(folder / "aws")
    aws.s3.create_bucket(BUCKET)
    with database() as name, served(aws) as url:
        environment = {**os.environ, **aws.environment(url), "PG_DATABASE": name, "RECORDING_BUCKET": BUCKET}
        # Each line is to be seen when it is printed.
        environment["PYTHONUNBUFFERED"] = "1"
        made = Scratch(environment, aws)
        with connect(name) as connection:
            for arn, uuid in channels.items():
                connection.execute(
                    "INSERT INTO ivs_channels (uuid, owner, arn, rtmp_address, stream_key, channel_data)"
                    " VALUES (%s, %s, %s, '', '', '{}')",
                    [uuid, uuid, arn],
                )
        yield made
