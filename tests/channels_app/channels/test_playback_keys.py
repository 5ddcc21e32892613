"""The key pairs of playback tokens in IVS: imported, listed, deleted and rotated by commands."""

import io
import json
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command
from moto import mock_aws

from channels_app.channels.viewer_tokens import ViewerClaims, playback_url_with_token, viewer_token
from common import aws as aws_door
from common.aws import AwsError, AwsErrorKind
from common.aws.secrets import secrets_forget
from ivsvod import lambda_entry
from tests.support.private_playback import (
    make_key,
    private_channel_of,
    private_pem,
    public_pem,
    refusal,
    use_playback_key,
)
from tests.support.road import invoke
from tools.local import launch
from tools.local.aws import LocalAws
from tools.local.ivs import Fault

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
UNKNOWN = "arn:aws:ivs:eu-west-1:111122223333:playback-key/AjIhKtJ0RlgL"


@pytest.fixture
def run(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[dict[str, Any]]]:
    """Runs a command; its lines. No private key is in what it writes, logs or raises."""
    caplog.set_level("DEBUG")

    def command(*arguments: str) -> list[dict[str, Any]]:
        stdout, refused = io.StringIO(), ""
        try:
            call_command(*arguments, stdout=stdout)
        except CommandError as error:
            refused = str(error)
            raise
        finally:
            assert "PRIVATE" not in stdout.getvalue() + refused + caplog.text + "".join(capsys.readouterr())
        return [json.loads(line) for line in stdout.getvalue().splitlines()]

    return command


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[str], str]:
    """Keeps a text in a file; the reference to it."""

    def keep(text: str) -> str:
        path = tmp_path / "kept.pem"
        path.write_text(text)
        return f"file:{path}"

    return keep


def imported(aws: LocalAws) -> list[dict[str, Any]]:
    return aws.ivs.call("ListPlaybackKeyPairs")["keyPairs"]


# Importing


