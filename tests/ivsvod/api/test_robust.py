"""No request breaks the service: hostile ones at every route, and the kinds of input one by one."""

import json
from io import BytesIO
from itertools import product
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from channels_app.models import Channel
from ivsvod.accounts.models import ApiToken, User
from tests.support import hostile
from tests.support.helpers import THOROUGH, assert_error, bearer, make_channel, make_video
from tools.local.aws import LocalAws

pytestmark = pytest.mark.slow

SECRET = "a shared key of a test"
LIMIT = 10 * 1024 * 1024


@pytest.fixture
def client() -> Client:
    """Sees the answer to a failure as a client does."""
    return Client(raise_request_exception=False)


@pytest.fixture
def key(settings: Any) -> dict[str, str]:
    """The header of someone with full access."""
    settings.AUTH_API_KEY = SECRET
    return bearer(SECRET)


# All at once


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", [1, 2][: 2 if THOROUGH else 1])
def test_hostile_requests_give_no_5xx_and_change_no_row(aws: LocalAws, seed: int) -> None:
    outcome = hostile.attack(requests=400 if THOROUGH else 200, seed=seed, uuids=hostile.some_rows())
    assert not outcome.failures, str(outcome)
    assert not outcome.changed, str(outcome)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", [4, 5][: 2 if THOROUGH else 1])
def test_hostile_requests_with_full_access_give_no_5xx(aws: LocalAws, key: dict[str, str], seed: int) -> None:
    staff = User.objects.create_superuser("boss", password="a long password of a test")
    outcome = hostile.attack(
        requests=200 if THOROUGH else 80, seed=seed, uuids=hostile.some_rows(), credential=SECRET, staff=staff
    )
    assert not outcome.failures, str(outcome)


def test_every_route_of_the_api_is_tried() -> None:
    found = {route.path: set(route.methods) for route in hostile.routes()}
    assert {"GET", "PUT", "PATCH", "DELETE"} <= found["/on-demand/{}"]
    assert {"GET", "POST"} <= found["/channels"]
    assert "/healthz" in found
    assert "/admin/ondemand/video/{}/change/" in found
    assert not [path for path in found if set(path) & set("<>^$\\()")]
    made = hostile.Hostile(1, [uuid4()])
    untried = {path for path in found if "{}" not in path and not path.startswith("/admin")}
    for _ in range(10_000):
        if not untried:
            break
        untried.discard(made.request().path.split("?")[0])
    assert not untried


@pytest.mark.django_db
def test_a_changed_row_is_seen_and_the_last_use_of_a_token_is_none(aws: LocalAws) -> None:
    hostile.some_rows()
    before = hostile.fingerprint()
    ApiToken.objects.update(last_used_at=timezone.now())
    assert hostile.fingerprint() == before
    Channel.objects.update(name="another")
    changed = hostile.fingerprint()
    assert [table for table in before if before[table] != changed[table]] == ["channels_app_auditentry", "ivs_channels"]


def test_the_same_seed_makes_the_same_requests() -> None:
    uuid = uuid4()
    first, second = (hostile.Hostile(7, [uuid]) for _ in range(2))
    # Those with a uuid of their own aside.
    made = [(first.request(), second.request()) for _ in range(50)]
    assert all((a.method, a.path, a.headers) == (b.method, b.path, b.headers) for a, b in made)


# Paths


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/on-demand/%00",
        "/on-demand/a%00b",
        "/on-demand/%ff",
        "/on-demand/%ed%a0%80",
        "/on-demand/%F0%9F%98%80",
        "/on-demand/" + "9" * 5000,
        "/channels/%00",
        "/channels/%00/live",
        "/channels/%E2%80%AE/live",
        "/channels/{}%00",
    ],
)
def test_a_path_with_any_bytes_is_a_400(client: Client, path: str) -> None:
    assert_error(client.get(path.format(uuid4())), 400)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/%00", "/%ff/%ff", "/on-demand%00", "/\u202e", "/" + "a" * 20_000, "/%2e%2e/%2e%2e"])
def test_an_unknown_path_with_any_bytes_is_a_404(client: Client, path: str) -> None:
    assert_error(client.get(path), 404)


# Queries


@pytest.mark.django_db
@given(name=st.text(max_size=20), value=st.text(max_size=50))
@hypothesis_settings(
    max_examples=60 if THOROUGH else 30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_parameter_is_answered(client: Client, name: str, value: str) -> None:
    query = f"{quote(name.encode('utf-8', 'surrogatepass'))}={quote(value.encode('utf-8', 'surrogatepass'))}"
    assert client.get(f"/channels?{query}").status_code in (200, 400, 401)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    ["page=" + "9" * 5000, "pageSize=" + "9" * 5000, "page=1e9", "page=%00", "pageSize=%ff", "page=-1&pageSize=0"],
)
def test_a_huge_or_nonsensical_page_is_a_page(client: Client, query: str) -> None:
    make_channel()
    assert client.get(f"/channels?{query}").status_code == 200


