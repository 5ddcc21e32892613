"""Schemas that no serializer has, and additions to the schemas of serializers and their fields."""

from dataclasses import dataclass
from typing import Any

from channels_app.api import serializers as channels
from ondemand.api import grants
from ondemand.api import serializers as videos
from ondemand.models import Video
from ondemand.models.chapters import MOST_CHAPTERS
from ondemand.models.publication import Listing
from ondemand.playback.explain import Playing
from ondemand.videos import limits
from tools.openapi.errors import REFUSALS, Refusal

Schema = dict[str, Any]


class Instead(Schema):
    """A schema that replaces the one which drf-spectacular derives from a field; others are merged into it."""


@dataclass(frozen=True)
class AnyOf:
    """An answer that one of several serializers describes, or with `page_of` a page of such rows."""

    kinds: tuple[type, ...]
    page_of: str = ""


_HEX = "[0-9a-fA-F]"
_HYPHENATED = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
UUID_IN = {
    "type": "string",
    "pattern": rf"^({_HYPHENATED}|{_HEX}{{32}})$",
    "examples": ["8d0c0b3e-5f0a-4d5e-9a53-1c2f5f1c7a10"],
}
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
    "Health": {
        "type": "object",
        "properties": {"status": {"type": "string", "const": "ok", "description": "`ok`: the database answers."}},
        "required": ["status"],
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
    }


def _enum(values: Any) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}


_HISTORY: Schema = {
    **{name: [channels.HistoryEntrySerializer] for name in ("sessions", "takeovers", "failures", "health")},
    "limits": [channels.LimitBreachSerializer],
}
_TAGS: Schema = {
    "maxItems": limits.MOST_TAGS,
    "items": {"type": "string", "minLength": 1, "maxLength": limits.TAG_LENGTH},
}
_FOUND: Schema = {
    "rank": {"description": "The larger, the better the match."},
    "highlight": {"description": "HTML: the found text is in `<mark>`, all else is escaped."},
}
# By serializer and field: a schema, a serializer, or a list of one. Derived serializers inherit them.
FIELDS: dict[type, Schema] = {
    videos.VideoSerializer: {
        "visibility": _enum(Video.Visibility.values),
        "listing": _enum(Listing),
        "playback": {
            **_enum(Video.Playback.values),
            "description": "`grant`: without a grant it is not played, and its `location`, `thumbnails`,"
            " `picture` and `renditions` are for callers with the scope `curate` alone.",
        },
        "metadata": {"type": "object", "additionalProperties": True},
        "renditions": [videos.RenditionSerializer],
        "location": {
            "description": "The multivariant playlist; null if it does not play, or if `playback` is `grant`"
            " and the caller lacks the scope `curate`."
        },
        "start_time": {"description": "Milliseconds since 1970; 0 if the start is unknown."},
    },
    # What Python counts as a space, other languages do not all.
    videos.ChapterSerializer: {"title": {"minLength": 1, "pattern": r"[^\s\x1c-\x1f\x85]"}},
    videos.FoundSerializer: _FOUND,
    videos.RuleSerializer: {"rule": _enum([*Listing, *Playing])},
    videos.PlayingSerializer: {"result": _enum(Playing), "delivery": _enum(["direct", "signed"])},
    videos.ExplanationSerializer: {"listing": _enum(Listing)},
    videos.StreamSerializer: {"videos": [videos.VideoSerializer]},
    channels.ManagedStreamSerializer: _HISTORY,
    videos.ContentPutSerializer: {"thumbnail": {"pattern": "^$|^[Hh][Tt][Tt][Pp][Ss]?://"}},
    videos.ClipSerializer: {"tags": _TAGS},
    grants.ViewerSerializer: {"viewer": {"minLength": 1}},
    grants.ChannelGrantCreateSerializer: {
        "origins": {"items": {"type": "string", "pattern": f"^{grants.ORIGIN}$"}, "description": "None for any."}
    },
    videos.VideoPatchSerializer: {
        "tags": _TAGS,
        "thumbnail": {
            "description": "An https URL, or a picture of this recording by its URL or path; empty or null for none."
        },
        "metadata": {
            "maxProperties": limits.MOST_METADATA,
            "propertyNames": {"minLength": 1, "maxLength": limits.METADATA_KEY_LENGTH},
        },
        "chapters": {"maxItems": MOST_CHAPTERS},
    },
    channels.ChannelCreateSerializer: {
        "owner": Instead(description="Another name of `userId`; ignored if `userId` is given.")
    },
    channels.LiveSerializer: {"state": _enum(["live", "offline"])},
}
# Additions to the schema of a whole serializer.
WHOLE: dict[type, Schema] = {
    channels.ChannelCreateSerializer: {
        "anyOf": [{"required": ["userId"]}, {"required": ["owner"], "properties": {"owner": UUID_IN}}]
    },
    # Empty if the video has no content.
    videos.ContentSerializer: {"required": []},
}
