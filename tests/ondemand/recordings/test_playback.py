"""The playback of a video, and recordings of private channels: their files are for curators and for grants alone."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.urls import URLResolver, get_resolver

from channels_app.models import AuditEntry, Channel, InboxEvent, ReportedDifference
from ivsvod.accounts.models import User
from ondemand.models import BulkChange, Content, Video
from tests.ivsvod.console.test_roles import filled, routes
from tests.ivsvod.console.test_start import rows_at
from tests.support.console import NINE, VIDEOS, choose, member, page, press, save
from tests.support.delivery import sign_with
from tests.support.helpers import bearer, make_channel, make_content, make_token, make_video
from tests.support.road import ARN, BUCKET, PREFIX, ended_metadata, lambda_takes, put, recording_change, stream_change
from tools.local.aws import LocalAws

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
STARTED, ENDED = recording_change("Recording Start", 5), recording_change("Recording End", 73)
PICTURE = f"https://media.example.com/{PREFIX}/media/thumbnails/private0.jpg"
# What leads to the files, however a page writes it: the last part of the prefix, which nobody can guess, the pictures
# that IVS made, and the renditions.
SECRETS = ("KOmxgJTeKdNn", "private0.jpg", "720p30")
# What staff make of a video; None: nobody decided.
STATES: dict[str, dict[str, Any] | None] = {
    "hidden": None,
    "listed": {"active": True},
    "unlisted": {"active": True, "visibility": "unlisted"},
}


def broadcast(arn: str = ARN) -> Video:
    """A recorded broadcast, as IVS tells it and leaves it in S3, with what people wrote about it."""
    put(f"{PREFIX}/events/recording-ended.json", {**ended_metadata(), "channel_arn": arn})
    for number in range(3):
        put(f"{PREFIX}/media/thumbnails/private{number}.jpg", b"a picture")
    events = [stream_change("Stream Start", 5), STARTED, stream_change("Stream End", 70), ENDED]
    assert lambda_takes(*({**event, "id": str(uuid4()), "resources": [arn]} for event in events)) == []
    video = Video.objects.get()
    make_content(video, title="Opening", tags=["opening"], thumbnail=PICTURE)
    return video


def decide(api_key: str, video: Video, **body: Any) -> None:
    """Change it by the API."""
    response = Client().patch(f"/on-demand/{video.pk}", json.dumps(body), "application/json", headers=bearer(api_key))
    assert response.status_code == 200, response.content


def document(video: Video, *scopes: str) -> Any:
    """The answer to `GET /on-demand/{uuid}` for a caller with a token, or for anyone."""
    headers = bearer(make_token(*scopes)[1]) if scopes else {}
    return Client().get(f"/on-demand/{video.pk}", headers=headers)


def group_member(name: str) -> Client:
    """A browser in which someone of a ready group is signed in."""
    client = member()
    User.objects.get(pk=UUID(client.session["_auth_user_id"])).groups.set(Group.objects.filter(name=name))
    return client


def public_paths(patterns: Any = None, before: str = "") -> Iterator[str]:
    """Every route beside the admin, with `<str:uuid>` where one goes."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from () if route == "admin/" else public_paths(pattern.url_patterns, route)
        else:
            yield f"/{route}"


def read_paths(video: Video) -> list[str]:
    """All that anyone may ask for: each route with the uuid of the video and of its channel, and the searches."""
    uuids = (str(video.pk), str(video.channel_id))
    picture = "media/thumbnails/private0.jpg"
    files = ("master.m3u8", "media/hls/720p30/playlist.m3u8", picture, f"small/320/{picture}")
    routes = {path.replace("<path:path>", file) for path in public_paths() for file in files}
    paths = {path.replace("<str:uuid>", uuid).replace("<str:token>", uuid) for path in routes for uuid in uuids}
    lists = [f"/on-demand?channel={video.channel_id}", "/on-demand?tag=opening", "/tags?prefix=op"]
    return [*sorted(paths), *lists, *(f"{path}?search=opening" for path in ("/on-demand", "/on-demand/search", "/"))]


def revealed(response: Any) -> list[str]:
    """What of the secrets an answer holds, in its body or its headers."""
    text = f"{response.headers} {response.content.decode(errors='replace')}" if not response.streaming else ""
    return [secret for secret in SECRETS if secret in text]


