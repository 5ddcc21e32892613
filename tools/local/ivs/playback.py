"""Playback of private channels: public keys, and revoked viewer sessions.

https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/private-channels.html
"""

import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from tools.local.ivs.calls import Call, page, without
from tools.local.ivs.errors import conflict, invalid, not_found
from tools.local.ivs.store import Document

KEY_PAIR = "playback-key"


def import_playback_key_pair(call: Call) -> Document:
    """Store a public key; the same one twice is a conflict.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ImportPlaybackKeyPair.html
    """
    fingerprint = fingerprint_of(call["publicKeyMaterial"])
    if call.records.select(KEY_PAIR, "fingerprint", fingerprint):
        raise conflict(f"The key was imported before: {fingerprint}")
    arn = call.records.new_arn(KEY_PAIR)
    key_pair = {"arn": arn, "name": call.get("name", ""), "fingerprint": fingerprint, "tags": call.tags()}
    # No call shows the key itself.
    call.insert(KEY_PAIR, {**key_pair, "publicKeyMaterial": call["publicKeyMaterial"]})
    return {"keyPair": key_pair}


def fingerprint_of(pem: str) -> str:
    """Return the fingerprint of a public key; raise IvsError if it is not one on the curve P-384."""
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
    key_pairs = call.records.select(KEY_PAIR)
    return page(call, "keyPairs", key_pairs, lambda found: without(found, "publicKeyMaterial", "fingerprint"))


def delete_playback_key_pair(call: Call) -> Document:
    call.records.delete(call.records.get(KEY_PAIR, call["arn"])["arn"])
    return {}


def start_viewer_session_revocation(call: Call) -> Document:
    """https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StartViewerSessionRevocation.html"""
    call.records.get("channel", call["channelArn"])
    _revoke(call, call.arguments)
    return {}


def batch_start_viewer_session_revocation(call: Call) -> Document:
    """Revoke the sessions of each channel that exists; return an error for each unknown channel, with status 200."""
    errors = []
    for session in call["viewerSessions"]:
        if call.records.find("channel", session["channelArn"]):
            _revoke(call, session)
        else:
            error = not_found(session["channelArn"])
            ids = {"channelArn": session["channelArn"], "viewerId": session["viewerId"]}
            errors.append({**ids, "code": error.code, "message": error.message})
    return {"errors": errors}


def _revoke(call: Call, session: Document) -> None:
    """Revoke the sessions of a viewer up to a version; the largest version of all calls counts."""
    version = session.get("viewerSessionVersionsLessThanOrEqualTo", 0)
    call.records.connection.execute(
        "INSERT INTO viewer_session_revocations VALUES (?, ?, ?)"
        " ON CONFLICT (channel_arn, viewer_id) DO UPDATE SET version = max(version, excluded.version)",
        (session["channelArn"], session["viewerId"], version),
    )
