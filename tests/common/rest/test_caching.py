"""Versions and lives of answers: ETag, If-None-Match, If-Match, Vary and Cache-Control."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from channels_app.models import Channel
from tests.support import hostile
from tests.support.helpers import bearer, kept, make_account, make_channel, make_token, make_video

pytestmark = pytest.mark.django_db
GZIP = {"Accept-Encoding": "gzip"}
SECRET = "a shared key of a test"


@pytest.fixture
def path() -> str:
    """Of a channel whose answer is long enough to be compressed."""
    return f"/channels/{make_channel(name='x' * 250).uuid}"


@pytest.fixture
def key(settings: Any) -> dict[str, str]:
    """The header of someone with full access."""
    settings.AUTH_API_KEY = SECRET
    return bearer(SECRET)


def listed(text: str) -> set[str]:
    return {part.strip() for part in text.split(",")}


# Versions


def test_the_same_answer_has_the_same_version_and_another_one_another(client: Client, path: str) -> None:
    first = client.get(path)["ETag"]
    assert first.startswith('"')
    assert client.get(path)["ETag"] == first
    Channel.objects.update(name="another")
    assert client.get(path)["ETag"] != first


@pytest.mark.parametrize("list_path", ["/channels?pageSize=1", "/on-demand?pageSize=1"])
def test_a_list_with_a_next_page_keeps_its_version(client: Client, list_path: str, monkeypatch: Any) -> None:
    for _ in range(2):
        make_channel()
        make_video()
    first = client.get(list_path)
    assert first.json()["next"]
    # The text of the cursor holds no time.
    monkeypatch.setattr("django.core.signing.time.time", lambda: 4e9)
    assert client.get(list_path)["ETag"] == first["ETag"]


def test_an_unchanged_answer_is_a_304(client: Client, path: str) -> None:
    first = client.get(path)
    tag = first["ETag"]
    for header in (tag, f"W/{tag}", f'"other", {tag}', f'"other",W/{tag}', "*", f'  {tag} , "x"'):
        response = client.get(path, headers={"If-None-Match": header})
        assert (response.status_code, response.content) == (304, b""), header
        assert response["ETag"] == tag
        for name in ("Cache-Control", "Vary"):
            assert listed(response[name]) == listed(first[name])
        assert "Content-Type" not in response
    for header in ('"other"', tag.strip('"'), "", '"', f"X/{tag}", "\xff"):
        assert client.get(path, headers={"If-None-Match": header}).status_code == 200, header


def test_the_version_is_the_same_compressed_or_not(client: Client, path: str) -> None:
    plain, packed = client.get(path)["ETag"], client.get(path, headers=GZIP)["ETag"]
    assert packed == f"W/{plain}"
    for tag in (plain, packed):
        for more in ({}, GZIP):
            assert client.get(path, headers={"If-None-Match": tag, **more}).status_code == 304


def test_a_304_of_a_compressed_answer_has_a_matching_version(client: Client, path: str) -> None:
    tag = client.get(path, headers=GZIP)["ETag"]
    again = client.get(path, headers={"If-None-Match": tag, **GZIP})
    assert again["ETag"].removeprefix("W/") == tag.removeprefix("W/")


def test_an_error_has_no_version_and_is_never_a_304(client: Client) -> None:
    for path in (f"/channels/{uuid4()}", "/channels/nonsense", "/nothing"):
        response = client.get(path, headers={"If-None-Match": "*"})
        assert response.status_code in (400, 404)
        assert "ETag" not in response


def test_a_write_is_no_304(client: Client, key: dict[str, str]) -> None:
    response = client.delete(f"/on-demand/{make_video().uuid}", headers={**key, "If-None-Match": "*"})
    assert response.status_code == 200
    assert "ETag" not in response


def test_callers_with_more_scopes_get_another_version(client: Client, path: str, key: dict[str, str]) -> None:
    assert client.get(path)["ETag"] != client.get(path, headers=key)["ETag"]


# Writes


@pytest.mark.parametrize("spell", ["{}", "W/{}", '"x", {}', "*"])
def test_if_match_with_the_version_that_is_there_lets_a_write_through(
    client: Client, key: dict[str, str], spell: str
) -> None:
    path = f"/on-demand/{make_video().uuid}"
    tag = client.get(path, headers=key)["ETag"]
    response = client.put(path, "{}", "application/json", headers={**key, "If-Match": spell.format(tag)})
    assert response.status_code == 200


@pytest.mark.parametrize("header", ['"other"', 'W/"other"', "", "nonsense", '"', "\xff"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_if_match_with_another_version_is_a_412(client: Client, key: dict[str, str], header: str, method: str) -> None:
    video = make_video()
    response = client.generic(method, f"/on-demand/{video.uuid}", b"{}", headers={**key, "If-Match": header})
    assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
    video.refresh_from_db()
    assert video.active


def test_two_editors_of_one_video_do_not_overwrite_each_other(client: Client, key: dict[str, str]) -> None:
    path = f"/on-demand/{make_video().uuid}"
    tag = client.get(path, headers={**key, **GZIP})["ETag"]
    statuses = [
        client.put(path, f'{{"title": "{name}"}}', "application/json", headers={**key, "If-Match": tag}).status_code
        for name in ("first", "second")
    ]
    assert statuses == [200, 412]
    assert client.get(path).json()["content"]["title"] == "first"


# Lives


def test_public_answers_may_be_kept(client: Client, path: str) -> None:
    for route, seconds in (
        (path, 2),
        (f"{path}/live", 2),
        ("/channels", 10),
        ("/channels/live", 2),
        ("/on-demand", 10),
    ):
        response = client.get(route)
        assert response["Cache-Control"] == kept(seconds), route
        assert {name.lower() for name in listed(response["Vary"])} == {"origin", "accept-encoding"}


def test_a_session_that_is_none_changes_nothing_of_a_public_answer(client: Client) -> None:
    response = client.get("/on-demand", HTTP_COOKIE="sessionid=gone")
    assert response["Cache-Control"].startswith("public")
    assert {name.lower() for name in listed(response["Vary"])} == {"origin", "accept-encoding"}
    assert not response.cookies


@pytest.mark.parametrize("route", [route.path for route in hostile.routes() if "GET" in route.methods])
def test_every_public_answer_varies_alike_and_sets_no_cookie(client: Client, route: str) -> None:
    response = client.get(route.format(make_channel().uuid))
    assert {name.lower() for name in listed(response["Vary"])} == {"origin", "accept-encoding"}
    assert not response.cookies
    assert "Cache-Control" in response


def test_answers_to_a_credential_are_never_cached(client: Client, path: str, key: dict[str, str]) -> None:
    _, text = make_token("read")
    for headers in (key, bearer(text), bearer("nonsense")):
        for route in (path, "/channels", "/on-demand", "/channels/nonsense", f"/channels/{uuid4()}"):
            assert listed(client.get(route, headers=headers)["Cache-Control"]) == {"private", "no-store"}


def test_answers_to_a_session_are_never_cached(path: str) -> None:
    browser = Client()
    browser.force_login(make_account("channels", is_staff=True))
    for route in (path, "/channels"):
        assert listed(browser.get(route)["Cache-Control"]) == {"private", "no-store"}


def test_a_session_that_is_none_gets_the_public_answer(client: Client, path: str) -> None:
    client.cookies["sessionid"] = "a" * 32
    assert "public" in client.get(path)["Cache-Control"]


def test_errors_and_writes_are_not_kept(client: Client) -> None:
    for method, route in (("GET", f"/channels/{uuid4()}"), ("GET", "/nothing"), ("DELETE", f"/on-demand/{uuid4()}")):
        assert "no-store" in client.generic(method, route)["Cache-Control"]


def test_health_is_never_cached(client: Client) -> None:
    assert client.get("/healthz")["Cache-Control"] == "no-store"
