"""One bounded download of the public keys of an identity provider. Loads PyJWT: import it where it is used."""

import json
import urllib.request
from contextlib import suppress
from socket import SHUT_RDWR, socket
from typing import Any

from jwt import PyJWKClient

LARGEST_BYTES = 256 * 1024
MOST_KEYS = 100


class KeyDownload(PyJWKClient):
    """PyJWT's client with bounds: the size of the answer, the number of keys, no redirect, and `cut` at a deadline.

    PyJWT alone reads an answer of any size, and its timeout is that of each read.
    """

    def __init__(self, url: str, timeout: float) -> None:
        super().__init__(url, cache_jwk_set=False, timeout=timeout)
        self.is_cut = False
        self._socket: socket | None = None

    def fetch_data(self) -> Any:
        """Return the key set as parsed JSON, for `get_jwk_set`.

        Raises:
            OSError, HTTPException: the provider cannot be reached, or the answer is not a 200.
            ValueError, RecursionError: the answer is too large, or not JSON.
        """
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
