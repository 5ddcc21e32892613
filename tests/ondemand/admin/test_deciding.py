"""The bar of the page of a video: deciding and going on through a list, undoing, and what a failed recording shows."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_app.channels.provisioning import channel_create
from channels_app.models import AuditEntry, Channel, ReportedDifference
from common.admin import pages
from ivsvod.accounts.models import User
from ondemand.models import Content, Video
from tests.support.console import (
    NINE,
    VIDEOS,
    form_of,
    happened,
    make_channel,
    make_stream,
    make_video,
    member,
    messages_of,
    page,
    row_titles,
    save,
    signed_in,
)
from tests.support.helpers import OWNER
from tests.support.road import BUCKET, PREFIX, ended_metadata, lambda_takes, put, recording_change
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db
WAITING: dict[str, Any] = {"awaits_review": True, "active": False}


def waiting(count: int, **values: Any) -> list[Video]:
    """Make videos to review, the oldest first."""
    made = {**WAITING, **values}
    return [make_video(started_at=NINE + timedelta(hours=n), **made) for n in range(count)]


def address(video: Video, decided: int = 0, **filters: str) -> str:
    query = urlencode({**({"_decided": decided} if decided else {}), "_changelist_filters": urlencode(filters)})
    path = f"{VIDEOS}{video.pk}/change/"
    return f"{path}?{query}" if filters else path + (f"?_decided={decided}" if decided else "")


def decide(client: Client, path: str, decision: str, **typed: str) -> Any:
    """Open the page, type, and press the button of the decision."""
    html = page(client, path)
    action = re.search(r'<form id="video_form"[^>]*action="([^"]+)"', html)
    assert action
    return client.post(unescape(action[1]), {**form_of(html), **typed, "_decide": decision})


def position(client: Client, path: str) -> str:
    found = re.search(r'class="video-place">\s*<a [^>]*>\s*(?:<bdi>)?([^<]+?)\s*<', page(client, path))
    assert found
    return found[1]


def same(location: str, path: str) -> bool:
    """Whether two addresses are one but for the order of their parameters."""
    return sorted(re.split("[?&]", location)) == sorted(re.split("[?&]", path))


def listing(video: Video) -> str:
    return Video.objects.get(pk=video.pk).listing_at(timezone.now())


# Deciding, and going on


def test_each_decision_saves_the_whole_form_by_one_change_and_opens_the_next_of_the_list(browser: Client) -> None:
    fourth, third, second, first = waiting(4, visibility="unlisted")
    assert position(browser, address(first, review="yes")) == "1 of 4"
    results = [
        (first, second, "publish", "listed", "Published “Typed 1”."),
        (second, third, "unlist", "unlisted", "“Typed 2” is unlisted."),
        (third, fourth, "hide", "hidden", "“Typed 3” is hidden."),
    ]
    for number, (video, following, decision, result, message) in enumerate(results, 1):
        path = address(video, number - 1, review="yes")
        response = decide(browser, path, decision, title=f"Typed {number}", tags="gala")
        assert same(response["Location"], address(following, number, review="yes"))
        assert messages_of(response)[-1].startswith(message)
        assert position(browser, response["Location"]) == f"{number + 1} of 4"
        content = Content.objects.get(video=video)
        assert (listing(video), content.title, content.tags) == (result, f"Typed {number}", ["gala"])
        assert AuditEntry.objects.filter(object_pk=str(video.pk), way="admin").values("cid").distinct().count() == 1
    response = decide(browser, address(fourth, 3, review="yes"), "publish")
    assert response["Location"] == f"{VIDEOS}?review=yes"
    assert messages_of(response)[-1] == "That was the last one: nothing is left in this list."


def test_the_order_and_the_filters_of_the_list_decide_which_one_is_next(browser: Client) -> None:
    channel = make_channel()
    old, middle, new = waiting(3, channel=channel)
    waiting(3)
    column = re.search(r'column-start.*?href="\?[^"]*o=-?(\d+)', page(browser, VIDEOS), re.DOTALL)
    assert column
    filters = {"channel": str(channel.pk), "review": "yes"}
    assert f"/{middle.pk}/" in decide(browser, address(new, **filters), "hide")["Location"]
    oldest_first = {**filters, "o": column[1]}
    assert position(browser, address(middle, **oldest_first)) == "2 of 2"
    assert f"/{middle.pk}/" in decide(browser, address(old, **oldest_first), "hide")["Location"]


def test_a_decision_that_leaves_the_video_in_the_list_goes_on_from_it(browser: Client) -> None:
    old, new = (make_video(name, started_at=NINE + timedelta(hours=n)) for n, name in enumerate(("old", "new")))
    path = address(new, status="available")
    response = decide(browser, path, "hide")
    assert same(response["Location"], address(old, status="available"))
    assert position(browser, response["Location"]) == "2 of 2"


def test_without_a_list_the_queue_is_gone_through_from_its_oldest_video(browser: Client) -> None:
    first, second, third = waiting(3)
    assert position(browser, address(first)) == "1 of 3"
    assert decide(browser, address(first), "publish")["Location"] == address(second, 1)
    skipped = browser.get(f"{VIDEOS}{second.pk}/next/?_decided=1")
    assert skipped["Location"] == address(third, 1)
    assert position(browser, skipped["Location"]) == "3 of 3"
    response = decide(browser, address(third, 1), "hide")
    assert response["Location"] == f"{VIDEOS}?review=yes"
    assert messages_of(response)[-1] == "That was the last one. 1 video is left in this list."
    # A page that is opened by itself goes on with the queue.
    other = make_video("Other")
    assert position(browser, address(other)) == "Back to the list"
    assert decide(browser, address(other), "hide")["Location"] == address(second)


def test_skipping_changes_nothing(browser: Client) -> None:
    first, second = waiting(2)
    before = list(Video.objects.order_by("pk").values())
    html = page(browser, address(first))
    assert f'href="{VIDEOS}{first.pk}/next/"' in html
    assert browser.get(f"{VIDEOS}{first.pk}/next/")["Location"] == address(second)
    assert list(Video.objects.order_by("pk").values()) == before
    assert browser.get(f"{VIDEOS}nonsense/next/").status_code == 302


def test_nothing_is_decided_about_an_invalid_form_or_a_video_that_somebody_changed(browser: Client) -> None:
    first, _second = waiting(2)
    fields = form_of(page(browser, address(first)))
    invalid = browser.post(address(first), {**fields, "title": "x" * 201, "_decide": "publish"})
    assert "errorlist" in invalid.content.decode()
    Content.objects.create(video=first, created_by=OWNER, title="Theirs")
    conflict = browser.post(address(first), {**fields, "title": "Mine", "_decide": "publish"})
    html = conflict.content.decode()
    assert "while you had it open" in html
    assert listing(first) == "hidden"
    # What was decided is chosen in the form that can be saved now.
    assert (form_of(html)["shown"], form_of(html)["title"]) == ("yes", "Mine")


def test_a_decision_says_what_else_keeps_the_video_from_the_catalogue(browser: Client) -> None:
    (video,) = waiting(1)
    response = decide(browser, address(video), "publish", publish_from="2999-01-01T00:00", title="Later")
    assert listing(video) == "scheduled"
    begins = "Its publication begins at 2999-01-01 00:00:00 UTC."
    assert messages_of(response)[0].startswith(f"Published “Later”. {begins}")
    again = decide(browser, address(video), "publish")
    assert messages_of(again)[0] == f"Nothing of “Later” was changed. {begins}"


def test_enter_presses_the_first_button_which_saves_and_decides_nothing(browser: Client) -> None:
    first, second = waiting(2)

    def first_button(path: str) -> str:
        form = page(browser, path).partition('id="video_form"')[2].partition("</form>")[0]
        buttons = [found for found in re.findall(r'<button type="submit"[^>]*>', form) if "form=" not in found]
        return re.findall(r'name="(\w+)"', buttons[0])[0]

    assert first_button(address(first)) == "_next"
    response = browser.post(address(first), {**form_of(page(browser, address(first))), "title": "Typed", "_next": ""})
    assert response["Location"] == address(second)
    assert listing(first) == "hidden"
    # A video that is in no list: it saves and stays.
    assert first_button(address(make_video("Other"))) == "_save"


def test_who_may_not_publish_decides_nothing(browser: Client) -> None:
    (video,) = waiting(1)
    writer, viewer = member("view_video", "change_content"), member("view_video")
    for client in (writer, viewer):
        html = page(client, address(video))
        assert "_decide" not in html
        fields = {**form_of(html), "_decide": "publish"}
        assert client.post(address(video), fields).status_code == 403
    assert "_next" in page(writer, address(video))
    assert listing(video) == "hidden"


# Long lists


def test_a_long_list_is_counted_to_a_bound_and_costs_no_more(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "COUNTED", 3)
    filters: list[dict[str, str]] = [{"review": "yes"}, {"q": "gala"}, {"listing": "hidden"}]
    costs = []
    for count in (2, 6):
        videos = waiting(count)
        for video in videos:
            Content.objects.create(video=video, created_by=OWNER, title="Gala")
        costs.append([])
        for each in filters:
            with CaptureQueriesContext(connection) as queries:
                shown = position(browser, address(videos[-1], **each))
            costs[-1].append(len(queries))
            assert shown == ("1 of 2" if count == 2 else "1 of more than 3")
        if count == 2:
            Video.objects.all().delete()
    assert all(many <= few for few, many in zip(*costs, strict=True))
    assert max(costs[0]) <= 12
    for each in filters:
        assert position(browser, address(videos[0], **each)) == "Back to the list"
        assert f"/{videos[0].pk}/" in browser.get(address(videos[1], **each).replace("/change/", "/next/"))["Location"]
        newer = re.search(r'([0-9a-f-]{36})/change/[^"]*"\s+rel="prev"', page(browser, address(videos[1], **each)))
        assert newer
        assert newer[1] == str(videos[2].pk)


def test_the_list_without_a_filter_is_a_list_too(browser: Client) -> None:
    old, new = waiting(2)
    row = re.search(rf'href="({VIDEOS}{new.pk}/change/[^"]*)"', page(browser, VIDEOS))
    assert row
    path = unescape(row[1])
    assert position(browser, path) == "1 of 2"
    following = decide(browser, path, "hide")["Location"]
    assert f"/{old.pk}/" in following
    last = decide(browser, following, "publish")["Location"]
    assert row_titles(page(browser, last)) == row_titles(page(browser, VIDEOS))
    assert "review" not in last


# Undoing


def undo(client: Client, response: Any) -> str:
    """Press the button of the message, and return what is said then."""
    [shown] = [message for message in messages_of(response) if "<form" in message]
    path = re.findall(r'action="([^"]+)"', shown)[0].replace("&amp;", "&")
    answer = client.post(path, form_of(shown))
    assert answer["Location"] == path.replace("/undo/", "/change/")
    return messages_of(answer)[-1]


def test_a_decision_is_undone_with_all_rows_of_the_recording_and_what_was_typed_stays(browser: Client) -> None:
    video = waiting(1)[0]
    twin = make_video(duplicate_of=video, prefix=video.prefix, **WAITING)
    before = list(Video.objects.order_by("pk").values("pk", "active", "awaits_review", "visibility", "held"))
    for decision in ("publish", "unlist", "hide"):
        response = decide(browser, address(video, 4), decision, title="Typed")
        assert not Video.objects.get(pk=twin.pk).awaits_review
        assert undo(browser, response) == "Undone: the publication of “Typed” was restored."
        assert list(Video.objects.order_by("pk").values(*before[0])) == before
        assert Content.objects.get(video=video).title == "Typed"
        # It is undone once.
        assert undo(browser, response).startswith("Nothing was undone: somebody has changed the publication of “Typed”")


def test_a_decision_by_the_fields_is_named_and_undone_too(browser: Client) -> None:
    (video,) = waiting(1, visibility="public")
    for values, message in (
        ({"shown": "yes", "title": "Mine"}, "Published “Mine”."),
        ({"shown": "yes", "visibility": "unlisted"}, "“Mine” is unlisted."),
        ({"shown": "no", "publish_from": "2030-01-01T00:00"}, "“Mine” is hidden."),
    ):
        Video.objects.filter(pk=video.pk).update(active=message.endswith("hidden."))
        response = save(browser, video, _save="", **values)
        assert messages_of(response)[0].startswith(message)
        assert undo(browser, response).startswith("Undone: ")
    # A hidden video is not hidden again by another choice.
    for values in ({"title": "Typed"}, {"visibility": "unlisted"}):
        assert messages_of(save(browser, video, **values))[0].endswith("was changed successfully.")


def test_a_video_whose_channel_is_missing_is_decided_about_named_and_found_changed(browser: Client) -> None:
    (video,) = waiting(1, channel_id=UUID(int=9))
    seen = form_of(page(browser, address(video)))
    assert messages_of(decide(browser, address(video), "publish", title="Mine"))[0].startswith("Published “Mine”.")
    conflict = browser.post(address(video), {**seen, "title": "Another"})
    assert "while you had it open" in conflict.content.decode()
    assert messages_of(decide(browser, address(video), "hide", title=""))[0].startswith("“2026-")


def test_nothing_is_undone_that_somebody_changed_since_or_that_somebody_else_decided(
    browser: Client, staff: User
) -> None:
    (video,) = waiting(1)
    response = decide(browser, address(video), "publish")
    other = signed_in(User.objects.create_superuser("other", password="a long password 1"))
    assert "the audit log does not have this decision" in undo(other, response)
    assert listing(video) == "listed"
    decide(other, address(video), "hide")
    assert "somebody has changed" in undo(browser, response)
    assert listing(video) == "hidden"
    path = f"{VIDEOS}{video.pk}/undo/"
    assert browser.get(path).status_code == 405
    assert member("view_video").post(path).status_code == 403
    assert browser.post(f"{VIDEOS}nonsense/undo/").status_code == 302
    for operation in ("", "\0"):
        answer = browser.post(path, {"operation": operation})
        assert messages_of(answer)[-1].startswith("Nothing was undone: the audit log")


def test_undoing_makes_no_video_public_that_shows_a_protected_recording_by_now(browser: Client) -> None:
    clip, source = make_video("Clip", awaits_review=True), make_video("Source")
    window = {"start_ms": 0, "end_ms": 5_000}
    part = {**window, "bucket": source.bucket, "prefix": source.prefix, "playlist": "master.m3u8", "at_ms": 0}
    edited = {"duration_ms": 5_000, "parts": [part], "pictures": [], "renditions": []}
    Video.objects.filter(pk=clip.pk).update(edit=[{**window, "recording": str(source.pk)}], edited=edited)
    response = decide(browser, address(clip), "hide", playback="grant")
    Video.objects.filter(pk=source.pk).update(playback="grant")
    refusal = "Nothing was undone: “Clip” shows another recording that is played with a grant alone."
    assert undo(browser, response) == refusal
    assert Video.objects.values_list("active", "playback").get(pk=clip.pk) == (False, "grant")


# Failed recordings


def test_a_failed_recording_shows_its_reason_and_events_and_no_choice_that_cannot_be(browser: Client) -> None:
    channel = make_channel()
    stream = make_stream(channel, "st-1", 0, 60)
    happened(stream, "Recording End Failure", 61, detail={"reason": "InternalServerException"})
    undecided = {"active": None, "held": None, "visibility": None}
    data = {"recording_status_reason": "InternalServerException"}
    video = make_video(status="failed", channel=channel, stream_ids=["st-1"], data=data, playback="grant", **undecided)
    html = page(browser, address(video))
    assert "Amazon IVS could not finish this recording." in html
    assert html.count("InternalServerException") > 1
    assert "<details open>" in html
    assert html.count('form="check-form"') == 1
    assert form_of(html).keys() == {"csrfmiddlewaretoken", "version", "title", "description", "tags"}
    for text in ("_decide", "video-rules", "data-cut", "/share/", "playbackgrant/?video", "embed", "picture-grid"):
        assert text not in html, text
    fields = {**form_of(html), "title": "Broken", "shown": "yes", "publish_from": "2030-01-01T00:00"}
    assert browser.post(address(video), fields).status_code == 302
    assert Video.objects.values(*undecided, "publish_from").get() == {**undecided, "publish_from": None}
    assert Content.objects.get().title == "Broken"
    assert browser.post(address(video), {**form_of(html), "_decide": "publish"}).status_code == 403
    assert 'form="check-form"' not in page(member("view_video"), address(video))


def test_a_recording_that_never_began_leads_to_its_stream(browser: Client) -> None:
    channel = make_channel()
    stream = make_stream(channel, "st-1", 0, 60)
    video = make_video(status="failed", channel=channel, prefix="", stream_ids=["st-1"])
    html = page(browser, address(video))
    assert "the stream was not recorded" in html
    assert re.search(rf'class="button"\s+href="/admin/channels_app/stream/{stream.pk}/change/"', html)
    assert "not reported" in html


@pytest.fixture
def failed(aws: LocalAws, settings: Any) -> Video:
    """A recording of which the failure of the end arrived."""
    settings.NEW_VIDEO_STATE = "hidden"
    channel: Channel = channel_create(name="Main stage", owner=OWNER)
    event = recording_change("Recording End Failure", 9)
    event["resources"] = [channel.arn]
    lambda_takes(event)
    return Video.objects.get()


def test_a_failed_recording_whose_end_s3_has_becomes_available(browser: Client, failed: Video) -> None:
    path = f"{VIDEOS}{failed.pk}/check/"
    assert messages_of(browser.post(path)) == ["S3 has no end of this recording: it stays failed."]
    put(f"{PREFIX}/events/recording-ended.json", b"{")
    assert "could not be used" in messages_of(browser.post(path))[-1]
    # Two people at once, or a run of reconcile beside it: one row for each difference.
    browser.post(path)
    assert ReportedDifference.objects.get().prefix == PREFIX
    assert Video.objects.get().status == "failed"
    put(f"{PREFIX}/events/recording-ended.json", ended_metadata() | {"channel_arn": failed.channel.arn})
    response = browser.post(path)
    assert messages_of(response)[-1] == "S3 has the end of this recording: the video is available now."
    assert (Video.objects.get().status, Video.objects.get().bucket) == ("available", BUCKET)
    assert not ReportedDifference.objects.exists()
    assert Video.objects.to_review().exists()
