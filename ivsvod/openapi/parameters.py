"""Query parameters: those of filter sets, and those of paging."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter

from ivsvod.rest import filters
from ondemand.api.filters import SearchFilter
from ondemand.videos.limits import METADATA_KEY_LENGTH

_HEX = "[0-9a-fA-F]"
_HYPHENATED = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
UUID_IN = {
    "type": "string",
    "pattern": rf"^({_HYPHENATED}|{_HEX}{{32}})$",
    "examples": ["8d0c0b3e-5f0a-4d5e-9a53-1c2f5f1c7a10"],
}
_TEXT = {"type": "string", "minLength": 1, "maxLength": filters.LONGEST_TEXT}

# The most derived class first.
_SCHEMAS: list[tuple[type, Callable[[Any], dict[str, Any]]]] = [
    (filters.UUIDFilter, lambda found: UUID_IN),
    (filters.TimeFilter, lambda found: {"type": "string", "format": "date-time"}),
    (filters.SecondsFilter, lambda found: {"type": "number", "minimum": 0}),
    (filters.BooleanFilter, lambda found: {"type": "boolean"}),
    (filters.ChoiceFilter, lambda found: {"type": "string", "enum": found.choices}),
    (filters.EachTextFilter, lambda found: {"type": "array", "items": _TEXT}),
    (filters.TextFilter, lambda found: _TEXT),
    (SearchFilter, lambda found: {"type": "string"}),
]

# The description of each filter, for every list that has it.
_MEANINGS = {
    "channel": "Recordings of this channel.",
    "owner": "Of channels of this owner. In the list of channels this needs the scope `channels`.",
    "state": "Channels that are live, or offline.",
    "active": "`true`: shown rows; `false`: hidden or deleted rows, which need a scope.",
    "tag": "If repeated: videos that have all of these tags.",
    "started_after": "Started at this time or later.",
    "started_before": "Started before this time.",
    "min_duration": "Seconds, inclusive; decimals are allowed.",
    "max_duration": "Seconds, inclusive; decimals are allowed.",
    "metadata": "`metadata[key]=value`: videos whose metadata has this value under this key.",
    "status": "Needs the scope `curate`, and replaces that part of “listed”.",
    "listing": "Needs the scope `curate`, and replaces “listed”.",
    "search": 'Words that must all occur; `"a phrase"`, `or` and `-not` are understood.',
    "ordering": "`relevance` needs a search, and is its default order.",
    "prefix": "Tags that begin with this.",
}


def filter_parameters(filterset_class: Any) -> list[OpenApiParameter]:
    """Return the query parameters of a filter set.

    Raises:
        KeyError: a filter has no meaning above.
    """
    made = []
    for name, found in filterset_class.base_filters.items():
        schema = next(make for kind, make in _SCHEMAS if isinstance(found, kind))(found)
        made.append(_query(name, _MEANINGS[name], schema))
    if filterset_class.takes("metadata[key]"):
        schema = {
            "type": "object",
            "additionalProperties": {**_TEXT, "minLength": 0},
            "propertyNames": {"minLength": 1, "maxLength": METADATA_KEY_LENGTH},
            # Without an example Swagger UI fills in made-up text.
            "examples": [{}],
        }
        made.append(_query("metadata", _MEANINGS["metadata"], schema, style="deepObject", explode=True))
    return made


def paging_parameters() -> list[OpenApiParameter]:
    """Return the parameters of `PagePagination`, which uses the default for a malformed page or size."""
    size = "Rows of a page, at most 100 unless configured. Anything but a whole number from 1 counts as 25."
    page = "The page, from 1. Anything but a whole number from 1 counts as 1."
    cursor = "The position in the list, from the link `next`; not together with `page`."
    return [
        _query("page", page, {"type": ["integer", "string"], "examples": [1]}),
        _query("pageSize", size, {"type": ["integer", "string"], "examples": [25]}),
        _query("cursor", cursor, {"type": "string"}),
    ]


def _query(name: str, text: str, schema: dict[str, Any], **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=text, **options)
