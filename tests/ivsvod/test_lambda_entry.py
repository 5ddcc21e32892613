"""The Lambda entry: schedules, commands that are stopped in time, the host that CloudFront hides, metrics, secrets."""

import copy
import json
import logging
import os
import sys
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.core.management import CommandError
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels_app.models import Channel, InboxEvent
from ivsvod import lambda_entry
from ivsvod.gateway import cleaned
from ivsvod.lambda_entry import InvocationRefusedError
from ondemand.models import Video
from tests.support.helpers import THOROUGH, make_channel
from tests.support.lambda_http import EACH_KIND, Http, body_of, function_url, http_v2, rest_v1
from tests.support.road import ARN, inbox_row, invoke, live_file, sample, text_of, without
from tools.local.aws import LocalAws
from tools.local.broadcast.events import sqs_batch

pytestmark = pytest.mark.django_db

GOOD = sample("stream_start")


class Remaining:
    """The context of an invocation, with so much time left."""

    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@pytest.fixture
def channel(aws: LocalAws) -> Channel:
    return make_channel(arn=ARN)


def scheduled(function: str, *, stage: str = "production") -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html"""
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "111122223333",
        "time": "2026-03-04T09:05:00Z",
        "region": "eu-west-1",
        "resources": [f"arn:aws:events:eu-west-1:111122223333:rule/ivsvod-{stage}-ivsvod.lambda_entry.{function}"],
        "detail": {},
    }


# HTTP, through Zappa's own handler


@pytest.fixture
def zappa(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Zappa's handler as in the package, with the settings module that `zappa package` writes into it."""
    from zappa.handler import LambdaHandler

    written = types.ModuleType("zappa_settings")
    vars(written).update(
        LOG_LEVEL="INFO",
        PROJECT_NAME="ivsvod",
        API_STAGE="dev",
        DOMAIN=None,
        DEBUG=False,
        BINARY_SUPPORT=True,
        CONTEXT_HEADER_MAPPINGS={},
        COGNITO_TRIGGER_MAPPING={},
        AWS_EVENT_MAPPING={},
        AWS_BOT_EVENT_MAPPING={},
        ENVIRONMENT_VARIABLES={},
        EXCEPTION_HANDLER=None,
        DJANGO_SETTINGS="ivsvod.settings",
    )
    monkeypatch.setitem(sys.modules, "zappa_settings", written)
    monkeypatch.setattr(LambdaHandler, "_LambdaHandler__instance", None)
    for name in ("SERVERTYPE", "FRAMEWORK", "PROJECT", "STAGE"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.setattr(sys, "path", [*sys.path])
    level = logging.getLogger().level
    lambda_entry._zappa.cache_clear()
    yield
    lambda_entry._zappa.cache_clear()
    logging.getLogger().setLevel(level)


@EACH_KIND
def test_http_reaches_django_and_its_answer_comes_back(zappa: None, channel: Channel, http: Http) -> None:
    invoke(sample("stream_start"))

    answer = invoke(http("GET", f"/channels/{channel.uuid}/live"))

    assert answer["statusCode"] == 200
    assert body_of(answer)["state"] == "live"


@EACH_KIND
def test_http_passes_the_query_the_body_and_the_headers(
    zappa: None, channel: Channel, api_key: str, http: Http
) -> None:
    invoke(sample("recording_end"))
    uuid = Video.objects.get().uuid
    content = json.dumps({"title": "Müller", "tags": ["news"]})

    written = invoke(
        http("PUT", f"/on-demand/{uuid}", content, Authorization=f"Bearer {api_key}"),
    )
    found = invoke(http("GET", "/on-demand/search?search=m%C3%BCller&page=1"))

    assert written["statusCode"] == 200
    assert body_of(written)["title"] == "Müller"
    assert [hit["on_demand_video_uuid"] for hit in body_of(found)["data"]] == [str(uuid)]


@EACH_KIND
def test_an_error_of_django_comes_back_as_it_is(zappa: None, http: Http) -> None:
    answer = invoke(http("GET", f"/on-demand/{uuid4()}"))

    assert answer["statusCode"] == 404
    assert body_of(answer)["error"] == "Recording not found"


@EACH_KIND
def test_every_cookie_is_set_once(zappa: None, http: Http) -> None:
    answer = invoke(http("GET", "/admin/login/"))

    cookies = answer["cookies"] if "cookies" in answer else answer["multiValueHeaders"]["Set-Cookie"]
    assert len(cookies) == 1
    assert cookies[0].count("csrftoken=") == 1


def test_the_stage_in_the_path_of_an_http_api_is_no_part_of_the_route(zappa: None, channel: Channel) -> None:
    answer = invoke(http_v2("GET", f"/dev/channels/{channel.uuid}/live", stage="dev"))

    assert answer["statusCode"] == 200


def test_a_management_command_that_is_allowed_runs(channel: Channel, capsys: pytest.CaptureFixture[str]) -> None:
    InboxEvent.objects.create(event_id=GOOD["id"], body=text_of(GOOD))

    assert invoke({"manage": "process_inbox --limit 5"}) == {}

    assert '"outcome": "applied"' in capsys.readouterr().out
    assert live_file(channel)["state"] == "live"


# Commands that end with a status, on Lambda


@pytest.mark.parametrize(
    ("code", "answer"),
    [(1, {"exit_code": 1}), (3, {"exit_code": 3}), (None, {"exit_code": 0}), ("a sentence", {"exit_code": 1})],
    ids=str,
)
def test_the_status_of_a_command_is_an_answer_and_no_crash_that_lambda_would_repeat(
    monkeypatch: pytest.MonkeyPatch, code: Any, answer: dict[str, int]
) -> None:
    monkeypatch.setattr(lambda_entry, "call_command", lambda *_: sys.exit(code))

    assert invoke({"manage": "reconcile --apply"}) == answer


def test_a_command_that_reports_a_failed_event_ends_with_its_status(channel: Channel) -> None:
    broken = without(GOOD, "time")
    InboxEvent.objects.create(event_id=GOOD["id"], body=text_of(broken))

    assert invoke({"manage": "process_inbox"}) == {"exit_code": 1}

    assert inbox_row(GOOD).outcome == "refused"


def test_a_command_that_cannot_run_is_a_failure_of_the_function_with_its_reason(settings: Any) -> None:
    settings.DEAD_LETTER_QUEUE_URL = ""

    with pytest.raises(CommandError, match="DEAD_LETTER_QUEUE_URL"):
        invoke({"manage": "redrive"})


# Schedules


def test_a_schedule_processes_open_events(channel: Channel, capsys: pytest.CaptureFixture[str]) -> None:
    InboxEvent.objects.create(event_id=GOOD["id"], body=text_of(GOOD))

    assert invoke(scheduled("scheduled_process_inbox")) == {}

    assert InboxEvent.objects.get().outcome == "applied"
    assert '"outcome": "applied"' in capsys.readouterr().out


def test_a_schedule_is_not_stored_as_an_event(channel: Channel) -> None:
    invoke(scheduled("scheduled_process_inbox"))

    assert not InboxEvent.objects.exists()


@pytest.mark.parametrize("name", sorted(lambda_entry.SCHEDULED))
def test_each_schedule_runs_a_command_that_is_allowed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    called: list[Any] = []
    monkeypatch.setattr(lambda_entry, "call_command", lambda *arguments: called.append(arguments))

    invoke(scheduled(name))

    assert called == [tuple(lambda_entry.SCHEDULED[name].split())]
    assert called[0][0] in lambda_entry.ALLOWED_COMMANDS


@pytest.mark.parametrize("function", ["os.system", "shell", "", "scheduled_reconcile.more"])
def test_the_schedule_of_another_function_is_refused(function: str) -> None:
    with pytest.raises(InvocationRefusedError, match="not a schedule"):
        invoke(scheduled(function))


@pytest.mark.parametrize("resources", [None, [], [7], "text"])
def test_a_schedule_without_a_rule_is_refused(resources: Any) -> None:
    with pytest.raises(InvocationRefusedError, match="not a schedule"):
        invoke({**scheduled("scheduled_reconcile"), "resources": resources})


def test_an_event_of_ivs_that_calls_itself_scheduled_is_an_event(channel: Channel) -> None:
    answer = invoke({**sample("stream_start"), "detail-type": "Scheduled Event"})

    assert answer["outcome"] == "ignored"


# Commands


@pytest.mark.parametrize("line", ["shell", "", "   ", "createsuperuser --noinput", "'migrate' x; rm", "runserver"])
def test_any_other_command_is_refused(line: str) -> None:
    if line.startswith("'migrate'"):
        with pytest.raises(CommandError):
            invoke({"manage": line})
    else:
        with pytest.raises(InvocationRefusedError, match="not allowed"):
            invoke({"manage": line})


def test_an_argument_may_be_quoted(channel: Channel, capsys: pytest.CaptureFixture[str]) -> None:
    invoke({"manage": "reconcile --since '2026-03-04T09:00:00Z'"})

    assert "--since" not in capsys.readouterr().err


def test_a_command_ends_before_lambda_would_kill_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_entry, "_LAST_SECONDS", 0.9)
    monkeypatch.setattr(lambda_entry, "call_command", lambda *_: time.sleep(30))

    with patched_connections():
        assert lambda_entry.lambda_handler({"manage": "migrate"}, Remaining(1)) == {"exit_code": 130}


