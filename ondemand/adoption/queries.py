"""Queries of the predecessor's database, which need no table of this service."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Query:
    """A statement, and the check of its rows. It runs only if `tables` exist."""

    check: Callable[[Rows, Configured], Iterator[Finding]]
    statement: str
    tables: tuple[str, ...] = ()

    def findings(self, configured: Configured) -> list[Finding]:
        """Return the findings; a query that fails is a blocker."""
        statement = _PLACEHOLDER.sub(lambda name: _FRAGMENTS[name[1]], self.statement)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, {"tables": TABLES, "counted": COUNTED, "long": LONG_SECONDS})
                return list(self.check(cursor.fetchall(), configured))
        except DatabaseError as error:
            if connection.connection is None or connection.connection.closed:
                raise
            reason = str(error).strip().partition("\n")[0]
            return [blocker(self.check.__name__, f"cannot be checked: {reason}")]


# The tables in the schema that unqualified names resolve to, as the predecessor and migrate use them.
_TABLES = """
    SELECT oid, relname, relnamespace, relkind, relowner FROM pg_class
    WHERE oid IN (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) AS name)
"""
_NAME = """coalesce(trim(BOTH '/' FROM CASE WHEN jsonb_typeof(data -> '{0}') = 'string' THEN data ->> '{0}' END), '')"""
BUCKET = _NAME.format("recording_s3_bucket_name")
PREFIX = _NAME.format("recording_s3_key_prefix")
_ARN = "regexp_match(arn, '^arn:aws[a-z-]*:ivs:([a-z0-9-]+):([0-9]+):channel/.+$')"

# Fragments by their placeholders in the statements.
_FRAGMENTS = {"OURS": _TABLES, "BUCKET": BUCKET, "PREFIX": PREFIX, "ARN": _ARN}
_PLACEHOLDER = re.compile(r"\$([A-Z]+)")

QUERIES = [
    Query(
        checks.server,
        """
        SELECT current_setting('server_version_num')::int, current_setting('server_version'), pg_is_in_recovery(),
            current_setting('default_transaction_read_only')::boolean
        """,
    ),
    Query(
        checks.encoding,
        "SELECT pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = current_database()",
    ),
    Query(checks.tables, "WITH ours AS ($OURS) SELECT relname::text, relkind::text FROM ours ORDER BY relname"),
    Query(
        checks.columns,
        """
        WITH ours AS ($OURS)
        SELECT relname::text, attname::text, format_type(atttypid, NULL), attnotnull,
            atthasdef OR attidentity <> '' OR attgenerated <> ''
        FROM ours JOIN pg_attribute ON attrelid = ours.oid WHERE attnum > 0 AND NOT attisdropped
        ORDER BY relname, attnum
        """,
    ),
    Query(
        checks.keys,
        """
        WITH ours AS ($OURS)
        SELECT relname::text, attname::text, EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid
            AND indkey[0] = attnum AND indnkeyatts = 1 AND indisunique AND indisvalid AND indpred IS NULL)
        FROM ours JOIN pg_attribute ON attrelid = ours.oid WHERE attnum > 0 AND NOT attisdropped
        ORDER BY relname, attnum
        """,
    ),
    Query(
        checks.rights,
        """
        WITH ours AS ($OURS)
        SELECT current_user::text, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
            coalesce(current_schema()::text, '(none)'),
            (SELECT coalesce(array_agg(ARRAY[relname::text, pg_get_userbyid(relowner)::text] ORDER BY relname), '{}')
                FROM ours WHERE NOT pg_has_role(relowner, 'USAGE'))
        """,
    ),
    Query(
        checks.duplicates,
        """
        SELECT count(*), coalesce(sum(number - 1), 0)::bigint FROM (
            SELECT count(*) AS number FROM on_demand_videos WHERE $PREFIX <> ''
            GROUP BY $BUCKET, $PREFIX HAVING count(*) > 1) AS doubled
        """,
        ("on_demand_videos",),
    ),
    Query(
        checks.channels_of_videos,
        """
        SELECT count(*) FILTER (WHERE video.ivs_channel_uuid IS NOT NULL),
            count(*) FILTER (WHERE video.ivs_channel_uuid IS NULL)
        FROM on_demand_videos AS video LEFT JOIN ivs_channels AS channel ON channel.uuid = video.ivs_channel_uuid
        WHERE channel.uuid IS NULL
        """,
        ("on_demand_videos", "ivs_channels"),
    ),
    Query(
        checks.channel_arns,
        "SELECT ($ARN)[1], ($ARN)[2], count(*) FROM ivs_channels GROUP BY 1, 2 ORDER BY 1, 2",
        ("ivs_channels",),
    ),
    Query(
        checks.stream_keys,
        """
        SELECT count(*) FILTER (WHERE stream_key <> '' AND NOT starts_with(stream_key, 'enc:1:')),
            count(*) FILTER (WHERE starts_with(stream_key, 'enc:1:')) FROM ivs_channels
        """,
        ("ivs_channels",),
    ),
    Query(
        checks.state_change_data,
        """
        SELECT count(*) FILTER (WHERE jsonb_typeof(data) IS DISTINCT FROM 'object'),
            count(*) FILTER (WHERE jsonb_typeof(data) = 'object'
                AND jsonb_typeof(data -> 'event_name') IS DISTINCT FROM 'string'),
            count(*) FILTER (WHERE jsonb_typeof(data) = 'object'
                AND jsonb_typeof(data -> 'stream_id') IS DISTINCT FROM 'string')
        FROM ivs_state_changes
        """,
        ("ivs_state_changes",),
    ),
    Query(
        checks.tags,
        "SELECT count(*) FROM on_demand_video_content WHERE tags IS NULL",
        ("on_demand_video_content",),
    ),
    Query(
        checks.locks,
        """
        WITH ours AS ($OURS)
        SELECT held.pid, relname::text, held.mode, clock_timestamp() - activity.xact_start
        FROM ours JOIN pg_locks AS held ON held.locktype = 'relation' AND held.relation = ours.oid AND held.granted
            AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        LEFT JOIN pg_stat_activity AS activity ON activity.pid = held.pid
        WHERE held.pid IS DISTINCT FROM pg_backend_pid()
            -- It gives way to others that wait for its lock.
            AND activity.backend_type IS DISTINCT FROM 'autovacuum worker'
            AND (held.mode <> 'AccessShareLock' OR activity.xact_start IS NULL
                OR activity.xact_start < clock_timestamp() - interval '5 seconds')
        ORDER BY relname, held.pid, held.mode
        """,
    ),
    Query(
        checks.transactions,
        """
        SELECT pid, coalesce(state, 'background'), clock_timestamp() - xact_start FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND xact_start < clock_timestamp() - make_interval(secs => %(long)s)
        ORDER BY xact_start
        """,
    ),
    Query(
        checks.attachments,
        """
        WITH ours AS ($OURS)
        SELECT 'publication', pubname::text, tablename::text FROM pg_publication_tables
            JOIN pg_namespace ON nspname = schemaname
            JOIN ours ON relname = tablename AND relnamespace = pg_namespace.oid
        UNION ALL SELECT 'trigger', tgname::text, relname::text FROM ours JOIN pg_trigger ON tgrelid = ours.oid
            WHERE NOT tgisinternal AND tgname NOT LIKE 'ivsvod\\_%%'
        UNION ALL SELECT 'rule', rulename::text, relname::text FROM ours JOIN pg_rewrite ON ev_class = ours.oid
        UNION ALL SELECT 'row security', 'policies', relname::text FROM ours JOIN pg_class USING (oid, relname)
            WHERE relrowsecurity
        UNION ALL SELECT 'event trigger', evtname::text, 'every table' FROM pg_event_trigger WHERE evtenabled <> 'D'
        UNION ALL SELECT 'replication slot', slot_name::text, 'this database' FROM pg_replication_slots
            WHERE database = current_database()
        ORDER BY 1, 2, 3
        """,
    ),
    Query(
        checks.space,
        """
        SELECT pg_total_relation_size('ivs_state_changes'), EXISTS (SELECT FROM pg_attribute
            WHERE attrelid = to_regclass('ivs_state_changes') AND attname = '_id' AND NOT attisdropped)
        """,
        ("ivs_state_changes",),
    ),
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
    return Query(
        checks.row_counts,
        """
        SELECT relname::text, CASE WHEN is_large THEN reltuples::bigint ELSE (SELECT count(*) FROM $TABLE) END,
            NOT is_large
        FROM (SELECT relname, reltuples, reltuples > %(counted)s AS is_large FROM pg_class
            WHERE oid = to_regclass('$TABLE')) AS known
        """.replace("$TABLE", table),
        (table,),
    )
