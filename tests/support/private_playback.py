"""A playback key of the service in the local IVS, and tokens that another library verifies."""

from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from tools.local.aws import LocalAws
from tools.local.ivs import ViewerRefusedError, viewer_admit

Key = ec.EllipticCurvePrivateKey


def make_key() -> Key:
    return ec.generate_private_key(ec.SECP384R1())


def private_pem(key: Any) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def use_playback_key(aws: LocalAws, settings: Any) -> Key:
    """Import a new key into the local IVS, and let the service sign with it."""
    key = make_key()
    imported = aws.ivs.call("ImportPlaybackKeyPair", publicKeyMaterial=public_pem(key))["keyPair"]
    settings.IVS_PLAYBACK_KEY_ARN, settings.IVS_PLAYBACK_PRIVATE_KEY = imported["arn"], private_pem(key)
    return key


def private_channel_of(aws: LocalAws) -> dict[str, Any]:
    """Make a private channel in the local IVS."""
    return aws.ivs.call("CreateChannel", authorized=True)["channel"]


def refusal(aws: LocalAws, url: str, at: datetime, origin: str = "") -> str:
    """Return why IVS does not let the viewer in; empty if it does."""
    try:
        viewer_admit(aws.ivs.store, url, at=at, origin=origin)
    except ViewerRefusedError as error:
        return str(error)
    return ""


def verified(token: str, key: Key) -> dict[str, Any]:
    """Return the claims of a token, which another library than the service's has verified with the public key."""
    found = jwt.decode(token, ECKey.import_key(public_pem(key)), algorithms=["ES384"])
    assert found.header == {"alg": "ES384", "typ": "JWT"}
    return found.claims
