"""Channels are edited in the admin by the service of the API, and no edit overwrites that of another person."""

import html as markup
import json
import re
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from channels_app.admin.forms import editable_of
from channels_app.channels.provisioning import channel_create
from channels_app.models import Channel
from common import aws as aws_door
from tests.support.console import CHANNELS, NINE, make_channel, make_stream, member, messages_of, page
from tests.support.helpers import in_transaction, ivs_channels
from tools.local.aws import LocalAws
from tools.local.ivs import Fault

pytestmark = pytest.mark.django_db
CHECKED = ("private", "record", "active")


@pytest.fixture
def channel(aws: LocalAws) -> Channel:
    return channel_create(name="Studio", owner=UUID(int=7))


def address_of(channel: Channel) -> str:
    return f"{CHANNELS}{channel.pk}/change/"


def form_of(html: str, **values: str) -> dict[str, str]:
    """Return the form of a page as a browser sends it, with these values; an empty checkbox is unchecked."""
    form = html.partition('id="channel_form"')[2].partition("</form>")[0]
    sent = {}
    for tag in re.findall(r"<input[^>]+>", form):
        found = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
        is_sent = found["type"] != "checkbox" or " checked" in tag
        if "name" in found and is_sent and found["name"] != "csrfmiddlewaretoken":
            sent[found["name"]] = markup.unescape(found.get("value", "on"))
    for name, options in re.findall(r'<select name="(\w+)".*?>(.*?)</select>', form, re.DOTALL):
        [sent[name]] = re.findall(r'value="([^"]*)" selected', options)
    return {name: value for name, value in {**sent, **values}.items() if value or name not in CHECKED}


def test_every_field_is_saved_in_ivs_and_here(browser: Client, channel: Channel) -> None:
    form = form_of(
        page(browser, address_of(channel)),
        name="Müller & Söhne",
        type="BASIC",
        latency_mode="NORMAL",
        private="on",
        record="",
        new_video_state="hidden",
        active="",
    )
    response = browser.post(address_of(channel), form)
    assert response["Location"] == address_of(channel)
    assert messages_of(response) == ["Saved: Name, Type, Latency mode, Private, Record, New videos, Active."]
    channel.refresh_from_db()
    assert (channel.name, channel.type, channel.latency_mode) == ("Müller & Söhne", "BASIC", "NORMAL")
    assert (channel.private, channel.record, channel.active) == (True, False, False)
    assert channel.new_video_state == "hidden"
    (found,) = ivs_channels()
    assert (found["type"], found["latencyMode"], found["authorized"]) == ("BASIC", "NORMAL", True)
    assert found["tags"]["Name"] == "Müller Söhne"
    back = form_of(page(browser, address_of(channel)), new_video_state="", record="on")
    browser.post(address_of(channel), back)
    channel.refresh_from_db()
    assert (channel.new_video_state, channel.record) == (None, True)


def test_the_settings_stand_before_the_streams(browser: Client, channel: Channel) -> None:
    html = page(browser, address_of(channel))
    assert 0 < html.index('id="edit-heading"') < html.index('id="streams-heading"')


def test_a_form_that_changes_nothing_sends_nothing_to_ivs(browser: Client, channel: Channel, aws: LocalAws) -> None:
    html = page(browser, address_of(channel))
    aws.ivs.faults.append(Fault("*", "throttle", times=99))
    response = browser.post(address_of(channel), form_of(html))
    assert messages_of(response) == ["Nothing was changed."]
    assert not LogEntry.objects.exists()


def test_old_rows_may_hold_anything_that_is_not_touched(browser: Client) -> None:
    channel = make_channel(name="x" * 400 + "\r\nsecond line", latency_mode="SLOW")
    before = editable_of(Channel.objects.get(pk=channel.pk))
    html = page(browser, address_of(channel))
    response = browser.post(address_of(channel), form_of(html, name="x" * 400 + "second line", active=""))
    assert messages_of(response) == ["Saved: Active."]
    assert editable_of(Channel.objects.get(pk=channel.pk)) == {**before, "active": False}


def test_a_wrong_value_is_refused_with_its_name_and_nothing_is_written(browser: Client, channel: Channel) -> None:
    html = page(browser, address_of(channel))
    for name, value, sentence in (
        ("name", "x" * 257, "At most 256 characters."),
        ("name", "a\0b", "Null characters are not allowed."),
        ("type", "HUGE", "Select a valid choice."),
        ("type", "", "This field is required."),
        ("new_video_state", "lost", "Select a valid choice."),
        ("shown", "", "load the page again"),
        ("shown", "[" * 100_000, "load the page again"),
        ("shown", "[1, 2]", "load the page again"),
        ("shown", '{"name": "x"}', "load the page again"),
    ):
        response = browser.post(address_of(channel), form_of(html, active="", **{name: value}))
        assert response.status_code == 200, (name, value[:40])
        assert sentence in response.content.decode(), (name, value[:40])
    channel.refresh_from_db()
    assert (channel.name, channel.type, channel.active) == ("Studio", "STANDARD", True)


