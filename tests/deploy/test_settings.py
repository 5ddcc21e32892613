"""The settings of Zappa for one account, filled from a file of variables, and the hook after a deployment."""

import base64
import io
import json
import stat
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import click
import pytest
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID

from deploy import hooks, outputs, zappa
from deploy.settings import RESERVED, SettingsError, rendered
from ivsvod import lambda_entry

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]
SETTINGS = json.loads((CHECKOUT / "zappa_settings.json").read_text())
VARIABLES = {
    "AWS_REGION": "eu-west-1",
    "DEPLOY_BUCKET": "ivsvod-deploy",
    "FUNCTION_ROLE_ARN": "arn:aws:iam::111122223333:role/ivsvod",
    "SUBNET_IDS": "subnet-1,subnet-2",
    "SECURITY_GROUP_IDS": "sg-1",
    "EVENT_QUEUE_ARN": "arn:aws:sqs:eu-west-1:111122223333:ivsvod-events",
    "PG_HOST": "db.example.com",
    "PG_STATEMENT_TIMEOUT": "20",
    "VIDEO_PAGE_URL": "",
}
STAGES = pytest.mark.parametrize("stage", ["dev", "production"])


@STAGES
def test_the_settings_of_a_stage_have_the_values_of_the_account(stage: str) -> None:
    [(name, filled)] = rendered(SETTINGS, stage, VARIABLES).items()
    assert name == stage
    assert filled["vpc_config"] == {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    assert filled["role_arn"] == VARIABLES["FUNCTION_ROLE_ARN"]
    assert filled["events"][0]["event_source"]["arn"] == VARIABLES["EVENT_QUEUE_ARN"]
    assert "${" not in json.dumps(filled)
    assert "extends" not in filled


@STAGES
def test_variables_outside_the_settings_become_the_environment_of_the_function(stage: str) -> None:
    environment = rendered(SETTINGS, stage, VARIABLES)[stage]["aws_environment_variables"]
    assert environment == {
        "STAGE": stage,
        "PG_HOST": "db.example.com",
        "PG_STATEMENT_TIMEOUT": "20",
        "VIDEO_PAGE_URL": "",
    }


@STAGES
def test_the_open_doors_of_zappa_are_shut(stage: str) -> None:
    chosen = rendered(SETTINGS, stage, VARIABLES)[stage]
    assert chosen["debug"] is False
    assert chosen["log_level"] == "INFO"
    assert chosen["manage_roles"] is False
    assert not chosen.get("function_url_enabled")
    assert chosen["lambda_handler"] == "ivsvod.lambda_entry.lambda_handler"
    assert chosen["lambda_concurrency"] >= chosen["queue_concurrency"] + 2
    assert chosen["timeout_seconds"] > lambda_entry._LAST_SECONDS


def test_every_schedule_is_one_that_the_entry_knows() -> None:
    named = {event["function"].rpartition(".")[2] for event in SETTINGS["base"]["events"] if "expression" in event}
    assert named == set(lambda_entry.SCHEDULED)


def test_without_a_network_of_its_own_the_function_has_none() -> None:
    filled = rendered(SETTINGS, "dev", {**VARIABLES, "SUBNET_IDS": "", "SECURITY_GROUP_IDS": " "})["dev"]
    assert filled["vpc_config"] == {"SubnetIds": [], "SecurityGroupIds": []}


@pytest.mark.parametrize(
    ("stage", "variables", "message"),
    [
        ("staging", VARIABLES, "no stage staging"),
        ("base", VARIABLES, "no stage base"),
        ("dev", {}, "not set: AWS_REGION, DEPLOY_BUCKET, EVENT_QUEUE_ARN"),
        ("dev", {**VARIABLES, "AWS_SECRET_ACCESS_KEY": "S3cr3t"}, "AWS_SECRET_ACCESS_KEY"),
        ("dev", {**VARIABLES, "SECRET_KEY": "S3cr3t" * 1000}, "more than 4096"),
    ],
)
def test_an_unusable_variable_is_named(stage: str, variables: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refusal:
        rendered(SETTINGS, stage, variables)
    assert "S3cr3t" not in str(refusal.value)


def test_variables_that_lambda_sets_are_refused() -> None:
    assert "AWS_REGION" in RESERVED  # It is a placeholder of ours, so it does not reach the function.
    with pytest.raises(SettingsError, match="AWS_SESSION_TOKEN"):
        rendered(SETTINGS, "dev", {**VARIABLES, "AWS_SESSION_TOKEN": "x"})


# The file of variables


def stack(client: Any, name: str, **values: str) -> None:
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {key: {"Value": value} for key, value in values.items()},
    }
    client.create_stack(StackName=name, TemplateBody=json.dumps(template))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (outputs, zappa):
        monkeypatch.setattr(module, "CHECKOUT", tmp_path)
    (tmp_path / "deploy").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("output", "variable"),
    [("RecordingBucket", "RECORDING_BUCKET"), ("PgHost", "PG_HOST"), ("Stage", "STAGE"), ("SubnetIds", "SUBNET_IDS")],
)
def test_an_output_fills_the_variable_of_its_name(output: str, variable: str) -> None:
    assert outputs.variable_of(output) == variable


