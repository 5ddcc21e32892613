"""JSON of answers."""

from typing import Any

import orjson
from rest_framework.renderers import JSONRenderer


class FastJSONRenderer(JSONRenderer):
    """Render by orjson, which takes a twentieth of the time of `json`: 0.05 ms instead of 1 ms for 25 videos."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if data is None:
            return b""
        try:
            return orjson.dumps(data, option=orjson.OPT_UTC_Z)
        except orjson.JSONEncodeError:
            # A number of more than 64 bits, a lone surrogate, a deep document, or a type that DRF knows.
            return _CarefulJSONRenderer().render(data, accepted_media_type, renderer_context)


class _CarefulJSONRenderer(JSONRenderer):
    # A lone surrogate is no UTF-8, so it is written as its escape.
    ensure_ascii = True
    # orjson writes null in place of NaN; `json` must not raise an error.
    strict = False


def json_bytes(document: Any) -> bytes:
    """Return a document as answers hold it."""
    return FastJSONRenderer().render(document)
