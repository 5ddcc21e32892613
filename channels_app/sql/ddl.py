"""Migration operations for tables that are large, in use, and may be half migrated."""

from pathlib import Path
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations import RunSQL
from django.db.migrations.operations.base import Operation

_ROOT = Path(__file__).resolve().parents[2]
# Functions that are made with `SET search_path FROM CURRENT` find our tables whatever the search path of a session is;
# that of a restore is empty. `pg_temp` comes last: no temporary object stands in for one of ours.
_BEGIN = """
SET LOCAL lock_timeout = '10s';
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);
"""


def sql_files(folder: str, *names: str) -> str:
    """Return the SQL of files, in this order: `sql_files("ondemand/sql/0003", "s3_name", "stream_ids")`."""
    return "\n".join((_ROOT / folder / f"{name}.sql").read_text() for name in names)


class RunSQLInTransaction(RunSQL):
    """SQL in a transaction of its own, for a migration that is not atomic and changes several tables in use.

    A transaction that locks two of them deadlocks with a writer that holds one and waits for the other. So there is
    one operation for each table, and the SQL leaves alone what is there already: a migration that was stopped between
    two of its operations runs all of them again.
    """

    atomic = True

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Run the SQL in the current schema alone; it waits at most ten seconds for a lock."""
        schema_editor.execute(_BEGIN, None)
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Run the reverse SQL, with the same limit."""
        schema_editor.execute(_BEGIN, None)
        super().database_backwards(app_label, schema_editor, from_state, to_state)


class RunDeferredSQL(Operation):
    """Run the foreign keys and indexes of new tables that Django defers to the end of a migration.

    Django records a migration that has left any only after its transaction. If it is killed in between, it fails when
    it is run again. With this operation after those that make tables, they are part of the transaction.
    """

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change no model."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Run the statements; none is left."""
        while schema_editor.deferred_sql:
            schema_editor.execute(schema_editor.deferred_sql.pop(0), None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Do nothing: they go with their tables."""


class EnsureIndex(AddIndexConcurrently):
    """`AddIndexConcurrently` that can be interrupted and run again.

    An interrupted CREATE INDEX CONCURRENTLY leaves an invalid index under its name, which is used by no query and
    which IF NOT EXISTS takes for a good one: such a one is dropped first, and a good one is left alone.
    https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Build the index where there is no valid one."""
        valid = self._valid(schema_editor)
        if valid:
            return
        if valid is not None:
            name = schema_editor.quote_name(self.index.name)
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the index where there is one."""
        if self._valid(schema_editor) is not None:
            super().database_backwards(app_label, schema_editor, from_state, to_state)

    def _valid(self, schema_editor: Any) -> bool | None:
        """Whether the index is good; None where there is none."""
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT indisvalid AND indisready FROM pg_index WHERE indexrelid = to_regclass(%s)",
                [schema_editor.quote_name(self.index.name)],
            )
            row = cursor.fetchone()
        return row[0] if row else None
