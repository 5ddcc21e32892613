"""Count the recordings in S3 without a row of `on_demand_videos`, before `reconcile --apply` makes videos of them.

S3 is called outside of any transaction; the SQL works before and after `migrate`.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connection

from channels_app.aws import AwsError
from ondemand.adoption.checks import Finding, ok, warning
from ondemand.reconcile.prefixes import FoundRecording, recordings_in

# Each takes one or two calls to S3. On Lambda a command has 105 s.
COUNTED_RECORDINGS = 1000
_CHECK = "recordings"
_NAME = """coalesce(trim(BOTH '/' FROM CASE WHEN jsonb_typeof(data -> '{0}') = 'string' THEN data ->> '{0}' END), '')"""
_BUCKET, _PREFIX = _NAME.format("recording_s3_bucket_name"), _NAME.format("recording_s3_key_prefix")
_HAS = "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped)"


def recordings_check() -> Iterator[Finding]:
    """Count the recordings of the configured buckets that have no row; say if counting stopped early."""
    if not settings.RECORDING_BUCKETS:
        yield warning(_CHECK, "RECORDING_BUCKET is not set: recordings in S3 were not counted")
    for bucket in dict.fromkeys(settings.RECORDING_BUCKETS):
        yield _finding(bucket)


def _finding(bucket: str) -> Finding:
    try:
        found = (item.prefix for item in recordings_in(bucket) if isinstance(item, FoundRecording))
        prefixes = list(islice(found, COUNTED_RECORDINGS + 1))
    except AwsError as error:
        return warning(_CHECK, f"{bucket}: S3 could not be asked, recordings were not counted: {error}")
    counted = prefixes[:COUNTED_RECORDINGS]
    missing = set(counted)
    with connection.cursor() as cursor:
        for query in _place_queries(cursor):
            cursor.execute(query, [bucket, counted])
            missing -= {prefix for (prefix,) in cursor.fetchall()}
    total = f"{len(counted):,} recordings in {bucket}"
    if len(prefixes) > len(counted):
        total = f"the first {total} (counting stopped there)"
    if not missing:
        return ok(_CHECK, f"each of {total} has a video, or had one that was deleted")
    details = f"{len(missing):,} of {total} have no video"
    return warning(_CHECK, f"{details}: reconcile --apply makes them, hidden if they ended before migrate")


def _place_queries(cursor: Any) -> Iterator[str]:
    """Yield the queries of the existing tables. A row of this service has its place in columns that `migrate` adds."""

    def has(table: str, column: str) -> bool:
        cursor.execute(_HAS, [table, column])
        return bool(cursor.fetchone()[0])

    if has("on_demand_videos", "data"):
        is_migrated = has("on_demand_videos", "_prefix")
        place = (
            f"coalesce(_bucket, {_BUCKET}), coalesce(_prefix, {_PREFIX})" if is_migrated else f"{_BUCKET}, {_PREFIX}"
        )
        rows = f"SELECT {place} FROM on_demand_videos"  # noqa: S608
        yield f"SELECT prefix FROM ({rows}) AS place (bucket, prefix) WHERE bucket IN (%s, '') AND prefix = ANY(%s)"  # noqa: S608
    if has("ondemand_removedrecording", "prefix"):
        yield "SELECT prefix FROM ondemand_removedrecording WHERE bucket = %s AND prefix = ANY(%s)"
