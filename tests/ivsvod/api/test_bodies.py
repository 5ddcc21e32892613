"""Bodies of requests are refused by length and sender before they are read."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

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
