"""The package of Lambda, unzipped and read-only, in fresh processes that have what Lambda has."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import boto3

from deploy.package import CHECKOUT, PACKAGE, lambda_python
from deploy.settings import rendered
from tests.support.lambda_http import body_of, rest_v1
from tools.local import launch
from tools.local.aws import LocalAws
from tools.local.postgres import Server

# What Lambda's Python has of its own. https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
OF_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
HOST = "api.example.com"
FUNCTION = "ivsvod-production"


def unzipped(folder: Path, package: Path | IO[bytes] = PACKAGE) -> Path:
    """The package as Lambda unpacks it: nobody may write there."""
    task = folder / "task"
    with zipfile.ZipFile(package) as archive:
        archive.extractall(task)
    for path in [task, *task.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return task


def runtime_packages(folder: Path) -> Path:
    """boto3 and what it needs, copied from this environment, with bytecode as on Lambda; all is pure Python."""
    runtime = folder / "runtime"
    runtime.mkdir()
    site = Path(boto3.__file__).parent.parent
    for name in OF_THE_RUNTIME:
        source = site / name
        if source.is_dir():
            shutil.copytree(source, runtime / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source.with_suffix(".py"), runtime)
    subprocess.run([lambda_python(), "-m", "compileall", "-q", str(runtime)], check=True)
    return runtime


def variables(server: Server, aws: LocalAws, aws_url: str) -> dict[str, str]:
    """What `deploy/production.env` holds: outputs of the stacks, and what a team chooses."""
    recording = launch.recording_configuration(aws, launch.BUCKET)
    return {
        "AWS_REGION": aws.region,
        "DEPLOY_BUCKET": "ivsvod-deploy",
        "FUNCTION_ROLE_ARN": "arn:aws:iam::111122223333:role/ivsvod",
        "SUBNET_IDS": "",
        "SECURITY_GROUP_IDS": "",
        "EVENT_QUEUE_ARN": f"arn:aws:sqs:{aws.region}:111122223333:ivsvod-production-events",
        **server.environment(),
        "SECRET_KEY": "a long random text of a test, and of no deployment at all",
        "FIELD_ENCRYPTION_KEYS": "Ab1" * 14 + "c",
        "AUTH_API_KEY": "a shared key",
        "ALLOWED_HOSTS": HOST,
        "RECORDING_BUCKET": launch.BUCKET,
        "RECORDING_CONFIG_ARN": recording,
        "PLAYBACK_BASE_URL": f"{aws_url}/media",
        "CATALOGUE_PAGE": "true",
    }


def environment(given: dict[str, str], aws_environment: dict[str, str]) -> dict[str, str]:
    """That of the function, by Zappa's settings, and what Lambda sets itself."""
    settings = json.loads((CHECKOUT / "zappa_settings.json").read_text())
    own = rendered(settings, "production", given)["production"]["aws_environment_variables"]
    return with_that_of_lambda(own, FUNCTION, settings["base"]["lambda_handler"], aws_environment)


def with_that_of_lambda(
    own: dict[str, str], name: str, handler: str, aws_environment: dict[str, str]
) -> dict[str, str]:
    """The environment of a function, and what Lambda sets itself."""
    local = {name: value for name, value in aws_environment.items() if name.startswith("AWS_")}
    return {
        **own,
        **local,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "_HANDLER": handler,
        "PATH": os.environ["PATH"],
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": "/nonexistent",
    }


@dataclass
class Function:
    """One process of the function, as an execution environment of Lambda is."""

    task: Path
    runtime: Path
    environment: dict[str, str]
    last: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ours, theirs = os.pipe()
        script = Path(__file__).with_name("lambda_runtime.py")
        # -B: on Lambda it could not; as root the modes of the folders hold nobody back.
        command = [lambda_python(), "-I", "-S", "-B", str(script), str(self.task), str(self.runtime), str(theirs)]
        self.log = TemporaryFile("w+")  # noqa: SIM115  (as long as the process lives)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
            pass_fds=[theirs],
        )
        os.close(theirs)
        self.answers = os.fdopen(ours)

    def invoke(self, event: Any) -> Any:
        """What the function answers; raises FunctionError where it failed."""
        self.process.stdin.write(json.dumps(event) + "\n")
        self.process.stdin.flush()
        line = self.answers.readline()
        if not line:
            raise FunctionError(f"the process ended:\n{self.logged()}")
        self.last = json.loads(line)
        if "error" in self.last:
            raise FunctionError(f"{self.last['error']}: {self.last['message']}")
        return self.last["answer"]

    def http(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """A request by API Gateway; returns status and document."""
        text = None if body is None else json.dumps(body)
        answer = self.invoke(rest_v1(method, path, text, **{"Host": HOST, **headers}))
        return answer["statusCode"], body_of(answer)

    def logged(self) -> str:
        """What it wrote."""
        self.log.seek(0)
        return self.log.read()

    def end(self) -> None:
        """As Lambda ends an environment."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.answers.close()
        self.log.close()


class FunctionError(Exception):
    """The function raised, or its process ended."""


@contextmanager
def running(task: Path, runtime: Path, variables: dict[str, str]) -> Iterator[Function]:
    """A process, ended after the block; its log is shown where the block fails."""
    function = Function(task, runtime, variables)
    try:
        yield function
    except BaseException:
        sys.stdout.write(function.logged())
        raise
    finally:
        function.end()
