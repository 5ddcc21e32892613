"""The templates of `deploy/`: made on moto as far as moto can, and what they promise, property by property."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.conf import settings
from moto import mock_aws

from tests.support.cloudformation import (
    FOLDER,
    NAMES,
    REGION,
    for_moto,
    leave_local_aws,
    moto_types,
    of_type,
    resolved,
    template,
)

pytestmark = pytest.mark.slow

ROOT = Path(settings.BASE_DIR)
EVENTS = ROOT / "tests" / "support" / "events"
DETAIL_TYPES = [
    "IVS Stream State Change",
    "IVS Stream Health Change",
    "IVS Limit Breach",
    "IVS Recording State Change",
]
CORE = [
    {},
    {"ExistingRecordingBucket": "recordings-of-old"},
    {"EdgeStack": "no", "InVpc": "false", "AlarmEmail": "ops@example.com", "ArchiveAfterDays": "90"},
    {
        "LiveStateLegacyKey": "live.json",
        "ExpireAfterDays": "400",
        "FurtherRecordingBucketArns": "arn:aws:s3:::a,arn:aws:s3:::b",
    },
]
# What the program emits in the embedded metric format, and what AWS counts by itself.
METRICS = {
    "ivsvod": {
        *("InboxLagSeconds", "EventsApplied", "EventsDuplicate", "EventsParked", "EventsIgnored", "EventsDeferred"),
        *("EventsRefused", "EventsFailed", "ParkedEvents", "OpenEvents", "OldestOpenEventSeconds", "AwsErrors"),
        *("StreamsUnheard", "DatabaseErrors"),
    },
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
    "AWS/Lambda": {"Errors", "Throttles"},
}
ALARMED = {
    *("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage", "Errors", "Throttles", "AwsErrors"),
    *("EventsFailed", "OldestOpenEventSeconds", "StreamsUnheard", "DatabaseErrors"),
}
# Variables that are read elsewhere than in settings.py, and values that deploying needs.
DEPLOY_VARIABLES = {
    # zappa_settings.json
    *("DEPLOY_BUCKET", "EVENT_QUEUE_ARN", "FUNCTION_ROLE_ARN", "SUBNET_IDS", "SECURITY_GROUP_IDS"),
    # The Lambda entry.
    *("PUBLIC_HOST", "ORIGIN_SECRET"),
    # The first account.
    "ADMIN_PASSWORD_SECRET",
    # botocore
    "AWS_USE_DUALSTACK_ENDPOINT",
    # The live smoke test.
    "EVENT_QUEUE_URL",
    # Parameters of database.yaml.
    *("DATABASE_SUBNET_IDS", "DATABASE_SECURITY_GROUP_IDS"),
    # For people: who gets which policy, who gets alarms, where DNS records point to.
    *("DEPLOYER_POLICY_ARN", "CURATOR_POLICY_ARN", "ALARM_TOPIC_ARN"),
    *("MEDIA_DISTRIBUTION_DOMAIN", "SITE_DISTRIBUTION_DOMAIN"),
}
# Sids of statements that may say "*" for a resource, and why AWS leaves no other way.
STARS = {
    "SeeNetworkInterfaces": "EC2 has no resources for Describe calls",
    "CodeTouchesNoNetworkInterfaces": "a Deny, the wider the better",
    "MakeMapping": "Lambda has no resource for CreateEventSourceMapping; its function is the condition",
    "Look": "Describe and List calls without resources",
}


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An AWS in this process; nothing of it is left over."""
    leave_local_aws(monkeypatch)
    moto_types()
    with mock_aws():
        yield


@cache
def client(service: str) -> Any:
    """One for all, for making one takes long."""
    return boto3.session.Session().client(service, region_name=REGION)


def make(name: str, **parameters: str) -> dict[str, str]:
    """Create the stack on moto; its outputs."""
    body, cloudformation = for_moto(name, **parameters), client("cloudformation")
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(body), Parameters=given)
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    made = cloudformation.list_stack_resources(StackName=name)["StackResourceSummaries"]
    assert {item["LogicalResourceId"] for item in made} == set(body["Resources"])
    return {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}


