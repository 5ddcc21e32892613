"""The panel "Try this" on the start page of the admin, in a browser."""

from typing import Any

import pytest
from django.contrib import admin
from playwright.sync_api import expect

from ivsvod.accounts.models import User
from tests.support.chromium import IN_BROWSER, PASSWORD, Look, chromium, looked_at, opened, serving
from tools.local.aws import LocalAws

pytestmark = IN_BROWSER


def test_the_panel_of_the_demo_shows_what_to_try_until_it_is_dismissed(
    aws: LocalAws, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.create_superuser("boss", password=PASSWORD)
    # Only the demo shows it.
    monkeypatch.setattr(admin.site, "index_template", "tools/index.html")
    with serving(aws, settings) as url, chromium() as browser, opened(browser, url, 1280, "light") as (page, wrong):
        page.goto(f"{url}/admin/")
        panel = page.get_by_role("region", name="Try this")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
        panel.get_by_role("button", name="Copy").nth(1).click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == panel.locator("code").nth(1).text_content()
        assert copied.endswith("manage.py reconcile --apply")
        looked_at(page, "try-this")
        Look(400, "dark").take(page)
        looked_at(page, "try-this-400")
        panel.get_by_role("button", name="Dismiss").click()
        expect(panel).to_be_hidden()
        page.reload()
        expect(page.get_by_role("heading", name="To review")).to_be_visible()
        expect(panel).to_be_hidden()
        assert wrong == []
