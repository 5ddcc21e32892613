"""The admin, through the front door: signing in, what all pages have in common, and the cost of lists."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation

from channels_app.models import AuditEntry
from common.admin.pages import LongListAdmin
from ivsvod.accounts.models import User
from tests.support.console import (
    CHANNELS,
    EVENTS,
    STREAMS,
    TOKENS,
    VIDEOS,
    make_channel,
    make_video,
    messages_of,
    page,
)

pytestmark = pytest.mark.django_db


def list_address(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


# Signing in


def test_signing_in_by_the_form_leads_to_the_start_page(staff: User) -> None:
    client = Client()
    response = client.post("/admin/login/?next=/admin/", {"username": "boss", "password": "a long password 1"})
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert "ivsvod" in page(client, "/admin/")


def test_anonymous_is_sent_to_the_sign_in() -> None:
    response = Client().get(VIDEOS)
    assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={VIDEOS}")


def test_pages_carry_a_strict_policy_and_no_inline_script_or_style(browser: Client) -> None:
    video = make_video("Opening")
    for path in ("/admin/", VIDEOS, f"{VIDEOS}{video.pk}/change/", CHANNELS, f"{CHANNELS}add/", EVENTS, TOKENS):
        response = browser.get(path)
        assert "default-src 'self'" in response["Content-Security-Policy"]
        assert "unsafe" not in response["Content-Security-Policy"]
        html = response.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", html)
        assert not re.search(r"<style|\sstyle=|\son\w+=", html)


@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_no_crumb_repeats_the_one_before(language: str) -> None:
    with translation.override(language):
        crumbs = [
            (model._meta.app_config.verbose_name, model._meta.verbose_name_plural) for model in admin.site._registry
        ]
        assert not [each for each in crumbs if str(each[0]).lower() == str(each[1]).lower()]


def test_nonsense_in_an_address_is_no_server_error(browser: Client) -> None:
    make_video()
    make_channel()
    for path in (
        f"{CHANNELS}?type__exact=%00",
        f"{CHANNELS}?status__exact=%00",
        f"{CHANNELS}?active__exact=nonsense",
        f"{CHANNELS}?uuid=nonsense",
        f"{CHANNELS}?name=%00",
        f"{EVENTS}?id=99999999999999999999999",
        f"{EVENTS}?p=nonsense&o=99",
        f"{VIDEOS}?p=999999999999&o=1.2.3",
        f"{VIDEOS}?bucket=%00",
        f"{VIDEOS}?shown=%00",
        f"{EVENTS}?outcome=%00",
        f"{STREAMS}?state=%00&mark=nonsense",
        f"{STREAMS}?channel__uuid__exact=nonsense",
        f"{STREAMS}?q=%00",
        f"{STREAMS}?p=nonsense&o=99",
        f"{STREAMS}nonsense/change/",
        "/admin/accounts/user/?username=%00",
        f"{TOKENS}?user__is_active__exact=%00",
    ):
        assert browser.get(path).status_code < 500, path


def test_a_choice_that_names_no_row_is_an_error_and_changes_nothing(
    browser: Client, staff: User, rf: RequestFactory
) -> None:
    request = rf.get("/")
    request.user = staff
    lists = {list_address(model): [*pages.get_actions(request)] for model, pages in admin.site._registry.items()}
    with_actions = {address: actions for address, actions in lists.items() if actions}
    assert {VIDEOS, CHANNELS, EVENTS, TOKENS, "/admin/accounts/user/", "/admin/auth/group/"} <= set(with_actions)
    for address, (action, *_others) in with_actions.items():
        for chosen in ("x", "", "1'", "\0", "9" * 30):
            browser.cookies.pop("messages", None)
            response = browser.post(address, {"action": action, "_selected_action": chosen, "index": "0"})
            assert (response.status_code, response["Location"]) == (302, address), chosen
            assert "Nothing was done: the selection names no row of this list." in messages_of(response), chosen
        page(browser, address)


# Lists without a row

LISTS = [model for model in admin.site._registry if model not in {User, Group, AuditEntry}]


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label)
def test_each_empty_list_explains_its_rows_and_the_next_step(browser: Client, model: Any) -> None:
    address = list_address(model)
    model._default_manager.all().delete()
    sentences = re.findall(r'<p class="empty">\s*(.*?)\s*</p>', page(browser, address), re.DOTALL)
    assert len(sentences) == 1
    assert str(LongListAdmin.nothing_yet) not in sentences[0]


@pytest.mark.parametrize("path", [VIDEOS, CHANNELS, STREAMS, EVENTS, TOKENS, "/admin/accounts/user/"])
def test_a_list_in_which_nothing_is_found_leads_back_to_all_of_it(browser: Client, path: str) -> None:
    sentences = re.findall(r'<p class="empty">\s*(.*?)\s*</p>', page(browser, path, {"q": "nowhere"}), re.DOTALL)
    assert len(sentences) == 1
    assert '<a href="?">Show all' in sentences[0]
