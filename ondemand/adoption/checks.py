"""Checks of the predecessor's database: pure functions from rows to findings."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

Rows = Sequence[tuple[Any, ...]]

OLDEST_SERVER = 140_000
# Each step of the migration gives up after waiting so long for a lock.
LOCK_SECONDS = 10
LONG_SECONDS = 60
_MUCH = 1024**3
_TIME = "timestamp with time zone"
_UUID, _TEXT, _JSON, _BOOLEAN, _TAGS = "uuid", "text", "jsonb", "boolean", "text[]"
# Type, and whether it is NOT NULL.
COLUMNS: dict[str, dict[str, tuple[str, bool]]] = {
    "ivs_channels": {
        "uuid": (_UUID, True),
        "owner": (_UUID, True),
        "created_at": (_TIME, False),
        "active": (_BOOLEAN, False),
        "arn": (_TEXT, True),
        "rtmp_address": (_TEXT, True),
        "stream_key": (_TEXT, True),
        "channel_data": (_JSON, True),
    },
    "ivs_state_changes": {
        "timestamp": (_TIME, True),
        "ivs_channel_uuid": (_UUID, True),
        "state": (_TEXT, True),
        "data": (_JSON, False),
    },
    "on_demand_videos": {
        "uuid": (_UUID, True),
        "ivs_channel_uuid": (_UUID, False),
        "created_at": (_TIME, True),
        "active": (_BOOLEAN, False),
        "data": (_JSON, True),
    },
    "on_demand_video_content": {
        "uuid": (_UUID, True),
        "on_demand_video_uuid": (_UUID, True),
        "created_at": (_TIME, False),
        "created_by": (_UUID, True),
        "title": (_TEXT, False),
        "description": (_TEXT, False),
        "tags": (_TAGS, False),
        "data": (_JSON, False),
        "thumbnail": (_TEXT, False),
    },
}
TABLES = list(COLUMNS)
# Columns that a key of their own keeps unique.
KEYS = {
    ("ivs_channels", "uuid"),
    ("on_demand_videos", "uuid"),
    ("on_demand_video_content", "uuid"),
    ("on_demand_video_content", "on_demand_video_uuid"),
}


class Result(StrEnum):
    """`blocker`: must be solved before `migrate`; `warning`: staff should know it."""

    OK = "ok"
    WARNING = "warning"
    BLOCKER = "blocker"


@dataclass(frozen=True)
class Finding:
    """One line of `switch --check`."""

    check: str
    result: Result
    details: str

    @property
    def line(self) -> dict[str, Any]:
        """Return the finding as it is printed."""
        return {"check": self.check, "result": str(self.result), "told": self.details}


def ok(check: str, details: str) -> Finding:
    """Return a finding without a problem."""
    return Finding(check, Result.OK, details)


def warning(check: str, details: str) -> Finding:
    """Return a finding that staff should know."""
    return Finding(check, Result.WARNING, details)


def blocker(check: str, details: str) -> Finding:
    """Return a finding that must be solved before `migrate`."""
    return Finding(check, Result.BLOCKER, details)


@dataclass(frozen=True)
class Configured:
    """Region and AWS account of this service, by its settings."""

    region: str
    account: str


def server(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: the version as a number and as text, whether it is a standby, whether all is read-only."""
    ((number, text, is_standby, is_read_only),) = rows
    if number < OLDEST_SERVER:
        yield blocker("server", f"PostgreSQL {text}: 14 or newer is needed")
    else:
        yield ok("server", f"PostgreSQL {text}")
    if is_standby:
        yield blocker("server", "this is a standby, which cannot be written: connect to the primary")
    if is_read_only:
        yield blocker("server", "default_transaction_read_only is on for this role or database")


