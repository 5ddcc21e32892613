"""The package of Lambda as it is deployed, by each way in: `make deploy-check`."""

import base64
import gzip
import json
import os
import random
import re
import signal
import stat
import subprocess
import zipfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import psutil
import psycopg
import pytest

from deploy.package import LARGEST, PACKAGE, VERSION, lambda_python
from ivsvod.lambda_entry import SCHEDULED
from tests.support.lambda_http import body_of, function_url, http_v2, rest_v1
from tests.support.packaged import (
    HOST,
    Function,
    FunctionError,
    environment,
    running,
    runtime_packages,
    unzipped,
    variables,
)
from tests.support.ports import free_port
from tests.support.road import BUCKET, NINE, PREFIX, at, ended_metadata
from tools.local import launch, postgres
from tools.local.aws import LocalAws
from tools.local.broadcast.events import recording_event, sqs_batch, stream_event
from tools.local.serving import MOUNT, served, with_local_aws

pytestmark = [pytest.mark.package, pytest.mark.xdist_group("package")]

KEY = {"Authorization": "Bearer a shared key"}
PASSWORD = "a long password 1"


@dataclass(frozen=True)
class World:
    """All that the function needs, and where it is."""

    home: Path
    server: postgres.Server
    aws: LocalAws
    task: Path
    runtime: Path
    variables: dict[str, str]
    aws_environment: dict[str, str]

    @contextmanager
    def function(self, **further: str) -> Iterator[Function]:
        """A fresh process of the function, with these variables too."""
        own = environment({**self.variables, **further}, self.aws_environment)
        with running(self.task, self.runtime, own) as function:
            yield function

    def rows(self, sql: str) -> list[Any]:
        """Return the rows of a query."""
        server = self.server
        with psycopg.connect(
            host=str(server.socket_dir), port=server.port, user=server.user, dbname=server.database
        ) as c:
            return c.execute(sql).fetchall()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A PostgreSQL of its own, migrated by the package, and a local AWS behind a port."""
    folder = tmp_path_factory.mktemp("package")
    home, aws = folder / "home", LocalAws(folder / "aws")
    aws.s3.create_bucket(launch.BUCKET)
    port = free_port()
    url = f"http://127.0.0.1:{port}{MOUNT}"
    with postgres.use(home) as server, served(with_local_aws(_nothing, aws), port):
        given = variables(server, aws, url)
        world = World(home, server, aws, unzipped(folder), runtime_packages(folder), given, aws.environment(url))
        with world.function() as function:
            assert function.invoke({"manage": "migrate"}) == {}, function.logged()
        before = set(world.task.rglob("*"))
        yield world
        assert set(world.task.rglob("*")) == before


def _nothing(_: Any, start_response: Any) -> list[bytes]:
    start_response("404 Not Found", [])
    return [b""]


@pytest.fixture
def function(world: World) -> Iterator[Function]:
    with world.function() as started:
        yield started


@pytest.fixture
def channel(function: Function) -> dict[str, Any]:
    status, made = function.http("POST", "/channels", {"name": "Main stage", "userId": OWNER}, **KEY)
    assert status == 200
    return made


OWNER = "8b7ea3c1-9a53-4d6f-8f0e-0f1f1f1f1f1f"


# What is in it


def names() -> list[str]:
    with zipfile.ZipFile(PACKAGE) as archive:
        return archive.namelist()


def test_it_is_as_small_as_promised() -> None:
    assert PACKAGE.stat().st_size <= LARGEST


@pytest.mark.parametrize(
    "pattern",
    [
        r"(^|/)tests?/",
        r"^ivsvod/(local|openapi)/",
        r"^(boto3|botocore|moto|pytest|hypothesis|pip|setuptools|troposphere|playwright|deploy)/",
        r"\.(po|pyi|orig|env|sqlite3|zip)$",
        r"^(\.|manage|requirements|zappa_settings\.json)",
    ],
)
def test_nothing_is_in_it_that_does_not_run_there(pattern: str) -> None:
    # Django's own test client is a module of the library, which its password checks and others import.
    found = [name for name in names() if re.search(pattern, name) and not name.startswith("django/test/")]
    assert not found


def test_its_bytecode_is_used_whatever_the_times_of_its_sources_are() -> None:
    """The word of flags says: by hash, unchecked. https://peps.python.org/pep-0552/"""
    with zipfile.ZipFile(PACKAGE) as archive:
        cached = [name for name in archive.namelist() if "__pycache__/" in name]
        assert len(cached) > 200
        assert {archive.read(name)[4:8] for name in cached} == {b"\x01\x00\x00\x00"}
        sources = [name for name in archive.namelist() if name.endswith(".py") and name != "zappa_settings.py"]
        for source in sources:
            folder, _, module = source.rpartition("/")
            compiled = f"{folder}/__pycache__/{module.removesuffix('.py')}.cpython-{VERSION.replace('.', '')}.pyc"
            assert compiled.lstrip("/") in cached