def test_a_stopped_command_of_json_lines_reports_the_stop(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    InboxEvent.objects.create(event_id=GOOD["id"], body=text_of(GOOD))
    monkeypatch.setattr(lambda_entry, "_LAST_SECONDS", 0.9)
    monkeypatch.setattr(
        "channels_app.management.commands.process_inbox.process_open", lambda **_: iter(lambda: time.sleep(30), 0)
    )

    with patched_connections():
        assert lambda_entry.lambda_handler({"manage": "process_inbox"}, Remaining(1)) == {"exit_code": 130}


def patched_connections() -> Any:
    return patch.multiple(
        lambda_entry, close_old_connections=lambda: None, connections=type("C", (), {"close_all": lambda: None})
    )


# The longest that a statement may take


@pytest.mark.django_db(transaction=True)
def test_a_statement_of_a_request_has_a_limit_and_one_of_a_command_has_none(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PG_STATEMENT_TIMEOUT = 7
    seen: list[str] = []

    def look(*_: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            seen.append(cursor.fetchone()[0])

    connection.close()
    # As on Lambda.
    monkeypatch.delitem(connection.settings_dict["OPTIONS"], "pool")
    look()
    monkeypatch.setattr(lambda_entry, "call_command", look)
    lambda_entry.lambda_handler({"manage": "migrate"}, None)
    look()

    settings.PG_STATEMENT_TIMEOUT = None
    connection.close()
    assert seen == ["7s", "0", "7s"]


# The host that people see

SECRET = "a secret of the origin"
API_GATEWAY = "abc.execute-api.eu-west-1.amazonaws.com"


def test_behind_cloudfront_the_request_came_to_the_public_host() -> None:
    for kind in (rest_v1, http_v2, function_url):
        event = kind("GET", "/healthz", **{"Host": API_GATEWAY, "X-Origin-Secret": SECRET})
        changed = cleaned(event, "vod.example.com", ["a newer one", SECRET])
        names = {name.lower(): value for name, value in changed["headers"].items()}
        assert names["host"] == "vod.example.com"
        assert "x-origin-secret" not in names
        assert "multiValueHeaders" not in changed or changed["multiValueHeaders"]["Host"] == ["vod.example.com"]


@pytest.mark.parametrize(
    ("given", "host", "secret"),
    [
        ("another secret", "vod.example.com", SECRET),
        ("", "vod.example.com", SECRET),
        ("", "vod.example.com", ""),
        (SECRET, "", SECRET),
        ("\u00e9", "vod.example.com", SECRET),
    ],
)
def test_no_other_caller_can_set_the_public_host(given: str, host: str, secret: str) -> None:
    event = rest_v1("GET", "/healthz", **{"Host": "real.example.com", "X-Origin-Secret": given})
    changed = cleaned(event, host, [secret] if secret else [])
    assert changed["headers"]["Host"] == "real.example.com"
    assert "X-Origin-Secret" not in changed["headers"]
    assert "X-Origin-Secret" not in changed["multiValueHeaders"]


@pytest.mark.parametrize("headers", [None, {}])
def test_an_event_without_headers_is_left_alone(headers: Any) -> None:
    event = {**rest_v1("GET", "/healthz"), "headers": headers, "multiValueHeaders": headers}
    assert cleaned(event, "vod.example.com", [SECRET])["headers"] == {}


def test_of_headers_in_lists_alone_the_last_counts() -> None:
    event = {**rest_v1("GET", "/healthz", Host=API_GATEWAY, **{"X-Origin-Secret": SECRET}), "headers": None}
    assert cleaned(event, "vod.example.com", [SECRET])["headers"]["Host"] == "vod.example.com"


def test_a_name_with_an_underscore_is_not_taken_for_one_with_a_hyphen() -> None:
    event = rest_v1("GET", "/", **{"X_Forwarded_For": "6.6.6.6", "X_Request_ID": "forged"})
    changed = cleaned(event, "", [])
    assert not [name for name in [*changed["headers"], *changed["multiValueHeaders"]] if "_" in name]
    assert changed["headers"]["X-Forwarded-For"] == "203.0.113.7, 10.0.0.1"


def test_stage_variables_are_no_variables_of_the_process(zappa: None) -> None:
    event = {**rest_v1("GET", "/healthz"), "stageVariables": {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}}
    assert invoke(event)["statusCode"] == 200
    assert "AWS_ENDPOINT_URL" not in os.environ


# Requests that nobody can read


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "/\ud800"},
        {"path": None},
        {"path": 7},
        {"body": {"a": 1}},
        {"body": "\ud800"},
        {"body": "abc", "isBase64Encoded": True},
        {"headers": {"Host": None}},
        {"headers": ["Host"]},
        {"headers": {"X-Origin-Secret": "\ud800"}},
        {"multiValueHeaders": {"Host": [7]}},
        {"multiValueHeaders": {"Host": []}},
        {"multiValueHeaders": {"X": 1}},
        {"httpMethod": {"a": 1}},
        {"body": "é", "isBase64Encoded": True},
        {"queryStringParameters": ["a"]},
        {"queryStringParameters": {"search": "\ud800"}},
        {"multiValueQueryStringParameters": {"search": ["\ud800"]}},
    ],
    ids=ascii,
)
def test_a_request_that_cannot_be_read_is_a_400_in_the_shape_of_all_errors(
    settings: Any, changes: dict[str, Any]
) -> None:
    settings.PUBLIC_HOST, settings.ORIGIN_SECRETS = "vod.example.com", [SECRET]

    answer = invoke({**rest_v1("GET", "/on-demand"), **changes})

    assert answer["statusCode"] == 400
    assert answer["headers"]["Content-Type"] == "application/json"
    assert sorted(json.loads(answer["body"])) == ["code", "error", "fields", "message"]


