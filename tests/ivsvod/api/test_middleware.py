"""HEAD, OPTIONS, CORS, compression and names of requests: what holds for every answer."""

import gzip
import logging
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from common.rest.request_ids import RequestIdFilter, request_id
from ivsvod.lambda_entry import lambda_handler
from tests.support import hostile
from tests.support.helpers import bearer, make_channel, make_video
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db
ORIGIN = "https://www.example.com"
SECRET = "a shared key of a test"
ROUTES = [route for route in hostile.routes() if route.methods]
PATHS = [route.path for route in ROUTES]


@pytest.fixture
def client() -> Client:
    """Sees the answer to a failure as a client does."""
    return Client(raise_request_exception=False)


def listed(text: str) -> set[str]:
    return {part.strip() for part in text.split(",")}


# HEAD


@pytest.mark.parametrize("path", [route.path for route in ROUTES if "GET" in route.methods])
def test_head_is_as_get_without_a_body(client: Client, path: str) -> None:
    path = path.format(make_channel().uuid)
    got, head = client.get(path), client.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    different = {"X-Request-ID", "Allow"}
    # The text of some pages has a value of its own each time.
    if got.headers.get("ETag") != head.headers.get("ETag"):
        different |= {"ETag", "Content-Length"}
    names = (set(got.headers) | set(head.headers)) - different - {"Set-Cookie"}
    assert {name: head.headers.get(name) for name in names} == {
        name: got.headers.get(name, str(len(got.content)) if name == "Content-Length" else None) for name in names
    }


def test_head_of_an_error_and_of_an_unchanged_answer(client: Client) -> None:
    missing = client.head(f"/channels/{uuid4()}")
    assert (missing.status_code, missing.content) == (404, b"")
    path = f"/channels/{make_channel().uuid}"
    unchanged = client.head(path, headers={"If-None-Match": client.head(path)["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert "Content-Length" not in unchanged


def test_head_writes_nothing_and_is_refused_where_there_is_no_get(client: Client) -> None:
    response = client.head(f"/channels/{make_channel().uuid}/stop")
    assert response.status_code == 405
    assert "GET" not in response["Allow"]


# OPTIONS


@pytest.mark.parametrize("route", ROUTES, ids=PATHS)
def test_options_is_a_204_that_names_the_methods(client: Client, route: hostile.Route, settings: Any) -> None:
    settings.API_PUBLIC_READ = False
    for headers in ({}, bearer("nonsense"), {"Authorization": "nonsense"}):
        response = client.options(route.path.format(uuid4()), headers=headers)
        assert (response.status_code, response.content) == (204, b"")
        expected = set(route.methods) | ({"HEAD"} if "GET" in route.methods else set())
        assert listed(response["Allow"]) == expected
        assert "Content-Type" not in response


def test_a_405_names_the_same_methods(client: Client) -> None:
    for path in ("/channels", "/channels/live", "/healthz"):
        refused = client.generic("FOO", path)
        assert refused.status_code == 405
        assert listed(refused["Allow"]) == listed(client.options(path)["Allow"])


def test_options_of_an_unknown_route_is_a_404(client: Client) -> None:
    assert client.options("/nothing").status_code == 404


@pytest.mark.parametrize("path", ["/channels/", "/channels%0A", "/on-demand/search/", "/tags%0A"])
def test_a_path_of_a_route_with_a_slash_or_a_line_break_behind_it_is_a_404(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


# CORS


def preflight(client: Client, path: str, method: str = "PUT", **more: str) -> Any:
    headers_sent = {"Origin": ORIGIN, "Access-Control-Request-Method": method, **more}
    return client.options(path, headers={**headers_sent, "Access-Control-Request-Headers": "authorization, if-match"})


@pytest.mark.parametrize("route", ROUTES, ids=PATHS)
def test_a_preflight_allows_the_documented_methods(client: Client, route: hostile.Route, settings: Any) -> None:
    settings.API_PUBLIC_READ = False
    response = preflight(client, route.path.format(uuid4()))
    assert (response.status_code, response.content) == (204, b"")
    assert response["Access-Control-Allow-Origin"] == "*"
    assert {name.lower() for name in listed(response["Access-Control-Allow-Headers"])} == {
        "authorization",
        "content-type",
        "x-api-key",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "x-request-id",
    }
    assert set(route.methods) <= listed(response["Access-Control-Allow-Methods"])
    assert "Access-Control-Allow-Credentials" not in response


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/channels", 200),
        ("GET", "/channels/nonsense", 400),
        ("DELETE", "/channels/{}", 401),
        ("GET", "/nothing", 404),
        ("FOO", "/channels", 405),
        ("GET", "/channels?x=1", 400),
    ],
)
def test_every_answer_is_for_other_origins_and_shows_its_headers(
    client: Client, method: str, path: str, status: int
) -> None:
    response = client.generic(method, path.format(uuid4()), headers={"Origin": ORIGIN})
    assert response.status_code == status
    assert response["Access-Control-Allow-Origin"] == "*"
    assert listed(response["Access-Control-Expose-Headers"]) == {
        "ETag",
        "Retry-After",
        "X-Request-ID",
        "WWW-Authenticate",
    }
    assert "Access-Control-Allow-Credentials" not in response


def test_a_failure_is_for_other_origins_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("channels_app.api.viewsets.ChannelViewSet.retrieve", fail)
    response = client.get(f"/channels/{uuid4()}", headers={"Origin": ORIGIN})
    assert (response.status_code, response.json()["code"]) == (500, "server_error")
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "a bug" not in response.content.decode()


def test_a_refused_host_is_for_other_origins_too(client: Client) -> None:
    response = client.get("/channels", headers={"Origin": ORIGIN, "Host": "evil.example.com"})
    assert response.status_code == 400
    assert response["Access-Control-Allow-Origin"] == "*"


def test_only_the_origins_of_the_setting_are_allowed_where_it_names_some(client: Client, settings: Any) -> None:
    settings.CORS_ALLOW_ALL_ORIGINS = False
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://evil.example.com", None), ("null", None), ("http://[", None)):
        response = client.get("/channels", headers={"Origin": origin})
        assert response.headers.get("Access-Control-Allow-Origin") == allowed
        assert "Origin" in response["Vary"]


def test_the_admin_is_not_for_other_origins(client: Client) -> None:
    for response in (client.get("/admin/login/", headers={"Origin": ORIGIN}), preflight(client, "/admin/login/")):
        assert "Access-Control-Allow-Origin" not in response


# Compression


def many_channels() -> None:
    for number in range(10):
        make_channel(name=f"Channel {number} " + "x" * 50)


def test_answers_are_compressed_for_clients_that_accept_it(client: Client) -> None:
    many_channels()
    plain = client.get("/channels")
    packed = client.get("/channels", headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content)
    assert gzip.decompress(packed.content) == plain.content
    assert "Content-Encoding" not in client.get("/channels", headers={"Accept-Encoding": "identity"})


# Names of requests


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """Return the log lines, in the format of the settings."""
    from django.conf import settings

    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter(settings.LOGGING["formatters"]["line"]["format"]))
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("name", ["a", "3f1c", "1-67891233-abcdef012345678912345678", "a/b+c=@d:e;f~g._", "x" * 128])
def test_the_name_that_a_request_brings_is_in_its_answer_and_every_line(
    client: Client, lines: StringIO, name: str
) -> None:
    for path in ("/channels", "/nothing", "/channels/nonsense"):
        assert client.get(path, headers={"X-Request-ID": name})["X-Request-ID"] == name
    logged = lines.getvalue().splitlines()
    assert len(logged) >= 2
    assert all(f" request={name} " in line for line in logged)


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a\nrequest=forged", "\r", "x" * 129, "é", "\xff", "a\0", '"', "<script>"]
)
def test_a_name_that_would_spoil_the_log_is_replaced(client: Client, lines: StringIO, name: str) -> None:
    given = client.get("/nothing", HTTP_X_REQUEST_ID=name)["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{32}", given)
    assert f" request={given} " in lines.getvalue()
    assert "forged" not in lines.getvalue()


