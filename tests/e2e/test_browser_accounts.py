"""A browser sets up two-step sign-in, signs in by it, and chooses a time zone; all of its pages are accessible."""

from base64 import b32decode
from time import time
from typing import Any

import pytest
from django_otp.oath import TOTP
from playwright.sync_api import expect

from ivsvod.accounts.models import User
from tests.support.chromium import IN_BROWSER, PASSWORD, chromium, faults, looked_at, opened
from tests.support.helpers import THOROUGH

pytestmark = IN_BROWSER


def code(secret: str, steps: int = 0) -> str:
    totp = TOTP(b32decode(secret), drift=steps)
    totp.time = time()
    return f"{totp.token():06d}"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")][: 2 if THOROUGH else 1])
def test_a_time_zone_is_chosen_and_two_step_sign_in_is_set_up_and_used(
    url: str, staff: User, width: int, scheme: str
) -> None:
    label = f"{width}-{scheme}"
    with chromium() as browser, opened(browser, url, width, scheme) as (page, wrong):
        page.goto(f"{url}/admin/")
        page.get_by_role("link", name="Preferences").click()
        page.get_by_label("Time zone").select_option("Asia/Kathmandu")
        page.get_by_role("button", name="Use the zone of this browser").click()
        chosen = page.get_by_label("Time zone").input_value()
        assert chosen == page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
        page.get_by_label("Time zone").select_option("Asia/Kathmandu")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("+0545")).to_be_visible()
        page.get_by_role("link", name="Two-step sign-in").click()
        page.get_by_label("Your password").fill(PASSWORD)
        page.get_by_role("button", name="Begin").click()
        looked_at(page, f"two-step-set-up-{label}")
        secret = page.locator("#secret").inner_text()
        page.get_by_role("textbox", name="Code").fill(code(secret))
        page.get_by_role("button", name="Turn on").click()
        expect(page.locator(".recovery-codes code")).to_have_count(10)
        looked_at(page, f"two-step-codes-{label}")
        spare = page.locator(".recovery-codes code").first.inner_text()
        page.get_by_role("link", name="I have kept them").click()
        looked_at(page, f"two-step-on-{label}")
        page.get_by_role("link", name="Turn off").click()
        looked_at(page, f"two-step-turn-off-{label}")
        page.get_by_role("button", name="Log out").click()
        page.goto(f"{url}/admin/account/two-step/")
        looked_at(page, f"sign-in-{label}")
        page.get_by_label("Username").fill("boss")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_label("Code")).to_be_focused()
        looked_at(page, f"sign-in-code-{label}")
        page.keyboard.type("000000")
        page.keyboard.press("Enter")
        expect(page.get_by_text("This is not the current code")).to_be_visible()
        looked_at(page, f"sign-in-code-wrong-{label}")
        # After a wrong code the next one is looked at a second later.
        page.wait_for_timeout(1100)
        page.get_by_label("Code").fill(spare)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_text("9 recovery codes are left")).to_be_visible()
        assert faults(wrong) == []


def test_a_locked_account_is_told_how_long(url: str, staff: User, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 400, "height": 800})
        page.goto(f"{url}/admin/login/")
        for _ in range(2):
            page.get_by_label("Username").fill("boss")
            page.get_by_label("Password").fill("wrong")
            page.get_by_role("button", name="Log in").click()
        expect(page.get_by_text("wait 15 minutes, then try again")).to_be_visible()
        looked_at(page, "sign-in-locked-400-light")