@pytest.mark.parametrize("name", ["rawPath", "rawQueryString", "cookies"])
def test_so_is_one_of_the_second_version(name: str) -> None:
    event = {**http_v2("GET", "/on-demand"), name: ["\ud800"] if name == "cookies" else "\ud800"}
    assert invoke(event)["statusCode"] == 400


def test_an_error_of_zappa_itself_is_in_the_shape_of_all_errors(zappa: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zappa.handler.create_wsgi_request", lambda *_, **__: 1 / 0)
    answer = invoke(rest_v1("GET", "/on-demand"))
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"])["code"] == "server_error"


@pytest.mark.parametrize("path", ['/x\n{"_aws": 1}\n', "/x\r\n2026-11-26 ERROR forged", "/\u2028x"])
def test_a_request_begins_no_line_of_the_log(zappa: None, path: str) -> None:
    import io

    from common.rest.request_ids import LineFormatter, RequestIdFilter

    # Django sets the handlers of the log when Zappa loads it.
    invoke(rest_v1("GET", "/healthz"))
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter("%(request_id)s %(message)s"))
    handler.addFilter(RequestIdFilter())
    logging.getLogger().addHandler(handler)
    try:
        invoke(rest_v1("GET", f"{path}?token=s3cret"))
    finally:
        logging.getLogger().removeHandler(handler)
    lines = stream.getvalue().splitlines()
    assert not [line for line in lines if line.startswith(("{", "2026", "x"))]
    assert any("answered method=GET path=/" in line for line in lines), lines
    assert "s3cret" not in stream.getvalue()


