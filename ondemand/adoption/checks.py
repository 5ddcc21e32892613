"""Checks of the predecessor's database: pure functions from rows to findings."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Any

Rows = Sequence[tuple[Any, ...]]

OLDEST_SERVER = 140_000
# The longest time that a step of the migration waits for a lock.
LOCK_SECONDS = 10
LONG_SECONDS = 60
_MUCH = 1024**3
_TIME = "timestamp with time zone"
_DECLARATIONS = {
    "ivs_channels": f"""uuid uuid NOT NULL, owner uuid NOT NULL, created_at {_TIME}, active boolean, arn text NOT NULL,
        rtmp_address text NOT NULL, stream_key text NOT NULL, channel_data jsonb NOT NULL""",
    "ivs_state_changes": f"timestamp {_TIME} NOT NULL, ivs_channel_uuid uuid NOT NULL, state text NOT NULL, data jsonb",
    "on_demand_videos": f"""uuid uuid NOT NULL, ivs_channel_uuid uuid, created_at {_TIME} NOT NULL, active boolean,
        data jsonb NOT NULL""",
    "on_demand_video_content": f"""uuid uuid NOT NULL, on_demand_video_uuid uuid NOT NULL, created_at {_TIME},
        created_by uuid NOT NULL, title text, description text, tags text[], data jsonb, thumbnail text""",
}
# By table and column the type, and whether it is NOT NULL.
COLUMNS: dict[str, dict[str, tuple[str, bool]]] = {
    table: {
        column: (kind.removesuffix(" NOT NULL"), kind.endswith(" NOT NULL"))
        for column, _, kind in (item.strip().partition(" ") for item in text.split(","))
    }
    for table, text in _DECLARATIONS.items()
}
TABLES = list(COLUMNS)
# Columns that are unique by a key.
KEYS = {
    ("ivs_channels", "uuid"),
    ("on_demand_videos", "uuid"),
    ("on_demand_video_content", "uuid"),
    ("on_demand_video_content", "on_demand_video_uuid"),
}


class Severity(StrEnum):
    """`blocker`: must be solved before `migrate`; `warning`: staff should read it."""

    OK = "ok"
    WARNING = "warning"
    BLOCKER = "blocker"


@dataclass(frozen=True)
class SwitchFinding:
    """One line of `switch --check`."""

    result: Severity
    check: str
    details: str

    @property
    def line(self) -> dict[str, Any]:
        """Return the finding as it is printed."""
        return {"check": self.check, "result": str(self.result), "details": self.details}


ok, warning, blocker = (partial(SwitchFinding, result) for result in Severity)


@dataclass(frozen=True)
class Configured:
    """Region and AWS account of this service, by its settings."""

    region: str
    account: str


def server(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
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


def encoding(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
    """Rows: the encoding of the database."""
    ((name,),) = rows
    yield ok("encoding", name) if name == "UTF8" else blocker("encoding", f"{name}: UTF8 is needed; dump and restore")


def tables(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
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


def columns(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
    """Rows: table, column, type, whether it is NOT NULL, whether it has a default."""
    found: dict[str, dict[str, tuple[str, bool, bool]]] = {}
    for table, column, kind, not_null, has_default in rows:
        found.setdefault(table, {})[column] = (kind, not_null, has_default)
    findings = [finding for table, existing in found.items() for finding in _columns_of(table, existing)]
    yield from findings or [ok("columns", "names, types and NULL are the predecessor's")]


def _columns_of(table: str, found: dict[str, tuple[str, bool, bool]]) -> Iterator[SwitchFinding]:
    for column, (kind, not_null) in COLUMNS[table].items():
        name, (found_kind, found_not_null, _) = f"{table}.{column}", found.get(column, ("", False, False))
        if column not in found:
            yield blocker("columns", f"{name} is missing ({kind})")
        elif found_kind != kind and kind == _TIME and found_kind.startswith("timestamp"):
            advice = "ALTER it to timestamptz, and say in which zone it was"
            yield blocker("time_zones", f"{name} has no time zone: {advice}")
        elif found_kind != kind:
            yield blocker("columns", f"{name} is {found_kind}, and should be {kind}")
        elif found_not_null != not_null:
            yield warning("columns", f"{name} may {'' if not_null else 'not '}be NULL, other than the predecessor's")
    for column in [column for column in found.keys() - COLUMNS[table].keys() if not column.startswith("_")]:
        name, (_, not_null, has_default) = f"{table}.{column}", found[column]
        if not_null and not has_default:
            yield blocker("columns", f"{name} is not the predecessor's and must not be NULL: give it a default")
        else:
            yield warning("columns", f"{name} is not the predecessor's: it stays as it is")


def keys(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
    """Rows: table, column, whether an index over it alone keeps it unique."""
    missing = [(table, column) for table, column, is_unique in rows if (table, column) in KEYS and not is_unique]
    for table, column in missing:
        yield blocker("keys", f"{table}.{column} is not unique by a key: add PRIMARY KEY or UNIQUE")
    if not missing:
        yield ok("keys", "each key is unique")


def row_counts(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
    """Rows: table, number of rows, whether they were counted."""
    for table, number, is_counted in rows:
        yield ok("row_counts", f"{table}: {'' if is_counted else 'about '}{number:,} rows")


def rights(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
    """Rows: the role, whether it may create in the schema, that schema, and the tables that another role owns."""
    ((role, may_create, schema, foreign),) = rows
    if not may_create:
        yield blocker("rights", f"{role} may not create in the schema {schema}: GRANT CREATE ON SCHEMA")
    for table, owner in foreign:
        yield blocker("rights", f"{table} belongs to {owner}: only its owner may ALTER it; migrate as {owner}")
    if may_create and not foreign:
        yield ok("rights", f"{role} owns the tables and may create in {schema}")


def _counted(rows: Rows, check: str, problem: str, good: str) -> SwitchFinding:
    """Return a warning with the counts in the one row, if any of them is not 0."""
    return warning(check, problem.format(*rows[0])) if any(rows[0]) else ok(check, good)


def duplicates(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
    """Rows: recordings with several videos, and the number of their further videos."""
    problem = "{1:,} videos repeat the bucket and prefix of another ({0:,} recordings)"
    yield _counted(
        rows, "duplicates", f"{problem}: they are kept, marked, and in no list", "each recording has one video"
    )


def channels_of_videos(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
    """Rows: videos of a channel that is not here, and videos without one."""
    problem = "{:,} videos name a channel that is not here, {:,} name none: they are shown without a channel"
    yield _counted(rows, "channels_of_videos", problem, "each video has its channel")


def channel_arns(rows: Rows, configured: Configured) -> Iterator[SwitchFinding]:
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


def stream_keys(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
    """Rows: channels with a plain-text key, and channels with an encrypted key."""
    ((plain, encrypted),) = rows
    if plain:
        details = f"{plain:,} stream keys are plain text, {encrypted:,} encrypted"
        yield warning("stream_keys", f"{details}: migrate leaves them; encrypt_secrets encrypts them, in the end")
    else:
        yield ok("stream_keys", f"{encrypted:,} stream keys, all encrypted")


def state_change_data(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
    """Rows: rows whose data is not an object, those without a text event_name, and those without a text stream_id."""
    problem = "data of {:,} rows is no object, {:,} have no event_name, {:,} no stream_id"
    problem += ": such a row counts by its state, or as a stream of its own"
    yield _counted(rows, "state_change_data", problem, "data of each row names an event and a stream")


def tags(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
    """Rows: contents whose tags are NULL."""
    ((number,),) = rows
    yield ok("tags", f"{number:,} contents have tags that are NULL, which is shown as an empty list")


def locks(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
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


def transactions(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
    """Rows: process, state and age of the long transactions of others."""
    for pid, state, age in rows:
        details = f"process {pid} ({state}) has had a transaction for {_seconds(age)}"
        yield warning("transactions", f"{details}: indexes are ready only when it has ended")
    if not rows:
        yield ok("transactions", "no long transaction")


def _seconds(age: timedelta | None) -> str:
    return "a time that only a superuser sees" if age is None else f"{age.total_seconds():.0f} s"


def attachments(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
    """Rows: kind and name of replication, triggers, rules and row security, and their table."""
    for kind, name, table in rows:
        yield warning("attachments", f"{kind} {name} on {table}: see that it can do with added columns and rows")
    if not rows:
        yield ok("attachments", "no replication, trigger, rule or row security of another program")


def space(rows: Rows, _: Configured) -> Iterator[SwitchFinding]:
    """Rows: bytes of ivs_state_changes with its indexes, and whether it has its key."""
    ((size, has_key),) = rows
    if has_key:
        yield ok("space", "ivs_state_changes has its key already: nothing is rewritten")
        return
    text = f"{size / 1024**3:,.1f} GB" if size > _MUCH else f"{size / 1024**2:,.0f} MB"
    details = f"ivs_state_changes is rewritten under a lock: {text} must be free, and as much for the WAL"
    yield (warning if size > _MUCH else ok)("space", details)


def migrations(applied: Iterable[tuple[str, str]], own: Iterable[tuple[str, str]]) -> Iterator[SwitchFinding]:
    """Return the progress of the migrations of this service."""
    applied, own = set(applied), sorted(own)
    left = [key for key in own if key not in applied]
    foreign = sorted(applied - set(own))
    if foreign:
        details = f"{len(foreign)} applied ones are not in this release, {'.'.join(foreign[0])} the first"
        yield warning("migrations", details)
    if not left:
        yield ok("migrations", f"all {len(own)} are applied")
    elif len(left) == len(own):
        yield ok("migrations", f"none of {len(own)} is applied: migrate begins")
    else:
        names = ", ".join(f"{app}.{name}" for app, name in left if app in {"channels_app", "ondemand"})
        details = f"{len(own) - len(left)} of {len(own)} are applied; to come: {names or 'of other apps'}"
        yield warning("migrations", f"{details}: migrate goes on")
