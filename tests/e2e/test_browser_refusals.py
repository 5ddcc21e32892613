"""What staff see in a browser when they may not do something, or when it is not possible."""

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from channels_app.channels.provisioning import channel_create
from channels_app.models import Channel
from ivsvod.accounts.models import User
from ondemand.models import Content, Video
from tests.support.chromium import IN_BROWSER, PASSWORD, chromium, faults, fits, opened, picture, staff_of
from tests.support.console import CHANNELS, EVENTS, NINE, VIDEOS, make_stream
from tests.support.helpers import THOROUGH, make_content, make_video
from tools.local.aws import LocalAws
from tools.local.ivs import Fault

pytestmark = IN_BROWSER
LOOKS = [(1280, "light"), (400, "dark")][: 2 if THOROUGH else 1]
BUTTONS = (
    "main input[type=submit], main button[type=submit], select[name=action], .object-tools .addlink, .actions-row a"
)
# With the token of the page, as a form of the admin that the page does not show.
POSTING = """([address, name]) => {
  const form = Object.assign(document.createElement("form"), { method: "post", action: address });
  const token = document.querySelector("#logout-form input[name=csrfmiddlewaretoken]");
  form.append(Object.assign(document.createElement("input"), { name: "csrfmiddlewaretoken", value: token.value }));
  form.append(Object.assign(document.createElement("input"), { name, value: "1" }));
  document.body.append(form);
  form.submit();
}"""


@pytest.fixture
def rows(url: str, aws: LocalAws) -> dict[str, str]:
    """The addresses of one row of each kind."""
    channel = channel_create(name="Main stage", owner=UUID(int=7))
    # Without a place there is nothing to play, whose absence would be an error on each page.
    video = make_video(channel=channel, prefix=None)
    make_content(video, title="Opening", tags=["festival"])
    return {"channel": f"{CHANNELS}{channel.pk}/", "video": f"{VIDEOS}{video.pk}/change/"}


def refused(page: Page) -> None:
    """The page says that it is a matter of rights, that nothing was done, and leads on."""
    expect(page.get_by_role("heading", name="Your account may not do this")).to_be_visible()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    expect(page.get_by_role("link", name="To the overview")).to_be_visible()


def posts(page: Page, address: str, name: str = "post") -> None:
    """Send a form to an address that no button leads to."""
    with page.expect_navigation():
        page.evaluate(POSTING, [address, name])


