"""The local IVS, seen by boto3: inside the process, and over HTTP."""

import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tools.local.aws import LocalAws, install_in_process
from tools.local.ivs import Fault, IvsError, IvsStore
from tools.local.ivs.model import ReplyMismatch
from tools.local.ivs.service import OPERATIONS

pytestmark = pytest.mark.slow

BASE_URL = "http://127.0.0.1:9/_local"
UNKNOWN_CHANNEL = "arn:aws:ivs:eu-west-1:111122223333:channel/AjIhKtJ0RlgL"
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
ONE_TRY = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAws]:
    local = LocalAws(tmp_path)
    for name, value in local.environment(BASE_URL).items():
        monkeypatch.setenv(name, value)
    uninstall = install_in_process(local, BASE_URL)
    yield local
    uninstall()


@pytest.fixture
def store(aws: LocalAws) -> IvsStore:
    return aws.ivs.store


@pytest.fixture
def ivs(aws: LocalAws) -> Any:
    return make_client("ivs")


def make_client(service: str, **arguments: Any) -> Any:
    return session().client(service, **{"config": ONE_TRY, **arguments})


@cache
def session() -> Any:
    """One for all: making it takes ten times as long as making a client."""
    return boto3.session.Session()


def make_channel(ivs: Any, **arguments: Any) -> str:
    return ivs.create_channel(**arguments)["channel"]["arn"]


def make_recording_configuration(ivs: Any, bucket: str = "example-recordings", **arguments: Any) -> str:
    destination = {"s3": {"bucketName": bucket}}
    reply = ivs.create_recording_configuration(destinationConfiguration=destination, **arguments)
    return reply["recordingConfiguration"]["arn"]


