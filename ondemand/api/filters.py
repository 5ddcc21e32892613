"""The filters of the lists of videos and tags."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, Q
from django.http import QueryDict
from django_filters import Filter

from channels_app.models import Channel
from common.rest.compiled import Parameter
from common.rest.filters import (
    BooleanFilter,
    ChoiceFilter,
    EachTextFilter,
    SecondsFilter,
    StrictFilterSet,
    TextFilter,
    TimeFilter,
    UUIDFilter,
)
from ondemand.models import Video
from ondemand.models.index import ORDERINGS, has_tags, of_channels
from ondemand.models.publication import Listing
from ondemand.search.lists import VideoKeys, all_of, keys_in_state, keys_of_listing
from ondemand.search.words import QUERY, words_of
from ondemand.videos.limits import METADATA_KEY_LENGTH

_METADATA = re.compile(rf"metadata\[([^\0\ud800-\udfff]{{1,{METADATA_KEY_LENGTH}}})\]", re.DOTALL)
# The conditions of the filters that the index of values serves.
_VALUES: Mapping[str, Callable[[Any], Q]] = {
    "search": lambda _: Q(search=QUERY),
    "tag": has_tags,
    "owner": lambda owner: of_channels(list(Channel.objects.owned_by(owner))),
}
_AT = Parameter("at", DateTimeField())
_STARTS, _LENGTHS = ("started_after", "started_before"), ("min_duration", "max_duration")


class SearchFilter(Filter):
    """Filter by a search in web-search syntax. Any text is valid, as for the predecessor; a blank one is no search."""

    schema = {"type": "string"}

    def value_in(self, query: QueryDict, name: str) -> str | None:
        """Return the text; None if there is no search."""
        text = query.get(name, "").strip()
        return text.encode(errors="replace").decode().replace("\0", " ") or None


class MetadataFilter(TextFilter):
    """Filter by an exact value of the metadata."""

    shortest = 0
    schema = {**TextFilter.schema, "minLength": 0}


class VideoFilterSet(StrictFilterSet):
    """Listed videos, unless a curator asks for others; `metadata[key]` filters by a value of the metadata."""

    scopes = {"status": "curate", "active": "curate", "listing": "curate"}

    search = SearchFilter(help_text='Words that must all occur; `"a phrase"`, `or` and `-not` are understood.')
    channel = UUIDFilter(field_name="channel_id", help_text="Of this channel.")
    owner = UUIDFilter(help_text="Of channels of this owner.")
    tag = EachTextFilter(help_text="If repeated: videos that have all of these tags.")
    started_after = TimeFilter(field_name="start_key", lookup_expr="gte", help_text="Started at this time or later.")
    started_before = TimeFilter(field_name="start_key", lookup_expr="lt", help_text="Started before this time.")
    min_duration = SecondsFilter(
        field_name="length_key", lookup_expr="gte", help_text="Seconds, inclusive; decimals are allowed."
    )
    max_duration = SecondsFilter(
        field_name="length_key", lookup_expr="lte", help_text="Seconds, inclusive; decimals are allowed."
    )
    status = ChoiceFilter(
        choices=Video.Status.values, help_text="Needs the scope `curate`, and replaces that part of “listed”."
    )
    active = BooleanFilter(help_text="`true`: shown videos; `false`: hidden ones. Needs the scope `curate`.")
    listing = ChoiceFilter(choices=Listing, help_text="Needs the scope `curate`, and replaces “listed”.")
    ordering = ChoiceFilter(
        choices=[*ORDERINGS, "relevance"], help_text="`relevance` needs a search, and is its default order."
    )
    # `metadata[key]`, by its name in the description of the API.
    by_key = {
        "metadata": MetadataFilter(
            help_text="`metadata[key]=value`: videos whose metadata has this value under this key."
        )
    }

    def __init__(self, data: QueryDict, *, at: datetime, **options: Any) -> None:
        super().__init__(data, **options)
        self.at = at
        by_metadata = {name: MetadataFilter(field_name=name) for name in data if _METADATA.fullmatch(name)}
        self.filters = {**self.base_filters, **by_metadata}

    def clean(self) -> None:
        """Refuse the order `relevance` without a search."""
        super().clean()
        if self.values.get("ordering") == "relevance" and not self.values.get("search"):
            self.faults["ordering"] = ["relevance goes with a search."]

    @classmethod
    def takes(cls, name: str) -> bool:
        """Return whether a parameter of this name is a filter."""
        return super().takes(name) or bool(_METADATA.fullmatch(name))

    def filter_queryset(self, queryset: Any) -> VideoKeys:
        """Return the listed videos, or the others that a curator requests, that match all filters, in their order.

        Those of a search by relevance are in the order of their start.
        """
        given = {name: value for name, value in self.values.items() if value is not None}
        metadata = {found[1]: given[name] for name in given if (found := _METADATA.fullmatch(name))}
        values = all_of(condition(given[name]) for name, condition in _VALUES.items() if name in given)
        state = {name: given.get(name) for name in ("status", "active")}
        # Another state replaces its part of "listed".
        is_of_listing = "listing" in given
        keys = keys_of_listing(self.at, given["listing"], **state) if is_of_listing else keys_in_state(_AT, **state)
        keys = replace(keys, given={"at": self.at, **words_of(given.get("search", ""))})
        return keys.where(
            ordering=self.values["ordering"] if self.values["ordering"] in ORDERINGS else "newest",
            channel=given.get("channel"),
            values=values & Q(metadata__contains=metadata) if metadata else values,
            ranges={"start_key": Q(**self._lookups(_STARTS)), "length_key": Q(**self._lookups(_LENGTHS))},
        )

    @property
    def is_of_curators(self) -> bool:
        """Return whether other videos than listed ones are requested."""
        return any(self.values[name] is not None for name in self.scopes)

    def _lookups(self, names: Iterable[str]) -> dict[str, Any]:
        filters = {name: self.filters[name] for name in names if self.values[name] is not None}
        return {f"{each.field_name}__{each.lookup_expr}": self.values[name] for name, each in filters.items()}


class TagFilterSet(StrictFilterSet):
    """Filter tags by their beginning, in any letter case."""

    prefix = TextFilter(field_name="tag", lookup_expr="istartswith", help_text="Tags that begin with this.")
