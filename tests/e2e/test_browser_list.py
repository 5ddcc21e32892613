"""A browser in the list of videos: titles and tags edited in place, bulk changes and their undoing, tags."""

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ivsvod.accounts.models import User
from ondemand.admin.videos import VideoAdmin
from ondemand.models import Content, Video
from tests.support.chromium import (
    IN_BROWSER,
    LONG_TITLE,
    Look,
    chromium,
    faults,
    fits,
    flaws,
    opened,
    picture,
    staff_of,
    until,
)
from tests.support.helpers import THOROUGH, make_content, make_video

pytestmark = IN_BROWSER

LIST = "/admin/ondemand/video/"
TITLE = "Closing <b>show</b> \u202e\u05e2\u05d1\u05e8\u05d9\u05ea"


def row(page: Page, title: str) -> Any:
    return page.get_by_role("row").filter(has_text=title)


def act(page: Page, label: str) -> None:
    page.locator("select[name=action]").select_option(label=label)
    page.get_by_role("button", name="Go", exact=True).click()


TARGETS = "axe.run({runOnly: {type: 'rule', values: ['target-size']}}).then((found) => found.violations)"


def test_a_curator_looks_into_videos_plays_one_and_filters_by_mouse_and_keyboard(url: str, video: Video) -> None:
    with chromium() as browser, opened(browser, url, 1280, "light") as (page, wrong):
        page.goto(f"{url}{LIST}")
        assert page.locator("td.field-title").first.evaluate("e => e.clientWidth") >= 260
        button = page.get_by_role("button", name=f"Play: {LONG_TITLE}")
        image = button.locator("img")
        own = image.get_attribute("src")
        frames = str(button.get_attribute("data-frames")).split()
        assert 2 <= len(frames) <= 12
        # A picture shows the frame at the pointer, and is itself again without it.
        button.hover(position={"x": 2, "y": 9})
        expect(image).to_have_attribute("src", frames[0])
        button.hover(position={"x": 84, "y": 9})
        expect(image).to_have_attribute("src", frames[-1])
        page.mouse.move(0, 0)
        expect(image).to_have_attribute("src", str(own))
        button.press("ArrowRight")
        expect(image).to_have_attribute("src", frames[0])
        # It plays in a dialog, which loads the player and is empty again when it is closed.
        assert len(page.frames) == 1
        button.press("Enter")
        dialog = page.get_by_role("dialog", name=LONG_TITLE)
        expect(dialog.get_by_role("link", name="Open its page")).to_be_visible()
        until(page, "document.querySelector('iframe').contentDocument.querySelector('video')?.currentTime > 0.3")
        picture(page, "list-player-1280-light")
        dialog.locator("iframe").content_frame.locator("video").press("Escape")
        expect(dialog).to_be_hidden()
        expect(button).to_be_focused()
        assert page.locator("iframe").count() == 0
        # The actions stay in view while rows are chosen.
        page.set_viewport_size({"width": 1280, "height": 500})
        actions = page.get_by_role("button", name="Go", exact=True)
        page.get_by_role("row").last.get_by_role("checkbox").check()
        page.mouse.wheel(0, 5000)
        expect(actions).to_be_in_viewport(ratio=1)
        page.get_by_role("row").last.get_by_role("checkbox").uncheck()
        expect(actions).not_to_be_in_viewport(ratio=1)
        Look(1280, "light").take(page)
        # A tab, a filter beside it, and the chip that removes it.
        page.get_by_role("navigation", name="Lists").get_by_role("link", name="Hidden").click()
        page.locator("summary", has_text="Filters").press("Enter")
        page.get_by_label("Files", exact=True).select_option(label="Failed")
        picture(page, "list-filters-1280-light")
        assert flaws(page) == []
        page.get_by_role("button", name="Apply").click()
        page.wait_for_url(f"{url}{LIST}?listing=hidden&qa=failed")
        expect(page.get_by_text("No video matches these filters.")).to_be_visible()
        page.get_by_role("link", name="Remove this filter: Files: Failed").click()
        page.wait_for_url(f"{url}{LIST}?listing=hidden")
        expect(page.get_by_role("link", name="Hidden", exact=False).first).to_have_attribute("aria-current", "page")
        Look(400, "dark").take(page)
        page.locator("summary", has_text="Filters").click()
        sheet = page.locator(".filters-form").bounding_box()
        assert sheet
        assert (sheet["x"], sheet["width"], sheet["y"] + sheet["height"]) == (0, 400, 900)
        picture(page, "list-filters-400-dark")
        assert flaws(page) == []
        assert page.evaluate(TARGETS) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Apply")).to_be_hidden()
        assert fits(page)
        assert page.evaluate(TARGETS) == []
        assert faults(wrong) == []
        # No frame shows the page to sign in: the session has expired.
        page.goto(f"{url}{LIST}")
        page.context.clear_cookies()
        page.get_by_role("button", name=f"Play: {LONG_TITLE}").click()
        page.wait_for_url(re.compile(rf"/login/\?next={LIST}{video.pk}/change/"))