@pytest.mark.django_db
def test_too_many_parameters_are_a_400(client: Client) -> None:
    assert_error(client.get("/channels?" + "&".join(f"a{number}=1" for number in range(1200))), 400)


# Bodies


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[",
        b"\xff",
        b"\x00",
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": 1e999}',
        b'{"name": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 101 + b"]" * 101,
        '{"name": "x"}'.encode("utf-16"),
        '{"name": "\u00e9"}'.encode("latin-1"),
        b"{'name': 'x'}",
        b'{"name": "x",}',
        b'{"name": "a\nb"}',
        b'{"name": "x"} {}',
        b"// x\n{}",
    ],
)
def test_a_body_that_is_not_json_is_a_400_with_that_reason(client: Client, key: dict[str, str], body: bytes) -> None:
    document = assert_error(client.generic("POST", "/channels", body, "application/json", headers=key), 400)
    assert "fields" in document
    assert not Channel.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"null", b"[]", b"[{}]", b"5", b'"x"', b"true", b"[" * 99 + b"]" * 99])
def test_json_that_is_no_object_is_a_400(client: Client, key: dict[str, str], body: bytes) -> None:
    assert_error(client.generic("POST", "/channels", body, "application/json", headers=key), 400)


@pytest.mark.django_db
@pytest.mark.parametrize("depth", [101, 200, 400])
def test_deeply_nested_json_is_a_400_with_that_reason(client: Client, key: dict[str, str], depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        body = f'{{"name": {opening * depth}1{closing * depth}}}'
        document = assert_error(client.post("/channels", body, "application/json", headers=key), 400)
        assert "nested deeper than 100" in document["error"]


@pytest.mark.django_db
@pytest.mark.parametrize("value", ["\\u0000", "a\\u0000b", "\\ud800", "\\udfff\\ud800", "\\ud83d"])
def test_text_that_cannot_be_stored_is_a_400_that_names_its_field(
    client: Client, key: dict[str, str], value: str
) -> None:
    body = f'{{"name": "{value}", "userId": "{uuid4()}"}}'
    document = assert_error(client.post("/channels", body, "application/json", headers=key), 400)
    assert list(document["fields"]) == ["name"]


@pytest.mark.django_db
def test_a_name_that_stands_twice_is_a_400_that_names_it(client: Client, key: dict[str, str]) -> None:
    path = f"/on-demand/{make_video().uuid}"
    for body, name in (
        ('{"title": "a", "title": "b"}', "title"),
        ('{"title": "a", "x": {"y": 1, "y": 2}}', "y"),
        ('{"\\ud800": 1, "\\ud800": 2}', "?"),
    ):
        document = assert_error(client.patch(path, body, "application/json", headers=key), 400)
        assert document["code"] == "invalid"
        assert list(document["fields"]) == [name]
        assert "twice" in document["error"]


@pytest.mark.django_db
def test_put_and_post_take_the_last_one_as_the_predecessor_did(
    client: Client, aws: LocalAws, key: dict[str, str]
) -> None:
    body = f'{{"name": "a", "userId": "{uuid4()}", "name": "b"}}'
    made = client.post("/channels", body, "text/plain", headers=key)
    assert (made.status_code, made.json()["name"]) == (200, "b")
    path = f"/on-demand/{make_video().uuid}"
    response = client.put(path, '{"title": "a", "title": "b"}', "application/json", headers=key)
    assert (response.status_code, response.json()["title"]) == (200, "b")


@pytest.mark.django_db
def test_a_byte_order_mark_is_no_part_of_the_document(client: Client, key: dict[str, str]) -> None:
    path = f"/on-demand/{make_video().uuid}"
    body = b'\xef\xbb\xbf{"title": "x"}'
    assert client.generic("PUT", path, body, "application/json", headers=key).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["\u202e\u0645\u0631\u062d\u0628\u0627", "👩‍👩‍👧‍👦", "e\u0301", "\ufffe\uffff", "\U0010ffff"]
)
def test_text_of_any_direction_and_plane_comes_back_as_it_went(client: Client, key: dict[str, str], text: str) -> None:
    path = f"/on-demand/{make_video().uuid}"
    response = client.put(path, json.dumps({"title": text, "tags": [text]}), "application/json", headers=key)
    assert (response.json()["title"], response.json()["tags"]) == (text, [text])


