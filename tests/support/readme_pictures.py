"""Takes the pictures of README.md from a running demo: `make pictures`."""

import json
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.support.browser import ARGUMENTS, CHROMIUM
from tools.local.launch import home_folder

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
PAINTED = "[...document.images].filter((each) => each.checkVisibility()).every((each) => each.complete)"


def take(page: Page, name: str) -> None:
    """Keep what the window shows, below 150 kB."""
    page.wait_for_load_state("networkidle")
    page.wait_for_function(PAINTED)
    with Image.open(BytesIO(page.screenshot())) as shot:
        shot.save(PICTURES / f"{name}.webp", quality=80, method=6)


def main() -> None:
    """Take the start page of the catalogue, and the page on which a video is reviewed."""
    demo = json.loads((home_folder() / "demo.json").read_text())
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        # The policy of the pages forbids to evaluate texts, by which playwright waits.
        page = browser.new_page(viewport={"width": 1280, "height": 800}, bypass_csp=True, color_scheme="light")
        page.goto(demo["links"]["Catalogue"])
        take(page, "catalogue")
        page.goto(demo["links"]["To review"])
        page.get_by_label("Username").fill(demo["admin_user"])
        page.get_by_label("Password").fill(demo["admin_password"])
        page.keyboard.press("Enter")
        page.locator("#result_list .field-title a").first.click()
        page.wait_for_url("**/change/**")
        page.wait_for_function("document.querySelector('video').readyState === HTMLMediaElement.HAVE_ENOUGH_DATA")
        # The browser's sign of loading fades.
        page.wait_for_timeout(1000)
        take(page, "review")
        browser.close()


if __name__ == "__main__":
    main()
