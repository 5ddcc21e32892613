"""Queries of the predecessor's database, which need no table of this service."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from ondemand.adoption import checks
from ondemand.adoption.checks import LONG_SECONDS, TABLES, Configured, Finding, Rows, blocker

# Larger tables are not counted: the statistics of the server estimate their rows.
COUNTED = 100_000
# A query must not wait behind a running migration.
_LOCK_TIMEOUT = "3s"
_FOLDER = Path(__file__).with_name("sql")
# Takes the rows and the configuration; its name is that of the `.sql` file.
Check = Callable[[Rows, Configured], Iterator[Finding]]


@dataclass(frozen=True)
class Query:
    """A statement and the check of its rows; it runs only if `tables` exist."""

    check: Check
    statement: str
    tables: tuple[str, ...] = ()

    def findings(self, configured: Configured) -> list[Finding]:
        """Return the findings; a query that fails is a blocker."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(self.statement, {"tables": TABLES, "counted": COUNTED, "long": LONG_SECONDS})
                return list(self.check(cursor.fetchall(), configured))
        except DatabaseError as error:
            if connection.connection is None or connection.connection.closed:
                raise
            reason = str(error).strip().partition("\n")[0]
            return [blocker(self.check.__name__, f"cannot be checked: {reason}")]


def _query(check: Check, *tables: str) -> Query:
    return Query(check, (_FOLDER / f"{check.__name__}.sql").read_text(), tables)


QUERIES = [
    _query(checks.server),
    _query(checks.encoding),
    _query(checks.tables),
    _query(checks.columns),
    _query(checks.keys),
    _query(checks.rights),
    _query(checks.duplicates, "on_demand_videos"),
    _query(checks.channels_of_videos, "on_demand_videos", "ivs_channels"),
    _query(checks.channel_arns, "ivs_channels"),
    _query(checks.stream_keys, "ivs_channels"),
    _query(checks.state_change_data, "ivs_state_changes"),
    _query(checks.tags, "on_demand_video_content"),
    _query(checks.locks),
    _query(checks.transactions),
    _query(checks.attachments),
    _query(checks.space, "ivs_state_changes"),
]


def database_check(configured: Configured) -> Iterator[Finding]:
    """Yield every finding, in a transaction that cannot write.

    Raises:
        django.db.Error: the database cannot be reached.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            # A snapshot for each statement: one for all would delay the indexes that migrate builds.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY")
            cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            cursor.execute("SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL", [TABLES])
            existing = {name for (name,) in cursor.fetchall()}
        for query in [*QUERIES, *map(_row_count, TABLES)]:
            if existing.issuperset(query.tables):
                yield from query.findings(configured)
        # Django's own table of migrations is only read, and may not exist.
        loader: Any = MigrationLoader(connection)
        yield from checks.migrations(loader.applied_migrations, loader.disk_migrations)


def _row_count(table: str) -> Query:
    """Return the query that counts a small table; the estimate for a table that was never analysed is -1."""
    statement = f"""
        SELECT relname::text, CASE WHEN is_large THEN reltuples::bigint ELSE (SELECT count(*) FROM {table}) END,
            NOT is_large
        FROM (SELECT relname, reltuples, reltuples > %(counted)s AS is_large FROM pg_class
            WHERE oid = to_regclass('{table}')) AS counted
        """  # noqa: S608
    return Query(checks.row_counts, statement, (table,))
