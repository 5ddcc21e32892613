"""`switch --check` on what the predecessor left, on what `migrate` made of it, and on what hands did to it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from channels_app.channels.provisioning import channel_create
from channels_app.models import Adoption
from ondemand.adoption import checks, queries
from ondemand.adoption.checks import Configured, SwitchFinding
from ondemand.models import Video
from tests.e2e.test_adoption import catalogue, dump
from tests.support.adoption import OWNER, Databases
from tests.support.helpers import OWNER as HELPER_OWNER
from tests.support.helpers import make_video
from tests.support.reconciling import Past
from tests.support.road import BUCKET, PREFIX, at, command, invoke, put
from tools.local.aws import LocalAws

pytestmark = [pytest.mark.xdist_group("adopted"), pytest.mark.usefixtures("one_try")]

Line = dict[str, str]
CONFIGURED = Configured("eu-west-1", "111122223333")
RULE = "rule/ivsvod-ivsvod.lambda_entry.scheduled_reconcile"


@pytest.fixture(scope="module")
def databases(embedded_databases: Databases) -> Databases:
    return embedded_databases


@contextmanager
def a_copy(databases: Databases, template: str) -> Iterator[str]:
    name = databases.create(template=template)
    yield name
    databases.drop(name)


def check(databases: Databases, name: str) -> tuple[int, list[Line]]:
    """Exit status and findings."""
    with databases.used_by_django(name):
        return command("switch", "--check")


def of(lines: list[Line], name: str) -> list[tuple[str, str]]:
    return [(line["result"], line["details"]) for line in lines if line["check"] == name]


def results(lines: list[Line]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in lines:
        found.setdefault(line["check"], set()).add(line["result"])
    return found


# Whole databases


def test_an_untouched_database_of_the_predecessor_may_be_taken_over(databases: Databases) -> None:
    with databases.connect(databases.predecessor) as connection:
        before = catalogue(connection), dump(connection)

    status, lines = check(databases, databases.predecessor)

    assert status == 0
    assert {name for name, found in results(lines).items() if found == {"ok"}} >= {
        "server",
        "encoding",
        "tables",
        "columns",
        "keys",
        "rights",
        "row_counts",
        "locks",
        "transactions",
        "attachments",
        "space",
        "migrations",
    }
    assert of(lines, "migrations")[0][1].startswith("none of ")
    assert f"ivs_channels: {len(databases.rows.ivs_channels)} rows" in [
        details for _, details in of(lines, "row_counts")
    ]
    for name in ("duplicates", "channels_of_videos", "stream_keys", "state_change_data"):
        assert results(lines)[name] == {"warning"}, name
    with databases.connect(databases.predecessor) as connection:
        assert (catalogue(connection), dump(connection)) == before


def test_a_migrated_database_has_nothing_to_come(databases: Databases) -> None:
    status, lines = check(databases, databases.adopted)

    assert status == 0
    assert [result for result, _ in of(lines, "migrations")] == ["ok"]
    assert of(lines, "migrations")[0][1].startswith("all ")
    assert of(lines, "space") == [("ok", "ivs_state_changes has its key already: nothing is rewritten")]
    assert of(lines, "attachments")[0][0] == "ok"


def test_an_interrupted_switch_reports_its_progress(databases: Databases) -> None:
    with a_copy(databases, databases.predecessor) as name:
        databases.migrate(name, "channels_app", "0002")

        status, lines = check(databases, name)

    assert status == 0
    [(result, details)] = of(lines, "migrations")
    assert result == "warning"
    assert "channels_app.0003_triggers" in details
    assert "channels_app.0002" not in details


def test_the_counts_are_those_of_the_rows(databases: Databases) -> None:
    with a_copy(databases, databases.predecessor) as name:
        with databases.connect(name) as connection:
            connection.execute("DELETE FROM on_demand_video_content")
            connection.execute("DELETE FROM on_demand_videos")
            connection.execute("DELETE FROM ivs_state_changes")
            connection.execute("DELETE FROM ivs_channels")
            connection.execute(
                """
                INSERT INTO ivs_channels (uuid, owner, arn, rtmp_address, stream_key, channel_data)
                SELECT gen_random_uuid(), gen_random_uuid(), arn, '', key, '{}' FROM (VALUES
                    ('arn:aws:ivs:eu-west-1:111122223333:channel/a', 'sk_1'),
                    ('arn:aws:ivs:us-east-1:111122223333:channel/b', 'enc:1:x'),
                    ('', 'sk_2')) AS rows (arn, key)
                """
            )
            connection.execute(
                """
                INSERT INTO on_demand_videos (data) SELECT jsonb_build_object('recording_s3_bucket_name', bucket,
                    'recording_s3_key_prefix', prefix) FROM (VALUES ('b', 'p'), ('b', '/p/'), ('b', 'p'), ('c', 'p'),
                    ('b', NULL), ('b', NULL)) AS rows (bucket, prefix)
                """
            )
            connection.execute(
                """
                UPDATE on_demand_videos SET ivs_channel_uuid = gen_random_uuid()
                WHERE data ->> 'recording_s3_bucket_name' = 'c'
                """
            )
            connection.execute(
                """
                INSERT INTO ivs_state_changes (ivs_channel_uuid, state, data)
                SELECT (SELECT uuid FROM ivs_channels LIMIT 1), 'live', data::jsonb FROM (VALUES
                    ('{"event_name": "Stream Start", "stream_id": "st-1"}'), ('{"event_name": 1, "stream_id": "st-1"}'),
                    ('{"event_name": "Stream Start"}'), ('[]'), (NULL)) AS rows (data)
                """
            )

        status, lines = check(databases, name)

    assert status == 0
    assert of(lines, "duplicates")[0][1].startswith("2 videos repeat the bucket and prefix of another (1 recordings)")
    assert of(lines, "channels_of_videos")[0][1].startswith("1 videos name a channel that is not here, 5 name none")
    assert of(lines, "stream_keys")[0][1].startswith("2 stream keys are plain text, 1 encrypted")
    assert of(lines, "state_change_data")[0][1].startswith(
        "data of 2 rows is no object, 1 have no event_name, 1 no stream_id"
    )
    assert [details for _, details in of(lines, "channel_arns")] == [
        "1 channels are in us-east-1, and AWS_REGION is eu-west-1",
        "1 channels have no ARN: no event finds them, nobody can run them",
    ]


def test_manual_changes_of_the_tables_block_or_are_reported(databases: Databases) -> None:
    with a_copy(databases, databases.predecessor) as name:
        with databases.as_superuser(name) as connection:
            connection.execute("CREATE ROLE somebody_else")
            connection.execute(
                """
                ALTER TABLE on_demand_videos ALTER created_at TYPE timestamp;
                ALTER TABLE ivs_channels ALTER arn DROP NOT NULL, ADD note text, ADD price integer NOT NULL DEFAULT 1;
                ALTER TABLE ivs_channels ALTER price DROP DEFAULT;
                ALTER TABLE on_demand_video_content DROP COLUMN thumbnail;
                ALTER TABLE on_demand_video_content DROP CONSTRAINT on_demand_video_content_on_demand_video_uuid_key;
                ALTER TABLE ivs_state_changes OWNER TO somebody_else;
                GRANT SELECT ON ivs_state_changes TO PUBLIC;
                CREATE PUBLICATION theirs FOR TABLE on_demand_videos;
                CREATE FUNCTION notify() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                CREATE TRIGGER notified BEFORE INSERT ON on_demand_videos FOR EACH ROW EXECUTE FUNCTION notify();
                REVOKE CREATE ON SCHEMA public FROM PUBLIC;
                ALTER SCHEMA public OWNER TO postgres;
                """
            )

        status, lines = check(databases, name)
        with databases.as_superuser(name) as connection:
            connection.execute("DROP OWNED BY somebody_else; DROP ROLE somebody_else")

    assert status == 3
    blockers = [(line["check"], line["details"].partition(":")[0]) for line in lines if line["result"] == "blocker"]
    assert blockers == [
        ("columns", "ivs_channels.price is not the predecessor's and must not be NULL"),
        ("columns", "on_demand_video_content.thumbnail is missing (text)"),
        ("time_zones", "on_demand_videos.created_at has no time zone"),
        ("keys", "on_demand_video_content.on_demand_video_uuid is not unique by a key"),
        ("rights", f"{OWNER} may not create in the schema public"),
        ("rights", "ivs_state_changes belongs to somebody_else"),
    ]
    warnings = [line["details"].partition(":")[0] for line in lines if line["result"] == "warning"]
    assert "ivs_channels.arn may be NULL, other than the predecessor's" in warnings
    assert "ivs_channels.note is not the predecessor's" in warnings
    assert "publication theirs on on_demand_videos" in warnings
    assert "trigger notified on on_demand_videos" in warnings


def test_a_lock_that_migrate_would_wait_for_is_reported_and_not_waited_for(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_LOCK_TIMEOUT", "100ms")
    with a_copy(databases, databases.predecessor) as name, databases.connect(name) as other, other.transaction():
        other.execute("LOCK TABLE on_demand_videos IN ACCESS EXCLUSIVE MODE")
        pid = other.info.backend_pid

        status, lines = check(databases, name)

    assert status == 3
    [(_, details)] = of(lines, "locks")
    assert details.startswith(f"process {pid} holds AccessExclusiveLock on on_demand_videos")
    assert of(lines, "duplicates") == [
        ("blocker", "cannot be checked: canceling statement due to lock timeout"),
    ]
    assert of(lines, "migrations")[0][0] == "ok"


def test_an_empty_database_is_not_that_of_the_predecessor(databases: Databases) -> None:
    name = databases.create()

    status, lines = check(databases, name)

    databases.drop(name)
    assert status == 3
    assert [line["details"] for line in lines if line["result"] == "blocker"] == [
        "none of the four tables is here: is this the predecessor's database and schema?"
    ]


def test_a_missing_table_is_reported_and_does_not_hide_the_rest(databases: Databases) -> None:
    with a_copy(databases, databases.predecessor) as name:
        with databases.connect(name) as connection:
            connection.execute("DROP TABLE on_demand_video_content")

        status, lines = check(databases, name)

    assert status == 0
    assert ("warning", "on_demand_video_content is missing: migrate makes an empty one") in of(lines, "tables")
    assert of(lines, "tags") == []
    assert len(of(lines, "row_counts")) == 3


def test_a_database_that_cannot_be_read_is_an_error_of_the_command(databases: Databases) -> None:
    with pytest.raises(CommandError, match='database "nowhere" does not exist'):
        check(databases, "nowhere")


def test_without_an_option_the_command_names_its_options() -> None:
    with pytest.raises(CommandError, match="--check"):
        call_command("switch")


@pytest.mark.django_db(transaction=True)
def test_the_check_cannot_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "QUERIES", [replace(queries.QUERIES[0], statement="CREATE TABLE written (a int)")])

    [finding, *_] = queries.database_check(CONFIGURED)

    assert finding.details == "cannot be checked: cannot execute CREATE TABLE in a read-only transaction"


@pytest.mark.django_db(transaction=True)
def test_a_large_table_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "COUNTED", -2)

    details = [finding.details for finding in queries.database_check(CONFIGURED) if finding.check == "row_counts"]

    assert len(details) == 4
    assert all(" about " in text for text in details)


# Decisions


def briefly(findings: Iterator[SwitchFinding]) -> list[tuple[str, str]]:
    return [(str(finding.result), finding.details.partition(":")[0]) for finding in findings]


def test_an_old_server_and_a_standby_block() -> None:
    assert briefly(checks.server([(130_012, "13.12", True, True)], CONFIGURED)) == [
        ("blocker", "PostgreSQL 13.12"),
        ("blocker", "this is a standby, which cannot be written"),
        ("blocker", "default_transaction_read_only is on for this role or database"),
    ]


def test_another_encoding_blocks() -> None:
    assert briefly(checks.encoding([("SQL_ASCII",)], CONFIGURED)) == [("blocker", "SQL_ASCII")]


def test_a_view_in_the_place_of_a_table_blocks() -> None:
    rows = [(table, "v" if table == "ivs_channels" else "r") for table in checks.TABLES]
    assert briefly(checks.tables(rows, CONFIGURED))[0] == ("blocker", "ivs_channels is no plain table")


@pytest.mark.parametrize(
    ("pid", "seconds", "result"), [(7, 2, "warning"), (7, 11, "blocker"), (7, None, "warning"), (None, None, "blocker")]
)
def test_a_lock_that_migrate_would_not_wait_for_is_a_blocker(pid: int | None, seconds: int | None, result: str) -> None:
    age = None if seconds is None else timedelta(seconds=seconds)
    [finding] = checks.locks([(pid, "ivs_channels", "RowExclusiveLock", age)], CONFIGURED)
    assert finding.result == result


def test_channels_of_another_account_are_reported() -> None:
    rows: list[Any] = [("eu-west-1", "111122223333", 3), ("eu-west-1", "999999999999", 2)]
    assert briefly(checks.channel_arns(rows, CONFIGURED)) == [
        ("warning", "2 channels are of the account 999999999999, and RECORDING_CONFIG_ARN is of 111122223333")
    ]
    assert briefly(checks.channel_arns(rows, Configured("eu-west-1", "")))[0][0] == "ok"
    assert briefly(checks.channel_arns(rows, Configured("", ""))) == [
        ("warning", "AWS_REGION is not set; the channels are in eu-west-1")
    ]


@pytest.mark.parametrize(("size", "result"), [(10 * 1024**2, "ok"), (3 * 1024**3, "warning")])
def test_much_to_rewrite_is_a_warning(size: int, result: str) -> None:
    [finding] = checks.space([(size, False)], CONFIGURED)
    assert finding.result == result


def test_a_long_transaction_is_reported() -> None:
    rows = [(7, "idle in transaction", timedelta(minutes=5))]
    assert briefly(checks.transactions(rows, CONFIGURED)) == [
        ("warning", "process 7 (idle in transaction) has had a transaction for 300 s")
    ]


def test_migrations_that_a_newer_release_applied_are_reported() -> None:
    known = [("ondemand", "0001"), ("ondemand", "0002")]
    assert briefly(checks.migrations([*known, ("ondemand", "0003")], known)) == [
        ("warning", "1 applied ones are not in this release, ondemand.0003 the first"),
        ("ok", "all 2 are applied"),
    ]


# Recordings in S3, and schedules


def found_in_s3(aws: LocalAws) -> list[tuple[str, str]]:
    output = StringIO()
    call_command("switch", "--check", stdout=output)
    return of([json.loads(line) for line in output.getvalue().splitlines()], "recordings")


@pytest.mark.django_db(transaction=True)
def test_recordings_in_s3_without_a_video_are_counted(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        put(f"{PREFIX}{number}/events/recording-ended.json", {})
    make_video(prefix=f"{PREFIX}0")
    make_video(prefix=f"{PREFIX}1").delete()
    [(result, details)] = found_in_s3(aws)
    assert (result, details.partition(":")[0]) == ("warning", f"2 of 4 recordings in {BUCKET} have no video")
    monkeypatch.setattr(queries, "COUNTED_RECORDINGS", 2)
    details = (
        f"each of the first 2 recordings in {BUCKET} (counting stopped there) has a video, or had one that was deleted"
    )
    assert found_in_s3(aws) == [("ok", details)]


def test_before_migrate_and_without_aws_recordings_are_not_counted(databases: Databases) -> None:
    status, lines = check(databases, databases.predecessor)
    [(result, details)] = of(lines, "recordings")
    assert (status, result) == (0, "warning")
    assert "S3 did not answer" in details


def test_the_places_of_rows_are_read_before_migrate(databases: Databases) -> None:
    with databases.connect(databases.predecessor) as connection:
        [query] = queries._place_queries(connection.cursor())
        row = connection.execute(
            """
            SELECT data ->> 'recording_s3_bucket_name', data ->> 'recording_s3_key_prefix' FROM on_demand_videos
            WHERE data ->> 'recording_s3_bucket_name' <> '' AND data ->> 'recording_s3_key_prefix' <> '' LIMIT 1
            """
        ).fetchone()
        assert row
        assert connection.execute(query, [row[0], [row[1]]]).fetchall()[0] == (row[1].strip("/"),)


def test_only_tables_with_rows_are_adopted(databases: Databases) -> None:
    query = "SELECT count(*), count(repairs_enabled_at) FROM channels_app_adoption"
    with databases.connect(databases.fresh) as fresh, databases.connect(databases.adopted) as adopted:
        assert [connection.execute(query).fetchone() for connection in (fresh, adopted)] == [(0, 0), (1, 0)]


@pytest.mark.django_db
def test_scheduled_runs_repair_adopted_tables_once_repairs_are_enabled(
    aws: LocalAws, past: Past, caplog: pytest.LogCaptureFixture
) -> None:
    past.broadcast(channel_create(name="Morning show", owner=HELPER_OWNER), at(0))
    Adoption.objects.create(adopted_at=at(-1))
    event = {
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "resources": ["rule/x-ivsvod.scheduled_reconcile"],
    }
    assert invoke(event) == {"exit_code": 3}
    assert not Video.objects.exists()
    assert "repairs are off: manage.py switch --enable-repairs" in caplog.text
    assert [line["result"] for line in command("switch", "--enable-repairs")[1]] == ["ok"]
    assert invoke(event) == {}
    assert Video.objects.get().active


@pytest.mark.django_db
def test_scheduled_runs_repair_tables_that_were_not_adopted(aws: LocalAws, past: Past) -> None:
    past.broadcast(channel_create(name="Morning show", owner=HELPER_OWNER), at(0))
    assert command("reconcile", "--scheduled")[0] == 0
    assert Video.objects.get().active
    assert "no tables were adopted" in command("switch", "--enable-repairs")[1][0]["details"]
