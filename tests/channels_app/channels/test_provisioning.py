"""Channels: `POST /channels`, `create_channel` and `GET /channels/{uuid}/live`, and all that can go wrong with IVS."""

import io
import itertools
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from channels_app.channels import provisioning as services
from channels_app.models import Channel, Stream
from common import aws as aws_door
from common.errors import ChannelUnfinishedError
from tests.support.helpers import (
    OWNER,
    STREAM_KEY,
    assert_error,
    bearer,
    in_transaction,
    ivs,
    ivs_channels,
    make_channel,
    make_token,
)
from tools.local.aws import LocalAws
from tools.local.ivs.errors import Fault, IvsError
from tools.local.ivs.service import OPERATIONS

BODY = {"name": "Morning show", "userId": str(OWNER)}
FORMS = (
    lambda uuid: str(uuid),
    lambda uuid: str(uuid).upper(),
    lambda uuid: uuid.hex,
    lambda uuid: f"{{{uuid}}}",
    lambda uuid: f"urn:uuid:{uuid}",
    lambda uuid: f"URN:UUID:{str(uuid).upper()}",
)
MALFORMED = ("", "x", "5", "undefined", "8d0c0b3e-5f0a-4d5e-9a53-1c2f5f1c7a1", "{8d0c0b3e5f0a4d5e9a531c2f5f1c7a10}")


@pytest.fixture
def client() -> Client:
    """Sees the answer to a failure as a client does."""
    return Client(raise_request_exception=False)


@pytest.fixture
def post(client: Client, api_key: str) -> Callable[..., Any]:
    """`POST /channels` by the shared key."""

    def send(**values: Any) -> Any:
        body = json.dumps({**BODY, **values})
        return client.generic("POST", "/channels", body, "application/json", headers=bearer(api_key))

    return send


def assert_nothing_is_left() -> None:
    assert not Channel.objects.exists()
    assert ivs_channels() == []


# A channel is made


@pytest.mark.django_db
def test_post_channels_makes_the_channel_in_ivs_and_answers_as_the_predecessor_did(
    aws: LocalAws, post: Callable[..., Any]
) -> None:
    response = post()
    assert response.status_code == 200
    answer = response.json()
    (channel,) = ivs_channels()
    key = ivs().list_stream_keys(channelArn=channel["arn"])["streamKeys"][0]
    value = ivs().get_stream_key(arn=key["arn"])["streamKey"]["value"]
    assert (answer["arn"], answer["rtmpAddress"], answer["streamKey"]) == (
        channel["arn"],
        channel["ingestEndpoint"],
        value,
    )
    assert answer["uuid"] == channel["name"] == str(UUID(answer["uuid"]))
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Type"].startswith("application/json")


@pytest.mark.django_db
def test_the_answer_has_the_other_fields_of_a_channel(aws: LocalAws, post: Callable[..., Any]) -> None:
    answer = post(type="BASIC", latency_mode="NORMAL").json()
    assert {
        name: answer[name] for name in ("name", "owner", "type", "latency_mode", "private", "record", "active")
    } == {
        "name": "Morning show",
        "owner": str(OWNER),
        "type": "BASIC",
        "latency_mode": "NORMAL",
        "private": False,
        "record": True,
        "active": True,
    }
    assert answer["ingest_url"] == f"rtmps://{answer['rtmpAddress']}:443/app/"
    assert answer["playback_url"].startswith("https://")
    made_at = datetime.fromisoformat(answer["created_at"])
    assert made_at.utcoffset() == timedelta(0)


@pytest.mark.django_db
def test_the_ivs_channel_carries_uuid_name_and_owner(aws: LocalAws, post: Callable[..., Any], settings: Any) -> None:
    uuid = post(name="Morning show").json()["uuid"]
    (channel,) = ivs_channels()
    assert channel["name"] == uuid
    assert channel["tags"]["Name"] == "Morning show"
    assert channel["tags"]["Owner"] == str(OWNER)
    assert uuid in {value for name, value in channel["tags"].items() if name not in ("Name", "Owner")}
    assert channel["recordingConfigurationArn"] == settings.RECORDING_CONFIG_ARN
    assert (channel["type"], channel["latencyMode"], channel["authorized"]) == ("STANDARD", "LOW", False)


