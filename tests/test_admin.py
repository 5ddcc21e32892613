"""The admin, through the front door: pages as staff see them and forms as they send them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_app import aws as aws_door
from channels_app.admin import events as events_admin
from channels_app.events import DETAIL_TYPES
from channels_app.models import Channel, InboxEvent, Stream, StreamHistoryEntry
from channels_app.reducers import StreamReducer
from ivsvod.accounts.models import ApiToken, User
from ivsvod.accounts.services import api_token_create
from ivsvod.local.aws import LocalAws
from ivsvod.local.ivs import Fault, Quotas
from ondemand.models import Content, Video
from ondemand.pictures import picture_allowed, video_picture
from tests.road import ARN, outcomes, sample

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 3, 4, 9, 5, 2, tzinfo=UTC)
VIDEOS = "/admin/ondemand/video/"
CHANNELS = "/admin/channels_app/channel/"
EVENTS = "/admin/channels_app/inboxevent/"
STREAMS = "/admin/channels_app/stream/"
TOKENS = "/admin/accounts/apitoken/"
KEY = "sk_eu-west-1_a_secret_key"


@pytest.fixture
def staff() -> User:
    return User.objects.create_superuser("boss", password="a long password 1")


@pytest.fixture
def browser(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def member(*permissions: str) -> Client:
    """A browser in which someone with just these permissions is signed in."""
    user = User.objects.create_user(f"member-{uuid4()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def make_channel(**values: Any) -> Channel:
    return Channel.objects.create(
        **{
            "owner": uuid4(),
            "arn": f"arn:aws:ivs:eu-west-1:111122223333:channel/{uuid4().hex[:12]}",
            "rtmp_address": "a.global-contribute.live-video.net",
            "stream_key": KEY,
            "name": "Main stage",
            "status": Channel.Status.READY,
            **values,
        }
    )


def make_video(title: str | None = None, tags: Any = None, **values: Any) -> Video:
    video = Video.objects.create(
        **{
            "status": Video.Status.AVAILABLE,
            "bucket": "ivsvod-recordings",
            "prefix": f"ivs/v1/{uuid4().hex}",
            "started_at": NINE,
            "ended_at": NINE + timedelta(seconds=3725),
            "duration_ms": 3_725_900,
            "facts": {"playlist": "media/hls/master.m3u8", "thumbnails": [f"thumb{n}.jpg" for n in range(3)]},
            **values,
        }
    )
    if title is not None:
        Content.objects.create(video=video, created_by=uuid4(), title=title, tags=tags, description="", thumbnail="")
    return Video.objects.get(pk=video.pk)


def make_event(**values: Any) -> InboxEvent:
    return InboxEvent.objects.create(**{"event_id": str(uuid4()), "body": "{}", **values})


def make_stream(channel: Channel, stream_id: str, start: float | None = None, end: float | None = None) -> Stream:
    """A stream that started and ended so many minutes after nine; None is: not heard of."""
    known = {"started_at": start, "ended_at": end}
    times = {name: None if value is None else NINE + timedelta(minutes=value) for name, value in known.items()}
    first = min((time for time in times.values() if time), default=NINE)
    return Stream.objects.create(channel=channel, stream_id=stream_id, first_event_at=first, **times)


def happened(stream: Stream, name: str, minutes: float = 0, **values: Any) -> StreamHistoryEntry:
    detail = values.pop("detail", {"reason": None})
    at = NINE + timedelta(minutes=minutes)
    event_id = values.pop("event_id", None) or str(uuid4())
    return StreamHistoryEntry.objects.create(stream=stream, event_id=event_id, name=name, at=at, detail=detail)


def page(client: Client, path: str, data: dict[str, Any] | None = None) -> str:
    response = client.get(path, data or {})
    assert response.status_code == 200, response.headers
    return response.content.decode()


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def run_action(client: Client, path: str, action: str, *rows: Any) -> list[str]:
    response = client.post(path, {"action": action, "_selected_action": [str(row.pk) for row in rows]})
    assert response.status_code == 302
    told = messages_of(response)
    # The page that follows takes them off the list of what is to be told.
    client.get(response["Location"])
    return told


def row_titles(html: str) -> list[str]:
    return re.findall(r'class="field-title">.*?<bdi>(.*?)</bdi>', html)


# Signing in


def test_signing_in_by_the_form_leads_to_the_start_page(staff: User) -> None:
    client = Client()
    response = client.post("/admin/login/?next=/admin/", {"username": "boss", "password": "a long password 1"})
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    html = page(client, "/admin/")
    assert "ivsvod" in html
    assert "View site" not in html


@pytest.mark.parametrize("path", ["/admin/", VIDEOS, CHANNELS, STREAMS, EVENTS, TOKENS, f"{CHANNELS}add/"])
def test_anonymous_is_sent_to_the_sign_in(path: str) -> None:
    response = Client().get(path)
    assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={path}")


@pytest.mark.parametrize(
    "path", [VIDEOS, CHANNELS, STREAMS, EVENTS, TOKENS, f"{CHANNELS}add/", "/admin/accounts/user/"]
)
def test_staff_without_rights_is_refused(path: str) -> None:
    assert member().get(path).status_code == 403


def test_pages_carry_a_strict_policy_and_no_inline_script_or_style(browser: Client) -> None:
    video = make_video("Opening")
    for path in ("/admin/", VIDEOS, f"{VIDEOS}{video.pk}/change/", CHANNELS, f"{CHANNELS}add/", EVENTS, TOKENS):
        response = browser.get(path)
        assert "default-src 'self'" in response["Content-Security-Policy"]
        assert "unsafe" not in response["Content-Security-Policy"]
        html = response.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", html)
        assert not re.search(r"<style|\sstyle=|\son\w+=", html)


# Videos: the list


def test_list_shows_a_video_at_a_glance(browser: Client) -> None:
    channel = make_channel()
    video = make_video("Opening show", channel=channel)
    html = page(browser, VIDEOS)
    assert f'src="https://media.example.com/{video.prefix}/thumb1.jpg"' in html
    assert 'loading="lazy"' in html
    assert 'alt="Picture of Opening show"' in html
    for text in ("<bdi>Opening show</bdi>", "Main stage", "2026-03-04 09:05:02 UTC", "1:02:05", ">listed<"):
        assert text in html


def test_list_shows_what_is_unknown_as_dashes(browser: Client) -> None:
    nowhere = uuid4()
    bare = {"prefix": None, "bucket": None, "started_at": None, "ended_at": None, "duration_ms": None, "facts": None}
    video = make_video(channel_id=nowhere, stream_ids=None, active=None, **bare)
    Video.objects.filter(pk=video.pk).update(**bare, status=None, data=[1, "x", None])
    html = page(browser, VIDEOS)
    assert "No picture" in html
    assert row_titles(html) == ["–"]  # noqa: RUF001
    assert str(nowhere) in html
    assert ">hidden<" in html
    assert "There is nothing to play" in page(browser, f"{VIDEOS}{video.pk}/change/")


def test_list_is_newest_first_and_unknown_starts_are_last(browser: Client) -> None:
    for title, started_at in (("old", NINE), ("new", NINE + timedelta(days=1)), ("unknown", None)):
        video = make_video(title, started_at=started_at)
        Video.objects.filter(pk=video.pk).update(started_at=started_at)
    assert row_titles(page(browser, VIDEOS)) == ["new", "old", "unknown"]


def test_one_word_says_whether_a_video_is_found(browser: Client) -> None:
    first = make_video("listed")
    soon, past = timezone.now() + timedelta(hours=1), timezone.now() - timedelta(hours=1)
    make_video("unlisted", visibility="unlisted")
    make_video("scheduled", publish_from=soon)
    make_video("expired", publish_until=past)
    make_video("held", held=True, active=False)
    make_video("hidden", active=False)
    make_video("hidden", active=None)
    make_video("recording", active=None, held=None, visibility=None, status=Video.Status.RECORDING)
    make_video("failed", active=None, held=None, visibility=None, status=Video.Status.FAILED)
    make_video("duplicate", duplicate_of=first)
    html = page(browser, VIDEOS)
    assert re.findall(r'class="badge badge-(\w+)">\1<', html) == row_titles(html)
    assert len(row_titles(html)) == 10


@pytest.mark.parametrize("path", [VIDEOS, CHANNELS, EVENTS])
def test_lists_take_as_many_queries_for_100_rows_as_for_25(browser: Client, path: str) -> None:
    counts: list[int] = []
    rows: list[int] = []
    for many in (25, 75):
        first = make_video("first")
        for n in range(many - 1):
            place = {"duplicate_of": first} if n % 3 == 0 else {"channel_id": uuid4()}
            make_video(None if n % 3 == 0 else "a title", **place)
            channel = make_channel()
            Stream.objects.create(channel=channel, stream_id=f"st-{n}", first_event_at=NINE, started_at=NINE)
            make_event()
        make_channel()
        make_event()
        with CaptureQueriesContext(connection) as queries:
            html = page(browser, path)
        rows.append(len(re.findall(r"<tr>\s*<t", html.partition("<tbody>")[2])))
        counts.append(len(queries))
    assert rows == [25, 100]
    assert counts[0] == counts[1] <= 8


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"status": "available"}, {"shown", "hidden"}),
        ({"status": "failed"}, {"failed"}),
        ({"shown": "yes"}, {"shown"}),
        ({"shown": "no"}, {"hidden", "failed"}),
        ({"shown": "no", "status": "available"}, {"hidden"}),
        ({"shown": "nonsense", "status": "nonsense"}, {"shown", "hidden", "failed"}),
    ],
)
def test_filters(browser: Client, query: dict[str, str], titles: set[str]) -> None:
    make_video("shown")
    make_video("hidden", active=False)
    make_video("failed", active=None, status=Video.Status.FAILED)
    assert set(row_titles(page(browser, VIDEOS, query))) == titles


def test_search_finds_by_text_uuid_and_stream_id(browser: Client) -> None:
    opening = make_video("Opening shows", tags=["gala"], stream_ids=["st-Opening1"])
    make_video("Closing", stream_ids=["st-Closing1"])
    uuid = opening.pk
    for text in ("show", "gala", '"opening show"', "opening -closing", str(uuid), uuid.hex.upper(), " st-Opening1 "):
        assert row_titles(page(browser, VIDEOS, {"q": text})) == ["Opening shows"], text
    for text in ("nothing", str(uuid4()), "st-none", "'; DROP TABLE"):
        assert row_titles(page(browser, VIDEOS, {"q": text})) == [], text
    assert "Null characters are not allowed" in page(browser, VIDEOS, {"q": "\0"})


def test_hostile_texts_are_shown_and_not_interpreted(browser: Client) -> None:
    hostile = '"><script>alert(1)</script>'
    channel = make_channel(name=hostile)
    video = make_video(hostile, channel=channel, tags=[hostile], data={"x": hostile}, session_id=hostile)
    Content.objects.update(description=f"</textarea>{hostile}", thumbnail=f"javascript:{hostile}")
    event = make_event(body=f'{{"id": "{hostile[2:]}"}}', error=hostile, name=hostile)
    for path in (
        VIDEOS,
        f"{VIDEOS}{video.pk}/change/",
        CHANNELS,
        f"{CHANNELS}{channel.pk}/change/",
        EVENTS,
        f"{EVENTS}{event.pk}/change/",
    ):
        html = page(browser, path)
        assert "alert(1)" in html
        assert "<script>alert" not in html
        assert 'src="javascript' not in html


# Videos: pictures


def test_a_chosen_picture_is_shown_only_where_the_policy_lets_it(settings: Any) -> None:
    settings.CONTENT_SECURITY_POLICY = {
        "DIRECTIVES": {"img-src": ["'self'", "data:", "https://img.example.org", "*.pics.example"]}
    }
    assert picture_allowed("https://img.example.org/a.jpg")
    assert picture_allowed("https://a.pics.example/a.jpg")
    assert picture_allowed("https://media.example.com/x.jpg")
    for url in (
        "http://img.example.org/a.jpg",
        "https://img.example.org.evil.test/a.jpg",
        "https://img.example.org@evil.test/a.jpg",
        "javascript:alert(1)",
        "data:image/png;base64,",
        "https://[",
        "/a.jpg",
    ):
        assert not picture_allowed(url), url
    video = make_video("Opening")
    made = f"https://media.example.com/{video.prefix}/thumb1.jpg"
    for chosen, shown in (("https://img.example.org/a.jpg",) * 2, ("https://elsewhere.test/a.jpg", made), (None, made)):
        Content.objects.update(thumbnail=chosen)
        assert video_picture(Video.objects.get()) == shown


# Videos: actions


def test_hide_and_show_say_how_many_changed(browser: Client) -> None:
    shown, hidden = make_video("shown"), make_video("hidden", active=False)
    failed = make_video("failed", active=None, status=Video.Status.FAILED)
    assert run_action(browser, VIDEOS, "hide", shown, hidden) == ["Hidden: 1 of 2 selected videos."]
    assert set(Video.objects.values_list("active", flat=True)) == {False, None}
    assert run_action(browser, VIDEOS, "show", shown, hidden, failed) == ["Shown: 2 of 3 selected videos."]
    assert run_action(browser, VIDEOS, "show", shown) == ["Shown: 0 of 1 selected videos."]
    failed.refresh_from_db()
    assert failed.active is None


def test_showing_a_held_video_releases_it(browser: Client) -> None:
    video = make_video(held=True)
    browser.post(VIDEOS, {"action": "show", "_selected_action": [video.pk]})
    assert Video.objects.get().listing_at(timezone.now()) == "listed"


def test_a_viewer_sees_videos_and_changes_none() -> None:
    video = make_video("Opening")
    viewer = member("view_video", "view_content")
    assert "Hide selected" not in page(viewer, VIDEOS)
    html = page(viewer, f"{VIDEOS}{video.pk}/change/")
    assert "Opening" in html
    assert 'name="content-0-title"' not in html
    viewer.post(VIDEOS, {"action": "hide", "_selected_action": [str(video.pk)]})
    assert viewer.post(f"{VIDEOS}{video.pk}/change/", content_form()).status_code == 403
    video.refresh_from_db()
    assert video.active is True


def test_videos_are_neither_added_nor_deleted(browser: Client) -> None:
    video = make_video("Opening")
    for path in (f"{VIDEOS}add/", f"{VIDEOS}{video.pk}/delete/"):
        assert browser.get(path).status_code == 403
        assert browser.post(path, {"post": "yes"}).status_code == 403
    assert "delete_selected" not in page(browser, VIDEOS)


# Videos: the page


def content_form(content: Content | None = None, **values: str) -> dict[str, str]:
    """The page's form as a browser sends it: line ends are CR LF."""
    sent = {
        "title": (content and content.title) or "",
        "description": (content and content.description) or "",
        "tags": "\n".join(content.shown_tags) if content else "",
        "thumbnail": (content and content.thumbnail) or "",
        **values,
    }
    return {
        "content-TOTAL_FORMS": "1",
        "content-INITIAL_FORMS": "1" if content else "0",
        "content-0-uuid": str(content.pk) if content else "",
        "content-0-video": str(content.video_id) if content else "",
        **{f"content-0-{name}": "\r\n".join(text.replace("\r\n", "\n").split("\n")) for name, text in sent.items()},
    }