# What is two things at once, or nothing


@pytest.mark.parametrize(
    "further",
    [{"version": "2.0"}, {"httpMethod": "GET"}, {"Records": []}, {"manage": "migrate"}, {"requestContext": {}}],
    ids=str,
)
def test_an_event_is_an_event_whatever_else_stands_in_it(channel: Channel, further: dict[str, Any]) -> None:
    assert invoke({**GOOD, **further}) == {"event_id": GOOD["id"], "outcome": "applied"}


@pytest.mark.parametrize("nothing", [[], None, "text", 7, {"Records": None}], ids=str)
def test_nothing_is_no_success(nothing: Any) -> None:
    with pytest.raises(InvocationRefusedError):
        invoke(nothing)


@pytest.mark.parametrize(
    "records", [[{"eventSource": "aws:s3", "s3": {}}], [None], [{"body": "{}"}], [{"messageId": 7}]], ids=str
)
def test_records_that_are_no_messages_of_a_queue_are_an_error(records: Any) -> None:
    with pytest.raises(InvocationRefusedError, match="records without a messageId"):
        invoke({"Records": records})


# Anything at all

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 0.5, 1e300, 10**30, "2.0", "GET", "é", "\ud800", "a\0b", "'", "\\", "x" * 5000])
    | st.text(st.characters(codec=None), max_size=10),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2),
    max_leaves=5,
)
SHAPES = [
    rest_v1("GET", "/nothing?a=b", "text"),
    http_v2("GET", "/nothing?a=b", "text", cookie="a=b"),
    function_url("POST", "/nothing", "text"),
    sqs_batch([GOOD, GOOD]),
    [GOOD, GOOD],
    GOOD,
    scheduled("scheduled_prune_inbox"),
    {"manage": "prune_inbox --dry-run"},
    {"raw_command": "print(1)"},
]