def test_titles_and_tags_are_edited_in_the_list_and_the_second_of_two_editors_sees_the_conflict(
    url: str, video: Video
) -> None:
    with chromium() as browser, opened(browser, url, 1280, "light") as (page, wrong):
        page.goto(f"{url}{LIST}")
        page.get_by_role("button", name=f"Edit the title: {LONG_TITLE}").press("Enter")
        box = page.get_by_role("textbox", name="Edit the title")
        expect(box).to_be_focused()
        box.fill("Nobody sees this")
        box.press("Escape")
        expect(page.get_by_role("link", name=LONG_TITLE, exact=True).last).to_be_visible()
        expect(page.get_by_role("button", name=f"Edit the title: {LONG_TITLE}")).to_be_focused()
        page.keyboard.press("Enter")
        box.fill(TITLE)
        picture(page, "list-title-1280-light")
        box.press("Enter")
        expect(page.get_by_role("link", name=TITLE, exact=True)).to_be_visible()
        expect(page.get_by_text("Saved")).to_be_attached()
        page.reload()
        expect(page.get_by_role("link", name=TITLE, exact=True)).to_be_visible()
        Look(1280, "dark").take(page)
        page.get_by_role("button", name=f"Edit the tags: {TITLE}").click()
        box = page.get_by_role("combobox", name="Add a tag")
        box.fill("new tag")
        box.press("Enter")
        page.get_by_role("button", name="Remove day one").click()
        box.press_sequentially("FEST")
        # It is there already.
        expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(0)
        box.fill("")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(row(page, TITLE).locator(".tags .tag")).to_have_text(["festival", "new tag"])
        empty = page.get_by_role("button", name="Add tags").first
        empty.click()
        box = page.get_by_role("combobox", name="Add a tag")
        box.press_sequentially("fes")
        expect(page.get_by_role("option", name="festival")).to_be_visible()
        picture(page, "list-tags-1280-dark")
        assert flaws(page) == []
        box.press("ArrowDown")
        box.press("Enter")
        # What is typed is saved when the focus leaves.
        page.get_by_role("heading", level=1).click()
        expect(page.locator(".tags .tag", has_text="festival")).to_have_count(2)
        assert faults(wrong) == []
        other = page.context.new_page()
        other.goto(f"{url}{LIST}")
        for tab, title in ((other, "Theirs"), (page, "Mine")):
            tab.get_by_role("button", name=f"Edit the title: {TITLE}").click()
            tab.get_by_role("textbox", name="Edit the title").fill(title)
            tab.keyboard.press("Enter")
        message = page.get_by_role("alert")
        expect(message).to_have_text(
            "Somebody changed it to “Theirs”. Save again to write yours, or cancel to keep theirs."
        )
        picture(page, "list-conflict-1280-light")
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("link", name="Theirs", exact=True)).to_be_visible()
    assert sorted(Content.objects.values_list("tags", flat=True)) == [["festival"], ["festival", "new tag"]]


@dataclass(frozen=True)
class Bulk:
    """A bulk change of the video that is found by `title`, which shows `before` then, and `after` once it is done."""

    action: str
    title: str
    before: str
    after: str
    label: str = ""
    typed: dict[str, str] = field(default_factory=dict)

    @property
    def button(self) -> str:
        return self.label or self.action.rstrip("…")


# One with fields and one without; the change of all pages below is another, and so is that of tags.
BULK = [
    Bulk(
        "Schedule…",
        LONG_TITLE,
        ".badge-listed",
        ".badge-scheduled",
        typed={"Publication begins": "2040-01-02T03:04:05", "Publication ends": "2040-01-03T00:00:00"},
    ),
    Bulk(
        "Check the files again",
        LONG_TITLE,
        ".badge-qa-failed",
        ".field-listing:not(:has(.badge-qa-failed))",
        label="Check again",
    ),
]
if THOROUGH:
    # Without a browser tests/ondemand/admin/test_bulk.py previews, runs and undoes all of them.
    BULK += [
        Bulk("Hide", LONG_TITLE, ".badge-listed", ".badge-hidden"),
        Bulk("Add tags…", "Withheld", "bdi:has-text('kept')", ".tag:text-is('evening')", typed={"Tags": "evening"}),
        Bulk("Show", "Withheld", ".badge-hidden", ".badge-listed"),
        Bulk("Unlist", LONG_TITLE, ".badge-listed", ".badge-unlisted"),
        Bulk("List", "Hinted at", ".badge-unlisted", ".badge-listed"),
        Bulk("Remove tags…", LONG_TITLE, ".tag:text-is('festival')", ".tag:only-child", typed={"Tags": "festival"}),
    ]