def statements(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each statement of each policy of a template that is resolved, that of trust included."""
    for item in document["Resources"].values():
        properties = item["Properties"]
        inline = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        named = [properties[key] for key in ("PolicyDocument", "AssumeRolePolicyDocument") if key in properties]
        for policy in [*inline, *named]:
            yield from policy["Statement"]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def variable(output: str) -> str:
    """RecordingBucket is RECORDING_BUCKET."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", output).upper()


def core_of(kind: str, name: str, **parameters: str) -> dict[str, Any]:
    return of_type(resolved("core", **parameters), kind)[name]


# --- All of them ---


def test_every_template_of_the_folder_is_tested() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_short_enough_to_be_sent_without_a_bucket(name: str) -> None:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    assert (FOLDER / f"{name}.yaml").stat().st_size <= 51_200


@pytest.mark.parametrize("name", NAMES)
def test_every_output_fills_a_variable_that_is_known(name: str) -> None:
    source = "".join((ROOT / "ivsvod" / name).read_text() for name in ("settings.py", "environment.py"))
    of_settings = set(re.findall(r'(?:env\.\w+|environment\.\w+|secret|required)\(\s*"([A-Z][A-Z_]+)"', source))

    assert {variable(output) for output in template(name)["Outputs"]} <= of_settings | DEPLOY_VARIABLES


def test_no_variable_is_listed_for_a_removed_output() -> None:
    outputs = {variable(output) for name in NAMES for output in template(name)["Outputs"]}

    assert outputs >= DEPLOY_VARIABLES


def test_no_two_templates_fill_one_variable() -> None:
    outputs = [output for name in NAMES for output in template(name)["Outputs"]]

    assert sorted(outputs) == sorted(set(outputs))


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_used(name: str) -> None:
    document = template(name)
    text = json.dumps({part: document[part] for part in document if part != "Parameters"})

    unused = [key for key in document["Parameters"] if f'"{key}"' not in text and f"${{{key}}}" not in text]

    assert unused == []


@pytest.mark.parametrize("name", NAMES)
def test_no_statement_allows_actions_by_a_star(name: str) -> None:
    allowed = [item for item in statements(resolved(name)) if item["Effect"] == "Allow"]

    assert [item for item in allowed if any("*" in action for action in listed(item["Action"]))] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_statement_names_all_resources_but_those_with_a_reason_and_a_condition(name: str) -> None:
    starred = [item for item in statements(resolved(name)) if "*" in listed(item.get("Resource", []))]

    assert [item for item in starred if item["Sid"] not in STARS or "Condition" not in item] == []


def test_no_reason_for_a_star_is_left_over() -> None:
    starred = {
        item["Sid"] for name in NAMES for item in statements(resolved(name)) if "*" in listed(item.get("Resource", []))
    }

    assert starred == set(STARS)


@pytest.mark.parametrize("name", NAMES)
def test_no_policy_of_aws_is_attached_to_anything(name: str) -> None:
    text = json.dumps(template(name))

    assert ":iam::aws:policy" not in text
    assert "ManagedPolicyArns" not in text


@pytest.mark.parametrize("name", NAMES)
def test_every_arn_begins_with_the_partition_at_hand(name: str) -> None:
    written = re.findall(r'"arn:[^"]*', json.dumps(template(name)["Resources"]))

    assert [arn for arn in written if not arn.startswith('"arn:${AWS::Partition}:')] == []


def test_core_refers_to_nothing_of_the_edge() -> None:
    kinds = {item["Type"].split("::")[1] for item in template("core")["Resources"].values()}

    assert not kinds & {"CloudFront", "IVS"}


def test_a_policy_for_people_fits_into_the_limits_of_iam() -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    longest = resolved("core", ProjectName="a" * 20, Stage="s" * 20)
    policies = of_type(longest, "AWS::IAM::ManagedPolicy").values()

    assert max(len(json.dumps(policy["PolicyDocument"], separators=(",", ":"))) for policy in policies) < 6144


