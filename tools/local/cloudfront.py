"""A stand-in for the check of signed URLs that CloudFront makes before it asks S3, written from its documentation.

It shares no code with what signs. Where the documentation says nothing, it refuses.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-custom-policy.html
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-signed-urls.html
"""

import binascii
import json
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from werkzeug.wrappers import Response

from tools.local.s3 import CORS_HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The behaviours of `deploy/edge.yaml` that need no signature: live states, and pictures that people gave.
UNSIGNED = ("/live/", "/thumbnails/")
_REQUIRED = {"Policy", "Signature", "Key-Pair-Id"}
_PARAMETERS = _REQUIRED | {"Expires", "Hash-Algorithm"}
_BASE64 = re.compile(r"[A-Za-z0-9~-]+_{0,2}")


class RefusedError(Exception):
    """The request is answered with 403, and with this code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class SignedMedia:
    """WSGI: pass on the requests with a good signature of a trusted key, without their signing parameters."""

    def __init__(
        self, origin: "WSGIApplication", trusted_keys: Mapping[str, str], clock: Callable[[], float] = time.time
    ) -> None:
        """Take the PEM texts of the public keys of a key group, by their ids."""
        self.origin, self.clock = origin, clock
        self.keys = {key_id: load_pem_public_key(pem.encode()) for key_id, pem in trusted_keys.items()}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        own, signing = _split_query(environ.get("QUERY_STRING", ""))
        path = environ.get("PATH_INFO", "")
        try:
            # S3 knows no dot segments, and CloudFront removes them before it chooses the behaviour of a path.
            if {".", ".."} & set(path.replace("\\", "/").split("/")):
                raise RefusedError("AccessDenied", "Access denied")
            if not path.startswith(UNSIGNED):
                self._verify(_requested_url(environ, own), signing, environ.get("REMOTE_ADDR", ""))
        except RefusedError as refused:
            error = f"<Error><Code>{refused.code}</Code><Message>{refused.message}</Message></Error>"
            document = f'<?xml version="1.0" encoding="UTF-8"?>{error}'
            return Response(document, 403, headers=CORS_HEADERS, content_type="text/xml")(environ, start_response)
        raw = {name: value for name, value in environ.items() if name not in ("RAW_URI", "REQUEST_URI")}
        return self.origin({**raw, "QUERY_STRING": own}, start_response)

    def _verify(self, url: str, signing: list[tuple[str, str]], address: str) -> None:
        given = dict(signing)
        if not given.get("Key-Pair-Id"):
            raise RefusedError("MissingKey", "Missing Key-Pair-Id query parameter or cookie value")
        # With `Expires` the policy is a canned one, for one file; nobody here signs so.
        if len(given) < len(signing) or set(given) - {"Hash-Algorithm"} != _REQUIRED:
            raise RefusedError("AccessDenied", "Access denied")
        key = self.keys.get(given["Key-Pair-Id"])
        if key is None:
            raise RefusedError("InvalidKey", "Unknown Key")
        policy, signature = _decoded(given["Policy"]), _decoded(given["Signature"])
        algorithm = given.get("Hash-Algorithm", "SHA1")
        if algorithm not in ("SHA1", "SHA256") or not _is_signed(policy, signature, key, algorithm):
            raise RefusedError("AccessDenied", "Access denied")
        resource, condition = _statement(policy)
        # `*` is any number of characters, and `?` is one.
        pattern = "".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in resource)
        if not re.fullmatch(pattern, url, re.DOTALL) or not self._holds(condition, address):
            raise RefusedError("AccessDenied", "Access denied")

    def _holds(self, condition: dict[str, Any], address: str) -> bool:
        now = self.clock()
        end, begin = _epoch(condition.get("DateLessThan")), condition.get("DateGreaterThan")
        if end is None or now >= end:
            return False
        if "DateGreaterThan" in condition:
            begin = _epoch(begin)
            if begin is None or now <= begin:
                return False
        if "IpAddress" not in condition:
            return True
        try:
            return ip_address(address) in ip_network(condition["IpAddress"]["AWS:SourceIp"], strict=False)
        except (ValueError, TypeError, KeyError):
            return False


def _split_query(query: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the query without the signing parameters, and these, as they were sent."""
    own, signing = [], []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        # Also a name that another would decode to one of them, which is never passed on.
        if unquote(name) in _PARAMETERS:
            signing.append((name, value))
        else:
            own.append(part)
    return "&".join(own), signing


def _requested_url(environ: "WSGIEnvironment", own_query: str) -> str:
    """Return the URL as it was requested, percent-encoding included, without the signing parameters."""
    # WSGI has the decoded path alone; RAW_URI is what the servers of the local stack add.
    raw = environ.get("RAW_URI") or quote(f"{environ.get('SCRIPT_NAME', '')}{environ['PATH_INFO']}", encoding="latin-1")
    path = raw.partition("?")[0]
    return f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', '')}{path}" + (
        f"?{own_query}" if own_query else ""
    )


def _decoded(text: str) -> bytes:
    """Return the bytes of base64 in which `-`, `_` and `~` stand for `+`, `=` and `/`."""
    plain = text.translate(str.maketrans("-_~", "+=/"))
    try:
        data = b64decode(plain, validate=True)
    except binascii.Error:
        data = b""
    # Each value has one spelling.
    if not _BASE64.fullmatch(text) or b64encode(data).decode() != plain:
        raise RefusedError("MalformedPolicy", "Malformed Policy")
    return data


def _is_signed(policy: bytes, signature: bytes, key: Any, algorithm: str) -> bool:
    digest = SHA256() if algorithm == "SHA256" else SHA1()  # noqa: S303  (what CloudFront assumes by default)
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(signature, policy, PKCS1v15(), digest)
        elif isinstance(key, EllipticCurvePublicKey):
            key.verify(signature, policy, ECDSA(digest))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _statement(policy: bytes) -> tuple[str, dict[str, Any]]:
    """Return resource and condition of a policy with exactly one statement and one resource."""
    try:
        [statement] = json.loads(policy, object_pairs_hook=_once_each)["Statement"]
        resource, condition = statement["Resource"], statement["Condition"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise RefusedError("MalformedPolicy", "Malformed Policy") from None
    known = {"DateLessThan", "DateGreaterThan", "IpAddress"}
    is_whole = set(statement) == {"Resource", "Condition"} and isinstance(condition, dict) and set(condition) <= known
    if not is_whole or not isinstance(resource, str) or not resource.startswith(("http://", "https://", "*")):
        raise RefusedError("MalformedPolicy", "Malformed Policy")
    return resource, condition


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _epoch(condition: Any) -> int | None:
    """Return the seconds of a condition of time; None if it is none."""
    seconds = condition.get("AWS:EpochTime") if isinstance(condition, dict) else None
    return seconds if type(seconds) is int else None