@pytest.fixture
def channel(aws: LocalAws) -> Channel:
    return make_channel(arn=ARN, private=True)


# Every read path


@pytest.mark.parametrize("delivery", ["direct", "signed"])
def test_callers_without_curate_get_no_url_of_the_files_of_a_private_channel(
    aws: LocalAws, channel: Channel, api_key: str, settings: Any, delivery: str
) -> None:
    if delivery == "signed":
        sign_with(settings, aws, "ecdsa")
    video = broadcast()
    reader, manager = (bearer(make_token(*scopes)[1]) for scopes in (("read",), ("read", "channels", "playback")))
    for state, decision in STATES.items():
        if decision:
            decide(api_key, video, **decision)
        for headers in ({}, reader if state == "unlisted" else manager):
            reads_without_files(video, state, headers)


def reads_without_files(video: Video, state: str, headers: dict[str, str]) -> None:
    """Read all that there is, and find nothing that leads to the files."""
    client = Client()
    answers = {path: client.get(path, headers=headers) for path in read_paths(video)}
    assert {path: revealed(answer) for path, answer in answers.items() if revealed(answer)} == {}
    # The routes that show it do so, but for its files.
    found = {path for path, answer in answers.items() if b"Opening" in answer.content}
    shown = {"listed": {"/on-demand", "/", "/on-demand/search?search=opening", "/?search=opening"}}.get(state, set())
    opens = {f"/on-demand/{video.pk}", f"/watch/{video.pk}", f"/embed/{video.pk}"} if state != "hidden" else set()
    assert shown | opens <= found
    if state == "hidden":
        assert found == set()
    else:
        answer = answers[f"/on-demand/{video.pk}"].json()
        assert (answer["playback"], answer["location"], answer["listing"]) == ("grant", None, state)
        assert (answer["thumbnails"], answer["renditions"], answer["content"]["thumbnail"]) == ([], [], "")
        assert answer["picture"] is None
    channel = answers[f"/channels/{video.channel_id}"]
    if channel.status_code == 200:
        # A manager of channels without curate.
        assert channel.json()["playback_url"] is None
        assert (f"/channels/{video.channel_id}/streams" in found) == (state == "listed")


def test_a_curator_gets_the_files_and_no_cache_keeps_them(channel: Channel, api_key: str) -> None:
    video = broadcast()
    curator = bearer(make_token("curate", "read")[1])
    for state, decision in STATES.items():
        if decision:
            decide(api_key, video, **decision)
        search = f"/on-demand/search?search=opening&listing={state}"
        for path in (f"/on-demand/{video.pk}", f"/on-demand?listing={state}", search):
            response = Client().get(path, headers=curator)
            assert PREFIX in response.content.decode(), path
            assert response["Cache-Control"] == "private, no-store", path
        answer = document(video, "curate").json()
        location = f"https://media.example.com/{PREFIX}/media/hls/master.m3u8"
        assert (answer["playback"], answer["location"]) == ("grant", location), state
        assert len(answer["thumbnails"]) == 3, state
        renditions = ["media/hls/720p30", "media/hls/160p30"]
        assert [rendition["path"] for rendition in answer["renditions"]] == renditions, state
        assert answer["content"]["thumbnail"] == PICTURE, state


def admin_rows(video: Video) -> dict[str, Any]:
    """Return a row for each page of the admin, the secrets in all of them that may hold any."""
    channel = Channel.objects.get()
    event = InboxEvent.objects.get(event_time=NINE.replace(hour=10, minute=13, second=0))
    InboxEvent.objects.update(error=f"GetObject of {BUCKET}/{PREFIX}/events/recording-ended.json: AccessDenied")
    reported = {"channel": channel, "bucket": BUCKET, "prefix": PREFIX, "would": "wait", "problem": PREFIX}
    difference = ReportedDifference.objects.create(kind="recording_unreadable", key="k", **reported)
    change = BulkChange.objects.create(kind="hide", by=UUID(int=1), by_name="boss", chosen=1)
    return {
        "channels_app/auditentry": AuditEntry.objects.filter(changes__has_key="thumbnail").latest("pk").pk,
        "channels_app/channel": channel.pk,
        "channels_app/inboxevent": event.pk,
        "channels_app/reporteddifference": difference.pk,
        "channels_app/stream": channel.streams.get().pk,
        "ondemand/video": video.pk,
        "<uuid:change_uuid>": change.pk,
    }