# --- On moto ---


@pytest.mark.parametrize(("egress", "engine"), [("nat", "postgres"), ("dual-stack", "aurora"), ("split", "postgres")])
def test_network_and_database_are_made_one_by_the_outputs_of_the_other(moto: None, egress: str, engine: str) -> None:
    network = make("network", Egress=egress)
    given = {name: value for name, value in network.items() if name.startswith("Database")}

    database = make("database", Engine=engine, **given)

    assert len(network["SubnetIds"].split(",")) == 2
    assert ("AwsUseDualstackEndpoint" in network) == (egress == "dual-stack")
    assert {"PgHost", "PgDatabase", "PgUser", "PgPassword"} <= set(database)


@pytest.mark.parametrize("parameters", CORE)
def test_core_is_made_with_each_choice(moto: None, parameters: dict[str, str]) -> None:
    outputs = make("core", **parameters)

    without_edge = {"StaticBucket"} if parameters.get("EdgeStack") == "no" else set()
    assert set(outputs) == set(template("core")["Outputs"]) - without_edge
    assert outputs["EventQueueArn"] == f"arn:aws:sqs:{REGION}:123456789012:ivsvod-production-events"
    if bucket := parameters.get("ExistingRecordingBucket"):
        assert outputs["RecordingBucket"] == bucket


def sample(detail_type: str) -> dict[str, Any]:
    found = (json.loads(path.read_text()) for path in sorted(EVENTS.glob("*.json")))
    return next(event for event in found if event["detail-type"] == detail_type)


def put(event: dict[str, Any]) -> None:
    """Put an event on the bus, as its source would."""
    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "Resources": event["resources"],
    }
    client("events").put_events(Entries=[entry])


def received(url: str) -> list[dict[str, Any]]:
    messages = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


@pytest.mark.parametrize("source", ["aws.ivs", "ivsvod.selftest"])
def test_an_event_of_each_detail_type_comes_out_of_the_queue(moto: None, source: str) -> None:
    outputs = make("core")
    events = [{**sample(detail_type), "source": source} for detail_type in DETAIL_TYPES]

    for event in events:
        put(event)

    came = {event["detail-type"]: event["detail"] for event in received(outputs["EventQueueUrl"])}
    assert came == {event["detail-type"]: event["detail"] for event in events}


def test_other_events_of_ivs_and_events_of_others_stay_out_of_the_queue(moto: None) -> None:
    outputs, event = make("core"), sample("IVS Stream State Change")

    put({**event, "detail-type": "IVS Stage Update"})
    put({**event, "source": "com.example"})

    assert received(outputs["EventQueueUrl"]) == []


# --- The road of events ---


def test_a_message_is_hidden_for_six_times_as_long_as_the_function_may_run() -> None:
    stages = json.loads((ROOT / "zappa_settings.json").read_text()).values()
    longest = max(stage.get("timeout_seconds", 0) for stage in stages)

    assert core_of("AWS::SQS::Queue", "Events")["VisibilityTimeout"] >= 6 * longest > 0


def test_a_message_that_fails_five_times_stays_in_the_dead_letter_queue_for_two_weeks() -> None:
    queues = of_type(resolved("core"), "AWS::SQS::Queue")
    arn = f"arn:aws:sqs:{REGION}:111122223333:ivsvod-production"

    assert queues["Events"]["RedrivePolicy"] == {"deadLetterTargetArn": f"{arn}-dead-letters", "maxReceiveCount": 5}
    assert queues["DeadLetters"]["RedriveAllowPolicy"]["sourceQueueArns"] == [f"{arn}-events"]
    assert {queue["MessageRetentionPeriod"] for queue in queues.values()} == {14 * 24 * 3600}
    assert all(queue["SqsManagedSseEnabled"] for queue in queues.values())


def test_an_event_that_eventbridge_cannot_deliver_goes_to_the_dead_letter_queue() -> None:
    (target,) = core_of("AWS::Events::Rule", "IvsEvents")["Targets"]

    assert target["Arn"].endswith("-events")
    assert target["DeadLetterConfig"]["Arn"].endswith("-dead-letters")


