"""The one shape of every error, and what each failure becomes."""

import inspect
import json
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import exceptions

from common import errors as channel_errors
from common.aws import AwsError, AwsErrorKind
from common.encryption import UnreadableSecretError
from ivsvod.api.errors import error_document, exception_handler
from tests.support.helpers import assert_error, bearer, make_account, make_token, make_video
from tools.local.aws import LocalAws

SECRET = "a shared key of a test"
SHAPE = {"code", "error", "fields"}


@pytest.fixture
def client() -> Client:
    """Sees the answer to a failure as a client does."""
    return Client(raise_request_exception=False)


@pytest.fixture
def key(settings: Any) -> dict[str, str]:
    """The header of someone with full access."""
    settings.AUTH_API_KEY = SECRET
    return bearer(SECRET)


def handled(error: Exception) -> tuple[int, str, dict[str, Any]]:
    response = exception_handler(error, {})
    assert response is not None
    assert response.data.keys() - {"message"} == SHAPE
    assert ("message" in response.data) == (response.status_code == 400)
    return response.status_code, response.data["code"], response.data


# Through the front door


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "FOO"])
@pytest.mark.parametrize(
    "path", ["/nothing", "/channels/", "/on-demand/", "/channels/a/b/c", "/%00", "/nothing//", "/healthz/"]
)
def test_an_unknown_route_is_a_404(client: Client, method: str, path: str) -> None:
    assert_error(client.generic(method, path), 404, "not_found")


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["evil.example", "a b", "testserver:port", "[::1", "", "testserver\0"])
@pytest.mark.parametrize("path", ["/channels", "/nothing", "/admin/", "/healthz"])
def test_a_host_that_is_not_served_is_a_400(client: Client, host: str, path: str) -> None:
    document = assert_error(client.get(path, HTTP_HOST=host), 400, "bad_request")
    assert "evil" not in document["error"]


@pytest.mark.django_db
def test_each_refusal_has_its_status_and_code(client: Client, key: dict[str, str], aws: LocalAws) -> None:
    made = client.post("/channels", {"name": "x", "userId": str(uuid4())}, "application/json", headers=key).json()
    video, channel = f"/on-demand/{make_video().uuid}", f"/channels/{made['uuid']}"
    _, text = make_token("read")
    body = b'{"name": "x"}'
    long = {"CONTENT_LENGTH": str(11 * 1024 * 1024)}
    chunked = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    assert_error(client.get("/channels/nonsense"), 400, "invalid")
    assert_error(client.generic("POST", "/channels", b"{", headers=key), 400, "bad_request")
    assert_error(client.delete(video), 401, "unauthorized")
    assert_error(client.delete(video, headers=bearer(text)), 403, "forbidden")
    assert_error(client.get(f"/channels/{uuid4()}"), 404, "not_found")
    assert_error(client.delete("/channels", headers=key), 405, "method_not_allowed")
    assert_error(client.post(f"{channel}/stop", "{}", "application/json", headers=key), 409, "channel_offline")
    assert_error(client.generic("PUT", video, headers=key, **chunked), 411, "length_required")
    assert_error(client.put(video, "{}", headers={**key, "If-Match": '"x"'}), 412, "precondition_failed")
    assert_error(client.generic("PUT", video, b"{}", headers=key, **long), 413, "too_large")
    assert_error(client.generic("PATCH", channel, body, "text/plain", headers=key), 415, "unsupported_media_type")


@pytest.mark.django_db
def test_the_fields_at_fault_are_named(client: Client, key: dict[str, str]) -> None:
    response = client.post("/channels", '{"userId": 5, "type": "x"}', "application/json", headers=key)
    document = assert_error(response, 400, "invalid")
    assert {"name", "userId", "type"} <= set(document["fields"])
    assert document["error"].partition(":")[0] in document["fields"]


@pytest.mark.django_db
def test_values_of_a_client_are_quoted_as_text(client: Client) -> None:
    for name in ("%3Cscript%3E", "%ed%a0%80", "%00", "%ff", "%F0%9F%98%80", "%E2%80%AE"):
        document = assert_error(client.get(f"/channels?{name}=1"), 400, "invalid")
        assert len(document["fields"]) == 1


@pytest.mark.django_db
def test_a_csrf_refusal_has_the_same_shape_in_the_api_and_the_admin() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_account("curate", is_staff=True))
    assert_error(strict.delete(f"/on-demand/{make_video().uuid}"), 403, "forbidden")
    assert_error(strict.post("/admin/logout/"), 403, "forbidden")


