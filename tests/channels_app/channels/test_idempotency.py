"""`Idempotency-Key` of `POST /channels`: sent twice, at once or after a crash, it makes one channel."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from channels_app.channels import idempotency
from channels_app.channels.provisioning import STILL_CREATING
from channels_app.models import Channel, IdempotencyKey
from common import aws as aws_door
from common.aws.clients import RETRIED
from common.aws.clients import client as ivs_client
from tests.support.helpers import OWNER, assert_error, bearer, ivs, make_token
from tools.local.aws import LocalAws
from tools.local.ivs.errors import Fault

BODY = {"name": "Morning show", "userId": str(OWNER)}


@pytest.fixture
def post(api_key: str) -> Callable[..., Any]:
    """`POST /channels` with a key, by the shared key or another credential."""

    def send(key: str = "k-1", *, by: str = api_key, body: Any = None, **values: Any) -> Any:
        content = json.dumps(body or {**BODY, **values})
        headers = {**bearer(by), "Idempotency-Key": key}
        return Client(raise_request_exception=False).generic(
            "POST", "/channels", content, "application/json", headers=headers
        )

    return send


def ivs_uuids() -> list[str]:
    """The names of the channels that IVS has: the uuids of their rows."""
    return [item["name"] for item in ivs().list_channels()["channels"]]


def pass_a_minute() -> None:
    """As if the time of a claim, and that of a creation that is under way, had gone by."""
    IdempotencyKey.objects.update(claimed_until=timezone.now())
    Channel.objects.update(created_at=timezone.now() - STILL_CREATING)


@pytest.mark.django_db
def test_the_same_key_and_body_give_the_same_channel_and_answer(aws: LocalAws, post: Callable[..., Any]) -> None:
    first, second = post(), post()
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert second.json()["streamKey"].startswith("sk_")
    assert "no-store" in second["Cache-Control"]
    assert ivs_uuids() == [first.json()["uuid"]]


@pytest.mark.django_db
def test_the_answer_is_rebuilt_from_the_row_and_never_stored(aws: LocalAws, post: Callable[..., Any]) -> None:
    key = post().json()["streamKey"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(k)::text FROM channels_app_idempotencykey k")
        ((row,),) = cursor.fetchall()
    assert key not in row
    assert "Morning show" not in row
    Channel.objects.update(name="Evening show")
    assert post().json()["name"] == "Evening show"


@pytest.mark.django_db
def test_another_body_is_a_422_and_makes_nothing(aws: LocalAws, post: Callable[..., Any]) -> None:
    post()
    for values in ({"name": "x"}, {"type": "BASIC"}, {"userId": OWNER.hex}):
        assert_error(post(**values), 422, "idempotency_key_reused")
    assert Channel.objects.count() == len(ivs_uuids()) == 1


@pytest.mark.django_db
def test_the_order_of_the_fields_and_white_space_make_no_other_body(aws: LocalAws, post: Callable[..., Any]) -> None:
    assert post().json()["uuid"] == post(body=dict(reversed(BODY.items()))).json()["uuid"]


@pytest.mark.django_db
def test_a_key_is_that_of_its_caller(aws: LocalAws, post: Callable[..., Any]) -> None:
    one, other = make_token("channels")[1], make_token("channels")[1]
    uuids = {post().json()["uuid"], post(by=one).json()["uuid"], post(by=other).json()["uuid"]}
    assert len(uuids) == 3
    assert post(by=one).json()["uuid"] in uuids
    # Two tokens of one account are one caller.
    account = "studio"
    first, second = (make_token("channels", account=account)[1] for _ in range(2))
    assert post(by=first).json() == post(by=second).json()


@pytest.mark.django_db
def test_a_malformed_key_is_a_400_that_names_it(post: Callable[..., Any]) -> None:
    for key in ("", "a" * 256, "tab\there", "\x7f", "é"):
        response = post(key)
        assert response.status_code == 400, key
        assert response.json()["fields"]["Idempotency-Key"], key
    assert not Channel.objects.exists()


@pytest.mark.django_db
def test_a_key_is_any_text_to_255_characters(aws: LocalAws, post: Callable[..., Any]) -> None:
    for key in ("a" * 255, "k 1", '"quoted"', "%00"):
        assert post(key).json()["uuid"] == post(key).json()["uuid"], key


@pytest.mark.django_db
def test_a_refused_body_takes_no_key(aws: LocalAws, post: Callable[..., Any]) -> None:
    assert post(userId="x").status_code == 400
    assert post().status_code == 200


@pytest.mark.django_db
def test_a_key_is_honoured_for_24_hours(aws: LocalAws, post: Callable[..., Any]) -> None:
    first = post().json()["uuid"]
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert post().json()["uuid"] == first
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24))
    assert post(name="Another").json()["uuid"] != first
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.django_db
def test_old_keys_are_removed_by_later_requests(aws: LocalAws, post: Callable[..., Any]) -> None:
    post("old")
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(days=2))
    post("new")
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["new"]
    assert Channel.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["throttle", "error500"])
def test_a_failed_creation_frees_its_key(aws: LocalAws, post: Callable[..., Any], kind: Any) -> None:
    aws.ivs.faults.append(Fault("CreateChannel", kind))
    assert post().status_code == 503
    assert not IdempotencyKey.objects.exists()
    assert post(name="Another").status_code == 200
    assert Channel.objects.count() == len(ivs_uuids()) == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("one_try")
def test_a_lost_reply_that_could_not_be_looked_up_is_settled_by_the_repetition(
    aws: LocalAws, post: Callable[..., Any]
) -> None:
    aws.ivs.faults += [Fault("CreateChannel", "drop_reply"), Fault("ListChannels", "error500", times=3)]
    assert_error(post(), 503, "channel_unfinished")
    answer = post()
    assert answer.status_code == 200, answer.content
    assert ivs_uuids() == [answer.json()["uuid"]] == [str(channel.pk) for channel in Channel.objects.all()]
    assert answer.json()["streamKey"].startswith("sk_")


@pytest.mark.django_db
@pytest.mark.parametrize("comes", [True, False], ids=["late", "never"])
def test_a_create_that_hung_makes_one_channel_whether_ivs_finishes_it_late_or_never(
    aws: LocalAws, post: Callable[..., Any], comes: bool
) -> None:
    aws.ivs.faults.append(Fault("CreateChannel", "hang", done=False))
    assert_error(hung := post(), 503, "channel_unfinished")
    assert hung["Retry-After"].isdigit()
    (left,) = Channel.objects.values_list("pk", flat=True)
    assert_error(early := post(), 409, "idempotency_key_in_flight")
    # IVS may make it until a minute after the request that hung.
    assert 1 < int(early["Retry-After"]) <= STILL_CREATING.total_seconds()
    assert ivs_uuids() == []
    if comes:
        ivs().create_channel(name=str(left))
    else:
        pass_a_minute()
    answer = post()
    assert answer.status_code == 200, answer.content
    assert ivs_uuids() == [answer.json()["uuid"]] == [str(pk) for pk in Channel.objects.values_list("pk", flat=True)]
    assert (UUID(answer.json()["uuid"]) == left) is comes
    assert answer.json()["streamKey"].startswith("sk_")


@pytest.mark.django_db
def test_a_claim_outlasts_the_slowest_creation(aws: LocalAws, post: Callable[..., Any]) -> None:
    """One call that is not answered, and look-ups of which each is tried three times."""
    client = ivs_client("ivs", RETRIED)
    waits = client.meta.config.connect_timeout + client.meta.config.read_timeout
    assert timedelta(seconds=waits * (1 + client.meta.config.retries["total_max_attempts"])) < idempotency.CLAIM


class _CrashError(BaseException):
    """The process dies here, as far as any handler knows."""


@pytest.mark.django_db
@pytest.mark.parametrize("moment", ["before the call", "after the call"])
def test_a_crash_is_finished_or_undone_by_the_repetition(
    aws: LocalAws, post: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    create = aws_door.channel_create

    def crash(**values: Any) -> None:
        if moment == "after the call":
            create(**values)
        raise _CrashError

    with monkeypatch.context() as dying:
        dying.setattr(aws_door, "channel_create", crash)
        dying.setattr(idempotency, "_release", lambda channel: None)
        with pytest.raises(_CrashError):
            post()
    (left,) = Channel.objects.values_list("pk", flat=True)
    # Nobody can tell yet whether that request still runs: the answer names the seconds until its claim ends.
    for seconds in (600, 30):
        IdempotencyKey.objects.update(claimed_until=timezone.now() + timedelta(seconds=seconds))
        refused = post()
        assert_error(refused, 409, "idempotency_key_in_flight")
        assert seconds / 2 < int(refused["Retry-After"]) <= seconds
    pass_a_minute()
    answer = post()
    assert answer.status_code == 200, answer.content
    assert ivs_uuids() == [answer.json()["uuid"]]
    assert (UUID(answer.json()["uuid"]) == left) is (moment == "after the call")
    assert list(Channel.objects.values_list("status", flat=True)) == ["ready"]
    assert post().json() == answer.json()


@pytest.mark.django_db(transaction=True)
def test_while_its_twin_is_in_flight_a_request_is_a_409_that_says_when_to_come_back(
    aws: LocalAws, post: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    create = aws_door.channel_create
    begun, may_end = threading.Event(), threading.Event()

    def slow(**values: Any) -> Any:
        begun.set()
        assert may_end.wait(30)
        return create(**values)

    monkeypatch.setattr(aws_door, "channel_create", slow)
    answers: list[Any] = []
    twin = threading.Thread(target=lambda: (answers.append(post()), connection.close()))
    twin.start()
    try:
        assert begun.wait(30)
        refused = post()
        other = post(name="x")
    finally:
        may_end.set()
        twin.join(30)
    assert_error(refused, 409, "idempotency_key_in_flight")
    assert refused["Retry-After"].isdigit()
    assert_error(other, 422, "idempotency_key_reused")
    assert answers[0].status_code == 200
    assert post().json() == answers[0].json()
    assert Channel.objects.count() == len(ivs_uuids()) == 1


@pytest.mark.django_db(transaction=True)
def test_simultaneous_posts_make_one_channel(aws: LocalAws, post: Callable[..., Any]) -> None:
    for key, faults in (("well", []), ("lost reply", [Fault("CreateChannel", "drop_reply")])):
        aws.ivs.faults += faults
        made = at_once(post, key)
        assert len(made) == 1, key
        assert made <= set(ivs_uuids()), key
    assert Channel.objects.count() == IdempotencyKey.objects.count() == len(ivs_uuids()) == 2


def at_once(post: Callable[..., Any], key: str) -> set[str]:
    """Post five times in the same moment; return the channels that the answers name."""
    gate, answers = threading.Barrier(5), []

    def send() -> None:
        try:
            gate.wait(30)
            answers.append(post(key))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == 5
    assert {answer.status_code for answer in answers} <= {200, 409}
    return {answer.json()["uuid"] for answer in answers if answer.status_code == 200}


@pytest.mark.django_db
def test_a_repeated_key_of_a_deleted_channel_is_a_409_and_makes_no_other(
    aws: LocalAws, post: Callable[..., Any], api_key: str
) -> None:
    uuid = post().json()["uuid"]
    Client().delete(f"/channels/{uuid}", headers=bearer(api_key))
    assert_error(post(), 409, "channel_deleted")
    assert_error(post(name="x"), 422, "idempotency_key_reused")
    assert (ivs_uuids(), Channel.objects.count()) == ([], 1)