def test_outputs_of_stacks_are_written_and_the_rest_of_the_file_stays(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = checkout / "deploy" / "dev.env"
    path.write_text("# ours\nALLOWED_HOSTS=api.example.com\nPG_HOST=old\n")
    path.chmod(0o600)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        client = boto3.session.Session().client("cloudformation", region_name="eu-west-1")
        stack(client, "ivsvod-dev-core", RecordingBucket="recordings", PgPassword="arn:aws:secretsmanager:x#password")
        stack(client, "ivsvod-dev-database", PgHost="db.example.com")
        outputs.main(["dev", "ivsvod-dev-core", "ivsvod-dev-database"])
        with pytest.raises(SystemExit, match="ivsvod-dev-edge"):
            outputs.main(["dev", "ivsvod-dev-edge"])

    assert zappa.variables_of("dev") == {
        "ALLOWED_HOSTS": "api.example.com",
        "AWS_REGION": "eu-west-1",
        "PG_HOST": "db.example.com",
        "PG_PASSWORD": "arn:aws:secretsmanager:x#password",
        "RECORDING_BUCKET": "recordings",
    }
    assert path.read_text().startswith("# ours\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "recordings" not in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["dev"]])
def test_missing_arguments_print_the_usage(arguments: list[str]) -> None:
    for main in (outputs.main, zappa.main):
        with pytest.raises(SystemExit, match="STAGE"):
            main(arguments)


def test_a_deployment_without_a_package_names_the_command_that_makes_one(checkout: Path, monkeypatch: Any) -> None:
    (checkout / "zappa_settings.json").write_text(json.dumps(SETTINGS))
    (checkout / "deploy" / "dev.env").write_text("".join(f"{name}={value}\n" for name, value in VARIABLES.items()))
    monkeypatch.setattr(zappa, "BUILD", checkout / "build")
    monkeypatch.setattr(zappa, "PACKAGE", checkout / "dist" / "ivsvod.zip")
    with pytest.raises(SystemExit, match="make package"):
        zappa.main(["dev", "deploy"])


# The settings of Zappa


@pytest.fixture
def zappas(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The event source of each run of a Zappa that does nothing."""
    (checkout / "zappa_settings.json").write_text(json.dumps(SETTINGS))
    (checkout / "deploy" / "dev.env").write_text("".join(f"{name}={value}\n" for name, value in VARIABLES.items()))
    package = checkout / "ivsvod.zip"
    package.touch()
    monkeypatch.setattr(zappa, "BUILD", checkout / "build")
    monkeypatch.setattr(zappa, "PACKAGE", package)
    monkeypatch.setattr(zappa, "correct", lambda *_: None)
    given: list[dict[str, Any]] = []

    def run(line: list[str], **_: Any) -> Any:
        settings = json.loads(Path(line[line.index("-s") + 1]).read_text())["dev"]
        given.append(settings["events"][0]["event_source"])
        return subprocess.CompletedProcess(line, 0)

    monkeypatch.setattr(zappa.subprocess, "run", run)
    return given


@pytest.mark.parametrize(("command", "is_open"), [("deploy", False), ("schedule", False), ("update", True)])
def test_a_mapping_is_made_closed_and_left_open(zappas: list[dict[str, Any]], command: str, is_open: bool) -> None:
    assert zappa.main(["dev", command]) == 0
    [source] = zappas
    assert source["enabled"] is is_open
    assert source.get("opened", source["enabled"]) is True


def test_a_failed_check_after_a_schedule_is_an_error(
    zappas: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def correct(*_: Any) -> None:
        raise click.ClickException("amiss")

    monkeypatch.setattr(zappa, "correct", correct)
    assert zappa.main(["dev", "schedule"]) == 1
    assert "amiss" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "further", "status", "message"),
    [
        ({}, {}, 0, "done"),
        ({"exit_code": 3}, {}, 3, "done"),
        (
            {"errorType": "PermissionError", "errorMessage": "no"},
            {"FunctionError": "Unhandled"},
            1,
            "PermissionError: no",
        ),
    ],
)
def test_a_command_ends_as_it_ended_in_the_function(
    zappas: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: dict[str, Any],
    further: dict[str, str],
    status: int,
    message: str,
) -> None:
    asked: list[dict[str, Any]] = []

    class Client:
        def invoke(self, **arguments: Any) -> dict[str, Any]:
            asked.append(arguments)
            payload = io.BytesIO(json.dumps(answer).encode())
            return {"Payload": payload, "LogResult": base64.b64encode(b"done\n").decode(), **further}

    monkeypatch.setattr(zappa, "_client", lambda _: Client())
    assert zappa.main(["dev", "manage", "reconcile", "--apply"]) == status
    assert asked[0]["FunctionName"] == "ivsvod-dev"
    assert json.loads(asked[0]["Payload"]) == {"manage": "reconcile --apply"}
    assert message in "".join(capsys.readouterr())
    assert zappas == []


# After a deployment


class Zappa:
    """Return the arguments of the hook for an existing function."""

    lambda_name = "ivsvod-dev"

    def __init__(self, queue: str, client: Any) -> None:
        self.stage_config = {"queue_concurrency": 2, "events": [{"event_source": {"arn": queue}}, {"expression": "x"}]}
        self.zappa = type("Core", (), {"lambda_client": client})()


@cache
def client_of(service: str) -> Any:
    """One for all, for making one takes long."""
    return boto3.session.Session(region_name="eu-west-1").client(service)


@pytest.fixture
def deployed() -> Any:
    """A function on moto, fed by a queue, with what Zappa opens to everybody."""
    with mock_aws():
        role = client_of("iam").create_role(RoleName="x", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        client = client_of("lambda")
        function = client.create_function(
            FunctionName="ivsvod-dev", Runtime="python3.13", Role=role, Handler="x.y", Code={"ZipFile": b"x"}
        )["FunctionArn"]
        queue = client_of("sqs").create_queue(QueueName="events")["QueueUrl"]
        arn = f"arn:aws:sqs:eu-west-1:{DEFAULT_ACCOUNT_ID}:{queue.rpartition('/')[2]}"
        client.create_event_source_mapping(EventSourceArn=arn, FunctionName=function)
        yield Zappa(arn, client)


def open_to_everybody(cli: Any) -> None:
    cli.zappa.lambda_client.add_permission(
        FunctionName="ivsvod-dev", StatementId="Open", Action="lambda:InvokeFunction", Principal="*"
    )


def test_failed_messages_are_reported_one_by_one_after_a_deployment(deployed: Any) -> None:
    hooks.post(deployed)
    [mapping] = deployed.zappa.lambda_client.list_event_source_mappings()["EventSourceMappings"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_function_is_invoked_publicly_by_its_url_only(deployed: Any) -> None:
    open_to_everybody(deployed)
    hooks.post(deployed)
    [statement] = json.loads(deployed.zappa.lambda_client.get_policy(FunctionName="ivsvod-dev")["Policy"])["Statement"]
    assert statement["Sid"] == "Open"
    assert not hooks._is_open(statement)


def test_a_function_that_no_queue_feeds_is_an_error(deployed: Any) -> None:
    client = deployed.zappa.lambda_client
    [mapping] = client.list_event_source_mappings()["EventSourceMappings"]
    client.delete_event_source_mapping(UUID=mapping["UUID"])
    with pytest.raises(click.ClickException, match="not fed by"):
        hooks.post(deployed)


@pytest.mark.parametrize(
    ("source", "is_open"),
    [({}, True), ({"enabled": False, "opened": True}, True), ({"enabled": False}, False), ({"enabled": True}, True)],
)
def test_the_queue_is_opened_as_the_settings_say(deployed: Any, source: dict[str, bool], is_open: bool) -> None:
    deployed.stage_config["events"][0]["event_source"] |= source
    hooks.post(deployed)
    [mapping] = deployed.zappa.lambda_client.list_event_source_mappings()["EventSourceMappings"]
    assert mapping["State"] == ("Enabled" if is_open else "Disabled")


def test_a_mapping_that_is_being_changed_is_waited_for(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, states, waited = deployed.zappa.lambda_client, ["Updating", "Creating"], []
    ask = client.get_event_source_mapping
    monkeypatch.setattr(
        client,
        "get_event_source_mapping",
        lambda UUID: {"State": states.pop()} if states else ask(UUID=UUID),
    )
    monkeypatch.setattr(hooks.time, "sleep", waited.append)
    hooks.post(deployed)
    assert len(waited) == 2


def test_a_mapping_that_is_changed_for_ever_is_an_error(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployed.zappa.lambda_client, "get_event_source_mapping", lambda **_: {"State": "Updating"})
    monkeypatch.setattr(hooks, "SETTLE_SECONDS", -1)
    with pytest.raises(click.ClickException, match="still Updating"):
        hooks.post(deployed)


def test_a_mapping_that_was_deleted_meanwhile_is_skipped(deployed: Any) -> None:
    assert not hooks._is_settled(deployed.zappa.lambda_client, "3b1a2c4d-0000-4000-8000-000000000000")


def test_reports_that_are_still_off_are_an_error(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "REPORT", "SomethingElse")
    monkeypatch.setattr(deployed.zappa.lambda_client, "update_event_source_mapping", lambda **_: None)
    with pytest.raises(click.ClickException, match="would be lost"):
        hooks.post(deployed)


# What is refused before anything is sent


@pytest.mark.parametrize("name", ["AWS_REGION", "DEPLOY_BUCKET", "FUNCTION_ROLE_ARN", "EVENT_QUEUE_ARN"])
def test_a_required_value_is_not_empty(name: str) -> None:
    with pytest.raises(SettingsError, match=f"empty: {name}"):
        rendered(SETTINGS, "dev", {**VARIABLES, name: " "})


@pytest.mark.parametrize("name", ["a b", "1X", "_HANDLER", "LAMBDA_TASK_ROOT", "AWS_LAMBDA_FUNCTION_NAME"])
def test_a_name_that_lambda_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(SettingsError):
        rendered(SETTINGS, "dev", {**VARIABLES, name: "x"})


def test_the_settings_with_their_values_are_for_their_owner_alone(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zappa, "BUILD", checkout / "build")
    path = zappa._write("dev", {"a": "S3cr3t"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_names_of_rules_are_short_enough_to_begin_with_the_function() -> None:
    """Longer ones begin with a digest, to which the deployer has no right."""
    for event in SETTINGS["base"]["events"]:
        if "expression" in event:
            assert len(f"ivsvod-production-{event['function']}") < 64
