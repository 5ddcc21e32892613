"""The filters of the lists of videos and tags."""

import re
from datetime import datetime
from math import ceil, floor
from typing import Any

from django import forms
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual
from django_filters import Filter

from ivsvod.rest.filters import (
    BooleanFilter,
    ChoiceFilter,
    EachTextFilter,
    SecondsFilter,
    StrictFilterSet,
    StrictValueField,
    TextFilter,
    TimeFilter,
    UUIDFilter,
)
from ondemand.models import Video
from ondemand.models.publication import Listing
from ondemand.models.querysets import LENGTH_KEY, ORDERINGS, VideoQuerySet
from ondemand.videos.limits import METADATA_KEY_LENGTH
from ondemand.videos.search import search_videos

_METADATA = re.compile(rf"metadata\[([^\0\ud800-\udfff]{{1,{METADATA_KEY_LENGTH}}})\]", re.DOTALL)


class SearchField(forms.CharField):
    """A text in web-search syntax. Any text is valid, as for the predecessor; blank is as if absent."""

    def to_python(self, value: Any) -> str:
        """Return the text; empty if it is blank or absent."""
        return str(value or "").encode(errors="replace").decode().replace("\0", " ").strip()


class SearchFilter(Filter):
    """Filter by a search."""

    field_class = SearchField


class VideoFilterForm(forms.Form):
    """Checks that need more than one parameter."""

    def clean(self) -> dict[str, Any]:
        """Return the values, and refuse the order `relevance` without a search."""
        values = self.cleaned_data
        if values.get("ordering") == "relevance" and not values.get("search"):
            self.add_error("ordering", "relevance goes with a search.")
        return values


class VideoFilterSet(StrictFilterSet):
    """Listed videos, unless a curator asks for others; `metadata[key]` filters by a value of the metadata."""

    scopes = {"status": "curate", "active": "curate", "listing": "curate"}

    search = SearchFilter(method="matching")
    channel = UUIDFilter(field_name="channel_id")
    owner = UUIDFilter(field_name="channel__owner")
    tag = EachTextFilter(method="tagged")
    started_after = TimeFilter(field_name="started_at", lookup_expr="gte")
    started_before = TimeFilter(field_name="started_at", lookup_expr="lt")
    min_duration = SecondsFilter(method="longer")
    max_duration = SecondsFilter(method="shorter")
    status = ChoiceFilter(choices=Video.Status.values, method="unfiltered")
    active = BooleanFilter(method="unfiltered")
    listing = ChoiceFilter(choices=Listing, method="unfiltered")
    ordering = ChoiceFilter(choices=ORDERINGS, method="unfiltered")

    class Meta:
        form = VideoFilterForm

    def __init__(self, data: Any = None, *, at: datetime, **options: Any) -> None:
        super().__init__(data, **options)
        self.at = at
        for name in data or ():
            if _METADATA.fullmatch(name):
                self.filters[name] = MetadataFilter(field_name=name)

    @classmethod
    def takes(cls, name: str) -> bool:
        """Return whether a parameter of this name is a filter."""
        return super().takes(name) or bool(_METADATA.fullmatch(name))

    def filter_queryset(self, queryset: VideoQuerySet) -> VideoQuerySet:
        """Return the videos that the query asks for: listed ones, or what a curator asks for in place of these."""
        status, active, listing = (self.form.cleaned_data[name] for name in ("status", "active", "listing"))
        if listing is not None:
            videos = queryset.with_listing(listing, self.at).in_state(status=status, active=active)
        elif status is None and active is None:
            videos = queryset.listed(self.at)
        else:
            videos = queryset.listed_but(self.at, status=status, active=active)
        return super().filter_queryset(videos)

    def matching(self, videos: VideoQuerySet, name: str, value: str) -> VideoQuerySet:
        """Return the videos whose title, description or tags match."""
        return search_videos(videos, value)

    def tagged(self, videos: VideoQuerySet, name: str, value: list[str]) -> VideoQuerySet:
        """Return the videos that have all of these tags."""
        return videos.tagged(value)

    def longer(self, videos: VideoQuerySet, name: str, value: Any) -> VideoQuerySet:
        """Return the videos of at least so many seconds."""
        return videos.filter(GreaterThanOrEqual(LENGTH_KEY, ceil(value * 1000)))

    def shorter(self, videos: VideoQuerySet, name: str, value: Any) -> VideoQuerySet:
        """Return the videos of at most so many seconds."""
        return videos.filter(LessThanOrEqual(LENGTH_KEY, floor(value * 1000)))

    def unfiltered(self, videos: VideoQuerySet, name: str, value: Any) -> VideoQuerySet:
        """Return all of them: `filter_queryset`, or the order of the list, uses the value."""
        return videos


class MetadataFilter(Filter):
    """Filter by an exact value of the metadata."""

    field_class = StrictValueField

    def filter(self, qs: VideoQuerySet, value: str | None) -> VideoQuerySet:
        """Return the videos with this value at the key."""
        found = _METADATA.fullmatch(self.field_name)
        return qs.filter(metadata__contains={found[1]: value}) if found and value is not None else qs


class TagFilterSet(StrictFilterSet):
    """Filter tags by their beginning, in any letter case."""

    prefix = TextFilter(field_name="tag", lookup_expr="istartswith")
