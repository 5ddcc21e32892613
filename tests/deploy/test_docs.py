"""Names, sums and commands of docs/deploy.md, docs/operations.md and docs/switch.md are right."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import botocore.session
import psycopg
import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import connection
from django.test import RequestFactory

from channels_app.events import inbox
from common.rest.throttling import client_address
from deploy import package
from ivsvod import lambda_entry
from tests.deploy.test_templates import METRICS
from tests.support import database_roles
from tests.support.cloudformation import NAMES, of_type, template
from tests.support.documentation import (
    ROOT,
    ZAPPA_SETTINGS,
    commands,
    deployed_variables,
    page,
    quoted,
    read,
    section,
    settings_variables,
    typed,
)
from tests.support.helpers import make_channel
from tests.support.road import BUCKET, PREFIX, at, invoke
from tools.local import postgres
from tools.local.aws import LocalAws
from tools.local.broadcast.events import recording_event, sqs_batch

pytestmark = pytest.mark.slow

NAMED = ["deploy", "operations", "switch"]
EACH = pytest.mark.parametrize("name", NAMED)
FOREIGN_NAMES = {
    *("AccountLimit", "ConcurrentExecutions", "DeletionPolicy", "Disabled", "ImproperlyConfigured", "IntegrationUri"),
    *("DatabaseConnectionsCurrentlySessionPinned", "EventId", "FailedEntryCount", "ReplicaLag"),
}


def pages() -> str:
    return "\n".join(map(page, NAMED))


# Names


def test_every_required_variable_is_documented() -> None:
    source = "".join(map(read, ("ivsvod/settings.py", "ivsvod/environment.py", "ivsvod/checks.py")))
    required = set(re.findall(r'required\("([A-Z_]+)"|"([A-Z_]+) is not set', source))
    required = {name for pair in required for name in pair if name} | {"RECORDING_BUCKET", "RECORDING_CONFIG_ARN"}
    assert {"SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "ALLOWED_HOSTS", "PG_HOST", "PG_DATABASE", "PG_USER"} <= required
    assert required <= settings_variables()
    assert not required - set(documented_variables())


def test_every_variable_of_zappa_and_the_stacks_is_documented() -> None:
    assert not deployed_variables() - set(documented_variables())


def documented_variables() -> list[str]:
    """The first cells of the table."""
    rows = re.findall(r"^\| ([^|]+)", section(page("deploy"), "What stands in `deploy/<stage>.env`"), re.MULTILINE)
    return [variable for row in rows for variable in quoted(row)]


@EACH
def test_commands_get_the_variables_of_the_stage_and_not_the_shell_alone(name: str) -> None:
    loading = "set -a; . deploy/production.env; set +a"
    assert not [line for line in page(name).splitlines() if ". deploy/production.env" in line.replace(loading, "")]
    before_the_first_command = re.split(r"^    .*python manage\.py", page(name), maxsplit=1, flags=re.MULTILINE)[0]
    assert loading in before_the_first_command or "export PG_HOST" in before_the_first_command


@EACH
def test_every_module_of_deploy_and_command_of_zappa_exists(name: str) -> None:
    known = {"deploy", "update", "schedule", "status", "tail", "manage", "undeploy", "rollback", "certify"}
    lines = [line for line in typed(page(name)) if "python -m deploy" in line]
    assert lines
    for line in lines:
        module, stage, *rest = line.partition("python -m ")[2].split()
        assert find_spec(module)
        assert stage in ZAPPA_SETTINGS
        assert module != "deploy.zappa" or not rest or rest[0] in known, line


# Templates


def parameters_given() -> Iterator[tuple[str, set[str]]]:
    """The template and the parameters of each line that makes or updates a stack."""
    for line in commands(page("deploy")):
        if found := re.search(r"--template-file deploy/(\w+)\.yaml(.*)", line):
            yield found[1], set(re.findall(r'(?<=[\s"])([A-Z][A-Za-z]+)=', found[2]))


def test_stacks_are_made_with_parameters_that_exist_and_with_all_that_must_be_given() -> None:
    seen: dict[str, set[str]] = {}
    for name, given in parameters_given():
        known = template(name)["Parameters"]
        assert not given - set(known)
        required = {key for key, item in known.items() if "Default" not in item}
        assert required <= seen.setdefault(name, given), name
    assert set(seen) == set(NAMES)


def test_stacks_that_make_roles_say_so() -> None:
    making = [line for line in commands(page("deploy")) if "--template-file deploy/core.yaml" in line]
    assert making
    assert all("--capabilities CAPABILITY_IAM" in line for line in making)


@EACH
def test_every_parameter_output_resource_and_metric_exists(name: str) -> None:
    known = {key for each in NAMES for part in ("Parameters", "Outputs", "Resources") for key in template(each)[part]}
    known |= {metric for metrics in METRICS.values() for metric in metrics} | FOREIGN_NAMES
    word = r"([A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)*)(?:=\S*)?"
    named = {found[1] for item in quoted(page(name)) for part in item.split() if (found := re.fullmatch(word, part))}
    prose = {"Custom…", "Stream", "Start", "Opening", "Task", "TIME", "IVS", "Failed", "RunSQLInTransaction"}
    assert not {each for each in named if re.search("[a-z][A-Z]", each)} - known - prose


# AWS's own command line


def aws_lines() -> list[str]:
    found = [*commands(pages()), *quoted(pages())]
    inner = [re.search(r"\$\((aws .+)\)", line) for line in found]
    return [line for line in found if line.startswith("aws ")] + [match[1] for match in inner if match]


GLOBAL = {"query", "output", "region", "cli-read-timeout", "cli-binary-format"}


@pytest.mark.parametrize("line", [line for line in aws_lines() if not line.startswith("aws cloudformation deploy")])
def test_every_call_of_aws_has_an_operation_and_options_that_exist(line: str) -> None:
    line = line.partition("    #")[0]
    service, operation = line.split()[1:3]
    options = set(re.findall(r"(?<=\s)--([a-z][a-z-]+)", line)) - GLOBAL
    model = service_model(service)
    if operation == "wait":
        waiters = botocore.session.get_session().get_waiter_model(service).waiter_names
        waited = {xform_name(name, "-"): name for name in waiters}
        assert line.split()[3] in waited
        return
    operations = {xform_name(each, "-"): each for each in model.operation_names}
    assert operation in operations, line
    shape = model.operation_model(operations[operation]).input_shape
    known = {xform_name(member, "-"): member for member in shape.members}
    known |= {f"no-{member}": full for member, full in known.items()}
    # What the command line adds: the package as a file.
    assert not options - set(known) - {"zip-file"}, line
    missing = {xform_name(each, "-") for each in shape.required_members} - options
    # Of `create-function` the file is the code.
    assert not missing - {"code"} or line in quoted(pages()), line


@cache
def service_model(service: str) -> Any:
    try:
        return botocore.session.get_session().get_service_model(service)
    except UnknownServiceError:
        pytest.fail(f"no service {service}")


# Files and links


def test_the_certificates_of_the_database_would_be_packed() -> None:
    (named,) = set(re.findall(r"/var/task/(\S+\.pem)", page("deploy")))
    ignored = subprocess.run(["git", "check-ignore", "--quiet", named], cwd=ROOT, check=False).returncode == 0
    assert named.startswith(package._PACKED)
    assert not ignored
    assert package.TASK_ROOT == "/var/task"


# Alarms and numbers


def test_every_alarm_has_a_heading_of_its_name() -> None:
    details = re.findall(r"^### (\w+)$", section(page("operations"), "The alarms"), re.MULTILINE)
    assert details == list(of_type(template("core"), "AWS::CloudWatch::Alarm"))


def test_every_metric_of_the_service_is_documented() -> None:
    assert METRICS["ivsvod"] <= set(quoted(section(page("operations"), "Logs and metrics")))


def test_the_numbers_of_the_settings_are_documented_correctly() -> None:
    base, operations = ZAPPA_SETTINGS["base"], page("operations")
    seconds = base["timeout_seconds"] - lambda_entry._LAST_SECONDS
    for text in (page("deploy"), operations, page("switch")):
        assert f"{seconds} s" in text
    assert f"`lambda_concurrency` ({ZAPPA_SETTINGS['production']['lambda_concurrency']})" in operations
    assert f"`queue_concurrency` ({ZAPPA_SETTINGS['production']['queue_concurrency']})" in operations
    assert base["num_retained_versions"] == 3
    assert f"after {template('core')['Resources']['Events']['Properties']['VisibilityTimeout']} s" in operations
    for parameter in ("OldestMessageSeconds", "OldestOpenEventSeconds"):
        default = template("core")["Parameters"][parameter]["Default"]
        assert f"`{parameter}` ({default:,} s)" in operations
    for parameter in ("AwsErrorsInFiveMinutes", "DatabaseErrorsInFiveMinutes"):
        assert f"`{parameter}` ({template('core')['Parameters'][parameter]['Default']})" in operations


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def cost_tables() -> list[list[list[str]]]:
    """Rows of cells, of each table of the section."""
    text = section(page("operations"), "What it costs")
    tables = re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)
    return [[[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()] for table in tables]


NUMBER = r"[\d,]+(?:\.\d+)?"
TIMES = " \N{MULTIPLICATION SIGN} "


def test_every_cost_is_its_quantity_times_its_price_and_the_sums_are_right() -> None:
    tables = cost_tables()
    assert [len(table) for table in tables] == [19, 5]
    for _, _, *rows, total in tables:
        sums = [Decimal(0)] * 3
        for name, *cells in rows:
            for place, cell in enumerate(cells):
                found = re.fullmatch(rf"({NUMBER}){TIMES}({NUMBER}) = ({NUMBER})", cell)
                assert found, f"{name}: {cell}"
                quantity, price, cost = map(number, found.groups())
                assert cents(quantity * price) == cost, f"{name}: {cell}"
                sums[place] += cost
        assert [number(cell.strip("*")) for cell in total[1:]] == sums


def test_the_cost_table_has_the_quantities_of_the_templates() -> None:
    quantities = {name: [cell.partition(TIMES)[0] for cell in cells] for name, *cells in cost_tables()[0]}
    alarms = len(of_type(template("core"), "AWS::CloudWatch::Alarm"))
    secrets = len(of_type(template("core"), "AWS::SecretsManager::Secret")) + 1
    assert quantities["CloudWatch: alarms"] == [str(alarms)] * 3
    assert quantities["CloudWatch: metrics"] == [str(len(METRICS["ivsvod"]))] * 3
    assert quantities["Secrets Manager: secrets"] == [str(secrets)] * 3
    header = (ROOT / "deploy" / "network.yaml").read_text()
    for row in re.findall(r"^\| `(nat|dual-stack|none)` \| ([\d.]+) \|", page("deploy"), re.MULTILINE):
        assert re.search(rf"#   {row[0]} .* {row[1]} USD", header)


def test_the_assumptions_lead_to_the_quantities() -> None:
    """20 hours, 120 events and 10,000 reads a channel, as the page says."""
    rows = {name: [number(cell.partition(TIMES)[0]) for cell in cells] for name, *cells in cost_tables()[0][2:-1]}
    for place, channels in enumerate((10, 100, 1000)):
        runs, seconds = 4 * 730, min(1 + channels / 2, 105)
        used = runs * seconds + 12 * 730 * 0.5 + 600 + 120 * channels * 0.3 + 5000 * channels * 0.1
        assert rows["S3: GB kept"][place] == 20 * 5 * 12 * channels
        assert rows["S3: 1,000 objects written"][place] == 20 * 2 * channels
        assert rows["CloudFront: GB, beyond the 1,000 that are free"][place] == max(0, 27 * channels - 1000)
        requests = (8000 + 10000) * channels
        beyond = rows["CloudFront: 10,000 requests, beyond the 10 million"][place]
        assert beyond == max(0, requests - 10_000_000) / 10_000
        assert float(rows["Lambda: 1,000 GB-seconds"][place]) == pytest.approx(used / 1000, abs=0.02)
        calls = (5120 * channels + 2920 + 8760 + 60) / 1e6
        assert float(rows["Lambda: million invocations"][place]) == pytest.approx(calls, abs=0.001)
        assert rows["API Gateway: million requests"][place] == Decimal(5000 * channels) / 1_000_000
        polls = 15 * 60 * 730 + 3 * 120 * channels
        assert float(rows["SQS: million requests"][place]) == pytest.approx(polls / 1e6, abs=0.001)


def test_sums_in_the_text_are_right() -> None:
    term = rf"{NUMBER}{TIMES}{NUMBER}"
    text = " ".join(re.sub(r"^\|.*$", "", section(page("operations"), "What it costs"), flags=re.MULTILINE).split())
    formulas = re.findall(rf"({term}(?: \+ {term})*) = ({NUMBER})", text)
    assert len(formulas) == 2
    for left, right in formulas:
        pairs = [term.split(TIMES) for term in left.split(" + ")]
        assert cents(sum((number(a) * number(b) for a, b in pairs), Decimal(0))) == number(right)


# What they say of the service


def smoke_test() -> dict[str, Any]:
    (line,) = re.findall(r"--entries '(\[.+?\])'", page("operations"), re.DOTALL)
    [entry] = json.loads(line)
    return entry


def test_the_rule_takes_the_event_of_the_smoke_test() -> None:
    pattern = of_type(template("core"), "AWS::Events::Rule")["IvsEvents"]["EventPattern"]
    assert smoke_test()["Source"] in pattern["source"]
    assert smoke_test()["DetailType"] in pattern["detail-type"]


@pytest.mark.django_db
def test_the_event_of_the_smoke_test_is_stored_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    entry = smoke_test()
    envelope = {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": "111122223333",
        "time": "2026-03-04T09:00:00Z",
        "region": "eu-west-1",
        "resources": entry["Resources"],
        "detail": json.loads(entry["Detail"]),
    }

    with caplog.at_level("INFO"):
        assert invoke(sqs_batch([envelope])) == {"batchItemFailures": []}

    assert f"event processed event_id={envelope['id']} outcome=ignored" in caplog.text


def proxies() -> list[tuple[str, int]]:
    rows = re.findall(r"^\| [^|]+ \| `(forged, [a-z, ]+)` \| `(\d)` \|$", page("deploy"), re.MULTILINE)
    return [(forwarded, int(count)) for forwarded, count in rows]


@pytest.mark.parametrize(("forwarded", "count"), proxies())
def test_the_documented_number_of_proxies_finds_the_client_address(forwarded: str, count: int, settings: Any) -> None:
    addresses = {"forged": "6.6.6.6", "viewer": "198.51.100.1", "cdn": "192.0.2.1", "cloudfront": "192.0.2.2"}
    settings.TRUSTED_PROXIES = count
    header = ", ".join(addresses[name] for name in forwarded.split(", "))
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR=header)
    request.META["lambda.event"] = {}
    assert client_address(request) == addresses["viewer"]


def test_the_table_of_proxies_is_there() -> None:
    assert len(proxies()) == 3


@pytest.mark.django_db
@pytest.mark.parametrize(("ours_first", "listed"), [(True, 2), (False, 1)])
def test_the_predecessor_may_list_a_recording_of_both_twice(ours_first: bool, listed: int, aws: LocalAws) -> None:
    """docs/switch.md says why its rule for Recording End is switched off."""
    details = {"prefix": PREFIX, "bucket": BUCKET, "session_id": "FRIBXuDL7DxtpYlS", "duration_ms": 3_960_500}
    channel = make_channel()
    event = recording_event("Recording End", channel.arn, "Main stage", "st-1", at(60), **details)

    def ours() -> None:
        list(inbox.ingest([json.dumps(event)]))

    def theirs() -> None:
        row = "INSERT INTO on_demand_videos (ivs_channel_uuid, data) VALUES (%s, %s::jsonb)"
        with connection.cursor() as cursor:
            cursor.execute(row, [channel.pk, json.dumps(event["detail"])])

    for write in (ours, theirs) if ours_first else (theirs, ours):
        write()

    with connection.cursor() as cursor:
        counts = "count(*) FILTER (WHERE active), count(*) FILTER (WHERE active AND _duplicate_of IS NULL)"
        cursor.execute(f"SELECT {counts} FROM on_demand_videos")  # noqa: S608
        assert cursor.fetchone() == (listed, 1)


# The roles of the database


def role_statements(name: str) -> str:
    blocks = re.findall(r"^```sql\n-- (\w+)\n(.*?)^```$", page("deploy"), re.MULTILINE | re.DOTALL)
    return dict(blocks)[name]


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    """Migrated by an owner as RDS makes it: no superuser, who may make roles, and has the database.

    The server is that of the session, which uses no database of this name.
    """
    with postgres.use(Path(os.environ["IVSVOD_TEST_HOME"]), durable=False) as server:
        run(server, server.user, "CREATE ROLE ivsvod LOGIN CREATEROLE; ALTER DATABASE ivsvod OWNER TO ivsvod")
        run(server, "ivsvod", role_statements("roles"))
        # The tables come later, so that the default privileges count.
        python(server, "ivsvod", "manage.py", "migrate", "--verbosity", "0")
        run(server, "ivsvod", role_statements("records"))
        yield server


def run(server: postgres.Server, user: str, statements: str) -> None:
    place = {"host": str(server.socket_dir), "port": server.port, "dbname": "ivsvod"}
    with psycopg.connect(**place, user=user, autocommit=True) as opened:
        opened.execute(statements)


def python(server: postgres.Server, user: str, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "ivsvod.settings",
        "PG_HOST": str(server.socket_dir),
        "PG_PORT": str(server.port),
        "PG_DATABASE": "ivsvod",
        "PG_USER": user,
        "PG_PASSWORD": "unused",
        # As docs/switch.md has them.
        "SECRET_KEY": "anything",
        "ALLOWED_HOSTS": "testserver",
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "AUTH_API_KEY": "a shared key",
        "AWS_REGION": "eu-west-1",
        "STATIC_ROOT": str(settings.STATIC_ROOT),
    }
    line = [sys.executable, *arguments]
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.xdist_group("roles")
def test_the_database_role_of_the_service_has_only_the_needed_rights(server: postgres.Server) -> None:
    details = json.loads(python(server, "ivsvod_runtime", "-m", "tests.support.database_roles").splitlines()[-1])

    assert details == {
        "zone": ["UTC", "user"],
        "read": [200] * 6,
        "write": "200 Opening night noted",
        "event": ["applied", "ignored"],
        "staff": "302 [200, 200] 302 gone",
        "commands": details["commands"],
        "refused": database_roles.REFUSED,
    }
    findings = python(server, "ivsvod", "manage.py", "switch", "--check")
    assert '"blocker"' not in findings


@pytest.mark.xdist_group("roles")
def test_the_grants_may_be_given_to_tables_that_are_there(server: postgres.Server) -> None:
    """As the first block is run after `migrate`; but for the role, which is there by now."""
    for statement in role_statements("roles").split(";\n"):
        if statement.strip() and "CREATE ROLE" not in statement:
            run(server, "ivsvod", statement)
    run(server, "ivsvod", role_statements("records"))
    run(server, "ivsvod_runtime", "UPDATE on_demand_videos SET active = active")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(server, "ivsvod_runtime", "DELETE FROM channels_app_auditentry")
