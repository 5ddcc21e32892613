"""Recordings in S3 that have no row of `on_demand_videos`, counted before `reconcile --apply` makes videos of them.

S3 is asked outside of any transaction, and the database by SQL that works before and after `migrate`.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connection

from channels_app.aws import AwsError
from ondemand.reconcile.prefixes import FoundRecording, recordings_in
from ondemand.switch.findings import Finding, ok, warning
from ondemand.switch.looks import BUCKET, PREFIX

# Each takes a call to S3 or two. On Lambda a command has 105 s.
COUNTED_RECORDINGS = 1000
_CHECK = "recordings"
_HAS = "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped)"


def recordings_look() -> Iterator[Finding]:
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
    missing = len(_without_row(bucket, counted))
    total = f"{len(counted):,} recordings in {bucket}"
    if len(prefixes) > len(counted):
        total = f"the first {total} (counting stopped there)"
    if not missing:
        return ok(_CHECK, f"each of {total} has a video, or had one that was deleted")
    told = f"{missing:,} of {total} have no video"
    return warning(_CHECK, f"{told}: reconcile --apply makes them, hidden if they ended before migrate")


def _without_row(bucket: str, prefixes: list[str]) -> set[str]:
    """Return the prefixes that neither a video nor a removed recording has."""
    left = set(prefixes)
    with connection.cursor() as cursor:
        for query in _known_places(cursor):
            cursor.execute(query, [bucket, prefixes])
            left -= {prefix for (prefix,) in cursor.fetchall()}
    return left


def _known_places(cursor: Any) -> Iterator[str]:
    """Queries of the tables that are there. A row of this service has its place in columns that `migrate` adds."""
    if _has(cursor, "on_demand_videos", "data"):
        is_migrated = _has(cursor, "on_demand_videos", "_prefix")
        place = f"coalesce(_bucket, {BUCKET}), coalesce(_prefix, {PREFIX})" if is_migrated else f"{BUCKET}, {PREFIX}"
        rows = f"SELECT {place} FROM on_demand_videos"  # noqa: S608
        yield f"SELECT prefix FROM ({rows}) AS place (bucket, prefix) WHERE bucket IN (%s, '') AND prefix = ANY(%s)"  # noqa: S608
    if _has(cursor, "ondemand_removedrecording", "prefix"):
        yield "SELECT prefix FROM ondemand_removedrecording WHERE bucket = %s AND prefix = ANY(%s)"


def _has(cursor: Any, table: str, column: str) -> bool:
    cursor.execute(_HAS, [table, column])
    return bool(cursor.fetchone()[0])
