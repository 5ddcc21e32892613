"""The filters of the lists of videos and tags."""

import re
from datetime import datetime
from typing import Any

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
from ondemand.models.index import ORDERINGS, VideoIndexQuerySet
from ondemand.models.publication import Listing
from ondemand.videos.limits import METADATA_KEY_LENGTH
from ondemand.videos.lists import VideoKeys
from ondemand.videos.search import search_query

_METADATA = re.compile(rf"metadata\[([^\0\ud800-\udfff]{{1,{METADATA_KEY_LENGTH}}})\]", re.DOTALL)


class SearchFilter(Filter):
    """Filter by a search in web-search syntax. Any text is valid, as for the predecessor; a blank one is no search."""

    def value_in(self, query: QueryDict, name: str) -> str | None:
        """Return the text; None if there is no search."""
        return query.get(name, "").encode(errors="replace").decode().replace("\0", " ").strip() or None


def _unfiltered(rows: VideoIndexQuerySet, name: str, value: Any) -> VideoIndexQuerySet:
    """Return all of them: `VideoFilterSet.filter_queryset` or the ViewSet uses the value."""
    return rows


class VideoFilterSet(StrictFilterSet):
    """Listed videos, unless a curator asks for others; `metadata[key]` filters by a value of the metadata."""

    scopes = {"status": "curate", "active": "curate", "listing": "curate"}
    # The filters that the index of an order serves.
    served = {
        **dict.fromkeys(("newest", "oldest"), ("channel", "started_after", "started_before")),
        **dict.fromkeys(("longest", "shortest"), ("min_duration", "max_duration")),
        "title": (),
    }

    search = SearchFilter(method=lambda rows, _, text: rows.matching(search_query(text)))
    channel = UUIDFilter(field_name="channel_id")
    owner = UUIDFilter(method=lambda rows, _, owner: rows.filter(channel_id__in=Channel.objects.owned_by(owner)))
    tag = EachTextFilter(method=lambda rows, _, tags: rows.tagged(tags))
    started_after = TimeFilter(field_name="start_key", lookup_expr="gte")
    started_before = TimeFilter(field_name="start_key", lookup_expr="lt")
    min_duration = SecondsFilter(field_name="length_key", lookup_expr="gte")
    max_duration = SecondsFilter(field_name="length_key", lookup_expr="lte")
    status = ChoiceFilter(choices=Video.Status.values, method=_unfiltered)
    active = BooleanFilter(method=_unfiltered)
    listing = ChoiceFilter(choices=Listing, method=_unfiltered)
    ordering = ChoiceFilter(choices=[*ORDERINGS, "relevance"], method=_unfiltered)

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

    def filter_queryset(self, queryset: VideoIndexQuerySet) -> VideoKeys:
        """Return the listed videos, or the others that a curator requests, that match all filters, in their order.

        Those of a search by relevance are in the order of their start.
        """
        ordering, values = self.order, self.values
        rows, others = self.wanted(queryset), dict(values)
        for name in self.served[ordering]:
            rows = self.filters[name].filter(rows, others.pop(name))
        matches = rows
        for name, value in others.items():
            matches = self.filters[name].filter(matches, value)
        return VideoKeys(matches, None if self.is_of_curators else rows, ordering)

    @property
    def order(self) -> str:
        """Return the order of the index in which the videos are read."""
        ordering = self.values["ordering"]
        return ordering if ordering in ORDERINGS else "newest"

    def served_lookups(self) -> dict[str, Any] | None:
        """Return the lookups of the given filters, with their values; None if the index does not serve all of them."""
        served, lookups = self.served[self.order], {}
        for name, value in self.values.items():
            if name in served and value is not None:
                lookups[f"{self.filters[name].field_name}__{self.filters[name].lookup_expr}"] = value
            elif value is not None and name != "ordering":
                return None
        return lookups

    @property
    def is_of_curators(self) -> bool:
        """Return whether other videos than listed ones are requested."""
        return any(self.values[name] is not None for name in self.scopes)

    def wanted(self, rows: VideoIndexQuerySet) -> VideoIndexQuerySet:
        """Return the rows of listed videos, or of those that a curator requests."""
        if not self.is_of_curators:
            return rows.listed(self.at)
        status, active, listing = (self.values[name] for name in ("status", "active", "listing"))
        if listing is not None:
            videos = Video.objects.with_listing(listing, self.at).in_state(status=status, active=active)
        else:
            videos = Video.objects.listed_ignoring(self.at, status=status, active=active)
        return rows.filter(video__in=videos)


class MetadataFilter(TextFilter):
    """Filter by an exact value of the metadata."""

    shortest = 0

    def filter(self, qs: VideoIndexQuerySet, value: str | None) -> VideoIndexQuerySet:
        found = _METADATA.fullmatch(self.field_name)
        return qs.filter(video__metadata__contains={found[1]: value}) if found and value is not None else qs


class TagFilterSet(StrictFilterSet):
    """Filter tags by their beginning, in any letter case."""

    prefix = TextFilter(field_name="tag", lookup_expr="istartswith")
