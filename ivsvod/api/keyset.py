"""The public keys of an identity provider, fetched when needed and kept (RFC 7517)."""

import json
import logging
import urllib.request
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from math import ceil
from socket import SHUT_RDWR, socket
from threading import Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Loaded where there is a token: most callers have another credential, or none.
    from jwt import PyJWK

logger = logging.getLogger(__name__)

# A key that the provider took back is refused after this time, once the provider can be reached.
LIFE_SECONDS = 600
# At most MOST_FETCHES fetches in FETCH_WINDOW_SECONDS. One more is allowed RESERVE_SECONDS after the last, so unknown
# key ids delay a key rotation by at most that.
MOST_FETCHES, FETCH_WINDOW_SECONDS, RESERVE_SECONDS = 4, 60, 30
RETRY_SECONDS = 5
# Of a whole fetch: name resolution, connection, headers and body.
TIMEOUT_SECONDS = 3
# How long a request waits for the fetch that another one began; most providers answer within it.
WAIT_SECONDS = 0.5
LARGEST_BYTES = 256 * 1024
MOST_KEYS = 100
THREAD_NAME = "key set"
# What a key must be for an algorithm (RFC 7518 sections 3.3 and 3.4): so a key of one kind never verifies the other.
_KINDS = {"RS256": {"kty": "RSA"}, "ES256": {"kty": "EC", "crv": "P-256"}}
_SMALLEST_RSA_BITS = 2048


class KeySetUnavailableError(Exception):
    """The keys cannot be fetched now."""

    def __init__(self, retry_after: str) -> None:
        super().__init__()
        self.retry_after = retry_after


class KeySet:
    """The keys of one URL. A key that is unknown is looked for again, so that a rotation needs no restart."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._keys: list[dict[str, Any]] = []
        self._fetched_at: float | None = None
        # Number of successful fetches. An unknown key is a 401 only after a new fetch.
        self._version = 0
        self._last_failed = False
        self._attempts: deque[float] = deque(maxlen=MOST_FETCHES)
        self._fetch: _Fetch | None = None
        # Held for moments, never while anything is fetched.
        self._lock = Lock()

    def find(self, key_id: str | None, algorithm: str) -> "PyJWK | None":
        """Return the key with this id that fits the algorithm; without an id, the only one that fits.

        Return None if a fetch that was made for this call did not bring it.

        Raises:
            KeySetUnavailableError: it is not among the keys that are there, and they cannot be fetched now.
        """
        version = self._version
        key = self._known(key_id, algorithm)
        if key is None or self._is_old():
            self._refresh(version, wait=key is None)
            key = self._known(key_id, algorithm)
        if key is None and self._version == version:
            raise KeySetUnavailableError(self._retry_after())
        return key

    def _is_old(self) -> bool:
        return self._fetched_at is None or monotonic() - self._fetched_at > LIFE_SECONDS

    def _known(self, key_id: str | None, algorithm: str) -> "PyJWK | None":
        fitting = [key for key in self._keys if _fits(key, algorithm) and key_id in (None, key.get("kid"))]
        return _usable(fitting[0], algorithm) if len(fitting) == 1 else None

    def _refresh(self, version: int, *, wait: bool) -> None:
        """Fetch the keys, unless that was tried too often or just now failed; keys that are there stay.

        One fetch is under way at a time. Other callers wait for at most WAIT_SECONDS.
        """
        with self._lock:
            if self._version != version:
                return
            fetch = self._fetch if self._fetch and self._fetch.is_alive() else None
            begins = fetch is None and monotonic() >= self._next_fetch()
            if begins:
                self._attempts.append(monotonic())
                fetch = self._fetch = _Fetch(self.url, self._take)
                fetch.start()
        if fetch and begins:
            fetch.join(TIMEOUT_SECONDS)
            fetch.cut()
        elif fetch and wait:
            fetch.join(WAIT_SECONDS)

    def _next_fetch(self) -> float:
        """Return the moment from which a fetch may be made."""
        if not self._attempts:
            return 0
        last = self._attempts[-1]
        earliest = last + RETRY_SECONDS if self._last_failed else last
        if len(self._attempts) < MOST_FETCHES:
            return earliest
        return max(earliest, min(self._attempts[0] + FETCH_WINDOW_SECONDS, last + RESERVE_SECONDS))

    def _retry_after(self) -> str:
        if self._fetch and self._fetch.is_alive():
            return "1"
        return str(max(1, ceil(self._next_fetch() - monotonic())))

    def _take(self, keys: list[dict[str, Any]] | None) -> None:
        """Take the outcome of a fetch; None is a failure."""
        with self._lock:
            self._last_failed = keys is None
            if keys is not None:
                self._keys, self._fetched_at, self._version = keys, monotonic(), self._version + 1


class _Fetch(Thread):
    """One download of a key set. In a thread, since name resolution has no timeout: the callers' waiting is bounded."""

    def __init__(self, url: str, take: Callable[[list[dict[str, Any]] | None], None]) -> None:
        super().__init__(name=THREAD_NAME, daemon=True)
        self._url, self._take = url, take
        self._lock = Lock()
        self._socket: socket | None = None
        self._is_cut = False

    def run(self) -> None:
        """Download the keys and hand them over."""
        try:
            keys = _download(self._url, self._connected)
        except (OSError, HTTPException, ValueError, RecursionError) as error:
            reason = "deadline" if self._is_cut else type(error).__name__
            logger.warning("key set not fetched url=%s reason=%s", self._url, reason)
            self._take(None)
            return
        self._take(keys)

    def cut(self) -> None:
        """End its connection, so that the thread ends: the timeout of a socket is for each read alone."""
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                _shut(self._socket)

    def _connected(self, connection: socket) -> None:
        with self._lock:
            self._socket = connection
            if self._is_cut:
                _shut(connection)


def _shut(connection: socket) -> None:
    # Not the method of a TLS socket, which takes the encryption away from a read that is under way.
    with suppress(OSError):
        socket.shutdown(connection, SHUT_RDWR)


class _Handler(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    """Hands the socket of each connection over as soon as there is one."""

    def __init__(self, connected: Callable[[socket], None]) -> None:
        super().__init__()
        self._connected = connected

    def do_open(self, http_class: Any, *args: Any, **options: Any) -> Any:
        """As urllib does."""

        def connection(*args: Any, **options: Any) -> HTTPConnection:
            made: HTTPConnection = http_class(*args, **options)
            connect = made.connect

            def connect_and_hand_over() -> None:
                connect()
                self._connected(made.sock)

            made.connect = connect_and_hand_over  # type: ignore[method-assign]
            return made

        return super().do_open(connection, *args, **options)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The keys are where the settings say."""

    def redirect_request(self, *args: Any) -> None:
        """Never."""


def _download(url: str, connected: Callable[[socket], None]) -> list[dict[str, Any]]:
    opener = urllib.request.build_opener(_NoRedirect, _Handler(connected))
    # The settings take https, and http for this machine alone.
    with opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
        body = answer.read(LARGEST_BYTES + 1)
    if len(body) > LARGEST_BYTES:
        raise ValueError("too large")
    document = json.loads(body)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or len(keys) > MOST_KEYS:
        raise ValueError("not a key set")
    found = [key for key in keys if isinstance(key, dict) and any(_fits(key, name) for name in _KINDS)]
    if not found:
        raise ValueError("no key of it can be used")
    return found


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
