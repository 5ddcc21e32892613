"""Playback tokens of private channels: their form, their claims, and whom the local IVS lets in with them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from channels_app.channels.viewer_tokens import (
    ViewerClaims,
    ViewerToken,
    playback_url_with_token,
    viewer_token,
)
from common import aws as aws_door
from tests.support.private_playback import (
    make_key,
    private_channel_of,
    private_pem,
    public_pem,
    refusal,
    verified,
)
from tools.local.aws import LocalAws

ARN = "arn:aws:ivs:eu-west-1:111122223333:channel/AjIhKtJ0RlgL"
KEY = make_key()
NOON = datetime(2026, 3, 4, 12, 0, 0, 900_000, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ONCE = UUID("6f9c9a4e-5e4b-4c0e-8d4b-2b8b2f5a7f10")
PLAYER = "https://player.example.com"


def mint(claims: ViewerClaims, *, key: Any = KEY, at: datetime = NOON, ttl: timedelta = HOUR) -> ViewerToken:
    return viewer_token(claims, private_key=private_pem(key), at=at, ttl=ttl)


# The token


def test_a_token_has_the_channel_and_whole_seconds_alone_and_is_signed_as_jose_does() -> None:
    token = mint(ViewerClaims(channel_arn=ARN))
    expires = datetime(2026, 3, 4, 13, tzinfo=UTC)
    assert verified(token.value, KEY) == {"aws:channel-arn": ARN, "exp": int(expires.timestamp())}
    assert token.expires_at == expires
    # As long as AWS says of such tokens.
    assert len(token.value) < 350


def test_all_claims_have_the_names_and_types_of_ivs() -> None:
    claims = ViewerClaims(
        channel_arn=ARN,
        viewer_id="viewer-7",
        session_version=2**63 - 1,
        allowed_origins=(PLAYER, "https://*.example.org"),
        single_use=ONCE,
        maximum_resolution="FULL_HD",
    )
    found = verified(mint(claims, ttl=MINUTE).value, KEY)
    assert found == {
        "aws:channel-arn": ARN,
        "exp": int(NOON.timestamp()) + 60,
        "aws:viewer-id": "viewer-7",
        "aws:viewer-session-version": 2**63 - 1,
        "aws:access-control-allow-origin": f"{PLAYER},https://*.example.org",
        "aws:single-use-uuid": str(ONCE),
        "aws:maximum-resolution": "FULL_HD",
    }


@given(
    viewer_id=st.text(max_size=40).filter(lambda text: text.isprintable()),
    version=st.integers(0, 2**63 - 1),
    single_use=st.none() | st.uuids(),
    seconds=st.integers(1, 86_400),
    microseconds=st.integers(0, 999_999),
)
def test_every_token_verifies_and_none_with_a_name_outlives_ten_minutes(
    viewer_id: str, version: int, single_use: UUID | None, seconds: int, microseconds: int
) -> None:
    at = NOON.replace(microsecond=microseconds)
    claims = ViewerClaims(
        channel_arn=ARN, viewer_id=viewer_id, session_version=version if viewer_id else 0, single_use=single_use
    )
    token = mint(claims, at=at, ttl=timedelta(seconds=seconds))
    found = verified(token.value, KEY)
    life = min(seconds, 600) if viewer_id or single_use else seconds
    assert found["exp"] == int(at.timestamp()) + life
    assert token.expires_at == datetime.fromtimestamp(found["exp"], UTC)
    assert found.get("aws:viewer-id", "") == viewer_id


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"channel_arn": ""}, "channel_arn"),
        ({"viewer_id": "x" * 41}, "viewer_id"),
        ({"viewer_id": "x", "session_version": 2**63}, "session_version"),
        ({"viewer_id": "x", "session_version": -1}, "session_version"),
        ({"session_version": 1}, "session_version"),
        ({"allowed_origins": ("",)}, "allowed_origins"),
        ({"allowed_origins": (f"{PLAYER},https://evil.example",)}, "allowed_origins"),
        ({"allowed_origins": (f"{PLAYER} ",)}, "allowed_origins"),
        ({"maximum_resolution": "4K"}, "maximum_resolution"),
    ],
)
def test_claims_that_ivs_refuses_are_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        replace(ViewerClaims(channel_arn=ARN), **changes)


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(seconds=-1), timedelta(milliseconds=999)])
def test_a_token_lives_for_a_second_at_least(ttl: timedelta) -> None:
    with pytest.raises(ValueError, match="ttl"):
        mint(ViewerClaims(channel_arn=ARN), ttl=ttl)


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(public_exponent=65537, key_size=2048)]
)
def test_other_keys_sign_nothing_and_are_not_quoted(key: Any) -> None:
    with pytest.raises(ValueError, match="P-384") as error:
        mint(ViewerClaims(channel_arn=ARN), key=key)
    assert "BEGIN" not in str(error.value)


def test_neither_token_nor_key_is_in_what_python_shows() -> None:
    token = mint(ViewerClaims(channel_arn=ARN, viewer_id="viewer-7"))
    assert token.value not in repr(token) + str(token)
    with pytest.raises(ValueError, match="PEM") as error:
        viewer_token(ViewerClaims(channel_arn=ARN), private_key="S3cr3t", at=NOON, ttl=HOUR)
    assert "S3cr3t" not in f"{error.value!r}"


def test_minting_makes_no_network_call(aws: LocalAws, asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", None)
    mint(ViewerClaims(channel_arn=ARN, viewer_id="viewer-7"))
    assert asked.calls == []


# The URL


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://p.example/a.m3u8", "https://p.example/a.m3u8?token=T"),
        ("https://p.example/a.m3u8?", "https://p.example/a.m3u8?token=T"),
        ("https://p.example/a.m3u8?x=%2F+1&y", "https://p.example/a.m3u8?x=%2F+1&y&token=T"),
        ("https://p.example/a.m3u8?token=old&x=1#top", "https://p.example/a.m3u8?x=1&token=T#top"),
    ],
)
def test_the_token_is_one_parameter_of_the_url(url: str, expected: str) -> None:
    assert playback_url_with_token(url, "T") == expected


# Whom IVS lets in


@pytest.fixture
def channel(aws: LocalAws) -> dict[str, Any]:
    """A private channel, in an account that knows KEY."""
    aws.ivs.call("ImportPlaybackKeyPair", publicKeyMaterial=public_pem(KEY))
    return private_channel_of(aws)


@pytest.fixture
def outcome(aws: LocalAws, channel: dict[str, Any]) -> Callable[..., str]:
    """Asks IVS for the channel's playlist with a token of these claims; empty where it plays."""

    def ask(at: datetime = NOON, origin: str = "", ttl: timedelta = HOUR, key: Any = KEY, **claims: Any) -> str:
        token = mint(ViewerClaims(**{"channel_arn": channel["arn"], **claims}), key=key, ttl=ttl)
        return refusal(aws, playback_url_with_token(channel["playbackUrl"], token.value), at, origin)

    return ask