def save(client: Client, video: Video, **values: str) -> Any:
    content = Content.objects.filter(video=video).first()
    return client.post(f"{VIDEOS}{video.pk}/change/", content_form(content, **values))


def test_page_has_a_player_and_technical_facts(browser: Client) -> None:
    first = make_video("Opening")
    rendition = {"path": "media/hls/720p30", "width": 1280, "height": 720}
    video = make_video(
        duplicate_of=first,
        stream_ids=["st-1"],
        data={"a": 1},
        facts={"playlist": "p.m3u8", "renditions": [rendition, {"path": "sound"}, 7]},
    )
    html = page(browser, f"{VIDEOS}{video.pk}/change/")
    assert f'data-hls="{video.location}"' in html
    assert f'<a href="{video.location}">' in html
    assert re.search(r"vendor/hls\.js-1\.7\.4/hls\.light\.min\.[0-9a-f]{12}\.js", html)
    for text in ("media/hls/720p30 (1280 x 720)", "sound (sound)", "st-1", "&quot;a&quot;: 1", str(first.pk)):
        assert text in html


def test_page_takes_a_fixed_number_of_queries(browser: Client) -> None:
    video = make_video("Opening", channel=make_channel())
    with CaptureQueriesContext(connection) as queries:
        page(browser, f"{VIDEOS}{video.pk}/change/")
    assert len(queries) <= 6


