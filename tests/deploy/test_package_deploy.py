"""The whole deployment of the package, from the stack to `undeploy`, on moto as far as it goes: `make deploy-check`.

What Zappa says of itself proves little: it ends with 0 after some failures. So what is there after each command is
looked at, by way of the API of AWS.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError
from dotenv import dotenv_values, set_key

from deploy.package import CHECKOUT, PACKAGE
from deploy.settings import rendered
from ivsvod.lambda_entry import SCHEDULED
from tests.support.cloud import REPORT, Cloud, served
from tests.support.cloudformation import for_moto, of_type, template
from tests.support.lambda_http import body_of, rest_v1
from tests.support.packaged import HOST, runtime_packages
from tests.support.ports import free_port
from tools.local import launch, postgres
from tools.local.aws import LocalAws
from tools.local.broadcast.events import stream_event
from tools.local.serving import MOUNT, with_local_aws
from tools.local.serving import served as served_locally

pytestmark = [pytest.mark.package, pytest.mark.xdist_group("deployment")]

SETTINGS = json.loads((CHECKOUT / "zappa_settings.json").read_text())
EXPRESSIONS = {item["function"]: item["expression"] for item in SETTINGS["base"]["events"] if "expression" in item}
# Outputs that are the ARN of a secret.
SECRETS = {
    output: of_type(template("core"), "AWS::SecretsManager::Secret")[item["Value"]["Ref"]]["GenerateSecretString"]
    for output, item in template("core")["Outputs"].items()
    if item["Value"].get("Ref") in of_type(template("core"), "AWS::SecretsManager::Secret")
}
OWNER = "8b7ea3c1-9a53-4d6f-8f0e-0f1f1f1f1f1f"
# Of a checkout, what deploying takes.
DEPLOYING = ("deploy", "zappa_settings.json")


@dataclass
class Stage:
    """A stage, and the checkout that it is deployed from."""

    name: str
    cloud: Cloud
    checkout: Path

    @property
    def function(self) -> str:
        return f"ivsvod-{self.name}"

    @property
    def variables(self) -> dict[str, str]:
        return dict(dotenv_values(self.checkout / "deploy" / f"{self.name}.env", interpolate=False))

    @property
    def settings(self) -> dict[str, Any]:
        return rendered(SETTINGS, self.name, self.variables)[self.name]

    def python(self, module: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", module, self.name, *words]
        return subprocess.run(
            command,
            cwd=self.checkout,
            env=self.cloud.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )

    def zappa(self, *words: str) -> str:
        """Return its output; it must succeed."""
        done = self.python("deploy.zappa", *words)
        assert done.returncode == 0, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout

    def write(self, **variables: str) -> None:
        """By hand, what no stack knows."""
        for name, value in variables.items():
            set_key(self.checkout / "deploy" / f"{self.name}.env", name, value)

    def client(self, service: str) -> Any:
        return self.cloud.client(service)

    def configuration(self) -> dict[str, Any]:
        return self.client("lambda").get_function(FunctionName=self.function)["Configuration"]

    def mappings(self) -> list[dict[str, Any]]:
        return self.client("lambda").list_event_source_mappings()["EventSourceMappings"]

    def mapping(self) -> dict[str, Any]:
        queue = self.variables["EVENT_QUEUE_ARN"]
        [found] = [item for item in self.mappings() if item["EventSourceArn"] == queue]
        return found

    def rules(self) -> dict[str, dict[str, Any]]:
        """Those that call the function."""
        events, arn = self.client("events"), self.configuration()["FunctionArn"]
        names = events.list_rule_names_by_target(TargetArn=arn)["RuleNames"]
        return {name: events.describe_rule(Name=name) for name in names}

    def statements(self) -> list[dict[str, Any]]:
        return json.loads(self.client("lambda").get_policy(FunctionName=self.function)["Policy"])["Statement"]

    def apis(self) -> list[dict[str, Any]]:
        return [item for item in self.client("apigateway").get_rest_apis()["items"] if item["name"] == self.function]

    def invoke(self, event: dict[str, Any]) -> tuple[Any, str | None]:
        """Return the answer of the function, and its error if any."""
        reply = self.client("lambda").invoke(FunctionName=self.function, Payload=json.dumps(event))
        return json.load(reply["Payload"]), reply.get("FunctionError")

    def http(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        text = None if body is None else json.dumps(body)
        answer, error = self.invoke(rest_v1(method, path, text, **{"Host": HOST, **headers}))
        assert error is None, answer
        return answer["statusCode"], body_of(answer)

    def secret(self, variable: str) -> str:
        arn = self.variables[variable]
        return self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]

    def put(self, detail_type: str, resources: list[str], **detail: Any) -> None:
        """An event on the bus, as IVS puts it there."""
        entry = {
            "Source": "aws.ivs",
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
            "Resources": resources,
            "Time": datetime.now(UTC),
        }
        reply = self.client("events").put_events(Entries=[entry])
        assert reply["FailedEntryCount"] == 0

    def waiting(self, queue: str = "EVENT_QUEUE_URL") -> int:
        """Messages in a queue, whether they can be seen or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        reply = self.client("sqs").get_queue_attributes(QueueUrl=self.variables[queue], AttributeNames=names)
        return sum(int(number) for number in reply["Attributes"].values())

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Return the rows of a query."""
        own = self.variables
        where = {"host": own["PG_HOST"], "port": own["PG_PORT"], "user": own["PG_USER"], "dbname": own["PG_DATABASE"]}
        with psycopg.connect(**where) as connection:
            return connection.execute(sql, values).fetchall()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An AWS, of which IVS alone is the local one."""
    folder = tmp_path_factory.mktemp("cloud")
    ivs, port = LocalAws(folder / "aws"), free_port()
    environment = ivs.environment(f"http://127.0.0.1:{port}{MOUNT}")
    del environment["AWS_ENDPOINT_URL_S3"]
    cloud = Cloud(folder, runtime_packages(folder), environment)
    with served_locally(with_local_aws(_nothing, ivs), port), served(cloud):
        yield cloud


