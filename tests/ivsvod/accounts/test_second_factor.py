"""Two-step sign-in through the front door: set up, asked for, used up, lost and turned off."""

import re
from base64 import b32decode
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django_otp.oath import totp

from channels_app.models import AuditEntry
from ivsvod.accounts.models import Authenticator, User
from ivsvod.accounts.second_factor import NotBegunError, authenticator_confirm, plain_code
from tests.support.clock import Clock
from tests.support.console import member, page
from tests.support.helpers import make_video

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
PASSWORD = "a long password 1"
PAGE = "/admin/account/two-step/"
SET_UP = f"{PAGE}set-up/"
CODES = f"{PAGE}recovery-codes/"
OFF = f"{PAGE}off/"
LOGIN = "/admin/login/"
CODE = "/admin/login/code/"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def code_of(secret: str, later: int = 0) -> str:
    return f"{totp(b32decode(secret), drift=later):06d}"


def begin(client: Client) -> str:
    assert client.post(PAGE, {"password": PASSWORD})["Location"] == SET_UP
    found = re.search(r'id="secret">([A-Z2-7]{32})<', page(client, SET_UP))
    assert found
    return found[1]


def turn_on(client: Client) -> tuple[str, list[str]]:
    secret = begin(client)
    response = client.post(SET_UP, {"code": code_of(secret)})
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    codes = re.findall(r'<code class="token">([a-z2-9-]{19})</code>', response.content.decode())
    assert len(set(codes)) == 10
    return secret, codes


def password_step(client: Client, wanted: str = "") -> Any:
    return client.post(f"{LOGIN}{wanted}", {"username": "boss", "password": PASSWORD})


def is_in(client: Client) -> bool:
    return client.get("/admin/password_change/").status_code == 200


# Turning on


def test_it_is_turned_on_with_the_password_and_a_first_code(browser: Client, staff: User, clock: Clock) -> None:
    assert "off" in page(browser, PAGE)
    assert "This is not your password." in browser.post(PAGE, {"password": "wrong"}).content.decode()
    assert not Authenticator.objects.exists()
    assert browser.get(SET_UP)["Location"] == PAGE
    secret = begin(browser)
    assert Authenticator.objects.of(staff) is None
    html = browser.post(SET_UP, {"code": "000000"}).content.decode()
    assert "not the current code" in html
    assert secret in html
    clock.shift(seconds=2)
    assert browser.post(SET_UP, {"code": code_of(secret)}).status_code == 200
    html = page(browser, PAGE)
    assert "10 recovery codes are left" in html
    assert secret not in html
    assert browser.get(SET_UP)["Location"] == PAGE


def test_the_picture_is_of_the_address_that_apps_read(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr("ivsvod.accounts.views.qr_svg", lambda text: drawn.append(text) or "")
    secret = begin(browser)
    [uri] = drawn
    assert uri.startswith("otpauth://totp/ivsvod%20%28local%29%3Aboss?")
    assert f"secret={secret}&" in uri
    assert "issuer=ivsvod%20%28local%29" in uri


def test_the_picture_breaks_no_policy(browser: Client) -> None:
    begin(browser)
    html = page(browser, SET_UP)
    assert re.search(r"<svg [^>]*viewBox[^>]*>.*</svg>", html)
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)


def test_beginning_again_makes_another_secret(browser: Client) -> None:
    first, second = begin(browser), begin(browser)
    assert first != second
    assert Authenticator.objects.count() == 1


def test_of_two_windows_that_confirm_the_second_is_led_to_the_page(browser: Client, staff: User, clock: Clock) -> None:
    secret = begin(browser)
    assert authenticator_confirm(account=staff, code=code_of(secret))
    with pytest.raises(NotBegunError):
        authenticator_confirm(account=staff, code=code_of(secret))
    assert browser.post(SET_UP, {"code": code_of(secret)})["Location"] == PAGE


# Signing in