def test_saving_writes_new_content_by_the_service(browser: Client, staff: User) -> None:
    video = make_video()
    response = save(browser, video, title=" Opening ", tags="gala\n\n  main  stage\ngala", description="a\nb")
    assert response.status_code == 302
    content = Content.objects.get(video=video)
    assert (content.title, content.tags, content.description) == ("Opening", ["gala", "main stage"], "a\nb")
    assert (content.thumbnail, content.created_by) == ("", staff.uuid)
    assert row_titles(page(browser, VIDEOS, {"q": "gala"})) == ["Opening"]


def test_saving_one_field_of_a_duplicate_keeps_what_it_shows_of_the_first_row(browser: Client) -> None:
    first = make_video("First", tags=["q"])
    video = make_video(duplicate_of=first)
    assert save(browser, video, title="Second").status_code == 302
    content = Content.objects.get(video=video)
    assert (content.title, content.tags) == ("Second", ["q"])


def test_saving_an_untouched_page_writes_nothing(browser: Client) -> None:
    video = make_video(" first\nsecond ", tags=["a", None, "", "b\nc"])
    Content.objects.update(description="one\r\ntwo\nthree ", thumbnail="not a url")
    before = Content.objects.values().get()
    assert save(browser, video, title="first second", tags="a\nb c").status_code == 302
    assert Content.objects.values().get() == before