def _nothing(_: Any, start_response: Any) -> list[bytes]:
    start_response("404 Not Found", [])
    return [b""]


def checkout(folder: Path) -> Path:
    """Copy the files of a checkout that a deployment needs, and clear the variables of the caller."""
    shutil.copytree(CHECKOUT / "deploy", folder / "deploy", ignore=shutil.ignore_patterns("*.env", "__pycache__"))
    shutil.copy(CHECKOUT / "zappa_settings.json", folder)
    (folder / "dist").mkdir()
    (folder / "dist" / PACKAGE.name).symlink_to(PACKAGE)
    return folder


def made(cloud: Cloud, stage: str, folder: Path, **parameters: str) -> Stage:
    """The stacks of a stage, and their outputs in the file of its variables."""
    cloudformation, secrets = cloud.client("cloudformation"), cloud.client("secretsmanager")
    core = for_moto("core", Stage=stage, **parameters)
    for output, wanted in SECRETS.items():
        text = secrets.get_random_password(**wanted)["RandomPassword"]
        secret = secrets.create_secret(Name=f"ivsvod-{stage}-{output}", SecretString=text)
        core["Outputs"][output]["Value"] = secret["ARN"]
    given = {"network": {"Stage": stage}, "core": {"Stage": stage, **parameters}}
    for name, body in {"network": for_moto("network", Stage=stage), "core": core}.items():
        cloudformation.create_stack(
            StackName=f"ivsvod-{stage}-{name}",
            TemplateBody=json.dumps(body),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given[name].items()],
        )
    found = Stage(stage, cloud, checkout(folder))
    done = found.python("deploy.outputs", f"ivsvod-{stage}-network", f"ivsvod-{stage}-core")
    assert done.returncode == 0, done.stdout
    key = secrets.create_secret(Name=f"ivsvod-{stage}-key", SecretString="a shared key")["ARN"]
    found.write(
        PG_HOST="db.example.com",
        PG_DATABASE="ivsvod",
        PG_USER="ivsvod",
        AUTH_API_KEY=key,
        ALLOWED_HOSTS=HOST,
        RECORDING_CONFIG_ARN="arn:aws:ivs:eu-west-1:123456789012:recording-configuration/AbCdEf123456",
        PLAYBACK_BASE_URL="https://media.example.com",
    )
    return found