def test_a_new_key_goes_to_a_private_file_and_its_public_half_to_ivs(
    aws: LocalAws, run: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "new.pem"
    [printed] = run("import_playback_key", "--new-key", str(file))
    [key_pair] = imported(aws)
    assert printed.keys() == {"arn", "name", "fingerprint"}
    assert (printed["arn"], printed["name"]) == (key_pair["arn"], "ivsvod")
    assert aws.ivs.call("GetPlaybackKeyPair", arn=printed["arn"])["keyPair"]["fingerprint"] == printed["fingerprint"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    channel = private_channel_of(aws)
    claims = ViewerClaims(channel_arn=channel["arn"])
    token = viewer_token(claims, private_key=file.read_text(), at=NOON, ttl=timedelta(hours=1))
    assert refusal(aws, playback_url_with_token(channel["playbackUrl"], token.value), NOON) == ""


@pytest.mark.parametrize("form", [public_pem, private_pem, lambda key: private_pem(key).replace("\n", "\\n")])
def test_the_public_half_of_a_given_key_is_imported(
    aws: LocalAws, run: Callable[..., Any], kept: Callable[[str], str], form: Callable[[Any], str]
) -> None:
    key = make_key()
    [printed] = run("import_playback_key", "--key-from", kept(form(key)), "--name", "spring-2026")
    assert printed["name"] == "spring-2026"
    with aws.ivs.store.transaction() as records:
        [(_, stored)] = records.select("playback-key")
    assert stored["publicKeyMaterial"] == public_pem(key)


def test_a_file_that_exists_is_not_written_over(aws: LocalAws, run: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "old.pem"
    file.write_text("old")
    for path in (file, tmp_path / "nowhere" / "new.pem"):
        with pytest.raises(CommandError, match="--new-key"):
            run("import_playback_key", "--new-key", str(path))
    assert file.read_text() == "old"
    assert imported(aws) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no key",
        "-----BEGIN PRIVATE KEY-----\nno key\n-----END PRIVATE KEY-----\n",
        private_pem(ec.generate_private_key(ec.SECP256R1())),
        public_pem(ec.generate_private_key(ec.SECP256R1())),
    ],
    ids=["empty", "text", "no key in it", "another curve", "public"],
)
def test_other_texts_are_not_imported(
    aws: LocalAws, run: Callable[..., Any], kept: Callable[[str], str], text: str
) -> None:
    with pytest.raises(CommandError, match="--key-from: not a"):
        run("import_playback_key", "--key-from", kept(text))
    assert imported(aws) == []


def test_a_key_in_the_place_of_a_reference_is_not_repeated(aws: LocalAws, run: Callable[..., Any]) -> None:
    with pytest.raises(CommandError, match="--key-from"):
        run("import_playback_key", "--key-from", private_pem(make_key()))


def test_a_refusal_of_ivs_leaves_no_file(aws: LocalAws, run: Callable[..., Any], tmp_path: Path) -> None:
    for _ in range(3):
        aws.ivs.call("ImportPlaybackKeyPair", publicKeyMaterial=public_pem(make_key()))
    file = tmp_path / "fourth.pem"
    with pytest.raises(CommandError, match="quota"):
        run("import_playback_key", "--new-key", str(file))
    assert not file.exists()


def test_the_file_stays_where_ivs_may_have_the_public_half(
    aws: LocalAws, run: Callable[..., Any], asked: Any, tmp_path: Path
) -> None:
    aws.ivs.faults.append(Fault("ImportPlaybackKeyPair", "drop_reply"))
    file = tmp_path / "new.pem"
    with pytest.raises(CommandError, match="unavailable"):
        run("import_playback_key", "--new-key", str(file))
    assert file.exists()
    assert len(imported(aws)) == 1
    assert asked.count("ImportPlaybackKeyPair") == 1


def test_a_key_is_imported_once(aws: LocalAws, run: Callable[..., Any], kept: Callable[[str], str]) -> None:
    reference = kept(public_pem(make_key()))
    run("import_playback_key", "--key-from", reference)
    with pytest.raises(CommandError, match="conflict"):
        run("import_playback_key", "--key-from", reference)


# Listing and deleting


def test_the_list_marks_the_key_in_use(aws: LocalAws, settings: Any, run: Callable[..., Any]) -> None:
    assert run("playback_keys") == []
    aws.ivs.call("ImportPlaybackKeyPair", publicKeyMaterial=public_pem(make_key()), name="old")
    use_playback_key(aws, settings)
    assert run("playback_keys") == [
        {"arn": key["arn"], "name": key["name"], "in_use": key["arn"] == settings.IVS_PLAYBACK_KEY_ARN}
        for key in imported(aws)
    ]


def test_only_a_key_that_exists_and_is_not_in_use_is_deleted(
    aws: LocalAws, settings: Any, run: Callable[..., Any]
) -> None:
    old = aws.ivs.call("ImportPlaybackKeyPair", publicKeyMaterial=public_pem(make_key()))["keyPair"]["arn"]
    use_playback_key(aws, settings)
    for arn, reason in ((settings.IVS_PLAYBACK_KEY_ARN, "IVS_PLAYBACK_KEY_ARN"), (UNKNOWN, "no key pair"), ("", "no")):
        with pytest.raises(CommandError, match=reason):
            run("playback_keys", "--delete", arn)
    assert len(imported(aws)) == 2
    assert run("playback_keys", "--delete", old) == [{"arn": old, "deleted": True}]
    assert [key["arn"] for key in imported(aws)] == [settings.IVS_PLAYBACK_KEY_ARN]


def test_an_ivs_that_is_away_is_one_line(aws: LocalAws, run: Callable[..., Any], one_try: None) -> None:
    aws.ivs.faults.append(Fault("ListPlaybackKeyPairs", "error500", times=9))
    with pytest.raises(CommandError, match=r"ListPlaybackKeyPairs of all keys: .*unavailable"):
        run("playback_keys")


# The calls


def test_a_lost_reply_to_a_deletion_or_revocation_is_asked_for_again(aws: LocalAws, one_try: None) -> None:
    arn = aws.ivs.call("ImportPlaybackKeyPair", publicKeyMaterial=public_pem(make_key()))["keyPair"]["arn"]
    channel = private_channel_of(aws)["arn"]
    for operation in ("DeletePlaybackKeyPair", "StartViewerSessionRevocation"):
        aws.ivs.faults.append(Fault(operation, "drop_reply"))
    aws_door.playback_key_delete(arn=arn)
    aws_door.viewer_sessions_revoke(channel_arn=channel, viewer_id="viewer-7", version=7)
    assert imported(aws) == []
    assert aws.ivs.store.revoked_version(channel, "viewer-7") == 7


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"channel_arn": UNKNOWN.replace("playback-key", "channel")}, AwsErrorKind.NOT_FOUND),
        ({"viewer_id": "x" * 41}, AwsErrorKind.INVALID),
    ],
)
def test_a_revocation_that_ivs_refuses_has_its_kind(aws: LocalAws, change: dict[str, Any], kind: AwsErrorKind) -> None:
    values = {"channel_arn": private_channel_of(aws)["arn"], "viewer_id": "viewer-7", "version": 0, **change}
    with pytest.raises(AwsError) as refused:
        aws_door.viewer_sessions_revoke(**values)
    assert refused.value.kind is kind


