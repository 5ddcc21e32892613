"""Accounts and API tokens in the admin."""

from datetime import timedelta

import pytest
from django.test import Client

from ivsvod.accounts.models import ApiToken, User
from ivsvod.accounts.services import api_token_create
from tests.console import TOKENS, page

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


def test_accounts_are_made_and_changed(browser: Client, staff: User) -> None:
    password = {"password1": "a longer password 2", "password2": "a longer password 2", "usable_password": "true"}
    response = browser.post("/admin/accounts/user/add/", {"username": "ada", **password})
    assert response.status_code == 302
    ada = User.objects.get(username="ada")
    html = page(browser, f"/admin/accounts/user/{ada.pk}/change/")
    assert str(ada.pk) in html
    assert "UTC" in html
    assert "ada" in page(browser, "/admin/accounts/user/", {"q": "ada"})
