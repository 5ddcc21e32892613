"""The check of a playback token by which IVS admits a viewer, written from the documentation alone.

IVS checks each request for a multivariant playlist. The demo asks here before it serves one.
https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/private-channels-generate-tokens.html
"""

import base64
import json
import re
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tools.local.ivs.channels import CHANNEL
from tools.local.ivs.playback import KEY_PAIR
from tools.local.ivs.store import Document, IvsStore, Records

# Each half of a signature of P-384; together they are the 96 bytes of ES384.
# https://www.rfc-editor.org/rfc/rfc7518#section-3.4
HALF_BYTES = 48
# The longest life of a token with a viewer id, or for single use.
LONGEST_NAMED_SECONDS = 600
LONGEST_VIEWER_ID = 40
MOST_STRICT_ORIGINS = 5
TYPES: dict[str, type] = {
    "aws:channel-arn": str,
    "exp": int,
    "aws:access-control-allow-origin": str,
    "aws:strict-origin-enforcement": bool,
    "aws:single-use-uuid": str,
    "aws:viewer-id": str,
    "aws:viewer-session-version": int,
    "aws:maximum-resolution": str,
}


class ViewerRefusedError(Exception):
    """IVS does not start playback; the message is the reason."""


def viewer_admit(store: IvsStore, url: str, *, at: datetime, origin: str = "") -> Document:
    """Return the claims of the token in a playback URL, as IVS does when it is requested; empty for a public channel.

    `origin` is the header of a browser. A token for single use is used up.

    Raises:
        ViewerRefusedError: the channel is unknown, or its token is missing or not valid.
    """
    parts = urlsplit(url)
    with store.transaction() as records:
        channels = records.select(CHANNEL, "playbackUrl", parts._replace(query="", fragment="").geturl())
        if not channels:
            raise ViewerRefusedError("no such channel")
        channel = channels[0][1]
        if not channel["authorized"]:
            return {}
        tokens = parse_qs(parts.query, keep_blank_values=True).get("token", [])
        if len(tokens) != 1:
            raise ViewerRefusedError(f"{len(tokens)} parameters token")
        claims = _signed_claims(records, tokens[0])
        _check_form(claims)
        _check_life(claims, int(at.timestamp()))
        if claims["aws:channel-arn"] != channel["arn"]:
            raise ViewerRefusedError("another channel")
        _check_origin(claims, origin)
        _check_session(records, claims)
        return claims


def _signed_claims(records: Records, token: str) -> Document:
    try:
        header, payload, signature = token.split(".")
        head, claims, raw = json.loads(_decoded(header)), json.loads(_decoded(payload)), _decoded(signature)
    except ValueError:
        raise ViewerRefusedError("not a token") from None
    if head != {"alg": "ES384", "typ": "JWT"}:
        raise ViewerRefusedError("another header than that of ES384")
    if len(raw) != 2 * HALF_BYTES:
        raise ViewerRefusedError("another signature than that of ES384")
    r, s = (int.from_bytes(half, "big") for half in (raw[:HALF_BYTES], raw[HALF_BYTES:]))
    for _, key_pair in records.select(KEY_PAIR):
        key: Any = load_pem_public_key(key_pair["publicKeyMaterial"].encode())
        with suppress(InvalidSignature):
            key.verify(encode_dss_signature(r, s), f"{header}.{payload}".encode(), ec.ECDSA(SHA384()))
            return claims
    raise ViewerRefusedError("signed by no imported key")


def _decoded(text: str) -> bytes:
    # Without padding, and in one way only: Python's decoder skips foreign characters and ignores surplus bits.
    decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(decoded).decode().rstrip("=") != text:
        raise ValueError("not base64url")
    return decoded


def _check_form(claims: Any) -> None:
    if not isinstance(claims, dict):
        raise ViewerRefusedError("no claims")
    for name, value in claims.items():
        # IVS may ignore unknown claims. Here they are a mistake of the program that minted the token.
        if type(value) is not TYPES.get(name):
            raise ViewerRefusedError(f"claim {name}")
    if missing := {"aws:channel-arn", "exp"} - claims.keys():
        raise ViewerRefusedError(f"claim {min(missing)}")
    viewer_id, version = claims.get("aws:viewer-id"), claims.get("aws:viewer-session-version")
    if viewer_id is not None and not 1 <= len(viewer_id) <= LONGEST_VIEWER_ID:
        raise ViewerRefusedError("claim aws:viewer-id")
    if version is not None and (viewer_id is None or not -(2**63) <= version < 2**63):
        raise ViewerRefusedError("claim aws:viewer-session-version")
    if claims.get("aws:maximum-resolution", "SD") not in ("SD", "HD", "FULL_HD"):
        raise ViewerRefusedError("claim aws:maximum-resolution")


def _check_life(claims: Document, now: int) -> None:
    if claims["exp"] <= now:
        raise ViewerRefusedError("expired")
    is_named = "aws:viewer-id" in claims or "aws:single-use-uuid" in claims
    if is_named and claims["exp"] > now + LONGEST_NAMED_SECONDS:
        raise ViewerRefusedError("expires too late")


def _check_origin(claims: Document, origin: str) -> None:
    """Check the origin of a browser; of another client, which has none, only under strict enforcement."""
    allowed = [each.strip() for each in claims.get("aws:access-control-allow-origin", "*").split(",")]
    is_strict = claims.get("aws:strict-origin-enforcement", False)
    if is_strict and len(allowed) > MOST_STRICT_ORIGINS:
        raise ViewerRefusedError("too many origins")
    if (origin or is_strict) and not any(_is_allowed(origin, each) for each in allowed):
        raise ViewerRefusedError("another origin")


def _is_allowed(origin: str, allowed: str) -> bool:
    """Compare an origin with an allowed one, whose host may begin with `*`."""
    if allowed == "*":
        return True
    scheme, separator, host = allowed.rpartition("://")
    pattern = re.escape(scheme + separator) + re.sub(r"^\\\*", r"[^/:@]+", re.escape(host))
    return re.fullmatch(pattern, origin) is not None


def _check_session(records: Records, claims: Document) -> None:
    if viewer_id := claims.get("aws:viewer-id"):
        revoked = records.revoked_version(claims["aws:channel-arn"], viewer_id)
        if revoked is not None and claims.get("aws:viewer-session-version", 0) <= revoked:
            raise ViewerRefusedError("revoked")
    # Last, since a request that is refused does not use it up.
    if single_use := claims.get("aws:single-use-uuid"):
        statement = "INSERT OR IGNORE INTO used_tokens (uuid) VALUES (?)"
        if records.connection.execute(statement, (single_use,)).rowcount == 0:
            raise ViewerRefusedError("used before")