@pytest.fixture(scope="module")
def deployed(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Production, with a database that is empty."""
    folder = tmp_path_factory.mktemp("production")
    with ExitStack() as started:
        server = started.enter_context(postgres.use(folder / "home", durable=False))
        stage = made(cloud, "production", folder / "checkout")
        stage.write(**server.environment(), STATIC_URL="https://site.example.com/static/")
        ivs = LocalAws(cloud.folder / "aws")
        stage.write(RECORDING_CONFIG_ARN=launch.recording_configuration(ivs, stage.variables["RECORDING_BUCKET"]))
        assert "Deployment complete" in stage.zappa("deploy")
        yield stage


@pytest.fixture(scope="module")
def production(deployed: Stage) -> Stage:
    """Production, with its tables."""
    unmigrated = deployed.python("deploy.zappa", "manage", "migrate --check")
    assert unmigrated.returncode == 1, unmigrated.stdout
    deployed.zappa("manage", "migrate")
    deployed.zappa("manage", "migrate", "--check")
    return deployed


@pytest.fixture
def queue(production: Stage) -> Iterator[Stage]:
    """Production, nothing being in its queues before and after."""
    _empty(production)
    yield production
    _empty(production)


def _empty(stage: Stage) -> None:
    for name in ("EVENT_QUEUE_URL", "DEAD_LETTER_QUEUE_URL"):
        sqs, url = stage.client("sqs"), stage.variables[name]
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


# What is there


def test_the_function_is_made_as_configured(deployed: Stage) -> None:
    made, own = deployed.configuration(), deployed.variables
    assert made["Handler"] == "ivsvod.lambda_entry.lambda_handler"
    assert made["Runtime"] == "python3.13"
    assert (made["Timeout"], made["MemorySize"]) == (120, 1024)
    assert made["Timeout"] == SETTINGS["base"]["timeout_seconds"]
    assert made["MemorySize"] == SETTINGS["base"]["memory_size"]
    [role] = [item for item in deployed.client("iam").list_roles()["Roles"] if item["Arn"] == made["Role"]]
    assert role["Arn"] == own["FUNCTION_ROLE_ARN"]
    assert set(made["VpcConfig"]["SubnetIds"]) == set(own["SUBNET_IDS"].split(","))
    assert made["VpcConfig"]["SecurityGroupIds"] == [own["SECURITY_GROUP_IDS"]]
    digest = base64.b64encode(hashlib.sha256(PACKAGE.read_bytes()).digest()).decode()
    assert made["CodeSha256"] == digest
    concurrency = deployed.client("lambda").get_function_concurrency(FunctionName=deployed.function)
    assert concurrency["ReservedConcurrentExecutions"] == SETTINGS["production"]["lambda_concurrency"]


def test_its_environment_has_references_to_secrets_and_none_of_their_values(deployed: Stage) -> None:
    environment = deployed.configuration()["Environment"]["Variables"]
    assert environment == deployed.settings["aws_environment_variables"]
    assert environment["STAGE"] == "production"
    assert "AWS_REGION" not in environment
    for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "ORIGIN_SECRET", "AUTH_API_KEY"):
        assert environment[name].startswith("arn:aws:secretsmanager:")
        assert deployed.secret(name) not in json.dumps(environment)


def assert_fed(stage: Stage) -> None:
    """By its queue, which keeps what failed."""
    mapping = stage.mapping()
    assert mapping["FunctionArn"] == stage.configuration()["FunctionArn"]
    assert mapping["FunctionResponseTypes"] == [REPORT]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": SETTINGS[stage.name]["queue_concurrency"]}
    assert mapping["BatchSize"] == 10
    assert mapping["State"] == "Enabled"


def assert_not_open(stage: Stage) -> None:
    """Only EventBridge may invoke it, for a named rule."""
    for statement in stage.statements():
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert statement["Action"] == "lambda:InvokeFunction"
        assert list(statement["Condition"]["ArnLike"]) == ["AWS:SourceArn"]


def assert_scheduled(stage: Stage) -> None:
    """Each function of the settings, once, as it is there."""
    rules = stage.rules()
    found = {name.rpartition("-")[2]: rule["ScheduleExpression"] for name, rule in rules.items()}
    assert found == EXPRESSIONS
    assert {rule["State"] for rule in rules.values()} == {"ENABLED"}
    assert {name.rpartition(".")[2] for name in rules} == set(SCHEDULED)
    assert max(map(len, rules)) <= 64
    assert len(stage.statements()) == len(rules)


def test_messages_that_fail_are_reported_and_few_batches_run_at_once(deployed: Stage) -> None:
    assert_fed(deployed)
    assert len(deployed.mappings()) == 1


def test_only_the_rules_of_its_schedule_may_invoke_the_function(deployed: Stage) -> None:
    assert_not_open(deployed)


def test_the_api_is_regional_and_calls_the_function_by_its_role(deployed: Stage) -> None:
    gateway = deployed.client("apigateway")
    [api] = deployed.apis()
    [stage] = gateway.get_stages(restApiId=api["id"])["item"]
    assert stage["stageName"] == "production"
    resources = gateway.get_resources(restApiId=api["id"])["items"]
    assert {item["path"]: list(item["resourceMethods"]) for item in resources} == {"/": ["ANY"], "/{proxy+}": ["ANY"]}
    # What moto forgets of it, as the stack has it.
    stack = deployed.client("cloudformation").get_template(StackName=deployed.function)["TemplateBody"]
    [made] = of_type(stack, "AWS::ApiGateway::RestApi").values()
    assert made["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    methods = of_type(stack, "AWS::ApiGateway::Method").values()
    assert len(methods) == 2
    for method in methods:
        assert method["Integration"]["Type"] == "AWS_PROXY"
        assert f"{deployed.configuration()['FunctionArn']}/invocations" in method["Integration"]["Uri"]
        assert method["Integration"]["Credentials"] == deployed.variables["FUNCTION_ROLE_ARN"]


def test_each_schedule_is_a_rule_by_whose_name_the_function_knows_it(production: Stage) -> None:
    assert_scheduled(production)
    events = production.client("events")
    for name, rule in production.rules().items():
        [target] = events.list_targets_by_rule(Rule=name)["Targets"]
        sent = target["InputTransformer"]["InputTemplate"]
        for key, path in target["InputTransformer"]["InputPathsMap"].items():
            sent = sent.replace(f"<{key}>", json.dumps(_scheduled_event(rule["Arn"])[path.removeprefix("$.")]))
        answer, error = production.invoke(json.loads(sent))
        assert (answer, error) == ({}, None), name


def _scheduled_event(rule: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html"""
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-03-04T09:00:00Z",
        "region": "eu-west-1",
        "resources": [rule],
        "detail": {},
    }


