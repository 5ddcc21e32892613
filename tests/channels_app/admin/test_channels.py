"""Channels in the admin."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_app.channels.provisioning import channel_create
from channels_app.models import Channel, IdempotencyKey, Stream
from common import aws as aws_door
from ivsvod.accounts.models import User
from tests.support.console import (
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
    make_video,
    member,
    messages_of,
    page,
    run_action,
)
from tests.support.helpers import in_transaction
from tests.support.private_playback import refusal, use_playback_key
from tools.local.aws import LocalAws
from tools.local.ivs import Fault

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
    assert response.status_code == 200
    channel = Channel.objects.get()
    assert (channel.name, channel.owner, channel.latency_mode) == ("Studio", UUID(int=7), "NORMAL")
    assert (channel.private, channel.record, channel.active) == (True, True, True)
    assert [made.arn for made in [aws_door.channel_find(name=str(channel.uuid))] if made] == [channel.arn]
    history = browser.get(f"{CHANNELS}{channel.pk}/history/")["Location"]
    assert "boss" in page(browser, history)


def test_the_answer_to_the_form_shows_ingest_url_and_key_once_with_the_steps_for_an_encoder(
    browser: Client, aws: LocalAws
) -> None:
    response = browser.post(f"{CHANNELS}add/", channel_form(channel_type="BASIC", record=""))
    channel, html = Channel.objects.get(), response.content.decode()
    key = channel.reveal_stream_key()
    assert "no-store" in response["Cache-Control"]
    for text in (key, f"rtmps://{channel.rtmp_address}:443/app/"):
        assert f'data-copy="{text}"' in html
    assert "Custom…" in html
    assert "keyframe interval 2 s" in html
    assert "1.5 Mbit/s" in html
    shown = page(browser, CHANNELS) + page(browser, f"{CHANNELS}{channel.pk}/change/")
    assert f"rtmps://{channel.rtmp_address}:443/app/" in shown
    assert key not in shown + kept_of(response)


def kept_of(response: Any) -> str:
    """Return everything that a request stores: messages, the session, and the history of the admin."""
    entries = [str(entry.__dict__) for entry in LogEntry.objects.all()]
    return str([messages_of(response), dict(response.wsgi_request.session), entries])


def test_a_form_that_is_sent_twice_makes_one_channel_and_shows_its_key_once(browser: Client, aws: LocalAws) -> None:
    [once] = re.findall(r'name="once" value="([^"]+)"', page(browser, f"{CHANNELS}add/"))
    first = browser.post(f"{CHANNELS}add/", channel_form(once=once))
    channel = Channel.objects.get()
    second = browser.post(f"{CHANNELS}add/", channel_form(once=once))
    assert channel.reveal_stream_key() in first.content.decode()
    assert second["Location"] == f"{CHANNELS}{channel.pk}/change/"
    assert "sent before" in messages_of(second)[0]
    other = browser.post(f"{CHANNELS}add/", channel_form(once=once, name="Other"))
    assert "To create another channel, load the page again." in other.content.decode()
    assert Channel.objects.count() == 1


def test_ivs_is_called_outside_any_transaction(browser: Client, aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[bool] = []
    create: Callable[..., Any] = aws_door.channel_create

    def watched(**arguments: Any) -> Any:
        inside.append(in_transaction())
        return create(**arguments)

    monkeypatch.setattr(aws_door, "channel_create", watched)
    browser.post(f"{CHANNELS}add/", channel_form())
    assert (inside, Channel.objects.count()) == ([False], 1)


def refused(response: Any) -> str:
    """Return the page of a refused form, which keeps the typed values and reports no success."""
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
    aws.ivs.quotas["channel"] = 0
    html = refused(browser.post(f"{CHANNELS}add/", channel_form(channel_type="BASIC")))
    assert "A quota of the AWS account is used up: Quota exceeded: 0 channels." in html
    assert '<option value="BASIC" selected>' in html
    assert not Channel.objects.exists()


@pytest.mark.parametrize(("kind", "sentence"), [("throttle", "many requests"), ("error500", "Try again in a minute")])
def test_a_fault_of_ivs_leaves_nothing(browser: Client, aws: LocalAws, kind: Any, sentence: str) -> None:
    aws.ivs.faults.append(Fault("CreateChannel", kind, times=9))
    assert sentence in refused(browser.post(f"{CHANNELS}add/", channel_form()))
    assert not Channel.objects.exists()


def test_a_reply_that_was_lost_is_looked_up(browser: Client, aws: LocalAws) -> None:
    aws.ivs.faults.append(Fault("CreateChannel", "drop_reply"))
    assert browser.post(f"{CHANNELS}add/", channel_form()).status_code == 200
    assert Channel.objects.get().status == Channel.Status.READY


def test_a_channel_that_may_be_left_is_named_and_settled_by_the_action(browser: Client, aws: LocalAws) -> None:
    aws.ivs.faults += [Fault("CreateChannel", "drop_reply"), Fault("ListChannels", "error500", times=9)]
    html = refused(browser.post(f"{CHANNELS}add/", channel_form()))
    channel = Channel.objects.get()
    assert str(channel.uuid) in html
    assert "Finish or undo interrupted creation" in html
    [message] = run_action(browser, CHANNELS, "recover", channel)
    assert "may be under way: 1" in message
    Channel.objects.update(created_at=NINE)
    [message] = run_action(browser, CHANNELS, "recover", channel)
    assert "could not be reached" in message
    aws.ivs.faults.clear()
    assert run_action(browser, CHANNELS, "recover", channel) == ["Studio: the channel is ready."]
    channel.refresh_from_db()
    assert channel.status == Channel.Status.READY


def test_recovering_removes_a_row_that_ivs_does_not_know(browser: Client, aws: LocalAws) -> None:
    channel = make_channel(arn="", status=Channel.Status.PROVISIONING, created_at=NINE)
    ready = make_channel(name="Ready")
    first, *_ = run_action(browser, CHANNELS, "recover", channel, ready)
    assert first == "Main stage: Amazon IVS has no such channel; its row was removed."
    assert Channel.objects.get() == ready


def test_a_wrong_value_is_refused_before_ivs_is_called(browser: Client) -> None:
    for values, sentence in (
        ({"owner": "nonsense"}, "Enter a valid UUID."),
        ({"name": "Studio" + "x" * 251}, "at most 256 characters"),
        ({"channel_type": "HUGE"}, "Select a valid choice."),
        ({"name": "Studio\0"}, "Null characters are not allowed."),
    ):
        response = browser.post(f"{CHANNELS}add/", channel_form(**values))
        assert response.status_code == 200, values
        assert sentence in response.content.decode(), values
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


def test_channels_are_found_by_name_uuid_owner_and_arn(browser: Client) -> None:
    channel = make_channel(name="Blue room")
    make_channel(name="Other")
    for text in ("blue", str(channel.pk), str(channel.owner), channel.arn):
        assert re.findall("<bdi>(.*?)</bdi>", page(browser, CHANNELS, {"q": text})) == ["Blue room"], text


def test_no_address_filters_by_a_secret(browser: Client) -> None:
    for path in (
        f"{CHANNELS}?stream_key__startswith=sk",
        f"{CHANNELS}?channel_data__streamKey__value__startswith=sk",
        f"{VIDEOS}?channel__stream_key__startswith=sk",
        f"{STREAMS}?channel__stream_key__startswith=sk",
        f"{TOKENS}?digest__startswith=a",
        f"{TOKENS}?token_key__startswith=a",
        f"{TOKENS}?user__password__startswith=a",
        "/admin/accounts/user/?password__startswith=a",
    ):
        assert browser.get(path).status_code == 400, path


def test_creating_needs_its_permission(aws: LocalAws) -> None:
    viewer = member("view_channel")
    html = page(viewer, CHANNELS)
    assert "add/" not in html
    assert "Finish or undo" not in html
    assert viewer.post(f"{CHANNELS}add/", channel_form()).status_code == 403
    made = member("add_channel").post(f"{CHANNELS}add/", channel_form())
    assert (made.status_code, Channel.objects.get().name) == (200, "Studio")


def chart_rows(html: str) -> list[str]:
    return html.partition("<tbody>")[2].partition("</tbody>")[0].split("<tr>")[1:]


def test_the_page_of_a_channel_leads_to_its_last_streams_and_marks_them(
    browser: Client, streams: dict[str, Stream]
) -> None:
    happened(streams["live"], "Stream Takeover")
    channel = streams["live"].channel
    html = page(browser, f"{CHANNELS}{channel.pk}/change/")
    rows = [re.findall(r"badge badge-([\w-]+)", row) for row in chart_rows(html)]
    assert rows == [["live", "mark-takeover"], ["never-live"], ["ended"], ["no-end"]]
    assert f'href="{STREAMS}{streams["live"].pk}/change/"' in html
    [all_streams] = re.findall(rf'href="({STREAMS}\?[^"]+)"', html)
    assert listed_streams(page(browser, all_streams)) == ["st-live", "st-never", "st-ended", "st-open"]


def test_streams_are_drawn_to_one_scale_with_marks_at_their_times(browser: Client) -> None:
    channel = make_channel()
    long, short = make_stream(channel, "st-long", 0, 100), make_stream(channel, "st-short", 200, 225)
    for name, minutes in {
        "Starvation Start": 10,
        "Starvation End": 30,
        "Stream Takeover": 50,
        "Ingest Bitrate": 75,
    }.items():
        happened(long, name, minutes)
    newest, oldest = chart_rows(page(browser, f"{CHANNELS}{channel.pk}/change/"))
    assert re.findall(r'class="bar bar-ended" x="0" y="8" width="([^"]+)"', newest + oldest) == ["25.00%", "100.00%"]
    assert re.findall(r'mark-starvation"\s+x="([^"]+)"\s+y="5"\s+width="([^"]+)"', oldest) == [("10.00%", "20.00%")]
    assert re.findall(r'<svg x="([^"]+)" y="12" overflow="visible">\s*<path class="mark mark-(\w+)"', oldest) == [
        ("50.00%", "takeover"),
        ("75.00%", "limit"),
    ]
    label = "Length 1:40:00. starvation at 0:10:00 for 0:20:00; Stream Takeover at 0:50:00; Ingest Bitrate at 1:15:00"
    assert f'aria-label="{label}"' in oldest
    assert 'aria-label="Length 0:25:00. Nothing else happened"' in newest
    assert "style=" not in newest + oldest
    assert short.stream_id in newest


def queries_of(client: Client, path: str, query: dict[str, str] | None = None) -> int:
    with CaptureQueriesContext(connection) as queries:
        page(client, path, query)
    return len(queries)


def test_the_page_of_a_channel_takes_a_fixed_number_of_queries(browser: Client) -> None:
    channel = make_channel()
    operator = member("view_channel", "change_channel", "reveal_stream_key", "view_video")
    counts = set()
    for many in (3, 40):
        for number in range(many):
            stream = make_stream(channel, f"st-{uuid4()}", start=number, end=number + 1)
            happened(stream, "Ingest Bitrate", number)
        counts.add(tuple(queries_of(client, f"{CHANNELS}{channel.pk}/change/") for client in (browser, operator)))
    [count] = counts
    assert max(count) <= 12


def test_the_list_of_channels_takes_as_many_queries_for_20_rows_as_for_5(browser: Client) -> None:
    counts = set()
    for many in (5, 15):
        made = Channel.objects.bulk_create(
            Channel(owner=uuid4(), arn=f"arn-{uuid4()}", name=f"Main stage {number}", status=Channel.Status.READY)
            for number in range(many)
        )
        Stream.objects.bulk_create(
            Stream(channel=channel, stream_id=f"st-{uuid4()}", first_event_at=NINE, started_at=NINE) for channel in made
        )
        queries: tuple[dict[str, str], ...] = ({}, {"live": "live"}, {"q": "stage"})
        counts.add(tuple(queries_of(browser, CHANNELS, query) for query in queries))
    [count] = counts
    assert max(count) <= 12


def test_channels_are_filtered_by_whether_they_are_live(browser: Client, streams: dict[str, Stream]) -> None:
    make_channel(name="Quiet")
    found = {
        state: re.findall("<bdi>(.*?)</bdi>", page(browser, CHANNELS, {"live": state})) for state in ("live", "offline")
    }
    assert found == {"live": ["Main stage"], "offline": ["Quiet", "Gone"]}
    assert len(re.findall('class="field-shown_name"', page(browser, CHANNELS, {"live": "nonsense"}))) == 3


def test_a_hostile_name_is_text_on_every_page_of_a_channel(browser: Client, aws: LocalAws) -> None:
    hostile = '"><script>alert(1)</script>\u202e%(moment)s{{ x }}'
    channel = make_channel(name=hostile, playback_url="javascript:alert(1)")
    make_stream(channel, 'st-"><i>', start=0)
    paths = ["change/", "live/", "reveal/", "rotate/", "stop/", "ban/", "delete/"]
    html = "".join(page(browser, f"{CHANNELS}{channel.pk}/{path}") for path in paths) + page(browser, CHANNELS)
    assert "<script>alert" not in html
    assert 'href="javascript' not in html
    assert "<i>" not in html
    assert "data-hls" not in page(browser, f"{CHANNELS}{channel.pk}/change/", {"play": "1"})


def test_the_pages_of_a_missing_channel_redirect_with_a_message(browser: Client) -> None:
    for path in ("change/", "live/", "live.json", "reveal/", "delete/"):
        response = browser.get(f"{CHANNELS}{uuid4()}/{path}")
        assert (response.status_code, response["Location"]) == (302, "/admin/"), path
        assert "Perhaps it was deleted" in messages_of(response)[0]
    assert browser.get(f"{CHANNELS}nonsense/change/").status_code == 302


def test_the_page_of_a_channel_links_to_its_videos_for_accounts_that_may_see_them(browser: Client) -> None:
    channel = make_channel()
    make_video("Mine", channel=channel)
    make_video("Other")
    [address] = re.findall(rf'href="({VIDEOS}\?channel[^"]+)"', page(browser, f"{CHANNELS}{channel.pk}/change/"))
    html = page(browser, address)
    assert "Mine" in html
    assert "Other" not in html
    assert VIDEOS not in page(member("view_channel"), f"{CHANNELS}{channel.pk}/change/")


# Live facts of IVS


def test_viewers_and_health_come_from_ivs_at_a_separate_address(browser: Client, aws: LocalAws) -> None:
    channel = live_channel(aws)
    aws.ivs.store.set_viewers(channel.arn, 12)
    document = browser.get(f"{CHANNELS}{channel.pk}/live.json")
    assert "no-store" in document["Cache-Control"]
    stream_id = aws.ivs.store.stream_of(channel.arn)["streamId"]
    facts = {"viewers": "12", "health": "healthy", "since": "2026-03-04 09:05:02 UTC", "stream": stream_id}
    assert document.json()["facts"] == facts
    aws.ivs.store.set_viewers(channel.arn, -1)
    aws.ivs.store.session_event(stream_id, name="Starvation Start", type="IVS Stream Health Change", at=NINE, code="")
    html = page(browser, f"{CHANNELS}{channel.pk}/live/")
    assert "not counted yet" in html
    assert "starving: the encoder sends too little" in html


def live_channel(aws: LocalAws, **values: Any) -> Channel:
    """A channel that is live, in IVS and here."""
    channel = channel_create(name="Studio", owner=UUID(int=7), **values)
    stream_id = aws.ivs.store.stream_begin(channel.arn, started_at=NINE)
    make_stream(channel, stream_id, start=0)
    return channel


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [("throttle", "many requests"), ("error500", "could not be reached"), ("hang", "did not answer in time")],
)
def test_the_page_does_not_wait_for_ivs_and_shows_why_it_does_not_answer(
    browser: Client, aws: LocalAws, one_try: None, fault: Any, sentence: str
) -> None:
    channel = live_channel(aws)
    aws.ivs.faults.append(Fault("*", fault, times=99))
    html = page(browser, f"{CHANNELS}{channel.pk}/change/")
    assert f'data-document="{CHANNELS}{channel.pk}/live.json"' in html
    assert "data-poll" in html
    assert f'href="{CHANNELS}{channel.pk}/live/"' in html
    answer = browser.get(f"{CHANNELS}{channel.pk}/live.json").json()
    assert answer["facts"] == {}
    assert sentence in answer["message"]


def test_the_live_facts_say_that_ivs_has_no_stream(browser: Client, aws: LocalAws) -> None:
    channel = channel_create(name="Studio", owner=UUID(int=7))
    assert "reported no stream" in browser.get(f"{CHANNELS}{channel.pk}/live.json").json()["message"]
    assert "data-poll" not in page(browser, f"{CHANNELS}{channel.pk}/change/")
    missing = make_channel()
    assert "no longer has this channel" in browser.get(f"{CHANNELS}{missing.pk}/live.json").json()["message"]
    deleted = make_channel(status=Channel.Status.DELETED)
    assert "was deleted" in browser.get(f"{CHANNELS}{deleted.pk}/live.json").json()["message"]


def test_live_facts_are_read_only_and_for_accounts_that_may_see_channels(browser: Client, aws: LocalAws) -> None:
    channel = make_channel()
    for path in ("live/", "live.json"):
        address = f"{CHANNELS}{channel.pk}/{path}"
        assert member("view_channel").get(address).status_code == 200
        assert member("view_video").get(address).status_code == 403
        assert Client().get(address).status_code == 302
        assert browser.post(address).status_code == 405


def test_a_public_live_stream_plays_on_a_page_that_may_reach_ivs(browser: Client, aws: LocalAws) -> None:
    channel = live_channel(aws)
    address = f"{CHANNELS}{channel.pk}/change/"
    closed, playing = browser.get(address), browser.get(address, {"play": "1"})
    assert f'href="{address}?play=1"' in closed.content.decode()
    assert "live-video.net" not in closed["Content-Security-Policy"]
    assert f'data-hls="{channel.playback_url}"' in playing.content.decode()
    policy = dict(part.strip().split(" ", 1) for part in playing["Content-Security-Policy"].split(";") if part.strip())
    assert "https://*.live-video.net" in policy["connect-src"]
    assert "https://*.live-video.net" in policy["media-src"]
    assert "live-video.net" not in policy["default-src"]


def test_a_private_live_stream_plays_with_a_token_for_those_who_manage_or_curate(
    browser: Client, aws: LocalAws, settings: Any
) -> None:
    channel = live_channel(aws, private=True)
    address = f"{CHANNELS}{channel.pk}/change/"
    without_key = page(browser, address, {"play": "1"})
    assert "plays here for those who manage or curate" in without_key
    assert "data-hls" not in without_key
    use_playback_key(aws, settings)
    for client, plays in ((browser, True), (member("view_channel", "curate"), True), (member("view_channel"), False)):
        found = re.search(r'data-hls="([^"]+)"', page(client, address, {"play": "1"}))
        assert bool(found) == plays
        if found:
            assert refusal(aws, found[1], timezone.now()) == ""


def test_a_repeated_form_reports_a_deleted_channel_until_its_key_expires(browser: Client, aws: LocalAws) -> None:
    sent = channel_form(once="0f9a3c5e-7c1f-4f0e-9a40-3a1f5f3f6a10")
    assert browser.post(f"{CHANNELS}add/", sent).status_code == 200
    Channel.objects.update(status=Channel.Status.DELETED)
    again = browser.post(f"{CHANNELS}add/", sent)
    assert "The channel that this form created was deleted." in again.content.decode()
    # A key is honoured for a day; then the form makes a channel, and its answer shows the key.
    IdempotencyKey.objects.update(created_at=timezone.now() - IdempotencyKey.MAX_AGE)
    anew = browser.post(f"{CHANNELS}add/", sent)
    assert anew.status_code == 200
    made = Channel.objects.get(status=Channel.Status.READY)
    assert made.reveal_stream_key() in anew.content.decode()