def test_the_code_follows_the_password(browser: Client, clock: Clock) -> None:
    secret, _ = turn_on(browser)
    client = Client()
    answer = password_step(client, "?next=/admin/ondemand/video/")
    assert answer["Location"] == f"{CODE}?next=%2Fadmin%2Fondemand%2Fvideo%2F"
    assert not is_in(client)
    assert 'autocomplete="one-time-code"' in page(client, CODE)
    clock.shift(seconds=30)
    spaced = f" {code_of(secret)[:3]} {code_of(secret)[3:]} "
    done = client.post(answer["Location"], {"code": spaced, "next": "/admin/ondemand/video/"})
    assert done["Location"] == "/admin/ondemand/video/"
    assert is_in(client)
    assert "waits_for_code" not in client.session


def test_a_wrong_code_opens_nothing(browser: Client, clock: Clock) -> None:
    turn_on(browser)
    client = Client()
    for code in ("", "000000", "12345", "x" * 41, "\u0660" * 6, "0x0", "\0", "aaaa-bbbb-cccc-dddd"):
        password_step(client)
        assert client.post(CODE, {"code": code}).status_code == 200, code
        assert not is_in(client), code
        # After each of them the next is looked at only after a while.
        clock.shift(minutes=5)


def test_a_code_counts_once_and_so_does_each_before_it(browser: Client, clock: Clock) -> None:
    secret, _ = turn_on(browser)
    clock.shift(seconds=60)
    used, before = code_of(secret), code_of(secret, -1)
    first = Client()
    password_step(first)
    assert first.post(CODE, {"code": used}).status_code == 302
    for stale in (used, before):
        again = Client()
        password_step(again)
        assert again.post(CODE, {"code": stale}).status_code == 200
        clock.shift(seconds=3)


def test_clocks_may_differ_by_one_code(browser: Client, clock: Clock) -> None:
    secret, _ = turn_on(browser)
    for later, status in ((-2, 200), (-1, 302), (0, 302), (1, 302), (2, 200)):
        clock.shift(minutes=5)
        client = Client()
        password_step(client)
        assert client.post(CODE, {"code": code_of(secret, later)}).status_code == status, later


def test_after_wrong_codes_the_next_is_looked_at_only_after_a_while(browser: Client, clock: Clock) -> None:
    secret, codes = turn_on(browser)
    clock.shift(minutes=1)
    client = Client()
    password_step(client)
    for seconds in (1, 2, 4):
        assert client.post(CODE, {"code": "000000"}).status_code == 200
        for right in (code_of(secret), codes[0]):
            early = client.post(CODE, {"code": right})
            assert (early.status_code, early["Retry-After"]) == (429, str(seconds))
        clock.shift(seconds=seconds)
    assert client.post(CODE, {"code": code_of(secret)}).status_code == 302


def test_a_recovery_code_stands_in_for_the_app_once(browser: Client, staff: User, clock: Clock) -> None:
    _, codes = turn_on(browser)
    for given, status in ((codes[3].upper().replace("-", " "), 302), (codes[3], 200)):
        client = Client()
        password_step(client)
        assert client.post(CODE, {"code": given}).status_code == status
        clock.shift(seconds=2)
    assert "9 recovery codes are left" in page(browser, PAGE)


def test_the_code_page_opens_only_after_the_password(browser: Client, staff: User, clock: Clock) -> None:
    _, codes = turn_on(browser)
    assert Client().get(CODE)["Location"] == LOGIN
    assert Client().post(f"{CODE}?next=/admin/x", {"code": codes[0]})["Location"] == f"{LOGIN}?next=%2Fadmin%2Fx"
    late, changed, barred = Client(), Client(), Client()
    for client in (late, changed, barred):
        password_step(client)
    clock.shift(minutes=11)
    assert late.post(CODE, {"code": codes[1]})["Location"] == LOGIN
    clock.shift(minutes=-11)
    staff.set_password("another long password 2")
    staff.save()
    assert changed.post(CODE, {"code": codes[2]})["Location"] == LOGIN
    staff.set_password(PASSWORD)
    staff.is_active = False
    staff.save()
    assert barred.post(CODE, {"code": codes[2]})["Location"] == LOGIN
    assert not any(is_in(client) for client in (late, changed, barred))


