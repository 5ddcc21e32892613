"""The public keys of an identity provider, fetched when needed and kept (RFC 7517)."""

import json
import logging
import urllib.request
from collections import deque
from http.client import HTTPException
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Loaded where there is a token: most callers have another credential, or none.
    from jwt import PyJWK

logger = logging.getLogger(__name__)

# A key that the provider took back is refused after this time, once the provider can be reached.
LIFE_SECONDS = 600
# Tokens with made-up key ids make no more requests than this.
MOST_FETCHES, FETCH_WINDOW_SECONDS = 5, 60
RETRY_SECONDS = 5
TIMEOUT_SECONDS = 3
LARGEST_BYTES = 256 * 1024
MOST_KEYS = 100
# What a key must be for an algorithm (RFC 7518 sections 3.3 and 3.4): so a key of one kind never verifies the other.
_KINDS = {"RS256": {"kty": "RSA"}, "ES256": {"kty": "EC", "crv": "P-256"}}
_SMALLEST_RSA_BITS = 2048


class KeySetUnavailableError(Exception):
    """The keys cannot be had now."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The keys are where the settings say."""

    def redirect_request(self, *args: Any) -> None:
        """Never."""


class KeySet:
    """The keys of one URL. A key that is unknown is looked for again, so that a rotation needs no restart."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._keys: list[dict[str, Any]] = []
        self._fetched_at: float | None = None
        self._last_failed = False
        self._attempts: deque[float] = deque(maxlen=MOST_FETCHES)
        self._lock = Lock()

    def find(self, key_id: str | None, algorithm: str) -> "PyJWK | None":
        """The key with this id that fits the algorithm; without an id, the only one that fits.

        Raises:
            KeySetUnavailableError: there are no keys yet, or none with this id, and the provider cannot be reached.
        """
        if self._fetched_at is None or monotonic() - self._fetched_at > LIFE_SECONDS:
            self._refresh(wait=not self._keys)
        key = self._known(key_id, algorithm)
        if key is None:
            self._refresh(wait=True)
            key = self._known(key_id, algorithm)
        if key is None and (self._last_failed or not self._keys):
            raise KeySetUnavailableError
        return key

    def _known(self, key_id: str | None, algorithm: str) -> "PyJWK | None":
        fitting = [key for key in self._keys if _fits(key, algorithm) and key_id in (None, key.get("kid"))]
        return _usable(fitting[0], algorithm) if len(fitting) == 1 else None

    def _refresh(self, *, wait: bool) -> None:
        """Fetch the keys, unless that was tried too often or just now failed; keys that are there stay."""
        seen = self._fetched_at
        if not self._lock.acquire(blocking=wait):
            return
        try:
            # Whoever held the lock may have fetched them.
            if self._fetched_at == seen and self._may_fetch():
                self._fetch()
        finally:
            self._lock.release()

    def _may_fetch(self) -> bool:
        now = monotonic()
        if self._last_failed and now - self._attempts[-1] < RETRY_SECONDS:
            return False
        return len(self._attempts) < MOST_FETCHES or now - self._attempts[0] > FETCH_WINDOW_SECONDS

    def _fetch(self) -> None:
        self._attempts.append(monotonic())
        try:
            self._keys = _download(self.url)
        except (OSError, HTTPException, ValueError, RecursionError) as error:
            self._last_failed = True
            logger.warning("key set not fetched url=%s reason=%s", self.url, type(error).__name__)
            return
        self._last_failed, self._fetched_at = False, monotonic()


def _download(url: str) -> list[dict[str, Any]]:
    opener = urllib.request.build_opener(_NoRedirect)
    # The settings take https, and http for this machine alone.
    with opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
        body = _read(answer)
    document = json.loads(body)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or len(keys) > MOST_KEYS:
        raise ValueError("not a key set")
    found = [key for key in keys if isinstance(key, dict) and any(_fits(key, name) for name in _KINDS)]
    if not found:
        raise ValueError("no key of it can be used")
    return found


def _read(answer: Any) -> bytes:
    """The body, within the time and the size that a key set may take; one that trickles in is given up."""
    body, until = b"", monotonic() + TIMEOUT_SECONDS
    while chunk := answer.read1(65_536):
        body += chunk
        if len(body) > LARGEST_BYTES or monotonic() > until:
            raise ValueError("too large or too slow")
    return body


def _fits(key: dict[str, Any], algorithm: str) -> bool:
    kind = _KINDS[algorithm]
    return (
        all(key.get(name) == value for name, value in kind.items())
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
    )


def _usable(document: dict[str, Any], algorithm: str) -> "PyJWK | None":
    from jwt import PyJWK, PyJWTError

    try:
        key = PyJWK(document, algorithm)
    except (PyJWTError, ValueError, TypeError):
        return None
    return None if algorithm == "RS256" and key.key.key_size < _SMALLEST_RSA_BITS else key