def watched(client: Client, rows: dict[str, Any]) -> dict[str, list[str]]:
    """Return what each page of the admin, read in this browser, holds of the secrets."""
    # The page of an object without `change/` leads there.
    addresses = [filled(route, rows) for route in routes() if "logout" not in route and not route.endswith("_id>/")]
    pages = {address: client.get(address) for address in addresses}
    pages |= {f"{VIDEOS}?q=opening": client.get(VIDEOS, {"q": "opening"})}
    assert pages[f"{VIDEOS}{rows['ondemand/video']}/change/"].status_code == 200
    return {path: found for path, response in pages.items() if (found := revealed(response))}


EDITOR = (
    "view_video",
    "change_video",
    "add_content",
    "change_content",
    "view_auditentry",
    "view_channel",
)


def test_only_curators_see_the_files_of_a_private_channel_in_the_pages_of_the_admin(
    channel: Channel, api_key: str
) -> None:
    video = broadcast()
    decide(api_key, video, active=True, thumbnail=PICTURE.replace("private0", "private1"))
    decide(api_key, video, thumbnail=PICTURE)
    Video.objects.filter(pk=video.pk).update(qa_reasons=[f"{PREFIX}/media/hls/master.m3u8 is missing or empty."])
    rows = admin_rows(video)
    # They see all that Viewers see and more: the one the form of a channel and a video to read, the other the reverse.
    assert watched(group_member("Channel managers"), rows) == {}
    assert watched(member(*EDITOR), rows) == {}
    curator = group_member("Curators")
    assert revealed(curator.get(f"{VIDEOS}{video.pk}/change/")) == list(SECRETS)
    assert "KOmxgJTeKdNn" in revealed(curator.get(VIDEOS))


def test_no_list_of_the_admin_lets_staff_without_curate_guess_a_prefix_letter_by_letter(channel: Channel) -> None:
    manager = group_member("Channel managers")
    for path in (
        f"{VIDEOS}?prefix__startswith=ivs",
        f"{VIDEOS}?data__recording_s3_key_prefix__startswith=ivs",
        f"{VIDEOS}?facts__playlist=media",
        "/admin/channels_app/inboxevent/?body__contains=KOmx",
        "/admin/channels_app/inboxevent/?error__contains=KOmx",
        "/admin/channels_app/reporteddifference/?prefix__startswith=ivs",
        "/admin/channels_app/auditentry/?changes__thumbnail__contains=KOmx",
    ):
        assert manager.get(path).status_code == 400, path


def test_an_editor_without_curate_saves_a_title_and_keeps_the_picture(channel: Channel, api_key: str) -> None:
    video = broadcast()
    assert save(member(*EDITOR), video, title="Closing").status_code == 302
    content = Content.objects.get(video=video)
    assert (content.title, content.thumbnail) == ("Closing", PICTURE)


def test_a_chosen_picture_is_shown_unless_it_leads_to_hidden_files(channel: Channel, api_key: str) -> None:
    video = broadcast()
    decide(api_key, video, active=True)
    pictures = {
        "https://www.example.com/poster.jpg": True,
        "https://media.example.com/pictures/abc.jpg": False,
        "https://MEDIA.example.com:443/pictures/abc.jpg": False,
        f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/pictures/abc.jpg": False,
        f"https://s3.amazonaws.com/{BUCKET}/pictures/abc.jpg": False,
        f"https://resize.example.com/?url=%2F{PREFIX.replace('/', '%2F')}%2Fa.jpg": False,
    }
    for thumbnail, shown in pictures.items():
        Content.objects.update(thumbnail=thumbnail)
        assert document(video).json()["content"]["thumbnail"] == (thumbnail if shown else ""), thumbnail
        (hit,) = Client().get("/on-demand/search?search=opening").json()["data"]
        assert hit["thumbnail"] == (thumbnail if shown else ""), thumbnail


# What a new recording becomes


