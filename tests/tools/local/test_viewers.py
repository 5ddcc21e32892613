"""Whom the local IVS lets in to a private channel, by tokens that no code of the service made."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from tests.support.private_playback import make_key, private_channel_of, public_pem, refusal
from tools.local.aws import LocalAws

KEY = make_key()
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
NOW = int(NOON.timestamp())
HEAD = {"alg": "ES384", "typ": "JWT"}
Sign = Callable[[bytes], bytes]


@pytest.fixture
def aws(tmp_path: Path) -> LocalAws:
    local = LocalAws(tmp_path)
    local.ivs.call("ImportPlaybackKeyPair", publicKeyMaterial=public_pem(KEY))
    return local


@pytest.fixture
def channel(aws: LocalAws) -> dict[str, Any]:
    return private_channel_of(aws)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def der(signed: bytes) -> bytes:
    return KEY.sign(signed, ec.ECDSA(SHA384()))


def raw(signature: bytes) -> bytes:
    return b"".join(number.to_bytes(48, "big") for number in decode_dss_signature(signature))


def made(claims: Any, head: Any = HEAD, sign: Sign = lambda signed: raw(der(signed))) -> str:
    """Return a token of any header, claims and signature."""
    signed = f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(claims).encode())}"
    return f"{signed}.{encoded(sign(signed.encode()))}"


@pytest.fixture
def outcome(aws: LocalAws, channel: dict[str, Any]) -> Callable[..., str]:
    """Asks for the playlist with these claims besides the two that must be; without those that are None."""

    def ask(*, origin: str = "", **claims: Any) -> str:
        named = {
            name if name == "exp" else f"aws:{name.replace('_', '-')}": value
            for name, value in {"channel_arn": channel["arn"], "exp": NOW + 60, **claims}.items()
            if value is not None
        }
        return refusal(aws, f"{channel['playbackUrl']}?token={made(named)}", NOON, origin)

    return ask


def test_the_smallest_token_gets_in_and_a_public_channel_needs_none(aws: LocalAws, outcome: Callable[..., str]) -> None:
    assert outcome() == ""
    public = aws.ivs.call("CreateChannel")["channel"]["playbackUrl"]
    assert refusal(aws, public, NOON) == ""
    assert refusal(aws, f"{public}x", NOON) == "no such channel"


def test_a_private_channel_needs_exactly_one_token(aws: LocalAws, channel: dict[str, Any]) -> None:
    url, token = channel["playbackUrl"], made({"aws:channel-arn": channel["arn"], "exp": NOW + 60})
    for query in ("", "?", "?x=1", f"?token={token}&token={token}", f"?token={token}?token={token}", f"?Token={token}"):
        assert refusal(aws, url + query, NOON), query
    assert refusal(aws, f"{url}?x=1&token={token}", NOON) == ""


@pytest.mark.parametrize(
    ("head", "sign"),
    [
        ({"alg": "none", "typ": "JWT"}, lambda signed: b""),
        (HEAD, lambda signed: b""),
        (HEAD, der),
        (HEAD, lambda signed: raw(KEY.sign(signed, ec.ECDSA(SHA256())))),
        (HEAD, lambda signed: raw(make_key().sign(signed, ec.ECDSA(SHA384())))),
        (HEAD, lambda signed: bytes(96)),
        (HEAD, lambda signed: hmac.digest(public_pem(KEY).encode(), signed, hashlib.sha384) * 2),
        ({"alg": "HS384", "typ": "JWT"}, lambda signed: hmac.digest(public_pem(KEY).encode(), signed, hashlib.sha384)),
        ({"alg": "ES384"}, lambda signed: raw(der(signed))),
        ({**HEAD, "kid": "1"}, lambda signed: raw(der(signed))),
        ([], lambda signed: raw(der(signed))),
    ],
)
def test_only_es384_by_an_imported_key_gets_in(aws: LocalAws, channel: dict[str, Any], head: Any, sign: Sign) -> None:
    token = made({"aws:channel-arn": channel["arn"], "exp": NOW + 60}, head, sign)
    assert refusal(aws, f"{channel['playbackUrl']}?token={token}", NOON)


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "....", "e30.e30.e30", "é.é.é", "e30=.e30=.e30=", "\0.a.b"])
def test_texts_that_are_no_token_are_refused(aws: LocalAws, channel: dict[str, Any], token: str) -> None:
    assert refusal(aws, f"{channel['playbackUrl']}?token={token}", NOON)


@pytest.mark.parametrize("claims", [[], None, "x", 1, {}])
def test_claims_are_an_object(aws: LocalAws, channel: dict[str, Any], claims: Any) -> None:
    assert refusal(aws, f"{channel['playbackUrl']}?token={made(claims)}", NOON)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW}, "expired"),
        ({"exp": None}, "claim exp"),
        ({"exp": NOW + 60.5}, "claim exp"),
        ({"exp": str(NOW + 60)}, "claim exp"),
        ({"exp": True}, "claim exp"),
        ({"channel_arn": None}, "claim aws:channel-arn"),
        ({"channel_arn": "arn:aws:ivs:eu-west-1:111122223333:channel/AjIhKtJ0RlgL"}, "another channel"),
        ({"viewer_id": "v", "exp": NOW + 601}, "expires too late"),
        ({"viewer_id": "v", "exp": 1000 * NOW}, "expires too late"),
        ({"single_use_uuid": "u", "exp": NOW + 601}, "expires too late"),
        ({"viewer_id": ""}, "claim aws:viewer-id"),
        ({"viewer_id": "v" * 41}, "claim aws:viewer-id"),
        ({"viewer_id": 7}, "claim aws:viewer-id"),
        ({"viewer_session_version": 1}, "claim aws:viewer-session-version"),
        ({"viewer_id": "v", "viewer_session_version": 2**63}, "claim aws:viewer-session-version"),
        ({"viewer_id": "v", "viewer_session_version": "1"}, "claim aws:viewer-session-version"),
        ({"maximum_resolution": "4K"}, "claim aws:maximum-resolution"),
        ({"session": 1}, "claim aws:session"),
    ],
)
def test_a_claim_that_breaks_its_rule_is_named(
    outcome: Callable[..., str], claims: dict[str, Any], reason: str
) -> None:
    assert outcome(**claims) == reason


def test_ten_minutes_and_forty_characters_are_allowed(outcome: Callable[..., str]) -> None:
    assert outcome(viewer_id="v" * 40, exp=NOW + 600, viewer_session_version=-(2**63)) == ""
    assert outcome(exp=NOW + 86_400, maximum_resolution="SD") == ""


def test_an_origin_binds_other_clients_than_browsers_only_where_it_is_strict(outcome: Callable[..., str]) -> None:
    assert outcome(origin="https://anywhere.example") == ""
    claims: dict[str, Any] = {"access_control_allow_origin": "https://a.example, https://*.b.example"}
    assert outcome(**claims) == ""
    assert outcome(**claims, origin="https://x.b.example") == ""
    assert outcome(**claims, origin="https://c.example") == "another origin"
    strict = {**claims, "strict_origin_enforcement": True}
    assert outcome(**strict) == "another origin"
    assert outcome(**strict, origin="https://a.example") == ""
    many = ",".join(f"https://{number}.example" for number in range(6))
    assert outcome(access_control_allow_origin=many, origin="https://0.example") == ""
    assert outcome(access_control_allow_origin=many, strict_origin_enforcement=True) == "too many origins"


def test_a_revoked_version_stays_out_and_a_deleted_key_lets_nobody_in(
    aws: LocalAws, channel: dict[str, Any], outcome: Callable[..., str]
) -> None:
    revocation = {"channelArn": channel["arn"], "viewerId": "v", "viewerSessionVersionsLessThanOrEqualTo": 7}
    aws.ivs.call("StartViewerSessionRevocation", **revocation)
    versions = (None, -1, 7, 8)
    assert [outcome(viewer_id="v", viewer_session_version=version) for version in versions] == [*["revoked"] * 3, ""]
    assert outcome(viewer_id="w") == ""
    (key_pair,) = aws.ivs.call("ListPlaybackKeyPairs")["keyPairs"]
    aws.ivs.call("DeletePlaybackKeyPair", arn=key_pair["arn"])
    assert outcome() == "signed by no imported key"


def test_a_refused_request_does_not_use_up_a_token(aws: LocalAws, outcome: Callable[..., str]) -> None:
    claims: dict[str, Any] = {"single_use_uuid": "u", "access_control_allow_origin": "https://a.example"}
    outcomes = [outcome(**claims, origin=origin) for origin in ("https://b.example", "https://a.example", "")]
    assert outcomes == ["another origin", "", "used before"]


def test_a_store_of_before_gets_the_table_of_used_tokens(aws: LocalAws, outcome: Callable[..., str]) -> None:
    with aws.ivs.store.transaction() as records:
        records.connection.execute("DROP TABLE used_tokens")
    LocalAws(aws.home)
    assert outcome(single_use_uuid="u", exp=NOW + timedelta(minutes=10).seconds) == ""