def test_the_second_of_two_editors_sees_the_differences_and_writes_nothing(browser: Client, channel: Channel) -> None:
    first, second = (page(browser, address_of(channel)) for _ in range(2))
    browser.post(address_of(channel), form_of(first, type="BASIC", new_video_state="hidden"))
    response = browser.post(address_of(channel), form_of(second, name="Mine"))
    html = response.content.decode()
    assert response.status_code == 200
    assert "Somebody else changed this channel meanwhile." in html
    rows = re.findall(r'<th scope="row">(.*?)</th>\s*<td>\s*<bdi>(.*?)</bdi>\s*</td>\s*<td>\s*<bdi>(.*?)</bdi>', html)
    assert rows == [
        ("Type", "STANDARD", "BASIC"),
        ("New videos", "as the setting NEW_VIDEO_STATE says", "Hidden until a curator shows them"),
    ]
    channel.refresh_from_db()
    assert (channel.name, channel.type) == ("Studio", "BASIC")
    # Sent again, it keeps what the first saved, and writes what the second typed.
    again = form_of(html)
    assert (again["name"], again["type"], again["new_video_state"]) == ("Mine", "BASIC", "hidden")
    assert messages_of(browser.post(address_of(channel), again)) == ["Saved: Name."]
    channel.refresh_from_db()
    assert (channel.name, channel.type, channel.new_video_state) == ("Mine", "BASIC", "hidden")


def test_a_forged_form_of_what_was_shown_is_a_difference_and_no_error(browser: Client, channel: Channel) -> None:
    html = page(browser, address_of(channel))
    shown = {**json.loads(form_of(html)["shown"]), "new_video_state": ["<b>"], "name": {"a": "<b>"}, "private": 10**400}
    response = browser.post(address_of(channel), form_of(html, shown=json.dumps(shown)))
    assert response.status_code == 200
    assert "<b>" not in response.content.decode()
    assert "Somebody else changed" in response.content.decode()


def test_a_live_channel_is_refused_by_ivs_and_what_was_typed_stays(
    browser: Client, channel: Channel, aws: LocalAws
) -> None:
    stream_id = aws.ivs.store.stream_begin(channel.arn, started_at=NINE)
    make_stream(channel, stream_id, start=0)
    html = page(browser, address_of(channel))
    assert "While the channel is live" in html
    response = browser.post(address_of(channel), form_of(html, type="BASIC", name="Other"))
    shown = response.content.decode()
    assert "Stop the stream, wait until the channel is offline" in shown
    assert (form_of(shown)["type"], form_of(shown)["name"]) == ("BASIC", "Other")
    channel.refresh_from_db()
    assert (channel.type, channel.name) == ("STANDARD", "Studio")


@pytest.mark.parametrize(
    ("fault", "sentence"), [("throttle", "many requests"), ("error500", "Try again in a minute"), ("hang", "in time")]
)
def test_a_fault_of_ivs_is_an_error_of_the_form_that_says_what_to_do(
    browser: Client, channel: Channel, aws: LocalAws, one_try: None, fault: Any, sentence: str
) -> None:
    html = page(browser, address_of(channel))
    aws.ivs.faults.append(Fault("*", fault, times=99, done=False))
    response = browser.post(address_of(channel), form_of(html, latency_mode="NORMAL"))
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert form_of(response.content.decode())["latency_mode"] == "NORMAL"


def test_a_partly_saved_form_shows_which_fields_were_saved(
    browser: Client, channel: Channel, aws: LocalAws, one_try: None
) -> None:
    html = page(browser, address_of(channel))
    aws.ivs.faults.append(Fault("TagResource", "throttle", times=9))
    response = browser.post(address_of(channel), form_of(html, type="BASIC", name="Other"))
    shown = response.content.decode()
    assert re.findall(r'<th scope="row">(.*?)</th>', shown) == ["Type"]
    aws.ivs.faults.clear()
    assert messages_of(browser.post(address_of(channel), form_of(shown))) == ["Saved: Name."]
    channel.refresh_from_db()
    assert (channel.type, channel.name) == ("BASIC", "Other")


def test_ivs_is_called_outside_any_transaction(
    browser: Client, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[bool] = []
    update = aws_door.channel_update

    def watched(**arguments: Any) -> Any:
        inside.append(in_transaction())
        return update(**arguments)

    monkeypatch.setattr(aws_door, "channel_update", watched)
    browser.post(address_of(channel), form_of(page(browser, address_of(channel)), type="BASIC"))
    assert inside == [False]


def test_editing_needs_its_permission_and_others_see_the_settings_as_text(browser: Client, channel: Channel) -> None:
    form = form_of(page(browser, address_of(channel)), name="Other")
    viewer = member("view_channel")
    html = page(viewer, address_of(channel))
    assert 'id="channel_form"' not in html
    assert "STANDARD" in html
    assert viewer.post(address_of(channel), form).status_code == 403
    assert Client().post(address_of(channel), form).status_code == 302
    assert member("view_video").get(address_of(channel)).status_code == 403
    assert Client(enforce_csrf_checks=True).post(address_of(channel), form).status_code != 200
    channel.refresh_from_db()
    assert channel.name == "Studio"
    assert member("change_channel").post(address_of(channel), form).status_code == 302


@pytest.mark.parametrize("status", [Channel.Status.DELETED, Channel.Status.PROVISIONING])
def test_a_channel_that_is_not_in_ivs_has_no_form(browser: Client, channel: Channel, status: str) -> None:
    form = form_of(page(browser, address_of(channel)), name="Other")
    Channel.objects.filter(pk=channel.pk).update(status=status)
    html = page(browser, address_of(channel))
    assert 'id="channel_form"' not in html
    refused = browser.post(address_of(channel), form).content.decode()
    assert "was deleted" in refused or "was interrupted" in refused
    channel.refresh_from_db()
    assert channel.name == "Studio"