def test_each_request_without_a_name_gets_its_own(client: Client) -> None:
    assert len({client.get("/healthz")["X-Request-ID"] for _ in range(5)}) == 5


def test_a_failure_has_its_name_in_the_log_beside_the_traceback(
    client: Client, lines: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("channels_app.api.viewsets.ChannelViewSet.retrieve", fail)
    response = client.get(f"/channels/{uuid4()}", headers={"X-Request-ID": "the-name"})
    assert (response.status_code, response["X-Request-ID"]) == (500, "the-name")
    assert "request=the-name" in lines.getvalue()
    assert "RuntimeError: a bug" in lines.getvalue()


def test_lines_outside_of_any_request_have_a_dash(lines: StringIO) -> None:
    token = request_id.set("-")
    logging.getLogger("ivsvod").warning("alone")
    request_id.reset(token)
    assert " request=- alone" in lines.getvalue()


def test_an_event_on_lambda_has_the_name_of_its_invocation(
    aws: LocalAws, lines: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Context:
        aws_request_id = "8f5e-of-lambda"

    def away(*_: Any) -> None:
        raise OSError("away")

    request_id.set("of-the-last-request")
    monkeypatch.setattr("channels_app.events.inbox.ingest", away)
    lambda_handler({"Records": [{"messageId": "m", "body": "{}"}]}, Context())
    assert "request=8f5e-of-lambda batch failed" in lines.getvalue()
    assert "of-the-last-request" not in lines.getvalue()


# Between them


def test_a_write_of_another_origin_works_from_preflight_to_answer(client: Client, settings: Any) -> None:
    settings.AUTH_API_KEY = SECRET
    path = f"/on-demand/{make_video().uuid}"
    assert preflight(client, path, "DELETE").status_code == 204
    response = client.delete(path, headers={**bearer(SECRET), "Origin": ORIGIN})
    assert (response.status_code, response.content) == (200, b"OK")
    assert response["Access-Control-Allow-Origin"] == "*"