@pytest.mark.parametrize(
    ("by_setting", "events"),
    [("listed", [STARTED, ENDED]), ("unlisted", [ENDED, STARTED]), ("hidden", [ENDED]), ("listed", [ENDED])],
)
def test_a_recording_of_a_channel_made_private_by_the_api_is_hidden_and_waits_for_review(
    aws: LocalAws, api_key: str, settings: Any, by_setting: str, events: list[Any]
) -> None:
    settings.NEW_VIDEO_STATE = by_setting
    body = {"name": "Board", "userId": str(uuid4()), "private": True}
    made = Client().post("/channels", json.dumps(body), "application/json", headers=bearer(api_key)).json()
    for event in events:
        assert lambda_takes({**event, "resources": [made["arn"]]}) == []
    video = Video.objects.get()
    # The predecessor, beside this one, lists by `active` alone.
    assert (video.active, video.status) == (False, "available")
    assert list(Video.objects.to_review()) == [video]
    assert document(video).status_code == 404
    assert Client().get("/on-demand").json()["data"] == []


@pytest.mark.parametrize("state", ["listed", "unlisted"])
def test_new_video_state_of_a_private_channel_decides_and_the_files_stay_hidden(channel: Channel, state: str) -> None:
    Channel.objects.update(new_video_state=state)
    answer = document(broadcast()).json()
    assert (answer["listing"], answer["playback"], answer["location"]) == (state, "grant", None)


def test_the_channel_as_it_is_at_the_end_of_the_recording_decides(channel: Channel) -> None:
    Channel.objects.update(private=False)
    lambda_takes(STARTED)
    Channel.objects.update(private=True)
    lambda_takes(ENDED)
    assert list(Video.objects.to_review()) == [Video.objects.get(active=False)]


def test_choices_of_staff_during_a_recording_of_a_private_channel_stay(channel: Channel, api_key: str) -> None:
    lambda_takes(STARTED)
    decide(api_key, Video.objects.get(), active=True)
    lambda_takes(ENDED)
    answer = document(Video.objects.get()).json()
    assert (answer["listing"], answer["location"]) == ("listed", None)


def insert(channel: Channel, data: dict[str, Any]) -> Video:
    """A row as the predecessor writes it."""
    with connection.cursor() as cursor:
        statement = "INSERT INTO on_demand_videos (ivs_channel_uuid, data) VALUES (%s, %s) RETURNING uuid"
        cursor.execute(statement, [channel.pk, json.dumps(data)])
        return Video.objects.get(pk=cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("state", "authorized", "listing"),
    [(None, False, "held"), (None, True, "held"), ("listed", False, "listed"), ("unlisted", False, "unlisted")],
)
@pytest.mark.parametrize("data", [ENDED["detail"], {}])
def test_a_row_of_the_predecessor_on_a_private_channel_is_held_back_by_default(
    channel: Channel, state: str | None, authorized: bool, listing: str, data: dict[str, Any]
) -> None:
    Channel.objects.update(new_video_state=state)
    if authorized:
        # As a row that is not derived yet: what IVS answered to its creation says so.
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE ivs_channels DISABLE TRIGGER ivsvod_derive")
        Channel.objects.update(private=None, channel_data={"Channel": {"Authorized": True}})
    video = insert(channel, data)
    assert video.listing_at(NINE) == listing
    assert (video in Video.objects.to_review()) == (listing != "listed")
    answer = document(video, "read")
    assert answer.status_code == (404 if listing == "held" else 200)
    assert document(video, "curate").json()["playback"] == "grant"
    assert PREFIX not in answer.content.decode()


def test_the_predecessors_row_of_a_recording_that_staff_showed_while_it_ran_is_shown(
    channel: Channel, api_key: str
) -> None:
    lambda_takes(STARTED)
    decide(api_key, Video.objects.get(), active=True)
    assert insert(channel, ENDED["detail"]).listing_at(NINE) == "listed"


# Playback is decided when the recording starts


def become(channel: Channel, *, private: bool, at: datetime) -> None:
    """Change the channel at a time in the past, as the audit log has it."""
    Channel.objects.filter(pk=channel.pk).update(private=private)
    entries = AuditEntry.objects.filter(object_pk=str(channel.pk), changes__has_key="private")
    AuditEntry.objects.filter(pk=entries.latest("pk").pk).update(timestamp=at)


