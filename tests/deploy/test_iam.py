"""The function's role allows each call that the code can make, and nothing that it never does.

The calls are read from the source: `client(SERVICE, …).METHOD(…)` in `common/aws/`. A call that is added without
a permission fails here, as does a permission that nobody needs.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import xform_name
from django.conf import settings
from django.core.files.base import ContentFile
from moto import mock_aws

from common.aws.storage import BucketStorage
from tests.support.cloudformation import ACCOUNT, REGION, leave_local_aws, resolved

AWS = Path(settings.BASE_DIR) / "common" / "aws"
IVS = f"arn:aws:ivs:{REGION}:{ACCOUNT}"
CHANNEL, KEY = f"{IVS}:channel/AjIhKtJ0RlgL", f"{IVS}:stream-key/g1H2I3j4k5L6"
PLAYBACK_KEY = f"{IVS}:playback-key/KDJRJNQhiQzA"
BUCKET = "arn:aws:s3:::recordings"
RECORDING = f"{BUCKET}/ivs/v1/{ACCOUNT}/AjIhKtJ0RlgL/2026/3/4/9/5/KOmxgJTeKdNn/events/recording-ended.json"
LIVE = f"{BUCKET}/live/8d0c0b3e-5f0a-4d5e-9a53-1c2f5f1c7a10.json"
PICTURE = f"{BUCKET}/thumbnails/{'a' * 64}.jpg"
SMALL_PICTURE = f"{BUCKET}/small/{'a' * 64}-320.webp"
MANIFEST = "arn:aws:s3:::static/staticfiles.json"
DEAD_LETTERS = f"arn:aws:sqs:{REGION}:{ACCOUNT}:ivsvod-production-dead-letters"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:ivsvod-production-events"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ivsvod-production"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret"
DATABASE_SECRET = f"{SECRET}:rds!db-8d0c0b3e-a1b2c3"
SIGNING_SECRET = f"{SECRET}:cloudfront-d4e5f6"
OWN_SECRETS = [
    f"{SECRET}:{name}-a1b2c3" for name in ("DjangoSecretKey", "FieldKeys", "FromCloudFront", "FirstPassword")
]
PARAMETERS = {"DatabaseSecretArn": DATABASE_SECRET, "FurtherSecretArns": SIGNING_SECRET}

# Operations whose permission has another name, or that need a second one.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
ACTIONS = {
    "s3:HeadObject": ["s3:GetObject"],
    "s3:ListObjectsV2": ["s3:ListBucket"],
    "s3:CreateMultipartUpload": ["s3:PutObject"],
    "s3:UploadPart": ["s3:PutObject"],
    "s3:CompleteMultipartUpload": ["s3:PutObject"],
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    "sqs:ChangeMessageVisibilityBatch": ["sqs:ChangeMessageVisibility"],
    "sqs:DeleteMessageBatch": ["sqs:DeleteMessage"],
    "lambda:Invoke": ["lambda:InvokeFunction"],
    # With tags.
    "ivs:CreateChannel": ["ivs:CreateChannel", "ivs:TagResource"],
    "ivs:CreateStreamKey": ["ivs:CreateStreamKey", "ivs:TagResource"],
}
# What each permission is asked for: all resources that IAM looks at.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoninteractivevideoservice.html
RESOURCES = {
    "s3:GetObject": [RECORDING],
    # Itself, by API Gateway; the forwarder lets the role in by its own policy (test_forwarder.py).
    "lambda:InvokeFunction": [FUNCTION],
    "s3:ListBucket": [BUCKET],
    "s3:PutObject": [LIVE, PICTURE, SMALL_PICTURE],
    "s3:AbortMultipartUpload": [PICTURE],
    "sqs:ReceiveMessage": [DEAD_LETTERS],
    "sqs:DeleteMessage": [DEAD_LETTERS],
    "sqs:ChangeMessageVisibility": [DEAD_LETTERS],
    "secretsmanager:GetSecretValue": [*OWN_SECRETS, DATABASE_SECRET, SIGNING_SECRET],
    "ivs:CreateChannel": [CHANNEL, KEY],
    "ivs:DeleteChannel": [CHANNEL, KEY],
    "ivs:ListStreamKeys": [CHANNEL, KEY],
    "ivs:TagResource": [CHANNEL, KEY],
    "ivs:CreateStreamKey": [KEY],
    "ivs:DeleteStreamKey": [KEY],
    "ivs:GetStreamKey": [KEY],
    "ivs:DeletePlaybackKeyPair": [PLAYBACK_KEY],
    "ivs:ImportPlaybackKeyPair": [PLAYBACK_KEY],
    "ivs:ListPlaybackKeyPairs": [PLAYBACK_KEY],
}
# What django-storages calls behind its back, of what the service uses of it.
STORAGE = {
    # BucketStorage.save: upload_fileobj, in parts from 8 MB on; what fails half-way is given up. Names are not looked
    # up first, as files with the same name are the same.
    *("s3:PutObject", "s3:CreateMultipartUpload", "s3:UploadPart", "s3:CompleteMultipartUpload"),
    "s3:AbortMultipartUpload",
    # Static files are sent with the permissions of the account that deploys, and their manifest is in the package.
}
# Not asked for by a call in the source, and why they are allowed all the same.
OTHERS = {
    "logs:CreateLogStream": "Lambda writes what the function prints",
    "logs:PutLogEvents": "Lambda writes what the function prints",
    "sqs:GetQueueAttributes": "Lambda polls the queue by the function's role",
    "sqs:ReceiveMessage": "Lambda polls the queue by the function's role",
    "sqs:DeleteMessage": "Lambda polls the queue by the function's role",
    "lambda:InvokeFunction": "API Gateway calls the function by this role, as Zappa sets it up",
    "secretsmanager:GetSecretValue": "settings resolve variables that name a secret",
    "ec2:AssignPrivateIpAddresses": "Lambda joins the function to the VPC",
    "ec2:CreateNetworkInterface": "Lambda joins the function to the VPC",
    "ec2:DeleteNetworkInterface": "Lambda joins the function to the VPC",
    "ec2:DescribeNetworkInterfaces": "Lambda joins the function to the VPC",
    "ec2:DescribeSubnets": "Lambda joins the function to the VPC",
    "ec2:UnassignPrivateIpAddresses": "Lambda joins the function to the VPC",
}


# --- The calls that the code can make ---


def calls(source: str) -> Iterator[tuple[str, str]]:
    """Service and method of each call of a client in a module."""
    tree = ast.parse(source)
    held = dict(_held(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            service = _service(node.func.value, held)
            if service and node.func.attr == "get_paginator":
                yield service, ast.literal_eval(node.args[0])
            elif service:
                yield service, node.func.attr


def _held(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Names that a client is given to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and (service := _service(node.value, {})):
            yield from ((target.id, service) for target in node.targets if isinstance(target, ast.Name))


def _service(node: ast.AST, held: dict[str, str]) -> str:
    """Of the client that an expression is; empty where it is none."""
    if isinstance(node, ast.Name):
        return held.get(node.id, "")
    if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
        return ""
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    return str(node.args[0].value) if name == "client" else ""


@cache
def methods(service: str) -> dict[str, str]:
    """The operations of a service by the names of their methods."""
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


@cache
def operations() -> frozenset[str]:
    """SERVICE:Operation of each call in the package, and of those by the storage."""
    found = {call for path in sorted(AWS.glob("**/*.py")) for call in calls(path.read_text())}
    return frozenset({f"{service}:{methods(service)[method]}" for service, method in found} | STORAGE)


def actions(operation: str) -> list[str]:
    return ACTIONS.get(operation, [operation])


def resources(action: str) -> list[str]:
    default = [CHANNEL] if action.startswith("ivs:") else []
    return RESOURCES.get(action, default)


# --- What the role says ---


def role_statements(**parameters: str) -> list[dict[str, Any]]:
    role = resolved("core", **PARAMETERS, **parameters)["Resources"]["FunctionRole"]["Properties"]
    return [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


def policy_statements(name: str, **parameters: str) -> list[dict[str, Any]]:
    return resolved("core", **parameters)["Resources"][name]["Properties"]["PolicyDocument"]["Statement"]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def matches(pattern: str, value: str) -> bool:
    """As IAM compares: * is any text and ? any character, slashes included."""
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(each, re.escape(each)) for each in pattern), value) is not None


def applies(statement: dict[str, Any], action: str, resource: str, context: dict[str, str]) -> bool:
    return (
        any(matches(pattern.lower(), action.lower()) for pattern in listed(statement["Action"]))
        and any(matches(pattern, resource) for pattern in listed(statement["Resource"]))
        and all(_holds(test, context) for test in statement.get("Condition", {}).items())
    )


def _holds(test: tuple[str, dict[str, Any]], context: dict[str, str]) -> bool:
    operator, wanted = test
    assert operator in {"StringEquals", "ArnEquals", "ArnLike"}
    return all(
        key in context and any(matches(pattern, context[key]) for pattern in listed(patterns))
        for key, patterns in wanted.items()
    )


def allows(statements: list[dict[str, Any]], action: str, resource: str, **context: str) -> bool:
    """Whether one statement allows it and none denies it; `aws_RequestedRegion` stands for `aws:RequestedRegion`."""
    known = {key.replace("_", ":"): value for key, value in context.items()}
    effects = {item["Effect"] for item in statements if applies(item, action, resource, known)}
    return effects == {"Allow"}


def allowed_actions(statements: list[dict[str, Any]]) -> set[str]:
    return {action for item in statements if item["Effect"] == "Allow" for action in listed(item["Action"])}


# --- The tests ---


def test_calls_are_found_however_a_client_is_held() -> None:
    source = """
