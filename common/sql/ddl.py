"""Migration operations for tables that are large, in use, and may be half migrated."""

from pathlib import Path
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations import RunSQL
from django.db.migrations.operations.base import Operation

_ROOT = Path(__file__).resolve().parents[2]
# Functions with `SET search_path FROM CURRENT` find our tables with any search path of the session; that of a restore
# is empty. `pg_temp` is last, so that no temporary object hides one of ours.
_BEGIN = """
SET LOCAL lock_timeout = '10s';
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);
"""


def newest_files(folder: str, before: str = "") -> dict[str, Path]:
    """Return the newest file of each name in the numbered folders of `ondemand/sql` or the like.

    `before` leaves out the folder of this number and newer ones: what a migration goes back to.
    """
    numbered = sorted((_ROOT / folder).glob("[0-9]*/*.sql"))
    return {file.stem: file for file in numbered if not before or file.parent.name < before}


def newest_sql(folder: str, *names: str, before: str = "") -> str:
    """Return the SQL of the newest file of each name, in this order."""
    files = newest_files(folder, before)
    return "\n".join(files[name].read_text() for name in names)


def sql_folders() -> list[str]:
    """Return the folders of SQL of all apps, such as `ondemand/sql`."""
    folders = {path.parent.parent for pattern in ("*/sql", "*/*/sql") for path in _ROOT.glob(f"{pattern}/[0-9]*/*.sql")}
    return sorted(str(folder.relative_to(_ROOT)) for folder in folders)


def sql_files(folder: str, *names: str) -> str:
    """Return the SQL of files in this order: `sql_files("ondemand/sql/0003", "s3_name", "stream_ids")`."""
    return "\n".join((_ROOT / folder / f"{name}.sql").read_text() for name in names)


class RunSQLInTransaction(RunSQL):
    """SQL in a separate transaction, for a migration that is not atomic and changes several tables in use.

    A transaction that locks two of them deadlocks with a writer that holds one and waits for the other. So there is
    one operation for each table. The SQL can be repeated: a migration that was stopped between two operations runs all
    of them again. It runs in the current schema, and waits at most ten seconds for a lock.
    """

    atomic = True

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        schema_editor.execute(_BEGIN, None)
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        schema_editor.execute(_BEGIN, None)
        super().database_backwards(app_label, schema_editor, from_state, to_state)


class RunDeferredSQL(Operation):
    """Run the foreign keys and indexes of new tables in the transaction of a migration; Django defers them to its end.

    Django would run them after the transaction and then record the migration: if killed between, the next run fails.
    """

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change no model."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        while schema_editor.deferred_sql:
            schema_editor.execute(schema_editor.deferred_sql.pop(0), None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Do nothing: they go with their tables."""


class EnsureIndex(AddIndexConcurrently):
    """`AddIndexConcurrently` that can be interrupted and run again.

    An interrupted CREATE INDEX CONCURRENTLY leaves an invalid index under its name, which no query uses and which
    IF NOT EXISTS counts as existing. So an invalid index is dropped and built again; a valid one is kept.
    https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        valid = self._valid(schema_editor)
        if valid is False:
            name = schema_editor.quote_name(self.index.name)
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        if not valid:
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if self._valid(schema_editor) is not None:
            super().database_backwards(app_label, schema_editor, from_state, to_state)

    def _valid(self, schema_editor: Any) -> bool | None:
        """Return whether the index is valid; None if it does not exist."""
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT indisvalid AND indisready FROM pg_index WHERE indexrelid = to_regclass(%s)",
                [schema_editor.quote_name(self.index.name)],
            )
            row = cursor.fetchone()
        return row[0] if row else None
