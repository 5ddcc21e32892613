"""Channels as they are listed, shown, changed, deleted, given keys and taken off air; and all that IVS can do to it."""

import io
import itertools
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from channels_app.channels.provisioning import UUID_TAG, channel_create, tag_value
from channels_app.models import AuditEntry, Channel, InboxEvent, Stream
from common.aws import clients
from tests.support.helpers import (
    OWNER,
    STREAM_KEY,
    THOROUGH,
    assert_error,
    bearer,
    in_transaction,
    ivs,
    ivs_channels,
    kept,
    make_account,
    make_channel,
    make_token,
    make_video,
)
from tests.support.road import ingest_file, stream_change
from tools.local.aws import LocalAws
from tools.local.ivs.errors import Fault, IvsError
from tools.local.ivs.model import STATUS_OUTSIDE_THE_MODEL
from tools.local.ivs.service import OPERATIONS

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
PUBLIC = {"uuid", "name", "playback_url", "live"}
MANAGED = PUBLIC | {
    "owner",
    "arn",
    "rtmpAddress",
    "ingest_url",
    "type",
    "latency_mode",
    "private",
    "record",
    "new_video_state",
    "active",
    "created_at",
}


class Api:
    """Sends requests by one credential, with JSON bodies, and sees failures as a client does."""

    def __init__(self, credential: str | None = None) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = bearer(credential) if credential else {}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = b"" if body is None else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(method, path, content, "application/json", headers={**self.headers, **named})

    def uuids(self, path: str) -> list[UUID]:
        """The channels of a list, in its order."""
        response = self("GET", path)
        assert response.status_code == 200, response.content
        return [UUID(item["uuid"]) for item in response.json()["data"]]


@pytest.fixture
def anyone() -> Api:
    """Without a credential."""
    return Api()


@pytest.fixture
def manager(api_key: str) -> Api:
    """By the shared key."""
    return Api(api_key)


@pytest.fixture
def channel(db: None, aws: LocalAws) -> Channel:
    """A channel that is in IVS too."""
    return channel_create(name="Morning show", owner=OWNER)


def ivs_keys(arn: str) -> list[dict[str, Any]]:
    listed = ivs().list_stream_keys(channelArn=arn, maxResults=50)["streamKeys"]
    return [ivs().get_stream_key(arn=item["arn"])["streamKey"] for item in listed]


def go_live(aws: LocalAws, channel: Channel) -> None:
    aws.ivs.store.stream_begin(channel.arn, started_at=NOON)


def is_live(aws: LocalAws, channel: Channel) -> bool:
    return aws.ivs.store.stream_of(channel.arn) is not None


def make_stream(channel: Channel, minute: float, *, ended: bool = False, **values: Any) -> Stream:
    started = NOON + timedelta(minutes=minute)
    values = {"stream_id": f"st-{uuid4().hex[:23]}", "first_event_at": started, "started_at": started, **values}
    return Stream.objects.create(channel=channel, ended_at=started + timedelta(minutes=1) if ended else None, **values)


def assert_agrees(channel: Channel) -> None:
    """The row says what IVS has, and has its key."""
    row = Channel.objects.get(pk=channel.pk)
    (found,) = ivs_channels()
    assert (row.type, row.latency_mode, row.private, row.record) == (
        found["type"],
        found["latencyMode"],
        found["authorized"],
        bool(found["recordingConfigurationArn"]),
    )
    assert found["tags"]["Name"] == tag_value(row.name or "")
    keys = ivs_keys(row.arn)
    assert [row.reveal_stream_key()] == [key["value"] for key in keys] or (not keys and row.stream_key == "")
    assert [row.channel_data["StreamKey"].get("Arn")] == [key["arn"] for key in keys] or not keys
    assert "assphrase" not in json.dumps(row.channel_data)


def refuse(monkeypatch: pytest.MonkeyPatch, operation: str, code: str) -> None:
    def refusal(call: Any) -> None:
        raise IvsError(code, f"{operation} is refused by a test")

    monkeypatch.setitem(OPERATIONS, operation, refusal)


# Who sees what


@pytest.mark.django_db
def test_anyone_sees_four_fields_of_a_channel_and_managers_see_all_but_its_key(anyone: Api, manager: Api) -> None:
    channel = make_channel(created_at=NOON, new_video_state="unlisted")
    make_stream(channel, 5, stream_id="st-u8jzPde0IgxLd6GncfBAepf")
    shown = anyone("GET", f"/channels/{channel.uuid}").json()
    assert set(shown) == PUBLIC
    assert shown["live"] == {
        "state": "live",
        "since": "2026-03-04T12:05:00Z",
        "stream_id": "st-u8jzPde0IgxLd6GncfBAepf",
    }
    managed = manager("GET", f"/channels/{channel.uuid}").json()
    assert set(managed) == MANAGED
    assert managed == {
        **shown,
        "owner": str(OWNER),
        "arn": channel.arn,
        "rtmpAddress": channel.rtmp_address,
        "ingest_url": f"rtmps://{channel.rtmp_address}:443/app/",
        "type": "STANDARD",
        "latency_mode": "LOW",
        "private": False,
        "record": True,
        "new_video_state": "unlisted",
        "active": True,
        "created_at": "2026-03-04T12:00:00Z",
    }
    assert anyone("GET", "/channels").json()["data"] == [shown]
    assert manager("GET", "/channels").json()["data"] == [managed]


@pytest.mark.django_db
def test_a_token_without_the_scope_sees_the_public_fields(anyone: Api) -> None:
    channel = make_channel()
    curator, scoped = Api(make_token("read", "curate")[1]), Api(make_token("channels")[1])
    assert set(curator("GET", f"/channels/{channel.uuid}").json()) == PUBLIC
    assert set(scoped("GET", f"/channels/{channel.uuid}").json()) == MANAGED