@pytest.mark.django_db
def test_a_page_of_the_admin_that_may_not_be_opened_is_a_403(client: Client) -> None:
    client.force_login(make_account(is_staff=True))
    assert_error(client.get("/admin/accounts/user/"), 403, "forbidden")


@pytest.mark.django_db
def test_a_browser_gets_an_error_page_and_not_the_json_of_the_api(client: Client) -> None:
    account = make_account(is_staff=True)
    strict = Client(enforce_csrf_checks=True)
    for each in (client, strict):
        each.force_login(account)
    visit = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for response, status, title in (
        (client.get("/admin/accounts/user/", headers=visit), 403, "Your account may not do this"),
        (client.get("/admin/nothing/", headers=visit), 404, "There is nothing at this address"),
        (strict.post("/admin/logout/", headers=visit), 403, "The form has expired"),
    ):
        assert response.status_code == status
        assert title in response.content.decode()
        assert response["Content-Type"].startswith("text/html")
        assert "no-store" in response["Cache-Control"]
    assert_error(client.get("/on-demand/a/nothing", headers=visit), 404, "not_found")
    assert_error(client.get("/admin/accounts/user/", headers={"Accept": "*/*"}), 403, "forbidden")


@pytest.mark.django_db
def test_a_form_that_is_too_large_is_a_413(client: Client) -> None:
    client.force_login(make_account("curate", is_staff=True, is_superuser=True))
    body = b"name=" + b"x" * (10 * 1024 * 1024)
    form = "application/x-www-form-urlencoded"
    assert_error(client.generic("POST", "/admin/accounts/apitoken/add/", body, form), 413, "too_large")


@pytest.mark.django_db
def test_a_bug_is_a_500_that_says_nothing_of_itself(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyError("postgres://user:password@db")

    monkeypatch.setattr("channels_app.api.viewsets.ChannelViewSet.retrieve", fail)
    response = client.get(f"/channels/{uuid4()}")
    assert_error(response, 500, "server_error")
    assert "password" not in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/channels"),
        ("GET", "/channels/live"),
        ("GET", "/channels/{}"),
        ("DELETE", "/on-demand/{}"),
        ("PUT", "/on-demand/{}"),
        ("GET", "/healthz"),
        ("GET", "/admin/login/"),
    ],
)
def test_a_database_that_is_away_is_a_503(
    client: Client, key: dict[str, str], monkeypatch: pytest.MonkeyPatch, error: Any, method: str, path: str
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise error("connection to server at db.example.com failed: password")

    if path.startswith("/admin"):
        client.cookies["sessionid"] = "a" * 32
        key = {}
    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", away)
    response = client.generic(method, path.format(uuid4()), b"{}", headers=key)
    document = assert_error(response, 503, "unavailable")
    assert response["Retry-After"].isdigit()
    assert "example.com" not in json.dumps(document)


# One by one


DOMAIN = [
    value
    for _, value in inspect.getmembers(channel_errors, inspect.isclass)
    if issubclass(value, channel_errors.ChannelError) and value is not channel_errors.ChannelError
]
# What commands alone raise.
OF_COMMANDS = {channel_errors.ChannelImportError}


@pytest.mark.parametrize("kind", [kind for kind in DOMAIN if kind not in OF_COMMANDS], ids=lambda kind: kind.__name__)
def test_every_refusal_of_channels_has_its_own_status_and_code(kind: Any) -> None:
    # Those without a sentence of their own take one.
    error = kind("a sentence for the client") if kind.__init__ is Exception.__init__ else kind()
    status, code, document = handled(error)
    assert status in {404, 409, 422, 503}
    assert code not in {"conflict", "error", "bad_request"}
    assert document["error"] == str(error)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (AwsErrorKind.INVALID, 400, "aws_refused"),
        (AwsErrorKind.PENDING_VERIFICATION, 403, "aws_pending_verification"),
        (AwsErrorKind.CONFLICT, 409, "aws_conflict"),
        (AwsErrorKind.QUOTA, 503, "aws_quota"),
        (AwsErrorKind.THROTTLED, 503, "aws_throttled"),
        (AwsErrorKind.TIMEOUT, 503, "aws_timeout"),
        (AwsErrorKind.UNAVAILABLE, 503, "aws_unavailable"),
    ],
)
def test_a_failure_of_aws_has_a_status_that_a_client_can_act_on(kind: AwsErrorKind, status: int, code: str) -> None:
    response = exception_handler(AwsError("CreateChannel", "a channel", kind, "the sentence of AWS"), {})
    assert response is not None
    assert (response.status_code, response.data["code"]) == (status, code)
    assert "CreateChannel" in response.data["error"]
    assert ("did not answer" in response.data["error"]) is kind.unknown_outcome
    assert ("Retry-After" in response.headers) is (status == 503)