@pytest.mark.django_db
def test_a_private_channel_without_recording_is_made_so_in_ivs(aws: LocalAws, post: Callable[..., Any]) -> None:
    answer = post(private=True, record=False).json()
    (channel,) = ivs_channels()
    assert channel["authorized"] is True
    assert channel["recordingConfigurationArn"] == ""
    assert (answer["private"], answer["record"], answer["playback_url"]) == (True, False, None)


@pytest.mark.django_db
def test_any_name_to_256_characters_is_kept_and_cleaned_for_the_tag(aws: LocalAws, post: Callable[..., Any]) -> None:
    names = (
        "",
        "  ",
        "Müller & Söhne <live> \U0001f600!",
        "tab\tnew\nline\r\x85",
        "日本の朝",
        "\U0001f600" * 256,
        "a" * 256,
        "é" * 256,
        "\U0001d400" * 256,
        "%s {0} \\ '; drop table x; --",
        "\u202e\u0301\u2028",
    )
    for name in names:
        response = post(name=name)
        assert response.status_code == 200, (name, response.content)
        assert response.json()["name"] == Channel.objects.get(pk=response.json()["uuid"]).name == name
    assert len(ivs_channels()) == len(names)


@pytest.mark.django_db
def test_a_cleaned_name_keeps_the_letters_that_ivs_takes(aws: LocalAws, post: Callable[..., Any]) -> None:
    post(name="Müller & Söhne <live>! 日本")
    assert ivs_channels()[0]["tags"]["Name"].split() == ["Müller", "Söhne", "live", "日本"]


