"""API tokens and groups in the admin, through the front door."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from channels_app.models import AuditEntry
from ivsvod.accounts.models import ApiToken, User
from tests.support.helpers import bearer, make_account, make_token, make_video

pytestmark = pytest.mark.django_db
TOKENS = "/admin/accounts/apitoken/"
FORM = {"name": "Website", "account": "web", "scopes": ["read", "curate"], "expires_days": ""}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def boss() -> Client:
    return signed_in(User.objects.create_superuser("boss", password="a long password 1"))


def member(*scopes: str) -> tuple[User, Client]:
    """Someone on the staff who may make tokens and has these scopes."""
    user = make_account(*scopes, is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["add_apitoken", "view_apitoken"]))
    return user, signed_in(user)


def shown_token(response: Any) -> str:
    assert response.status_code == 200
    found = re.search(r'<code id="token" class="token">(\S+)</code>', response.content.decode())
    assert found
    return found[1]


def test_a_token_is_made_and_shown_once(boss: Client) -> None:
    response = boss.post(f"{TOKENS}add/", FORM)
    text = shown_token(response)
    assert "no-store" in response["Cache-Control"]
    assert "default-src 'self'" in response["Content-Security-Policy"]
    token = ApiToken.objects.get()
    assert (token.name, token.user.username, token.scopes, token.expiry) == ("Website", "web", ["read", "curate"], None)
    assert not token.user.has_usable_password()
    video = make_video()
    assert Client().delete(f"/on-demand/{video.uuid}", headers=bearer(text)).status_code == 200
    for path in (TOKENS, f"{TOKENS}{token.pk}/change/", "/admin/", f"{TOKENS}{token.pk}/history/"):
        assert text not in boss.get(path).content.decode()


def test_the_text_of_a_token_is_stored_nowhere(boss: Client) -> None:
    text = shown_token(boss.post(f"{TOKENS}add/", FORM))
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, '') FROM accounts_apitoken t")
        stored = cursor.fetchone()[0]
    stored += "".join(str(session.get_decoded()) for session in Session.objects.all())
    [entry] = AuditEntry.objects.filter(content_type__model="apitoken")
    stored += f"{entry.object_repr} {entry.changes}"
    assert text not in stored
    assert (entry.object_repr, entry.actor_name, entry.way) == ("Website", "boss", "admin")


def test_a_token_can_have_an_end_and_says_when_it_has_come(boss: Client) -> None:
    shown_token(boss.post(f"{TOKENS}add/", {**FORM, "expires_days": "30"}))
    token = ApiToken.objects.get()
    assert 29 <= (token.expiry - timezone.now()).days <= 30
    assert "expired" not in boss.get(TOKENS).content.decode()
    ApiToken.objects.update(expiry=timezone.now())
    assert "expired" in boss.get(TOKENS).content.decode()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 201}, "at most 200 characters"),
        ({"name": "a\nb"}, "Only printable"),
        ({"name": "a\0"}, "Null characters"),
        ({"account": "x" * 151}, "at most 150 characters"),
        ({"scopes": []}, "This field is required."),
        ({"scopes": ["everything"]}, "Select a valid choice."),
        ({"expires_days": "0"}, "greater than or equal to 1"),
        ({"expires_days": "9" * 30}, "less than or equal to"),
        ({"expires_days": "soon"}, "Enter a whole number."),
    ],
)
def test_a_bad_value_is_an_error_and_makes_nothing(boss: Client, values: dict[str, Any], sentence: str) -> None:
    response = boss.post(f"{TOKENS}add/", {**FORM, **values})
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert not ApiToken.objects.exists()
    assert not User.objects.filter(username="web").exists()


def test_the_form_needs_the_permission_to_add_tokens() -> None:
    viewer = make_account(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_apitoken"))
    assert signed_in(viewer).get(f"{TOKENS}add/").status_code == 403
    assert signed_in(viewer).post(f"{TOKENS}add/", FORM).status_code == 403
    assert Client().post(f"{TOKENS}add/", FORM).status_code == 302
    assert not ApiToken.objects.exists()


def test_an_account_cannot_grant_a_scope_that_it_lacks() -> None:
    _, browser = member("read")
    html = browser.get(f"{TOKENS}add/").content.decode()
    assert 'value="read"' in html
    assert 'value="curate"' not in html
    assert "Select a valid choice." in browser.post(f"{TOKENS}add/", FORM).content.decode()
    shown_token(browser.post(f"{TOKENS}add/", {**FORM, "scopes": ["read"]}))


def test_a_token_that_acts_for_another_member_of_staff_is_made_by_superusers_alone(boss: Client) -> None:
    user, browser = member("read", "curate")
    for name, made in (("boss", False), (user.username, True)):
        response = browser.post(f"{TOKENS}add/", {**FORM, "account": name})
        assert ("Only a superuser" not in response.content.decode()) is made
    assert [token.user for token in ApiToken.objects.all()] == [user]
    shown_token(boss.post(f"{TOKENS}add/", {**FORM, "account": user.username}))


def test_a_token_made_without_the_csrf_token_is_refused(boss: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = boss.cookies
    response = strict.post(f"{TOKENS}add/", FORM)
    assert response.status_code == 403
    assert sorted(response.json()) == ["code", "error", "fields"]
    assert not ApiToken.objects.exists()


def test_a_revoked_token_is_refused_at_once(boss: Client) -> None:
    token, text = make_token("read")
    assert Client().get("/on-demand", headers=bearer(text)).status_code == 200
    assert boss.post(f"{TOKENS}{token.pk}/delete/", {"post": "yes"}).status_code == 302
    assert Client().get("/on-demand", headers=bearer(text)).status_code == 401


@pytest.mark.parametrize(
    ("name", "scopes"),
    [("Curators", {"read", "curate"}), ("Channel managers", {"read", "channels"}), ("Viewers", {"read"})],
)
def test_the_ready_groups_have_their_scopes(name: str, scopes: set[str]) -> None:
    user = make_account()
    user.groups.add(Group.objects.get(name=name))
    fresh = User.objects.get(pk=user.pk)
    assert {word for word in ("read", "curate", "channels", "playback") if fresh.has_perm(f"accounts.{word}")} == scopes


def test_each_scope_is_one_permission_that_its_migration_and_django_share() -> None:
    found = Permission.objects.filter(codename__in=["read", "curate", "channels", "playback"])
    assert sorted(found.values_list("codename", "content_type__app_label", "content_type__model")) == [
        (name, "accounts", "user") for name in ("channels", "curate", "playback", "read")
    ]
