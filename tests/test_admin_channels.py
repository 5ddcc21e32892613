"""Channels in the admin."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from channels_app import aws as aws_door
from channels_app.models import Channel, Stream
from ivsvod.accounts.models import User
from ivsvod.local.aws import LocalAws
from ivsvod.local.ivs import Fault, Quotas
from tests.console import (
    CHANNELS,
    KEY,
    NINE,
    STREAMS,
    TOKENS,
    VIDEOS,
    happened,
    listed_streams,
    make_channel,
    make_stream,
    member,
    messages_of,
    page,
    run_action,
)

pytestmark = pytest.mark.django_db


# Channels


def channel_form(**values: str) -> dict[str, str]:
    form = {
        "name": "Studio",
        "owner": str(UUID(int=7)),
        "channel_type": "STANDARD",
        "latency_mode": "NORMAL",
        "record": "on",
        **values,
    }
    return {name: value for name, value in form.items() if value}


def test_creating_a_channel_creates_it_in_ivs(browser: Client, staff: User, aws: LocalAws) -> None:
    assert str(staff.uuid) in page(browser, f"{CHANNELS}add/")
    response = browser.post(f"{CHANNELS}add/", channel_form(private="on"))
    assert response.status_code == 302
    channel = Channel.objects.get()
    assert (channel.name, channel.owner, channel.latency_mode) == ("Studio", UUID(int=7), "NORMAL")
    assert (channel.private, channel.record, channel.active) == (True, True, True)
    assert [made.arn for made in [aws_door.channel_find(name=str(channel.uuid))] if made] == [channel.arn]
    [told] = messages_of(response)
    assert "Amazon IVS created the channel" in told
    html = page(browser, f"{CHANNELS}{channel.pk}/change/")
    assert f"rtmps://{channel.rtmp_address}:443/app/" in html
    assert channel.reveal_stream_key() not in html + told + page(browser, CHANNELS)
    assert "Created in Amazon IVS." in page(browser, f"{CHANNELS}{channel.pk}/history/")


@pytest.mark.django_db(transaction=True)
def test_ivs_is_called_outside_any_transaction(browser: Client, aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[bool] = []
    create: Callable[..., Any] = aws_door.channel_create

    def watched(**arguments: Any) -> Any:
        inside.append(connection.in_atomic_block)
        return create(**arguments)

    monkeypatch.setattr(aws_door, "channel_create", watched)
    browser.post(f"{CHANNELS}add/", channel_form())
    assert (inside, Channel.objects.count()) == ([False], 1)


def refused(response: Any) -> str:
    """The page of a form that was refused: nothing says that something was added, and what was typed is there."""
    assert response.status_code == 200
    html = response.content.decode()
    assert "success" not in html
    assert 'value="Studio"' in html
    return html


def test_a_recording_configuration_that_ivs_does_not_have_ends_as_an_error_of_the_form(
    browser: Client, aws: LocalAws, settings: Any
) -> None:
    settings.RECORDING_CONFIG_ARN = "arn:aws:ivs:eu-west-1:111122223333:recording-configuration/AbCdEfGhIjKl"
    assert "RECORDING_CONFIG_ARN is not set" in refused(browser.post(f"{CHANNELS}add/", channel_form()))
    assert not Channel.objects.exists()


def test_a_quota_of_ivs_ends_as_an_error_of_the_form(browser: Client, aws: LocalAws) -> None:
    aws.ivs.quotas = Quotas(channels=0)
    html = refused(browser.post(f"{CHANNELS}add/", channel_form(channel_type="BASIC")))
    assert "Amazon IVS did not create the channel: Quota exceeded: 0 channels (quota)." in html
    assert '<option value="BASIC" selected>' in html
    assert not Channel.objects.exists()


@pytest.mark.parametrize("kind", ["throttle", "error500"])
def test_a_fault_of_ivs_leaves_nothing(browser: Client, aws: LocalAws, kind: Any) -> None:
    aws.ivs.faults.append(Fault("CreateChannel", kind, times=9))
    assert "Amazon IVS did not create the channel" in refused(browser.post(f"{CHANNELS}add/", channel_form()))
    assert not Channel.objects.exists()


def test_a_reply_that_was_lost_is_looked_up(browser: Client, aws: LocalAws) -> None:
    aws.ivs.faults.append(Fault("CreateChannel", "drop_reply"))
    assert browser.post(f"{CHANNELS}add/", channel_form()).status_code == 302
    assert Channel.objects.get().status == Channel.Status.READY


def test_a_channel_that_may_be_left_is_named_and_settled_by_the_action(browser: Client, aws: LocalAws) -> None:
    aws.ivs.faults += [Fault("CreateChannel", "drop_reply"), Fault("ListChannels", "error500", times=9)]
    html = refused(browser.post(f"{CHANNELS}add/", channel_form()))
    channel = Channel.objects.get()
    assert str(channel.uuid) in html
    assert "Finish or undo interrupted creation" in html
    [told] = run_action(browser, CHANNELS, "recover", channel)
    assert "may still be under way: 1" in told
    Channel.objects.update(created_at=NINE)
    [told] = run_action(browser, CHANNELS, "recover", channel)
    assert "could not be asked" in told
    aws.ivs.faults.clear()
    assert run_action(browser, CHANNELS, "recover", channel) == ["Studio: the channel is ready."]
    channel.refresh_from_db()
    assert channel.status == Channel.Status.READY


def test_recovering_removes_a_row_that_ivs_does_not_know(browser: Client, aws: LocalAws) -> None:
    channel = make_channel(arn="", status=Channel.Status.PROVISIONING, created_at=NINE)
    ready = make_channel(name="Ready")
    told = run_action(browser, CHANNELS, "recover", channel, ready)
    assert told[0] == "Main stage: Amazon IVS has no such channel; its row was removed."
    assert Channel.objects.get() == ready


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"owner": "nonsense"}, "Enter a valid UUID."),
        ({"name": "Studio" + "x" * 251}, "at most 256 characters"),
        ({"channel_type": "HUGE"}, "Select a valid choice."),
        ({"name": "Studio\0"}, "Null characters are not allowed."),
    ],
)
def test_a_wrong_value_is_refused_before_ivs_is_asked(
    browser: Client, aws: LocalAws, values: dict[str, str], sentence: str
) -> None:
    response = browser.post(f"{CHANNELS}add/", channel_form(**values))
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert not Channel.objects.exists()


def test_channel_list_and_page_show_facts_and_no_key(browser: Client) -> None:
    channel = make_channel(channel_data={"streamKey": {"value": "sk_in_the_data"}})
    Stream.objects.create(channel=channel, stream_id="st-old", first_event_at=NINE, started_at=NINE, ended_at=NINE)
    begun = NINE + timedelta(hours=1)
    Stream.objects.create(channel=channel, stream_id="st-new", first_event_at=begun, started_at=begun)
    never = make_channel(name=None)
    Channel.objects.filter(pk=never.pk).update(created_at=None, name=None, type=None, record=None)
    html = page(browser, CHANNELS)
    assert re.search(r"badge-live[^>]*since 2026-03-04 10:05:02 UTC[^>]*>live<", html)
    assert str(never.pk) in html
    shown = page(browser, f"{CHANNELS}{channel.pk}/change/")
    assert shown.index("st-new") < shown.index("st-old")
    assert "has not streamed yet" in page(browser, f"{CHANNELS}{never.pk}/change/")
    for secret in (KEY, channel.stream_key, "sk_in_the_data"):
        assert secret not in html + shown
    assert browser.get(f"{CHANNELS}{channel.pk}/delete/").status_code == 403


def test_channels_are_found_by_name_uuid_owner_and_arn(browser: Client) -> None:
    channel = make_channel(name="Blue room")
    make_channel(name="Other")
    for text in ("blue", str(channel.pk), str(channel.owner), channel.arn):
        assert re.findall("<bdi>(.*?)</bdi>", page(browser, CHANNELS, {"q": text})) == ["Blue room"], text


@pytest.mark.parametrize(
    "path",
    [
        f"{CHANNELS}?stream_key__startswith=sk",
        f"{CHANNELS}?channel_data__streamKey__value__startswith=sk",
        f"{VIDEOS}?channel__stream_key__startswith=sk",
        f"{STREAMS}?channel__stream_key__startswith=sk",
        f"{TOKENS}?digest__startswith=a",
        f"{TOKENS}?token_key__startswith=a",
        f"{TOKENS}?user__password__startswith=a",
        "/admin/accounts/user/?password__startswith=a",
    ],
)
def test_no_address_filters_by_a_secret(browser: Client, path: str) -> None:
    assert browser.get(path).status_code == 400


def test_creating_needs_its_permission(aws: LocalAws) -> None:
    viewer = member("view_channel")
    html = page(viewer, CHANNELS)
    assert "add/" not in html
    assert "Finish or undo" not in html
    assert viewer.post(f"{CHANNELS}add/", channel_form()).status_code == 403
    assert member("add_channel").post(f"{CHANNELS}add/", channel_form()).status_code == 302


def test_the_page_of_a_channel_leads_to_its_last_streams_and_marks_them(
    browser: Client, streams: dict[str, Stream]
) -> None:
    happened(streams["live"], "Stream Takeover")
    channel = streams["live"].channel
    html = page(browser, f"{CHANNELS}{channel.pk}/change/").partition('class="scrolling"')[2]
    rows = [re.findall(r"badge badge-([\w-]+)", row) for row in html.partition("</table>")[0].split("<tr>")[2:]]
    assert rows == [["live", "mark-takeover"], ["never-live"], ["ended"], ["no-end"]]
    assert f'href="{STREAMS}{streams["live"].pk}/change/"' in html
    [all_streams] = re.findall(rf'href="({STREAMS}\?[^"]+)"', html)
    assert listed_streams(page(browser, all_streams)) == ["st-live", "st-never", "st-ended", "st-open"]


def test_the_page_of_a_channel_takes_a_fixed_number_of_queries(browser: Client) -> None:
    channel = make_channel()
    counts = []
    for many in (3, 17):
        for _ in range(many):
            happened(make_stream(channel, f"st-{uuid4()}", start=1), "Ingest Bitrate")
        with CaptureQueriesContext(connection) as queries:
            page(browser, f"{CHANNELS}{channel.pk}/change/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