@dataclass
class SomeContext:
    """A context of which each part may be anything."""

    aws_request_id: Any
    remaining: Any

    def get_remaining_time_in_millis(self) -> Any:
        return self.remaining


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every member of a document, at any depth: what holds it, and its name or number there."""
    members = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    return [(value, name) for name, _ in members] + [place for _, member in members for place in places(member)]


@st.composite
def invocations(draw: st.DrawFn) -> Any:
    """Return invocations with some members replaced or removed, or any other document."""
    if draw(st.integers(0, 9)) == 0:
        return draw(anything)
    event = copy.deepcopy(draw(st.sampled_from(SHAPES)))
    for _ in range(draw(st.integers(1, 2))):
        holder, name = draw(st.sampled_from(places(event) or [({"": ""}, "")]))
        if draw(st.integers(0, 4)) == 0:
            del holder[name]
        else:
            holder[name] = draw(anything)
    return event


@pytest.fixture
def warnings_logged() -> Iterator[list[str]]:
    """The warnings of the entry; Django, which Zappa loads, replaces the handlers of the root logger."""
    found: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    lambda_entry.logger.addHandler(handler)
    yield found
    lambda_entry.logger.removeHandler(handler)


def test_any_invocation_with_any_context_is_answered_or_refused_by_one_error_and_one_line(
    transactional_db: None, zappa: None, channel: Channel, warnings_logged: list[str]
) -> None:
    @given(invocations(), anything | st.builds(SomeContext, anything, anything))
    @example({**SHAPES[0], "multiValueHeaders": {"X": 1}}, None)
    @example({"manage": "check 'unbalanced"}, 7)
    @example({"manage": "prune_inbox --dry-run"}, SomeContext(7, "soon"))
    @example({**scheduled("scheduled_prune_inbox"), "resources": 5}, [])
    @example(json.loads("[" * 300 + "]" * 300), None)
    @settings(max_examples=1000 if THOROUGH else 100, deadline=None, database=None)
    def is_answered(event: Any, context: Any) -> None:
        warnings_logged.clear()
        try:
            answer = lambda_entry.lambda_handler(event, context)
        except InvocationRefusedError as refused:
            assert warnings_logged == [f"invocation refused: {refused}"]
        except lambda_entry.EventFailedError:
            # Only an event, which is stored with the reason.
            assert isinstance(event, list) or "detail-type" in event
        else:
            assert json.dumps(answer)

    is_answered()


def test_a_batch_with_a_record_that_is_no_message_loses_none_of_its_messages(channel: Channel) -> None:
    batch = sqs_batch([GOOD, GOOD])
    del batch["Records"][1]["messageId"]

    with pytest.raises(InvocationRefusedError, match="records without a messageId"):
        invoke(batch)

    assert not InboxEvent.objects.exists()


def test_an_event_that_is_nested_deeper_than_python_writes_json_is_refused(channel: Channel) -> None:
    nested: list[Any] = []
    for _ in range(2000):
        nested = [nested]

    with pytest.raises(lambda_entry.EventFailedError, match="refused"):
        invoke([{**GOOD, "detail": nested}])

    assert InboxEvent.objects.get().outcome == "refused"