@pytest.mark.parametrize("kind", [AwsErrorKind.DENIED, AwsErrorKind.MISCONFIGURED])
def test_details_of_the_aws_account_are_in_the_log_only(kind: AwsErrorKind, caplog: pytest.LogCaptureFixture) -> None:
    text = "User: arn:aws:sts::111122223333:assumed-role/ivsvod is not authorized"
    status, code, document = handled(AwsError("CreateChannel", "a channel", kind, text))
    assert (status, code) == (502, "aws_failed")
    assert "111122223333" not in document["error"]
    assert "CreateChannel" in document["error"]
    assert text in caplog.text


def test_the_message_of_aws_is_one_line_without_the_signed_request() -> None:
    text = "The signature\r\n  does not match.\n\nThe Canonical String was\n'x-amz-security-token:a secret'"
    error = AwsError("CreateChannel", "a channel", AwsErrorKind.DENIED, text)
    assert error.message == "The signature does not match."
    assert "secret" not in str(error)


@pytest.mark.parametrize("kind", list(AwsErrorKind))
def test_every_kind_of_failure_of_aws_is_no_500(kind: AwsErrorKind) -> None:
    status, code, _ = handled(AwsError("GetChannel", "a channel", kind, "the sentence of AWS"))
    assert status in {400, 403, 404, 409, 502, 503}
    assert code.startswith("aws_")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404(), 404, "not_found"),
        (Http404("Recording not found"), 404, "not_found"),
        (PermissionDenied("the reason"), 403, "forbidden"),
        (SuspiciousOperation("the reason"), 400, "bad_request"),
        (UnreadablePostError("the reason"), 400, "bad_request"),
        (OperationalError("the reason"), 503, "unavailable"),
        (UnreadableSecretError("the reason"), 502, "secret_unreadable"),
        (exceptions.ParseError(), 400, "bad_request"),
        (exceptions.NotFound(), 404, "not_found"),
        (exceptions.MethodNotAllowed("FOO"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("x"), 415, "unsupported_media_type"),
        (exceptions.Throttled(wait=3.2), 429, "throttled"),
    ],
)
def test_each_exception_has_its_answer(error: Exception, status: int, code: str) -> None:
    assert handled(error)[:2] == (status, code)


def test_the_reason_of_an_outage_is_neither_answered_nor_logged(caplog: pytest.LogCaptureFixture) -> None:
    error = OperationalError("password of db.example.com")
    error.__cause__ = psycopg.OperationalError("password of db.example.com")
    _, _, document = handled(error)
    assert "password" not in json.dumps(document) + caplog.text
    assert "OperationalError" in caplog.text


def test_a_bug_is_left_to_django() -> None:
    assert exception_handler(KeyError("x"), {}) is None


def test_the_wait_is_in_whole_seconds() -> None:
    response = exception_handler(exceptions.Throttled(wait=3.2), {})
    assert response is not None
    assert response.headers["Retry-After"] == "4"


def test_nested_details_become_one_list_for_each_name() -> None:
    detail = {"tags": {0: ["Too long."], 3: ["Empty.", "Twice."]}, "non_field_errors": ["Not both."], "a": "x"}
    _, _, document = handled(exceptions.ValidationError(detail))
    assert document["fields"] == {"tags": ["Too long.", "Empty.", "Twice."], "a": ["x"]}
    assert document["error"] == "tags: Too long."
    _, _, whole = handled(exceptions.ValidationError(["Not both."]))
    assert (whole["error"], whole["fields"]) == ("Not both.", {})


@given(st.text(), st.dictionaries(st.text(), st.lists(st.text(), max_size=3), max_size=3))
def test_no_text_breaks_an_error(sentence: str, fields: dict[str, list[str]]) -> None:
    document = error_document(400, sentence, fields=fields)
    assert document.keys() - {"message"} == SHAPE
    json.dumps(document, ensure_ascii=False).encode()
