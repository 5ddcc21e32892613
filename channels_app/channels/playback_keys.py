"""The keys that sign and verify playback tokens: their PEM forms, and the key pairs of the AWS account.

IVS verifies with every imported key pair, and ties none to a channel. An account has three at most.
https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/private-channels-create-key.html
"""

from typing import TYPE_CHECKING, Any

from django.conf import settings

from common import aws
from common.errors import ServiceError

if TYPE_CHECKING:
    # Loaded on first use: few processes have a private channel.
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey


class PlaybackKeyInUseError(ServiceError):
    """The key pair of IVS_PLAYBACK_KEY_ARN, without which no new token would be valid."""

    code = "playback_key_in_use"
    sentence = "IVS_PLAYBACK_KEY_ARN names this key pair: tokens are signed with it"


class PlaybackKeyNotFoundError(ServiceError):
    status_code = 404
    code = "not_found"
    sentence = "no key pair of this account has this ARN"


def playback_key_import(*, name: str, pem: str) -> aws.PlaybackKey:
    """Import the public half of a key, public or private, into IVS.

    Raises:
        AwsError: `conflict` if it was imported before, `quota` if the account has three.
        ValueError: not a key on the curve P-384; the message does not quote it.
    """
    return aws.playback_key_import(name=name, public_key=public_key_pem(pem))


def playback_key_delete(*, arn: str) -> None:
    """Delete a key pair in IVS: playback can no longer start with a token of it.

    Raises:
        AwsError: IVS refused, or was not reached.
        PlaybackKeyInUseError: tokens are signed with it.
        PlaybackKeyNotFoundError: there is no such key pair.
    """
    if arn not in [key.arn for key in aws.playback_keys()]:
        raise PlaybackKeyNotFoundError
    if arn == settings.IVS_PLAYBACK_KEY_ARN:
        raise PlaybackKeyInUseError
    aws.playback_key_delete(arn=arn)


def new_private_key_pem() -> str:
    """Return a new private key in PEM form."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP384R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def private_key_of(pem: str) -> "EllipticCurvePrivateKey":
    """Return the private key of a PEM text.

    Raises:
        ValueError: it is none, has a password, or is not on the curve P-384; the message does not quote it.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(_with_line_ends(pem).encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("not a private key in PEM form and without a password") from None
    if not isinstance(key, EllipticCurvePrivateKey) or not _is_p384(key):
        raise ValueError("not an ECDSA key on the curve P-384")
    return key


def public_key_pem(pem: str) -> str:
    """Return the public key of a public or private one in PEM form.

    Raises:
        ValueError: it is none, has a password, or is not on the curve P-384; the message does not quote it.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    if "PRIVATE KEY" in pem:
        key: Any = private_key_of(pem).public_key()
    else:
        try:
            key = load_pem_public_key(_with_line_ends(pem).encode())
        except (ValueError, UnsupportedAlgorithm):
            raise ValueError("not a key in PEM form") from None
    if not isinstance(key, EllipticCurvePublicKey) or not _is_p384(key):
        raise ValueError("not an ECDSA key on the curve P-384")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _with_line_ends(pem: str) -> str:
    r"""Return a PEM text whose line ends may be the two characters `\n`, as some files of variables have them."""
    return pem.replace("\\n", "\n")


def _is_p384(key: Any) -> bool:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1

    return isinstance(key.curve, SECP384R1)
