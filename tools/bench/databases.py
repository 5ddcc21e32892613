"""The databases of the benchmark: one for each number of videos, in the embedded PostgreSQL, kept from run to run."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tools.local.postgres.server import database_create


def name_of(rows: int) -> str:
    """Return the name of the database with this number of videos."""
    return f"ivsvod_bench_{rows}"


@contextmanager
def using(name: str) -> Iterator[None]:
    """Connect Django to this database during the block."""
    before = connection.settings_dict["NAME"]

    def switch(database: str) -> None:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        connection.settings_dict["NAME"] = database

    try:
        switch(name)
        yield
    finally:
        switch(before)


def database_make(rows: int) -> bool:
    """Make the database with its tables; return whether it is new."""
    with _server() as server:
        is_new = database_create(server, name_of(rows))
    with using(name_of(rows)):
        call_command("migrate", verbosity=0)
    return is_new


def database_drop(rows: int) -> None:
    """Remove the database if it exists."""
    with _server() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name_of(rows))))


def adoption_seconds(rows: int) -> float:
    """Return how long `migrate` takes on the predecessor's tables with this number of videos."""
    name = sql.Identifier("ivsvod_bench_adoption")
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name)
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(name, sql.Identifier(name_of(rows)))
    with _server() as server:
        try:
            server.execute(drop)
            server.execute(copy)
            with psycopg.connect(conninfo("ivsvod_bench_adoption"), autocommit=True) as connection:
                connection.execute("DROP SCHEMA public CASCADE; ALTER SCHEMA predecessor RENAME TO public")
            with using("ivsvod_bench_adoption"):
                began = perf_counter()
                call_command("migrate", verbosity=0)
                return perf_counter() - began
        finally:
            server.execute(drop)


def conninfo(name: str) -> str:
    """Return the connection string of a database."""
    parameters = connection.settings_dict
    return make_conninfo(host=parameters["HOST"], port=parameters["PORT"], user=parameters["USER"], dbname=name)


def _server() -> psycopg.Connection:
    return psycopg.connect(conninfo("postgres"), autocommit=True)