@pytest.mark.django_db
def test_private_inactive_and_unfinished_channels_are_for_managers_alone(anyone: Api, manager: Api) -> None:
    shown, private, inactive, unknown, unfinished, deleted = (make_channel() for _ in range(6))
    # After the row is made: a trigger derives what is NULL in a new one.
    for channel, values in (
        (private, {"private": True}),
        (inactive, {"active": False}),
        (unknown, {"active": None}),
        (unfinished, {"status": "provisioning"}),
        (deleted, {"status": "deleted"}),
    ):
        Channel.objects.filter(pk=channel.pk).update(**values)
        make_stream(channel, 1)
        for path in (f"/channels/{channel.uuid}", f"/channels/{channel.uuid}/streams"):
            assert anyone("GET", path).json()["error"] == "IVS Channel not found", values
            assert manager("GET", path).status_code == 200, values
    make_stream(shown, 1)
    assert anyone.uuids("/channels") == anyone.uuids("/channels/live") == [shown.uuid]
    everything = {channel.uuid for channel in (shown, private, inactive, unknown, unfinished, deleted)}
    assert set(manager.uuids("/channels")) == everything
    # What is deleted is never live.
    assert set(manager.uuids("/channels/live")) == everything - {deleted.uuid}


@pytest.mark.django_db
def test_a_private_channel_shows_no_playback_url(manager: Api) -> None:
    assert manager("GET", f"/channels/{make_channel(private=True).uuid}").json()["playback_url"] is None


@pytest.mark.django_db
def test_no_answer_holds_a_stream_key(anyone: Api, manager: Api) -> None:
    uuid = make_channel().uuid
    for api in (anyone, manager):
        for path in ("", f"/{uuid}", f"/{uuid}/live", f"/{uuid}/streams", "/live"):
            assert STREAM_KEY not in api("GET", f"/channels{path}").content.decode()


@pytest.mark.django_db
def test_writes_need_the_scope_channels(anyone: Api, subtests: pytest.Subtests) -> None:
    path, reader = f"/channels/{make_channel().uuid}", Api(make_token("read", "curate", "playback")[1])
    for method, address in (
        ("POST", "/channels"),
        ("PATCH", path),
        ("DELETE", path),
        ("POST", f"{path}/stream-key"),
        ("POST", f"{path}/stop"),
    ):
        with subtests.test(f"{method} {address}"):
            assert_error(refused := anyone(method, address, {}), 401)
            assert refused["WWW-Authenticate"] == "Bearer"
            assert_error(reader(method, address, {}), 403)


@pytest.mark.django_db
def test_unknown_channels_are_404_and_malformed_uuids_400(manager: Api, subtests: pytest.Subtests) -> None:
    for path in ("", "/live", "/streams", "/stream-key", "/stop"):
        method = "POST" if path in ("/stream-key", "/stop") else "GET"
        with subtests.test(path):
            assert_error(manager(method, f"/channels/{uuid4()}{path}"), 404, "not_found")
            for text in ("x", "5", "undefined", f"{uuid4()}0", "%00", "%ED%A0%80"):
                assert_error(manager(method, f"/channels/{text}{path}"), 400, field="uuid")


# Lists


@pytest.mark.django_db
def test_channels_are_listed_newest_first_and_paged_to_the_end(anyone: Api) -> None:
    channels = [make_channel(created_at=NOON + timedelta(minutes=minute)) for minute in (2, 0, 3, 1)]
    channels.append(make_channel(created_at=None))
    in_order = [channels[index].uuid for index in (2, 0, 3, 1, 4)]
    assert anyone.uuids("/channels") == in_order
    seen, path = [], "/channels?pageSize=2"
    while path:
        seen += anyone.uuids(path)
        path = anyone("GET", path).json()["next"]
    assert seen == in_order
    page = anyone("GET", "/channels?page=3&pageSize=2").json()
    assert (page["page"], page["pageSize"], len(page["data"]), page["next"]) == (3, 2, 1, None)


@pytest.mark.django_db
def test_live_channels_are_listed_by_their_start_newest_first(anyone: Api) -> None:
    early, late, ended, never = (make_channel() for _ in range(4))
    make_stream(late, 9)
    make_stream(early, 1)
    make_stream(ended, 5, ended=True)
    assert anyone.uuids("/channels/live") == [late.uuid, early.uuid]
    assert set(anyone.uuids("/channels?state=live")) == {late.uuid, early.uuid}
    assert set(anyone.uuids("/channels?state=offline")) == {ended.uuid, never.uuid}
    assert anyone.uuids("/channels/live?pageSize=1") == [late.uuid]
    following = anyone("GET", "/channels/live?pageSize=1").json()["next"]
    assert anyone.uuids(following) == [early.uuid]


@pytest.mark.django_db
def test_a_deleted_channel_is_never_live(anyone: Api, manager: Api) -> None:
    """The end of its last stream may never come."""
    channel = make_channel(created_at=NOON)
    make_stream(channel, 5, stream_id="st-u8jzPde0IgxLd6GncfBAepf")
    Channel.objects.update(status="deleted", active=False)
    document = manager("GET", f"/channels/{channel.uuid}").json()
    assert document["live"] == {"state": "offline", "since": None, "stream_id": "st-u8jzPde0IgxLd6GncfBAepf"}
    state = anyone("GET", f"/channels/{channel.uuid}/live").json()
    assert (state["state"], state["timestamp"]) == ("offline", 0)
    assert manager.uuids("/channels/live") == manager.uuids("/channels?state=live") == []
    assert manager.uuids("/channels?state=offline") == [channel.uuid]


# By default: no moment at all, one before those of Python, and the first of Python; then each at the other end.
AGES = {
    "infinity": "9000-12-31T23:59:59.999999Z",
    "4713-01-01 BC": "1900-01-01T00:00:00Z",
    "0001-01-01": "1900-01-01T00:00:00Z",
    "-infinity": "1900-01-01T00:00:00Z",
    "294276-12-31": "9000-12-31T23:59:59.999999Z",
    "9999-12-31": "9000-12-31T23:59:59.999999Z",
}