def shows(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible()


# tests/ivsvod/console/test_roles.py opens every page as each role, and posts to it; of each role one page is looked at.
ROLES: dict[str, tuple[str, list[str]]] = {
    # Whom: what they may not open, and where they see no button to press.
    "": (VIDEOS, []),
    "Viewers": (f"{CHANNELS}add/", ["video", "channel"]),
    "Curators": (EVENTS, ["channel"]),
    "Channel managers": ("/admin/accounts/user/", ["video"]),
}


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_staff_are_told_by_a_page_where_their_account_may_not(
    url: str, rows: dict[str, str], width: int, scheme: str
) -> None:
    for number, role in enumerate(ROLES):
        staff_of(role, f"member{number}")
    with chromium() as browser:
        for number, (role, (closed, without)) in enumerate(ROLES.items()):
            with opened(browser, url, width, scheme, who=f"member{number}") as (page, wrong):
                if not role:
                    page.goto(f"{url}/admin/")
                    expect(page.get_by_text("may not see anything here yet")).to_be_visible()
                    page.goto(f"{url}/admin/nothing/")
                    shows(page, "There is nothing at this address")
                for kind in ("video", "channel") if role else ():
                    page.goto(url + rows[kind] + ("change/" if kind == "channel" else ""))
                    assert (page.locator(BUTTONS).count() == 0) is (kind in without), (role, kind)
                page.goto(url + closed)
                refused(page)
                if role == "Viewers":
                    posts(page, rows["video"])
                    refused(page)
                assert fits(page)
                picture(page, f"refused-{number}-{width}-{scheme}")
                # No policy was broken and no script failed: all that went wrong are the refusals.
                assert [line for line in wrong if "403" not in line and "404" not in line] == []
    assert Content.objects.get().title == "Opening"


def test_signing_in_says_what_is_wrong_and_so_does_a_form_that_has_expired(url: str, rows: dict[str, str]) -> None:
    staff_of("Curators", "cora")
    User.objects.create_user("guest", password=PASSWORD)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for name, password in (("cora", "wrong"), ("guest", PASSWORD)):
            page.goto(f"{url}/admin/login/")
            page.get_by_label("Username").fill(name)
            page.get_by_label("Password").fill(password)
            page.get_by_role("button", name="Log in").click()
            shows(page, "Please enter the correct username and password for a staff account.")
        picture(page, "sign-in-wrong-1280-light")
        page.get_by_label("Username").fill("cora")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.goto(url + rows["video"])
        page.get_by_label("Title", exact=True).fill("Typed for an hour")
        kept = [cookie for cookie in page.context.cookies() if cookie["name"] != "csrftoken"]
        page.context.clear_cookies()
        page.context.add_cookies(kept)  # type: ignore[arg-type]
        page.get_by_role("button", name="Save", exact=True).click()
        shows(page, "The form has expired")
        shows(page, "Nothing was saved")
        picture(page, "refused-expired-1280-light")
        page.context.close()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_of_a_video_says_what_it_does_not_take_and_who_was_faster(
    url: str, rows: dict[str, str], width: int, scheme: str
) -> None:
    label = f"{width}-{scheme}"
    staff_of("Curators", "cora")
    with chromium() as browser, opened(browser, url, width, scheme, who="cora") as (page, wrong):
        page.goto(url + rows["video"])
        other = page.context.new_page()
        other.goto(url + rows["video"])
        page.get_by_label("Title", exact=True).fill("Mine")
        page.get_by_label("Publish from").fill("2040-01-02T00:00:00")
        page.get_by_label("Publish until").fill("2040-01-01T00:00:00")
        page.get_by_role("combobox", name="Tags").fill("x" * 65)
        file = {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"}
        page.get_by_label("Upload a picture").set_input_files(file)
        page.get_by_role("button", name="Save", exact=True).click()
        shows(page, "Publication must end after it begins.")
        shows(page, "A tag has more than 64 characters.")
        expect(page.locator(".video-pictures .errorlist")).to_have_count(1)
        assert fits(page)
        picture(page, f"video-refused-{label}")
        page.get_by_role("button", name=f"Remove {'x' * 65}").click()
        page.get_by_label("Publish until").fill("")
        other.get_by_label("Title", exact=True).fill("Theirs")
        other.get_by_role("button", name="Save", exact=True).click()
        shows(other, "was changed successfully")
        page.get_by_role("button", name="Save", exact=True).click()
        warning = page.get_by_role("alert").filter(has_text="while you had it open")
        expect(warning).to_contain_text("cora changed this video at")
        expect(warning.get_by_role("row").filter(has_text="Title")).to_contain_text("Theirs")
        expect(page.get_by_label("Title", exact=True)).to_have_value("Mine")
        picture(page, f"video-conflict-{label}")
        page.get_by_role("button", name="Save", exact=True).click()
        shows(page, "was changed successfully")
        assert faults(wrong) == []
    assert Content.objects.get().title == "Mine"


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_channels_say_what_amazon_ivs_does_not_do(
    url: str, rows: dict[str, str], aws: LocalAws, one_try: None, width: int, scheme: str
) -> None:
    label = f"{width}-{scheme}"
    staff_of("Channel managers", "max")
    channel = Channel.objects.get()
    make_stream(channel, aws.ivs.store.stream_begin(channel.arn, started_at=NINE), start=0)
    with chromium() as browser, opened(browser, url, width, scheme, who="max") as (page, wrong):
        page.goto(f"{url}{CHANNELS}add/")
        page.get_by_label("Name").fill("   ")
        page.get_by_role("button", name="Save").click()
        shows(page, "This field is required.")
        page.get_by_label("Name").fill("Studio two")
        aws.ivs.faults[:] = [Fault("CreateChannel", "throttle", times=99)]
        page.get_by_role("button", name="Save").click()
        shows(page, "too many requests")
        picture(page, f"channel-create-refused-{label}")
        assert fits(page)
        aws.ivs.faults.clear()
        page.goto(f"{url}{rows['channel']}delete/")
        page.get_by_role("button", name="Delete").click()
        shows(page, "Amazon IVS neither deletes a live channel")
        picture(page, f"channel-delete-live-{label}")
        assert faults(wrong) == []
    assert [row.name for row in Channel.objects.all()] == ["Main stage"]
    assert Video.objects.count() == 1