def test_a_token_plays_its_channel_until_it_expires(outcome: Callable[..., str]) -> None:
    assert outcome() == ""
    assert outcome(at=NOON + HOUR - timedelta(seconds=1)) == ""
    assert outcome(at=NOON + HOUR) == "expired"
    assert outcome(channel_arn=ARN) == "another channel"
    assert outcome(key=make_key()) == "signed by no imported key"


def test_a_named_viewer_gets_in_for_ten_minutes_whatever_was_asked_for(outcome: Callable[..., str]) -> None:
    assert outcome(viewer_id="viewer-7", ttl=timedelta(days=1)) == ""
    assert outcome(viewer_id="viewer-7", ttl=timedelta(days=1), at=NOON + 11 * MINUTE) == "expired"


def test_a_token_for_single_use_plays_once(aws: LocalAws, outcome: Callable[..., str]) -> None:
    assert outcome(single_use=ONCE, channel_arn=ARN) == "another channel"
    assert outcome(single_use=ONCE) == ""
    assert outcome(single_use=ONCE) == "used before"
    assert outcome() == ""


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("", ""),
        (PLAYER, ""),
        ("https://a.example.org", ""),
        ("https://example.org", "another origin"),
        ("https://a.example.org.evil.example", "another origin"),
        ("https://evil.example/a.example.org", "another origin"),
        ("http://player.example.com", "another origin"),
    ],
)
def test_browsers_play_on_the_allowed_origins_alone(outcome: Callable[..., str], origin: str, expected: str) -> None:
    assert outcome(origin=origin, allowed_origins=(PLAYER, "https://*.example.org")) == expected


def test_a_revocation_ends_the_sessions_up_to_its_version_of_that_viewer_alone(
    channel: dict[str, Any], outcome: Callable[..., str]
) -> None:
    version = int(NOON.timestamp())
    aws_door.viewer_sessions_revoke(channel_arn=channel["arn"], viewer_id="viewer-7", version=version)
    assert outcome(viewer_id="viewer-7", session_version=version) == "revoked"
    assert outcome(viewer_id="viewer-7") == "revoked"
    assert outcome(viewer_id="viewer-7", session_version=version + 1) == ""
    assert outcome(viewer_id="viewer-8", session_version=version) == ""
    assert outcome() == ""


def test_no_changed_token_gets_in(aws: LocalAws, channel: dict[str, Any]) -> None:
    token = mint(ViewerClaims(channel_arn=channel["arn"], viewer_id="viewer-7")).value
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place, letter in enumerate(token):
        other = letters[(letters.find(letter) + 1) % 64]
        changed = token[:place] + other + token[place + 1 :]
        assert refusal(aws, playback_url_with_token(channel["playbackUrl"], changed), NOON), place
    assert refusal(aws, playback_url_with_token(channel["playbackUrl"], token), NOON) == ""
