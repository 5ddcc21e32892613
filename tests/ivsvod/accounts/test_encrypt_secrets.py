"""`encrypt_secrets`: the predecessor's plain secrets and those of an old key come under the first key."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from channels_app.models import AuditEntry, Channel
from common.encryption import decrypt, encrypt
from ivsvod import lambda_entry
from ivsvod.accounts.models import Authenticator
from tests.support.helpers import make_account, make_channel
from tests.support.road import command

pytestmark = pytest.mark.django_db

PLAIN = "sk_eu-west-1_plain"
DATA = {
    "Channel": {"Arn": "arn", "Srt": {"Endpoint": "x", "Passphrase": "a passphrase"}},
    "StreamKey": {"Arn": "arn", "Value": PLAIN},
    "ResultMetadata": {},
}


def of_the_predecessor(data: Any = DATA) -> Channel:
    """A channel as the predecessor stores it."""
    channel = make_channel()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ivs_channels SET stream_key = %s, channel_data = %s WHERE uuid = %s",
            [PLAIN, json.dumps(data), channel.pk],
        )
    return channel


def stored(channel: Channel) -> tuple[str, Any]:
    row = Channel.objects.get(pk=channel.pk)
    return row.stream_key, row.channel_data


def test_plain_text_of_the_predecessor_is_encrypted_in_place() -> None:
    channel = of_the_predecessor()

    assert command("encrypt_secrets") == (0, [{"changed": 1, "unreadable": []}])

    stream_key, data = stored(channel)
    secrets = [stream_key, data["StreamKey"]["Value"], data["Channel"]["Srt"]["Passphrase"]]
    assert all(secret.startswith("enc:1:") for secret in secrets)
    assert [decrypt(secret) for secret in secrets] == [PLAIN, PLAIN, "a passphrase"]
    assert PLAIN not in json.dumps(data)
    assert {**data["Channel"], "Srt": None} == {**DATA["Channel"], "Srt": None}


@pytest.mark.parametrize("data", [{}, [], "text", None, 7, {"StreamKey": None}, {"StreamKey": {"Value": None}}])
def test_any_document_is_left_as_it_is_where_it_holds_no_secret(data: Any) -> None:
    channel = of_the_predecessor(data)

    command("encrypt_secrets")

    stream_key, after = stored(channel)
    assert decrypt(stream_key) == PLAIN
    assert after == data


def test_again_it_changes_nothing() -> None:
    channel = of_the_predecessor()
    command("encrypt_secrets")
    before = stored(channel)

    assert command("encrypt_secrets") == (0, [{"changed": 0, "unreadable": []}])

    assert stored(channel) == before


def test_an_old_key_can_be_taken_out_afterwards(settings: Any) -> None:
    old, new = settings.FIELD_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    channel = make_channel(stream_key="sk_1")
    phone = Authenticator.objects.create(user=make_account("read"), name="phone", secret="ABC")

    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert command("encrypt_secrets")[1] == [{"changed": 2, "unreadable": []}]
    settings.FIELD_ENCRYPTION_KEYS = [new]

    assert Channel.objects.get(pk=channel.pk).reveal_stream_key() == "sk_1"
    assert decrypt(Authenticator.objects.get(pk=phone.pk).secret) == "ABC"


def test_in_the_documented_rotation_processes_of_two_steps_read_each_others_secrets(settings: Any) -> None:
    keys = {"OLD": settings.FIELD_ENCRYPTION_KEYS[0], "NEW": Fernet.generate_key().decode()}
    documented = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
    (row,) = [line for line in documented.splitlines() if line.startswith("| `FIELD_ENCRYPTION_KEYS` |")]
    steps = ["OLD", *re.findall(r"`((?:OLD|NEW)(?:,(?:OLD|NEW))*)`", row)]
    assert steps[-1] == "NEW"

    def set_keys(step: str) -> None:
        settings.FIELD_ENCRYPTION_KEYS = [keys[name] for name in step.split(",")]

    for before, after in pairwise(steps):
        if after == "NEW":
            command("encrypt_secrets")
        for writer, reader in ((before, after), (after, before)):
            set_keys(writer)
            channel = make_channel(stream_key=f"sk_{writer}", arn=f"{writer} {reader}")
            set_keys(reader)
            assert Channel.objects.get(pk=channel.pk).reveal_stream_key() == f"sk_{writer}"
        set_keys(after)
    assert all(channel.reveal_stream_key() for channel in Channel.objects.all())


def test_a_secret_that_no_key_opens_is_reported_and_kept_and_the_others_are_encrypted(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS, kept = [Fernet.generate_key().decode()], settings.FIELD_ENCRYPTION_KEYS
    lost = make_channel(stream_key="sk_lost")
    settings.FIELD_ENCRYPTION_KEYS = kept
    before = stored(lost)
    other = of_the_predecessor()

    assert command("encrypt_secrets") == (1, [{"changed": 1, "unreadable": [str(lost.pk)]}])

    assert stored(lost) == before
    assert stored(other)[0].startswith("enc:1:")


def test_the_audit_log_says_that_it_was_so_and_holds_no_secret() -> None:
    of_the_predecessor()
    AuditEntry.objects.all().delete()

    command("encrypt_secrets")

    audited_changes = json.dumps(list(AuditEntry.objects.values_list("changes", flat=True)))
    assert PLAIN not in audited_changes
    assert "a passphrase" not in audited_changes
    assert "enc:1:" not in audited_changes


def test_more_channels_than_a_batch_are_all_encrypted() -> None:
    for number in range(103):
        make_channel(arn=f"arn:{number}")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ivs_channels SET stream_key = 'plain'")

    assert command("encrypt_secrets")[1] == [{"changed": 103, "unreadable": []}]

    assert not Channel.objects.exclude(stream_key__startswith="enc:1:").exists()


def test_it_may_be_run_on_lambda() -> None:
    assert "encrypt_secrets" in lambda_entry.ALLOWED_COMMANDS


def test_a_new_secret_is_under_the_first_key_from_the_beginning() -> None:
    assert decrypt(encrypt("x")) == "x"
    channel = make_channel(stream_key="sk_2")
    before = stored(channel)
    command("encrypt_secrets")
    assert stored(channel) == before