# What it does


def test_the_database_is_migrated_by_the_package(production: Stage) -> None:
    [(number,)] = production.rows("SELECT count(*) FROM django_migrations WHERE app IN ('channels_app', 'ondemand')")
    files = [*CHECKOUT.glob("channels_app/migrations/0*.py"), *CHECKOUT.glob("ondemand/migrations/0*.py")]
    assert number == len(files)


@pytest.fixture(scope="module")
def channel(production: Stage) -> str:
    """The ARN of one that the service made."""
    key = {"Authorization": f"Bearer {production.secret('AUTH_API_KEY')}"}
    status, made = production.http("POST", "/channels", {"name": "Main stage", "userId": OWNER}, **key)
    assert status == 200, made
    return made["arn"]


def test_a_request_is_answered_with_secrets_read_by_their_references(production: Stage, channel: str) -> None:
    assert production.http("POST", "/channels", {"name": "x", "userId": OWNER})[0] == 401
    assert production.http("GET", "/healthz") == (200, {"status": "ok"})
    assert production.rows("SELECT _name FROM ivs_channels WHERE arn = %s", channel) == [("Main stage",)]


def test_the_first_account_has_the_password_of_its_secret(production: Stage) -> None:
    arn = production.variables["ADMIN_PASSWORD_SECRET"]
    command = ("deploy.zappa", "manage", f"create_admin ada --password-from {arn}")
    assert production.python(*command).returncode == 0
    assert production.rows("SELECT is_superuser FROM accounts_user WHERE username = 'ada'") == [(True,)]
    assert production.python(*command).returncode != 0


