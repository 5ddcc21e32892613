"""Public reads, sessions of staff, and when the answer is 401 or 403. Tokens: test_tokens.py."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from ivsvod.accounts.models import ApiToken, User
from ondemand.models import Content, Video
from tests.support import hostile
from tests.support.helpers import bearer, make_account, make_channel, make_token, make_video

pytestmark = pytest.mark.django_db
CSRF = "a" * 32
OPEN = {"/healthz", "/schema", "/docs"}
ROUTES = [route for route in hostile.routes() if route.methods and route.path not in OPEN]
# What players load is open; grants, and what curators ask about a video, are for other scopes.
READS = [
    route.path
    for route in ROUTES
    if "GET" in route.methods
    and not route.path.startswith("/play")
    and not route.path.endswith(("/explain", "/suggestions"))
]
WRITES = [
    (method, route.path) for route in ROUTES for method in route.methods if method in {"POST", "PUT", "PATCH", "DELETE"}
]


@pytest.fixture
def client() -> Client:
    """Sees the answer to a failure as a client does."""
    return Client(raise_request_exception=False)


@pytest.fixture
def uuid() -> str:
    """Of a channel and a video alike, so that each route finds something."""
    return str(make_channel(uuid=make_video().uuid).uuid)


def signed_in(user: User, *, strict: bool = False) -> Client:
    browser = Client(enforce_csrf_checks=strict, raise_request_exception=False)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    browser.force_login(user)
    return browser


def assert_401(response: Any) -> None:
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized"), response.wsgi_request
    assert response["WWW-Authenticate"] == "Bearer"
    assert sorted(response.json()) == ["code", "error", "fields"]


def assert_403(response: Any) -> None:
    assert (response.status_code, response.json()["code"]) == (403, "forbidden"), response.wsgi_request
    assert "WWW-Authenticate" not in response
    assert sorted(response.json()) == ["code", "error", "fields"]


# Each route


def test_a_write_needs_a_credential_and_its_scope(client: Client, uuid: str) -> None:
    _, text = make_token("read")
    reader = signed_in(make_account("read"))
    for method, path in ((method, path.format(uuid)) for method, path in WRITES):
        assert_401(client.generic(method, path, b"{}"))
        assert_401(client.generic(method, path, b"{}", headers=bearer("nonsense")))
        assert_401(client.generic(method, path, b"{}", headers={"Authorization": "Basic eDp5"}))
        assert_403(client.generic(method, path, b"{}", headers=bearer(text)))
        assert_403(reader.generic(method, path, b"{}"))
    assert Video.objects.get().active
    assert not Content.objects.exists()


def test_a_read_is_public_until_the_setting_says_otherwise(client: Client, uuid: str, settings: Any) -> None:
    paths = [path.format(uuid) for path in READS]
    for path in paths:
        assert client.get(path).status_code == 200, path
        assert_401(client.get(path, headers=bearer("nonsense")))
    settings.API_PUBLIC_READ, settings.AUTH_API_KEY = False, "a shared key"
    _, without = make_token("curate", "channels", "playback")
    _, text = make_token("read")
    curator, reader = signed_in(make_account("curate")), signed_in(make_account("read"))
    for path in paths:
        assert_401(client.get(path))
        assert_403(client.get(path, headers=bearer(without)))
        assert_403(curator.get(path))
        assert client.get(path, headers=bearer(text)).status_code == 200, path
        assert reader.get(path).status_code == 200, path
        assert client.get(path, headers=bearer("a shared key")).status_code == 200, path


@pytest.mark.parametrize("path", sorted(OPEN))
def test_health_and_documents_are_open_to_everyone(client: Client, settings: Any, path: str) -> None:
    settings.API_PUBLIC_READ = False
    for headers in ({}, bearer("nonsense"), {"Authorization": "\xff"}):
        assert client.get(path, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/channels", "/channels/nonsense", "/on-demand?page=1&x=1"])
def test_authentication_runs_before_the_validation_of_a_request(client: Client, path: str) -> None:
    assert_401(client.get(path, headers=bearer("nonsense")))
    assert_401(client.generic("FOO", path, headers=bearer("nonsense")))


@pytest.mark.parametrize("header", ["{}", "Token {}", "bearer  {}", "any words {}"])
def test_only_the_last_part_of_the_header_counts_for_the_shared_key(
    client: Client, uuid: str, settings: Any, header: str
) -> None:
    settings.AUTH_API_KEY = "key-1"
    for key, status in (("key-1", 200), ("key-2", 401)):
        response = client.get(f"/on-demand/{uuid}", headers={"Authorization": header.format(key)})
        assert response.status_code == status


def test_x_api_key_is_a_header_of_old_clients_and_no_credential(client: Client, uuid: str, settings: Any) -> None:
    settings.AUTH_API_KEY = "a shared key"
    assert_401(client.delete(f"/on-demand/{uuid}", headers={"X-Api-Key": "a shared key"}))


def test_a_credential_in_the_address_is_none(client: Client, uuid: str, settings: Any) -> None:
    settings.AUTH_API_KEY = "shared"
    _, text = make_token("curate")
    for query in ("access_token=shared", "api_key=shared", f"token={text}"):
        assert client.delete(f"/on-demand/{uuid}?{query}").status_code == 401
    assert Video.objects.get().active


# Sessions of staff


def test_a_session_reads_without_and_writes_with_the_csrf_token(uuid: str) -> None:
    user = make_account("curate", "read")
    strict = signed_in(user, strict=True)
    path = f"/on-demand/{uuid}"
    assert strict.get(path).status_code == 200
    assert_403(strict.put(path, "{}", "application/json"))
    strict.cookies["csrftoken"] = CSRF
    for token in ("", "b" * 32, CSRF[:-1], "\xff" * 32, "a" * 10_000):
        assert_403(strict.put(path, "{}", "application/json", headers={"X-CSRFToken": token}))
    assert not Content.objects.exists()
    assert strict.put(path, "{}", "application/json", headers={"X-CSRFToken": CSRF}).status_code == 200
    assert Content.objects.get().created_by == user.pk


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_form_of_another_page_writes_nothing(uuid: str, content_type: str) -> None:
    """Such a form sends the cookies of the session, and could hold the field of the token."""
    strict = signed_in(make_account("channels"), strict=True)
    strict.cookies["csrftoken"] = CSRF
    body = f"csrfmiddlewaretoken={CSRF}&name=x".encode()
    assert_403(strict.generic("POST", "/channels", body, content_type))


def test_a_bearer_takes_precedence_over_a_session_and_needs_no_csrf_token(uuid: str) -> None:
    strict = signed_in(make_account("read"), strict=True)
    _, text = make_token("curate")
    assert strict.delete(f"/on-demand/{uuid}", headers=bearer(text)).status_code == 200
    assert_401(strict.get(f"/on-demand/{uuid}", headers=bearer("nonsense")))


def test_a_session_has_the_permissions_of_its_account_at_once(uuid: str) -> None:
    user = make_account()
    browser = signed_in(user)
    path = f"/on-demand/{uuid}"
    assert_403(browser.delete(path))
    user.groups.add(Group.objects.get(name="Curators"))
    assert browser.delete(path).status_code == 200
    # What is no staff any more is nobody here, whatever the session was.
    User.objects.update(is_staff=False)
    assert_401(browser.delete(path))
    User.objects.update(is_staff=True, is_active=False)
    assert_401(browser.delete(path))


@pytest.mark.parametrize("group", ["Curators", "Channel managers", "Viewers"])
def test_members_of_a_ready_made_group_have_its_permissions(uuid: str, group: str, settings: Any) -> None:
    settings.API_PUBLIC_READ = False
    user = make_account()
    user.groups.add(Group.objects.get(name=group))
    browser = signed_in(user)
    statuses = {
        "read": browser.get("/channels").status_code,
        "curate": browser.delete(f"/on-demand/{uuid}").status_code,
        "channels": browser.post("/channels", "{}", "application/json").status_code,
    }
    assert statuses == {
        "read": 200,
        "curate": 200 if group == "Curators" else 403,
        # The scope is there, the body is not.
        "channels": 400 if group == "Channel managers" else 403,
    }


def test_signing_out_ends_the_session_for_the_api_too(uuid: str) -> None:
    browser = signed_in(make_account("curate", is_staff=True))
    browser.post("/admin/logout/")
    assert_401(browser.delete(f"/on-demand/{uuid}"))


def test_an_invalid_session_is_anonymous(client: Client, uuid: str) -> None:
    client.cookies["sessionid"] = "a" * 32
    assert client.get(f"/on-demand/{uuid}").status_code == 200
    assert_401(client.delete(f"/on-demand/{uuid}"))


# Queries


def test_authentication_takes_few_queries(client: Client, settings: Any, django_assert_num_queries: Any) -> None:
    settings.AUTH_API_KEY = "a shared key"
    _, text = make_token("read")
    ApiToken.objects.update(last_used_at=timezone.now())
    path = f"/channels/{uuid4()}/live"
    with django_assert_num_queries(1):
        client.get(path)
    with django_assert_num_queries(1):
        client.get(path, headers=bearer("a shared key"))
    with django_assert_num_queries(2):
        client.get(path, headers=bearer(text))
    # Nothing is asked of the database for what can be no token of ours.
    with django_assert_num_queries(0):
        client.get(path, headers=bearer("\xff"))