@pytest.fixture
def curated(video: Video) -> Video:
    """The recorded video among others, for a curator who lives in Kathmandu and knows nothing of what failed."""
    User.objects.filter(pk=staff_of("Curators", "cora").pk).update(time_zone="Asia/Kathmandu")
    make_content(make_video(active=False), title="Withheld", tags=["kept"])
    make_content(make_video(visibility=Video.Visibility.UNLISTED), title="Hinted at", tags=[])
    Video.objects.filter(pk=video.pk).update(qa=Video.Qa.FAILED, qa_reasons=["It was away."])
    return video


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")][: 2 if THOROUGH else 1])
def test_bulk_changes_of_each_form_and_of_all_pages_are_previewed_run_and_undone(
    url: str, curated: Video, monkeypatch: pytest.MonkeyPatch, width: int, scheme: str
) -> None:
    with chromium() as browser, opened(browser, url, width, scheme, who="cora") as (page, wrong):
        page.goto(f"{url}{LIST}")
        until(page, "[...document.querySelectorAll('img.thumbnail')].every(i => i.complete && i.naturalWidth > 0)")
        for bulk in BULK:
            label = f"{bulk.button.lower().replace(' ', '-')}-{width}-{scheme}"
            chosen = row(page, bulk.title)
            expect(chosen.locator(bulk.before)).to_have_count(1)
            chosen.get_by_role("checkbox").check()
            act(page, bulk.action)
            expect(page.get_by_text("1 video is chosen:")).to_be_visible()
            for name, text in bulk.typed.items():
                page.get_by_label(name).and_(page.locator("input")).fill(text)
            if bulk.typed:
                page.get_by_role("button", name="Continue").click()
            expect(page.get_by_role("heading", name="What will change")).to_be_visible()
            picture(page, f"bulk-{label}")
            assert fits(page)
            page.get_by_role("button", name=bulk.button, exact=True).click()
            expect(page.get_by_text(f"{bulk.button}: 1 changed.")).to_be_visible()
            expect(chosen.locator(bulk.after)).to_have_count(1)
            page.get_by_role("link", name="Details and undo").click()
            if bulk.action == "Schedule…":
                # In the time zone of the user, as typed, and not in UTC.
                expect(page.get_by_text("2040-01-02 03:04:05 +0545")).to_be_visible()
                picture(page, f"bulk-result-{label}")
            page.get_by_role("button", name="Undo").click()
            expect(page.get_by_text(f"{bulk.button}: 1 undone.")).to_be_visible()
            expect(chosen.locator(bulk.before)).to_have_count(1)
        page.get_by_role("link", name="Recent bulk changes").click()
        expect(page.get_by_role("row").filter(has_text="undone")).to_have_count(len(BULK))
        picture(page, f"bulk-changes-{width}-{scheme}")
        assert fits(page)
        # A change of all pages of a list.
        monkeypatch.setattr(VideoAdmin, "list_per_page", 2)
        page.goto(f"{url}{LIST}?status=available")
        page.locator("#action-toggle").check()
        expect(page.get_by_text("2 of 2 selected")).to_be_visible()
        page.get_by_role("button", name="Select all 5 videos").click()
        expect(page.get_by_text("All 5 selected")).to_be_visible()
        picture(page, f"list-across-{width}-{scheme}")
        act(page, "Hide")
        expect(page.get_by_text("5 videos are chosen:")).to_be_visible()
        page.get_by_role("button", name="Hide", exact=True).click()
        expect(page.get_by_text("Hide: 3 changed, 2 nothing to change.")).to_be_visible()
        expect(page.get_by_role("row").locator(".badge-hidden")).to_have_count(2)
        page.get_by_role("link", name="Details and undo").click()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Hide: 2 nothing to change, 3 undone.")).to_be_visible()
        assert faults(wrong) == []


def test_tags_are_added_in_bulk_and_a_tag_is_merged(url: str, video: Video) -> None:
    with chromium() as browser, opened(browser, url, 1280, "light") as (page, wrong):
        page.goto(f"{url}{LIST}")
        page.locator("#action-toggle").check()
        act(page, "Add tags…")
        page.get_by_role("combobox", name="Add a tag").fill("festivals")
        picture(page, "bulk-tags-1280-light")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("0 of 5 have it now.")).to_be_visible()
        page.get_by_role("button", name="Add tags").click()
        expect(page.get_by_text("Add tags: 5 changed.")).to_be_visible()
        page.get_by_role("link", name="Tags", exact=True).click()
        picture(page, "tags-1280-light")
        page.get_by_role("link", name="Rename, merge or remove festivals").click()
        page.get_by_label("New name").fill("fest")
        expect(page.locator("#complete-to option[value=festival]")).to_be_attached()
        page.get_by_label("New name").fill("festival")
        picture(page, "tag-1280-light")
        page.get_by_role("button", name="Rename or merge…").click()
        expect(page.get_by_text("is in use already")).to_be_visible()
        picture(page, "bulk-rename-1280-light")
        page.get_by_role("button", name="Rename a tag").click()
        expect(page.get_by_text("Rename a tag: 5 changed.")).to_be_visible()
        expect(page.get_by_role("row").filter(has_text="festival")).to_contain_text("5")
        assert faults(wrong) == []