def start(stage: Stage, channel: str, stream: str, **detail: Any) -> None:
    envelope = stream_event("Stream Start", channel, "Main stage", stream, datetime.now(UTC))
    stage.put(envelope["detail-type"], envelope["resources"], **{**envelope["detail"], **detail})


OUTCOMES = "SELECT outcome FROM channels_app_inboxevent WHERE body LIKE %s"


def test_an_event_comes_by_the_rule_and_the_queue_into_the_inbox(queue: Stage, channel: str) -> None:
    start(queue, channel, "st-by-the-road")
    assert queue.rows(OUTCOMES, "%st-by-the-road%") == [("applied",)]
    assert queue.waiting() == 0


def test_an_event_that_fails_is_back_in_the_queue_and_keeps_no_other_back(queue: Stage, channel: str) -> None:
    start(queue, channel, "st-poison", event_name=7)
    assert queue.waiting() == 1
    start(queue, channel, "st-beside-poison")
    assert queue.rows(OUTCOMES, "%st-beside-poison%") == [("applied",)]
    assert queue.waiting() == 1
    for number in range(4):
        start(queue, channel, f"st-after-poison-{number}")
    assert queue.waiting() == 0
    assert queue.waiting("DEAD_LETTER_QUEUE_URL") == 1


@pytest.mark.parametrize("event", [{"raw_command": "print(1)"}, {"command": "os.getcwd"}, {"manage": "shell"}])
def test_an_invocation_that_runs_arbitrary_code_is_refused(production: Stage, event: dict[str, Any]) -> None:
    answer, error = production.invoke(event)
    assert (answer["errorType"], error) == ("InvocationRefusedError", "Unhandled")


@pytest.mark.parametrize("words", [("manage", "shell"), ("invoke", "print(1)", "--raw")])
def test_a_command_that_is_refused_ends_badly(production: Stage, words: tuple[str, ...]) -> None:
    done = production.python("deploy.zappa", *words)
    assert done.returncode != 0
    assert "InvocationRefusedError" in done.stdout


# What changes it


def test_an_update_closes_permissions_that_were_opened_by_hand(queue: Stage, channel: str) -> None:
    client, mapping, name = queue.client("lambda"), queue.mapping(), queue.function
    client.update_event_source_mapping(UUID=mapping["UUID"], FunctionResponseTypes=[])
    client.add_permission(FunctionName=name, StatementId="Open", Action="lambda:InvokeFunction", Principal="*")
    assert not queue.mapping().get("FunctionResponseTypes")
    start(queue, channel, "st-lost", event_name=7)
    assert queue.waiting() == 0, "without reports a message that fails is lost"

    queue.zappa("update")

    assert_fed(queue)
    assert queue.mapping()["UUID"] == mapping["UUID"]
    start(queue, channel, "st-kept", event_name=7)
    assert queue.waiting() == 1
    [left] = [item for item in queue.statements() if item["Principal"] == "*"]
    # On AWS a condition; moto keeps what it was asked for.
    assert left["InvokedViaFunctionUrl"] is True
    client.remove_permission(FunctionName=name, StatementId="Open")
    assert_not_open(queue)