def one(): return client("ivs", RETRIED).get_channel(arn="a")
def two():
    asked = boto3.session.Session().client("s3", region_name="r")
    return asked.get_object(Bucket="b", Key="k"), asked.get_paginator("list_objects_v2").paginate()
"""

    assert set(calls(source)) == {("ivs", "get_channel"), ("s3", "get_object"), ("s3", "list_objects_v2")}


def test_every_module_that_makes_a_client_has_calls_that_are_found() -> None:
    makers = [path for path in AWS.glob("**/*.py") if re.search(r"\bclient\(\"", path.read_text())]

    assert makers
    assert [path.name for path in makers if not list(calls(path.read_text()))] == []


def test_no_client_is_handed_on_to_where_its_calls_are_not_seen() -> None:
    for path in AWS.glob("**/*.py"):
        tree = ast.parse(path.read_text())
        made = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _service(node, {})]
        used = [node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Assign)]
        assert [node.lineno for node in made if node not in used] == [], path.name


def test_every_method_that_is_called_is_an_operation_of_its_service() -> None:
    assert {"ivs:CreateChannel", "s3:HeadObject", "sqs:ReceiveMessage"} <= operations()


def test_the_role_allows_each_call_that_the_code_can_make() -> None:
    statements = role_statements()
    needed = [
        (action, arn)
        for operation in sorted(operations())
        for action in actions(operation)
        for arn in resources(action) or [""]
    ]

    assert [each for each in needed if not allows(statements, *each)] == []


def test_the_role_allows_no_unused_action() -> None:
    needed_actions = {action for operation in operations() for action in actions(operation)}

    assert allowed_actions(role_statements()) - needed_actions == set(OTHERS) - needed_actions


def test_every_statement_of_the_role_is_for_a_used_resource() -> None:
    needed_actions = {action for operation in operations() for action in actions(operation)}
    statements = [item for item in role_statements() if item["Effect"] == "Allow"]
    unused = [
        (item["Sid"], action)
        for item in statements
        for action in listed(item["Action"])
        if action in needed_actions and not any(applies(item, action, arn, {}) for arn in resources(action))
    ]

    # By these Lambda polls the queue.
    assert unused == [("PollEvents", "sqs:DeleteMessage"), ("PollEvents", "sqs:ReceiveMessage")]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:DeleteObject", RECORDING),
        ("s3:PutObject", RECORDING),
        ("s3:PutObject", MANIFEST),
        ("s3:GetObject", "arn:aws:s3:::static/admin/css/base.css"),
        ("s3:GetObject", "arn:aws:s3:::somebody-elses/ivs/v1/1.ts"),
        ("s3:PutBucketPolicy", BUCKET),
        ("sqs:SendMessage", QUEUE),
        ("sqs:ReceiveMessage", f"{QUEUE}-of-others"),
        ("ivs:GetChannel", CHANNEL.replace(ACCOUNT, "444455556666")),
        ("ivs:DeletePlaybackKeyPair", PLAYBACK_KEY.replace(ACCOUNT, "444455556666")),
        ("ivs:DeletePlaybackRestrictionPolicy", f"{IVS}:playback-restriction-policy/abc"),
        ("ivs:DeleteRecordingConfiguration", f"{IVS}:recording-configuration/abc"),
        ("secretsmanager:GetSecretValue", f"{SECRET}:somebody-elses-a1b2c3"),
        ("secretsmanager:PutSecretValue", OWN_SECRETS[0]),
        ("lambda:UpdateFunctionCode", FUNCTION),
        ("lambda:InvokeFunction", f"{FUNCTION}-of-others"),
        ("logs:CreateLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/ivsvod-production"),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/FunctionRole"),
    ],
)
def test_the_role_does_not_allow_the_actions_of_an_intruder(action: str, resource: str) -> None:
    assert not allows(role_statements(), action, resource, aws_RequestedRegion=REGION)


@pytest.mark.parametrize("bucket", ["", "recordings-of-old"])
def test_the_role_reads_and_writes_the_bucket_that_is_used(bucket: str) -> None:
    statements = role_statements(ExistingRecordingBucket=bucket)
    used = RECORDING.replace("recordings", bucket or "recordings", 1)

    assert allows(statements, "s3:GetObject", used)
    assert allows(statements, "s3:ListBucket", used.partition("/")[0])
    assert not allows(statements, "s3:GetObject", used.replace(":::", ":::not-"))


def test_the_role_writes_the_live_state_file_of_the_predecessor_where_it_is_used() -> None:
    assert allows(role_statements(LiveStateLegacyKey="live.json"), "s3:PutObject", f"{BUCKET}/live.json")
    assert not allows(role_statements(), "s3:PutObject", f"{BUCKET}/live.json")


def test_the_role_reads_further_buckets_and_writes_none_of_them() -> None:
    statements = role_statements(FurtherRecordingBucketArns="arn:aws:s3:::first,arn:aws:s3:::second")

    for bucket in ("arn:aws:s3:::first", "arn:aws:s3:::second"):
        assert allows(statements, "s3:GetObject", f"{bucket}/ivs/v1/1.ts")
        assert allows(statements, "s3:ListBucket", bucket)
        assert not allows(statements, "s3:PutObject", f"{bucket}/live/1.json")


@pytest.mark.parametrize("secret", [*OWN_SECRETS, DATABASE_SECRET, SIGNING_SECRET])
def test_the_role_reads_each_secret_that_a_variable_names(secret: str) -> None:
    assert allows(role_statements(), "secretsmanager:GetSecretValue", secret)


def test_lambda_polls_the_queue_and_writes_the_log_by_the_role() -> None:
    statements = role_statements()
    stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/ivsvod-production:log-stream:2026/11/26/[1]a"

    assert all(
        allows(statements, f"sqs:{name}", QUEUE) for name in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    )
    assert all(allows(statements, f"logs:{name}", stream) for name in ("CreateLogStream", "PutLogEvents"))


def test_lambda_joins_the_function_to_a_vpc_and_the_code_cannot() -> None:
    statements, interface = role_statements(), f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/eni-1"

    assert allows(statements, "ec2:CreateNetworkInterface", interface)
    assert allows(statements, "ec2:DeleteNetworkInterface", f"arn:aws:ec2:{REGION}:{ACCOUNT}:*/*")
    assert allows(statements, "ec2:DescribeNetworkInterfaces", "*", aws_RequestedRegion=REGION)
    assert not allows(statements, "ec2:CreateNetworkInterface", interface, lambda_SourceFunctionArn=FUNCTION)


def test_a_function_without_a_vpc_has_no_permission_of_ec2() -> None:
    assert not [action for action in allowed_actions(role_statements(InVpc="false")) if action.startswith("ec2:")]


def test_only_services_that_call_the_function_take_its_role() -> None:
    role = resolved("core")["Resources"]["FunctionRole"]["Properties"]
    by_lambda, by_others = role["AssumeRolePolicyDocument"]["Statement"]

    assert by_lambda["Principal"]["Service"] == "lambda.amazonaws.com"
    assert set(by_others["Principal"]["Service"]) == {"apigateway.amazonaws.com", "events.amazonaws.com"}


def test_services_that_act_for_many_accounts_take_the_role_for_this_one_alone() -> None:
    role = resolved("core")["Resources"]["FunctionRole"]["Properties"]
    _by_lambda, by_others = role["AssumeRolePolicyDocument"]["Statement"]

    assert by_others["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}


def test_who_deploys_gives_that_role_alone_and_to_those_services_alone() -> None:
    statements, role = policy_statements("Deployer"), f"arn:aws:iam::{ACCOUNT}:role/FunctionRole"

    assert allows(statements, "iam:PassRole", role, iam_PassedToService="lambda.amazonaws.com")
    assert not allows(statements, "iam:PassRole", role, iam_PassedToService="ec2.amazonaws.com")
    assert not allows(statements, "iam:PassRole", f"{role}Other", iam_PassedToService="lambda.amazonaws.com")


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:CreateFunction", FUNCTION),
        ("lambda:UpdateFunctionCode", FUNCTION),
        ("lambda:InvokeFunction", FUNCTION),
        ("s3:PutObject", "arn:aws:s3:::deploy/ivsvod-production-1.zip"),
        ("s3:DeleteObject", "arn:aws:s3:::static/staticfiles.json"),
        ("events:PutRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/ivsvod-production-reconcile"),
        (
            "logs:FilterLogEvents",
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/ivsvod-production:log-stream:",
        ),
        ("cloudformation:UpdateStack", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/ivsvod-production/1"),
        ("cloudformation:DescribeStacks", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/ivsvod-production-core/1"),
        ("apigateway:PATCH", f"arn:aws:apigateway:{REGION}::/restapis/abc/stages/production"),
    ],
)
def test_the_deployer_has_the_permissions_that_zappa_needs(action: str, resource: str) -> None:
    assert allows(policy_statements("Deployer"), action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:UpdateFunctionCode", f"{FUNCTION}-of-others"),
        ("s3:GetObject", RECORDING),
        ("secretsmanager:GetSecretValue", OWN_SECRETS[0]),
        ("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/FunctionRole"),
        ("cloudformation:UpdateStack", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/ivsvod-production-core/1"),
        ("sqs:PurgeQueue", QUEUE),
    ],
)
def test_the_deployer_changes_neither_the_stacks_nor_their_resources(action: str, resource: str) -> None:
    assert not allows(policy_statements("Deployer"), action, resource, aws_RequestedRegion=REGION)


def test_curators_read_recordings_and_can_do_nothing_else() -> None:
    statements = policy_statements("Curators")

    assert allows(statements, "s3:GetObject", RECORDING)
    assert allows(statements, "s3:ListBucket", BUCKET)
    assert allowed_actions(statements) == {"s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"}


# --- What the storage really calls ---


def asked(client: Any) -> list[str]:
    """The operations that a client calls from now on, as they are called."""
    names: list[str] = []
    client.meta.events.register("before-call.s3", lambda model, **_: names.append(f"s3:{model.name}"))
    return names


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    leave_local_aws(monkeypatch)
    with mock_aws():
        boto3.session.Session().client("s3", region_name="us-east-1").create_bucket(Bucket="files")
        yield "files"


@pytest.mark.parametrize("size", [10, 9 * 1024 * 1024])
def test_saving_a_picture_makes_only_calls_that_are_listed(bucket: str, size: int) -> None:
    storage = BucketStorage(bucket_name=bucket, location="thumbnails", region_name="us-east-1", default_acl=None)
    names = asked(storage.connection.meta.client)

    storage.save("a.jpg", ContentFile(b"0" * size))

    assert names
    assert set(names) <= STORAGE
