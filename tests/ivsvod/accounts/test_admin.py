"""Accounts and API tokens in the admin."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from channels_app.models import AuditEntry
from ivsvod.accounts.models import ApiToken, User
from ivsvod.accounts.services import api_token_create
from tests.support.console import TOKENS, member, page

pytestmark = pytest.mark.django_db


# Accounts and tokens


def test_tokens_are_listed_without_their_text_and_revoked_by_deleting(browser: Client) -> None:
    token, text = api_token_create(name="Website", account="web", scopes=["read"], expires_in=timedelta(days=1))
    html = page(browser, TOKENS) + page(browser, f"{TOKENS}{token.pk}/change/")
    for shown in ("Website", "web", "read", "never"):
        assert shown in html
    for secret in (text, token.digest, token.token_key):
        assert secret not in html
    assert browser.post(f"{TOKENS}{token.pk}/change/", {"name": "x"}).status_code == 403
    assert browser.post(f"{TOKENS}{token.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not ApiToken.objects.exists()


ACCOUNTS = "/admin/accounts/user/"
RIGHTS = ("view_user", "change_user", "add_user", "delete_user")
FORM = {"username": "ada", "is_active": "on"}


def test_accounts_are_made_and_changed(browser: Client, staff: User) -> None:
    password = {"password1": "a longer password 2", "password2": "a longer password 2", "usable_password": "true"}
    response = browser.post("/admin/accounts/user/add/", {"username": "ada", **password})
    assert response.status_code == 302
    ada = User.objects.get(username="ada")
    html = page(browser, f"/admin/accounts/user/{ada.pk}/change/")
    assert str(ada.pk) in html
    assert "UTC" in html
    assert "ada" in page(browser, "/admin/accounts/user/", {"q": "ada"})


def account_of(client: Client) -> User:
    return User.objects.get(pk=client.session["_auth_user_id"])


def test_only_superusers_can_change_fields_that_give_rights(browser: Client) -> None:
    helper = member(*RIGHTS)
    me = account_of(helper)
    group = Group.objects.get(name="Curators")
    every = list(Permission.objects.values_list("pk", flat=True))
    for account in (me, User.objects.create_user("ada")):
        rights = {"is_superuser": "on", "is_staff": "on", "groups": [group.pk], "user_permissions": every}
        sent = {**FORM, "username": account.username, **rights, "first_name": "Ada"}
        assert helper.post(f"{ACCOUNTS}{account.pk}/change/", sent).status_code == 302
        account = User.objects.get(pk=account.pk)
        assert (account.first_name, account.is_superuser, account.groups.exists()) == ("Ada", False, False)
    assert me.user_permissions.count() == len(RIGHTS)
    html = page(helper, f"{ACCOUNTS}{me.pk}/change/")
    assert 'name="is_superuser"' not in html
    assert 'name="is_superuser"' in page(browser, f"{ACCOUNTS}{me.pk}/change/")


def test_an_account_that_may_more_is_shown_and_not_changed(staff: User) -> None:
    helper, curator = member(*RIGHTS), User.objects.create_user("curator", is_staff=True)
    curator.groups.add(Group.objects.get(name="Curators"))
    new = {"password1": "a longer password 2", "password2": "a longer password 2", "usable_password": "true"}
    for account in (staff, curator):
        path = f"{ACCOUNTS}{account.pk}"
        assert 'name="username"' not in page(helper, f"{path}/change/")
        for address, sent in (
            ("change", {**FORM, "username": "taken"}),
            ("password", new),
            ("delete", {"post": "yes"}),
            ("two-step-off", {}),
        ):
            assert helper.post(f"{path}/{address}/", sent).status_code == 403
        helper.post(ACCOUNTS, {"action": "delete_selected", "_selected_action": [str(account.pk)], "post": "yes"})
        kept = User.objects.get(pk=account.pk)
        assert (kept.username, kept.password) == (account.username, account.password)


def test_an_account_without_more_rights_is_changed_and_deleted_with_the_permission() -> None:
    helper, ada = member(*RIGHTS), User.objects.create_user("ada")
    new = {"password1": "a longer password 2", "password2": "a longer password 2", "usable_password": "true"}
    assert helper.post(f"{ACCOUNTS}{ada.pk}/password/", new).status_code == 302
    assert User.objects.get(pk=ada.pk).check_password("a longer password 2")
    assert helper.post(f"{ACCOUNTS}add/", {**new, "username": "bob"}).status_code == 302
    assert helper.post(f"{ACCOUNTS}{ada.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=ada.pk).exists()


def test_a_group_is_no_way_to_more_rights() -> None:
    helper = member(*RIGHTS, "change_group", "view_group", "add_group", "delete_group")
    group = Group.objects.get(name="Viewers")
    me = account_of(helper)
    me.groups.add(group)
    every = list(Permission.objects.values_list("pk", flat=True))
    path = f"/admin/auth/group/{group.pk}"
    assert helper.post(f"{path}/change/", {"name": "Viewers", "permissions": every}).status_code == 403
    assert helper.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
    assert helper.post("/admin/auth/group/add/", {"name": "All", "permissions": every}).status_code == 403
    assert "Viewers" in page(helper, f"{path}/change/")


def test_the_page_of_an_account_takes_few_queries(browser: Client, staff: User) -> None:
    page(browser, f"{ACCOUNTS}{staff.pk}/change/")
    counts = []
    for many in (1, 50):
        account = User.objects.create_user(f"account-{many}")
        account.groups.set(Group.objects.bulk_create(Group(name=f"group {many} {n}") for n in range(many)))
        account.user_permissions.set(Permission.objects.all()[:many])
        with CaptureQueriesContext(connection) as queries:
            page(browser, f"{ACCOUNTS}{account.pk}/change/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


# The ready groups

WATCHING = {"view_video", "view_content", "view_channel", "view_stream"}
KEEPING = {"view_auditentry"}
GRANTING = {"view_playbackgrant", "change_playbackgrant"}


@pytest.mark.parametrize(
    ("name", "rights"),
    [
        ("Viewers", WATCHING | {"read"}),
        (
            "Curators",
            WATCHING | KEEPING | GRANTING | {"read", "curate", "change_video", "add_content", "change_content"},
        ),
        (
            "Channel managers",
            WATCHING
            | KEEPING
            | GRANTING
            | {"read", "channels", "add_channel", "change_channel", "delete_channel", "reveal_stream_key"}
            | {"view_inboxevent", "change_inboxevent"},
        ),
    ],
)
def test_the_ready_groups_have_the_rights_of_their_work(name: str, rights: set[str]) -> None:
    found = Permission.objects.filter(group__name=name).select_related("content_type")
    assert {permission.codename for permission in found} == rights
    # Each is one that Django knows, so that it can be given to others by hand as well.
    assert all(permission.content_type.model_class() is not None for permission in found)


def test_no_right_is_there_twice() -> None:
    names = list(Permission.objects.values_list("content_type__app_label", "codename", "content_type__model"))
    assert len(names) == len(set(names))
    assert Permission.objects.filter(codename="reveal_stream_key").count() == 1


# The audit log


def test_the_audit_log_has_the_author_of_a_changed_account(browser: Client, staff: User) -> None:
    ada = User.objects.create_user("ada")
    new = {"password1": "a longer password 2", "password2": "a longer password 2", "usable_password": "true"}
    browser.post(f"{ACCOUNTS}{ada.pk}/change/", {**FORM, "time_zone": "Asia/Tokyo", "is_staff": "on"})
    browser.post(f"{ACCOUNTS}{ada.pk}/password/", new)
    mine = {"new_password1": "another long one 3", "new_password2": "another long one 3"}
    browser.post("/admin/password_change/", {"old_password": "a long password 1", **mine})
    browser.post("/admin/account/preferences/", {"time_zone": "Asia/Tokyo"})
    entries = AuditEntry.objects.filter(way="admin").order_by("pk")
    assert [(entry.object_pk, entry.actor_name, sorted(entry.changes)) for entry in entries] == [
        (str(ada.pk), "boss", ["is_staff", "time_zone"]),
        (str(ada.pk), "boss", ["password"]),
        (str(staff.pk), "boss", ["password"]),
        (str(staff.pk), "boss", ["time_zone"]),
    ]


def test_an_account_that_is_off_is_no_weaker_than_when_it_is_on() -> None:
    helper = member("view_user", "change_user", "delete_user")
    gone = User.objects.create_user("gone", is_active=False)
    gone.groups.add(Group.objects.get(name="Channel managers"))
    path = f"{ACCOUNTS}{gone.pk}"
    assert helper.post(f"{path}/password/", {"password1": "another long one 1"}).status_code == 403
    assert helper.post(f"{path}/change/", {"username": "gone", "is_active": "on"}).status_code == 403
    assert helper.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