@pytest.mark.parametrize("queue", ["Events", "DeadLetters"])
def test_only_the_rule_may_send_to_a_queue_and_only_by_tls(queue: str) -> None:
    policy = core_of("AWS::SQS::QueuePolicy", f"{queue}Policy")
    allow, deny = policy["PolicyDocument"]["Statement"]

    assert policy["Queues"] == [f"{queue}.Ref"]
    assert allow["Principal"] == {"Service": "events.amazonaws.com"}
    assert allow["Action"] == "sqs:SendMessage"
    assert allow["Condition"] == {"ArnEquals": {"aws:SourceArn": f"arn:aws:events:{REGION}:111122223333:IvsEvents"}}
    assert is_tls_only(deny, "sqs")
    assert deny["Resource"] == allow["Resource"]


def is_tls_only(statement: dict[str, Any], service: str) -> bool:
    granted = {key: statement[key] for key in ("Effect", "Principal", "Action", "Condition")}
    return granted == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": f"{service}:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


# --- Buckets ---


@pytest.mark.parametrize("bucket", ["Recordings", "Static", "Deploy"])
def test_a_bucket_is_private_and_encrypted_and_drops_unfinished_uploads(bucket: str) -> None:
    properties = core_of("AWS::S3::Bucket", bucket)
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    aborts = [
        rule for rule in properties["LifecycleConfiguration"]["Rules"] if "AbortIncompleteMultipartUpload" in rule
    ]

    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert [rule["Status"] for rule in aborts] == ["Enabled"]


@pytest.mark.parametrize(
    ("name", "parameters", "policies"),
    [
        ("core", {"EdgeStack": "no"}, {"RecordingsPolicy", "StaticPolicy", "DeployPolicy"}),
        ("core", {"EdgeStack": "no", "ExistingRecordingBucket": "old"}, {"StaticPolicy", "DeployPolicy"}),
        ("core", {}, {"DeployPolicy"}),
        ("edge", {}, {"RecordingsPolicy", "StaticPolicy"}),
        ("edge", {"RecordingBucketPolicy": "leave"}, {"StaticPolicy"}),
    ],
)
def test_each_bucket_has_one_policy_and_takes_tls_alone(
    name: str, parameters: dict[str, str], policies: set[str]
) -> None:
    made = of_type(resolved(name, **parameters), "AWS::S3::BucketPolicy")

    assert set(made) == policies
    for policy in made.values():
        deny = policy["PolicyDocument"]["Statement"][0]
        assert is_tls_only(deny, "s3")
        assert sorted(deny["Resource"]) == [deny["Resource"][0], f"{deny['Resource'][0]}/*"]


def test_recordings_outlive_the_stack_and_deletion_can_be_undone() -> None:
    bucket = template("core")["Resources"]["Recordings"]

    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}


def lifecycle(**parameters: str) -> dict[str, Any]:
    rules = core_of("AWS::S3::Bucket", "Recordings", **parameters)["LifecycleConfiguration"]["Rules"]
    return {rule["Id"]: rule for rule in rules}


def test_recordings_are_neither_moved_nor_deleted_by_default() -> None:
    assert set(lifecycle()) == {"unfinished-uploads", "earlier-versions"}


def test_recordings_are_moved_and_deleted_if_configured() -> None:
    rules = lifecycle(ArchiveAfterDays="90", ExpireAfterDays="400")

    assert rules["archive"]["Transitions"] == [{"StorageClass": "GLACIER_IR", "TransitionInDays": "90"}]
    assert rules["expire"]["ExpirationInDays"] == "400"
    assert rules["archive"]["Prefix"] == rules["expire"]["Prefix"] == "ivs/"


# --- Secrets ---


