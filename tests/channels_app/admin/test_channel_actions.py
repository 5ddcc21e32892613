"""The buttons of a channel in the admin: each asks for confirmation, and a key is shown once."""

import logging
import re
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client

from channels_app.admin.channel_actions import ACTIONS
from channels_app.channels.provisioning import channel_create
from channels_app.models import AuditEntry, Channel
from tests.support.console import CHANNELS, NINE, make_channel, make_stream, member, messages_of, page
from tests.support.helpers import ivs, ivs_channels
from tools.local.aws import LocalAws
from tools.local.ivs import Fault

pytestmark = pytest.mark.django_db
PERMISSIONS = {
    "reveal": "reveal_stream_key",
    "rotate": "change_channel",
    "stop": "change_channel",
    "ban": "change_channel",
    "delete": "delete_channel",
}
NAMES = list(PERMISSIONS)


@pytest.fixture
def channel(aws: LocalAws) -> Channel:
    return channel_create(name="Studio", owner=UUID(int=7))


def address_of(channel: Channel, name: str = "change") -> str:
    return f"{CHANNELS}{channel.pk}/{name}/"


def go_live(aws: LocalAws, channel: Channel) -> None:
    make_stream(channel, aws.ivs.store.stream_begin(channel.arn, started_at=NINE), start=0)


def key_in_ivs(channel: Channel) -> str | None:
    keys = ivs().list_stream_keys(channelArn=channel.arn)["streamKeys"]
    return ivs().get_stream_key(arn=keys[0]["arn"])["streamKey"]["value"] if keys else None


def kept() -> str:
    """Return everything that a request stores in the database, except the channel."""
    logged = [entry.__dict__ for entry in LogEntry.objects.all()]
    audited = [entry.__dict__ for entry in AuditEntry.objects.all()]
    return str([logged, audited, [session.get_decoded() for session in Session.objects.all()]])


def test_the_page_offers_the_buttons_that_the_account_and_the_channel_allow(browser: Client, channel: Channel) -> None:
    def offered(client: Client, channel: Channel) -> list[str]:
        links = re.findall(rf'href="{CHANNELS}{channel.pk}/(\w+)/"', page(client, address_of(channel)))
        return [name for name in links if name in NAMES]

    assert offered(browser, channel) == NAMES
    for name, permission in PERMISSIONS.items():
        alike = [other for other in NAMES if PERMISSIONS[other] == permission]
        assert offered(member("view_channel", permission), channel) == alike, name
    assert offered(member("view_channel"), channel) == []
    assert offered(browser, make_channel(stream_key="")) == ["rotate", "stop", "ban", "delete"]
    assert offered(browser, make_channel(status=Channel.Status.PROVISIONING, arn="")) == ["delete"]
    assert offered(browser, make_channel(status=Channel.Status.DELETED)) == []


def test_a_button_asks_for_confirmation_and_names_its_consequences(
    browser: Client, channel: Channel, aws: LocalAws
) -> None:
    go_live(aws, channel)
    before = (key_in_ivs(channel), aws.ivs.store.stream_of(channel.arn))
    assert sorted(action.name for action in ACTIONS) == sorted(NAMES)
    for action in ACTIONS:
        html = page(browser, address_of(channel, action.name))
        assert all(str(sentence) in html for sentence in action.consequences), action.name
        assert "Live since 2026-03-04 09:05:02 UTC" in html, action.name
        assert '<form method="post"' in html, action.name
        assert before[0] not in html, action.name
    assert (key_in_ivs(channel), aws.ivs.store.stream_of(channel.arn)) == before
    channel.refresh_from_db()
    assert channel.status == Channel.Status.READY
    assert not LogEntry.objects.exists()


def test_a_button_needs_its_permission(channel: Channel, aws: LocalAws) -> None:
    go_live(aws, channel)
    anonymous = Client()
    for name, permission in PERMISSIONS.items():
        nobody = member(*({"view_channel", "add_channel", *PERMISSIONS.values()} - {permission}))
        for ask in ("get", "post"):
            assert getattr(nobody, ask)(address_of(channel, name)).status_code == 403, name
            assert "/admin/login/" in getattr(anonymous, ask)(address_of(channel, name))["Location"], name
    assert aws.ivs.store.stream_of(channel.arn)
    assert key_in_ivs(channel) == channel.reveal_stream_key()
    channel.refresh_from_db()
    assert channel.status == Channel.Status.READY


def test_a_button_takes_no_other_method_and_no_forged_request(browser: Client, staff: Any, channel: Channel) -> None:
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(staff)
    for name in NAMES:
        assert browser.put(address_of(channel, name)).status_code == 405, name
        assert browser.delete(address_of(channel, name)).status_code == 405, name
        assert forged.post(address_of(channel, name)).status_code == 403, name
    channel.refresh_from_db()
    assert channel.status == Channel.Status.READY
    assert key_in_ivs(channel) == channel.reveal_stream_key()


def shown_once(response: Any, key: str) -> None:
    """The answer itself shows the key, and nothing keeps it."""
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert f'data-copy="{key}"' in response.content.decode()
    assert key not in kept() + str(messages_of(response)) + str(dict(response.wsgi_request.session))


