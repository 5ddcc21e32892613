"""The public keys of an identity provider, fetched when needed and kept. Loads PyJWT: import it where it is used."""

import json
import logging
import urllib.request
from collections import deque
from contextlib import suppress
from functools import cache
from http.client import HTTPException
from math import ceil
from socket import SHUT_RDWR, socket
from threading import Lock, Thread
from time import monotonic
from typing import Any

from jwt import PyJWK, PyJWKClient, PyJWTError

from common.errors import ServiceError

logger = logging.getLogger(__name__)

# Never the algorithm that a token names: "none" and HMAC with the public key are refused before a key is looked up.
ALGORITHMS = ("RS256", "ES256")
# A revoked key is refused after this time, once the provider can be reached.
MAX_AGE_SECONDS = 600
# At most MOST_FETCHES fetches in FETCH_WINDOW_SECONDS. One more is allowed RESERVE_SECONDS after the last, so unknown
# key ids delay a key rotation by at most that.
MOST_FETCHES, FETCH_WINDOW_SECONDS, RESERVE_SECONDS = 4, 60, 30
RETRY_SECONDS = 5
# Of a whole fetch: name resolution, connection, headers and body.
TIMEOUT_SECONDS = 3
# How long a request waits for the fetch of another one; most providers answer within it.
WAIT_SECONDS = 0.5
THREAD_NAME = "key set"
LARGEST_BYTES = 256 * 1024
MOST_KEYS = 100


class KeySetUnavailableError(ServiceError):
    """The keys cannot be fetched now."""

    status_code = 503
    code = "unavailable"
    sentence = "The keys of the identity provider cannot be fetched now"

    def __init__(self, retry_after: str) -> None:
        super().__init__()
        self.retry_after = retry_after


class KeyDownload(PyJWKClient):
    """PyJWT's client with bounds: the size of the answer, the number of keys, no redirect, and `cut` at a deadline.

    PyJWT alone reads an answer of any size, and its timeout is that of each read.
    """

    def __init__(self, url: str, timeout: float) -> None:
        super().__init__(url, cache_jwk_set=False, timeout=timeout)
        self.is_cut = False
        self._socket: socket | None = None

    def fetch_data(self) -> Any:
        """Return the key set as parsed JSON, for `get_jwk_set`; `KeySet._fetch` catches what can fail."""
        # `build_opener` would add the handler that follows redirects.
        opener = urllib.request.OpenerDirector()
        opener.add_handler(urllib.request.ProxyHandler())
        opener.add_handler(urllib.request.HTTPDefaultErrorHandler())
        opener.add_handler(urllib.request.HTTPErrorProcessor())
        opener.add_handler(_Connections(self))
        # The settings allow https, and http for this machine only.
        with opener.open(self.uri, timeout=self.timeout) as answer:
            body = answer.read(LARGEST_BYTES + 1)
        if len(body) > LARGEST_BYTES:
            raise ValueError("too large")
        document = json.loads(body)
        if isinstance(document, dict) and len(document.get("keys") or ()) > MOST_KEYS:
            raise ValueError("too many keys")
        return document

    def connected(self, connection: socket) -> None:
        """Note the connection, so that `cut` ends it."""
        self._socket = connection
        if self.is_cut:
            self.cut()

    def cut(self) -> None:
        """End the connection, so that the thread of the download ends."""
        self.is_cut = True
        if self._socket is not None:
            # Not the method of a TLS socket, which takes the encryption away from a read that is under way.
            with suppress(OSError):
                socket.shutdown(self._socket, SHUT_RDWR)


class _Connections(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    """urllib's handlers, which report the socket of each connection as soon as it is open."""

    def __init__(self, download: KeyDownload) -> None:
        super().__init__()
        self._download = download

    def do_open(self, http_class: Any, *args: Any, **options: Any) -> Any:
        """Open the URL over a connection that reports its socket."""
        download = self._download

        class Connection(http_class):
            def connect(self) -> None:
                super().connect()
                download.connected(self.sock)

        return super().do_open(Connection, *args, **options)


class KeySet:
    """The keys of one URL. An unknown key is fetched, so a rotation needs no restart."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._keys: list[PyJWK] = []
        self._fetched_at: float | None = None
        # Number of successful fetches. An unknown key is a 401 only after a new fetch.
        self._version = 0
        self._last_failed = False
        self._attempts: deque[float] = deque(maxlen=MOST_FETCHES)
        self._thread: Thread | None = None
        # Held briefly, never during a fetch.
        self._lock = Lock()

    def find(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        """Return the key with this id that fits the algorithm; without an id, the only one that fits.

        Return None if a new fetch did not bring it. Raise KeySetUnavailableError if the keys cannot be fetched now.
        """
        version = self._version
        key = self._known(key_id, algorithm)
        is_old = self._fetched_at is None or monotonic() - self._fetched_at > MAX_AGE_SECONDS
        if key is None or is_old:
            self._refresh(version, wait=key is None)
            key = self._known(key_id, algorithm)
        if key is None and self._version == version:
            is_fetching = self._thread is not None and self._thread.is_alive()
            raise KeySetUnavailableError("1" if is_fetching else str(max(1, ceil(self._next_fetch() - monotonic()))))
        return key

    def _known(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        fitting = [key for key in self._keys if key.algorithm_name == algorithm and key_id in (None, key.key_id)]
        return fitting[0] if len(fitting) == 1 else None

    def _refresh(self, version: int, *, wait: bool) -> None:
        """Fetch the keys, unless the limits forbid it. The present keys stay if that fails.

        One fetch is under way at a time, in a thread: name resolution has no timeout, and the wait of the callers is
        bounded. The caller that starts it waits for at most TIMEOUT_SECONDS, others for WAIT_SECONDS.
        """
        with self._lock:
            if self._version != version:
                return
            thread = self._thread if self._thread and self._thread.is_alive() else None
            starts = thread is None and monotonic() >= self._next_fetch()
            if starts:
                self._attempts.append(monotonic())
                download = KeyDownload(self.url, TIMEOUT_SECONDS)
                thread = Thread(target=self._fetch, args=(download,), name=THREAD_NAME, daemon=True)
                self._thread = thread
                thread.start()
        if thread and starts:
            thread.join(TIMEOUT_SECONDS)
            download.cut()
        elif thread and wait:
            thread.join(WAIT_SECONDS)

    def _next_fetch(self) -> float:
        """Return the time, of the monotonic clock, from which a fetch is allowed."""
        if not self._attempts:
            return 0
        last = self._attempts[-1]
        earliest = last + RETRY_SECONDS if self._last_failed else last
        if len(self._attempts) < MOST_FETCHES:
            return earliest
        return max(earliest, min(self._attempts[0] + FETCH_WINDOW_SECONDS, last + RESERVE_SECONDS))

    def _fetch(self, download: KeyDownload) -> None:
        """Download the keys and keep those that can be used."""
        keys: list[PyJWK] = []
        reason = "no key of it can be used"
        try:
            found = download.get_jwk_set().keys
            keys = [key for key in found if key.algorithm_name in ALGORITHMS and key.public_key_use in (None, "sig")]
        except (OSError, HTTPException, PyJWTError, ValueError, TypeError, RecursionError) as error:
            reason = "deadline" if download.is_cut else type(error).__name__
        if not keys:
            logger.warning("key set not fetched url=%s reason=%s", self.url, reason)
        with self._lock:
            self._last_failed = not keys
            if keys:
                self._keys, self._fetched_at, self._version = keys, monotonic(), self._version + 1


@cache
def key_set(url: str) -> KeySet:
    """Return the key set of a URL, one for the process."""
    return KeySet(url)