@pytest.mark.parametrize("events", [[STARTED, ENDED], [ENDED, STARTED], [ENDED]])
@pytest.mark.parametrize("was_private", [True, False])
def test_the_channel_as_it_was_when_the_recording_started_decides_though_its_events_come_late(
    aws: LocalAws, was_private: bool, events: list[Any]
) -> None:
    put(f"{PREFIX}/events/recording-ended.json", ended_metadata())
    channel = make_channel(arn=ARN, private=not was_private)
    AuditEntry.objects.update(timestamp=NINE - timedelta(hours=1))
    become(channel, private=was_private, at=NINE - timedelta(minutes=1))
    # While it ran.
    become(channel, private=not was_private, at=NINE + timedelta(minutes=20))
    for event in events:
        lambda_takes(event)
    assert Video.objects.get().playback == ("grant" if was_private else "public")


def test_a_channel_that_becomes_private_or_public_later_changes_no_recording(aws: LocalAws, api_key: str) -> None:
    body = {"name": "Board", "userId": str(uuid4())}
    made = Client().post("/channels", json.dumps(body), "application/json", headers=bearer(api_key)).json()
    video = broadcast(made["arn"])
    patch = f"/channels/{made['uuid']}"
    for private in (True, False):
        Client().patch(patch, json.dumps({"private": private}), "application/json", headers=bearer(api_key))
        assert PREFIX in document(video).json()["location"]


def test_protected_recordings_need_a_grant_on_every_channel(aws: LocalAws, settings: Any) -> None:
    settings.PROTECT_RECORDINGS = True
    make_channel(arn=ARN)
    answer = document(broadcast()).json()
    assert (answer["listing"], answer["playback"], answer["location"]) == ("listed", "grant", None)


def test_a_row_of_the_predecessor_has_the_playback_of_its_channel_or_of_the_row_that_it_duplicates(
    channel: Channel, api_key: str
) -> None:
    alone = insert(make_channel(), {})
    assert (alone.playback, insert(channel, {}).playback) == ("public", "grant")
    lambda_takes(STARTED)
    decide(api_key, Video.objects.get(prefix=PREFIX), playback="public")
    assert insert(channel, ENDED["detail"]).playback == "public"


# People change it


def test_playback_is_changed_by_the_api_for_all_rows_of_the_recording_and_audited(aws: LocalAws, api_key: str) -> None:
    make_channel(arn=ARN)
    video = broadcast()
    twin = make_video(bucket=video.bucket, prefix=video.prefix, duplicate_of=video)
    decide(api_key, video, playback="grant")
    assert {row.playback for row in Video.objects.all()} == {"grant"}
    assert document(twin).json()["location"] is None
    entry = AuditEntry.objects.filter(object_pk=str(video.pk), changes__has_key="playback").latest("pk")
    assert entry.changes == {"playback": ["public", "grant"]}
    decide(api_key, video, playback="public")
    assert PREFIX in document(video).json()["location"]
    for wrong in ("GRANT", None, "", 1):
        body = json.dumps({"playback": wrong})
        refused = Client().patch(f"/on-demand/{video.pk}", body, "application/json", headers=bearer(api_key))
        assert (refused.status_code, list(refused.json()["fields"])) == (400, ["playback"])


def test_playback_is_changed_in_the_admin_one_by_one_and_in_bulk_with_undo(browser: Client) -> None:
    videos = [make_video(channel=make_channel()) for _ in range(2)]
    assert save(browser, videos[0], playback="grant").status_code == 302
    assert Video.objects.get(pk=videos[0].pk).playback == "grant"
    assert rows_at(browser, f"{VIDEOS}?grant=yes") == 1
    assert page(browser, VIDEOS).count("Played with a grant alone.") == 1
    asked = choose(browser, "show", *videos)
    assert "1 of them is played with a grant alone" in page(browser, asked)
    asked = choose(browser, "protect", *videos)
    assert "1 of 2 are played with a grant alone now" in page(browser, asked)
    press(browser, asked, "_confirm")
    assert {row.playback for row in Video.objects.all()} == {"grant"}
    press(browser, asked, "_undo")
    assert Video.objects.get(pk=videos[1].pk).playback == "public"
    press(browser, choose(browser, "unprotect", *videos), "_confirm")
    assert {row.playback for row in Video.objects.all()} == {"public"}
