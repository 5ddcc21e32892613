"""Bodies of requests: refused by length and sender before they are read, and read for a limited time."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import request_started
from django.db import close_old_connections
from django.test import Client

from ivsvod import timed_bodies
from ivsvod.accounts.models import User
from ivsvod.wsgi import application
from ondemand.videos.uploads import LARGEST_FILE
from tests.support.helpers import assert_error, bearer, make_account, make_token, make_video
from tests.support.pictures import picture_file

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
MB = 1024 * 1024


class Unread:
    """A body that nobody may read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def send_unread(client: Client, path: str, length: int, kind: str = MULTIPART, **more: Any) -> Any:
    unread = {"wsgi.input": Unread(), "CONTENT_LENGTH": str(length), "CONTENT_TYPE": kind}
    return client.generic("POST", path, **unread, **more)


def signed_in(*permissions: str) -> Client:
    client = Client()
    client.force_login(make_account(*permissions, is_staff=True))
    return client


# How large, and from whom


@pytest.mark.parametrize("kind", [MULTIPART, FORM])
@pytest.mark.parametrize("path", [LOGIN, "/admin/", "/admin/ondemand/video/", "/"])
def test_an_anonymous_body_over_a_megabyte_is_a_413_before_it_is_read(path: str, kind: str) -> None:
    assert_error(send_unread(Client(), path, MB + 1, kind), 413, "too_large")


def test_a_body_of_the_api_over_its_limit_is_a_413_before_it_is_read_and_a_401_for_others() -> None:
    _, token = make_token("channels")
    kind = "application/json"
    assert_error(send_unread(Client(), "/channels", 10 * MB + 1, kind, headers=bearer(token)), 413, "too_large")
    assert_error(send_unread(Client(), "/channels", 10 * MB + 1, kind), 401)


def test_a_form_for_a_page_that_needs_a_session_is_not_read_without_one() -> None:
    video = make_video()
    for path in (f"/admin/ondemand/video/{video.pk}/change/", "/admin/account/preferences/", "/admin/password_change/"):
        response = send_unread(Client(), path, 1000)
        assert (response.status_code, response["Location"]) == (302, f"{LOGIN}?next={path}")


def test_a_form_of_a_browser_without_the_cookie_of_its_page_is_not_read() -> None:
    assert send_unread(Client(enforce_csrf_checks=True), LOGIN, 1000).status_code == 403


def test_a_picture_and_nothing_else_may_be_larger_for_staff(browser: Client) -> None:
    page = f"/admin/ondemand/video/{make_video().pk}/change/"
    for path, length in ((page, LARGEST_FILE + MB + 1), ("/admin/account/preferences/", 10 * MB + 1)):
        response = send_unread(browser, path, length, headers={"Accept": "text/html"})
        assert response.status_code == 413
        assert "A picture has at most 10 MB" in response.content.decode()


def test_files_are_accepted_only_from_accounts_that_may_change_a_picture(browser: Client) -> None:
    page = f"/admin/ondemand/video/{make_video().pk}/change/"
    cases = [
        (browser, page, True),
        (browser, "/admin/account/preferences/", False),
        (signed_in("ondemand.view_video"), page, False),
        (Client(), LOGIN, False),
    ]
    for client, path, is_taken in cases:
        sent = {"picture": SimpleUploadedFile("a.png", picture_file("PNG", (8, 8))), "name": "value"}
        request = client.post(path, sent).wsgi_request
        assert (list(request.FILES), request.POST["name"]) == (["picture"] if is_taken else [], "value"), path


# For how long


@contextmanager
def slow_request(body: bytes, length: int, kind: str = FORM) -> Iterator[tuple[dict[str, Any], socket.socket]]:
    """The environ of a sign-in under gunicorn, and the end of its connection that the client holds."""
    server, client = socket.socketpair()
    with server, client, server.makefile("rb", buffering=0) as stream:
        client.sendall(body)
        environ = {
            **Client()._base_environ(PATH_INFO=LOGIN, REQUEST_METHOD="POST", HTTP_COOKIE=f"csrftoken={'a' * 32}"),
            "CONTENT_TYPE": kind,
            "CONTENT_LENGTH": str(length),
            "wsgi.input": BlockingInput(stream),
            "gunicorn.socket": server,
        }
        yield environ, client


class BlockingInput:
    """As gunicorn's: a read waits until all is there that was asked for."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def read(self, size: int) -> bytes:
        found = b""
        while len(found) < size and (more := self.stream.read(size - len(found))):
            found += more
        return found


def answer(environ: dict[str, Any]) -> tuple[str, bytes]:
    statuses: list[str] = []
    # As the test client does: the connection holds the transaction of the test.
    request_started.disconnect(close_old_connections)
    try:
        body = b"".join(application(environ, lambda status, *_: statuses.append(status)))
    finally:
        request_started.connect(close_old_connections)
    return statuses[0], body


@pytest.mark.parametrize("kind", [FORM, MULTIPART])
def test_a_body_that_does_not_arrive_in_time_is_a_408(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(timed_bodies, "LONGEST_SECONDS", 0.1)
    with slow_request(b"us", 1000, kind) as (environ, _):
        status, body = answer(environ)
    assert status.startswith("408 ")
    assert b'"request_timeout"' in body


def test_a_body_that_comes_byte_by_byte_is_a_408_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed_bodies, "LONGEST_SECONDS", 0.2)
    ended = threading.Event()
    with slow_request(b"us", 1000) as (environ, client):

        def drip() -> None:
            while not ended.wait(0.02):
                try:
                    client.sendall(b"x")
                except OSError:
                    return

        sender = threading.Thread(target=drip)
        sender.start()
        status, _ = answer(environ)
        ended.set()
        sender.join()
    assert status.startswith("408 ")


def test_a_body_that_comes_late_and_whole_is_read(staff: User) -> None:
    body = f"csrfmiddlewaretoken={'a' * 32}&username=boss&password=wrong".encode()
    with slow_request(body[:10], len(body)) as (environ, client):
        later = threading.Timer(0.1, client.sendall, [body[10:]])
        later.start()
        status, page = answer(environ)
        later.join()
    assert status.startswith("200 ")
    assert b"correct username and password" in page


def test_the_unread_rest_of_a_body_is_dropped_if_it_has_arrived() -> None:
    body = BytesIO(b"x" * 1000)
    with slow_request(b"", 1000) as (environ, _):
        answer({**environ, "HTTP_COOKIE": "", "wsgi.input": body})
    assert body.read() == b""
