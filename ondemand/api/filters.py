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
    """A text in web-search syntax. Any text is valid, as for the predecessor; a blank one is no search."""

    def to_python(self, value: Any) -> str:
        return str(value or "").encode(errors="replace").decode().replace("\0", " ").strip()


class SearchFilter(Filter):
    """Filter by a search."""

    field_class = SearchField


class VideoFilterForm(forms.Form):
    """Checks that need more than one parameter."""

    def clean(self) -> dict[str, Any]:
        """Refuse the order `relevance` without a search."""
        values = self.cleaned_data
        if values.get("ordering") == "relevance" and not values.get("search"):
            self.add_error("ordering", "relevance goes with a search.")
        return values


def _unfiltered(videos: VideoQuerySet, name: str, value: Any) -> VideoQuerySet:
    """Return all of them: `filter_queryset`, or the order of the list, uses the value."""
    return videos


class VideoFilterSet(StrictFilterSet):
    """Listed videos, unless a curator asks for others; `metadata[key]` filters by a value of the metadata."""

    scopes = {"status": "curate", "active": "curate", "listing": "curate"}

    search = SearchFilter(method=lambda videos, _, text: search_videos(videos, text))
    channel = UUIDFilter(field_name="channel_id")
    owner = UUIDFilter(field_name="channel__owner")
    tag = EachTextFilter(method=lambda videos, _, tags: videos.tagged(tags))
    started_after = TimeFilter(field_name="started_at", lookup_expr="gte")
    started_before = TimeFilter(field_name="started_at", lookup_expr="lt")
    min_duration = SecondsFilter(
        method=lambda videos, _, seconds: videos.filter(GreaterThanOrEqual(LENGTH_KEY, ceil(seconds * 1000)))
    )
    max_duration = SecondsFilter(
        method=lambda videos, _, seconds: videos.filter(LessThanOrEqual(LENGTH_KEY, floor(seconds * 1000)))
    )
    status = ChoiceFilter(choices=Video.Status.values, method=_unfiltered)
    active = BooleanFilter(method=_unfiltered)
    listing = ChoiceFilter(choices=Listing, method=_unfiltered)
    ordering = ChoiceFilter(choices=ORDERINGS, method=_unfiltered)

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
        """Return the listed videos, or the others that a curator requests, that match all filters."""
        status, active, listing = (self.form.cleaned_data[name] for name in ("status", "active", "listing"))
        if listing is not None:
            videos = queryset.with_listing(listing, self.at).in_state(status=status, active=active)
        elif status is None and active is None:
            videos = queryset.listed(self.at)
        else:
            videos = queryset.listed_ignoring(self.at, status=status, active=active)
        return super().filter_queryset(videos)


class MetadataFilter(TextFilter):
    """Filter by an exact value of the metadata."""

    shortest = 0

    def filter(self, qs: VideoQuerySet, value: str | None) -> VideoQuerySet:
        found = _METADATA.fullmatch(self.field_name)
        return qs.filter(metadata__contains={found[1]: value}) if found and value is not None else qs


class TagFilterSet(StrictFilterSet):
    """Filter tags by their beginning, in any letter case."""

    prefix = TextFilter(field_name="tag", lookup_expr="istartswith")