def test_saving_one_field_keeps_the_others_and_who_wrote_first(browser: Client) -> None:
    video = make_video("Opening", tags=["b\nc"])
    Content.objects.update(description="one\r\ntwo", thumbnail="not a url")
    author = Content.objects.get().created_by
    assert save(browser, video, title="Closing", tags="b c").status_code == 302
    content = Content.objects.get()
    assert (content.title, content.tags, content.description) == ("Closing", ["b\nc"], "one\r\ntwo")
    assert (content.thumbnail, content.created_by) == ("not a url", author)


def test_saving_leaves_the_row_of_the_video_alone(browser: Client) -> None:
    video = make_video("Opening", active=None)
    before = Video.objects.values().get()
    save(browser, video, title="Closing")
    assert Video.objects.values().get() == before


@pytest.mark.parametrize(
    "thumbnail", ["javascript:alert(1)", "ftp://example.com/a.jpg", "a.jpg", "http://example.com/a.jpg"]
)
def test_a_thumbnail_that_is_no_https_address_is_refused(browser: Client, thumbnail: str) -> None:
    video = make_video("Opening")
    response = save(browser, video, thumbnail=thumbnail, title="Typed")
    assert response.status_code == 200
    html = response.content.decode()
    assert "Neither an https URL nor a picture of this recording." in html
    assert 'value="Typed"' in html
    assert Content.objects.get().title == "Opening"


