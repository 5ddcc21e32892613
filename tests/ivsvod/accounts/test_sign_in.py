"""Signing in through the front door: what is counted against guessing, and what is stored of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from ivsvod.accounts.models import User
from ivsvod.accounts.sign_in import locked_until
from tests.support.clock import Clock
from tests.support.console import page, unrendered
from tests.support.helpers import bearer, make_token

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"
PASSWORD = "a long password 1"
ATTEMPTS = "/admin/axes/accessattempt/"
CHANGE = "/admin/password_change/"
SIGN_INS = "/admin/axes/accesslog/"
MINUTES = 15


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def sign_in(username: str = "boss", password: str = PASSWORD, client: Client | None = None, **more: Any) -> Any:
    return (client or Client()).post(LOGIN, {"username": username, "password": password}, **more)


def lock(username: str = "boss", **more: Any) -> Any:
    with unrendered():
        client = Client()
        for _ in range(9):
            sign_in(username, "wrong", client, **more)
    return sign_in(username, "wrong", **more)


def error_text(response: Any) -> str:
    html: str = response.content.decode()
    return html


# The count of an account at an address


def test_ten_wrong_passwords_lock_the_account_for_that_address_and_the_page_says_how_long(staff: User) -> None:
    answers = [sign_in(password="wrong") for _ in range(9)]
    assert {answer.status_code for answer in answers} == {200}
    for answer in (sign_in(password="wrong"), sign_in()):
        assert answer.status_code == 429
        assert 800 < int(answer["Retry-After"]) <= 900
        assert f"wait {MINUTES} minutes" in error_text(answer)
        assert "id_username" in error_text(answer)


def test_another_address_and_another_account_are_not_locked(staff: User) -> None:
    User.objects.create_superuser("other", password=PASSWORD)
    lock()
    assert sign_in().status_code == 429
    assert sign_in("other").status_code == 302
    assert sign_in(REMOTE_ADDR="192.0.2.8").status_code == 302


def test_the_lock_ends_by_itself_and_tries_meanwhile_do_not_lengthen_it(staff: User, clock: Clock) -> None:
    lock()
    clock.shift(minutes=MINUTES - 1)
    late = sign_in()
    assert (late.status_code, late["Retry-After"]) == (429, "60")
    assert "wait a minute" in error_text(late)
    clock.shift(seconds=61)
    assert sign_in().status_code == 302


def test_several_browsers_of_one_address_are_counted_together(staff: User) -> None:
    for number in range(9):
        assert sign_in(password="wrong", HTTP_USER_AGENT=f"browser {number}").status_code == 200
    assert sign_in(password="wrong", HTTP_USER_AGENT="another").status_code == 429
    assert sign_in(HTTP_USER_AGENT="a fresh one").status_code == 429


def test_a_right_password_forgets_the_wrong_ones(staff: User) -> None:
    for _ in range(9):
        sign_in(password="wrong")
    assert sign_in().status_code == 302
    assert not AccessAttempt.objects.exists()
    assert sign_in(password="wrong").status_code == 200


def test_an_unknown_name_is_locked_the_same_way(staff: User) -> None:
    assert error_text(lock("nobody")).replace("nobody", "boss") != ""
    assert sign_in("nobody").status_code == 429


def test_the_address_is_the_one_behind_the_proxies_that_are_trusted(staff: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    lock(HTTP_X_FORWARDED_FOR="203.0.113.5")
    assert sign_in(HTTP_X_FORWARDED_FOR="203.0.113.5").status_code == 429
    # What the client claims further left changes nothing.
    assert sign_in(HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.5").status_code == 429
    assert sign_in(HTTP_X_FORWARDED_FOR="203.0.113.6").status_code == 302
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {"203.0.113.5"}


@pytest.mark.parametrize("address", ["", "nonsense", "unix:", "2001:db8::1", "::ffff:192.0.2.1"])
def test_an_odd_address_is_no_server_error(staff: User, address: str) -> None:
    assert sign_in(password="wrong", REMOTE_ADDR=address).status_code == 200
    assert lock(REMOTE_ADDR=address).status_code == 429
    assert sign_in(REMOTE_ADDR="192.0.2.77").status_code == 302


@pytest.mark.parametrize(
    ("place", "elsewhere"),
    [("2001:db8:7:{:x}::1", "2001:db8:8::1"), ("198.51.100.{}", "198.51.101.1")],
)
def test_guesses_spread_over_a_network_lock_the_account_for_that_network(
    staff: User, place: str, elsewhere: str
) -> None:
    User.objects.create_superuser("other", password=PASSWORD)
    with unrendered():
        client = Client()
        places = [place.format(number) for number in range(52)]
        answers = [sign_in(password="wrong", client=client, REMOTE_ADDR=place).status_code for place in places]
    assert answers == [200] * 50 + [429] * 2
    refused = sign_in(REMOTE_ADDR=place.format(200))
    assert (refused.status_code, 800 < int(refused["Retry-After"]) <= 900) == (429, True)
    assert sign_in("other", REMOTE_ADDR=place.format(200)).status_code == 302
    assert sign_in(REMOTE_ADDR=elsewhere).status_code == 302


def test_ports_and_garbage_in_addresses_do_not_put_all_clients_into_one_count(staff: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    assert lock(HTTP_X_FORWARDED_FOR="203.0.113.5:4711").status_code == 429
    assert sign_in(HTTP_X_FORWARDED_FOR="203.0.113.5:4712").status_code == 429
    assert sign_in(HTTP_X_FORWARDED_FOR="203.0.113.6:4711").status_code == 302
    lock(HTTP_X_FORWARDED_FOR="nonsense", REMOTE_ADDR="192.0.2.7")
    assert sign_in(HTTP_X_FORWARDED_FOR="nonsense", REMOTE_ADDR="192.0.2.8").status_code == 302


@pytest.mark.parametrize("header", ["HTTP_USER_AGENT", "HTTP_ACCEPT"])
def test_a_header_that_cannot_be_stored_is_an_error(staff: User, header: str) -> None:
    answer = sign_in(**{header: "a\0b"})
    assert answer.status_code == 200
    assert "a header that holds a NUL" in error_text(answer)
    assert sign_in(**{header: "\xff" * 3000}).status_code == 302


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"username": "boss"},
        {"username": "bo\0ss", "password": PASSWORD},
        {"username": "x" * 100_000, "password": "y"},
        {"username": "boss", "password": "a\0b"},
        {"username": "＜script＞", "password": "x"},  # noqa: RUF001
        {"username": "boss", "password": "wrong", "next": "\0", **{f"field{n}": "x" * 5000 for n in range(50)}},
    ],
)
def test_malformed_values_of_the_form_are_errors_and_no_server_error(staff: User, sent: dict[str, str]) -> None:
    assert Client().post(LOGIN, sent).status_code == 200


def test_an_account_without_staff_status_cannot_sign_in(staff: User) -> None:
    User.objects.create_user("reader", password=PASSWORD)
    assert "staff account" in error_text(sign_in("reader"))


# What is stored


def test_no_password_is_in_a_table_or_a_line_of_the_log(staff: User, caplog: pytest.LogCaptureFixture) -> None:
    secret = "S3cret-that-was-mistyped"
    for _ in range(11):
        sign_in(password=secret, HTTP_USER_AGENT="x")
    sign_in(REMOTE_ADDR="192.0.2.9")
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'axes%'")
        tables = [name for (name,) in cursor.fetchall()]
        assert tables
        for table in tables:
            cursor.execute(f"SELECT t::text FROM {table} AS t")  # noqa: S608  (its own tables)
            assert secret not in str(cursor.fetchall())
    assert secret not in caplog.text
    assert PASSWORD not in caplog.text


def test_expired_attempts_are_removed_at_the_next_sign_in(staff: User, clock: Clock) -> None:
    lock("nobody")
    clock.shift(minutes=MINUTES, seconds=1)
    sign_in()
    assert not AccessAttempt.objects.exists()


def test_sign_ins_are_kept_until_the_command_removes_the_old_ones(staff: User, clock: Clock) -> None:
    sign_in()
    clock.shift(days=91)
    sign_in()
    call_command("axes_reset_logs", "--age", "90")
    assert AccessLog.objects.count() == 1


# The admin's pages of them


def test_superusers_see_sign_ins_and_let_a_locked_account_in_again(browser: Client) -> None:
    lock(HTTP_USER_AGENT="<b>browser</b>")
    html = page(browser, ATTEMPTS, {"q": "boss"})
    assert "&lt;b&gt;browser" in html
    assert "UTC" in html
    row = AccessAttempt.objects.get()
    assert "127.0.0.1" in page(browser, f"{ATTEMPTS}{row.pk}/change/")
    assert browser.post(f"{ATTEMPTS}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert sign_in().status_code == 302
    assert "boss" in page(browser, SIGN_INS)
    entry = AccessLog.objects.first()
    assert entry
    assert "UTC" in page(browser, f"{SIGN_INS}{entry.pk}/change/")
    assert browser.post(f"{SIGN_INS}{entry.pk}/delete/", {"post": "yes"}).status_code == 403


# The session


def test_a_session_lasts_a_working_day_and_its_cookie_is_for_this_site_alone(staff: User) -> None:
    cookie = sign_in().cookies["sessionid"]
    assert (cookie["max-age"], cookie["httponly"], cookie["samesite"]) == (12 * 3600, True, "Lax")
    client = Client()
    assert client.get(LOGIN).cookies["csrftoken"]["samesite"] == "Lax"


def test_a_new_password_ends_the_other_sessions(staff: User) -> None:
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        client.post(LOGIN, {"username": "boss", "password": PASSWORD})
    new = {"new_password1": "another long one 2", "new_password2": "another long one 2"}
    assert here.post("/admin/password_change/", {"old_password": PASSWORD, **new}).status_code == 302
    assert here.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302


@pytest.mark.parametrize("password", ["short 1", "password1234", "boss@example.com", ""])
def test_a_weak_password_is_refused(staff: User, browser: Client, password: str) -> None:
    User.objects.update(email="boss@example.com")
    sent = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    assert browser.post("/admin/password_change/", sent).status_code == 200
    assert User.objects.get().check_password(PASSWORD)


def test_signing_in_leads_on_to_pages_of_this_host_alone(staff: User) -> None:
    sent = {"username": "boss", "password": PASSWORD}
    for wanted, led in (("/admin/ondemand/video/?q=a", "/admin/ondemand/video/?q=a"), ("//evil.example", "/admin/")):
        assert Client().post(LOGIN, {**sent, "next": wanted})["Location"] == led


def test_the_api_goes_on_while_an_account_is_locked(staff: User) -> None:
    _, text = make_token("read")
    lock()
    assert Client().get("/channels", headers=bearer(text)).status_code == 200
    assert Client().get("/channels", headers=bearer("wrong")).status_code == 401


def test_the_form_redirects_an_account_that_is_signed_in(browser: Client) -> None:
    assert browser.get(LOGIN)["Location"] == "/admin/"
    assert Session.objects.count() == 1


# When a lock ends

NINE = datetime(2026, 3, 4, 9, tzinfo=UTC)
_attempts = st.tuples(st.integers(1, 12), st.integers(0, 1000).map(lambda seconds: NINE + timedelta(seconds=seconds)))


@given(st.lists(_attempts, max_size=6))
def test_a_lock_ends_when_fewer_attempts_than_the_limit_are_young(attempts: list[tuple[int, datetime]]) -> None:
    cool_off = timedelta(minutes=MINUTES)
    until = locked_until(attempts, 10)
    if until is None:
        assert sum(number for number, _ in attempts) < 10
        return
    times = (until, until - timedelta(seconds=1))
    young = [sum(number for number, last in attempts if last + cool_off > at) for at in times]
    assert young[0] < 10 <= young[1]


def test_guesses_of_the_old_password_are_counted_where_it_is_changed(staff: User) -> None:
    client = Client()
    client.force_login(staff)
    new = {"new_password1": "another long one 1", "new_password2": "another long one 1"}
    for _ in range(9):
        assert "not your password" in client.post(CHANGE, {"old_password": "wrong", **new}).content.decode()
    assert client.post(CHANGE, {"old_password": "wrong", **new}).status_code == 429
    response = client.post(CHANGE, {"old_password": "a long password 1", **new})
    assert response.status_code == 429
    assert "too many wrong attempts" in response.content.decode()
    staff.refresh_from_db()
    assert staff.check_password("a long password 1")