@pytest.mark.django_db
def test_ten_thousand_tags_are_kept_by_put(client: Client, key: dict[str, str]) -> None:
    """The predecessor took any number."""
    path = f"/on-demand/{make_video().uuid}"
    tags = [f"tag-{number}" for number in range(10_000)]
    response = client.put(path, json.dumps({"tags": tags}), "application/json", headers=key)
    assert (response.status_code, response.json()["tags"]) == (200, tags)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/channels"), ("PUT", "/on-demand/{}"), ("PATCH", "/channels/{}")]
)
def test_more_than_ten_megabytes_are_a_413(client: Client, key: dict[str, str], method: str, path: str) -> None:
    channel, video = make_channel(), make_video()
    path = path.format(video.uuid if "demand" in path else channel.uuid)
    body = b'{"title": "' + b"x" * LIMIT + b'"}'
    assert assert_error(client.generic(method, path, body, "application/json", headers=key), 413)["code"] == "too_large"
    # Nobody reads the body of someone who may not write.
    assert_error(client.generic(method, path, body, "application/json"), 401)


@pytest.mark.django_db
def test_a_body_of_ten_megabytes_is_read(client: Client, key: dict[str, str]) -> None:
    body = b'{"title": "x"' + b" " * (LIMIT - 20) + b"}"
    response = client.generic("PUT", f"/on-demand/{make_video().uuid}", body, "application/json", headers=key)
    assert (response.status_code, response.json()["title"]) == (200, "x")


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_without_a_length_is_a_411(client: Client, key: dict[str, str], method: str) -> None:
    response = client.generic(
        method, f"/on-demand/{make_video().uuid}", b"", headers=key, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked"
    )
    assert assert_error(response, 411)["code"] == "length_required"


@pytest.mark.django_db
@pytest.mark.parametrize("length", ["-1", "x", "1.5", " 1", "٣", "0x10", "9" * 30, "+1", "1_0"])
def test_a_length_that_is_none_is_a_400(client: Client, key: dict[str, str], length: str) -> None:
    path = f"/on-demand/{make_video().uuid}"
    assert_error(client.generic("PUT", path, b"{}", headers=key, CONTENT_LENGTH=length), 400)


@pytest.mark.django_db
def test_a_body_that_ends_early_is_a_400(client: Client, key: dict[str, str]) -> None:
    path = f"/on-demand/{make_video().uuid}"
    sent = {"CONTENT_LENGTH": "9999", "wsgi.input": BytesIO(b'{"title": "x"}')}
    assert_error(client.generic("PUT", path, headers=key, **sent), 400)


@pytest.mark.django_db
def test_the_body_of_a_route_that_is_new_must_be_json(client: Client, key: dict[str, str], aws: LocalAws) -> None:
    made = client.post("/channels", {"name": "x", "userId": str(uuid4())}, "application/json", headers=key).json()
    path = f"/channels/{made['uuid']}"
    for content_type, status in (
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/merge-patch+json", 200),
        ("", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/xml", 415),
        ("\xff", 415),
    ):
        response = client.generic("PATCH", path, b'{"name": "y"}', content_type, headers=key)
        assert response.status_code == status, (content_type, response.content)
        if status == 415:
            assert assert_error(response, 415)["code"] == "unsupported_media_type"


# Headers


@pytest.mark.django_db
@pytest.mark.parametrize("name", hostile.HEADERS)
def test_any_value_of_a_header_is_answered(client: Client, name: str) -> None:
    uuid = make_channel().uuid
    cases = list(product(hostile.HEADER_VALUES, ("GET", "DELETE")))
    # By default each value by a fifth of the headers.
    for value, method in cases if THOROUGH else cases[hostile.HEADERS.index(name) % 5 :: 5]:
        response = client.generic(method, f"/channels/{uuid}", b"", **{name: value})
        assert response.status_code < 500, (name, value, method)
    assert Channel.objects.get().active


@pytest.mark.django_db
@pytest.mark.parametrize("cookie", hostile.COOKIES)
def test_no_cookie_gives_a_5xx(client: Client, cookie: str) -> None:
    for path in ("/channels", "/admin/", "/healthz", "/nothing"):
        assert client.get(path, HTTP_COOKIE=cookie).status_code < 500


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["application/xml", "text/html", "x", "*/*;q=0", "\xff", ""])
def test_accept_is_not_looked_at(client: Client, accept: str) -> None:
    response = client.get("/channels", headers={"Accept": accept})
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