def test_a_picture_of_the_recording_is_chosen_by_its_path(browser: Client) -> None:
    video = make_video("Opening")
    assert save(browser, video, thumbnail="thumb1.jpg").status_code == 302
    assert Content.objects.get().thumbnail == video.pictures["thumb1.jpg"]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("title", "x" * 201),
        ("description", "x" * 10_001),
        ("tags", "x" * 65),
        ("tags", "\n".join(f"tag {n}" for n in range(51))),
    ],
)
def test_limits_hold_for_what_is_edited_alone(browser: Client, field: str, text: str) -> None:
    video = make_video("Opening", tags=[f"tag {n}" for n in range(60)])
    Content.objects.update(description="x" * 20_000)
    response = save(browser, video, **{field: text + "y"})
    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    assert save(browser, video, thumbnail="https://example.com/a.jpg").status_code == 302
    content = Content.objects.get()
    assert (content.title, len(content.description or ""), len(content.tags or [])) == ("Opening", 20_000, 60)


def test_saving_an_empty_page_makes_no_content(browser: Client) -> None:
    video = make_video()
    assert save(browser, video).status_code == 302
    assert not Content.objects.exists()


@pytest.mark.parametrize("name", ["nonsense", "00000000-0000-0000-0000-000000000000", "%00"])
def test_an_unknown_video_is_no_error(browser: Client, name: str) -> None:
    assert browser.get(f"{VIDEOS}{name}/change/").status_code in (302, 404)


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


# Inbox


def test_inbox_lists_what_became_of_each_event(browser: Client) -> None:
    make_event(
        name="Ingest Bitrate", detail_type="IVS Limit Breach", outcome="failed", error="x" * 200, received_at=NINE
    )
    html = page(browser, EVENTS)
    for text in ("Ingest Bitrate", "2026-03-04 09:05:02 UTC", "IVS Limit Breach", "failed", "x" * 80 + "…"):
        assert text in html
    assert "x" * 81 not in html


def listed_events(html: str) -> list[str]:
    return re.findall(r'class="field-name">(.*?)</td>', html)


def test_inbox_filters_and_search(browser: Client) -> None:
    arn = "arn:aws:ivs:eu-west-1:1:channel/a"
    make_event(
        event_id="e-1", name="a", detail_type="IVS Limit Breach", outcome="failed", stream_id="st-1", channel_arn=arn
    )
    make_event(name="b", detail_type="Other", outcome="ignored")
    for query in (
        {"outcome": "failed"},
        {"detail_type": "IVS Limit Breach"},
        {"q": "e-1"},
        {"q": "st-1"},
        {"q": arn},
    ):
        assert listed_events(page(browser, EVENTS, query)) == ["a"], query
    assert listed_events(page(browser, EVENTS, {"detail_type": "other"})) == ["b"]
    assert listed_events(page(browser, EVENTS, {"detail_type": "nonsense", "outcome": "nonsense"})) == ["b", "a"]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"a":{"b":"é"}}', "{\n  &quot;a&quot;: {\n    &quot;b&quot;: &quot;é&quot;\n  }\n}"),
        ('{"a":"\\ud800"}', "\\ud800"),
        ("not <b>json</b>", "not &lt;b&gt;json&lt;/b&gt;"),
        ("[" * 5000, "[" * 5000),
        ("", ""),
    ],
)
def test_inbox_shows_a_body_indented_or_as_it_came(browser: Client, body: str, shown: str) -> None:
    event = make_event(body=body)
    assert shown in page(browser, f"{EVENTS}{event.pk}/change/").partition('class="envelope"')[2]


