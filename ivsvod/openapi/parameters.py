"""Parameters of queries, read off the filter sets of the views."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter

from channels_app import filters
from ivsvod.openapi.operations import Operation
from ondemand.filters import SearchFilter
from ondemand.limits import METADATA_KEY_LENGTH

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
    (filters.MomentFilter, lambda found: {"type": "string", "format": "date-time"}),
    (filters.SecondsFilter, lambda found: {"type": "number", "minimum": 0}),
    (filters.BooleanFilter, lambda found: {"type": "boolean"}),
    (filters.WordFilter, lambda found: {"type": "string", "enum": found.field.words}),
    (filters.EachTextFilter, lambda found: {"type": "array", "items": _TEXT}),
    (filters.TextFilter, lambda found: _TEXT),
    (SearchFilter, lambda found: {"type": "string"}),
]

# What a filter means, in a line; each is said once, for every list that has it.
_MEANINGS = {
    "channel": "Recordings of this channel.",
    "owner": "Of channels of this owner. In the list of channels this needs the scope `channels`.",
    "state": "Channels that are live, or offline.",
    "active": "`true`: what is shown; `false`: what is hidden or deleted, for which a scope is needed.",
    "tag": "Given several times: videos that have all of these tags.",
    "started_after": "Not started before this moment.",
    "started_before": "Started before this moment.",
    "min_duration": "Seconds, inclusive; decimals are allowed.",
    "max_duration": "Seconds, inclusive; decimals are allowed.",
    "metadata": "`metadata[key]=value`: videos whose metadata has this value under this key.",
    "status": "Needs the scope `curate`, and takes the place of that part of “listed”.",
    "listing": "Needs the scope `curate`, and takes the place of “listed”.",
    "search": 'Words that must all occur; `"a phrase"`, `or` and `-not` are understood.',
    "ordering": "`relevance` needs a search, and is the order of one where nothing else is said.",
    "prefix": "Tags that begin with this.",
}


def filter_parameters(view: Any, operation: Operation) -> list[OpenApiParameter]:
    """The filters of a list.

    Raises:
        KeyError: one has no meaning above.
    """
    filterset_class = getattr(view, "filterset_class", None)
    if filterset_class is None or not operation.page_of:
        return []
    made = [_parameter(name, found) for name, found in filterset_class.base_filters.items()]
    return [*made, _metadata()] if filterset_class.takes("metadata[key]") else made


def paging_parameters() -> list[OpenApiParameter]:
    """What `PagePagination` reads; nonsense in the first two counts as the default."""
    size = "Rows of a page, cut at the maximum, 100 unless configured. What is no whole number from 1 counts as 25."
    page = "The page, from 1. What is no whole number from 1 counts as 1."
    return [
        _query("page", page, {"type": ["integer", "string"], "examples": [1]}),
        _query("pageSize", size, {"type": ["integer", "string"], "examples": [25]}),
        _query("cursor", "The place of a walk, from the link `next`; not together with `page`.", {"type": "string"}),
    ]


def _parameter(name: str, found: Any) -> OpenApiParameter:
    schema = next(make for kind, make in _SCHEMAS if isinstance(found, kind))(found)
    return _query(name, _MEANINGS[name], schema)


def _metadata() -> OpenApiParameter:
    schema = {
        "type": "object",
        "additionalProperties": {**_TEXT, "minLength": 0},
        "propertyNames": {"minLength": 1, "maxLength": METADATA_KEY_LENGTH},
        # Swagger UI fills in what it makes up where there is none.
        "examples": [{}],
    }
    query = OpenApiParameter.QUERY
    return OpenApiParameter(
        "metadata", schema, query, description=_MEANINGS["metadata"], style="deepObject", explode=True
    )


def _query(name: str, text: str, schema: dict[str, Any]) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=text)
