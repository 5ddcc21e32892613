"""The filters of the lists of videos and tags."""

import re
from dataclasses import fields
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django_filters import Filter

from channels_app.models import Channel
from common.rest.filters import (
    BooleanFilter,
    ChoiceFilter,
    EachTextFilter,
    SecondsFilter,
    StrictFilter,
    StrictFilterSet,
    TextFilter,
    TimeFilter,
    UUIDFilter,
)
from ondemand.models import Video, VideoIndex
from ondemand.models.index import ORDERINGS
from ondemand.models.publication import Listing
from ondemand.search.lists import VideoQuery
from ondemand.videos.limits import METADATA_KEY_LENGTH

_METADATA = re.compile(rf"metadata\[([^\0\ud800-\udfff]{{1,{METADATA_KEY_LENGTH}}})\]", re.DOTALL)
# The fields of `VideoQuery` that filters fill; every other filter is of a column of the index.
_QUERY_FIELDS = {each.name for each in fields(VideoQuery)}
_COLUMNS = {each.attname for each in VideoIndex._meta.concrete_fields}


class SearchFilter(StrictFilter):
    """Filter by a search in web-search syntax. Any text is valid, as for the predecessor; a blank one is no search."""

    schema = {"type": "string"}

    def value_in(self, query: QueryDict, name: str) -> str | None:
        """Return the text; None if there is no search."""
        return self.read(query.get(name, "")) or None

    def read(self, text: str) -> str:
        return text.strip().encode(errors="replace").decode().replace("\0", " ")


class OwnerFilter(UUIDFilter):
    """Filter by the owner of channels: its value is the channels' uuids."""

    def read(self, text: str) -> Any:
        return list(Channel.objects.owned_by(super().read(text)))


class MetadataFilter(TextFilter):
    """Filter by an exact value of the metadata."""

    shortest = 0
    schema = {**TextFilter.schema, "minLength": 0}


class VideoFilterSet(StrictFilterSet):
    """Listed videos, unless a curator asks for others; `metadata[key]` filters by a value of the metadata."""

    search = SearchFilter(help_text='Words that must all occur; `"a phrase"`, `or` and `-not` are understood.')
    channel = UUIDFilter(help_text="Of this channel.")
    owner = OwnerFilter(field_name="among_channels", help_text="Of channels of this owner.")
    tag = EachTextFilter(field_name="tags", help_text="If repeated: videos that have all of these tags.")
    started_after = TimeFilter(field_name="start_key", lookup_expr="gte", help_text="Started at this time or later.")
    started_before = TimeFilter(field_name="start_key", lookup_expr="lt", help_text="Started before this time.")
    min_duration = SecondsFilter(
        field_name="length_key", lookup_expr="gte", help_text="Seconds, inclusive; decimals are allowed."
    )
    max_duration = SecondsFilter(
        field_name="length_key", lookup_expr="lte", help_text="Seconds, inclusive; decimals are allowed."
    )
    status = ChoiceFilter(
        choices=Video.Status.values,
        scope="curate",
        help_text="Needs the scope `curate`, and replaces that part of “listed”.",
    )
    active = BooleanFilter(
        scope="curate", help_text="`true`: shown videos; `false`: hidden ones. Needs the scope `curate`."
    )
    listing = ChoiceFilter(
        choices=Listing, scope="curate", help_text="Needs the scope `curate`, and replaces “listed”."
    )
    ordering = ChoiceFilter(
        choices=[*ORDERINGS, "relevance"],
        field_name="order",
        help_text="`relevance` needs a search, and is its default order.",
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

    @classmethod
    def applies(cls, each: Filter) -> bool:
        """Return whether a field of `VideoQuery` or a column of the index has the filter's `field_name`."""
        return each.field_name in {"order", *_QUERY_FIELDS, *_COLUMNS}

    @property
    def query(self) -> VideoQuery:
        """Return what the filters ask for."""
        asked: dict[str, Any] = {"at": self.at, "metadata": {}, "lookups": {}}
        for name, value in self.values.items():
            each = self.filters[name]
            if value is None or each.field_name == "order":
                continue
            if found := _METADATA.fullmatch(name):
                asked["metadata"][found[1]] = value
            elif each.field_name in _COLUMNS - _QUERY_FIELDS:
                asked["lookups"][f"{each.field_name}__{each.lookup_expr}"] = value
            else:
                asked[each.field_name] = value
        return VideoQuery(**asked)

    @property
    def order(self) -> str:
        """Return the order that is asked for; a search is in the order of relevance by default."""
        return self.values["ordering"] or ("relevance" if self.values["search"] else "newest")

    @property
    def qs(self) -> Any:
        """Raise TypeError: `find_videos` finds the videos of the `query`."""
        raise TypeError("find_videos takes the query of this filter set, which is no queryset")

    @property
    def is_of_curators(self) -> bool:
        """Return whether a filter is used that needs a scope: other videos than listed ones may be meant."""
        return any(self.values[name] is not None and each.scope for name, each in self.base_filters.items())


class TagFilterSet(StrictFilterSet):
    """Filter tags by their beginning, in any letter case."""

    prefix = TextFilter(field_name="tag", lookup_expr="istartswith", help_text="Tags that begin with this.")