def test_from_deploy_to_undeploy(cloud: Cloud, tmp_path: Path) -> None:
    """Without CloudFront, so that static files are in the package."""
    stage = made(cloud, "dev", tmp_path / "checkout", EdgeStack="no")
    others = cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    for words in [("deploy",), ("update",), ("schedule",), ("unschedule",), ("schedule",)]:
        reply = stage.zappa(*words)
        if words == ("unschedule",):
            assert stage.rules() == {}
            assert stage.mappings() == others
            continue
        assert "Failed messages are reported" in reply
        assert_fed(stage)
        assert_scheduled(stage)
        assert_not_open(stage)
        assert len(stage.apis()) == 1
    stage.zappa("manage", "check")
    assert cloud.made_open == []
    function, status = stage.configuration(), stage.zappa("status")
    for shown in (
        function["FunctionArn"],
        stage.variables["FUNCTION_ROLE_ARN"],
        "rate(5 minutes)",
        stage.apis()[0]["id"],
    ):
        assert shown in status
    names = list(stage.rules())

    stage.zappa("undeploy", "--yes")

    with pytest.raises(ClientError, match="ResourceNotFound"):
        stage.configuration()
    assert stage.apis() == []
    assert stage.mappings() == others
    assert not {rule["Name"] for rule in cloud.client("events").list_rules()["Rules"]} & set(names)
    stacks = {item["StackName"] for item in cloud.client("cloudformation").describe_stacks()["Stacks"]}
    assert {f"ivsvod-{stage.name}-core", f"ivsvod-{stage.name}-network"} <= stacks
    assert stage.function not in stacks
    own = stage.variables
    assert own["FUNCTION_ROLE_ARN"] in [item["Arn"] for item in cloud.client("iam").list_roles()["Roles"]]
    buckets = {item["Name"] for item in cloud.client("s3").list_buckets()["Buckets"]}
    assert {own["DEPLOY_BUCKET"], own["RECORDING_BUCKET"]} <= buckets
    assert stage.waiting() == 0


# What is missing


@pytest.fixture
def refused(cloud: Cloud, tmp_path: Path) -> Stage:
    """A stage that nothing was made for but its file of variables."""
    stage = Stage("dev", cloud, checkout(tmp_path / "checkout"))
    stage.write(
        AWS_REGION="eu-west-1",
        DEPLOY_BUCKET="ivsvod-nowhere",
        FUNCTION_ROLE_ARN="arn:aws:iam::123456789012:role/nobody",
        SUBNET_IDS="",
        SECURITY_GROUP_IDS="",
        EVENT_QUEUE_ARN="arn:aws:sqs:eu-west-1:123456789012:nowhere",
    )
    return stage


def assert_refused(stage: Stage, reply: str) -> None:
    done = stage.python("deploy.zappa", "deploy")
    assert done.returncode != 0
    assert reply in done.stdout
    assert "Deployment complete" not in done.stdout
    functions = stage.client("lambda").list_functions()["Functions"]
    assert stage.function not in [item["FunctionName"] for item in functions]


def test_without_the_role_nothing_is_deployed(refused: Stage) -> None:
    assert_refused(refused, "The role defined for the function cannot be assumed by Lambda")


def test_without_a_variable_nothing_is_deployed(refused: Stage) -> None:
    (refused.checkout / "deploy" / "dev.env").write_text("AWS_REGION=eu-west-1\nDEPLOY_BUCKET=x\n")
    reply = "deploy/dev.env: not set: EVENT_QUEUE_ARN, FUNCTION_ROLE_ARN, SECURITY_GROUP_IDS, SUBNET_IDS"
    assert_refused(refused, reply)


def test_without_the_package_nothing_is_deployed(refused: Stage) -> None:
    (refused.checkout / "dist" / PACKAGE.name).unlink()
    assert_refused(refused, "dist/ivsvod.zip is missing: make package")
