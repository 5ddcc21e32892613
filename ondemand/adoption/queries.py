"""Queries of the predecessor's database, which need no table of this service, and the count of recordings in S3.

S3 is called outside of any transaction; the SQL works before and after `migrate`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from common.aws import AwsError
from ondemand.adoption import checks
from ondemand.adoption.checks import LONG_SECONDS, TABLES, Configured, Rows, SwitchFinding, blocker, ok, warning
from ondemand.reconcile.prefixes import FoundRecording, recordings_in

# Larger tables are not counted: the statistics of the server estimate their rows.
COUNTED = 100_000
# Each takes one or two calls to S3. On Lambda a command has 105 s.
COUNTED_RECORDINGS = 1000
_CHECK = "recordings"
# A query must not wait behind a running migration.
_LOCK_TIMEOUT = "3s"
_FOLDER = Path(__file__).with_name("sql")
# Takes the rows and the configuration; its name is that of the `.sql` file.
Check = Callable[[Rows, Configured], Iterator[SwitchFinding]]


@dataclass(frozen=True)
class Query:
    """A statement and the check of its rows; it runs only if `tables` exist."""

    check: Check
    statement: str
    tables: tuple[str, ...] = ()

    def findings(self, configured: Configured) -> list[SwitchFinding]:
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


# The checks in their order, with the tables that each needs.
_CHECKS: dict[Check, tuple[str, ...]] = {
    **dict.fromkeys([checks.server, checks.encoding, checks.tables, checks.columns, checks.keys, checks.rights], ()),
    checks.duplicates: ("on_demand_videos",),
    checks.channels_of_videos: ("on_demand_videos", "ivs_channels"),
    checks.channel_arns: ("ivs_channels",),
    checks.stream_keys: ("ivs_channels",),
    checks.state_change_data: ("ivs_state_changes",),
    checks.tags: ("on_demand_video_content",),
    **dict.fromkeys([checks.locks, checks.transactions, checks.attachments], ()),
    checks.space: ("ivs_state_changes",),
}
QUERIES = [Query(check, (_FOLDER / f"{check.__name__}.sql").read_text(), tables) for check, tables in _CHECKS.items()]


def database_check(configured: Configured) -> Iterator[SwitchFinding]:
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


_NAME = """coalesce(trim(BOTH '/' FROM CASE WHEN jsonb_typeof(data -> '{0}') = 'string' THEN data ->> '{0}' END), '')"""
_BUCKET, _PREFIX = _NAME.format("recording_s3_bucket_name"), _NAME.format("recording_s3_key_prefix")
_HAS = "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped)"


def recordings_check() -> Iterator[SwitchFinding]:
    """Count the recordings of the configured buckets that have no row; say if counting stopped early."""
    if not settings.RECORDING_BUCKETS:
        yield warning(_CHECK, "RECORDING_BUCKET is not set: recordings in S3 were not counted")
    for bucket in dict.fromkeys(settings.RECORDING_BUCKETS):
        try:
            found = (item.prefix for item in recordings_in(bucket) if isinstance(item, FoundRecording))
            prefixes = list(islice(found, COUNTED_RECORDINGS + 1))
        except AwsError as error:
            yield warning(_CHECK, f"{bucket}: S3 did not answer, recordings were not counted: {error}")
            continue
        counted = prefixes[:COUNTED_RECORDINGS]
        missing = set(counted)
        with connection.cursor() as cursor:
            for query in _place_queries(cursor):
                cursor.execute(query, [bucket, counted])
                missing -= {prefix for (prefix,) in cursor.fetchall()}
        total = f"{len(counted):,} recordings in {bucket}"
        if len(prefixes) > len(counted):
            total = f"the first {total} (counting stopped there)"
        if missing:
            details = f"{len(missing):,} of {total} have no video"
            yield warning(_CHECK, f"{details}: reconcile --apply makes them, hidden if they ended before migrate")
        else:
            yield ok(_CHECK, f"each of {total} has a video, or had one that was deleted")


def _place_queries(cursor: Any) -> Iterator[str]:
    """Yield the queries of the existing tables. A row of this service has its place in columns that `migrate` adds."""

    def has(table: str, column: str) -> bool:
        cursor.execute(_HAS, [table, column])
        return bool(cursor.fetchone()[0])

    if has("on_demand_videos", "data"):
        place = f"{_BUCKET}, {_PREFIX}"
        if has("on_demand_videos", "_prefix"):
            place = f"coalesce(_bucket, {_BUCKET}), coalesce(_prefix, {_PREFIX})"
        rows = f"SELECT {place} FROM on_demand_videos"  # noqa: S608
        yield f"SELECT prefix FROM ({rows}) AS place (bucket, prefix) WHERE bucket IN (%s, '') AND prefix = ANY(%s)"  # noqa: S608
    if has("ondemand_removedrecording", "prefix"):
        yield "SELECT prefix FROM ondemand_removedrecording WHERE bucket = %s AND prefix = ANY(%s)"