def test_inbox_is_read_only(browser: Client) -> None:
    event = make_event()
    assert 'type="submit" value="Save"' not in page(browser, f"{EVENTS}{event.pk}/change/")
    assert browser.post(f"{EVENTS}{event.pk}/change/", {"error": "x"}).status_code == 403
    assert browser.get(f"{EVENTS}add/").status_code == 403
    assert browser.post(f"{EVENTS}{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in page(browser, EVENTS)


# Replay


def replayable(browser: Client) -> bool:
    return "Replay selected events" in page(browser, EVENTS)


@pytest.fixture
def failed(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> list[InboxEvent]:
    """A start that failed for a bug that is mended, an end that was applied, and one whose channel is not here."""
    make_channel(arn=ARN)

    def raise_it(*_: Any) -> Any:
        raise ValueError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(StreamReducer, "apply", raise_it)
        assert outcomes(sample("stream_start")) == ["failed"]
    assert outcomes(sample("stream_end")) == ["applied"]
    assert outcomes(sample("session_created", id="e-3", resources=[f"{ARN}X"])) == ["parked"]
    return list(InboxEvent.objects.order_by("pk"))


def test_selected_events_are_replayed_whatever_they_were(browser: Client, failed: list[InboxEvent]) -> None:
    assert run_action(browser, EVENTS, "replay", *failed) == ["Replayed: 3 (2 applied, 1 parked)."]
    rows = InboxEvent.objects.order_by("pk")
    assert list(rows.values_list("outcome", "attempts")) == [("applied", 2), ("applied", 2), ("parked", 2)]
    assert Stream.objects.get().started_at is not None


def test_a_replay_that_fails_again_says_so(
    browser: Client, failed: list[InboxEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StreamReducer, "apply", lambda *_: 1 / 0)
    response = browser.post(EVENTS, {"action": "replay", "_selected_action": [str(failed[0].pk)]})
    [message] = get_messages(response.wsgi_request)
    assert (message.level_tag, str(message)) == ("warning", "Replayed: 1 (1 failed).")
    failed[0].refresh_from_db()
    assert failed[0].error.startswith("ZeroDivisionError")


def test_replaying_needs_the_permission_to_change_events(failed: list[InboxEvent]) -> None:
    viewer, operator = member("view_inboxevent"), member("view_inboxevent", "change_inboxevent")
    assert (replayable(viewer), replayable(operator)) == (False, True)
    response = viewer.post(EVENTS, {"action": "replay", "_selected_action": [str(failed[0].pk)]})
    assert response.status_code in {200, 302}
    assert messages_of(response) in ([], ["No action selected."])
    failed[0].refresh_from_db()
    assert (failed[0].outcome, failed[0].attempts) == ("failed", 1)
    assert run_action(operator, EVENTS, "replay", failed[0]) == ["Replayed: 1 (1 applied)."]
    # And it is no permission to edit.
    assert operator.post(f"{EVENTS}{failed[0].pk}/change/", {"error": "x"}).status_code == 403


def test_more_events_than_a_request_can_replay_are_for_the_command(
    browser: Client, failed: list[InboxEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_admin, "MOST_REPLAYED", 2)
    [told] = run_action(browser, EVENTS, "replay", *failed)
    assert "3 events are more than 2" in told
    assert "manage.py replay" in told
    assert InboxEvent.objects.filter(attempts=1).count() == 3


def test_events_for_which_there_is_no_time_are_left_and_told(
    browser: Client, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_channel(arn=ARN)
    outcomes(*(sample("session_created", id=f"e-{n:02}") for n in range(12)))
    monkeypatch.setattr(events_admin, "REPLAY_SECONDS", 0)
    told = run_action(browser, EVENTS, "replay", *InboxEvent.objects.all())
    assert told[0] == "Replayed: 10 (10 applied)."
    assert told[1].startswith("Not replayed: 2.")


@pytest.mark.django_db(transaction=True)
def test_a_replay_asks_s3_outside_any_transaction(
    browser: Client, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_channel(arn=ARN)
    outcomes(sample("recording_end"), sample("stream_end"))
    client, seen = aws_door.clients.client, []

    def watching(service: str, config: Any) -> Any:
        seen.append(connection.in_atomic_block)
        return client(service, config)

    monkeypatch.setattr(aws_door.s3, "client", watching)
    assert run_action(browser, EVENTS, "replay", *InboxEvent.objects.all()) == ["Replayed: 2 (1 applied, 1 deferred)."]
    assert seen
    assert not any(seen)


# Streams


@pytest.fixture
def streams() -> dict[str, Stream]:
    """One of each state; the newest first."""
    channel, gone = make_channel(), make_channel(status=Channel.Status.DELETED, name="Gone")
    return {
        "live": make_stream(channel, "st-live", start=60),
        "never live": make_stream(channel, "st-never"),
        "ended": make_stream(channel, "st-ended", start=-60, end=-40),
        "no end": make_stream(channel, "st-open", start=-100),
        "gone": make_stream(gone, "st-gone", start=-120),
    }


def listed_streams(html: str) -> list[str]:
    return re.findall(r'class="field-shown_id"><a [^>]*>(.*?)</a>', html)


def badges(html: str, field: str) -> list[str]:
    cells = re.findall(rf'class="field-{field}">(.*?)</td>', html)
    return [" ".join(re.findall(r">([^<>]+)</span>", cell)) for cell in cells]


def test_streams_are_listed_newest_first_each_in_one_word(browser: Client, streams: dict[str, Stream]) -> None:
    html = page(browser, STREAMS)
    assert listed_streams(html) == ["st-live", "st-never", "st-ended", "st-open", "st-gone"]
    assert badges(html, "state") == ["live", "never live", "ended", "no end", "no end"]
    assert "2026-03-04 10:05:02 UTC" in html
    assert KEY not in html


def test_the_list_shows_how_often_what_happened_and_what_was_found_later(
    browser: Client, streams: dict[str, Stream]
) -> None:
    names = ["Stream Failure", "Recording End Failure", "Ingest Bitrate", "Starvation Start", "Starvation End"]
    for name in [*names, "Session Created", "Stream Takeover", "Starvation Start"]:
        happened(streams["ended"], name)
    happened(streams["live"], "Starvation End")
    Stream.objects.filter(stream_id="st-ended").update(end_reconciled=True)
    html = page(browser, STREAMS)
    assert badges(html, "marks") == ["starvation", "", "failure 2 limit starvation 2 takeover", "", ""]
    assert [bool(text) for text in badges(html, "end")] == [False, False, True, False, False]
    assert badges(html, "start") == [""] * 5


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "live"}, ["st-live"]),
        ({"state": "ended"}, ["st-ended"]),
        ({"state": "no-end"}, ["st-open", "st-gone"]),
        ({"state": "never-live"}, ["st-never"]),
        ({"mark": "failure"}, ["st-never", "st-ended"]),
        ({"mark": "failure", "state": "ended"}, ["st-ended"]),
        ({"mark": "limit"}, ["st-live"]),
        ({"q": "st-ended"}, ["st-ended"]),
        ({"q": "st-end"}, []),
        ({"_facets": "True", "state": "live"}, ["st-live"]),
    ],
)
def test_streams_are_filtered_and_found(
    browser: Client, streams: dict[str, Stream], query: dict[str, str], found: list[str]
) -> None:
    happened(streams["never live"], "Stream Failure")
    happened(streams["ended"], "Recording Start Failure")
    happened(streams["live"], "Ingest Resolution")
    assert listed_streams(page(browser, STREAMS, query)) == found


def test_the_list_of_streams_takes_as_many_queries_for_30_rows_as_for_3(browser: Client) -> None:
    counts: list[int] = []
    for many in (3, 27):
        for n in range(many):
            stream = make_stream(make_channel(), f"st-{n}", start=n)
            for name in DETAIL_TYPES:
                happened(stream, name)
        with CaptureQueriesContext(connection) as queries:
            html = page(browser, STREAMS)
        counts.append(len(queries))
    assert len(listed_streams(html)) == 30
    assert counts[0] == counts[1] <= 8


def test_a_stream_shows_its_timeline_newest_first_with_reasons_and_numbers(
    browser: Client, streams: dict[str, Stream]
) -> None:
    stream = streams["ended"]
    Stream.objects.filter(pk=stream.pk).update(start_reconciled=True)
    bitrate = {"limit_value": 8_500_000, "exceeded_by": 640_000, "limit_unit": "bits per second"}
    happened(stream, "Session Created", -61)
    happened(stream, "Ingest Bitrate", -59, detail=bitrate)
    happened(stream, "Ingest Resolution", -58, detail=dict.fromkeys(bitrate))
    happened(stream, "Starvation Start", -50, event_id="reconcile:1")
    happened(stream, "Stream Failure", -41, detail={"reason": "No <b>capacity</b>"})
    html = page(browser, f"{STREAMS}{stream.pk}/change/").partition('class="timeline ')[2]
    rows = [re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", row)).strip() for row in html.split("<tr>")[2:]]
    assert [row.partition("</table>")[0].strip()[:120] for row in rows][:6] == [
        "2026-03-04 08:25:02 UTC stream Stream End",
        "2026-03-04 08:24:02 UTC failure Stream Failure No &lt;b&gt;capacity&lt;/b&gt;",
        "2026-03-04 08:15:02 UTC health Starvation Start reconciled",
        "2026-03-04 08:07:02 UTC limit Ingest Resolution",
        "2026-03-04 08:06:02 UTC limit Ingest Bitrate 8,500,000 bits per second, exceeded by 640,000",
        "2026-03-04 08:05:02 UTC stream Stream Start reconciled",
    ]


def test_a_stream_of_very_many_events_shows_the_last_500(browser: Client, streams: dict[str, Stream]) -> None:
    made = [
        StreamHistoryEntry(
            stream=streams["live"],
            event_id=str(n),
            name="Starvation Start",
            at=NINE + timedelta(minutes=61, seconds=n),
            detail={"reason": f"entry {n}."},
        )
        for n in range(501)
    ]
    StreamHistoryEntry.objects.bulk_create(made)
    html = page(browser, f"{STREAMS}{streams['live'].pk}/change/")
    assert "entry 500." in html
    assert "entry 0." not in html
    assert "Only the last 500 entries are shown" in html
    assert html.index("entry 500.") < html.index("entry 1.")


def test_a_stream_of_which_nothing_is_known_says_so(browser: Client, streams: dict[str, Stream]) -> None:
    assert "Nothing is known" in page(browser, f"{STREAMS}{streams['never live'].pk}/change/")


def test_the_page_of_a_stream_takes_a_fixed_number_of_queries(browser: Client, streams: dict[str, Stream]) -> None:
    counts = []
    for many in (1, 40):
        for n in range(many):
            happened(streams["live"], "Starvation Start", n)
        with CaptureQueriesContext(connection) as queries:
            page(browser, f"{STREAMS}{streams['live'].pk}/change/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 5


def links_of(html: str) -> dict[str, str]:
    tools = html.partition('class="object-tools"')[2].partition("</ul>")[0]
    return {label: address for address, label in re.findall(r'<a href="([^"]+)">(\w+)</a>', tools)}


def test_a_stream_leads_to_its_channel_its_events_and_its_videos(browser: Client, streams: dict[str, Stream]) -> None:
    stream = streams["ended"]
    make_video("Recorded", stream_ids=["st-ended", "st-other"])
    make_video("Another", stream_ids=["st-other"])
    make_event(name="Stream End", stream_id="st-ended")
    make_event(name="Other", stream_id="st-other")
    links = links_of(page(browser, f"{STREAMS}{stream.pk}/change/"))
    assert list(links) == ["Channel", "Events", "Videos"]
    assert f"/{stream.channel_id}/" in links["Channel"]
    assert listed_events(page(browser, links["Events"])) == ["Stream End"]
    # The pattern of a stream's id is that of IVS.
    assert links["Videos"] == f"{VIDEOS}?q=st-ended"


def test_a_stream_of_the_predecessor_without_an_id_leads_to_no_search(browser: Client) -> None:
    stream = make_stream(make_channel(), "row-7", start=1)
    html = page(browser, f"{STREAMS}{stream.pk}/change/")
    assert list(links_of(html)) == ["Channel"]
    assert "without an id" in html
    assert listed_streams(page(browser, STREAMS)) == ["without an id"]


def test_streams_are_read_only_and_shown_to_whoever_sees_streams_or_channels(streams: dict[str, Stream]) -> None:
    address = f"{STREAMS}{streams['live'].pk}/change/"
    for permissions, links in (
        (["view_stream"], []),
        (["view_channel"], ["Channel"]),
        (["view_stream", "view_inboxevent", "view_video"], ["Events", "Videos"]),
    ):
        client = member(*permissions)
        html = page(client, address)
        assert list(links_of(html)) == links
        assert 'type="submit" value="Save"' not in html
        assert client.post(address, {"stream_id": "x"}).status_code == 403
        assert client.get(f"{STREAMS}add/").status_code == 403
        assert client.post(f"{STREAMS}{streams['live'].pk}/delete/", {"post": "yes"}).status_code == 403
        assert "Streams" in page(client, "/admin/")
    assert member("view_inboxevent").get(address).status_code == 403


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


# Accounts and tokens


def test_tokens_are_listed_without_their_text_and_revoked_by_deleting(browser: Client) -> None:
    token, text = api_token_create(name="Website", account="web", scopes=["read"], expires_in=timedelta(days=1))
    html = page(browser, TOKENS) + page(browser, f"{TOKENS}{token.pk}/change/")
    for shown in ("Website", "web", "read", "never"):
        assert shown in html
    for secret in (text, token.digest, token.token_key):
        assert secret not in html
    assert browser.post(f"{TOKENS}{token.pk}/change/", {"name": "x"}).status_code == 403
    assert browser.post(f"{TOKENS}{token.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not ApiToken.objects.exists()


def test_accounts_are_made_and_changed(browser: Client, staff: User) -> None:
    password = {"password1": "a longer password 2", "password2": "a longer password 2", "usable_password": "true"}
    response = browser.post("/admin/accounts/user/add/", {"username": "ada", **password})
    assert response.status_code == 302
    ada = User.objects.get(username="ada")
    html = page(browser, f"/admin/accounts/user/{ada.pk}/change/")
    assert str(ada.pk) in html
    assert "UTC" in html
    assert "ada" in page(browser, "/admin/accounts/user/", {"q": "ada"})


@pytest.mark.parametrize(
    "path",
    [
        f"{CHANNELS}?type__exact=%00",
        f"{CHANNELS}?status__exact=%00",
        f"{CHANNELS}?active__exact=nonsense",
        f"{CHANNELS}?uuid=nonsense",
        f"{CHANNELS}?name=%00",
        f"{EVENTS}?id=99999999999999999999999",
        f"{EVENTS}?p=nonsense&o=99",
        f"{VIDEOS}?p=999999999999&o=1.2.3",
        f"{VIDEOS}?bucket=%00",
        f"{VIDEOS}?shown=%00",
        f"{EVENTS}?outcome=%00",
        f"{STREAMS}?state=%00&mark=nonsense",
        f"{STREAMS}?channel__uuid__exact=nonsense",
        f"{STREAMS}?q=%00",
        f"{STREAMS}?p=nonsense&o=99",
        f"{STREAMS}nonsense/change/",
        "/admin/accounts/user/?username=%00",
        f"{TOKENS}?user__is_active__exact=%00",
    ],
)
def test_nonsense_in_an_address_is_no_server_error(browser: Client, path: str) -> None:
    make_video()
    make_channel()
    assert browser.get(path).status_code < 500