@pytest.mark.django_db
@pytest.mark.parametrize(("moment", "read"), list(AGES.items())[: 6 if THOROUGH else 3])
def test_a_channel_of_any_age_is_listed_shown_changed_and_hears_events(
    channel: Channel, anyone: Api, manager: Api, aws: LocalAws, moment: str, read: str
) -> None:
    others = [make_channel(created_at=NOON + timedelta(minutes=minute)) for minute in (2, 1)]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ivs_channels SET created_at = %s WHERE uuid = %s", [moment, channel.uuid])
    make_stream(others[0], 1)
    make_stream(channel, 2)
    by_age = [channel, *others] if read > "2000" else [*others, channel]
    in_order = [each.uuid for each in by_age]
    seen, path = [], "/channels?pageSize=1"
    while path:
        seen += anyone.uuids(path)
        path = anyone("GET", path).json()["next"]
    assert seen == anyone.uuids("/channels") == in_order
    assert manager.uuids("/channels/live") == [channel.uuid, others[0].uuid]
    address = f"/channels/{channel.uuid}"
    assert manager("GET", address).json()["created_at"] == read
    for rest in ("/live", "/streams"):
        assert anyone("GET", address + rest).status_code == 200
    assert manager("PATCH", address, {"name": "Evening", "type": "BASIC"}).status_code == 200
    ingest_file(json.dumps(stream_change("Stream Start", 1, arn=channel.arn)))
    assert InboxEvent.objects.get().outcome == "applied"
    staff = make_account(is_staff=True, is_superuser=True)
    browser = Client(raise_request_exception=False)
    browser.force_login(staff)
    video = make_video(channel=channel)
    for page in ("channels_app/channel/", f"channels_app/channel/{channel.uuid}/change/", "ondemand/video/"):
        assert browser.get(f"/admin/{page}").status_code == 200
    assert browser.get(f"/admin/ondemand/video/{video.uuid}/change/").status_code == 200
    for status in (Channel.Status.READY, Channel.Status.DELETED):
        Channel.objects.filter(pk=channel.pk).update(status=status)
        assert import_channel(channel.arn, "--owner", str(OWNER))["uuid"] == str(channel.uuid)
    assert manager("DELETE", address).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT created_at::text = %s::timestamptz::text FROM ivs_channels WHERE arn = %s", [moment, channel.arn]
        )
        assert cursor.fetchone() == (True,)


@pytest.mark.django_db
def test_managers_filter_by_owner_and_by_active(anyone: Api, manager: Api) -> None:
    mine = make_channel()
    other = make_channel(owner=uuid4(), active=False)
    assert manager.uuids(f"/channels?owner={str(OWNER).upper()}") == [mine.uuid]
    assert manager.uuids(f"/channels?owner={other.owner.hex}&active=false") == [other.uuid]
    assert manager.uuids("/channels?active=true") == [mine.uuid]
    assert anyone.uuids("/channels?active=true") == [mine.uuid]
    for query in (f"owner={OWNER}", "active=false"):
        assert_error(anyone("GET", f"/channels?{query}"), 401)
        assert_error(Api(make_token("read")[1])("GET", f"/channels?{query}"), 403)


@pytest.mark.django_db
def test_a_filter_that_is_not_understood_is_a_400_that_names_it(manager: Api, subtests: pytest.Subtests) -> None:
    for path, field in (
        ("/channels?state=on", "state"),
        ("/channels?state=", "state"),
        ("/channels?active=1", "active"),
        ("/channels?owner=x", "owner"),
        ("/channels?nonsense=1", "nonsense"),
        ("/channels?state=live&state=offline", "state"),
        ("/channels/live?state=live", "state"),
        ("/channels?cursor=x", "cursor"),
    ):
        with subtests.test(path):
            assert_error(manager("GET", path), 400, field=field)


@pytest.mark.django_db
def test_a_list_of_any_size_takes_one_query(anyone: Api, django_assert_num_queries: Any) -> None:
    for minute in range(12):
        make_stream(make_channel(), minute)
    for path in ("/channels?", "/channels/live?", "/channels?state=live&"):
        for size in (1, 10):
            with django_assert_num_queries(1):
                assert len(anyone.uuids(f"{path}pageSize={size}")) == size, path


@pytest.mark.django_db
def test_public_answers_live_as_long_as_the_contract_says_and_others_are_not_stored(anyone: Api, manager: Api) -> None:
    uuid = make_channel().uuid
    lives = {"": 10, "/live": 2, f"/{uuid}": 2, f"/{uuid}/live": 2, f"/{uuid}/streams": 10}
    for path, seconds in lives.items():
        response = anyone("GET", f"/channels{path}")
        assert response["Cache-Control"] == kept(seconds)
        assert anyone("GET", f"/channels{path}", If_None_Match=response["ETag"]).status_code == 304
        assert manager("GET", f"/channels{path}")["Cache-Control"] == "private, no-store"


# Changing


@pytest.mark.django_db
def test_patch_changes_ivs_and_the_row_and_answers_with_the_channel(channel: Channel, manager: Api) -> None:
    changes = {
        "name": "Müller & Söhne",
        "type": "BASIC",
        "latency_mode": "NORMAL",
        "private": True,
        "record": False,
        "new_video_state": "hidden",
        "active": False,
    }
    response = manager("PATCH", f"/channels/{channel.uuid}", changes)
    assert response.status_code == 200, response.content
    assert response.json() == manager("GET", f"/channels/{channel.uuid}").json()
    assert {name: response.json()[name] for name in changes} == changes
    assert_agrees(channel)
    (found,) = ivs_channels()
    assert (found["tags"]["Name"], found["name"]) == ("Müller Söhne", str(channel.uuid))
    back = {"record": True, "new_video_state": None, "private": False}
    assert {**back, **manager("PATCH", f"/channels/{channel.uuid}", back).json()}["record"] is True
    assert_agrees(channel)


@pytest.mark.django_db
def test_a_patch_without_changes_makes_no_call_to_ivs(channel: Channel, manager: Api, aws: LocalAws) -> None:
    aws.ivs.faults.append(Fault("*", "throttle", times=99))
    for body in (None, {}, {"name": "Morning show", "type": "STANDARD", "private": False}):
        response = manager("PATCH", f"/channels/{channel.uuid}", body)
        assert response.status_code == 200, body
        assert response.json()["name"] == "Morning show", body


@pytest.mark.django_db
def test_fields_that_ivs_does_not_have_are_changed_without_a_call(
    channel: Channel, manager: Api, aws: LocalAws
) -> None:
    go_live(aws, channel)
    aws.ivs.faults.append(Fault("*", "throttle", times=99))
    body = {"new_video_state": "unlisted", "active": False}
    assert manager("PATCH", f"/channels/{channel.uuid}", body).status_code == 200
    row = Channel.objects.get(pk=channel.pk)
    assert (row.new_video_state, row.active) == ("unlisted", False)


