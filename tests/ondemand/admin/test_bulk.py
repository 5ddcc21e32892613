"""The pages of bulk changes: an action, what it will do, its confirmation, its result, and its undoing."""

import re
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ondemand.bulk import services
from ondemand.models import BulkChange, Content, Video
from ondemand.videos.services import video_hide, video_show
from tests.support.console import BULK, VIDEOS, choose, make_video, member, messages_of, page, press
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition('id="content-main"')[2]).split())


@pytest.mark.parametrize(
    ("action", "button", "preview", "values"),
    [
        ("show", "Show", "1 hidden → listed", {"active": True}),
        ("hide", "Hide", "1 listed → hidden", {"active": False}),
        ("list_", "List", "1 listed stays as it is", {"visibility": "public"}),
        ("unlist", "Unlist", "1 listed → unlisted", {"visibility": "unlisted"}),
    ],
)
def test_an_action_is_confirmed_done_and_undone(
    browser: Client, action: str, button: str, preview: str, values: dict[str, Any]
) -> None:
    shown, hidden = make_video("Shown"), make_video("Hidden", active=False)
    before = list(Video.objects.order_by("pk").values())
    address = choose(browser, action, shown, hidden, query="?q=&o=-6")
    html = text_of(page(browser, address))
    assert "2 videos are chosen:" in html
    assert "Shown" in html
    assert preview in html
    assert list(Video.objects.order_by("pk").values()) == before
    response = press(browser, address, "_confirm")
    assert response["Location"] == f"{VIDEOS}?q=&o=-6"
    (message,) = messages_of(response)
    assert message.startswith(f"{button}: ")
    assert f'<a href="{address}">Details and undo</a>' in message
    assert Video.objects.filter(**values).exists()
    html = page(browser, BULK)
    assert 'name="_undo"' in html
    response = press(browser, address, "_undo")
    assert "undone" in messages_of(response)[-1] or "nothing to change" in messages_of(response)[-1]
    assert list(Video.objects.order_by("pk").values()) == before
    assert 'name="_undo"' not in page(browser, BULK)
    assert "It was undone." in page(browser, address)


def test_the_audit_log_has_a_bulk_change_as_one_operation(browser: Client) -> None:
    videos = make_video(), make_video()
    press(browser, choose(browser, "hide", *videos), "_confirm")
    html = page(browser, "/admin/channels_app/auditentry/", {"q": BulkChange.objects.get().operation})
    assert all(str(video.pk) in html for video in videos)
    assert html.count("badge-way-admin") == 2


def test_the_result_counts_the_changed_and_the_unchanged_videos(browser: Client) -> None:
    shown, hidden = make_video("shown"), make_video("hidden", active=False)
    response = press(browser, choose(browser, "hide", shown, hidden), "_confirm")
    assert messages_of(response)[0].startswith("Hide: 1 changed, 1 nothing to change.")


def test_showing_a_held_video_releases_it(browser: Client) -> None:
    video = make_video(held=True)
    press(browser, choose(browser, "show", video), "_confirm")
    assert Video.objects.get().listing_at(timezone.now()) == "listed"


def test_a_preview_shows_the_changes_if_the_listing_stays_the_same(browser: Client) -> None:
    waiting = make_video(visibility="unlisted", awaits_review=True)
    running = make_video(status=Video.Status.RECORDING, active=None, held=None, visibility=None)
    hidden, held = make_video(active=False), make_video(held=True)
    html = text_of(page(browser, choose(browser, "unlist", waiting, running, hidden)))
    assert "1 unlisted unlisted stays so, and needs no review any more" in html
    assert "1 recording recording still; once it has ended: unlisted" in html
    assert "1 hidden hidden unchanged: another reason decides" in html
    html = text_of(page(browser, choose(browser, "hide", running)))
    assert "1 recording recording still; once it has ended: hidden" in html
    html = text_of(page(browser, choose(browser, "show", held)))
    assert "1 held → listed , and needs no review any more" in html


