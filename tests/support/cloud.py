"""AWS on a port of the loopback address: moto, with functions that run, and mappings that behave as those of Lambda do.

Of itself moto echoes what a function is invoked with, takes a failed message for processed, lets a mapping be changed
while it is being changed, and answers one call of Zappa's with 404.
"""

import base64
import io
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.apigateway.models import RestAPI, apigateway_backends
from moto.awslambda import urls
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import EventSourceMapping
from moto.awslambda.utils import get_backend
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.events.models import Rule
from moto.server import ThreadedMotoServer
from moto.sqs.models import sqs_backends

from tests.support.packaged import Function, FunctionError, unzipped, with_that_of_lambda

REGION = "eu-west-1"
REPORT = "ReportBatchItemFailures"
# Seconds in which a mapping is being made or changed; on AWS up to a minute.
CHANGING = 0.8
# https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionUrlConfigs.html
_FUNCTION_URLS = r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/urls/?$"


@dataclass
class Cloud:
    """Where it is, and what its functions run with."""

    folder: Path
    runtime: Path
    # What a function has beside its own environment.
    aws_environment: dict[str, str]
    url: str = ""
    running: dict[str, tuple[Any, Function]] = field(default_factory=dict)
    # The queues whose mapping was made so that messages that fail in that moment are lost.
    made_open: list[str] = field(default_factory=list)
    clients: dict[str, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def environment(self) -> dict[str, str]:
        """Of a program that asks this AWS and no other, and no registry of packages either."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
        }

    def client(self, service: str) -> Any:
        """One for all, for making one takes long."""
        if service not in self.clients:
            self.clients[service] = boto3.session.Session().client(
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
            )
        return self.clients[service]

    def invoke(self, made: Any, event: Any) -> tuple[Any, str]:
        """What the code of a function answers, and what it wrote; raises FunctionError where it failed."""
        with self.lock:
            process = self._process(made)
            before = len(process.logged())
            answer = process.invoke(event)
            return answer, process.logged()[before:]

    def _process(self, made: Any) -> Function:
        """A process of the code and the environment as they are now."""
        state = (made.code_sha_256, made.handler, dict(made.environment_vars))
        known, process = self.running.get(made.function_name, (None, None))
        if known == state:
            return process
        if process is not None:
            process.end()
        code = self.folder / f"code-{made.code_sha_256.encode().hex()[:16]}"
        task = code / "task" if code.exists() else unzipped(code, io.BytesIO(made.code_bytes))
        own = with_that_of_lambda(made.environment_vars, made.function_name, made.handler, self.aws_environment)
        process = Function(task, self.runtime, own)
        self.running[made.function_name] = (state, process)
        return process

    def end(self) -> None:
        for _, process in self.running.values():
            process.end()
        self.running.clear()


@contextmanager
def served(cloud: Cloud) -> Iterator[None]:
    """An AWS of its own for the length of the block; moto is as it was after it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(default_user_config, "lambda", {"use_docker": False})
        _patch_invocations(patch, cloud)
        _patch_mappings(patch, cloud)
        _patch_rules(patch)
        _patch_apis(patch)
        patch.setitem(urls.url_paths, _FUNCTION_URLS, _function_urls)
        BackendDict.reset()
        server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        cloud.url = f"http://{host}:{port}"
        # Of what a function asks, IVS alone is elsewhere.
        cloud.aws_environment = {"AWS_ENDPOINT_URL": cloud.url, **cloud.aws_environment}
        try:
            yield
        finally:
            server.stop()
            server._server.server_close()
            cloud.end()
            BackendDict.reset()


def _patch_invocations(patch: pytest.MonkeyPatch, cloud: Cloud) -> None:
    def invoke(
        self: Any, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any
    ) -> bytes:
        """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
        try:
            answer, log = cloud.invoke(self.get_function(function_name, qualifier), json.loads(body or "{}"))
        except FunctionError as error:
            kind, _, message = str(error).partition(": ")
            answer, log = {"errorType": kind, "errorMessage": message}, str(error)
            response_headers["x-amz-function-error"] = "Unhandled"
        response_headers["x-amz-log-result"] = base64.b64encode(log[-4096:].encode()).decode()
        return json.dumps(answer).encode()

    def send_sqs_batch(self: Any, function_arn: str, messages: list[Any], queue_arn: str) -> bool:
        """One invocation for a batch; what is not reported as failed is deleted.

        moto puts what is left in `messages` back into the queue where this is False.
        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
        """
        known = self._event_source_mappings.values()
        mappings = [item for item in known if (item.function_arn, item.event_source_arn) == (function_arn, queue_arn)]
        if not messages or not mappings:
            # moto's queue remembers a mapping that is deleted.
            return False
        batch = {"Records": [_record(message, queue_arn) for message in messages]}
        try:
            answer, _ = cloud.invoke(self.get_function(function_arn), batch)
        except FunctionError:
            return False
        reports = REPORT in (mappings[0].function_response_types or [])
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]} if reports else set()
        for message in messages:
            if message.id not in failed:
                queue = queue_arn.rpartition(":")[2]
                sqs_backends[self.account_id][self.region_name].delete_message(queue, message.receipt_handle)
        messages[:] = [message for message in messages if message.id in failed]
        return not messages

    patch.setattr(LambdaSimpleBackend, "invoke", invoke)
    patch.setattr(LambdaSimpleBackend, "send_sqs_batch", send_sqs_batch)


def _record(message: Any, queue_arn: str) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": str(message.approximate_receive_count)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    }


def _patch_mappings(patch: pytest.MonkeyPatch, cloud: Cloud) -> None:
    """A mapping that is made or changed cannot be changed for a while.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html (ResourceInUseException)
    """
    make, change = LambdaSimpleBackend.create_event_source_mapping, LambdaSimpleBackend.update_event_source_mapping
    describe: Callable[[Any], dict[str, Any]] = EventSourceMapping.get_configuration

    def create_event_source_mapping(self: Any, spec: dict[str, Any]) -> Any:
        mapping = make(self, spec)
        if mapping.enabled and REPORT not in (mapping.function_response_types or []):
            cloud.made_open.append(mapping.event_source_arn)
        mapping.changing = "Creating", time.monotonic() + CHANGING
        return mapping

    def update_event_source_mapping(self: Any, uuid: str, spec: dict[str, Any]) -> Any:
        mapping = self.get_event_source_mapping(uuid)
        if mapping and time.monotonic() < mapping.changing[1]:
            raise LambdaClientError(
                "ResourceInUseException",
                "Cannot update the event source mapping because it is in use.",
            )
        if mapping:
            mapping.changing = "Updating", time.monotonic() + CHANGING
        return change(self, uuid, spec)

    def get_configuration(self: Any) -> dict[str, Any]:
        state, until = self.changing
        return {**describe(self), **({"State": state} if time.monotonic() < until else {})}

    patch.setattr(LambdaSimpleBackend, "create_event_source_mapping", create_event_source_mapping)
    patch.setattr(LambdaSimpleBackend, "update_event_source_mapping", update_event_source_mapping)
    patch.setattr(EventSourceMapping, "get_configuration", get_configuration)


def _patch_rules(patch: pytest.MonkeyPatch) -> None:
    """A rule with a schedule and no pattern matches no event; moto would send it each."""
    send = Rule.send_to_targets

    def send_to_targets(self: Any, *arguments: Any, **named: Any) -> None:
        if self.event_pattern.dump():
            send(self, *arguments, **named)

    patch.setattr(Rule, "send_to_targets", send_to_targets)


def _patch_apis(patch: pytest.MonkeyPatch) -> None:
    """An API goes with its stack; moto leaves it there."""

    def delete(self: Any, account_id: str, region: str) -> None:
        apigateway_backends[account_id][region].delete_rest_api(self.id)

    patch.setattr(RestAPI, "delete", delete, raising=False)


def _function_urls(request: Any, full_url: str, headers: Any) -> tuple[int, dict[str, str], str]:
    name = request.path.split("/")[-2]
    made = get_backend("123456789012", REGION).get_function(name)
    found = [made.url_config.to_dict()] if made.url_config else []
    return 200, {}, json.dumps({"FunctionUrlConfigs": found})