@pytest.mark.django_db
def test_a_malformed_or_unknown_field_is_a_400_that_names_it_before_any_call_to_ivs(
    channel: Channel, manager: Api, aws: LocalAws, subtests: pytest.Subtests
) -> None:
    aws.ivs.faults.append(Fault("*", "error500", times=99))
    bodies: list[tuple[Any, str | None]] = [
        ({"owner": str(OWNER)}, "owner"),
        ({"name": "x", "stream_key": "y"}, "stream_key"),
        ({"\ud800": 1}, "?"),
        ({"name": None}, "name"),
        ({"name": "a" * 257}, "name"),
        ({"name": "\0"}, "name"),
        ({"type": "PREMIUM"}, "type"),
        ({"type": None}, "type"),
        ({"type": ["BASIC"]}, "type"),
        ({"latency_mode": "low"}, "latency_mode"),
        ({"private": "true"}, "private"),
        ({"private": 0}, "private"),
        ({"record": None}, "record"),
        ({"new_video_state": "held"}, "new_video_state"),
        ({"active": 1}, "active"),
        # None is an object.
        *((body, None) for body in ([], "text", 5, [{}])),
    ]
    for body, field in bodies:
        with subtests.test(ascii(body)):
            assert_error(manager("PATCH", f"/channels/{channel.uuid}", body), 400, field=field)
    assert Channel.objects.get(pk=channel.pk).name == "Morning show"


@pytest.mark.django_db
def test_a_name_that_could_not_be_written_today_does_not_keep_other_fields_from_being_changed(manager: Api) -> None:
    row = make_channel(name="a" * 300)
    response = manager("PATCH", f"/channels/{row.uuid}", {"name": "a" * 300, "active": False})
    assert response.status_code == 200, response.content


@pytest.mark.django_db
def test_a_live_channel_is_not_changed_if_ivs_refuses(
    channel: Channel, manager: Api, aws: LocalAws, subtests: pytest.Subtests
) -> None:
    go_live(aws, channel)
    before = manager("GET", f"/channels/{channel.uuid}").json()
    for values in ({"type": "BASIC"}, {"record": False}, {"private": True}, {"latency_mode": "NORMAL"}):
        with subtests.test(str(values)):
            assert_error(manager("PATCH", f"/channels/{channel.uuid}", values), 409, "channel_live")
            assert manager("GET", f"/channels/{channel.uuid}").json() == before


@pytest.mark.django_db
def test_a_live_channel_gets_another_name(channel: Channel, manager: Api, aws: LocalAws) -> None:
    go_live(aws, channel)
    assert manager("PATCH", f"/channels/{channel.uuid}", {"name": "Evening"}).json()["name"] == "Evening"
    assert_agrees(channel)


@pytest.mark.django_db
def test_recording_that_is_not_set_up_is_a_409_that_says_so(channel: Channel, manager: Api, settings: Any) -> None:
    manager("PATCH", f"/channels/{channel.uuid}", {"record": False})
    for arn in ("", "arn:aws:ivs:eu-west-1:111122223333:recording-configuration/AbCdEfGhIjKl"):
        settings.RECORDING_CONFIG_ARN = arn
        response = manager("PATCH", f"/channels/{channel.uuid}", {"record": True})
        document = assert_error(response, 409, "recording_not_configured")
        assert "RECORDING_CONFIG_ARN" in document["error"]


@pytest.mark.django_db
def test_a_channel_created_without_a_recording_configuration_is_not_recorded(
    aws: LocalAws, manager: Api, settings: Any
) -> None:
    settings.RECORDING_CONFIG_ARN = ""
    answer = manager("POST", "/channels", {"name": "x", "userId": str(OWNER)}).json()
    assert answer["record"] is False
    assert ivs_channels()[0]["recordingConfigurationArn"] == ""


@pytest.mark.django_db
def test_a_channel_that_was_deleted_in_ivs_is_reported_as_gone(channel: Channel, manager: Api) -> None:
    ivs().delete_channel(arn=channel.arn)
    for method, path, body in (
        ("PATCH", "", {"type": "BASIC"}),
        ("PATCH", "", {"name": "y"}),
        ("POST", "/stream-key", None),
        ("POST", "/stop", None),
    ):
        assert_error(manager(method, f"/channels/{channel.uuid}{path}", body), 409, "channel_gone")
    assert manager("DELETE", f"/channels/{channel.uuid}").status_code == 200


@pytest.mark.django_db
def test_a_row_without_an_arn_has_nothing_to_be_changed_in_ivs(aws: LocalAws, manager: Api) -> None:
    channel = make_channel(arn="")
    calls = watch(aws)
    for method, path, body in (
        ("PATCH", "", {"type": "BASIC"}),
        ("PATCH", "", {"active": False}),
        ("POST", "/stream-key", None),
        ("POST", "/stop", None),
        ("POST", "/stop", {"ban": True}),
    ):
        assert_error(manager(method, f"/channels/{channel.uuid}{path}", body), 409, "channel_gone")
    assert calls == []


@pytest.mark.django_db
def test_a_change_of_a_version_that_was_not_seen_is_a_412_and_changes_nothing(channel: Channel, manager: Api) -> None:
    path = f"/channels/{channel.uuid}"
    seen = manager("GET", path)["ETag"]
    assert manager("PATCH", path, {"name": "First"}, If_Match=seen).status_code == 200
    key = Channel.objects.get().stream_key
    for method, address in (
        ("PATCH", path),
        ("DELETE", path),
        ("POST", f"{path}/stream-key"),
        ("POST", f"{path}/stop"),
    ):
        assert_error(manager(method, address, {}, If_Match=seen), 412, "precondition_failed")
    row = Channel.objects.get()
    assert (row.name, row.stream_key, row.status) == ("First", key, "ready")
    one_of_two = f'"x", W/{manager("GET", path)["ETag"]}'
    assert manager("PATCH", path, {"name": "Second"}, If_Match=one_of_two).status_code == 200
    assert manager("PATCH", path, {"name": "Third"}, If_Match="*").status_code == 200


# Deleting


@pytest.mark.django_db
def test_delete_removes_it_from_ivs_and_keeps_the_row_without_its_key(channel: Channel, manager: Api) -> None:
    response = manager("DELETE", f"/channels/{channel.uuid}")
    assert response.status_code == 200, response.content
    assert response.json()["active"] is False
    assert ivs_channels() == []
    row = Channel.objects.get()
    assert (row.status, row.active, row.stream_key, row.arn) == ("deleted", False, "", channel.arn)
    assert manager("DELETE", f"/channels/{channel.uuid}").status_code == 200