def test_a_schedule_is_in_the_time_zone_of_the_user(browser: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    with timezone.override("Europe/Berlin"):
        video = make_video("Opening")
        address = choose(browser, "schedule", video)
        html = page(browser, address)
        assert "Europe/Berlin" in html
        assert 'name="_confirm"' not in html
        typed = {"publish_from": "2030-07-01T12:00", "publish_until": "2030-07-01T11:00"}
        html = press(browser, address, "_type", **typed).content.decode()
        assert "Publication must end after it begins." in html
        html = press(browser, address, "_type", publish_from="2030-03-31T02:30").content.decode()
        assert "be interpreted" in html
        assert press(browser, address, "_confirm").status_code == 302
        assert not BulkChange.objects.begun().exists()
        assert press(browser, address, "_type", publish_from="2030-07-01T12:00").status_code == 302
        html = page(browser, address)
        assert "listed" in html
        assert "scheduled" in html
        assert "2030-07-01 12:00:00 CEST" in html
        assert 'value="2030-07-01T12:00' in page(browser, f"{address}?edit")
        press(browser, address, "_confirm")
    video.refresh_from_db()
    assert video.publish_from
    assert video.publish_from.isoformat() == "2030-07-01T10:00:00+00:00"
    assert video.publish_until is None


def test_a_schedule_leaves_undecided_videos_unless_it_shows_them_too(browser: Client) -> None:
    shown, waiting, held = make_video("a"), make_video(active=False, awaits_review=True), make_video(held=True)
    before = list(Video.objects.filter(pk__in=[waiting.pk, held.pk]).order_by("pk").values())
    address = choose(browser, "schedule", shown, waiting, held)
    press(browser, address, "_type", publish_from="2030-07-01T12:00")
    html = text_of(page(browser, address))
    assert html.count("unchanged: still hidden; dates take effect only once it is shown") == 2
    response = press(browser, address, "_confirm")
    assert messages_of(response)[0].startswith("Schedule: 1 changed, 2 nothing to change.")
    assert list(Video.objects.filter(pk__in=[waiting.pk, held.pk]).order_by("pk").values()) == before
    address = choose(browser, "schedule", shown, waiting, held)
    press(browser, address, "_type", publish_from="2030-07-01T12:00", shown="on")
    html = text_of(page(browser, address))
    assert "1 hidden → scheduled , and needs no review any more" in html
    assert "1 held → scheduled , and needs no review any more" in html
    assert "checked" in page(browser, f"{address}?edit")
    press(browser, address, "_confirm")
    assert {video.listing_at(timezone.now()) for video in Video.objects.all()} == {"scheduled"}
    press(browser, address, "_undo")
    assert list(Video.objects.filter(pk__in=[waiting.pk, held.pk]).order_by("pk").values()) == before
    # No date: nothing is decided, and what is stored goes.
    Video.objects.update(publish_from=timezone.now())
    address = choose(browser, "schedule", shown, waiting, held)
    press(browser, address, "_type")
    press(browser, address, "_confirm")
    assert not Video.objects.filter(publish_from__isnull=False).exists()
    assert Video.objects.to_review().count() == 2


def test_tags_are_added_and_removed(browser: Client) -> None:
    one, two = make_video("One", tags=["a"]), make_video()
    address = choose(browser, "add_tags", one, two)
    html = page(browser, address)
    assert 'data-tags-address="/admin/ondemand/video/tags/complete/"' in html
    assert "This field is required" in press(browser, address, "_type", tags=" ").content.decode()
    assert "more than 64 characters" in press(browser, address, "_type", tags="x" * 65).content.decode()
    press(browser, address, "_type", tags="a\r\nb")
    html = text_of(page(browser, address))
    assert "a 1 of 2 have it now." in html
    assert "b 0 of 2 have it now." in html
    assert "one that would have more than 50 tags is left as it is." in html
    press(browser, address, "_confirm")
    assert [content.tags for content in Content.objects.order_by("title")] == [["a", "b"], ["a", "b"]]
    address = choose(browser, "remove_tags", one, two)
    press(browser, address, "_type", tags="a")
    press(browser, address, "_confirm")
    assert [content.tags for content in Content.objects.all()] == [["b"], ["b"]]
    press(browser, address, "_undo")
    assert [content.tags for content in Content.objects.all()] == [["a", "b"], ["a", "b"]]


def test_files_are_checked_again(browser: Client, aws: LocalAws) -> None:
    video, recording = make_video(qa="ok"), make_video(status=Video.Status.RECORDING, qa="unverified")
    address = choose(browser, "check_again", video, recording)
    assert "1 has no files that can be read" in page(browser, address)
    response = press(browser, address, "_confirm")
    assert "1 changed, 1 left as they are: they have no files" in messages_of(response)[0]
    video.refresh_from_db()
    assert video.qa == "failed"
    press(browser, address, "_undo")
    video.refresh_from_db()
    assert video.qa == "ok"


def test_all_of_a_list_are_chosen_across_its_pages_by_its_filter(browser: Client) -> None:
    Video.objects.bulk_create(Video(status="available", bucket="b", prefix=f"{n}", data={}) for n in range(130))
    titled = {"created_by": UUID(int=0), "tags": [], "description": "", "thumbnail": ""}
    titles = [*["x"] * 120, *["y"] * 10]
    chosen = zip(Video.objects.all(), titles, strict=True)
    Content.objects.bulk_create(Content(video=video, title=title, **titled) for video, title in chosen)
    one = Video.objects.filter(content__title="x")[:1]
    address = choose(browser, "hide", *one, query="?q=x", across=True)
    assert "120 videos are chosen:" in page(browser, address)
    assert "and 115 more" in page(browser, address)
    # What comes later is not among them.
    make_video("x")
    press(browser, address, "_confirm")
    assert Video.objects.filter(active=False).count() == 120


def test_an_unfinished_change_is_resumed(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 2)
    monkeypatch.setattr("ondemand.bulk.services.monotonic", iter(range(0, 10_000, 100)).__next__)
    videos = [make_video(f"{n}") for n in range(5)]
    address = choose(browser, "hide", *videos)
    response = press(browser, address, "_confirm")
    assert response["Location"] == address
    assert "3 not done yet, 2 changed" in messages_of(response)[0]
    html = page(browser, address)
    assert 'value="Go on"' in html
    assert "not finished" in page(browser, BULK)
    press(browser, address, "_confirm")
    press(browser, address, "_confirm")
    response = press(browser, address, "_confirm")
    assert response["Location"] == VIDEOS
    assert Video.objects.filter(active=False).count() == 5
    press(browser, address, "_undo")
    assert 'value="Go on with undoing"' in page(browser, address)
    assert "partly undone" in page(browser, BULK)


def test_viewing_a_page_changes_nothing(browser: Client) -> None:
    video = make_video()
    address = choose(browser, "hide", video)
    for query in ("", "?_confirm=1", "?_undo=1", "?edit"):
        browser.get(address + query)
    browser.post(address, {})
    video.refresh_from_db()
    assert video.active is True
    assert browser.get(f"{BULK}00000000-0000-0000-0000-000000000000/").status_code == 404


def test_bulk_changes_need_the_permission_of_each_action(browser: Client) -> None:
    video = make_video("Opening")
    publisher, writer = member("view_video", "change_video"), member("view_video", "change_content")
    viewer = member("view_video", "view_content")
    assert {"show", "hide", "check_again"} <= actions(publisher)
    assert "add_tags" not in actions(publisher)
    assert actions(writer) == {"", "add_tags", "remove_tags"}
    assert actions(viewer) == set()
    hide, tags = choose(publisher, "hide", video), choose(writer, "add_tags", video)
    assert writer.get(hide).status_code == 403
    assert publisher.get(tags).status_code == 403
    assert viewer.get(hide).status_code == 403
    # What somebody chose is confirmed by nobody else.
    assert press(browser, hide, "_confirm").status_code == 403
    assert press(publisher, hide, "_confirm").status_code == 302
    assert press(writer, hide, "_undo").status_code == 403
    assert 'name="_undo"' not in page(viewer, BULK)
    assert member().get(BULK).status_code == 403
    assert Client().get(BULK).status_code == 302
    # And undone by anyone who could have done it.
    assert press(browser, hide, "_undo").status_code == 302
    video.refresh_from_db()
    assert video.active is True


def actions(client: Client) -> set[str]:
    select = re.search(r'<select name="action".*?</select>', page(client, VIDEOS), re.DOTALL)
    return set(re.findall(r'<option value="(\w*)"', select[0])) if select else set()


def test_hostile_titles_and_tags_are_shown_and_not_interpreted(browser: Client) -> None:
    hostile = '"><script>alert(1)</script>'
    video = make_video(hostile, tags=["<b>x</b>"])
    address = choose(browser, "add_tags", video, query="?q=%22%3E%3Cscript%3E")
    press(browser, address, "_type", tags=hostile)
    for html in (page(browser, address), page(browser, VIDEOS)):
        assert "<script>alert" not in html
        assert "<b>x</b>" not in html
    press(browser, address, "_confirm")
    for path in (address, BULK, VIDEOS):
        assert "<script>alert" not in page(browser, path)


def test_the_pages_take_a_fixed_number_of_queries(browser: Client) -> None:
    counts = []
    for many in (3, 12):
        videos = [make_video(f"{n}") for n in range(many)]
        address = choose(browser, "hide", *videos)
        counts.append([queries(browser, address)])
        press(browser, address, "_confirm")
        counts[-1].append(queries(browser, address))
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 12
    few = queries(browser, BULK)
    for _ in range(5):
        press(browser, choose(browser, "hide", *videos), "_confirm")
    assert queries(browser, BULK) == few <= 12


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        page(client, path)
    return len(captured)


def test_only_the_shown_values_can_be_confirmed(browser: Client) -> None:
    video = make_video("Opening")
    address = choose(browser, "add_tags", video)
    press(browser, address, "_type", tags="good")
    [seen] = re.findall(r'name="values_seen" value="(\w+)"', page(browser, address))
    press(browser, address, "_type", tags="other")
    response = press(browser, address, "_confirm", values_seen=seen)
    assert "check them again" in messages_of(response)[-1]
    assert not Content.objects.filter(tags__contains=["other"]).exists()
    colleague = member("view_video", "change_video", "change_content")
    assert press(colleague, address, "_type", tags="planted").status_code == 403
    [seen] = re.findall(r'name="values_seen" value="(\w+)"', page(browser, address))
    press(browser, address, "_confirm", values_seen=seen)
    assert Content.objects.get().tags == ["other"]


def test_a_schedule_is_read_in_the_zone_in_which_its_form_was_shown(browser: Client, staff: Any) -> None:
    address = choose(browser, "schedule", make_video("Opening"))
    assert 'name="zone" value="UTC"' in page(browser, address)
    staff.time_zone = "America/New_York"
    staff.save()
    press(browser, address, "_type", publish_from="2027-07-01T10:00:00", zone="UTC")
    assert BulkChange.objects.get().values["publish_from"].startswith("2027-07-01T10:00:00+00:00")


@pytest.mark.django_db(transaction=True)
def test_a_video_that_was_changed_and_restored_since_is_not_undone(browser: Client) -> None:
    video = make_video("Opening", active=True)
    address = choose(browser, "hide", video)
    press(browser, address, "_confirm")
    video_show(video_uuid=video.pk)
    video_hide(video_uuid=video.pk)
    press(browser, address, "_undo")
    video.refresh_from_db()
    assert video.active is False


@pytest.mark.django_db(transaction=True)
def test_undoing_after_the_recording_ended_decides_as_its_end_would_have(browser: Client) -> None:
    video = make_video("Opening", status="recording", active=None, visibility=None, held=None)
    hidden, unlisted = (choose(browser, action, video) for action in ("hide", "unlist"))
    press(browser, hidden, "_confirm")
    press(browser, unlisted, "_confirm")
    Video.objects.filter(pk=video.pk).update(status="available")
    press(browser, unlisted, "_undo")
    press(browser, hidden, "_undo")
    video.refresh_from_db()
    assert (video.active, video.visibility) == (True, "public")