def encoding(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: the encoding of the database."""
    ((name,),) = rows
    yield ok("encoding", name) if name == "UTF8" else blocker("encoding", f"{name}: UTF8 is needed; dump and restore")


def tables(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: name and kind of the existing tables."""
    kinds: dict[str, str] = dict(rows)
    if not kinds:
        yield blocker("tables", "none of the four tables is here: is this the predecessor's database and schema?")
        return
    for table in TABLES:
        if table not in kinds:
            yield warning("tables", f"{table} is missing: migrate makes an empty one")
        elif kinds[table] != "r":
            yield blocker("tables", f"{table} is no plain table: it cannot be adopted")
        else:
            yield ok("tables", f"{table} is here")


def columns(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: table, column, type, whether it is NOT NULL, whether it has a default."""
    found: dict[str, dict[str, tuple[str, bool, bool]]] = {}
    for table, column, kind, not_null, has_default in rows:
        found.setdefault(table, {})[column] = (kind, not_null, has_default)
    findings = [finding for table, existing in found.items() for finding in _columns_of(table, existing)]
    yield from findings or [ok("columns", "names, types and NULL are the predecessor's")]


def _columns_of(table: str, found: dict[str, tuple[str, bool, bool]]) -> Iterator[Finding]:
    for column, (kind, not_null) in COLUMNS[table].items():
        name = f"{table}.{column}"
        if column not in found:
            yield blocker("columns", f"{name} is missing ({kind})")
        elif found[column][0] != kind:
            if kind == _TIME and found[column][0].startswith("timestamp"):
                advice = "ALTER it to timestamptz, and say in which zone it was"
                yield blocker("time_zones", f"{name} has no time zone: {advice}")
            else:
                yield blocker("columns", f"{name} is {found[column][0]}, and should be {kind}")
        elif found[column][1] != not_null:
            yield warning("columns", f"{name} may {'' if not_null else 'not '}be NULL, other than the predecessor's")
    for column in found.keys() - COLUMNS[table].keys():
        name, (_, not_null, has_default) = f"{table}.{column}", found[column]
        if column.startswith("_"):
            continue
        if not_null and not has_default:
            yield blocker("columns", f"{name} is not the predecessor's and must not be NULL: give it a default")
        else:
            yield warning("columns", f"{name} is not the predecessor's: it stays as it is")


def keys(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: table, column, whether an index over it alone keeps it unique."""
    missing = [(table, column) for table, column, is_unique in rows if (table, column) in KEYS and not is_unique]
    for table, column in missing:
        yield blocker("keys", f"{table}.{column} is not unique by a key: add PRIMARY KEY or UNIQUE")
    if not missing:
        yield ok("keys", "each key is unique")


def row_counts(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: table, number of rows, whether they were counted."""
    for table, number, is_counted in rows:
        yield ok("row_counts", f"{table}: {'' if is_counted else 'about '}{number:,} rows")


def rights(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: the role, whether it may create in the schema, that schema, and the tables that another role owns."""
    ((role, may_create, schema, foreign),) = rows
    if not may_create:
        yield blocker("rights", f"{role} may not create in the schema {schema}: GRANT CREATE ON SCHEMA")
    for table, owner in foreign:
        yield blocker("rights", f"{table} belongs to {owner}: only its owner may ALTER it; migrate as {owner}")
    if may_create and not foreign:
        yield ok("rights", f"{role} owns the tables and may create in {schema}")


def duplicates(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: recordings with several videos, and the number of their further videos."""
    ((recordings, more),) = rows
    if recordings:
        details = f"{more:,} videos repeat the bucket and prefix of another ({recordings:,} recordings)"
        yield warning("duplicates", f"{details}: they are kept, marked, and in no list")
    else:
        yield ok("duplicates", "each recording has one video")


def channels_of_videos(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: videos of a channel that is not here, and videos without one."""
    ((lost, none),) = rows
    if lost or none:
        details = f"{lost:,} videos name a channel that is not here, {none:,} name none"
        yield warning("channels_of_videos", f"{details}: they are shown without a channel")
    else:
        yield ok("channels_of_videos", "each video has its channel")


def channel_arns(rows: Rows, configured: Configured) -> Iterator[Finding]:
    """Rows: region and account of the channels (NULL if the ARN is malformed), and how many."""
    findings = []
    for region, account, number in rows:
        if region is None:
            findings.append(f"{number:,} channels have no ARN: no event finds them, nobody can run them")
        elif configured.region and region != configured.region:
            findings.append(f"{number:,} channels are in {region}, and AWS_REGION is {configured.region}")
        elif configured.account and account != configured.account:
            own = f"RECORDING_CONFIG_ARN is of {configured.account}"
            findings.append(f"{number:,} channels are of the account {account}, and {own}")
    if not configured.region:
        regions = ", ".join(sorted({region for region, _, _ in rows if region}))
        findings.append(f"AWS_REGION is not set; the channels are in {regions or '-'}")
    for finding in findings:
        yield warning("channel_arns", finding)
    if not findings:
        yield ok("channel_arns", f"all channels are in {configured.region or 'one region'}")


def stream_keys(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: channels with a plain-text key, and channels with an encrypted key."""
    ((plain, encrypted),) = rows
    if plain:
        details = f"{plain:,} stream keys are plain text, {encrypted:,} encrypted"
        yield warning("stream_keys", f"{details}: migrate leaves them; encrypt_secrets encrypts them, in the end")
    else:
        yield ok("stream_keys", f"{encrypted:,} stream keys, all encrypted")


def state_change_data(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: rows whose data is not an object, those without a text event_name, and those without a text stream_id."""
    ((no_object, no_event, no_stream),) = rows
    if no_object or no_event or no_stream:
        details = (
            f"data of {no_object:,} rows is no object, {no_event:,} have no event_name, {no_stream:,} no stream_id"
        )
        yield warning("state_change_data", f"{details}: such a row counts by its state, or as a stream of its own")
    else:
        yield ok("state_change_data", "data of each row names an event and a stream")


def tags(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: contents whose tags are NULL."""
    ((number,),) = rows
    yield ok("tags", f"{number:,} contents have tags that are NULL, which is shown as an empty list")


def locks(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: process, table, mode and age of the locks of others on the tables; the age is None if it is hidden."""
    for pid, table, mode, age in rows:
        details = f"process {pid} holds {mode} on {table} for {_seconds(age)}"
        if pid is None:
            yield blocker("locks", f"a prepared transaction holds {mode} on {table}: COMMIT or ROLLBACK PREPARED")
        elif age is None or age.total_seconds() < LOCK_SECONDS:
            yield warning("locks", f"{details}: migrate waits {LOCK_SECONDS} s for it")
        else:
            yield blocker("locks", f"{details}: migrate waits {LOCK_SECONDS} s for it, and gives up")
    if not rows:
        yield ok("locks", "nobody holds a lock on the tables")


def transactions(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: process, state and age of the long transactions of others."""
    for pid, state, age in rows:
        details = f"process {pid} ({state}) has had a transaction for {_seconds(age)}"
        yield warning("transactions", f"{details}: indexes are ready only when it has ended")
    if not rows:
        yield ok("transactions", "no long transaction")


def _seconds(age: timedelta | None) -> str:
    return "a time that only a superuser sees" if age is None else f"{age.total_seconds():.0f} s"


def attachments(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: kind and name of replication, triggers, rules and row security, and their table."""
    for kind, name, table in rows:
        yield warning("attachments", f"{kind} {name} on {table}: see that it can do with added columns and rows")
    if not rows:
        yield ok("attachments", "no replication, trigger, rule or row security of another program")


def space(rows: Rows, _: Configured) -> Iterator[Finding]:
    """Rows: bytes of ivs_state_changes with its indexes, and whether it has its key."""
    ((size, has_key),) = rows
    if has_key:
        yield ok("space", "ivs_state_changes has its key already: nothing is rewritten")
        return
    text = f"{size / 1024**3:,.1f} GB" if size > _MUCH else f"{size / 1024**2:,.0f} MB"
    details = f"ivs_state_changes is written anew under a lock: {text} must be free, and as much for the WAL"
    yield (warning if size > _MUCH else ok)("space", details)


def migrations(applied: Iterable[tuple[str, str]], own: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Return the progress of the migrations of this service."""
    applied, own = set(applied), sorted(own)
    left = [key for key in own if key not in applied]
    foreign = sorted(applied - set(own))
    if foreign:
        yield warning(
            "migrations", f"{len(foreign)} applied ones are not in this release, {'.'.join(foreign[0])} the first"
        )
    if not left:
        yield ok("migrations", f"all {len(own)} are applied")
    elif len(left) == len(own):
        yield ok("migrations", f"none of {len(own)} is applied: migrate begins")
    else:
        names = ", ".join(f"{app}.{name}" for app, name in left if app in {"channels_app", "ondemand"})
        details = f"{len(own) - len(left)} of {len(own)} are applied; to come: {names or 'of other apps'}"
        yield warning("migrations", f"{details}: migrate goes on")