@pytest.mark.django_db
def test_a_live_channel_is_not_deleted(channel: Channel, manager: Api, aws: LocalAws) -> None:
    go_live(aws, channel)
    assert_error(manager("DELETE", f"/channels/{channel.uuid}"), 409, "channel_live")
    assert Channel.objects.get().status == "ready"
    assert_agrees(channel)


@pytest.mark.django_db
def test_a_deleted_channel_can_be_read_and_not_written(channel: Channel, manager: Api) -> None:
    path = f"/channels/{channel.uuid}"
    manager("DELETE", path)
    for method, address, body in (
        ("PATCH", path, {"name": "x"}),
        ("PATCH", path, {}),
        ("POST", f"{path}/stream-key", None),
        ("POST", f"{path}/stop", None),
        ("POST", f"{path}/stop", {"ban": True}),
    ):
        assert_error(manager(method, address, body), 409, "channel_deleted")
    for address in (path, f"{path}/live", f"{path}/streams"):
        assert manager("GET", address).status_code == 200


@pytest.mark.django_db
def test_a_channel_whose_creation_was_interrupted_is_not_written_and_can_be_deleted_later(
    aws: LocalAws, manager: Api
) -> None:
    row = make_channel(arn="", stream_key="", rtmp_address="", status="provisioning", active=False)
    path = f"/channels/{row.uuid}"
    for method, address in (
        ("PATCH", path),
        ("POST", f"{path}/stream-key"),
        ("POST", f"{path}/stop"),
        ("DELETE", path),
    ):
        assert_error(manager(method, address, {}), 409, "channel_unfinished")
    Channel.objects.update(created_at=NOON)
    # What the crash left in IVS is removed with it.
    ivs().create_channel(name=str(row.uuid))
    assert manager("DELETE", path).status_code == 200
    assert ivs_channels() == []
    assert Channel.objects.get().status == "deleted"


# Stream keys


@pytest.mark.django_db
def test_a_rotation_replaces_the_key_in_ivs_and_in_the_row(channel: Channel, manager: Api, aws: LocalAws) -> None:
    go_live(aws, channel)
    response = manager("POST", f"/channels/{channel.uuid}/stream-key")
    assert response.status_code == 200, response.content
    assert "no-store" in response["Cache-Control"]
    (key,) = ivs_keys(channel.arn)
    assert response.json() == {
        "streamKey": key["value"],
        "rtmpAddress": channel.rtmp_address,
        "ingest_url": f"rtmps://{channel.rtmp_address}:443/app/",
    }
    assert key["value"] != channel.reveal_stream_key()
    assert Channel.objects.get().stream_key.startswith("enc:1:")
    assert_agrees(channel)
    # The stream that runs by the old key goes on.
    assert is_live(aws, channel)


@pytest.mark.django_db
def test_a_rotation_heals_a_channel_that_a_crash_left_without_a_key(channel: Channel, manager: Api) -> None:
    ivs().delete_stream_key(arn=ivs_keys(channel.arn)[0]["arn"])
    assert manager("POST", f"/channels/{channel.uuid}/stream-key").json()["streamKey"].startswith("sk_")
    assert_agrees(channel)


@pytest.mark.django_db(transaction=True)
def test_rotations_at_once_each_end_with_the_one_key_that_exists(aws: LocalAws, api_key: str) -> None:
    channel = channel_create(name="x", owner=OWNER)
    statuses = at_once(3, lambda: Api(api_key)("POST", f"/channels/{channel.uuid}/stream-key").status_code)
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert_agrees(channel)


@pytest.mark.django_db(transaction=True)
def test_changes_at_once_leave_the_row_as_ivs_is(aws: LocalAws, api_key: str) -> None:
    channel = channel_create(name="x", owner=OWNER)
    bodies = [{"type": "BASIC", "name": "a"}, {"latency_mode": "NORMAL", "name": "b"}, {"private": True, "name": "c"}]
    statuses = at_once(3, lambda: Api(api_key)("PATCH", f"/channels/{channel.uuid}", bodies.pop()).status_code)
    assert set(statuses) <= {200, 409}
    assert_agrees(channel)


@pytest.mark.django_db
def test_a_rotation_whose_key_was_made_and_removed_by_others_is_reported_to_try_again(
    channel: Channel, manager: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, "CreateStreamKey", "ServiceQuotaExceededException")
    assert_error(manager("POST", f"/channels/{channel.uuid}/stream-key"), 409, "channel_contended")
    assert Channel.objects.get().stream_key == ""


def at_once(times: int, work: Callable[[], Any]) -> list[Any]:
    """Do it in so many threads that begin together; returns what each of them returned."""
    results: list[Any] = []
    gate = threading.Barrier(times)

    def run() -> None:
        try:
            gate.wait(30)
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == times
    return results


# Off air


@pytest.mark.django_db
def test_stop_ends_the_stream_and_keeps_the_key(channel: Channel, manager: Api, aws: LocalAws) -> None:
    go_live(aws, channel)
    for body in (None, {"ban": False}):
        if not is_live(aws, channel):
            go_live(aws, channel)
        response = manager("POST", f"/channels/{channel.uuid}/stop", body)
        assert response.status_code == 200, response.content
        assert set(response.json()) == MANAGED
        assert not is_live(aws, channel)
    assert Channel.objects.get().reveal_stream_key() == channel.reveal_stream_key() != ""
    assert_error(manager("POST", f"/channels/{channel.uuid}/stop"), 409, "channel_offline")
    # Who stopped it is on record, each time; a refusal is no stop.
    assert AuditEntry.objects.filter(object_pk=channel.pk, way="api", changes__has_key="stream").count() == 2


@pytest.mark.django_db
def test_a_ban_removes_the_key_before_the_stream_ends(channel: Channel, manager: Api, aws: LocalAws) -> None:
    go_live(aws, channel)
    calls = watch(aws)
    assert manager("POST", f"/channels/{channel.uuid}/stop", {"ban": True}).status_code == 200
    assert calls.index("DeleteStreamKey") < calls.index("StopStream")
    assert not is_live(aws, channel)
    assert ivs_keys(channel.arn) == []
    assert Channel.objects.get().stream_key == ""
    assert Channel.objects.get().channel_data["StreamKey"] == {"Removed": True}
    # It comes back when it is given a key.
    assert manager("POST", f"/channels/{channel.uuid}/stream-key").json()["streamKey"]
    assert_agrees(channel)