def test_every_file_may_be_read_by_everybody_and_is_of_one_time() -> None:
    """Lambda runs as a user of its own. https://docs.aws.amazon.com/lambda/latest/dg/python-package.html"""
    with zipfile.ZipFile(PACKAGE) as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {stat.S_IMODE(entry.external_attr >> 16) for entry in entries} == {0o644}
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)


# Management


def test_the_database_is_migrated_and_nothing_is_amiss(function: Function) -> None:
    assert function.invoke({"manage": "migrate --check"}) == {}
    assert function.invoke({"manage": "check --deploy --fail-level ERROR"}) == {}


@pytest.mark.parametrize("event", [{"raw_command": "print(1)"}, {"command": "os.getcwd"}, {"manage": "shell"}, {}])
def test_an_invocation_that_runs_arbitrary_code_is_refused(function: Function, event: dict[str, Any]) -> None:
    with pytest.raises(FunctionError, match="InvocationRefusedError"):
        function.invoke(event)


# HTTP


def account_make(world: World) -> None:
    """A superuser; `create_admin` itself is tried where there is a Secrets Manager (test_package_deploy.py)."""
    code = (
        "import sys; sys.path[:0] = sys.argv[1:3]; import django; django.setup(); "
        "from ivsvod.accounts.models import User; User.objects.create_superuser('ada', password=sys.argv[3])"
    )
    in_package(world, code, PASSWORD)


