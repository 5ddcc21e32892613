"""Signatures of CloudFront: the query that lets a viewer fetch the files of one recording, or one file, for a time.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-custom-policy.html
"""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
# CloudFront takes a URL that names no algorithm as signed with SHA-1.
HASHES: dict[str, type[hashes.SHA1] | type[hashes.SHA256]] = {"SHA1": hashes.SHA1, "SHA256": hashes.SHA256}
# Base64, but with characters that a query may hold as they are.
_QUERY_ALPHABET = str.maketrans("+=/", "-_~")
_REFUSED = "CLOUDFRONT_PRIVATE_KEY is not an unencrypted PEM of a private key, RSA with 2048 bits or ECDSA P-256"


@dataclass(frozen=True)
class UrlSigner:
    """Sign with one key of the key group that the distribution trusts."""

    key_id: str
    private_key: PrivateKey = field(repr=False)
    hash_algorithm: str = "SHA1"

    def query(self, resource: str, expires_at: datetime) -> str:
        """Return the query, without `?`, for each URL that matches the resource; it is good before that second."""
        policy = policy_of(resource, expires_at)
        query = f"Policy={_for_query(policy)}&Signature={_for_query(self._signature(policy))}&Key-Pair-Id={self.key_id}"
        return query if self.hash_algorithm == "SHA1" else f"{query}&Hash-Algorithm={self.hash_algorithm}"

    def _signature(self, message: bytes) -> bytes:
        algorithm = HASHES[self.hash_algorithm]()
        if isinstance(self.private_key, rsa.RSAPrivateKey):
            return self.private_key.sign(message, padding.PKCS1v15(), algorithm)
        return self.private_key.sign(message, ec.ECDSA(algorithm))


def files_below(base_url: str, prefix: str) -> str:
    """Return the resource of all files below a prefix of the bucket, and of no prefix that only begins alike.

    Raises:
        ValueError: the prefix is empty, or would match other files.
    """
    return f"{one_file(base_url, prefix)}/*"


def one_file(base_url: str, key: str) -> str:
    """Return the resource of one file, which is its URL as `Video.url_of` writes it.

    Raises:
        ValueError: the key is empty, or would match other files.
    """
    # No document says whether CloudFront decodes `%2A` before it looks for wildcards, and IVS writes none. A browser
    # takes dot segments out of the URL that it requests, encoded or not.
    if not key.strip("/") or {"*", "?"} & set(key) or {".", ".."} & set(key.split("/")):
        raise ValueError("no signature for a key that is empty, or has a wildcard or a dot segment")
    return f"{base_url}/{quote(key)}"


def policy_of(resource: str, expires_at: datetime) -> bytes:
    """Return the custom policy as compact JSON: one statement, one resource, and the time at which it ends."""
    condition = {"DateLessThan": {"AWS:EpochTime": int(expires_at.timestamp())}}
    return json.dumps({"Statement": [{"Resource": resource, "Condition": condition}]}, separators=(",", ":")).encode()


def configured_signer() -> UrlSigner | None:
    """Return the signer of the settings; None where files are delivered directly.

    Raises:
        ImproperlyConfigured: the key cannot be used; the message shows nothing of it.
    """
    if not settings.CLOUDFRONT_KEY_ID:
        return None
    key = _private_key(settings.CLOUDFRONT_PRIVATE_KEY)
    return UrlSigner(settings.CLOUDFRONT_KEY_ID, key, settings.CLOUDFRONT_HASH_ALGORITHM)


@lru_cache(maxsize=2)
def _private_key(pem: str) -> PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ImproperlyConfigured(_REFUSED) from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size == 2048:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ImproperlyConfigured(_REFUSED)


def _for_query(data: bytes) -> str:
    return base64.b64encode(data).decode().translate(_QUERY_ALPHABET)