@pytest.mark.django_db
def test_a_ban_of_an_offline_channel_removes_its_key(channel: Channel, manager: Api) -> None:
    assert manager("POST", f"/channels/{channel.uuid}/stop", {"ban": True}).status_code == 200
    assert ivs_keys(channel.arn) == []


@pytest.mark.django_db
def test_a_stop_that_is_not_understood_stops_nothing(
    channel: Channel, manager: Api, aws: LocalAws, subtests: pytest.Subtests
) -> None:
    go_live(aws, channel)
    for body in ({"ban": "yes"}, {"ban": None}, {"bann": True}, [], "x", {"ban": 1}):
        with subtests.test(str(body)):
            assert_error(manager("POST", f"/channels/{channel.uuid}/stop", body), 400)
            assert is_live(aws, channel)


def watch(aws: LocalAws) -> list[str]:
    """The names of the calls that IVS gets from now on."""
    calls: list[str] = []
    ivs_app = aws.ivs

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        calls.append(environ["PATH_INFO"].strip("/"))
        return ivs_app(environ, start_response)

    watched.store = ivs_app.store  # type: ignore[attr-defined]
    aws.ivs = watched  # type: ignore[assignment]
    return calls


@pytest.mark.django_db
def test_no_call_to_ivs_is_made_inside_a_transaction(channel: Channel, aws: LocalAws, manager: Api) -> None:
    seen: list[bool] = []
    ivs_app = aws.ivs
    go_live(aws, channel)

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        seen.append(in_transaction())
        return ivs_app(environ, start_response)

    aws.ivs = watched  # type: ignore[assignment]
    path = f"/channels/{channel.uuid}"
    assert manager("POST", f"{path}/stop", {"ban": True}).status_code == 200
    assert manager("PATCH", path, {"type": "BASIC", "name": "y"}).status_code == 200
    assert manager("POST", f"{path}/stream-key").status_code == 200
    assert manager("DELETE", path).status_code == 200
    assert len(seen) > 10
    assert not any(seen)


@pytest.mark.django_db
@pytest.mark.usefixtures("one_try")
def test_a_stop_of_an_offline_channel_is_never_reported_as_done(
    channel: Channel, manager: Api, aws: LocalAws, subtests: pytest.Subtests
) -> None:
    kinds: tuple[Any, ...] = ("error500", "hang", "drop_reply")
    for kind in kinds:
        aws.ivs.faults[:] = [Fault("StopStream", kind)]
        with subtests.test(kind):
            assert_error(manager("POST", f"/channels/{channel.uuid}/stop"), 409, "channel_offline")