def public_pem(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def p384_pem() -> str:
    return public_pem(ec.generate_private_key(ec.SECP384R1()))


def refused(call: Callable[..., Any], /, **arguments: Any) -> str:
    """The error code that boto3 shows; the message is never empty."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert error["Message"]
    return error["Code"]


def status_of(call: Callable[..., Any], /, **arguments: Any) -> int:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def walk(call: Callable[..., Any], member: str, **arguments: Any) -> list[Any]:
    """All pages of a listing."""
    found, token = [], {}
    while True:
        reply = call(**arguments, **token)
        found += reply[member]
        if "nextToken" not in reply:
            return found
        token = {"nextToken": reply["nextToken"]}


# Channels


def test_a_new_channel_has_the_defaults_and_addresses_of_ivs(ivs: Any) -> None:
    reply = ivs.create_channel()
    channel, key = reply["channel"], reply["streamKey"]
    defaults = {"name": "", "type": "STANDARD", "latencyMode": "LOW", "authorized": False, "insecureIngest": False}
    assert channel.items() >= defaults.items()
    assert channel["recordingConfigurationArn"] == channel["preset"] == channel["playbackRestrictionPolicyArn"] == ""
    channel_id = channel["arn"].removeprefix("arn:aws:ivs:eu-west-1:111122223333:channel/")
    assert len(channel_id) == 12 and channel_id.isalnum()
    host = channel["ingestEndpoint"].removesuffix(".global-contribute.live-video.net")
    assert len(bytes.fromhex(host)) == 6
    name = f"eu-west-1.111122223333.channel.{channel_id}.m3u8"
    assert channel["playbackUrl"] == f"https://{host}.eu-west-1.playback.live-video.net/api/video/v1/{name}"
    assert channel["srt"]["endpoint"] and channel["srt"]["passphrase"]
    assert key["channelArn"] == channel["arn"]
    assert [len(part) for part in key["value"].removeprefix("sk_eu-west-1_").split("_")] == [12, 30]


def test_a_channel_is_read_back_as_it_was_created(ivs: Any) -> None:
    created = ivs.create_channel(
        name="room-42", type="ADVANCED_HD", latencyMode="NORMAL", authorized=True, tags={"owner": "é 1"}
    )
    assert ivs.get_channel(arn=created["channel"]["arn"])["channel"] == created["channel"]
    assert created["channel"]["preset"] == "HIGHER_BANDWIDTH_DELIVERY"
    assert created["streamKey"]["tags"] == {"owner": "é 1"}


def test_update_changes_the_given_settings_and_shows_no_stream_key(ivs: Any) -> None:
    arn = make_channel(ivs, name="before", type="BASIC")
    reply = ivs.update_channel(arn=arn, name="after", authorized=True)
    assert "streamKey" not in reply
    assert reply["channel"].items() >= {"name": "after", "authorized": True, "type": "BASIC"}.items()
    assert ivs.get_channel(arn=arn)["channel"] == reply["channel"]


def test_recording_is_attached_and_detached_by_update(ivs: Any, store: IvsStore) -> None:
    configuration = make_recording_configuration(ivs)
    arn = make_channel(ivs, recordingConfigurationArn="")
    assert store.recording_bucket(arn) is None
    ivs.update_channel(arn=arn, recordingConfigurationArn=configuration)
    assert store.recording_bucket(arn) == "example-recordings"
    ivs.update_channel(arn=arn, recordingConfigurationArn="")
    assert ivs.get_channel(arn=arn)["channel"]["recordingConfigurationArn"] == ""


@pytest.mark.parametrize(
    ("member", "kind"),
    [
        ("recordingConfigurationArn", "recording-configuration"),
        ("playbackRestrictionPolicyArn", "playback-restriction-policy"),
        ("adConfigurationArn", "ad-configuration"),
        ("failoverSlateConfigurationArn", "failover-slate-configuration"),
    ],
)
def test_a_channel_cannot_refer_to_a_missing_resource(ivs: Any, member: str, kind: str) -> None:
    arn = make_channel(ivs)
    reference = {member: f"arn:aws:ivs:eu-west-1:111122223333:{kind}/AjIhKtJ0RlgL"}
    assert refused(ivs.create_channel, **reference) == "ResourceNotFoundException"
    assert refused(ivs.update_channel, arn=arn, **reference) == "ResourceNotFoundException"
    assert len(ivs.list_channels()["channels"]) == 1


def test_presets_are_for_advanced_channels(ivs: Any) -> None:
    assert refused(ivs.create_channel, preset="CONSTRAINED_BANDWIDTH_DELIVERY") == "ValidationException"
    arn = make_channel(ivs, type="ADVANCED_SD", preset="CONSTRAINED_BANDWIDTH_DELIVERY")
    assert ivs.update_channel(arn=arn, type="STANDARD")["channel"]["preset"] == ""


def test_batch_get_channel_answers_200_with_an_error_for_each_unknown_arn(ivs: Any) -> None:
    first, second = make_channel(ivs, name="first"), make_channel(ivs, name="second")
    reply = ivs.batch_get_channel(arns=[second, UNKNOWN_CHANNEL, first])
    assert [channel["name"] for channel in reply["channels"]] == ["second", "first"]
    assert [(error["arn"], error["code"]) for error in reply["errors"]] == [
        (UNKNOWN_CHANNEL, "ResourceNotFoundException")
    ]


def test_list_channels_shows_summaries_narrowed_by_one_filter(ivs: Any) -> None:
    configuration = make_recording_configuration(ivs)
    make_channel(ivs, name="plain")
    make_channel(ivs, name="recorded", recordingConfigurationArn=configuration)

    def names(**narrow: str) -> list[str]:
        return [channel["name"] for channel in ivs.list_channels(**narrow)["channels"]]

    assert names() == ["plain", "recorded"]
    assert names(filterByName="plain") == ["plain"]
    assert names(filterByRecordingConfigurationArn=configuration) == ["recorded"]
    assert not {"ingestEndpoint", "playbackUrl", "srt"} & ivs.list_channels()["channels"][0].keys()
    both = {"filterByName": "plain", "filterByRecordingConfigurationArn": configuration}
    assert refused(ivs.list_channels, **both) == "ConflictException"


def test_deleting_a_channel_deletes_its_key_and_answers_204(ivs: Any) -> None:
    created = ivs.create_channel()
    arn = created["channel"]["arn"]
    assert ivs.delete_channel(arn=arn)["ResponseMetadata"]["HTTPStatusCode"] == 204
    for call in (ivs.get_channel, ivs.delete_channel, ivs.update_channel):
        assert refused(call, arn=arn) == "ResourceNotFoundException"
    assert refused(ivs.get_stream_key, arn=created["streamKey"]["arn"]) == "ResourceNotFoundException"


def test_quotas_answer_402(aws: LocalAws, ivs: Any) -> None:
    aws.ivs.quotas = dict.fromkeys(aws.ivs.quotas, 1)
    arn = make_channel(ivs)
    make_recording_configuration(ivs)
    ivs.import_playback_key_pair(publicKeyMaterial=p384_pem())
    calls: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (ivs.create_channel, {}),
        (ivs.create_stream_key, {"channelArn": arn}),
        (ivs.import_playback_key_pair, {"publicKeyMaterial": p384_pem()}),
        (ivs.create_recording_configuration, {"destinationConfiguration": {"s3": {"bucketName": "other"}}}),
    ]
    for call, arguments in calls:
        assert refused(call, **arguments) == "ServiceQuotaExceededException"
        assert status_of(call, **arguments) == 402


# Validation


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("create_channel", {"name": "a" * 129}),
        ("create_channel", {"name": "two words"}),
        ("create_channel", {"name": "line\n"}),
        ("create_channel", {"type": "PREMIUM"}),
        ("create_channel", {"latencyMode": "low"}),
        ("create_channel", {"recordingConfigurationArn": "arn:aws:s3:::bucket"}),
        ("create_channel", {"recordingConfigurationArn": "none"}),
        ("get_channel", {"arn": "arn:aws:ivs:eu-west-1:111122223333:stream-key/AjIhKtJ0RlgL"}),
        ("get_channel", {"arn": f"{UNKNOWN_CHANNEL}{'a' * 128}"}),
        ("batch_get_channel", {"arns": [UNKNOWN_CHANNEL] * 51}),
        ("batch_get_channel", {"arns": []}),
        ("list_channels", {"maxResults": 101}),
        ("list_channels", {"nextToken": "not a token"}),
        ("list_channels", {"nextToken": "bm90LWEtdG9rZW4="}),
        ("list_channels", {"nextToken": "MTphYmM="}),
        ("list_stream_keys", {"channelArn": UNKNOWN_CHANNEL, "maxResults": 51}),
        ("get_stream_session", {"channelArn": UNKNOWN_CHANNEL, "streamId": "st-short"}),
        ("create_channel", {"tags": {str(number): "" for number in range(51)}}),
        ("create_channel", {"tags": {"k" * 129: ""}}),
        ("create_channel", {"tags": {"key": "v" * 257}}),
        ("create_channel", {"tags": {"key": "a\tb"}}),
        ("create_channel", {"tags": {"a*b": ""}}),
        ("create_channel", {"tags": {"aws:owner": ""}}),
        ("create_recording_configuration", {"destinationConfiguration": {}}),
        ("create_recording_configuration", {"destinationConfiguration": {"s3": {"bucketName": "A"}}}),
        ("start_viewer_session_revocation", {"channelArn": UNKNOWN_CHANNEL, "viewerId": "v" * 41}),
        ("tag_resource", {"resourceArn": "arn:aws:s3:::bucket", "tags": {}}),
    ],
)
def test_values_that_boto3_accepts_can_be_refused(aws: LocalAws, operation: str, arguments: dict[str, Any]) -> None:
    unchecked = make_client("ivs", config=ONE_TRY.merge(Config(parameter_validation=False)))
    call = getattr(unchecked, operation)
    assert refused(call, **arguments) == "ValidationException"
    assert status_of(call, **arguments) == 400


@pytest.mark.parametrize(
    "destination",
    [
        {"recordingReconnectWindowSeconds": 301},
        {"thumbnailConfiguration": {"targetIntervalSeconds": 61}},
        {"thumbnailConfiguration": {"storage": ["NEWEST"]}},
        {"renditionConfiguration": {"renditionSelection": "CUSTOM"}},
    ],
)
def test_recording_configurations_are_validated(ivs: Any, destination: dict[str, Any]) -> None:
    bucket = {"s3": {"bucketName": "example-recordings"}}
    call = ivs.create_recording_configuration
    assert refused(call, destinationConfiguration=bucket, **destination) == "ValidationException"


@pytest.mark.parametrize("body", ['{"name": 1}', '{"authorized": "yes"}', '{"tags": []}', '{"tags": {"a": null}}'])
def test_values_of_the_wrong_type_are_refused(aws: LocalAws, body: str) -> None:
    assert call_raw(aws, "POST", "/ivs/CreateChannel", body) == (400, "ValidationException")


def test_a_number_is_neither_true_nor_a_text(aws: LocalAws) -> None:
    for value in ("true", '"5"', "1.5"):
        answer = call_raw(aws, "POST", "/ivs/ListChannels", f'{{"maxResults": {value}}}')
        assert answer == (400, "ValidationException")


def test_null_is_as_good_as_absent(aws: LocalAws) -> None:
    assert call_raw(aws, "POST", "/ivs/CreateChannel", '{"name": null, "unknown": 1}')[0] == 200
    assert call_raw(aws, "POST", "/ivs/GetChannel", '{"arn": null}') == (400, "ValidationException")


def test_requests_that_are_none_are_refused(aws: LocalAws) -> None:
    assert call_raw(aws, "POST", "/ivs/CreateChannel", "[1]") == (400, "SerializationException")
    assert call_raw(aws, "POST", "/ivs/CreateChannel", "{") == (400, "SerializationException")
    assert call_raw(aws, "POST", "/ivs/CreateChannel", " " * 1_000_001) == (400, "SerializationException")
    assert call_raw(aws, "POST", "/ivs/Nothing", "{}") == (404, "UnknownOperationException")
    assert call_raw(aws, "GET", "/ivs/CreateChannel", "") == (404, "UnknownOperationException")
    unsigned = call_raw(aws, "POST", "/ivs/CreateChannel", "{}", signature="")
    assert unsigned == (403, "MissingAuthenticationTokenException")


def call_raw(
    aws: LocalAws, method: str, path: str, body: str, signature: str = "AWS4-HMAC-SHA256 Credential=local"
) -> tuple[int, str]:
    """Status and error code of a request that boto3 would not send."""
    seen: list[Any] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": signature,
        "wsgi.input": io.BytesIO(body.encode()),
    }
    aws(environ, lambda status, headers: seen.extend([status, dict(headers)]))
    return int(seen[0].split()[0]), seen[1].get("x-amzn-ErrorType", "")


def test_an_operation_that_the_local_ivs_lacks_is_refused_by_its_name(aws: LocalAws, ivs: Any) -> None:
    names = set(botocore.session.Session().get_service_model("ivs").operation_names)
    assert OPERATIONS.keys() < names
    for name in names - OPERATIONS.keys():
        assert call_raw(aws, "POST", f"/ivs/{name}", "{}") == (403, "AccessDeniedException")
    with pytest.raises(ivs.exceptions.AccessDeniedException, match="does not have the operation ListAdConfigurations"):
        ivs.list_ad_configurations()


def test_a_reply_that_the_model_does_not_know_is_a_bug_and_changes_nothing(
    ivs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = OPERATIONS["CreateChannel"]
    monkeypatch.setitem(OPERATIONS, "CreateChannel", lambda call: {**(create(call) or {}), "extra": 1})
    with pytest.raises(ReplyMismatch, match='Unknown parameter in input: "extra"'):
        ivs.create_channel()
    assert ivs.list_channels()["channels"] == []
    monkeypatch.setitem(OPERATIONS, "ListChannels", lambda call: {"channels": [{"arn": 1}]})
    with pytest.raises(ReplyMismatch, match=r"Invalid type for parameter channels\[0\].arn"):
        ivs.list_channels()
    monkeypatch.setitem(OPERATIONS, "ListChannels", lambda call: {})
    with pytest.raises(ReplyMismatch, match='Missing required parameter in input: "channels"'):
        ivs.list_channels()


# Stream keys


def test_a_channel_has_one_key_and_rotation_is_delete_then_create(ivs: Any, store: IvsStore) -> None:
    created = ivs.create_channel()
    channel_arn, old = created["channel"]["arn"], created["streamKey"]
    assert ivs.get_stream_key(arn=old["arn"])["streamKey"] == old
    assert refused(ivs.create_stream_key, channelArn=channel_arn) == "ServiceQuotaExceededException"
    ivs.delete_stream_key(arn=old["arn"])
    assert ivs.list_stream_keys(channelArn=channel_arn)["streamKeys"] == []
    assert store.channel_by_key(old["value"]) is None
    new = ivs.create_stream_key(channelArn=channel_arn, tags={"why": "rotated"})["streamKey"]
    assert new["value"] != old["value"] and new["tags"] == {"why": "rotated"}
    assert store.channel_by_key(new["value"]) == created["channel"]
    (listed,) = ivs.list_stream_keys(channelArn=channel_arn)["streamKeys"]
    assert listed == {name: value for name, value in new.items() if name != "value"}


def test_keys_of_an_unknown_channel_are_not_found(ivs: Any) -> None:
    assert refused(ivs.create_stream_key, channelArn=UNKNOWN_CHANNEL) == "ResourceNotFoundException"
    assert refused(ivs.list_stream_keys, channelArn=UNKNOWN_CHANNEL) == "ResourceNotFoundException"
    unknown = UNKNOWN_CHANNEL.replace("channel/", "stream-key/")
    assert refused(ivs.delete_stream_key, arn=unknown) == "ResourceNotFoundException"


# Streams


def test_a_live_stream_is_seen_by_get_and_list(ivs: Any, store: IvsStore) -> None:
    created = ivs.create_channel()
    arn = created["channel"]["arn"]
    stream_id = store.stream_begin(arn, started_at=NOON)
    assert len(stream_id) == 26 and stream_id.startswith("st-")
    stream = ivs.get_stream(channelArn=arn)["stream"]
    assert stream == {
        "channelArn": arn,
        "streamId": stream_id,
        "playbackUrl": created["channel"]["playbackUrl"],
        "startTime": NOON,
        "state": "LIVE",
        "health": "HEALTHY",
        "viewerCount": 0,
    }
    assert [each["streamId"] for each in ivs.list_streams()["streams"]] == [stream_id]
    live = store.stream_of(arn)
    assert live is not None and live["streamId"] == stream_id
    store.stream_end(arn, ended_at=NOON + timedelta(minutes=1))
    assert store.stream_of(arn) is None and ivs.list_streams()["streams"] == []


def test_viewers_of_a_live_stream_are_counted_until_it_ends(ivs: Any, store: IvsStore) -> None:
    arn = ivs.create_channel()["channel"]["arn"]
    with pytest.raises(IvsError, match="a live stream of"):
        store.set_viewers(arn, 3)
    store.stream_begin(arn, started_at=NOON)
    for viewers in (3, -1):
        store.set_viewers(arn, viewers)
        assert ivs.get_stream(channelArn=arn)["stream"]["viewerCount"] == viewers
        assert [each["viewerCount"] for each in ivs.list_streams()["streams"]] == [viewers]
    store.stream_end(arn, ended_at=NOON + timedelta(minutes=1))
    store.stream_begin(arn, started_at=NOON + timedelta(minutes=2))
    assert ivs.get_stream(channelArn=arn)["stream"]["viewerCount"] == 0


def test_a_starving_stream_shows_its_health_until_it_recovers(ivs: Any, store: IvsStore) -> None:
    arn = make_channel(ivs)
    stream_id = store.stream_begin(arn, started_at=NOON)
    for name, health in (("Starvation Start", "STARVING"), ("Starvation End", "HEALTHY")):
        store.session_event(stream_id, name=name, type="IVS Stream Health Change", at=NOON)
        assert ivs.get_stream(channelArn=arn)["stream"]["health"] == health
        assert [stream["health"] for stream in ivs.list_streams()["streams"]] == [health]


def test_an_offline_channel_answers_404_not_broadcasting(ivs: Any) -> None:
    arn = make_channel(ivs)
    for call in (ivs.get_stream, ivs.stop_stream):
        assert refused(call, channelArn=arn) == "ChannelNotBroadcasting"
        assert status_of(call, channelArn=arn) == 404
        assert refused(call, channelArn=UNKNOWN_CHANNEL) == "ResourceNotFoundException"


def test_a_live_channel_is_neither_changed_nor_deleted(ivs: Any, store: IvsStore) -> None:
    arn = make_channel(ivs)
    store.stream_begin(arn, started_at=NOON)
    for call in (ivs.update_channel, ivs.delete_channel):
        assert refused(call, arn=arn) == "ConflictException"
        assert status_of(call, arn=arn) == 409
    store.stream_end(arn, ended_at=NOON)
    ivs.update_channel(arn=arn, name="now")
    ivs.delete_channel(arn=arn)


def test_stop_stream_ends_the_stream_at_once_and_notifies_the_encoder(ivs: Any, store: IvsStore) -> None:
    arn = make_channel(ivs)
    store.stream_begin(arn, started_at=NOON)
    assert not store.stop_requested(arn)
    assert ivs.stop_stream(channelArn=arn)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert store.stop_requested(arn)
    assert refused(ivs.get_stream, channelArn=arn) == "ChannelNotBroadcasting"
    store.stream_end(arn, ended_at=NOON + timedelta(minutes=3))
    (session,) = ivs.list_stream_sessions(channelArn=arn)["streamSessions"]
    assert session["endTime"] == NOON + timedelta(minutes=3)
    store.stream_begin(arn, started_at=NOON + timedelta(minutes=4))
    assert not store.stop_requested(arn)


def test_only_a_known_channel_that_is_offline_goes_live(ivs: Any, store: IvsStore) -> None:
    with pytest.raises(IvsError, match="ResourceNotFoundException"):
        store.stream_begin(UNKNOWN_CHANNEL, started_at=NOON)
    arn = make_channel(ivs)
    store.stream_begin(arn, started_at=NOON)
    with pytest.raises(IvsError, match="ConflictException"):
        store.stream_begin(arn, started_at=NOON)


def test_ending_an_offline_stream_changes_nothing(ivs: Any, store: IvsStore) -> None:
    arn = make_channel(ivs)
    store.stream_end(arn, ended_at=NOON)
    store.stream_begin(arn, started_at=NOON)
    store.stream_end(arn, ended_at=NOON + timedelta(minutes=1))
    store.stream_end(arn, ended_at=NOON + timedelta(minutes=2))
    (session,) = ivs.list_stream_sessions(channelArn=arn)["streamSessions"]
    assert session["endTime"] == NOON + timedelta(minutes=1)


def test_a_session_keeps_channel_and_recording_as_they_were_at_go_live(ivs: Any, store: IvsStore) -> None:
    configuration = make_recording_configuration(ivs, name="first")
    channel = ivs.create_channel(name="before", recordingConfigurationArn=configuration)["channel"]
    arn = channel["arn"]
    stream_id = store.stream_begin(arn, started_at=NOON, stream_id="st-u8jzPde0IgxLd6GncfBAepf")
    live = ivs.get_stream_session(channelArn=arn)["streamSession"]
    assert live["streamId"] == stream_id and "endTime" not in live
    store.stream_end(arn, ended_at=NOON + timedelta(hours=1))
    ivs.update_channel(arn=arn, name="after", recordingConfigurationArn="")
    session = ivs.get_stream_session(channelArn=arn, streamId=stream_id)["streamSession"]
    assert session["channel"] == channel
    assert session["recordingConfiguration"]["name"] == "first"
    assert session["endTime"] - session["startTime"] == timedelta(hours=1)


def test_sessions_are_listed_newest_first_and_outlive_their_channel(ivs: Any, store: IvsStore) -> None:
    arn = make_channel(ivs)
    ids = []
    for hour in range(3):
        ids.append(store.stream_begin(arn, started_at=NOON + timedelta(hours=hour)))
        store.stream_end(arn, ended_at=NOON + timedelta(hours=hour, minutes=5))
    ivs.delete_channel(arn=arn)
    sessions = walk(ivs.list_stream_sessions, "streamSessions", channelArn=arn, maxResults=1)
    assert [session["streamId"] for session in sessions] == ids[::-1]
    assert ivs.get_stream_session(channelArn=arn)["streamSession"]["streamId"] == ids[-1]


def test_a_session_that_is_not_the_channels_is_not_found(ivs: Any, store: IvsStore) -> None:
    arn, other = make_channel(ivs), make_channel(ivs)
    assert refused(ivs.get_stream_session, channelArn=arn) == "ResourceNotFoundException"
    stream_id = store.stream_begin(other, started_at=NOON)
    assert refused(ivs.get_stream_session, channelArn=arn, streamId=stream_id) == "ResourceNotFoundException"
    assert refused(ivs.list_stream_sessions, channelArn=UNKNOWN_CHANNEL) == "ResourceNotFoundException"


def test_session_events_are_newest_first_and_failures_have_their_code(ivs: Any, store: IvsStore) -> None:
    arn = make_channel(ivs)
    stream_id = store.stream_begin(arn, started_at=NOON)
    change = "IVS Stream State Change"
    store.session_event(stream_id, name="Stream Start", type=change, at=NOON + timedelta(seconds=5))
    store.session_event(stream_id, name="Session Created", type=change, at=NOON)
    code = "StreamTakeoverMediaMismatch"
    store.session_event(stream_id, name="Stream Takeover Failure", type=change, at=NOON + timedelta(1), code=code)
    events = ivs.get_stream_session(channelArn=arn)["streamSession"]["truncatedEvents"]
    assert [event["name"] for event in events] == ["Stream Takeover Failure", "Stream Start", "Session Created"]
    assert events[0]["code"] == code and "code" not in events[1]


# Recording configurations


def test_a_recording_configuration_is_active_at_once_with_its_defaults(ivs: Any) -> None:
    arn = make_recording_configuration(ivs, name="all", tags={"stage": "dev"})
    configuration = ivs.get_recording_configuration(arn=arn)["recordingConfiguration"]
    assert configuration["state"] == "ACTIVE" and configuration["recordingReconnectWindowSeconds"] == 0
    assert configuration["thumbnailConfiguration"]["recordingMode"] == "INTERVAL"
    assert configuration["renditionConfiguration"]["renditionSelection"] == "ALL"
    (listed,) = ivs.list_recording_configurations()["recordingConfigurations"]
    assert listed["arn"] == arn and "thumbnailConfiguration" not in listed


def test_a_recording_configuration_in_use_is_not_deleted(ivs: Any) -> None:
    configuration = make_recording_configuration(ivs)
    arn = make_channel(ivs, recordingConfigurationArn=configuration)
    assert refused(ivs.delete_recording_configuration, arn=configuration) == "ConflictException"
    ivs.update_channel(arn=arn, recordingConfigurationArn="")
    ivs.delete_recording_configuration(arn=configuration)
    assert refused(ivs.get_recording_configuration, arn=configuration) == "ResourceNotFoundException"


# Playback: key pairs and revocations


def test_playback_keys_are_p384_and_three_at_most(ivs: Any) -> None:
    first = p384_pem()
    key_pair = ivs.import_playback_key_pair(publicKeyMaterial=first, name="first", tags={"a": "b"})["keyPair"]
    assert len(bytes.fromhex(key_pair["fingerprint"].replace(":", ""))) == 16
    assert ivs.get_playback_key_pair(arn=key_pair["arn"])["keyPair"] == key_pair
    assert refused(ivs.import_playback_key_pair, publicKeyMaterial=first) == "ConflictException"
    for _ in range(2):
        ivs.import_playback_key_pair(publicKeyMaterial=p384_pem())
    full = refused(ivs.import_playback_key_pair, publicKeyMaterial=p384_pem())
    assert full == "ServiceQuotaExceededException"
    assert len(ivs.list_playback_key_pairs()["keyPairs"]) == 3
    ivs.delete_playback_key_pair(arn=key_pair["arn"])
    assert refused(ivs.delete_playback_key_pair, arn=key_pair["arn"]) == "ResourceNotFoundException"


def test_other_keys_are_no_playback_keys(ivs: Any) -> None:
    wrong = [
        public_pem(ec.generate_private_key(ec.SECP256R1())),
        public_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        "no key at all",
        "",
    ]
    for pem in wrong:
        assert refused(ivs.import_playback_key_pair, publicKeyMaterial=pem) == "ValidationException"


def test_a_revocation_keeps_the_largest_version(ivs: Any, store: IvsStore) -> None:
    arn = make_channel(ivs)
    assert store.revoked_version(arn, "viewer") is None
    for version in (7, 3):
        ivs.start_viewer_session_revocation(
            channelArn=arn, viewerId="viewer", viewerSessionVersionsLessThanOrEqualTo=version
        )
    assert store.revoked_version(arn, "viewer") == 7
    unknown = refused(ivs.start_viewer_session_revocation, channelArn=UNKNOWN_CHANNEL, viewerId="viewer")
    assert unknown == "ResourceNotFoundException"


def test_a_batch_of_revocations_names_the_channels_it_does_not_know(ivs: Any, store: IvsStore) -> None:
    arn = make_channel(ivs)
    sessions = [{"channelArn": arn, "viewerId": "a"}, {"channelArn": UNKNOWN_CHANNEL, "viewerId": "b"}]
    (error,) = ivs.batch_start_viewer_session_revocation(viewerSessions=sessions)["errors"]
    assert (error["channelArn"], error["viewerId"]) == (UNKNOWN_CHANNEL, "b")
    assert store.revoked_version(arn, "a") == 0


# Tags


def test_tags_are_added_replaced_and_removed_on_every_kind_of_resource(ivs: Any) -> None:
    created = ivs.create_channel(tags={"keep": "1", "change": "1"})
    key_pair = ivs.import_playback_key_pair(publicKeyMaterial=p384_pem())["keyPair"]["arn"]
    others = [created["streamKey"]["arn"], key_pair, make_recording_configuration(ivs)]
    for arn in (created["channel"]["arn"], *others):
        ivs.tag_resource(resourceArn=arn, tags={"change": "2", "drop me": "é=/+@"})
        ivs.untag_resource(resourceArn=arn, tagKeys=["drop me", "absent"])
        assert ivs.list_tags_for_resource(resourceArn=arn)["tags"]["change"] == "2"
    assert ivs.get_channel(arn=created["channel"]["arn"])["channel"]["tags"] == {"keep": "1", "change": "2"}


def test_a_resource_has_fifty_tags_at_most_and_none_of_aws(ivs: Any) -> None:
    arn = make_channel(ivs, tags={str(number): "" for number in range(50)})
    ivs.tag_resource(resourceArn=arn, tags={"0": "changed"})
    assert refused(ivs.tag_resource, resourceArn=arn, tags={"one more": ""}) == "ValidationException"
    assert refused(ivs.tag_resource, resourceArn=arn, tags={"AWS:x": ""}) == "ValidationException"
    assert len(ivs.list_tags_for_resource(resourceArn=arn)["tags"]) == 50
    for call, more in ((ivs.tag_resource, {"tags": {}}), (ivs.untag_resource, {"tagKeys": ["a"]})):
        assert refused(call, resourceArn=UNKNOWN_CHANNEL, **more) == "ResourceNotFoundException"
    assert refused(ivs.list_tags_for_resource, resourceArn=UNKNOWN_CHANNEL) == "ResourceNotFoundException"


# Paging


def test_walking_all_pages_meets_everything_once(ivs: Any, store: IvsStore) -> None:
    arns = [make_channel(ivs, name=f"channel-{number}") for number in range(7)]
    for arn in arns:
        store.stream_begin(arn, started_at=NOON)
    channels = walk(ivs.list_channels, "channels", maxResults=3)
    assert [channel["arn"] for channel in channels] == arns
    streams = walk(ivs.list_streams, "streams", maxResults=2)
    assert [stream["channelArn"] for stream in streams] == arns[::-1]
    pages = ivs.get_paginator("list_channels").paginate(PaginationConfig={"PageSize": 2})
    assert [channel["arn"] for page in pages for channel in page["channels"]] == arns


def test_rows_added_or_deleted_while_paging_move_no_other_row(ivs: Any) -> None:
    arns = [make_channel(ivs) for _ in range(4)]
    page = ivs.list_channels(maxResults=2)
    ivs.delete_channel(arn=arns[0])
    ivs.delete_channel(arn=arns[2])
    added = make_channel(ivs)
    rest = ivs.list_channels(nextToken=page["nextToken"])["channels"]
    assert [channel["arn"] for channel in rest] == [arns[3], added]


def test_a_token_is_good_for_its_own_listing_alone(ivs: Any) -> None:
    for _ in range(2):
        make_channel(ivs, name="same")
    token = ivs.list_channels(maxResults=1)["nextToken"]
    assert refused(ivs.list_channels, nextToken=token, filterByName="same") == "ValidationException"
    assert refused(ivs.list_streams, nextToken=token) == "ValidationException"
    assert len(ivs.list_channels(nextToken=token, maxResults=50)["channels"]) == 1


# Faults


def test_a_fault_fires_as_often_as_set_and_is_then_removed(aws: LocalAws, ivs: Any) -> None:
    aws.ivs.faults += [Fault("CreateChannel", "throttle", times=2), Fault("*", "error500")]
    assert [refused(ivs.create_channel) for _ in range(3)] == [
        "ThrottlingException",
        "ThrottlingException",
        "InternalServerException",
    ]
    assert aws.ivs.faults == []
    assert ivs.list_channels()["channels"] == []


def test_a_dropped_reply_keeps_the_effect_of_the_call(aws: LocalAws, ivs: Any) -> None:
    aws.ivs.faults.append(Fault("CreateChannel", "drop_reply"))
    with pytest.raises(ConnectionClosedError):
        ivs.create_channel(name="orphan")
    assert [channel["name"] for channel in ivs.list_channels()["channels"]] == ["orphan"]
    aws.ivs.faults.append(Fault("GetChannel", "drop_reply"))
    with pytest.raises(ConnectionClosedError):
        ivs.get_channel(arn=UNKNOWN_CHANNEL)


@pytest.mark.parametrize("done", [True, False])
def test_a_call_that_hangs_may_or_may_not_be_done(aws: LocalAws, ivs: Any, done: bool) -> None:
    aws.ivs.faults.append(Fault("CreateChannel", "hang", done=done))
    with pytest.raises(ReadTimeoutError):
        ivs.create_channel()
    assert len(ivs.list_channels()["channels"]) == done


# The hook inside the process


def test_other_urls_and_an_uninstalled_hook_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, socket_enabled: None
) -> None:
    local = LocalAws(tmp_path)
    for name, value in local.environment(BASE_URL).items():
        monkeypatch.setenv(name, value)
    uninstall = install_in_process(local, BASE_URL)
    client = make_client("ivs")
    elsewhere = make_client("ivs", endpoint_url="http://127.0.0.1:9/_local_not/ivs")
    assert client.list_channels()["channels"] == []
    with pytest.raises(EndpointConnectionError):
        elsewhere.list_channels()
    uninstall()
    uninstall()
    with pytest.raises(EndpointConnectionError):
        client.list_channels()
    client.close()
    elsewhere.close()


class EchoS3:
    """Enough of S3 to see what a request looks like when it arrives."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH", 0)))
        self.requests.append({**environ, "body": body})
        start_response("200 OK", [("Content-Type", "text/plain"), ("ETag", '"1"')])
        # botocore takes a text in answer to a PUT for an error.
        return self if environ["REQUEST_METHOD"] == "GET" else []

    def __iter__(self) -> Iterator[bytes]:
        yield from (b"hello ", b"world")

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def s3(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> EchoS3:
    application = EchoS3()
    monkeypatch.setattr(aws, "s3", application)
    return application


def test_the_parts_see_no_mount_and_the_path_as_it_was_sent(s3: EchoS3) -> None:
    make_client("s3").head_object(Bucket="bucket", Key="a b/ü%2Fx")
    (request,) = s3.requests
    assert request["SCRIPT_NAME"] == ""
    assert request["PATH_INFO"].encode("latin-1").decode() == "/bucket/a b/ü%2Fx"
    assert request["HTTP_HOST"] == "127.0.0.1:9"


def test_bodies_arrive_whole_in_every_form_that_boto3_sends(s3: EchoS3, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"from a file")
    client = make_client("s3")
    with (tmp_path / "body").open("rb") as stream:
        client.put_object(Bucket="bucket", Key="key", Body=stream)
    client.put_object(Bucket="bucket", Key="key", Body=b"from bytes")
    assert [request["body"] for request in s3.requests] == [b"from a file", b"from bytes"]


def test_chunks_with_a_checksum_after_them_arrive_as_sent(aws: LocalAws, s3: EchoS3) -> None:
    base_url = "https://127.0.0.1:9/_local"
    uninstall = install_in_process(aws, base_url)
    make_client("s3", endpoint_url=f"{base_url}/s3").put_object(Bucket="bucket", Key="key", Body=io.BytesIO(b"chunk"))
    uninstall()
    (request,) = s3.requests
    assert request["HTTP_X_AMZ_DECODED_CONTENT_LENGTH"] == "5"
    assert "HTTP_TRANSFER_ENCODING" not in request and request["wsgi.url_scheme"] == "https"
    assert request["body"].startswith(b"5\r\nchunk\r\n0\r\nx-amz-checksum-")


def test_a_reply_can_be_read_piece_by_piece_and_is_closed(s3: EchoS3) -> None:
    reply = make_client("s3").get_object(Bucket="bucket", Key="key", Range="bytes=0-10")
    assert s3.requests[0]["HTTP_RANGE"] == "bytes=0-10"
    with reply["Body"] as body:
        assert body.read(5) == b"hello" and body.read() == b" world"
    assert s3.closed == 1


def test_the_media_part_is_reached_by_its_prefix_and_others_are_404(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = EchoS3()
    monkeypatch.setattr(aws, "media", media)
    assert call_raw(aws, "GET", "/media/ivs/v1/master.m3u8", "")[0] == 200
    assert call_raw(aws, "GET", "/media", "")[0] == 200
    assert [request["PATH_INFO"] for request in media.requests] == ["/ivs/v1/master.m3u8", "/"]
    assert call_raw(aws, "GET", "/other", "")[0] == 404


def test_the_s3_and_media_of_the_project_are_mounted(aws: LocalAws) -> None:
    client = make_client("s3")
    client.create_bucket(Bucket="example-recordings", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client.put_object(Bucket="example-recordings", Key="a b/é.txt", Body=b"0123456789")
    reply = client.get_object(Bucket="example-recordings", Key="a b/é.txt", Range="bytes=2-4")
    assert reply["Body"].read() == b"234"
    assert aws.media is aws.media


def test_the_environment_points_every_client_here_and_away_from_the_callers_aws(aws: LocalAws) -> None:
    environment = aws.environment("http://127.0.0.1:8000/_local")
    assert environment["AWS_ENDPOINT_URL_IVS"] == "http://127.0.0.1:8000/_local/ivs"
    assert environment["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:8000/_local/s3"
    assert environment["PLAYBACK_BASE_URL"] == "http://127.0.0.1:8000/_local/media"
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


# Over HTTP


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        """Tests are quiet."""


@pytest.fixture
def over_http(aws: LocalAws, socket_enabled: None) -> Iterator[str]:
    server: WSGIServer = make_server("127.0.0.1", 0, aws, handler_class=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_boto3_reaches_it_over_http(over_http: str, aws: LocalAws) -> None:
    client = make_client("ivs", endpoint_url=f"{over_http}/ivs")
    arn = make_channel(client, name="room", tags={"a/b": "é"})
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == {"a/b": "é"}
    client.untag_resource(resourceArn=arn, tagKeys=["a/b"])
    assert refused(client.get_stream, channelArn=arn) == "ChannelNotBroadcasting"
    client.delete_channel(arn=arn)
    assert refused(client.get_channel, arn=arn) == "ResourceNotFoundException"
    client.close()


def test_a_web_page_cannot_call_it_for_want_of_a_signature(over_http: str) -> None:
    request = urllib.request.Request(f"{over_http}/ivs/CreateChannel", data=b"{}")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as error:
        assert error.status == 403 and json.load(error)["message"] == "Missing Authentication Token"


def test_over_http_a_dropped_reply_closes_the_connection(over_http: str, aws: LocalAws) -> None:
    client = make_client("ivs", endpoint_url=f"{over_http}/ivs")
    aws.ivs.faults.append(Fault("CreateChannel", "drop_reply"))
    with pytest.raises(ConnectionClosedError):
        client.create_channel()
    assert len(client.list_channels()["channels"]) == 1
    client.close()


def test_over_http_a_call_that_hangs_times_out(over_http: str, aws: LocalAws) -> None:
    aws.ivs.hang_seconds = 0.5
    client = make_client("ivs", endpoint_url=f"{over_http}/ivs", config=ONE_TRY.merge(Config(read_timeout=0.1)))
    aws.ivs.faults.append(Fault("ListChannels", "hang"))
    with pytest.raises(ReadTimeoutError):
        client.list_channels()
    client.close()


# The store


def test_state_is_private_and_outlives_the_process(aws: LocalAws, ivs: Any) -> None:
    arn = make_channel(ivs, name="kept")
    path = aws.ivs.store.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    reopened = IvsStore(path)
    with reopened.transaction(write=False) as records:
        assert records.get("channel", arn)["name"] == "kept"


def test_a_failed_transaction_is_undone_and_leaves_no_lock(store: IvsStore) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as records:
        records.insert("channel", {"arn": "same"})
        records.insert("channel", {"arn": "same"})
    with store.transaction() as records:
        assert records.count("channel") == 0


def test_many_threads_make_exactly_the_requested_channels(aws: LocalAws) -> None:
    clients = [make_client("ivs") for _ in range(4)]

    def make_ten(client: Any) -> None:
        for _ in range(10):
            make_channel(client)

    threads = [threading.Thread(target=make_ten, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(walk(clients[0].list_channels, "channels", maxResults=7)) == 40


def run_processes(count: int, code: str, *arguments: str) -> list[str]:
    """Return the output of each of several processes; they begin together, when their standard input closes."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *arguments]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    root = Path(__file__).parents[3]
    processes = [subprocess.Popen(command, cwd=root, **pipes) for _ in range(count)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    return [process.communicate()[0].strip() for process in processes]


def test_of_two_processes_that_create_a_key_at_once_one_wins(aws: LocalAws, ivs: Any) -> None:
    created = ivs.create_channel()
    ivs.delete_stream_key(arn=created["streamKey"]["arn"])
    code = """
        import sys, boto3
        from botocore.exceptions import ClientError
        from pathlib import Path
        from tools.local.aws import LocalAws, install_in_process
        install_in_process(LocalAws(Path(sys.argv[1])))
        client = boto3.client("ivs")
        print("ready", flush=True)
        sys.stdin.read()
        try:
            print(client.create_stream_key(channelArn=sys.argv[2])["streamKey"]["arn"])
        except ClientError as error:
            print(error.response["Error"]["Code"])
    """
    channel_arn = created["channel"]["arn"]
    lost, won = sorted(run_processes(2, code, str(aws.home), channel_arn))
    assert lost == "ServiceQuotaExceededException"
    assert [key["arn"] for key in ivs.list_stream_keys(channelArn=channel_arn)["streamKeys"]] == [won]


def test_processes_that_open_a_new_store_at_once_share_it(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from tools.local.ivs import IvsStore
        print("ready", flush=True)
        sys.stdin.read()
        store = IvsStore(Path(sys.argv[1]))
        for _ in range(5):
            with store.transaction() as records:
                records.insert("channel", {"arn": records.new_arn("channel")})
        print("done")
    """
    path = tmp_path / "new" / "ivs.sqlite3"
    assert run_processes(3, code, str(path)) == ["done"] * 3
    with IvsStore(path).transaction(write=False) as records:
        assert records.count("channel") == 15
