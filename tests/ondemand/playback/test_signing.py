"""The signer of CloudFront: policies, resources, and keys that are refused."""

import json
import traceback
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from ondemand.models import Video
from ondemand.playback.signing import UrlSigner, configured_signer, files_below, one_file, policy_of
from tests.support.signing import KINDS, pem_of, private_key, public_pem_of

BASE = "https://media.example.com"
PREFIX = "ivs/v1/111122223333/AjIhKtJ0RlgL/2026/3/4/9/5/KOmxgJTeKdNn"
END = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
QUERY_ALPHABET = str.maketrans("-_~", "+=/")


def parameters(query: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in query.split("&"))


def test_a_policy_is_the_one_that_botocore_builds() -> None:
    resource = files_below(BASE, PREFIX)
    theirs = CloudFrontSigner("K2JCJMDEHXQW5F", lambda _: b"").build_policy(resource, END)

    assert policy_of(resource, END) == theirs.encode()
    assert json.loads(theirs) == {
        "Statement": [
            {
                "Resource": f"{BASE}/{PREFIX}/*",
                "Condition": {"DateLessThan": {"AWS:EpochTime": 1772618400}},
            }
        ]
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("algorithm", "names"),
    [
        ("SHA1", ["Policy", "Signature", "Key-Pair-Id"]),
        ("SHA256", ["Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"]),
    ],
)
def test_a_query_holds_policy_signature_and_key_in_characters_of_a_query(
    kind: str, algorithm: str, names: list[str]
) -> None:
    resource = files_below(BASE, PREFIX)
    found = parameters(UrlSigner("K1", private_key(kind), algorithm).query(resource, END))

    assert list(found) == names
    assert (found["Key-Pair-Id"], found.get("Hash-Algorithm", "SHA1")) == ("K1", algorithm)
    assert not set("".join(found.values())) & set("+/=%")
    assert b64decode(found["Policy"].translate(QUERY_ALPHABET), validate=True) == policy_of(resource, END)
    assert b64decode(found["Signature"].translate(QUERY_ALPHABET), validate=True)


# Resources


@pytest.mark.parametrize("prefix", [PREFIX, "with space/and+plus", "Übertragung/größe", "100%/50%25", "a#b", "a~b&c=d"])
def test_resources_are_the_urls_that_the_service_writes(prefix: str, settings: Any) -> None:
    settings.PLAYBACK_BASE_URL = BASE
    video = Video(bucket=settings.RECORDING_BUCKET, prefix=prefix)

    assert files_below(BASE, prefix) == video.url_of("*").replace("%2A", "*")
    assert one_file(BASE, f"{prefix}/media/größe 1.jpg") == video.url_of("media/größe 1.jpg")


@pytest.mark.parametrize("make", [files_below, one_file])
@pytest.mark.parametrize("key", ["", "/", "//", "*", "ivs/*", "ivs/v?", "ivs/v1/..", "../ivs", "ivs/./v1", "ivs/*/?"])
def test_a_key_that_would_widen_the_policy_is_not_signed(make: Any, key: str) -> None:
    with pytest.raises(ValueError, match="no signature"):
        make(BASE, key)


def test_an_encoded_wildcard_is_none() -> None:
    assert files_below(BASE, "ivs/%2A") == f"{BASE}/ivs/%252A/*"


# The key of the settings


@pytest.fixture
def signing(settings: Any) -> Any:
    """Settings that sign with a key of ECDSA."""
    settings.CLOUDFRONT_KEY_ID = "K2JCJMDEHXQW5F"
    settings.CLOUDFRONT_PRIVATE_KEY = pem_of(private_key("ecdsa"))
    settings.CLOUDFRONT_HASH_ALGORITHM = "SHA256"
    return settings


def test_without_a_key_files_are_delivered_directly(settings: Any) -> None:
    assert settings.CLOUDFRONT_KEY_ID == ""
    assert configured_signer() is None
    assert not [found for found in run_checks() if found.id == "ivsvod.E002"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_signer_is_that_of_the_settings_and_its_key_is_parsed_once(kind: str, signing: Any) -> None:
    signing.CLOUDFRONT_PRIVATE_KEY = pem_of(private_key(kind))
    first, second = configured_signer(), configured_signer()

    assert first
    assert second
    assert (first.key_id, first.hash_algorithm) == ("K2JCJMDEHXQW5F", "SHA256")
    assert public_pem_of(first.private_key) == public_pem_of(private_key(kind))
    assert first.private_key is second.private_key
    assert not [found for found in run_checks() if found.id == "ivsvod.E002"]


def test_no_text_of_a_signer_shows_its_key(signing: Any) -> None:
    assert f"{configured_signer()!r} {configured_signer()}" == (
        "UrlSigner(key_id='K2JCJMDEHXQW5F', hash_algorithm='SHA256') "
        "UrlSigner(key_id='K2JCJMDEHXQW5F', hash_algorithm='SHA256')"
    )


def encrypted_pem() -> str:
    key = private_key("rsa")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a password")).decode()


UNUSABLE = {
    "rubbish": lambda: "rubbish",
    "no key in the PEM": lambda: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    "half of a key": lambda: pem_of(private_key("rsa"))[:900],
    "a public key": lambda: public_pem_of(private_key("rsa")),
    "with a password": encrypted_pem,
    "RSA of 1024 bits": lambda: pem_of(rsa.generate_private_key(65537, 1024)),  # noqa: S505  (it is refused)
    "RSA of 3072 bits": lambda: pem_of(rsa.generate_private_key(65537, 3072)),
    "P-384": lambda: pem_of(ec.generate_private_key(ec.SECP384R1())),
    "secp256k1": lambda: pem_of(ec.generate_private_key(ec.SECP256K1())),
    "Ed25519": lambda: pem_of(ed25519.Ed25519PrivateKey.generate()),
    "a lone surrogate": lambda: "\udcff",
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_another_key_is_an_error_that_names_the_variable_and_shows_nothing_of_it(kind: str, signing: Any) -> None:
    signing.CLOUDFRONT_PRIVATE_KEY = pem = UNUSABLE[kind]()
    with pytest.raises(ImproperlyConfigured, match="CLOUDFRONT_PRIVATE_KEY is not") as raised:
        configured_signer()

    [found] = [found for found in run_checks() if found.id == "ivsvod.E002"]
    written = f"{''.join(traceback.format_exception(raised.value))}{found}"
    # But for the marks of a PEM.
    assert not [line for line in pem.splitlines() if line in written and not line.startswith("-----")]
