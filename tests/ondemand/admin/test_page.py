"""The page of a video in the admin: its player, what is edited, who was first, and what is known of it."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_app.models import AuditEntry, Channel
from common.audit import Actor, Way, acting
from ivsvod.accounts.models import User
from ondemand.models import Content, Video
from ondemand.videos.files import CatalogueReader
from ondemand.videos.services import video_update
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
    save,
)
from tests.support.pictures import picture_file
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db


def address(video: Video) -> str:
    return f"{VIDEOS}{video.pk}/change/"


def opened(client: Client, video: Video) -> dict[str, str]:
    """Return the fields of the page as a browser opens it."""
    return form_of(page(client, address(video)))


def upload(content: bytes, name: str = "holiday.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "image/png")


def in_berlin(account: User) -> None:
    User.objects.filter(pk=account.pk).update(time_zone="Europe/Berlin")


def listing(video: Video) -> str:
    return Video.objects.get(pk=video.pk).listing_at(timezone.now())


# What is shown


def test_page_has_a_player_and_technical_facts(browser: Client) -> None:
    first = make_video("Opening")
    rendition = {"path": "media/hls/720p30", "width": 1280, "height": 720}
    video = make_video(
        duplicate_of=first,
        stream_ids=["st-1"],
        data={"a": 1},
        metadata={"episode": "7"},
        facts={"playlist": "p.m3u8", "renditions": [rendition, {"path": "sound"}, 7], "thumbnails": ["a.jpg"]},
    )
    html = page(browser, address(video))
    assert f'data-hls="{CatalogueReader(is_curator=True).location(video)}"' in html
    assert f'<a href="{CatalogueReader(is_curator=True).location(video)}">' in html
    assert re.search(r"vendor/hls\.js-1\.7\.4/hls\.min\.[0-9a-f]{12}\.js", html)
    for text in ("media/hls/720p30 (1280 x 720)", "sound (sound)", "st-1", "&quot;a&quot;: 1", str(first.pk)):
        assert text in html
    for text in ("&quot;episode&quot;: &quot;7&quot;", "1 picture", "1:02:05 (3,725,900 ms)", "ivsvod-recordings"):
        assert text in html
    assert f'data-copy="{video.prefix}"' in html


def test_long_documents_are_cut(browser: Client) -> None:
    video = make_video(data={"x": "y" * 30_000})
    html = page(browser, address(video))
    assert "more characters are not shown" in html
    assert html.count("y") < 25_000


def test_the_page_gives_the_reasons_of_the_listing(browser: Client) -> None:
    shown, hidden = make_video("Shown"), make_video("Hidden", active=False, visibility="unlisted")
    assert "Visible because:" in page(browser, address(shown))
    html = page(browser, address(hidden))
    assert "Not visible because:" in html
    assert '<span class="badge badge-hidden">hidden</span>' in html
    assert "It is hidden. It is unlisted: it opens by its address alone." in " ".join(html.split())


def test_a_title_is_suggested_if_there_is_none(browser: Client, staff: User) -> None:
    video = make_video(channel=make_channel())
    in_berlin(staff)
    assert 'data-use-title="Main stage, 2026-03-04 10:05 CET"' in page(browser, address(video))
    save(browser, video, title="Opening")
    assert "data-use-title" not in page(browser, address(video))
    Video.objects.filter(pk=make_video().pk).update(started_at=None)
    assert "data-use-title" not in page(browser, address(Video.objects.get(started_at=None)))


def test_the_name_of_a_private_channel_is_in_no_text_for_public_pages(browser: Client, settings: Any) -> None:
    settings.CATALOGUE_PAGE, settings.EMBED_ANCESTORS = True, ["https://www.example.com"]
    video, names = make_video(channel=make_channel()), []
    for private in (False, True):
        Channel.objects.update(private=private)
        html = unescape(page(browser, address(video)))
        [embedded] = re.findall('data-copy="<iframe [^>]*title="([^"]*)"', html)
        [suggested] = re.findall('data-use-title="([^"]*)"', html)
        assert embedded == suggested
        assert f'placeholder="{suggested}"' in html
        names.append(suggested)
    assert names == ["Main stage, 2026-03-04 09:05 UTC", "2026-03-04 09:05 UTC"]


def test_page_takes_a_fixed_number_of_queries_whatever_there_is(browser: Client) -> None:
    channel = make_channel()
    counts = []
    for size in (1, 25):
        names = [f"st-{size}x{n}" for n in range(min(size, 20))]
        for name in names:
            stream = make_stream(channel, name, 0, 60)
            for minute in range(5):
                happened(stream, "Starvation Start", minute)
        facts = {"playlist": "p.m3u8", "thumbnails": [f"thumb{n}.jpg" for n in range(size)]}
        videos = [make_video(f"Opening {n}", channel=channel, stream_ids=names, facts=facts) for n in range(3)]
        Video.objects.update(awaits_review=True, active=False)
        reader = member("view_video", "change_video", "change_content", "view_stream", "view_inboxevent")
        page(reader, address(videos[1]))
        with CaptureQueriesContext(connection) as queries:
            page(reader, f"{address(videos[1])}?_changelist_filters=review%3Dyes")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


def test_an_unknown_video_is_no_error(browser: Client) -> None:
    for name in ("nonsense", "00000000-0000-0000-0000-000000000000", "%00"):
        assert browser.get(f"{VIDEOS}{name}/change/").status_code in (302, 404), name
        assert browser.post(f"{VIDEOS}{name}/check/").status_code in (302, 404), name


# Content


def test_saving_writes_new_content_by_the_service(browser: Client, staff: User) -> None:
    video = make_video()
    response = save(browser, video, title=" Opening ", tags="gala\n\n  main  stage\ngala", description="a\nb")
    assert response.status_code == 302
    assert messages_of(response) == ["The video “Opening” was changed successfully."]
    content = Content.objects.get(video=video)
    assert (content.title, content.tags, content.description) == ("Opening", ["gala", "main stage"], "a\nb")
    assert (content.thumbnail, content.created_by) == ("", staff.uuid)
    assert "Opening" in page(browser, VIDEOS, {"q": "gala"})


def test_saving_one_field_of_a_duplicate_keeps_the_other_fields_of_the_first_row(browser: Client) -> None:
    first = make_video("First", tags=["q"])
    video = make_video(duplicate_of=first)
    assert save(browser, video, title="Second").status_code == 302
    content = Content.objects.get(video=video)
    assert (content.title, content.tags) == ("Second", ["q"])


def test_saving_an_untouched_page_writes_nothing(browser: Client) -> None:
    video = make_video(" first\nsecond ", tags=["a", None, "", "b\nc"], publish_from=NINE + timedelta(microseconds=7))
    Content.objects.update(description="one\r\ntwo\nthree ", thumbnail="not a url")
    before, row = Content.objects.values().get(), Video.objects.values().get()
    response = save(browser, video)
    assert response.status_code == 302
    assert messages_of(response)[0].startswith("Nothing of ")
    assert (Content.objects.values().get(), Video.objects.values().get()) == (before, row)


def test_saving_one_field_keeps_the_others_and_the_first_author(browser: Client) -> None:
    video = make_video("Opening", tags=["b\nc"])
    Content.objects.update(description="one\r\ntwo", thumbnail="not a url")
    author = Content.objects.get().created_by
    assert save(browser, video, title="Closing").status_code == 302
    content = Content.objects.get()
    assert (content.title, content.tags, content.description) == ("Closing", ["b\nc"], "one\r\ntwo")
    assert (content.thumbnail, content.created_by) == ("not a url", author)


def test_saving_content_leaves_the_row_of_the_video_alone(browser: Client) -> None:
    video = make_video("Opening", active=None)
    before = Video.objects.values().get()
    save(browser, video, title="Closing")
    assert Video.objects.values().get() == before


def test_limits_apply_to_edited_values_alone(browser: Client) -> None:
    video = make_video("Opening", tags=[f"tag {n}" for n in range(60)])
    Content.objects.update(description="x" * 20_000)
    fields = opened(browser, video)
    for field, text in (
        ("title", "x" * 201),
        ("description", "x" * 10_001),
        ("tags", "x" * 65),
        ("tags", "\n".join(f"tag {n}" for n in range(51))),
        ("title", "a\0b"),
        ("tags", "a\0b"),
    ):
        response = browser.post(address(video), {**fields, field: text + "y"})
        assert response.status_code == 200, (field, text[:9])
        assert "errorlist" in response.content.decode(), (field, text[:9])
    given = {**fields, "address": "https://example.com/a.jpg"}
    assert browser.post(address(video), given).status_code == 302
    content = Content.objects.get()
    assert (content.title, len(content.description or ""), len(content.tags or [])) == ("Opening", 20_000, 60)


def test_hostile_texts_are_escaped_everywhere_on_the_page(browser: Client) -> None:
    hostile = "</textarea></script>\"'><script>alert(1)</script>"
    stream = make_stream(make_channel(name=hostile), "st-1", 0, 10)
    happened(stream, "Stream Failure", 1, detail={"reason": hostile})
    facts = {"playlist": "p.m3u8", "thumbnails": [f"{hostile}{n}.jpg" for n in range(40)], "renditions": [hostile]}
    video = make_video(
        hostile,
        tags=[hostile],
        channel=stream.channel,
        stream_ids=["st-1"],
        facts=facts,
        qa_reasons=[hostile],
        session_id=hostile,
        metadata={hostile: hostile},
    )
    save(browser, video, description=hostile, address=f"https://example.com/{uuid4()}.jpg")
    html = page(browser, address(video))
    stale = browser.post(address(video), {**form_of(html), "version": "", "title": hostile * 2}).content.decode()
    for text in (html, stale):
        assert "alert(1)" in text
        assert "<script>alert" not in text


# Publication


def test_the_page_sets_the_publication(browser: Client) -> None:
    video = make_video("Opening")
    for values, found in (
        ({"shown": "no"}, "hidden"),
        ({"shown": "yes", "visibility": "unlisted"}, "unlisted"),
        ({"visibility": "public", "publish_from": "2999-01-01T00:00"}, "scheduled"),
        ({"publish_from": "", "publish_until": "2001-01-01T00:00:30"}, "expired"),
        ({"publish_until": ""}, "listed"),
    ):
        assert save(browser, video, **values).status_code == 302
        assert listing(video) == found


def test_times_are_in_the_time_zone_of_the_user(browser: Client, staff: User) -> None:
    video = make_video("Opening", publish_from=datetime(2026, 7, 1, 10, tzinfo=UTC))
    in_berlin(staff)
    html = page(browser, address(video))
    assert 'value="2026-07-01T12:00:00"' in html
    assert "in your zone, Europe/Berlin" in " ".join(html.split())
    save(browser, video, publish_until="2026-12-24T18:30")
    assert Video.objects.get().publish_until == datetime(2026, 12, 24, 17, 30, tzinfo=UTC)


def test_an_ambiguous_or_nonexistent_local_time_is_refused(browser: Client, staff: User) -> None:
    video = make_video("Opening")
    in_berlin(staff)
    fields = opened(browser, video)
    for text in ("2026-10-25T02:30", "2026-03-29T02:30"):
        html = browser.post(address(video), {**fields, "publish_from": text, "title": "Typed"}).content.decode()
        assert "may be ambiguous or it may not exist" in html, text
        assert 'value="Typed"' in html, text
        assert Video.objects.get().publish_from is None, text


def test_an_ambiguous_local_time_that_is_stored_already_is_kept(browser: Client, staff: User) -> None:
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    video = make_video("Opening", publish_from=second)
    in_berlin(staff)
    assert save(browser, video, title="Closing").status_code == 302
    assert Video.objects.get().publish_from == second


def test_an_invalid_publication_is_refused(browser: Client) -> None:
    video = make_video("Opening")
    fields = opened(browser, video)
    for message, values in (
        ("must end after it begins", {"publish_from": "2026-01-02T00:00", "publish_until": "2026-01-01T00:00"}),
        ("from the year 1900 to 9000", {"publish_until": "0001-01-01T00:00"}),
        ("Enter a valid date/time.", {"publish_until": "tomorrow"}),
        ("Select a valid choice.", {"visibility": "secret"}),
        ("Select a valid choice.", {"shown": "maybe"}),
    ):
        response = browser.post(address(video), {**fields, **values})
        assert response.status_code == 200, values
        assert message in response.content.decode(), values
        assert listing(video) == "listed", values


def test_a_field_that_is_not_submitted_is_not_changed(browser: Client) -> None:
    video = make_video("Opening")
    fields = opened(browser, video)
    del fields["shown"], fields["visibility"]
    assert browser.post(address(video), {**fields, "title": "Closing"}).status_code == 302
    assert listing(video) == "listed"


def test_a_new_video_is_undecided_until_a_person_decides(browser: Client) -> None:
    kinds: list[dict[str, Any]] = [
        {"awaits_review": True, "active": False},
        {"awaits_review": True, "visibility": "unlisted"},
        {"held": True},
    ]
    for values in kinds:
        video = make_video("New", **values)
        assert opened(browser, video)["shown"] == ""
        save(browser, video, title="Seen")
        assert Video.objects.to_review().filter(pk=video.pk).exists()
        save(browser, video, shown="no")
        assert not Video.objects.to_review().filter(pk=video.pk).exists()
        assert opened(browser, video)["shown"] == "no"
        save(browser, video, shown="yes", visibility="public")
        assert listing(video) == "listed"


def test_a_publication_date_of_an_undecided_video_is_refused(browser: Client) -> None:
    day = "2030-01-01T00:00"
    kept_back: list[dict[str, Any]] = [{"awaits_review": True, "active": False}, {"held": True}]
    for values in kept_back:
        video = make_video("New", **values)
        fields = opened(browser, video)
        for field in ("publish_from", "publish_until"):
            response = browser.post(address(video), {**fields, field: day})
            assert response.status_code == 200, (values, field)
            assert "Choose Shown, or this date has no effect." in response.content.decode(), (values, field)
            assert getattr(Video.objects.get(pk=video.pk), field) is None, (values, field)
        given = {**fields, "shown": "yes", "publish_from": day, "publish_until": "2031-01-01T00:00"}
        assert browser.post(address(video), given).status_code == 302
        assert listing(video) == "scheduled"
    # A date has an effect on these: a check lets the one go by itself, an address opens the other.
    for values in ({"held": True, "held_by_check": True}, {"awaits_review": True, "visibility": "unlisted"}):
        for field in ("publish_from", "publish_until"):
            assert save(browser, make_video("New", **values), **{field: day}).status_code == 302, (values, field)


def test_a_running_recording_can_be_published_before_it_ends(browser: Client) -> None:
    undecided = {"active": None, "held": None, "visibility": None}
    video = make_video(status=Video.Status.RECORDING, **undecided)
    fields = opened(browser, video)
    assert (fields["shown"], fields["visibility"]) == ("", "")
    save(browser, video, title="Soon")
    assert Video.objects.values(*undecided).get() == undecided
    save(browser, video, shown="yes")
    assert Video.objects.values("active", "held").get() == {"active": None, "held": False}
    assert opened(browser, video)["shown"] == "yes"


# Pictures


def test_chapters_are_edited_as_lines_in_any_order(browser: Client) -> None:
    video = make_video(chapters=[{"at_ms": 61_500, "title": "Panel"}, {"at_ms": 90_000, "title": "Two\nlines"}])
    assert opened(browser, video)["chapters"].splitlines() == ["0:01:01.500 Panel", "0:01:30 Two lines"]
    save(browser, video, chapters="1:02:05.8  Closing, at last \r\n\r\n 0:00 Opening\r\n0:01:01.500 Panel")
    opening, panel, closing = ((0, "Opening"), (61_500, "Panel"), (3_725_800, "Closing, at last"))
    written = [{"at_ms": at_ms, "title": title} for at_ms, title in (opening, panel, closing)]
    assert Video.objects.get().chapters == written
    html = page(browser, f"/admin/channels_app/auditentry/?q={video.pk}")
    assert "chapters: <bdi>" in html.lower()
    save(browser, video, chapters="")
    assert Video.objects.get().chapters is None


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("0:00 Opening\nClosing", "Line 2 is not a time"),
        ("0:00", "Line 1 is not a time"),
        ("0:99 Late", "Line 1 is not a time"),
        ("٠:٠٠ Opening", "Line 1 is not a time"),  # noqa: RUF001
        ("0:00 A\n00:00:00.0 B", "Two chapters begin at 0:00:00"),
        ("0:00 " + "x" * 201, "Line 1 has a title of more than 200 characters"),
        ("\n".join(f"0:{n:02}:01 x" for n in range(50)) + "\n" + "\n".join(f"0:{n:02}:02 x" for n in range(51)), "100"),
        ("1:02:05.9 End", "before the end of the video, 1:02:05"),
        ("9999:999:59 End", "before the end of the video"),
    ],
)
def test_lines_that_are_no_chapters_are_refused_and_kept(browser: Client, lines: str, message: str) -> None:
    video = make_video("Title", chapters=[{"at_ms": 0, "title": "Stored"}])
    html = save(browser, video, title="New", chapters=lines).content.decode()
    assert message in html
    assert form_of(html)["chapters"].splitlines() == lines.splitlines()
    assert (Content.objects.get().title, Video.objects.get().chapters[0]["title"]) == ("Title", "Stored")


@pytest.mark.parametrize(
    "stored", ["9" * 5000, "[" * 2000 + "]" * 2000, '[7, {"at_ms": true, "title": []}]', '"x"', "{}"]
)
def test_whatever_another_program_stores_as_chapters_leaves_the_page_usable(browser: Client, stored: str) -> None:
    video = make_video("Opening")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE on_demand_videos SET _chapters = %s::jsonb WHERE uuid = %s", [stored, video.pk])
    assert opened(browser, video)["chapters"].strip() == ""
    page(browser, f"/watch/{video.pk}")
    page(browser, f"{VIDEOS}?q=opening")
    save(browser, video, chapters="0:00 Start")
    assert Video.objects.get().chapters == [{"at_ms": 0, "title": "Start"}]


def test_two_editors_of_chapters_are_told_and_lose_nothing(browser: Client) -> None:
    video = make_video("Title", chapters=[{"at_ms": 0, "title": "Stored"}])
    seen = opened(browser, video)
    with acting(Actor(Way.ADMIN, "Ada", operation=uuid4().hex)):
        video_update(video_uuid=video.pk, by=uuid4(), values={"chapters": [{"at_ms": 5000, "title": "Theirs"}]})
    html = browser.post(address(video), {**seen, "chapters": "0:07 Mine"}).content.decode()
    for text in ("Ada changed this video", "0:00:05 Theirs", "0:00:07 Mine"):
        assert text in html
    assert Video.objects.get().chapters == [{"at_ms": 5000, "title": "Theirs"}]
    browser.post(address(video), form_of(html))
    assert Video.objects.get().chapters == [{"at_ms": 7000, "title": "Mine"}]


def test_a_picture_that_is_no_https_address_is_refused(browser: Client) -> None:
    video = make_video("Opening")
    fields = opened(browser, video)
    for thumbnail in ("javascript:alert(1)", "ftp://example.com/a.jpg", "a.jpg", "http://example.com/a.jpg"):
        for field in ("thumbnail", "address"):
            response = browser.post(address(video), {**fields, field: thumbnail, "title": "Typed"})
            assert response.status_code == 200, (field, thumbnail)
            html = response.content.decode()
            assert "Neither an https URL nor a picture of this recording." in html, (field, thumbnail)
            assert 'value="Typed"' in html, (field, thumbnail)
    assert Content.objects.get().title == "Opening"


def test_a_picture_of_the_recording_is_chosen_by_its_path_and_cleared(browser: Client) -> None:
    video = make_video("Opening")
    assert save(browser, video, thumbnail="thumb1.jpg").status_code == 302
    assert Content.objects.get().thumbnail == video.pictures["thumb1.jpg"]
    assert opened(browser, video)["thumbnail"] == "thumb1.jpg"
    save(browser, video, thumbnail="")
    assert Content.objects.get().thumbnail == ""


def test_pictures_are_a_sample_and_a_script_gets_all_of_them(browser: Client) -> None:
    facts = {"playlist": "p.m3u8", "thumbnails": [f"thumb{n}.jpg" for n in range(100)]}
    video = make_video("Opening", facts=facts)
    save(browser, video, thumbnail="thumb33.jpg")
    html = page(browser, address(video))
    chosen = re.findall(r'name="thumbnail"\s+value="(thumb\d+\.jpg)"', html)
    assert len(chosen) == 12
    assert {"thumb0.jpg", "thumb33.jpg", "thumb99.jpg"} <= set(chosen)
    assert chosen == sorted(chosen, key=lambda name: int(re.findall(r"\d+", name)[0]))
    assert html.count('"value": "thumb') == 100
    assert 'alt="Picture at about 0:20:29"' in html


def test_a_picture_that_the_policy_forbids_is_shown_as_its_address(browser: Client) -> None:
    video = make_video("Opening")
    save(browser, video, address="https://elsewhere.test/a.jpg")
    html = page(browser, address(video))
    assert "<bdi>https://elsewhere.test/a.jpg</bdi>" in html
    assert 'src="https://elsewhere.test' not in html


def test_an_uploaded_file_becomes_the_picture_with_one_save(browser: Client, aws: LocalAws) -> None:
    video = make_video("Opening")
    response = save(browser, video, picture=upload(picture_file("PNG", (64, 36))), thumbnail="upload", title="New")
    assert response.status_code == 302
    content = Content.objects.get()
    assert content.title == "New"
    assert re.fullmatch(r"https://media\.example\.com/thumbnails/[0-9a-f]{64}\.jpg", content.thumbnail or "")
    html = page(browser, address(video))
    assert f'src="{content.thumbnail}"' in html
    assert opened(browser, video)["thumbnail"] == content.thumbnail


def test_a_stored_picture_of_a_local_stack_without_tls_is_accepted(
    browser: Client, aws: LocalAws, settings: Any
) -> None:
    settings.PLAYBACK_BASE_URL = "http://127.0.0.1:8000/_local/media"
    video = make_video("Opening")
    save(browser, video, picture=upload(picture_file("PNG", (64, 36))))
    kept = Content.objects.get().thumbnail or ""
    assert kept.startswith("http://127.0.0.1:8000/_local/media/thumbnails/")
    save(browser, video, thumbnail="")
    save(browser, video, thumbnail=kept)
    assert Content.objects.get().thumbnail == kept


def test_a_file_that_is_no_picture_is_refused_and_the_other_fields_keep_their_values(browser: Client) -> None:
    video = make_video("Opening")
    fields = {**opened(browser, video), "thumbnail": "upload", "title": "Typed"}
    for message, content in (
        ("no JPEG, PNG or WebP", b"<svg onload='alert(1)'/>"),
        ("The submitted file is empty.", b""),
        ("more than 10 MB", bytes(10 * 1024 * 1024 + 1)),
    ):
        html = browser.post(address(video), {**fields, "picture": upload(content)}).content.decode()
        assert message in html
        assert 'value="Typed"' in html, message
    assert Content.objects.get().title == "Opening"


def test_a_picture_is_stored_even_if_another_field_is_invalid(browser: Client, aws: LocalAws) -> None:
    video = make_video("Opening")
    given = upload(picture_file("PNG", (64, 36)))
    html = save(browser, video, picture=given, thumbnail="upload", title="x" * 201).content.decode()
    fields = form_of(html)
    assert "/thumbnails/" in fields["thumbnail"]
    assert Content.objects.get().thumbnail == ""
    assert browser.post(address(video), {**fields, "title": "Mended"}).status_code == 302
    assert Content.objects.get().thumbnail == fields["thumbnail"]


def test_an_s3_error_is_reported_and_nothing_is_saved_or_lost(
    browser: Client, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storages["default"], "bucket_name", "another-bucket")
    monkeypatch.setattr(storages["default"], "_bucket", None)
    video = make_video("Opening")
    given = upload(picture_file("PNG", (64, 36)))
    html = save(browser, video, picture=given, thumbnail="upload", title="Typed").content.decode()
    assert "Amazon S3 did not take the picture" in html
    assert 'value="Typed"' in html
    assert (Content.objects.get().title, Content.objects.get().thumbnail) == ("Opening", "")


def test_a_chosen_file_that_is_not_sent_is_an_error(browser: Client) -> None:
    html = save(browser, make_video("Opening"), thumbnail="upload").content.decode()
    assert "Choose the file again" in html


@pytest.mark.django_db(transaction=True)
def test_s3_is_never_called_inside_a_transaction(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = []

    def kept(content: bytes) -> str:
        inside.append(connection.in_atomic_block)
        return "https://media.example.com/thumbnails/a.jpg"

    monkeypatch.setattr("ondemand.admin.page.picture_store", kept)
    save(browser, make_video("Opening"), picture=upload(picture_file("PNG", (64, 36))))
    assert inside == [False]


# Two people


def test_the_second_of_two_editors_sees_the_changes_of_the_first_and_the_name(browser: Client) -> None:
    video = make_video("Opening", tags=["a"])
    fields = opened(browser, video)
    with acting(Actor(Way.API, "importer")):
        changed = {"title": "Theirs", "tags": ["b"]}
        video_update(video_uuid=video.pk, by=uuid4(), values=changed)
    mine = {**fields, "title": "Mine", "description": "Typed"}
    response = browser.post(address(video), mine)
    html = " ".join(response.content.decode().split())
    content = Content.objects.get()
    assert (content.title, content.description) == ("Theirs", "")
    assert re.search(r"importer \(API\) changed this video at \d{4}-", html)
    for text in (">Theirs</bdi>", ">Mine</bdi>", 'value="Mine"', ">b</bdi>", "not changed by you: updated"):
        assert text in html
    again = form_of(response.content.decode())
    assert again["tags"] == "b"
    assert browser.post(address(video), again).status_code == 302
    content.refresh_from_db()
    assert (content.title, content.tags, content.description) == ("Mine", ["b"], "Typed")


@pytest.mark.parametrize(
    ("theirs", "typed", "mine"),
    [
        # What I changed since in another window is another field, or one that I left alone here.
        ({"title": "Theirs"}, {"title": "Mine"}, {"metadata": {"episode": "7"}}),
        ({"title": "Theirs"}, {"title": "Mine"}, {"tags": ["b"]}),
        ({"active": False}, {"shown": "yes", "title": "Mine"}, {"description": "b"}),
        ({"publish_until": NINE + timedelta(days=9000)}, {"title": "Mine"}, {"metadata": {"episode": "7"}}),
    ],
)
def test_a_conflict_names_the_account_that_changed_the_differing_fields(
    browser: Client, theirs: dict[str, Any], typed: dict[str, str], mine: dict[str, Any]
) -> None:
    video = make_video("Opening", visibility="public", active=None, held=True)
    fields = opened(browser, video)
    for actor, values in ((Actor(Way.API, "importer"), theirs), (Actor(Way.ADMIN, "boss"), mine)):
        with acting(actor):
            video_update(video_uuid=video.pk, by=uuid4(), values=values)
    html = " ".join(browser.post(address(video), {**fields, **typed}).content.decode().split())
    assert "importer (API) changed this video at" in html


def test_a_conflict_of_a_duplicate_names_the_account_that_changed_the_first_row(browser: Client) -> None:
    first = make_video("Opening")
    video = make_video(duplicate_of=first)
    fields = opened(browser, video)
    with acting(Actor(Way.API, "importer")):
        video_update(video_uuid=first.pk, by=uuid4(), values={"title": "Theirs"})
    html = " ".join(browser.post(address(video), {**fields, "title": "Mine"}).content.decode().split())
    assert "importer (API) changed this video at" in html


def test_a_conflict_names_nobody_if_the_audit_log_has_no_entry(browser: Client) -> None:
    video = make_video("Opening")
    fields = opened(browser, video)
    with acting(Actor(Way.API, "importer")):
        video_update(video_uuid=video.pk, by=uuid4(), values={"title": "Theirs"})
    AuditEntry.objects.filter(changes__has_key="title").delete()
    html = browser.post(address(video), {**fields, "title": "Mine"}).content.decode()
    assert "Another person changed this video while you had it open." in html


def test_two_saves_at_once_are_compared_under_the_lock(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    video = make_video("Opening")

    def meanwhile(**arguments: Any) -> Video:
        Content.objects.update(title="Theirs")
        return video_update(**arguments)

    fields = opened(browser, video)
    monkeypatch.setattr("ondemand.admin.page.video_update", meanwhile)
    response = browser.post(address(video), {**fields, "title": "Mine"})
    assert "while you had it open" in response.content.decode()
    assert Content.objects.get().title == "Theirs"


def test_equal_or_no_changes_are_no_lasting_conflict(browser: Client) -> None:
    video = make_video("Opening")
    fields = opened(browser, video)
    Content.objects.update(title="Same")
    assert browser.post(address(video), fields | {"title": "Opening"}).status_code in (200, 302)
    assert Content.objects.get().title == "Same"
    html = browser.post(address(video), {**fields, "title": "Same"}).content.decode()
    assert Content.objects.get().title == "Same"
    assert "<td data-label" not in html


def test_a_change_of_publication_is_no_conflict_for_an_editor_of_content() -> None:
    video = make_video("Opening")
    curator = member("view_video", "change_content")
    fields = opened(curator, video)
    Video.objects.update(active=False)
    assert curator.post(address(video), {**fields, "title": "Closing"}).status_code == 302
    assert Content.objects.get().title == "Closing"


def test_a_form_without_a_version_counts_as_outdated(browser: Client) -> None:
    video = make_video("Opening")
    fields = {**opened(browser, video), "title": "Mine"}
    for version in ("", "nonsense", "title=", "=" * 5000):
        response = browser.post(address(video), {**fields, "version": version})
        assert response.status_code == 200, version[:9]
        assert "conflict-heading" in response.content.decode(), version[:9]
    assert Content.objects.get().title == "Opening"


# From one to the next


def beside(html: str) -> dict[str, str]:
    found = re.findall(r'href="/admin/ondemand/video/([0-9a-f-]+)/change/[^"]*"\s+rel="(prev|next)"', html)
    return {side: uuid for uuid, side in found}


def test_neighbours_are_those_of_the_list_that_linked_to_the_page(browser: Client) -> None:
    old, middle, hidden, new = (
        make_video(title, started_at=NINE + timedelta(hours=n), active=title != "hidden")
        for n, title in enumerate(("old", "middle", "hidden", "new"))
    )
    unknown = make_video("unknown")
    Video.objects.filter(pk=unknown.pk).update(started_at=None)
    assert beside(page(browser, address(middle))) == {"prev": str(hidden.pk), "next": str(old.pk)}
    shown = f"{address(middle)}?_changelist_filters=listing%3Dlisted"
    assert beside(page(browser, shown)) == {"prev": str(new.pk), "next": str(old.pk)}
    assert "_changelist_filters=listing%3Dlisted" in page(browser, shown)
    found = f"{address(middle)}?_changelist_filters=q%3Dmiddle"
    assert beside(page(browser, found)) == {}
    assert beside(page(browser, address(old))) == {"prev": str(middle.pk), "next": str(unknown.pk)}
    assert beside(page(browser, address(unknown))) == {"prev": str(old.pk)}


def test_neighbours_with_the_same_start_follow_the_order_of_the_list(browser: Client) -> None:
    videos = [make_video(f"{n}") for n in range(3)]
    newest, middle, oldest = sorted(videos, key=lambda video: video.pk, reverse=True)
    assert beside(page(browser, address(middle))) == {"prev": str(newest.pk), "next": str(oldest.pk)}


def test_a_page_opens_although_the_address_of_its_list_is_invalid(browser: Client) -> None:
    video = make_video("Opening")
    for filters in ("nonsense=1", "e=1&p=7", "stream_ids__0=%00", "q=%00", "data__a=b", "%"):
        assert browser.get(address(video), {"_changelist_filters": filters}).status_code == 200, filters


def test_saving_stays_on_the_page_and_keeps_the_filters_of_the_list(browser: Client) -> None:
    video = make_video("Opening")
    kept = "?_changelist_filters=status%3Davailable"
    assert browser.post(f"{address(video)}{kept}", opened(browser, video))["Location"] == address(video) + kept


# Files, streams, public page


def test_files_are_checked_again_by_a_button(browser: Client, aws: LocalAws) -> None:
    video = make_video("Opening", qa="ok")
    assert 'form="check-form"' in page(browser, address(video))
    assert browser.get(f"{VIDEOS}{video.pk}/check/").status_code == 405
    response = browser.post(f"{VIDEOS}{video.pk}/check/")
    assert response["Location"] == address(video)
    assert messages_of(response) == ["The files were checked: failed."]
    assert Video.objects.get().qa == "failed"
    assert "The multivariant playlist is missing." in page(browser, address(video))


def test_no_answer_of_s3_is_reported(browser: Client, monkeypatch: pytest.MonkeyPatch, one_try: None) -> None:
    video = make_video("Opening", qa="ok")
    monkeypatch.setattr("ondemand.admin.page.video_recheck", lambda video: type("R", (), {"unanswered": True})())
    response = browser.post(f"{VIDEOS}{video.pk}/check/")
    assert messages_of(response) == ["Amazon S3 gave no answer; try again later."]


def test_the_page_shows_the_streams_and_the_position_of_each_event_in_the_recording() -> None:
    channel = make_channel()
    stream = make_stream(channel, "st-1", 0, 60)
    happened(stream, "Starvation Start", 12.5)
    make_stream(channel, "st-other", 0, 60)
    video = make_video("Opening", channel=channel, stream_ids=["st-1"])
    html = page(member("view_video", "view_stream"), address(video))
    assert f"/admin/channels_app/stream/{stream.pk}/change/" in html
    assert "Starvation Start" in html
    assert 'data-seek="750"' in html
    assert "st-other" not in html
    assert "/inboxevent/" not in html
    with_events = page(member("view_video", "view_channel", "view_inboxevent"), address(video))
    assert "/admin/channels_app/inboxevent/?q=st-1" in with_events
    assert "Starvation" not in page(member("view_video"), address(video))


def test_the_public_page_and_its_embed_code_are_shown_while_the_video_is_public(browser: Client, settings: Any) -> None:
    video = make_video("Opening & closing")
    settings.VIDEO_PAGE_URL = "https://www.example.com/watch/{uuid}"
    html = page(browser, address(video))
    assert f'href="https://www.example.com/watch/{video.pk}"' in html
    Video.objects.update(active=False)
    html = page(browser, address(video))
    assert "www.example.com" not in html
    assert "opens once the video is published" in html


def test_without_a_public_page_there_is_no_link_to_it(browser: Client, settings: Any) -> None:
    settings.VIDEO_PAGE_URL, settings.CATALOGUE_PAGE = "", False
    html = page(browser, address(make_video("Opening")))
    assert "video-share" not in html


def test_the_history_is_the_audit_log_for_auditors(browser: Client) -> None:
    video = make_video("Opening")
    save(browser, video, title="Closing")
    assert f"{VIDEOS}{video.pk}/history/" in page(browser, address(video))
    response = browser.get(f"{VIDEOS}{video.pk}/history/", follow=True)
    assert f'href="{address(video)}"><bdi>Closing</bdi></a>' in response.content.decode()
    assert not LogEntry.objects.exists()
    assert "/history/" not in page(member("view_video"), address(video))


# Who may


def test_a_viewer_sees_everything_and_has_no_field() -> None:
    video = make_video("Opening", tags=["gala"], publish_from=NINE)
    viewer = member("view_video", "view_content")
    html = page(viewer, address(video))
    for text in ("Opening", "gala", "Everybody", "2026-03-04 09:05:02 UTC", "Technical facts"):
        assert text in html
    assert set(form_of(html)) <= {"csrfmiddlewaretoken", "version"}
    for text in ('name="_save"', "check-form", "data-frame"):
        assert text not in html
    assert viewer.post(address(video), {"title": "Typed"}).status_code == 403
    assert viewer.post(f"{VIDEOS}{video.pk}/check/").status_code == 403
    assert Content.objects.get().title == "Opening"


def test_a_publisher_edits_no_content() -> None:
    video = make_video("Opening")
    publisher = member("change_video")
    fields = opened(publisher, video)
    assert "title" not in fields
    assert publisher.post(address(video), {**fields, "shown": "no", "title": "Typed"}).status_code == 302
    assert (listing(video), Content.objects.get().title) == ("hidden", "Opening")


def test_an_editor_of_content_publishes_nothing() -> None:
    video = make_video("Opening")
    writer = member("view_video", "change_content")
    fields = opened(writer, video)
    assert "shown" not in fields
    given = {**fields, "title": "Typed", "shown": "no", "publish_until": "2001-01-01T00:00"}
    assert writer.post(address(video), given).status_code == 302
    assert (listing(video), Content.objects.get().title) == ("listed", "Typed")


def test_an_account_without_permissions_sees_nothing() -> None:
    video = make_video("Opening")
    for client in (member(), member("change_content"), member("view_channel")):
        assert client.get(address(video)).status_code == 403
        assert client.post(address(video), {"title": "x"}).status_code == 403
    for path in (address(video), f"{VIDEOS}{video.pk}/check/"):
        assert Client().post(path)["Location"].startswith("/admin/login/")