def test_calls_to_aws_use_the_region_of_the_settings(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    for service, named, used in (("ivs", "eu-central-1", "eu-central-1"), ("sqs", "", "us-west-2")):
        settings.AWS_REGION = named
        # Past the cache, in which the clients of the other tests stay.
        client = clients.client.__wrapped__(service, clients.RETRIED)
        assert client.meta.region_name == used, service


# IVS fails

REQUESTS: dict[str, tuple[str, str, Any]] = {
    "change": ("PATCH", "", {"type": "BASIC", "private": True, "record": False}),
    "rename": ("PATCH", "", {"name": "Evening"}),
    "delete": ("DELETE", "", None),
    "rotate": ("POST", "/stream-key", None),
    "stop": ("POST", "/stop", None),
    "ban": ("POST", "/stop", {"ban": True}),
}
CALLS = {
    "change": ["UpdateChannel", "GetChannel"],
    "rename": ["TagResource", "GetChannel"],
    "delete": ["DeleteChannel"],
    "rotate": ["ListStreamKeys", "DeleteStreamKey", "CreateStreamKey"],
    "stop": ["GetStream", "StopStream"],
    "ban": ["ListStreamKeys", "DeleteStreamKey", "StopStream"],
}
SERIES = ["change", "rename", "rotate", "stop", "ban"]
# A call that was done and one that was not; the other kinds are told apart in the tests below.
FAULTS = {
    "drop_reply": ("drop_reply", True),
    "hang-not-done": ("hang", False),
    **({"throttle": ("throttle", True), "error500": ("error500", True), "hang": ("hang", True)} if THOROUGH else {}),
}


@pytest.mark.django_db
@pytest.mark.usefixtures("one_try")
@pytest.mark.parametrize(("kind", "done"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize(("request_name", "operation"), [(name, call) for name in CALLS for call in CALLS[name]])
def test_any_failure_is_a_503_or_done_and_its_repetition_makes_row_and_ivs_equal(
    channel: Channel,
    manager: Api,
    aws: LocalAws,
    request_name: str,
    operation: str,
    kind: Any,
    done: bool,
) -> None:
    method, path, body = REQUESTS[request_name]
    if request_name in ("stop", "ban"):
        go_live(aws, channel)
    aws.ivs.faults.append(Fault(operation, kind, times=3, done=done))
    response = manager(method, f"/channels/{channel.uuid}{path}", body)
    assert response.status_code in (200, 503), response.content
    if response.status_code == 503:
        assert response["Retry-After"].isdigit()
        assert_error(response, 503)
    aws.ivs.faults.clear()
    if response.status_code == 503:
        again = manager(method, f"/channels/{channel.uuid}{path}", body)
        assert again.status_code == 200 or again.json()["code"] == "channel_offline", again.content
    row = Channel.objects.get()
    if request_name == "delete":
        assert (row.status, ivs_channels()) == ("deleted", [])
        return
    assert_agrees(channel)
    assert not is_live(aws, channel)
    expected = body if method == "PATCH" else {}
    assert {name: getattr(row, name) for name in expected} == expected


@pytest.mark.django_db
@pytest.mark.usefixtures("one_try")
@pytest.mark.parametrize("kind", ["throttle", "error500", "drop_reply"])
def test_repeatable_calls_are_retried_without_the_client(
    channel: Channel, manager: Api, aws: LocalAws, kind: Any
) -> None:
    operations = ["UpdateChannel", "GetChannel", "TagResource", "ListStreamKeys", "DeleteStreamKey", "DeleteChannel"]
    aws.ivs.faults.extend(Fault(operation, kind) for operation in operations)
    for name in ("change", "rename", "rotate", "delete"):
        method, path, body = REQUESTS[name]
        assert manager(method, f"/channels/{channel.uuid}{path}", body).status_code == 200
    assert aws.ivs.faults == []
    assert ivs_channels() == []


@pytest.mark.django_db
@pytest.mark.usefixtures("one_try")
@pytest.mark.parametrize("request_name", ["change", "delete", "stop"])
def test_a_lost_reply_of_a_call_that_was_done_is_found_out(
    channel: Channel, manager: Api, aws: LocalAws, request_name: str
) -> None:
    method, path, body = REQUESTS[request_name]
    if request_name == "stop":
        go_live(aws, channel)
    operation = {"change": "UpdateChannel", "delete": "DeleteChannel", "stop": "StopStream"}[request_name]
    aws.ivs.faults.append(Fault(operation, "drop_reply", times=3))
    assert manager(method, f"/channels/{channel.uuid}{path}", body).status_code == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("one_try")
def test_a_rotation_that_fails_in_the_middle_leaves_no_key_that_does_not_work(
    channel: Channel, manager: Api, aws: LocalAws
) -> None:
    aws.ivs.faults.append(Fault("CreateStreamKey", "throttle"))
    assert_error(manager("POST", f"/channels/{channel.uuid}/stream-key"), 503, "aws_throttled")
    assert Channel.objects.get().stream_key == ""
    assert ivs_keys(channel.arn) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("one_try")
def test_a_refusal_of_ivs_has_its_own_status_and_code(
    channel: Channel, manager: Api, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    for code, status, word in (
        ("PendingVerification", 403, "aws_pending_verification"),
        ("AccessDeniedException", 502, "aws_failed"),
        ("ValidationException", 400, "aws_refused"),
        ("ServiceQuotaExceededException", 503, "aws_quota"),
        ("ThrottlingException", 503, "aws_throttled"),
        ("InternalServerException", 503, "aws_unavailable"),
    ):
        with subtests.test(code):
            refuse(monkeypatch, "UpdateChannel", code)
            document = assert_error(manager("PATCH", f"/channels/{channel.uuid}", {"type": "BASIC"}), status, word)
            assert "UpdateChannel" in document["error"]
    assert Channel.objects.get().type == "STANDARD"


@pytest.mark.django_db
@pytest.mark.usefixtures("one_try")
def test_an_unknown_refusal_is_not_the_fault_of_the_client(
    channel: Channel,
    manager: Api,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    subtests: pytest.Subtests,
) -> None:
    for code, http_status, status, word in (
        ("Throttling", 400, 503, "aws_throttled"),
        ("ThrottledException", 429, 503, "aws_throttled"),
        ("RequestThrottled", 400, 503, "aws_throttled"),
        ("LimitExceededException", 429, 503, "aws_throttled"),
        ("RequestLimitExceeded", 503, 503, "aws_throttled"),
        ("SomethingNew", 429, 503, "aws_throttled"),
        ("ExpiredTokenException", 403, 502, "aws_failed"),
        ("ExpiredToken", 400, 502, "aws_failed"),
        ("IncompleteSignature", 400, 502, "aws_failed"),
        ("NotAuthorized", 400, 502, "aws_failed"),
        ("OptInRequired", 403, 502, "aws_failed"),
        ("SomethingNew", 401, 502, "aws_failed"),
        ("SomethingNew", 400, 502, "aws_failed"),
        ("SomethingNew", 422, 502, "aws_failed"),
        ("ServiceUnavailable", 503, 503, "aws_unavailable"),
    ):
        with subtests.test(f"{code} {http_status}"):
            caplog.clear()
            monkeypatch.setitem(STATUS_OUTSIDE_THE_MODEL, code, http_status)
            refuse(monkeypatch, "UpdateChannel", code)
            document = assert_error(manager("PATCH", f"/channels/{channel.uuid}", {"type": "BASIC"}), status, word)
            # What AWS says of its account and roles is for the log.
            assert ("refused by a test" in document["error"]) is (status == 503)
            assert "UpdateChannel is refused by a test" in caplog.text
    assert Channel.objects.get().type == "STANDARD"


REPLIES: dict[str, tuple[str, bytes]] = {
    "not found": ("404 Not Found", b"<html>\n404 page not found\n</html>"),
    "forbidden": ("403 Forbidden", b"<html>Forbidden</html>"),
    "too many": ("429 Too Many Requests", b""),
    "moved": ("302 Found", b""),
    "bad gateway": ("502 Bad Gateway", b"<html>Bad Gateway</html>"),
    "page": ("200 OK", b"<html>hi</html>"),
    "empty": ("200 OK", b""),
    "no content": ("204 No Content", b""),
    "object": ("200 OK", b"{}"),
    "list": ("200 OK", b"[]"),
    "null": ("200 OK", b"null"),
    "half": ("200 OK", b'{"channel": {"arn": "arn:aws:iv'),
    "without an ARN": (
        "200 OK",
        b'{"channel": {}, "channels": [{}], "streamKeys": [{}], "streamKey": {}, "stream": {}}',
    ),
    "other types": ("200 OK", b'{"channel": 5, "channels": 5, "streamKeys": "x", "streamKey": [], "stream": []}'),
    "nulls": ("200 OK", b'{"channel": null, "channels": null, "streamKeys": [null], "streamKey": null}'),
}


@pytest.mark.django_db
@pytest.mark.usefixtures("one_try")
def test_an_answer_that_is_not_of_ivs_proves_nothing(channel: Channel, manager: Api, aws: LocalAws) -> None:
    """That of a proxy or a load balancer: no channel is taken for gone, deleted, stopped or made."""
    ivs_app = aws.ivs
    go_live(aws, channel)
    before = Channel.objects.values().get()
    # It stands here before IVS is asked.
    banned = before | {"stream_key": "", "channel_data": {**before["channel_data"], "StreamKey": {"Removed": True}}}

    def proxy(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        status, body = REPLIES[name]
        start_response(status, [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
        return [body]

    aws.ivs = proxy  # type: ignore[assignment]
    path = f"/channels/{channel.uuid}"
    requests = {name: (method, f"{path}{rest}", body) for name, (method, rest, body) in REQUESTS.items()}
    requests["create"] = ("POST", "/channels", {"name": "x", "userId": str(OWNER)})
    # Seven requests: by default each reply meets every second of them, and each request every second reply.
    for name, request in list(itertools.product(REPLIES, requests))[:: 1 if THOROUGH else 2]:
        response = manager(*requests[request])
        assert response.status_code in (502, 503), (name, request, response.content)
        assert_error(response, response.status_code)
        row = Channel.objects.filter(pk=channel.pk)
        assert row.values().get() == (banned if request == "ban" else before), (name, request)
        row.update(**before)
    aws.ivs = ivs_app
    assert len(ivs_channels()) == 1
    assert is_live(aws, channel)


@pytest.mark.django_db
@pytest.mark.usefixtures("one_try")
@settings(
    max_examples=50 if THOROUGH else 5,
    deadline=None,
    derandomize=True,
    database=None,
    # Each step is several calls to IVS: making a failing example smaller takes minutes.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_series_of_requests_and_faults_ends_with_row_and_ivs_alike(
    aws: LocalAws, manager: Api, data: st.DataObject
) -> None:
    calls = sorted({call for listed in CALLS.values() for call in listed})
    faults = st.builds(
        Fault,
        st.sampled_from(calls),
        st.sampled_from(["throttle", "error500", "drop_reply", "hang"]),
        times=st.integers(1, 3),
        done=st.booleans(),
    )
    channel = channel_create(name="Morning show", owner=OWNER)
    path = f"/channels/{channel.uuid}"
    try:
        for name in data.draw(st.lists(st.sampled_from(SERIES), min_size=1, max_size=4)):
            method, rest, body = REQUESTS[name]
            aws.ivs.faults.extend(data.draw(st.lists(faults, max_size=3)))
            response = manager(method, path + rest, body)
            assert response.status_code in (200, 503) or response.json()["code"] == "channel_offline", response.content
        aws.ivs.faults.clear()
        assert manager("POST", f"{path}/stream-key").status_code == 200
        assert manager("PATCH", path, {"type": "ADVANCED_SD", "name": "z"}).status_code == 200
        assert_agrees(channel)
    finally:
        aws.ivs.faults.clear()
        ivs().delete_channel(arn=channel.arn)
        channel.delete()


# import_channel


def import_channel(*arguments: str) -> dict[str, Any]:
    stdout = io.StringIO()
    call_command("import_channel", *arguments, stdout=stdout)
    (line,) = stdout.getvalue().splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.django_db
def test_import_channel_takes_over_a_channel_of_ivs_and_processes_its_parked_events(
    aws: LocalAws, anyone: Api, manager: Api, settings: Any
) -> None:
    made = ivs().create_channel(
        name="studio-1", type="BASIC", latencyMode="NORMAL", recordingConfigurationArn=settings.RECORDING_CONFIG_ARN
    )
    arn = made["channel"]["arn"]
    ingest_file(json.dumps(stream_change("Stream Start", 1, arn=arn)))
    assert InboxEvent.objects.get().outcome == "parked"
    answer = import_channel(arn, "--owner", str(OWNER))
    assert set(answer) == MANAGED | {"streamKey"}
    assert (answer["arn"], answer["owner"], answer["name"]) == (arn, str(OWNER), "studio-1")
    assert (answer["type"], answer["latency_mode"], answer["record"]) == ("BASIC", "NORMAL", True)
    assert answer["streamKey"] == made["streamKey"]["value"]
    assert anyone("GET", f"/channels/{answer['uuid']}/live").json()["state"] == "live"
    assert InboxEvent.objects.get().outcome == "applied"
    assert answer["uuid"] in ivs_channels()[0]["tags"].values()
    assert Channel.objects.get().stream_key.startswith("enc:1:")
    assert manager("POST", f"/channels/{answer['uuid']}/stream-key").status_code == 200


@pytest.mark.django_db
def test_import_channel_twice_is_one_channel(aws: LocalAws) -> None:
    arn = ivs().create_channel(name="studio-1")["channel"]["arn"]
    assert import_channel(arn, "--owner", str(OWNER)) == import_channel(arn, "--owner", str(OWNER))
    assert Channel.objects.count() == 1
    with pytest.raises(CommandError, match="already"):
        import_channel(arn, "--owner", str(uuid4()))


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["error500", "drop_reply"])
@pytest.mark.parametrize("operation", ["GetChannel", "ListStreamKeys", "GetStreamKey", "TagResource"])
@pytest.mark.usefixtures("one_try")
def test_an_import_that_fails_is_finished_by_the_next_one(aws: LocalAws, operation: str, kind: Any) -> None:
    arn = ivs().create_channel(name="studio-1")["channel"]["arn"]
    aws.ivs.faults.append(Fault(operation, kind, times=3))
    with pytest.raises(CommandError) as error:
        import_channel(arn, "--owner", str(OWNER))
    assert "\n" not in str(error.value)
    assert not Channel.objects.exists()
    aws.ivs.faults.clear()
    tagged = ivs_channels()[0]["tags"].get(UUID_TAG)
    uuid = import_channel(arn, "--owner", str(OWNER))["uuid"]
    assert tagged in (None, uuid)


@pytest.mark.django_db
def test_import_channel_prints_the_problem_in_one_line_and_leaves_nothing(aws: LocalAws) -> None:
    for arn, owner, said in (
        ("x", str(OWNER), "ARN"),
        ("arn:aws:ivs:eu-west-1:111122223333:stream-key/AjIhKtJ0RlgL", str(OWNER), "ARN"),
        ("arn:aws:ivs:us-east-1:111122223333:channel/AjIhKtJ0RlgL", str(OWNER), "us-east-1"),
        ("arn:aws:ivs:eu-west-1:111122223333:channel/AjIhKtJ0RlgL", str(OWNER), "no channel"),
        ("arn:aws:ivs:eu-west-1:111122223333:channel/AjIhKtJ0RlgL", "x", "--owner"),
    ):
        with pytest.raises(CommandError, match=said) as error:
            import_channel(arn, "--owner", owner)
        assert "\n" not in str(error.value)
    assert not Channel.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_imports_at_once_make_one_row(aws: LocalAws) -> None:
    arn = ivs().create_channel(name="studio-1")["channel"]["arn"]
    uuids = at_once(3, lambda: import_channel(arn, "--owner", str(OWNER))["uuid"])
    assert len(set(uuids)) == Channel.objects.count() == 1
    assert uuids[0] in ivs_channels()[0]["tags"].values()
