"""The one search query: the stored vector against the web-search syntax of the predecessor."""

import re

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F, QuerySet

from ondemand.models import Video

# A rank falls with the length of the text, so that a short title counts more than a long description.
# https://www.postgresql.org/docs/current/textsearch-controls.html#TEXTSEARCH-RANKING
_DIVIDE_BY_LOG_LENGTH = 1
# Each "not" is put on a stack of PostgreSQL that holds few; two of them in a row are as good as none, and one is kept.
_NOTS = re.compile(r"-[-\s]*-")
# PostgreSQL reads a query by recursion, and runs out of stack in one of some ten thousand words.
_LONGEST = 5000


def search_videos(videos: QuerySet[Video], text: str) -> QuerySet[Video]:
    """The videos that match, best first, each with its `rank`: quoted phrases, `or` and `-not` are understood.

    Of a very long text the beginning counts.
    """
    query = SearchQuery(_readable(text), search_type="websearch", config="english")
    rank = SearchRank(F("content__search"), query, cover_density=True, normalization=_DIVIDE_BY_LOG_LENGTH)
    matching = videos.filter(content__search=query).annotate(rank=rank)
    return matching.order_by("-rank", F("started_at").desc(nulls_last=True), "-uuid")


def _readable(text: str) -> str:
    return _NOTS.sub("-", text[:_LONGEST].replace("\0", " "))
