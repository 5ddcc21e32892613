"""Requests as botocore has prepared them, and the body of a reply as it wants it: for whoever answers in its place."""

import io
from collections.abc import Iterable
from typing import Any


class Body(io.BytesIO):
    """What botocore asks of a body beside `read`: urllib3's `stream`."""

    def stream(self, **_: Any) -> Iterable[bytes]:
        """The whole of it."""
        yield self.read()


def body_of(request: Any) -> bytes:
    """The whole body, whichever form botocore gives it: text, bytes, a file, or chunks with a checksum after them."""
    body = request.body
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body)


def headers_of(request: Any) -> dict[str, str]:
    """Names and values, all of them text."""
    return {name: _text(value) for name, value in request.headers.items()}


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