# Rotation


def test_tokens_of_the_old_key_play_until_it_is_deleted(
    aws: LocalAws, settings: Any, run: Callable[..., Any], tmp_path: Path
) -> None:
    channel = private_channel_of(aws)

    def url() -> str:
        claims = ViewerClaims(channel_arn=channel["arn"], viewer_id="viewer-7")
        key = settings.IVS_PLAYBACK_PRIVATE_KEY
        token = viewer_token(claims, private_key=key, at=NOON, ttl=timedelta(minutes=10))
        return playback_url_with_token(channel["playbackUrl"], token.value)

    use_playback_key(aws, settings)
    old, by_old = settings.IVS_PLAYBACK_KEY_ARN, url()
    [new] = run("import_playback_key", "--new-key", str(tmp_path / "new.pem"))
    assert refusal(aws, by_old, NOON) == ""
    settings.IVS_PLAYBACK_KEY_ARN = new["arn"]
    settings.IVS_PLAYBACK_PRIVATE_KEY = (tmp_path / "new.pem").read_text()
    by_new = url()
    assert [refusal(aws, each, NOON) for each in (by_old, by_new)] == ["", ""]
    run("playback_keys", "--delete", old)
    assert [refusal(aws, each, NOON) for each in (by_old, by_new)] == ["signed by no imported key", ""]


# On Lambda


@pytest.fixture
def secrets() -> Iterator[Any]:
    with mock_aws():
        yield boto3.session.Session().client("secretsmanager")
    secrets_forget()


@pytest.mark.django_db(transaction=True)
def test_the_function_imports_a_key_that_stands_in_a_secret(aws: LocalAws, settings: Any, secrets: Any) -> None:
    settings.ON_LAMBDA = True
    arn = secrets.create_secret(Name="playback", SecretString=private_pem(make_key()))["ARN"]
    assert invoke({"manage": f"import_playback_key --key-from {arn}"}) == {}
    [key_pair] = imported(aws)
    assert invoke({"manage": f"playback_keys --delete {key_pair['arn']}"}) == {}
    assert imported(aws) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("source", ["--new-key /tmp/new.pem", "--key-from file:/tmp/new.pem"])
def test_the_function_has_no_files_for_keys(aws: LocalAws, settings: Any, source: str) -> None:
    settings.ON_LAMBDA = True
    with pytest.raises(CommandError, match="Lambda"):
        invoke({"manage": f"import_playback_key {source}"})
    assert {"import_playback_key", "playback_keys"} <= lambda_entry.ALLOWED_COMMANDS
    assert imported(aws) == []


# On the local stack


def test_the_local_stack_makes_one_key_in_a_home_and_imports_it_once(tmp_path: Path) -> None:
    local = LocalAws(tmp_path)
    variables = launch.playback_key(local, tmp_path)
    file = tmp_path / "playback-key.pem"
    assert variables == {"IVS_PLAYBACK_KEY_ARN": imported(local)[0]["arn"], "IVS_PLAYBACK_PRIVATE_KEY": f"file:{file}"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert launch.playback_key(local, tmp_path) == variables
    local.ivs.call("ImportPlaybackKeyPair", publicKeyMaterial=public_pem(make_key()))
    assert launch.playback_key(local, tmp_path) == variables
    local.ivs.call("DeletePlaybackKeyPair", arn=variables["IVS_PLAYBACK_KEY_ARN"])
    assert launch.playback_key(local, tmp_path)["IVS_PLAYBACK_KEY_ARN"] == imported(local)[1]["arn"]