def test_half_a_sign_in_opens_neither_the_api_nor_the_last_sign_in(browser: Client, staff: User, clock: Clock) -> None:
    turn_on(browser)
    hidden = make_video(active=False)
    User.objects.update(last_login=None)
    client = Client()
    password_step(client)
    assert client.get(f"/on-demand/{hidden.pk}").status_code == 404
    assert User.objects.get().last_login is None


def test_an_account_without_it_signs_in_as_before(browser: Client, staff: User) -> None:
    begin(browser)
    client = Client()
    assert password_step(client)["Location"] == "/admin/"
    assert is_in(client)


def test_a_secret_that_no_key_opens_leaves_the_recovery_codes(browser: Client, clock: Clock, settings: Any) -> None:
    secret, codes = turn_on(browser)
    clock.shift(minutes=1)
    settings.FIELD_ENCRYPTION_KEYS = ["b" * 43 + "="]
    client = Client()
    password_step(client)
    assert "use a recovery code" in client.post(CODE, {"code": code_of(secret)}).content.decode()
    assert client.post(CODE, {"code": codes[0]}).status_code == 302


# Secrets


def test_no_secret_is_stored_as_plain_text_or_logged(
    browser: Client, staff: User, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    secret, codes = turn_on(browser)
    client = Client()
    password_step(client)
    client.post(CODE, {"code": codes[0]})
    with connection.cursor() as cursor:
        cursor.execute("SELECT a::text FROM accounts_authenticator AS a")
        stored = str(cursor.fetchall())
        cursor.execute("SELECT e::text FROM channels_app_auditentry AS e")
        stored += str(cursor.fetchall())
    stored += "".join(str(session.get_decoded()) for session in Session.objects.all())
    device = Authenticator.objects.get()
    stored += f"{device!r} {device} {device.__dict__} {caplog.text}"
    for text in (secret, *codes, *map(plain_code, codes)):
        assert text not in stored


def test_the_audit_log_records_that_it_was_turned_on_and_off(browser: Client, staff: User, clock: Clock) -> None:
    turn_on(browser)
    browser.post(OFF, {"password": PASSWORD})
    entries = [entry for entry in AuditEntry.objects.order_by("pk") if "two_step_sign_in" in entry.changes]
    assert [entry.changes["two_step_sign_in"] for entry in entries] == [[None, False], [False, True], [True, None]]
    assert {(entry.way, entry.actor_name, entry.object_pk) for entry in entries} == {("admin", "boss", str(staff.pk))}


def test_recovery_codes_hold_no_letters_that_people_mistake(browser: Client, clock: Clock) -> None:
    _, codes = turn_on(browser)
    assert not set("".join(codes)) & set("ilo01")


# What can be done about it later


def test_new_recovery_codes_end_the_old_ones(browser: Client, clock: Clock) -> None:
    _, codes = turn_on(browser)
    assert "not your password" in browser.post(CODES, {"password": "wrong"}).content.decode()
    html = browser.post(CODES, {"password": PASSWORD}).content.decode()
    new = re.findall(r'<code class="token">([a-z2-9-]{19})</code>', html)
    assert len(set(new) - set(codes)) == 10
    for code, status in ((codes[0], 200), (new[0], 302)):
        client = Client()
        password_step(client)
        assert client.post(CODE, {"code": code}).status_code == status
        clock.shift(seconds=2)


def test_it_is_turned_off_with_the_password(browser: Client, staff: User, clock: Clock) -> None:
    turn_on(browser)
    page(browser, OFF)
    browser.post(OFF, {"password": "wrong"})
    assert Authenticator.objects.of(staff)
    assert browser.post(OFF, {"password": PASSWORD})["Location"] == PAGE
    assert Authenticator.objects.of(staff) is None
    client = Client()
    password_step(client)
    assert is_in(client)


@pytest.mark.parametrize("path", [CODES, OFF])
def test_where_it_is_off_there_is_nothing_to_turn_off(browser: Client, path: str) -> None:
    assert browser.get(path)["Location"] == PAGE
    assert browser.post(path, {"password": PASSWORD})["Location"] == PAGE


def test_guessing_the_password_on_these_pages_is_locked_as_at_sign_in(browser: Client) -> None:
    answers = [browser.post(PAGE, {"password": f"wrong {n}"}) for n in range(10)]
    assert {answer.status_code for answer in answers[:9]} == {200}
    assert answers[9].status_code == 429
    assert browser.post(PAGE, {"password": PASSWORD}).status_code == 429


def test_a_superuser_turns_it_off_for_an_account_that_lost_the_phone(browser: Client, clock: Clock) -> None:
    other = User.objects.create_user("ada<b>", password=PASSWORD, is_staff=True)
    client = Client()
    client.force_login(other)
    turn_on(client)
    change, off = f"/admin/accounts/user/{other.pk}/change/", f"/admin/accounts/user/{other.pk}/two-step-off/"
    assert off in page(browser, change)
    assert "ada&lt;b&gt;" in page(browser, off)
    assert Authenticator.objects.of(other)
    assert browser.post(off)["Location"] == change
    assert Authenticator.objects.of(other) is None
    assert "off already" in browser.post(off, follow=True).content.decode()
    entry = AuditEntry.objects.filter(object_pk=str(other.pk)).first()
    assert (entry.actor_name, entry.changes["two_step_sign_in"]) == ("boss", [True, None])
    for nobody in (member("change_user", "view_user"), client):
        assert nobody.post(off).status_code == 403
    assert browser.get("/admin/accounts/user/nonsense/two-step-off/").status_code == 404


def test_an_account_is_deleted_with_its_app(browser: Client, clock: Clock) -> None:
    other = User.objects.create_user("ada", password=PASSWORD, is_staff=True)
    client = Client()
    client.force_login(other)
    turn_on(client)
    assert browser.post(f"/admin/accounts/user/{other.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.exists()


# Where it is required


def test_where_it_is_required_it_is_set_up_before_anything_else(
    browser: Client, staff: User, settings: Any, clock: Clock
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    hidden = make_video(active=False)
    for path in ("/admin/", "/admin/ondemand/video/", "/admin/password_change/", "/admin/account/preferences/"):
        assert browser.get(path)["Location"] == PAGE
        assert browser.post(path)["Location"] == PAGE
    assert "before anything else" in page(browser, PAGE)
    # Half a sign-in opens the API no more than none.
    assert browser.get(f"/on-demand/{hidden.pk}").status_code == 404
    turn_on(browser)
    assert browser.get("/admin/").status_code == 200
    assert browser.get(f"/on-demand/{hidden.pk}").status_code == 200


def test_where_it_is_required_anonymous_visitors_get_the_sign_in_form(staff: User, settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    assert Client().get("/admin/")["Location"] == f"{LOGIN}?next=/admin/"
    client = Client()
    assert password_step(client).status_code == 302
    assert client.get("/admin/")["Location"] == PAGE
    assert client.post("/admin/logout/").status_code == 200
    assert Client().get("/on-demand").status_code == 200


# Other sessions of the account


def test_the_secret_is_shown_to_the_browser_that_gave_the_password_alone(browser: Client, staff: User) -> None:
    other = Client()
    other.force_login(staff)
    secret = begin(browser)
    assert secret not in other.get("/admin/account/two-step/set-up/").content.decode()
    assert other.get("/admin/account/two-step/set-up/").status_code == 302


def test_turning_it_on_ends_the_sessions_that_a_password_alone_has_opened(
    browser: Client, staff: User, clock: Clock
) -> None:
    other, stranger = Client(), member()
    other.force_login(staff)
    secret = begin(browser)
    assert browser.post("/admin/account/two-step/set-up/", {"code": code_of(secret)}).status_code == 200
    assert other.get("/admin/").status_code == 302
    assert browser.get("/admin/").status_code == stranger.get("/admin/").status_code == 200