def in_package(world: World, code: str, *arguments: str) -> str:
    """Return the output of a Python with the package and the modules of Lambda."""
    command = [lambda_python(), "-I", "-S", "-B", "-c", code, str(world.task), str(world.runtime), *arguments]
    environ = {**environment(world.variables, world.aws_environment), "DJANGO_SETTINGS_MODULE": "ivsvod.settings"}
    done = subprocess.run(command, cwd=world.task, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("http", [rest_v1, http_v2, function_url])
def test_each_kind_of_http_is_read_and_written(function: Function, http: Any) -> None:
    made = function.invoke(http("POST", "/channels", json.dumps({"name": "x", "userId": OWNER}), **_host(http), **KEY))
    assert made["statusCode"] == 200, made
    uuid = body_of(made)["uuid"]

    shown = function.invoke(http("GET", f"/channels/{uuid}", **_host(http)))

    assert body_of(shown)["name"] == "x"
    assert function.http("GET", "/healthz") == (200, {"status": "ok"})


def _host(http: Any) -> dict[str, str]:
    return {"Host" if http is rest_v1 else "host": HOST}


def test_another_host_is_refused(function: Function) -> None:
    status, result = function.http("GET", "/healthz", Host="evil.example.com")
    assert (status, result["code"]) == (400, "bad_request")


def test_the_admin_is_signed_in_to_by_its_form(world: World, function: Function, tmp_path: Path) -> None:
    """Behind API Gateway and a domain of its own: secure cookies, CSRF, each cookie once, no prefix anywhere."""
    (tmp_path / "password").write_text(PASSWORD)
    with pytest.raises(FunctionError, match="on Lambda the ARN of a secret"):
        function.invoke({"manage": f"create_admin ada --password-from file:{tmp_path}/password"})
    account_make(world)
    form = function.invoke(rest_v1("GET", "/admin/login/?next=/admin/", Host=HOST))
    assert form["statusCode"] == 200
    [cookie] = form["multiValueHeaders"]["Set-Cookie"]
    assert "Secure" in cookie
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', _text(form)).group(1)
    sent = urlencode({"username": "ada", "password": PASSWORD, "csrfmiddlewaretoken": token, "next": "/admin/"})

    answer = function.invoke(
        rest_v1(
            "POST",
            "/admin/login/",
            sent,
            Host=HOST,
            Cookie=cookie.partition(";")[0],
            Referer=f"https://{HOST}/admin/login/",
            Origin=f"https://{HOST}",
            **{"Content-Type": "application/x-www-form-urlencoded"},
        )
    )

    assert answer["statusCode"] == 302, _text(answer)
    assert answer["headers"]["Location"] == "/admin/"
    # Django begins the value of the header with a space, which no client takes for a part of it.
    set_cookies = [item.strip() for item in answer["multiValueHeaders"]["Set-Cookie"]]
    cookies = {item.partition("=")[0]: item for item in set_cookies}
    assert sorted(cookies) == ["csrftoken", "sessionid"]
    assert all("Secure" in item for item in cookies.values())
    signed_in = "; ".join(item.partition(";")[0] for item in cookies.values())
    page = function.invoke(rest_v1("GET", "/admin/", Host=HOST, Cookie=signed_in))
    assert page["statusCode"] == 200
    for path in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', _text(page))):
        assert function.invoke(rest_v1("GET", path, Host=HOST))["statusCode"] == 200, path
    videos = function.invoke(rest_v1("GET", "/admin/ondemand/video/", Host=HOST, Cookie=signed_in))
    assert videos["statusCode"] == 200


@pytest.mark.parametrize("stage", ["production", "dev"])
def test_on_the_very_host_of_api_gateway_every_address_begins_with_the_stage(world: World, stage: str) -> None:
    """One package does for each stage."""
    gateway = "abc123.execute-api.eu-west-1.amazonaws.com"
    with world.function(ALLOWED_HOSTS=gateway, STAGE=stage) as function:
        answer = function.invoke(rest_v1("GET", "/admin/", Host=gateway))
        assert answer["statusCode"] == 302
        assert answer["headers"]["Location"] == f"/{stage}/admin/login/?next=/{stage}/admin/"


def test_behind_cloudfront_the_form_comes_from_the_public_host(world: World) -> None:
    gateway, secret = "abc123.execute-api.eu-west-1.amazonaws.com", "a secret of the origin"
    with world.function(
        ALLOWED_HOSTS="vod.example.com", PUBLIC_HOST="vod.example.com", ORIGIN_SECRET=secret
    ) as function:
        refused = function.invoke(rest_v1("GET", "/admin/login/", Host=gateway))
        form = function.invoke(rest_v1("GET", "/admin/", Host=gateway, **{"X-Origin-Secret": secret}))
        assert refused["statusCode"] == 400
        assert form["statusCode"] == 302
        assert form["headers"]["Location"] == "/admin/login/?next=/admin/"
        assert secret not in function.logged()


@pytest.mark.parametrize("path", ["/", "/docs", "/schema", "/tags", "/on-demand", "/channels/live"])
def test_every_public_page_answers(function: Function, path: str) -> None:
    answer = function.invoke(rest_v1("GET", path, Host=HOST))
    assert answer["statusCode"] == 200
    for found in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', _text(answer))):
        assert function.invoke(rest_v1("GET", found, Host=HOST))["statusCode"] == 200, found


def _text(answer: dict[str, Any]) -> str:
    body = answer["body"]
    raw = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    if answer["headers"].get("Content-Encoding") == "gzip":
        raw = gzip.decompress(raw)
    return raw.decode()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_of_each_format_is_encoded_anew(world: World, kind: str) -> None:
    """The package has no formats of Pillow that cannot be uploaded."""
    code = (
        "import io, sys; sys.path[:0] = sys.argv[1:3]; import django; django.setup(); from PIL import Image; "
        "from ondemand.videos.uploads import picture_normalised; file = io.BytesIO(); "
        "Image.new('RGB', (640, 360), 'red').save(file, sys.argv[3]); file.seek(0); "
        "print(Image.open(io.BytesIO(picture_normalised(file))).size)"
    )
    assert in_package(world, code, kind) == "(640, 360)\n"


# Events


def test_a_broadcast_comes_from_its_events_into_the_catalogue(
    world: World, function: Function, channel: dict[str, Any]
) -> None:
    arn, prefix = channel["arn"], f"{PREFIX}-{channel['uuid']}"
    start = stream_event("Stream Start", arn, "Main stage", "st-1", at(0))
    begun = _recording("Recording Start", arn, 1, prefix)
    ended = _recording("Recording End", arn, 60, prefix, duration_ms=3_960_500)
    metadata = {**ended_metadata(), "channel_arn": arn}
    _client(world).put_object(
        Bucket=launch.BUCKET, Key=f"{prefix}/events/recording-ended.json", Body=json.dumps(metadata).encode()
    )

    assert function.invoke(sqs_batch([start, begun])) == {"batchItemFailures": []}
    _, live = function.http("GET", f"/channels/{channel['uuid']}/live")
    assert live["state"] == "live"
    assert function.invoke(ended)["outcome"] == "applied"
    stop = stream_event("Stream End", arn, "Main stage", "st-1", at(61))
    poisoned = sqs_batch([stop, stop])
    poisoned["Records"][1]["body"] = json.dumps({**stop, "id": "poison", "time": "yesterday"})
    assert function.invoke(poisoned) == {"batchItemFailures": [{"itemIdentifier": poisoned["Records"][1]["messageId"]}]}

    status, found = function.http("GET", f"/on-demand?channel={channel['uuid']}")
    assert status == 200
    [video] = found["data"]
    assert video["location"] == f"{world.variables['PLAYBACK_BASE_URL']}/{prefix}/media/hls/master.m3u8"
    assert function.http("PATCH", f"/on-demand/{video['uuid']}", {"title": "Opening night"}, **KEY)[0] == 200
    _, page = function.http("GET", "/on-demand/search?search=opening")
    assert [hit["on_demand_video_uuid"] for hit in page["data"]] == [video["uuid"]]


def _recording(status: str, arn: str, minutes: float, prefix: str, **extra: Any) -> dict[str, Any]:
    result = {"bucket": BUCKET, "session_id": "FRIBXuDL7DxtpYlS", **extra}
    return recording_event(status, arn, "Main stage", "st-1", at(minutes), prefix=prefix, **result)


def _client(world: World) -> Any:
    values = world.aws_environment
    return boto3.session.Session().client(
        "s3",
        endpoint_url=values["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id="local",
        aws_secret_access_key="local",
        region_name=world.aws.region,
    )


@pytest.mark.parametrize("name", sorted(SCHEDULED))
def test_each_schedule_runs(function: Function, name: str) -> None:
    rule = f"arn:aws:events:eu-west-1:111122223333:rule/ivsvod-production-ivsvod.lambda_entry.{name}"
    event = {"detail-type": "Scheduled Event", "source": "aws.events", "resources": [rule], "detail": {}}
    assert function.invoke(event) in ({}, {"exit_code": 3})


def test_the_log_has_metrics_and_no_secret(function: Function, channel: dict[str, Any], world: World) -> None:
    function.invoke(stream_event("Stream Start", channel["arn"], "x", "st-9", at(0)))
    log = function.logged()
    [result] = [json.loads(line) for line in log.splitlines() if line.startswith('{"_aws"')]
    assert (result["Stage"], result["EventsApplied"]) == ("production", 1)
    for secret in ("AUTH_API_KEY", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS"):
        assert world.variables[secret] not in log
    assert channel["streamKey"] not in log


def test_an_event_loads_nothing_of_http_and_a_read_no_page_of_the_admin(function: Function) -> None:
    function.invoke({"manage": "check"})
    before = function.last["modules"]
    function.http("GET", "/on-demand")
    read = function.last["modules"]
    function.invoke(rest_v1("GET", "/admin/login/", Host=HOST))
    assert before < read < function.last["modules"]


# The database is away


def test_messages_during_an_outage_of_the_database_are_delivered_again(world: World) -> None:
    with world.function() as function:
        assert function.http("GET", "/healthz")[0] == 200
        batch = sqs_batch([stream_event("Stream Start", "arn:aws:ivs:eu-west-1:1:channel/x", "x", "st-7", at(0))])
        with away(world):
            status, result = function.http("GET", "/on-demand")
            assert (status, result["code"]) == (503, "unavailable")
            assert len(function.invoke(batch)["batchItemFailures"]) == 1
            with pytest.raises(FunctionError, match="OperationalError"):
                function.invoke(json.loads(batch["Records"][0]["body"]))
        assert function.http("GET", "/on-demand")[0] == 200
        assert function.invoke(batch) == {"batchItemFailures": []}


@contextmanager
def away(world: World) -> Iterator[None]:
    """The server is killed, and started again after the block."""
    kill(world)
    yield
    postgres.start(world.home)


def kill(world: World) -> None:
    """As by a failure of the machine: no connection is ended in good order."""
    pid = int((next(world.home.rglob("postmaster.pid"))).read_text().split()[0])
    server = psutil.Process(pid)
    everything = [server, *server.children(recursive=True)]
    os.kill(pid, signal.SIGQUIT)
    psutil.wait_procs(everything, timeout=20)


def test_of_500_invocations_with_the_database_killed_twice_no_event_is_lost_and_nothing_is_a_500(
    world: World, function: Function, channel: dict[str, Any]
) -> None:
    chance = random.Random(6)  # noqa: S311
    waiting = deque(_events(channel["arn"], 400))
    sent = {event["id"] for event in waiting}
    statuses: list[int] = []
    for number in range(500):
        if number in (120, 300):
            kill(world)
        if number in (150, 340):
            postgres.start(world.home)
        _one(function, chance, waiting, statuses, channel)
    while waiting:
        _batch(function, waiting)

    assert set(statuses) <= {200, 503}
    assert {200, 503} <= set(statuses)
    stored = dict(world.rows("SELECT event_id, outcome FROM channels_app_inboxevent"))
    assert sent <= set(stored)
    assert {stored[event_id] for event_id in sent} == {"applied"}


def _events(arn: str, number: int) -> list[dict[str, Any]]:
    """A stream each, of which the second half ended."""
    names = ["Stream Start", "Stream End"]
    return [
        stream_event(names[n % 2], arn, "Main stage", f"st-many-{n // 2}", NINE + timedelta(seconds=n))
        for n in range(number)
    ]


def _one(function: Function, chance: random.Random, waiting: deque[Any], statuses: list[int], channel: Any) -> None:
    kind = chance.random()
    if kind < 0.4:
        _batch(function, waiting)
    elif kind < 0.5 and waiting:
        event = waiting.popleft()
        try:
            function.invoke(event)
        except FunctionError:
            waiting.append(event)  # Lambda's own retries, and its dead-letter queue.
    elif kind < 0.9:
        statuses.append(function.http("GET", chance.choice(["/on-demand", "/channels/live", "/healthz", "/tags"]))[0])
    else:
        values = {"name": f"Stage {chance.randrange(9)}"}
        statuses.append(function.http("PATCH", f"/channels/{channel['uuid']}", values, **KEY)[0])


def _batch(function: Function, waiting: deque[Any]) -> None:
    """Process messages; failed ones are put back, as SQS does."""
    taken = [waiting.popleft() for _ in range(min(4, len(waiting)))]
    batch = sqs_batch(taken)
    result = function.invoke(batch)["batchItemFailures"] if taken else []
    failed = {item["itemIdentifier"] for item in result}
    waiting.extend(
        event for record, event in zip(batch["Records"], taken, strict=True) if record["messageId"] in failed
    )
