"""The pages of the list of videos that the index of videos finds."""

from dataclasses import replace
from datetime import datetime
from functools import cached_property
from heapq import merge
from typing import Any

from django.core.paginator import Page
from django.db.models import Q, QuerySet
from django.http import QueryDict

from common.admin import pages
from ondemand.admin.filters import ChannelFilter, ListingFilter, StartedFilter, TagFilter, channel_uuids, tag_text
from ondemand.admin.periods import parse_period
from ondemand.models import Video
from ondemand.models.index import IS_LISTED, has_tags, of_channels
from ondemand.search.lists import VideoKey, VideoKeys, all_of, keys_of_listing
from ondemand.search.lookups import videos_of_address, videos_of_id
from ondemand.search.words import search_query

_SEARCHED = {"q", str(TagFilter.parameter_name), str(ListingFilter.parameter_name)}
_TAKEN = {"p", *_SEARCHED, str(StartedFilter.parameter_name), str(ChannelFilter.parameter_name), ChannelFilter.exact}


class IndexPaginator(pages.LongPaginator):
    """Pages of videos, read by their keys in the index; each of `parts` has some of them.

    With a search or a tag, PostgreSQL would guess how many videos match, and sort or walk too many of them.
    """

    def __init__(self, parts: list[VideoKeys], rows: QuerySet[Video], per_page: int) -> None:
        super().__init__(rows, per_page)
        self.parts = parts

    @cached_property
    def newest(self) -> list[VideoKey]:
        """Return the first keys, one more than are counted."""
        return self.keys("newest", pages.COUNTED + 1)

    @cached_property
    def _counted(self) -> int:
        return len(self.newest)

    def page(self, number: Any) -> Page[Any]:
        """Return a page; a page from the end is read backwards."""
        page = self.validate_number(number)
        if page > 0:
            keys = self.newest[(page - 1) * self.per_page : min(page * self.per_page, pages.COUNTED)]
        else:
            keys = self.keys("oldest", -page * self.per_page)[(-page - 1) * self.per_page :]
        return Page(self.object_list.filter(pk__in=[uuid for _, uuid in keys]), page, self)

    def keys(self, ordering: str, count: int, after: VideoKey | None = None) -> list[VideoKey]:
        """Return the first keys of all parts, or the first ones after a key."""
        parts = [replace(part, ordering=ordering) for part in self.parts]
        found = [(part.after(after) if after else part).read(0, count) for part in parts]
        return list(merge(*found, reverse=ordering == "newest"))[:count]


def found_parts(query: QueryDict, at: datetime) -> list[VideoKeys] | None:
    """Return the videos that the list of staff shows; None if the index does not have all conditions of the query."""
    given = {name: str(text).strip() for name, text in query.items() if str(text).strip()}
    text = given.get("q", "")
    is_found = given.keys() <= _TAKEN and given.keys() & _SEARCHED
    if not is_found or (text and (videos_of_address(text) is not None or videos_of_id(text))):
        return None
    listing, tag, period = given.get("listing"), tag_text(given.get("tag", "")), parse_period(given.get("started", ""))
    channels = channel_uuids(given.get(ChannelFilter.exact) or given.get("channel", ""))
    values = [
        *([Q(search=search_query(text))] if text else []),
        *([has_tags([tag])] if tag else []),
        *([of_channels(channels)] if channels is not None else []),
    ]
    started = Q(start_key__gte=period.begin, start_key__lt=period.end) if period else Q()
    if listing in ListingFilter.labels:
        parts = [keys_of_listing(at, listing, status=None, active=None)]
    else:
        parts = [VideoKeys(IS_LISTED), VideoKeys(~IS_LISTED)]
    return [part.where(ordering="newest", values=all_of(values), ranges={"start_key": started}) for part in parts]
