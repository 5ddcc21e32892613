"""Who may play: key pairs of private channels, restriction policies, and revoked viewer sessions.

https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/private-channels.html
"""

import hashlib
import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from ivsvod.local.ivs.calls import Call, batch_error, page, without
from ivsvod.local.ivs.errors import conflict, invalid, quota_exceeded
from ivsvod.local.ivs.records import Document, Placed
from ivsvod.local.ivs.tagging import accepted_tags

KEY_PAIR = "playback-key"
POLICY = "playback-restriction-policy"
POLICY_DEFAULTS: Document = {
    "allowedCountries": [],
    "allowedOrigins": [],
    "enableStrictOriginEnforcement": False,
    "name": "",
}


def import_playback_key_pair(call: Call) -> Document:
    """Take a public key; the same one twice is a conflict.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ImportPlaybackKeyPair.html
    """
    fingerprint = _fingerprint(call["publicKeyMaterial"])
    if call.records.has(KEY_PAIR, "fingerprint", fingerprint):
        raise conflict(f"The key was imported before: {fingerprint}")
    if call.records.count(KEY_PAIR) >= call.quotas.playback_key_pairs:
        raise quota_exceeded("playback key pairs", call.quotas.playback_key_pairs)
    key_pair = {
        "arn": call.records.new_arn(KEY_PAIR),
        "name": call.get("name", ""),
        "fingerprint": fingerprint,
        "tags": accepted_tags(call),
    }
    # The key itself comes out of no call, but whoever plays IVS has to check tokens with it.
    call.records.insert(KEY_PAIR, {**key_pair, "publicKeyMaterial": call["publicKeyMaterial"]})
    return {"keyPair": key_pair}


def _fingerprint(pem: str) -> str:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise invalid("publicKeyMaterial is not a public key in PEM form") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise invalid("publicKeyMaterial must be an ECDSA key on the curve P-384")
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.md5(encoded, usedforsecurity=False).digest().hex(":")


def get_playback_key_pair(call: Call) -> Document:
    return {"keyPair": without(call.records.get(KEY_PAIR, call["arn"]), "publicKeyMaterial")}


def list_playback_key_pairs(call: Call) -> Document:
    def select(after: int, limit: int) -> list[Placed]:
        key_pairs = call.records.select(KEY_PAIR, after=after, limit=limit)
        return [(place, without(key_pair, "publicKeyMaterial", "fingerprint")) for place, key_pair in key_pairs]

    return page(call, "keyPairs", select)


def delete_playback_key_pair(call: Call) -> Document:
    call.records.delete(call.records.get(KEY_PAIR, call["arn"])["arn"])
    return {}


def create_playback_restriction_policy(call: Call) -> Document:
    """https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreatePlaybackRestrictionPolicy.html"""
    _check_countries(call)
    if call.records.count(POLICY) >= call.quotas.playback_restriction_policies:
        raise quota_exceeded("playback restriction policies", call.quotas.playback_restriction_policies)
    policy = {
        **POLICY_DEFAULTS,
        **call.arguments,
        "arn": call.records.new_arn(POLICY),
        "tags": accepted_tags(call),
    }
    call.records.insert(POLICY, policy)
    return {"playbackRestrictionPolicy": policy}


def _check_countries(call: Call) -> None:
    for country in call.get("allowedCountries", []):
        if not re.fullmatch("[A-Z]{2}", country):
            raise invalid(f"Not a country code of ISO 3166-1 alpha-2: {country}")


def update_playback_restriction_policy(call: Call) -> Document:
    _check_countries(call)
    policy = {**call.records.get(POLICY, call["arn"]), **call.arguments}
    call.records.replace(policy)
    return {"playbackRestrictionPolicy": policy}


def get_playback_restriction_policy(call: Call) -> Document:
    return {"playbackRestrictionPolicy": call.records.get(POLICY, call["arn"])}


def list_playback_restriction_policies(call: Call) -> Document:
    """One a page unless asked for more."""

    def select(after: int, limit: int) -> list[Placed]:
        return call.records.select(POLICY, after=after, limit=limit)

    return page(call, "playbackRestrictionPolicies", select, default_size=1)


def delete_playback_restriction_policy(call: Call) -> None:
    """Refused while a channel uses it."""
    policy = call.records.get(POLICY, call["arn"])
    if call.records.has("channel", "playbackRestrictionPolicyArn", policy["arn"]):
        raise conflict(f"Channels use the playback restriction policy: {policy['arn']}")
    call.records.delete(policy["arn"])


def start_viewer_session_revocation(call: Call) -> Document:
    """https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StartViewerSessionRevocation.html"""
    call.records.get("channel", call["channelArn"])
    _revoke(call, call.arguments)
    return {}


def batch_start_viewer_session_revocation(call: Call) -> Document:
    """Revokes what it can; an unknown channel is an error of its own, at 200."""
    errors = []
    for session in call["viewerSessions"]:
        if call.records.find("channel", session["channelArn"]):
            _revoke(call, session)
        else:
            ids = {"channelArn": session["channelArn"], "viewerId": session["viewerId"]}
            errors.append({**ids, **without(batch_error(session["channelArn"]), "arn")})
    return {"errors": errors}


def _revoke(call: Call, session: Document) -> None:
    version = session.get("viewerSessionVersionsLessThanOrEqualTo", 0)
    call.records.revoke_viewer(session["channelArn"], session["viewerId"], version)
