"""The SQL of functions, triggers and views in files: the newest of each name are what a migrated database has."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from psycopg import sql

from common.sql.ddl import newest_files, newest_sql, sql_folders

CHECKOUT = Path(__file__).resolve().parents[3]
AUDITED = "SELECT ivsvod_audit_table("
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
def test_a_migrated_database_has_exactly_the_definitions_of_the_newest_files() -> None:
    migrated = ours()
    assert {kind for kind, _ in migrated} == {"function", "trigger", "view"}
    with connection.cursor() as cursor:
        # Triggers go with their functions.
        for kind, name in migrated:
            if kind != "trigger":
                cursor.execute(sql.SQL("DROP {} IF EXISTS {} CASCADE").format(sql.SQL(kind), sql.SQL(name)))
        assert ours() == {}
        # In any order: a function may call one that comes later. The audited tables come last.
        cursor.execute("SET LOCAL check_function_bodies = off; SET LOCAL search_path = public, pg_temp")
        for text in sorted(definitions(), key=lambda text: AUDITED in text):
            cursor.execute(text)
    assert ours() == migrated


def definitions() -> list[str]:
    """Return the newest files, without the statements of backfills."""
    texts = [file.read_text() for folder in sql_folders() for file in newest_files(folder).values()]
    return [text for text in texts if "CREATE OR REPLACE" in text or AUDITED in text]


def test_the_newest_file_of_a_name_is_the_one_that_runs_and_a_migration_goes_back_to_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.sql.ddl._ROOT", tmp_path)
    for number, name in (("0003", "one"), ("0003", "two"), ("0010", "one")):
        file = tmp_path / "an_app" / "sql" / number / f"{name}.sql"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{name} of {number}")
    assert sql_folders() == ["an_app/sql"]
    assert newest_sql("an_app/sql", "two", "one") == "two of 0003\none of 0010"
    assert newest_sql("an_app/sql", "one", before="0010") == "one of 0003"


def test_nothing_stands_beside_the_numbered_folders() -> None:
    beside = [
        file
        for folder in sql_folders()
        for file in (CHECKOUT / folder).rglob("*.sql")
        if not file.parent.name.isdecimal() or file.parent.parent != CHECKOUT / folder
    ]
    assert not beside


def test_make_sql_prints_each_definition_that_runs() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "common.sql"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout
    assert all(text in printed for text in definitions())
