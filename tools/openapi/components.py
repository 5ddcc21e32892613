"""Components that no serializer has."""

from typing import Any

from tools.openapi.errors import REFUSALS, Refusal
from tools.openapi.examples import GIVEN

Schema = dict[str, Any]
NAMED: dict[str, Schema] = {
    "Error": {
        "type": "object",
        "description": "The one shape of every error.",
        "properties": {
            "error": {"type": "string", "description": "A sentence for people."},
            "message": {"type": "string", "description": "The same sentence, with status 400 alone."},
            "code": {"type": "string", "pattern": "^[a-z0-9_]+$", "description": "The code for programs."},
            "fields": {
                "type": "object",
                "description": "Errors by field, parameter or header.",
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            },
        },
        "required": ["error", "code", "fields"],
        "additionalProperties": False,
    },
}


def reference(name: str, kind: str = "schemas") -> Schema:
    """Return the reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


_HEADERS = {
    "ETag": "The version of this answer; compared by its opaque value.",
    "Cache-Control": "How long the answer may be cached, and by which caches.",
    "X-Request-ID": "The id of this request in the log of the service.",
    "Retry-After": "Seconds to wait before the request is sent again.",
    "WWW-Authenticate": "`Bearer`.",
}
HEADERS: Schema = {name: {"schema": {"type": "string"}, "description": text} for name, text in _HEADERS.items()}


def _response(refusal: Refusal, *headers: str) -> Schema:
    """Return the answer of an error status."""
    examples = {"Error": {"value": refusal.example}}
    return {
        "description": refusal.text,
        "headers": {name: reference(name, "headers") for name in ["X-Request-ID", *headers]},
        "content": {"application/json": {"schema": reference("Error"), "examples": examples}},
    }


_OF_STATUS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
RESPONSES: Schema = {
    "NotModified": {
        "description": "The caller has this version.",
        "headers": {"X-Request-ID": reference("X-Request-ID", "headers")},
    },
    **{each.name: _response(each, *_OF_STATUS.get(status, ())) for status, each in REFUSALS.items()},
}


_NEAR_MISS: Schema = {
    "did_you_mean": {
        "type": "string",
        "description": "Of a search that finds nothing: a text that finds videos, and differs in one or two"
        " letters of a word, or of several words. Absent if there is none.",
    }
}
# What pages of these rows have besides.
_OF_PAGES: dict[str, Schema] = {"Video": _NEAR_MISS, "Hit": _NEAR_MISS}


def page_of(row: Schema, name: str) -> Schema:
    """Return the schema of a page of a list, whose rows are called `name`."""
    properties = {
        "data": {"type": "array", "items": row, "description": "The rows in their order; empty past the end."},
        "page": {"type": "integer", "minimum": 1, "description": "From 1; it also rises from page to page by cursor."},
        "pageSize": {"type": "integer", "minimum": 1, "description": "The size that was used."},
        "next": {"type": ["string", "null"], "description": "The link to the rows after these; null at the end."},
    }
    return {
        "type": "object",
        "description": "A page of a list.",
        "properties": {**properties, **_OF_PAGES.get(name, {})},
        "required": list(properties),
        "additionalProperties": False,
        GIVEN: {"pageSize": 25},
    }
