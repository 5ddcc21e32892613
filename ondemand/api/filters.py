"""The filters of the lists of videos and tags."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import reduce
from math import ceil, floor
from operator import and_
from typing import Any

from django.db.models import Q
from django.http import QueryDict
from django_filters import Filter

from channels_app.models import Channel
from ivsvod.rest.filters import (
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
from ondemand.videos.limits import METADATA_KEY_LENGTH
from ondemand.videos.lists import VideoKeys, keys_in_state, keys_of_listing
from ondemand.videos.search import search_query

_METADATA = re.compile(rf"metadata\[([^\0\ud800-\udfff]{{1,{METADATA_KEY_LENGTH}}})\]", re.DOTALL)
# The conditions of filters, by what serves them: the index of values, or that of an order.
_VALUES: Mapping[str, Callable[[Any], Q]] = {
    "search": lambda text: Q(search=search_query(text)),
    "tag": has_tags,
    "owner": lambda owner: of_channels(list(Channel.objects.owned_by(owner))),
}
_RANGES: Mapping[str, Mapping[str, Callable[[Any], Q]]] = {
    "start_key": {
        "started_after": lambda time: Q(start_key__gte=time),
        "started_before": lambda time: Q(start_key__lt=time),
    },
    "length_key": {
        "min_duration": lambda seconds: Q(length_key__gte=ceil(seconds * 1000)),
        "max_duration": lambda seconds: Q(length_key__lte=floor(seconds * 1000)),
    },
}


class SearchFilter(Filter):
    """Filter by a search in web-search syntax. Any text is valid, as for the predecessor; a blank one is no search."""

    def value_in(self, query: QueryDict, name: str) -> str | None:
        """Return the text; None if there is no search."""
        return query.get(name, "").encode(errors="replace").decode().replace("\0", " ").strip() or None


class MetadataFilter(TextFilter):
    """Filter by an exact value of the metadata."""

    shortest = 0


class VideoFilterSet(StrictFilterSet):
    """Listed videos, unless a curator asks for others; `metadata[key]` filters by a value of the metadata."""

    scopes = {"status": "curate", "active": "curate", "listing": "curate"}

    search = SearchFilter()
    channel = UUIDFilter()
    owner = UUIDFilter()
    tag = EachTextFilter()
    started_after = TimeFilter()
    started_before = TimeFilter()
    min_duration = SecondsFilter()
    max_duration = SecondsFilter()
    status = ChoiceFilter(choices=Video.Status.values)
    active = BooleanFilter()
    listing = ChoiceFilter(choices=Listing)
    ordering = ChoiceFilter(choices=[*ORDERINGS, "relevance"])

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
        metadata = {found[1]: self.values[name] for name in self.values if (found := _METADATA.fullmatch(name))}
        return self._listing().where(
            ordering=self.values["ordering"] if self.values["ordering"] in ORDERINGS else "newest",
            channel=self.values["channel"],
            values=self._all(_VALUES) & (Q(metadata__contains=metadata) if metadata else Q()),
            ranges={column: self._all(conditions) for column, conditions in _RANGES.items()},
        )

    @property
    def is_of_curators(self) -> bool:
        """Return whether other videos than listed ones are requested."""
        return any(self.values[name] is not None for name in self.scopes)

    def _listing(self) -> VideoKeys:
        """Return the listed videos, or those that a curator requests: another state replaces its part of "listed"."""
        listing, state = self.values["listing"], {name: self.values[name] for name in ("status", "active")}
        if listing is None:
            return keys_in_state(self.at, **state)
        return keys_of_listing(self.at, listing, **state)

    def _all(self, conditions: Mapping[str, Callable[[Any], Q]]) -> Q:
        given = ((self.values[name], condition) for name, condition in conditions.items())
        return reduce(and_, (condition(value) for value, condition in given if value not in (None, [])), Q())


class TagFilterSet(StrictFilterSet):
    """Filter tags by their beginning, in any letter case."""

    prefix = TextFilter(field_name="tag", lookup_expr="istartswith")
