"""Time limits on the bodies of requests under gunicorn.

A thread of gunicorn reads the body itself, for as long as the client takes. Here only a few slow bodies may keep
threads of a process waiting, and none for long. A read ends when the reading side of its connection is shut down, which
gunicorn treats as a client that closed it.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The key of the `TimedBody` in the environ of a request.
ENVIRON_KEY = "ivsvod.body"
# The time of a whole body, and the slow bodies that may keep a thread waiting: gunicorn has more threads.
LONGEST_SECONDS = 20.0
MOST_WAITING = 2
# A read that takes longer counts as slow.
PATIENCE_SECONDS = 0.2
# An unread rest of at most this size is read and dropped if it comes at once, to use the connection again.
MOST_DROPPED = 64 * 1024

# Status, sentence and code of the answer.
Refusal = tuple[int, str, str]
TOO_LATE: Refusal = (408, "The body did not arrive in time", "request_timeout")
TOO_MANY: Refusal = (503, "Too many slow uploads: try again", "too_many_bodies")


class TimedBody:
    """`wsgi.input` of one request. If a read was ended, `refusal` is the answer."""

    def __init__(self, stream: Any, connection: socket.socket, length: int) -> None:
        self.stream, self.connection, self.left = stream, connection, length
        self.seconds = 0.0
        self.is_dropped = False
        self.refusal: Refusal | None = None

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, or the rest; raise TimeoutError if the read was ended."""
        return self._timed(self.stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        """Return a line, or `size` bytes of it; raise TimeoutError if the read was ended."""
        return self._timed(self.stream.readline, size)

    def drop_rest(self) -> None:
        """Drop the rest if it is short and comes at once; else gunicorn would wait for it."""
        self.is_dropped = True
        if self.refusal or self.left > MOST_DROPPED:
            self.stop()
        elif self.left:
            with suppress(OSError):
                self._timed(self.stream.read, self.left)

    def stop(self) -> None:
        """End the read that waits, and all later reads."""
        # The client may have disconnected. Not the method of a TLS socket, which would end TLS for the answer too.
        with suppress(OSError):
            socket.socket.shutdown(self.connection, socket.SHUT_RD)

    def _timed(self, read: Callable[[int], bytes], size: int) -> bytes:
        began = monotonic()
        with _watch.over(self):
            content = read(self.left if size < 0 else min(size, self.left))
        self.seconds += monotonic() - began
        self.left -= len(content)
        if self.refusal:
            raise TimeoutError(self.refusal[1])
        return content


class Watch:
    """A thread that ends reads of this process which wait too long, or are too many."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        # In the order of their beginning.
        self._reads: dict[TimedBody, float] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, body: TimedBody) -> Iterator[None]:
        """Watch a read for the length of the block."""
        with self._changed:
            self._reads[body] = monotonic()
            if self._thread is None:
                # Not at import: gunicorn may fork after it.
                self._thread = threading.Thread(target=self._look, name="slow bodies", daemon=True)
                self._thread.start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                del self._reads[body]

    def _look(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._reads)
                self._end_reads(monotonic())
                self._changed.wait(PATIENCE_SECONDS / 2)

    def _end_reads(self, now: float) -> None:
        waiting = [(body, now - began) for body, began in self._reads.items() if now - began > PATIENCE_SECONDS]
        kept = 0
        for body, seconds in waiting:
            if body.is_dropped:
                body.stop()
            elif body.seconds + seconds > LONGEST_SECONDS:
                self._refuse(body, TOO_LATE)
            elif kept == MOST_WAITING:
                self._refuse(body, TOO_MANY)
            else:
                kept += 1

    def _refuse(self, body: TimedBody, refusal: Refusal) -> None:
        body.refusal = refusal
        body.stop()


_watch = Watch()


def with_timed_body(application: "WSGIApplication") -> "WSGIApplication":
    """Return the application with timed bodies under gunicorn. Other servers read the body first."""

    def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        connection, length = environ.get("gunicorn.socket"), environ.get("CONTENT_LENGTH") or ""
        if connection is None or not (length.isascii() and length.isdigit()):
            return application(environ, start_response)
        body = TimedBody(environ["wsgi.input"], connection, int(length))
        environ |= {"wsgi.input": body, ENVIRON_KEY: body}
        try:
            return application(environ, start_response)
        finally:
            body.drop_rest()

    return serve