def test_secrets_are_generated_with_the_length_that_their_readers_need() -> None:
    secrets = of_type(resolved("core"), "AWS::SecretsManager::Secret")
    lengths = {name: secret["GenerateSecretString"]["PasswordLength"] for name, secret in secrets.items()}

    assert lengths == {"DjangoSecretKey": 64, "FieldKeys": 43, "FromCloudFront": 43, "FirstPassword": 20}
    # 43 letters and digits are a Fernet key without its padding.
    assert all(secret["GenerateSecretString"]["ExcludePunctuation"] for secret in secrets.values())


def test_the_key_of_the_stream_keys_outlives_the_stack() -> None:
    assert template("core")["Resources"]["FieldKeys"]["DeletionPolicy"] == "Retain"


@pytest.mark.parametrize("engine", ["postgres", "aurora"])
def test_the_password_of_the_database_is_passed_by_reference(engine: str) -> None:
    password = resolved("database", Engine=engine)["Outputs"]["PgPassword"]["Value"]

    assert re.fullmatch(r"(Instance|Cluster)\.MasterUserSecret\.SecretArn#password", password)


# --- The database ---


@pytest.mark.parametrize(
    ("engine", "kind", "name"),
    [("postgres", "AWS::RDS::DBInstance", "Instance"), ("aurora", "AWS::RDS::DBCluster", "Cluster")],
)
def test_the_database_is_encrypted_backed_up_and_hard_to_lose(engine: str, kind: str, name: str) -> None:
    item = resolved("database", Engine=engine)["Resources"][name]
    properties = item["Properties"]

    assert item["Type"] == kind
    assert item["DeletionPolicy"] == item["UpdateReplacePolicy"] == "Snapshot"
    assert properties["StorageEncrypted"] is properties["ManageMasterUserPassword"] is True
    assert (properties["BackupRetentionPeriod"], properties["DeletionProtection"]) == ("7", "true")
    assert "postgresql" in properties["EnableCloudwatchLogsExports"]
    assert properties["EngineVersion"].startswith("17.")


@pytest.mark.parametrize(
    ("engine", "kind"),
    [("postgres", "AWS::RDS::DBParameterGroup"), ("aurora", "AWS::RDS::DBClusterParameterGroup")],
)
def test_the_database_refuses_connections_without_tls(engine: str, kind: str) -> None:
    (group,) = of_type(resolved("database", Engine=engine), kind).values()

    assert group["Parameters"] == {"rds.force_ssl": "1"}


@pytest.mark.parametrize("engine", ["postgres", "aurora"])
def test_no_database_has_an_address_of_the_internet(engine: str) -> None:
    instances = of_type(resolved("database", Engine=engine), "AWS::RDS::DBInstance")

    assert {instance["PubliclyAccessible"] for instance in instances.values()} == {False}


# --- The network ---


@pytest.mark.parametrize(
    ("egress", "routes"),
    [("nat", {"PublicRouteOut", "FunctionRouteOut"}), ("dual-stack", {"FunctionRouteOutIpv6"}), ("split", set())],
)
def test_each_egress_has_its_way_out_and_no_other(egress: str, routes: set[str]) -> None:
    document = resolved("network", Egress=egress)
    out = of_type(document, "AWS::EC2::Route")

    assert set(out) == routes
    assert not [route for route in out.values() if route["RouteTableId"] == "DatabaseRoutes.Ref"]
    assert "S3Endpoint" in document["Resources"]


def test_in_a_split_network_secrets_queues_and_the_forwarder_are_reached_by_endpoints() -> None:
    endpoints = of_type(resolved("network", Egress="split"), "AWS::EC2::VPCEndpoint")

    services = {item["ServiceName"].rpartition(".")[2] for item in endpoints.values()}
    assert services == {"s3", "secretsmanager", "sqs", "lambda"}


@pytest.mark.parametrize("egress", ["nat", "dual-stack", "split"])
def test_the_database_accepts_only_the_function_and_the_function_accepts_no_connection(egress: str) -> None:
    groups = of_type(resolved("network", Egress=egress), "AWS::EC2::SecurityGroup")
    (ingress,) = groups["DatabaseSecurityGroup"]["SecurityGroupIngress"]

    assert ingress["SourceSecurityGroupId"] == "FunctionSecurityGroup.GroupId"
    assert (ingress["FromPort"], ingress["ToPort"]) == (5432, 5432)
    assert "SecurityGroupIngress" not in groups["FunctionSecurityGroup"]