@pytest.mark.django_db
def test_stream_key_and_passphrase_are_at_rest_nowhere_in_plain(aws: LocalAws, post: Callable[..., Any]) -> None:
    key = post().json()["streamKey"]
    with aws.ivs.store.transaction(write=False) as records:
        passphrase = records.select("channel")[0][1]["srt"]["passphrase"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT stream_key, channel_data::text, to_jsonb(c)::text FROM ivs_channels c")
        stored, data, row = cursor.fetchone()
    assert stored.startswith("enc:1:")
    assert key not in row
    assert passphrase not in row
    assert "passphrase" not in data.lower()
    assert json.loads(data)["Channel"]["Arn"] == Channel.objects.get().arn
    assert "Value" not in json.loads(data)["StreamKey"]


@pytest.mark.django_db
def test_beside_user_id_an_owner_says_nothing(aws: LocalAws, post: Callable[..., Any]) -> None:
    for other in (None, "", "x", 5, [], {}, str(UUID(int=7))):
        response = post(owner=other)
        assert response.status_code == 200, (other, response.content)
        assert response.json()["owner"] == str(OWNER), other


@pytest.mark.django_db
def test_the_owner_is_taken_in_every_form_under_both_names(aws: LocalAws, client: Client, api_key: str) -> None:
    for field, spell in itertools.product(("userId", "owner"), FORMS):
        body = json.dumps({"name": "x", field: spell(OWNER)})
        response = client.generic("POST", "/channels", body, "application/json", headers=bearer(api_key))
        assert response.status_code == 200, body
        assert response.json()["owner"] == str(OWNER), body
    assert set(Channel.objects.values_list("owner", flat=True)) == {OWNER}


@pytest.mark.django_db
def test_the_body_is_json_with_any_content_type(aws: LocalAws, client: Client, api_key: str) -> None:
    for kind in (
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "nonsense",
        "text/xml",
    ):
        response = client.generic("POST", "/channels", json.dumps(BODY), kind, headers=bearer(api_key))
        assert response.status_code == 200, (kind, response.content)
        assert response.json()["name"] == "Morning show"


@pytest.mark.django_db
def test_a_token_with_the_scope_makes_a_channel(aws: LocalAws, client: Client) -> None:
    _, text = make_token("channels")
    response = client.post("/channels", json.dumps(BODY), "application/json", headers=bearer(text))
    assert response.status_code == 200


@pytest.mark.django_db
def test_two_channels_of_one_name_are_two_channels(aws: LocalAws, post: Callable[..., Any]) -> None:
    assert post().json()["uuid"] != post().json()["uuid"]
    assert len(ivs_channels()) == Channel.objects.count() == 2


@pytest.mark.django_db
def test_events_that_waited_for_the_channel_do_not_make_its_creation_fail(
    aws: LocalAws, post: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The channel is made and ready by then: an error would hide it, and `process_inbox` can do the rest."""

    def fail(arn: str) -> None:
        raise OperationalError("the database went away")

    monkeypatch.setattr(services, "process_parked", fail)
    response = post()
    assert response.status_code == 200, response.content
    assert response.json()["streamKey"]


# What a client sends wrong: no call to AWS, so none is there


BAD: dict[str, Sequence[Any]] = {
    "userId": [*MALFORMED, None, 5, 1.5, True, [], {}, [str(OWNER)], "\0", "\ud800", "x" * 100_000],
    "name": ["a" * 257, 5, True, [], {}, "\0", "a\0b", "\ud800", "a\udfff"],
    **dict.fromkeys(
        ("type", "latency_mode", "private", "record"),
        ("nonsense", "\ud800", "\0", [], {}, [[["x"]]], 10**40, 1e300, "standard\n"),
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("field", BAD)
def test_a_bad_value_is_a_400_that_names_its_field_and_makes_nothing(
    post: Callable[..., Any], subtests: pytest.Subtests, field: str
) -> None:
    for value in BAD[field]:
        with subtests.test(ascii(value)[:60]):
            assert_error(post(**{field: value}), 400, field=field)
    assert not Channel.objects.exists()


@pytest.mark.django_db
def test_a_missing_user_id_is_a_400_that_names_it(client: Client, api_key: str) -> None:
    response = client.post("/channels", '{"name": "x"}', "application/json", headers=bearer(api_key))
    assert_error(response, 400, field="userId")
    assert not Channel.objects.exists()


@pytest.mark.django_db
def test_deep_json_is_a_400(client: Client, api_key: str, subtests: pytest.Subtests) -> None:
    depths = (300, 600, 800, 900, 940, 980, 5000, 200_000)
    for field, depth in itertools.product(("type", "private", "name", "userId"), depths):
        deep = "[" * depth + "]" * depth
        body = json.dumps(BODY)[:-1] + f', "{field}": {deep}}}'
        with subtests.test(f"{field} {depth}"):
            assert_error(client.generic("POST", "/channels", body, "application/json", headers=bearer(api_key)), 400)
    assert not Channel.objects.exists()


@pytest.mark.django_db
def test_a_body_that_is_no_json_object_is_a_400(client: Client, api_key: str, subtests: pytest.Subtests) -> None:
    bodies = (
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b"\xff\xfe{\x00}\x00",
        b"\0",
        b'{"name": "\xff"}',
        b"name=x&userId=y",
        b"1" * 10_000,
        b"NaN",
        b"-Infinity",
        b"\xef\xbb\xbf",
    )
    for body, kind in itertools.product(bodies, ("application/json", "application/x-www-form-urlencoded", "")):
        with subtests.test(f"{kind} {body[:40]!r}"):
            assert_error(client.generic("POST", "/channels", body, kind, headers=bearer(api_key)), 400)
    assert not Channel.objects.exists()


# IVS refuses: nothing is left


def refuse(monkeypatch: pytest.MonkeyPatch, code: str, operation: str = "CreateChannel") -> None:
    def refusal(call: Any) -> None:
        raise IvsError(code, f"{operation} is refused by a test")

    monkeypatch.setitem(OPERATIONS, operation, refusal)


@pytest.mark.django_db
def test_a_full_quota_is_named_and_leaves_nothing(aws: LocalAws, post: Callable[..., Any]) -> None:
    aws.ivs.quotas["channel"] = 0
    document = assert_error(response := post(), 503)
    assert "quota" in document["error"].lower()
    assert "quota" in document["code"]
    assert response["Retry-After"].isdigit()
    assert_nothing_is_left()


@pytest.mark.django_db
def test_throttling_is_a_503_that_says_when_to_come_back_and_leaves_nothing(
    aws: LocalAws, post: Callable[..., Any]
) -> None:
    aws.ivs.faults.append(Fault("CreateChannel", "throttle"))
    assert_error(response := post(), 503)
    assert response["Retry-After"].isdigit()
    assert aws.ivs.faults == []
    assert_nothing_is_left()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "status"),
    [("AccessDeniedException", 502), ("PendingVerification", 403), ("ResourceNotFoundException", 502)],
)
def test_an_aws_refusal_of_the_service_is_a_502_and_leaves_nothing(
    aws: LocalAws, post: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, code: str, status: int
) -> None:
    refuse(monkeypatch, code)
    # The sentence of IVS helps those who run the account: it must be verified first.
    assert_error(post(record=False), status)
    assert_nothing_is_left()


@pytest.mark.django_db
def test_a_validation_refusal_of_ivs_leaves_nothing(
    aws: LocalAws, post: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, "ValidationException")
    response = post()
    assert response.status_code in (400, 502)
    assert "refused by a test" in assert_error(response, response.status_code)["error"]
    assert_nothing_is_left()


@pytest.mark.django_db
def test_a_missing_recording_configuration_is_reported_and_leaves_nothing(
    aws: LocalAws, post: Callable[..., Any], settings: Any
) -> None:
    settings.RECORDING_CONFIG_ARN = "arn:aws:ivs:eu-west-1:111122223333:recording-configuration/AbCdEfGhIjKl"
    document = assert_error(post(), 409)
    assert document["code"] == "recording_not_configured"
    assert "RECORDING_CONFIG_ARN" in document["error"]
    with pytest.raises(CommandError, match="RECORDING_CONFIG_ARN"):
        call_command("create_channel", "x", "--owner", str(OWNER))
    assert_nothing_is_left()


@pytest.mark.django_db
def test_a_failure_inside_ivs_is_a_503_and_leaves_nothing(aws: LocalAws, post: Callable[..., Any]) -> None:
    aws.ivs.faults.append(Fault("CreateChannel", "error500"))
    assert_error(post(), 503)
    assert aws.ivs.faults == []
    assert_nothing_is_left()


# The reply is lost


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["drop_reply", "hang"])
def test_a_channel_whose_reply_was_lost_is_finished_from_ivs(
    aws: LocalAws, post: Callable[..., Any], kind: Any
) -> None:
    aws.ivs.faults.append(Fault("CreateChannel", kind))
    answer = post().json()
    (channel,) = ivs_channels()
    row = Channel.objects.get()
    assert (answer["arn"], answer["uuid"]) == (channel["arn"], channel["name"])
    assert (row.arn, row.status, row.active) == (channel["arn"], "ready", True)
    assert row.reveal_stream_key() == answer["streamKey"] != ""
    assert row.stream_key.startswith("enc:1:")
    assert "assphrase" not in json.dumps(row.channel_data)


@pytest.mark.django_db
def test_a_create_that_hangs_is_a_503_that_keeps_its_row_for_ivs_may_be_at_it_still(
    aws: LocalAws, post: Callable[..., Any]
) -> None:
    """That IVS lists no such channel right afterwards proves nothing."""
    aws.ivs.faults.append(Fault("CreateChannel", "hang", done=False))
    document = assert_error(response := post(), 503)
    assert response["Retry-After"].isdigit()
    row = Channel.objects.get()
    assert (document["code"], row.status, row.active) == ("channel_unfinished", "provisioning", False)
    assert str(row.uuid) in document["error"]
    with pytest.raises(ChannelUnfinishedError):
        services.channel_recover(channel=row)
    # IVS finishes it now.
    ivs().create_channel(name=str(row.uuid))
    recovered = services.channel_recover(channel=row)
    assert recovered is not None
    assert (recovered.status, recovered.arn) == ("ready", ivs_channels()[0]["arn"])


@pytest.mark.django_db
def test_a_create_that_hung_and_never_came_is_undone_after_a_minute(aws: LocalAws, post: Callable[..., Any]) -> None:
    aws.ivs.faults.append(Fault("CreateChannel", "hang", done=False))
    post()
    Channel.objects.update(created_at=timezone.now() - services.STILL_CREATING)
    assert services.channel_recover(channel=Channel.objects.get()) is None
    assert_nothing_is_left()


@pytest.mark.django_db
def test_a_create_is_sent_once(aws: LocalAws, post: Callable[..., Any], one_try: None) -> None:
    """IVS has no idempotency token: a second create would be a second channel."""
    aws.ivs.faults.append(Fault("CreateChannel", "drop_reply", times=5))
    post()
    assert aws.ivs.faults[0].times == 4
    assert len(ivs_channels()) == 1


@pytest.mark.django_db
def test_if_the_look_up_in_ivs_fails_too_the_error_names_the_uuid_and_the_row_stays(
    aws: LocalAws, post: Callable[..., Any], one_try: None
) -> None:
    aws.ivs.faults.extend([Fault("CreateChannel", "drop_reply"), Fault("ListChannels", "error500", times=3)])
    document = assert_error(post(), 503)
    row = Channel.objects.get()
    assert str(row.uuid) in document["error"]
    assert (row.status, row.active) == ("provisioning", False)
    assert list(Channel.objects.unfinished()) == [row]
    recovered = services.channel_recover(channel=row)
    assert recovered is not None
    assert (recovered.status, recovered.arn) == ("ready", ivs_channels()[0]["arn"])


@pytest.mark.django_db
def test_a_channel_that_a_crash_left_without_a_key_gets_one(aws: LocalAws, post: Callable[..., Any]) -> None:
    row = make_channel(arn="", stream_key="", rtmp_address="", active=False, status=Channel.Status.PROVISIONING)
    made = ivs().create_channel(name=str(row.uuid))
    ivs().delete_stream_key(arn=made["streamKey"]["arn"])
    recovered = services.channel_recover(channel=row)
    assert recovered is not None
    assert recovered.reveal_stream_key().startswith("sk_")


# The database fails after IVS said yes


@pytest.fixture
def unfinishable_rows(transactional_db: None) -> Iterator[None]:
    """Rows that PostgreSQL does not let become ready."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION test_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'refused by a test'; END $$;"
            "CREATE TRIGGER test_refuse BEFORE UPDATE ON ivs_channels FOR EACH ROW EXECUTE FUNCTION test_refuse()"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER test_refuse ON ivs_channels; DROP FUNCTION test_refuse()")


def test_defect_09_a_channel_whose_row_fails_is_removed_from_ivs_and_the_client_gets_the_error(
    unfinishable_rows: None, aws: LocalAws, post: Callable[..., Any]
) -> None:
    response = post()
    assert response.status_code >= 500
    assert_error(response, response.status_code)
    assert_nothing_is_left()


@pytest.mark.django_db
def test_a_database_outage_after_the_creation_in_ivs_is_a_503_and_removes_the_ivs_channel(
    aws: LocalAws, post: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Channel.save

    def away(self: Channel, *arguments: Any, **options: Any) -> None:
        if self.arn:
            raise OperationalError("server closed the connection unexpectedly")
        save(self, *arguments, **options)

    monkeypatch.setattr(Channel, "save", away)
    assert_error(post(), 503)
    assert_nothing_is_left()


def test_if_ivs_does_not_delete_the_channel_the_error_names_its_arn_and_the_row_stays(
    unfinishable_rows: None, aws: LocalAws, post: Callable[..., Any], one_try: None
) -> None:
    aws.ivs.faults.append(Fault("DeleteChannel", "error500", times=3))
    document = assert_error(post(), 503)
    (channel,) = ivs_channels()
    assert channel["arn"] in document["error"]
    assert [row.uuid for row in Channel.objects.unfinished()] == [UUID(channel["name"])]


@pytest.mark.django_db
def test_without_a_database_there_is_neither_a_row_nor_a_call(
    aws: LocalAws, post: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(Channel, "save", away)
    assert_error(response := post(), 503)
    assert response["Retry-After"].isdigit()
    assert_nothing_is_left()


class _CrashError(BaseException):
    """The process dies here, as far as any handler knows."""


@pytest.mark.django_db
@pytest.mark.parametrize("moment", ["before the call", "after the call"])
def test_a_crash_leaves_a_provisioning_row_that_is_finished_or_removed(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    create = aws_door.channel_create

    def crash(**values: Any) -> None:
        if moment == "after the call":
            create(**values)
        raise _CrashError

    monkeypatch.setattr(aws_door, "channel_create", crash)
    with pytest.raises(_CrashError):
        services.channel_create(name="x", owner=OWNER)
    Channel.objects.update(created_at=timezone.now() - services.STILL_CREATING)
    (row,) = Channel.objects.unfinished()
    recovered = services.channel_recover(channel=row)
    if moment == "before the call":
        assert recovered is None
        assert_nothing_is_left()
    else:
        assert recovered is not None
        row.refresh_from_db()
        assert (row.status, row.active, row.arn) == ("ready", True, ivs_channels()[0]["arn"])
        assert row.reveal_stream_key().startswith("sk_")


@pytest.mark.django_db
def test_no_call_to_aws_happens_inside_a_database_transaction(aws: LocalAws, post: Callable[..., Any]) -> None:
    seen: list[tuple[str, bool]] = []
    ivs = aws.ivs

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        seen.append((environ["PATH_INFO"], in_transaction()))
        return ivs(environ, start_response)

    aws.ivs = watched  # type: ignore[assignment]
    assert post().status_code == 200
    ivs.faults.append(Fault("CreateChannel", "drop_reply"))
    assert post().status_code == 200
    assert "/ListChannels" in [path for path, _ in seen]
    assert not any(inside for _, inside in seen)


def test_taking_a_channel_back_happens_outside_any_transaction(
    unfinishable_rows: None, aws: LocalAws, post: Callable[..., Any]
) -> None:
    seen: list[tuple[str, bool]] = []
    ivs = aws.ivs

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        seen.append((environ["PATH_INFO"], connection.in_atomic_block))
        return ivs(environ, start_response)

    aws.ivs = watched  # type: ignore[assignment]
    post()
    assert seen == [("/CreateChannel", False), ("/DeleteChannel", False)]


# Secrets


def _said(caplog: pytest.LogCaptureFixture) -> str:
    formatter = logging.Formatter("%(message)s %(args)s")
    return "\n".join(formatter.format(record) for record in caplog.records)


@pytest.mark.django_db
def test_defect_10_neither_log_nor_error_nor_repr_holds_a_stream_key_or_the_password(
    aws: LocalAws, post: Callable[..., Any], caplog: pytest.LogCaptureFixture, settings: Any, one_try: None
) -> None:
    caplog.set_level(logging.DEBUG, logger="channels_app")
    caplog.set_level(logging.DEBUG, logger="ivsvod")
    caplog.set_level(logging.DEBUG, logger="django.request")
    key = post().json()["streamKey"]
    with aws.ivs.store.transaction(write=False) as records:
        passphrase = records.select("channel")[0][1]["srt"]["passphrase"]
    said = [_said(caplog)]
    for faults in (
        [Fault("CreateChannel", "throttle")],
        [Fault("CreateChannel", "error500")],
        [Fault("CreateChannel", "drop_reply"), Fault("GetStreamKey", "error500", times=3)],
    ):
        aws.ivs.faults.extend(faults)
        said += [post().content.decode(), _said(caplog)]
    channel = Channel.objects.get(status="ready")
    found = aws_door.channel_find(name=str(channel.uuid))
    said += [repr(channel), str(channel), repr(found), str(found), repr([channel]), repr(Channel.objects.all())]
    text = "\n".join(said)
    assert "channel created" in text
    for secret in (key, passphrase, channel.stream_key, settings.SECRET_KEY, *settings.FIELD_ENCRYPTION_KEYS):
        assert secret not in text


def test_defect_10_a_database_that_refuses_the_row_says_no_stream_key(
    unfinishable_rows: None,
    aws: LocalAws,
    post: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys: list[str] = []
    create = aws_door.channel_create

    def noted(**values: Any) -> Any:
        made = create(**values)
        keys.append(made.key.value)
        return made

    monkeypatch.setattr(aws_door, "channel_create", noted)
    body = post().content.decode()
    assert keys
    assert keys[0] not in _said(caplog) + body


@pytest.mark.django_db
def test_defect_10_no_get_shows_a_stream_key(client: Client, api_key: str) -> None:
    channel = make_channel()
    for path in (f"/channels/{channel.uuid}/live", f"/channels/{channel.uuid}", "/channels", "/on-demand"):
        for headers in ({}, bearer(api_key)):
            assert STREAM_KEY not in client.get(path, headers=headers).content.decode()


# The command


def create_channel(*arguments: str) -> dict[str, Any]:
    stdout = io.StringIO()
    call_command("create_channel", *arguments, stdout=stdout)
    lines = stdout.getvalue().splitlines()
    assert len(lines) == 1
    return json.loads(lines[0])


@pytest.mark.django_db
def test_create_channel_prints_the_fields_of_post_channels(aws: LocalAws, post: Callable[..., Any]) -> None:
    printed = create_channel("Morning show", "--owner", str(OWNER).upper())
    answer = post().json()
    assert printed.keys() == answer.keys()
    for name in ("name", "owner", "type", "latency_mode", "private", "record", "active"):
        assert printed[name] == answer[name]
    assert Channel.objects.get(pk=printed["uuid"]).reveal_stream_key() == printed["streamKey"]


@pytest.mark.django_db
def test_create_channel_takes_its_options(aws: LocalAws) -> None:
    options = ("--type", "BASIC", "--latency", "NORMAL", "--private", "--no-record")
    printed = create_channel("x", "--owner", str(OWNER), *options)
    (channel,) = ivs_channels()
    assert (channel["type"], channel["latencyMode"], channel["authorized"]) == ("BASIC", "NORMAL", True)
    assert (printed["record"], channel["recordingConfigurationArn"]) == (False, "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("x", "--owner", "nobody"), "--owner"),
        (("x", "--owner", ""), "--owner"),
        (("x", "--owner", str(OWNER), "--type", "FANCY"), "--type"),
        (("x", "--owner", str(OWNER), "--latency", "ZERO"), "--latency"),
        (("x" * 257, "--owner", str(OWNER)), "NAME"),
        (("\udcff", "--owner", str(OWNER)), "NAME"),
    ],
)
def test_create_channel_names_a_bad_value_in_one_line_and_leaves_nothing(
    arguments: tuple[str, ...], named: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        create_channel(*arguments)
    assert refusal.value.returncode == 1
    assert named in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
    assert not Channel.objects.exists()


@pytest.mark.django_db
def test_create_channel_tells_a_refusal_of_ivs_in_one_line_and_leaves_nothing(aws: LocalAws) -> None:
    aws.ivs.quotas["channel"] = 0
    with pytest.raises(CommandError, match=r"(?i)quota") as refusal:
        create_channel("x", "--owner", str(OWNER))
    assert refusal.value.returncode == 1
    assert len(str(refusal.value).splitlines()) == 1
    assert_nothing_is_left()


# Live state


NINE = datetime(2026, 3, 4, 9, tzinfo=UTC)


def add_stream(channel: Channel, name: str, **values: Any) -> Stream:
    moments = [moment for moment in values.values() if moment]
    return Stream.objects.create(channel=channel, stream_id=name, first_event_at=min(moments), **values)


@pytest.mark.django_db
def test_a_live_channel_says_so_with_the_time_in_ms(client: Client) -> None:
    channel = make_channel()
    add_stream(channel, "st-1", started_at=NINE + timedelta(milliseconds=1234))
    response = client.get(f"/channels/{channel.uuid}/live")
    assert response.status_code == 200
    document = response.json()
    assert (document["state"], document["timestamp"]) == ("live", int(NINE.timestamp()) * 1000 + 1234)
    assert document["stream_id"] == "st-1"
    assert datetime.fromisoformat(document["since"]) == NINE + timedelta(milliseconds=1234)


@pytest.mark.django_db
def test_a_channel_whose_last_stream_ended_is_offline_since_then(client: Client) -> None:
    channel = make_channel()
    add_stream(channel, "st-1", started_at=NINE - timedelta(hours=1), ended_at=NINE)
    document = client.get(f"/channels/{channel.uuid}/live").json()
    assert (document["state"], document["timestamp"]) == ("offline", int(NINE.timestamp()) * 1000)


@pytest.mark.django_db
def test_a_channel_that_never_streamed_is_offline_since_it_was_made(client: Client) -> None:
    channel = make_channel(created_at=NINE)
    document = client.get(f"/channels/{channel.uuid}/live").json()
    assert (document["state"], document["timestamp"]) == ("offline", int(NINE.timestamp()) * 1000)
    assert document["stream_id"] is None


@pytest.mark.django_db
def test_a_channel_of_unknown_age_that_never_streamed_is_offline_since_zero(client: Client) -> None:
    document = client.get(f"/channels/{make_channel(created_at=None).uuid}/live").json()
    assert (document["state"], document["timestamp"]) == ("offline", 0)


@pytest.mark.django_db
def test_the_live_state_is_found_by_every_form_of_the_uuid(client: Client) -> None:
    channel = make_channel()
    for spell in FORMS:
        assert client.get(f"/channels/{spell(channel.uuid)}/live").status_code == 200, spell(channel.uuid)


@pytest.mark.django_db
def test_an_unknown_channel_is_a_404_with_the_predecessors_sentence(client: Client) -> None:
    document = assert_error(client.get(f"/channels/{uuid4()}/live"), 404)
    assert document["error"] == "IVS Channel not found"


@pytest.mark.django_db
def test_a_malformed_uuid_of_a_channel_is_a_400_that_names_it(client: Client, subtests: pytest.Subtests) -> None:
    for text in [*filter(None, MALFORMED), "%00", "%ff%fe", "..", "x" * 5000, "%F0%9F%98%80"]:
        with subtests.test(text[:40]):
            assert_error(client.get(f"/channels/{text}/live"), 400, field="uuid")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "data", "shown"),
    [
        ("live", {"event_name": "Stream Start", "stream_id": "st-1"}, "live"),
        ("offline", {"event_name": "Stream End", "stream_id": "st-1"}, "offline"),
        ("live", None, "live"),
        ("offline", [], "offline"),
    ],
)
def test_a_state_change_that_the_predecessor_writes_shows_at_once(
    client: Client, state: str, data: Any, shown: str
) -> None:
    channel = make_channel()
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO ivs_state_changes ("timestamp", ivs_channel_uuid, state, data) VALUES (%s, %s, %s, %s::jsonb)',
            [NINE, channel.uuid, state, json.dumps(data)],
        )
    document = client.get(f"/channels/{channel.uuid}/live").json()
    assert (document["state"], document["timestamp"]) == (shown, int(NINE.timestamp()) * 1000)


@pytest.mark.django_db
def test_the_live_state_takes_a_fixed_number_of_queries(client: Client, django_assert_num_queries: Any) -> None:
    channel = make_channel()
    for number in range(20):
        add_stream(channel, f"st-{number}", started_at=NINE + timedelta(minutes=number))
    with django_assert_num_queries(1):
        client.get(f"/channels/{channel.uuid}/live")


@pytest.mark.django_db
def test_a_database_error_is_never_reported_as_a_missing_channel(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    channel = make_channel()
    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", away)
    assert_error(client.get(f"/channels/{channel.uuid}/live"), 503)


# What S3 says of an object

MISSING = b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
EXPIRED = b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        ("404 Not Found", MISSING, None),
        ("403 Forbidden", DENIED, "denied"),
        ("404 Not Found", b"<html>404 page not found</html>", "misconfigured"),
        ("403 Forbidden", b"<html>Forbidden</html>", "misconfigured"),
        ("403 Forbidden", b"", "misconfigured"),
        ("400 Bad Request", EXPIRED, "misconfigured"),
    ],
)
def test_only_s3_itself_says_that_an_object_is_not_there(
    aws: LocalAws, one_try: None, status: str, body: bytes, kind: str | None
) -> None:
    """Without ListBucket AccessDenied may mean that, too; the answer of a proxy says nothing."""

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    aws.s3 = answer
    if kind is None:
        assert aws_door.object_read(bucket="recordings", key="a", longest=10) is None
        return
    with pytest.raises(aws_door.AwsError) as error:
        aws_door.object_read(bucket="recordings", key="a", longest=10)
    assert error.value.kind == kind


def test_the_local_s3_says_so_as_s3_does(aws: LocalAws, settings: Any) -> None:
    for bucket in (settings.RECORDING_BUCKET, "no-such-bucket"):
        assert aws_door.object_read(bucket=bucket, key="a/b.json", longest=10) is None
