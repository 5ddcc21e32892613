"""The forwarder: calls to Amazon IVS out of a network that nothing leaves, by its template's own code."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from common import aws as aws_door
from common.aws import AwsError, AwsErrorKind, clients
from tests.support.cloudformation import of_type, resolved
from tests.support.ports import free_port
from tools.local.aws import LocalAws
from tools.local.serving import MOUNT, served, with_local_aws

ARN = "arn:aws:lambda:eu-west-1:111122223333:function:ivsvod-production-forwarder"
ROLE = "arn:aws:iam::111122223333:role/ivsvod"


class Lambda:
    """Lambda, with the code of the template as the one function."""

    def __init__(self, endpoints: str) -> None:
        [function] = of_type(resolved("forwarder", FunctionRoleArn=ROLE), "AWS::Lambda::Function").values()
        self.space: dict[str, Any] = {}
        self.source = function["Code"]["ZipFile"]
        exec(self.source.replace('os.environ["ENDPOINTS"]', repr(endpoints)), self.space)  # noqa: S102
        self.sent: list[dict[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        assert FunctionName == ARN
        event = json.loads(Payload)
        self.sent.append(event)
        try:
            return {"Payload": io.BytesIO(json.dumps(self.space["handler"](event, None)).encode())}
        except Exception as error:
            result = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(result).encode())}


@contextmanager
def forwarding(settings: Any, monkeypatch: pytest.MonkeyPatch, url: str, lambdas: Any) -> Iterator[None]:
    settings.IVS_FORWARDER = ARN
    monkeypatch.setenv("AWS_ENDPOINT_URL_IVS", url)
    made = clients.client.__wrapped__
    kept: dict[Any, Any] = {}

    def client(service: str, tries: int) -> Any:
        if service == "lambda":
            return lambdas
        return kept.setdefault((service, tries), made(service, tries))

    for module in ("clients", "ivs"):
        monkeypatch.setattr(f"common.aws.{module}.client", client)
    yield


@pytest.fixture
def forwarder(aws: LocalAws, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    port = free_port()
    url = f"http://127.0.0.1:{port}{MOUNT}/ivs"
    lambdas = Lambda(f"{url}/")
    with served(with_local_aws(lambda *_: [], aws), port), forwarding(settings, monkeypatch, url, lambdas):
        yield lambdas


def test_a_channel_is_made_found_changed_and_deleted_by_it(forwarder: Lambda) -> None:
    made = aws_door.channel_create(
        name="Main-stage",
        tags={"a": "b"},
        channel_type="STANDARD",
        latency_mode="LOW",
        private=False,
        recording_config_arn="",
    )
    assert made.key is not None
    assert aws_door.channel_get(arn=made.arn).arn == made.arn
    aws_door.channel_delete(arn=made.arn)

    operations = [event["url"].rpartition("/")[2] for event in forwarder.sent]
    assert operations == ["CreateChannel", "GetChannel", "DeleteChannel"]
    assert all("Authorization" in event["headers"] for event in forwarder.sent), "it is signed before"


def test_a_refusal_of_ivs_is_the_same_with_and_without_the_forwarder(forwarder: Lambda) -> None:
    with pytest.raises(AwsError) as refusal:
        aws_door.channel_get(arn="arn:aws:ivs:eu-west-1:111122223333:channel/gone")
    assert refusal.value.kind is AwsErrorKind.NOT_FOUND


def test_a_forwarder_that_cannot_reach_ivs_is_an_outage_that_quotes_nothing(
    aws: LocalAws, settings: Any, monkeypatch: pytest.MonkeyPatch, one_try: None
) -> None:
    url = f"http://127.0.0.1:{free_port()}/ivs"
    lambdas = Lambda(f"{url}/")
    with forwarding(settings, monkeypatch, url, lambdas), pytest.raises(AwsError) as outage:
        aws_door.channel_get(arn="arn:aws:ivs:eu-west-1:111122223333:channel/x")
    assert outage.value.kind is AwsErrorKind.UNAVAILABLE
    assert "Signature" not in str(outage.value)


def test_a_refused_invocation_of_the_forwarder_is_an_error_with_that_reason(
    aws: LocalAws, settings: Any, monkeypatch: pytest.MonkeyPatch, one_try: None
) -> None:
    class Shut:
        def invoke(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "Invoke")

    with (
        forwarding(settings, monkeypatch, "http://127.0.0.1:9/ivs", Shut()),
        pytest.raises(AwsError) as refusal,
    ):
        aws_door.channel_get(arn="arn:aws:ivs:eu-west-1:111122223333:channel/x")
    assert refusal.value.kind is AwsErrorKind.DENIED


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/",
        "https://ivs.eu-west-1.amazonaws.com.evil.example.com/",
        "http://169.254.169.254/latest/",
        "file:///etc/passwd",
        "https://ivs.eu-west-1.amazonaws.com@evil.example.com/",
        "https://ivs.us-east-1.amazonaws.com/CreateChannel",
    ],
)
def test_it_sends_nothing_to_anybody_else(url: str) -> None:
    [function] = of_type(resolved("forwarder", FunctionRoleArn=ROLE), "AWS::Lambda::Function").values()
    lambdas = Lambda(function["Environment"]["Variables"]["ENDPOINTS"])
    with pytest.raises(Exception, match="not the API of Amazon IVS"):
        lambdas.space["handler"]({"url": url, "method": "GET", "headers": {}, "body": ""}, None)


def test_it_has_no_right_but_to_write_its_log_and_only_the_service_may_call_it() -> None:
    document = resolved("forwarder", FunctionRoleArn=ROLE)
    [role] = of_type(document, "AWS::IAM::Role").values()
    [statement] = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert {action.partition(":")[0] for action in statement["Action"]} == {"logs"}
    [permission] = of_type(document, "AWS::Lambda::Permission").values()
    assert (permission["Action"], permission["Principal"]) == ("lambda:InvokeFunction", ROLE)


def test_its_code_is_short_enough_for_a_template_and_it_ends_before_the_service_gives_up() -> None:
    [function] = of_type(resolved("forwarder", FunctionRoleArn=ROLE), "AWS::Lambda::Function").values()
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-lambda-function-code.html
    assert len(function["Code"]["ZipFile"]) < 4096
    assert function["Timeout"] < clients.config_of(1).read_timeout