# --- Alarms ---


def alarms() -> dict[str, Any]:
    return of_type(resolved("core"), "AWS::CloudWatch::Alarm")


def test_every_alarm_watches_a_metric_that_is_published() -> None:
    assert [name for name, alarm in alarms().items() if alarm["MetricName"] not in METRICS[alarm["Namespace"]]] == []


def test_access_logs_go_to_the_bucket_that_is_named_each_to_its_own_place() -> None:
    buckets = of_type(resolved("core"), "AWS::S3::Bucket").values()
    assert not [bucket for bucket in buckets if "LoggingConfiguration" in bucket]

    logging = [
        bucket["LoggingConfiguration"]
        for bucket in of_type(resolved("core", AccessLogBucket="our-logs"), "AWS::S3::Bucket").values()
    ]
    assert {each["DestinationBucketName"] for each in logging} == {"our-logs"}
    places = {f"ivsvod-production/{name}/" for name in ("recordings", "static", "deploy")}
    assert {each["LogFilePrefix"] for each in logging} == places


@pytest.mark.parametrize("engine", ["postgres", "aurora"])
def test_the_database_takes_sign_ins_by_iam(engine: str) -> None:
    kind = {"postgres": "AWS::RDS::DBInstance", "aurora": "AWS::RDS::DBCluster"}[engine]
    (found,) = of_type(resolved("database", Engine=engine), kind).values()

    assert found["EnableIAMDatabaseAuthentication"] is True


def test_every_exception_of_checkov_has_its_reason_there_and_in_the_guide() -> None:
    texts = [(FOLDER / f"{name}.yaml").read_text() for name in NAMES]
    skipped = [found for text in texts for found in re.findall(r"checkov:skip=(\w*):?(.*)", text)]
    guide = (ROOT / "docs" / "deploy.md").read_text()

    assert skipped
    assert [name for name, reason in skipped if len(reason.split()) < 4] == []
    assert {name for name, _reason in skipped} <= set(re.findall(r"CKV_AWS_\d+", guide))


def test_every_silent_failure_raises_an_alarm() -> None:
    assert {alarm["MetricName"] for alarm in alarms().values()} == ALARMED


def test_every_alarm_notifies_the_topic() -> None:
    topic = resolved("core")["Outputs"]["AlarmTopicArn"]["Value"]

    assert {tuple(alarm["AlarmActions"]) for alarm in alarms().values()} == {(topic,)}


def test_every_alarm_looks_at_this_project_and_stage_alone() -> None:
    found = of_type(resolved("core", ProjectName="vod"), "AWS::CloudWatch::Alarm").values()
    own = [{"Name": "Project", "Value": "vod"}, {"Name": "Stage", "Value": "production"}]

    assert all(alarm["Dimensions"] == own for alarm in found if alarm["Namespace"] == "ivsvod")
    values = {alarm["Dimensions"][0]["Value"] for alarm in found}
    assert values == {"vod", "vod-production", "Events.QueueName", "DeadLetters.QueueName"}


def test_one_message_in_the_dead_letter_queue_raises_an_alarm() -> None:
    alarm = alarms()["DeadLettersAlarm"]

    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "DeadLetters.QueueName"}]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


@pytest.mark.parametrize(("email", "subscribers"), [("", set()), ("ops@example.com", {"ops@example.com"})])
def test_alarms_are_mailed_to_the_configured_address(email: str, subscribers: set[str]) -> None:
    subscriptions = of_type(resolved("core", AlarmEmail=email), "AWS::SNS::Subscription")

    assert {item["Endpoint"] for item in subscriptions.values()} == subscribers


def test_the_log_of_the_function_ends_some_day() -> None:
    assert core_of("AWS::Logs::LogGroup", "FunctionLog") == {
        "LogGroupName": "/aws/lambda/ivsvod-production",
        "RetentionInDays": "30",
    }
