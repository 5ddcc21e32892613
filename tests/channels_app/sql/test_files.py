"""The SQL of functions, triggers and views in files: what `sql/current/` says is what a migrated database has."""

from pathlib import Path

import pytest
from django.db import connection
from psycopg import sql

CHECKOUT = Path(__file__).resolve().parents[3]
FOLDERS = [CHECKOUT / app / "sql" for app in ("channels_app", "ondemand", "ivsvod/accounts")]
OURS = """
    SELECT 'function', oid::regprocedure::text, concat(pg_get_functiondef(oid), proacl) FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
    UNION ALL
    SELECT 'trigger', concat(tgrelid::regclass, ' ', tgname), concat(pg_get_triggerdef(oid), tgenabled) FROM pg_trigger
    WHERE NOT tgisinternal
    UNION ALL
    SELECT 'view', oid::regclass::text, pg_get_viewdef(oid) FROM pg_class
    WHERE relkind IN ('v', 'm') AND relnamespace = current_schema()::regnamespace
"""


def ours() -> dict[tuple[str, str], str]:
    with connection.cursor() as cursor:
        cursor.execute(OURS)
        return {(kind, name): definition for kind, name, definition in cursor.fetchall()}


@pytest.mark.django_db
def test_a_migrated_database_has_exactly_the_definitions_of_the_current_files() -> None:
    migrated = ours()
    assert {kind for kind, _ in migrated} == {"function", "trigger", "view"}
    with connection.cursor() as cursor:
        # Triggers go with their functions.
        for kind, name in migrated:
            if kind != "trigger":
                cursor.execute(sql.SQL("DROP {} IF EXISTS {} CASCADE").format(sql.SQL(kind), sql.SQL(name)))
        assert ours() == {}
        # In any order: a function may call one that comes later.
        cursor.execute("SET LOCAL check_function_bodies = off; SET LOCAL search_path = public, pg_temp")
        for folder in FOLDERS:
            for file in sorted((folder / "current").glob("*.sql")):
                cursor.execute(file.read_text())
    assert ours() == migrated


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_each_current_file_is_the_copy_that_the_newest_migration_reads(folder: Path) -> None:
    newest = {}
    for copy in sorted(folder.glob("[0-9]*/*.sql")):
        newest[copy.name] = copy.read_text()
    assert newest == {file.name: file.read_text() for file in (folder / "current").glob("*.sql")}
