"""The pages of the list of videos that the index of videos finds."""

from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import QueryDict

from common.admin import pages
from ondemand.admin.filters import ChannelFilter, ListingFilter, StartedFilter, TagFilter, channel_uuids, tag_text
from ondemand.admin.periods import parse_period
from ondemand.models import Video
from ondemand.search.lists import VideoQuery, find_videos
from ondemand.search.lookups import videos_of_address, videos_of_id

_SEARCHED = {"q", str(TagFilter.parameter_name), str(ListingFilter.parameter_name)}
_TAKEN = {"p", *_SEARCHED, str(StartedFilter.parameter_name), str(ChannelFilter.parameter_name), ChannelFilter.exact}


class IndexPaginator(pages.LongPaginator):
    """Pages of the videos of a query, read from the index.

    With a search or a tag, PostgreSQL would guess how many videos match, and sort or walk too many of them.
    """

    def __init__(self, query: VideoQuery, rows: QuerySet[Video], per_page: int) -> None:
        super().__init__(rows, per_page)
        self.query = query

    @cached_property
    def newest(self) -> list[UUID]:
        """Return the first videos, one more than are counted."""
        return self.nearest("newest", pages.COUNTED + 1)

    @cached_property
    def _counted(self) -> int:
        return len(self.newest)

    def page(self, number: Any) -> Page[Any]:
        """Return a page; a page from the end is read backwards."""
        page = self.validate_number(number)
        if page > 0:
            uuids = self.newest[(page - 1) * self.per_page : min(page * self.per_page, pages.COUNTED)]
        else:
            uuids = self.nearest("oldest", -page * self.per_page)[(-page - 1) * self.per_page :]
        return Page(self.object_list.filter(pk__in=uuids), page, self)

    def nearest(self, order: str, count: int, after: list[Any] | None = None) -> list[UUID]:
        """Return the first videos of the order, or the first ones after a position."""
        return [found.uuid for found in find_videos(query=self.query, order=order, position=after, limit=count)]


def index_query(query: QueryDict, at: datetime) -> VideoQuery | None:
    """Return the query of the list of staff; None if the index does not have all of its conditions."""
    given = {name: str(text).strip() for name, text in query.items() if str(text).strip()}
    text = given.get("q", "")
    is_found = given.keys() <= _TAKEN and given.keys() & _SEARCHED
    if not is_found or (text and (videos_of_address(text) is not None or videos_of_id(text))):
        return None
    tag, listing, period = tag_text(given.get("tag", "")), given.get("listing"), parse_period(given.get("started", ""))
    return VideoQuery(
        at=at,
        any_listing=True,
        search=text,
        tags=[tag] if tag else [],
        among_channels=channel_uuids(given.get(ChannelFilter.exact) or given.get("channel", "")),
        lookups={"start_key__gte": period.begin, "start_key__lt": period.end} if period else {},
        listing=listing if listing in ListingFilter.labels else None,
    )