def test_revealing_shows_the_key_once_and_is_in_the_audit_log(
    browser: Client, staff: Any, channel: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    response = browser.post(address_of(channel, "reveal"))
    key = channel.reveal_stream_key()
    shown_once(response, key)
    assert f"stream key revealed uuid={channel.uuid} by={staff.uuid}" in caplog.text
    assert key not in caplog.text
    entry = AuditEntry.objects.filter(action=AuditEntry.Action.ACCESS).get()
    assert entry.object_pk == str(channel.pk)
    assert "access" in page(browser, browser.get(address_of(channel, "history"))["Location"])


def test_a_message_says_why_a_key_cannot_be_revealed(browser: Client, channel: Channel, settings: Any) -> None:
    without = make_channel(stream_key="")
    assert "has no stream key" in messages_of(browser.post(address_of(without, "reveal")))[-1]
    settings.FIELD_ENCRYPTION_KEYS = ["x" * 43 + "="]
    assert "FIELD_ENCRYPTION_KEYS" in messages_of(browser.post(address_of(channel, "reveal")))[-1]
    assert not AuditEntry.objects.filter(action=AuditEntry.Action.ACCESS).exists()


def test_replacing_the_key_shows_the_new_one_once(browser: Client, channel: Channel) -> None:
    old = channel.reveal_stream_key()
    response = browser.post(address_of(channel, "rotate"))
    channel.refresh_from_db()
    new = channel.reveal_stream_key()
    assert new == key_in_ivs(channel) != old
    shown_once(response, new)
    assert old not in response.content.decode()


def test_a_form_that_replaced_the_key_and_is_sent_again_replaces_it_no_more(browser: Client, channel: Channel) -> None:
    [seen] = re.findall(r'name="key_seen" value="(\w+)"', page(browser, address_of(channel, "rotate")))
    assert browser.post(address_of(channel, "rotate"), {"key_seen": seen}).status_code == 200
    new = key_in_ivs(channel)
    response = browser.post(address_of(channel, "rotate"), {"key_seen": seen})
    assert "not replaced once more" in messages_of(response)[-1]
    assert key_in_ivs(channel) == new


def test_stopping_ends_the_stream_and_keeps_the_key(browser: Client, channel: Channel, aws: LocalAws) -> None:
    go_live(aws, channel)
    response = browser.post(address_of(channel, "stop"))
    assert response["Location"] == address_of(channel)
    assert "Amazon IVS ended the stream." in messages_of(response)[0]
    assert aws.ivs.store.stop_requested(channel.arn)
    assert key_in_ivs(channel) == channel.reveal_stream_key()


def test_a_ban_ends_the_stream_and_removes_the_key_until_it_is_replaced(
    browser: Client, channel: Channel, aws: LocalAws
) -> None:
    go_live(aws, channel)
    assert "The channel is banned" in messages_of(browser.post(address_of(channel, "ban")))[-1]
    assert aws.ivs.store.stop_requested(channel.arn)
    assert key_in_ivs(channel) is None
    assert "This channel is banned" in page(browser, address_of(channel))
    browser.post(address_of(channel, "rotate"))
    assert "This channel is banned" not in page(browser, address_of(channel))


def test_deleting_keeps_the_row_and_its_streams(browser: Client, channel: Channel) -> None:
    make_stream(channel, "st-old", start=0, end=1)
    response = browser.post(address_of(channel, "delete"))
    assert response["Location"] == address_of(channel)
    assert ivs_channels() == []
    channel.refresh_from_db()
    assert (channel.status, channel.active, channel.stream_key) == (Channel.Status.DELETED, False, "")
    html = page(browser, address_of(channel))
    assert "was deleted in Amazon IVS" in html
    assert "st-old" in html
    # Twice is once.
    assert browser.post(address_of(channel, "delete")).status_code == 302


def test_a_message_says_why_a_button_failed_and_what_to_do(browser: Client, channel: Channel, aws: LocalAws) -> None:
    assert "Nothing is on air" in messages_of(browser.post(address_of(channel, "stop")))[-1]
    go_live(aws, channel)
    assert "Stop the stream, wait" in messages_of(browser.post(address_of(channel, "delete")))[-1]
    missing = make_channel()
    for name in ("rotate", "stop", "ban"):
        assert "Delete it here as well." in messages_of(browser.post(address_of(missing, name)))[-1]
    deleted = make_channel(status=Channel.Status.DELETED)
    for name in ("rotate", "stop", "ban"):
        assert "The channel was deleted." in messages_of(browser.post(address_of(deleted, name)))[-1]
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [("throttle", "too many requests"), ("error500", "could not be reached"), ("hang", "did not answer in time")],
)
def test_a_fault_of_ivs_is_a_message_that_says_what_to_do(
    browser: Client, channel: Channel, aws: LocalAws, one_try: None, fault: Any, sentence: str
) -> None:
    go_live(aws, channel)
    aws.ivs.faults.append(Fault("*", fault, times=99, done=False))
    for number, name in enumerate(("rotate", "stop", "delete", "ban")):
        response = browser.post(address_of(channel, name))
        assert response["Location"] == address_of(channel), name
        *earlier, message = messages_of(response)
        assert len(earlier) == number, name
        assert sentence in message, name
        assert channel.reveal_stream_key() not in message, name
    assert not LogEntry.objects.exists()
    channel.refresh_from_db()
    assert channel.status == Channel.Status.READY
