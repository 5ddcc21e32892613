"""The web server of the demo: Django and the local AWS on one port of the loopback address."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from tools.local.aws import LocalAws

MOUNT = "/_local"


def with_local_aws(application: Callable[..., Iterable[bytes]], aws: LocalAws) -> Callable[..., Iterable[bytes]]:
    """Return the application with the local AWS below `/_local`."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(f"{MOUNT}/"):
            return application(environ, start_response)
        moved = {**environ, "SCRIPT_NAME": MOUNT, "PATH_INFO": path.removeprefix(MOUNT)}
        return aws(moved, start_response)

    return serve


class QuietRequestHandler(WSGIRequestHandler):
    """Django's handler, which does not log the requests of the local stack to itself."""

    # Headers and body go in two writes: the second would wait for the client to acknowledge the first.
    disable_nagle_algorithm = True

    def get_environ(self) -> dict[str, Any]:
        """Return the variables of a request, with its path as it was sent, by which CloudFront compares URLs."""
        return {**super().get_environ(), "RAW_URI": self.path}

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name is that of http.server)
        """Log a request to the service."""
        if not self.path.startswith(f"{MOUNT}/"):
            super().log_message(format, *args)


@contextmanager
def served(application: Callable[..., Iterable[bytes]], port: int) -> Iterator[None]:
    """Serve on 127.0.0.1 for the length of the block, in a thread for each connection."""
    server = ThreadedWSGIServer(("127.0.0.1", port), QuietRequestHandler)
    server.daemon_threads = True
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, args=[0.05], name="web", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
