"""The one search query: the stored vector against the web-search syntax of the predecessor."""

import re

from django.contrib.postgres.search import SearchConfig, SearchHeadline, SearchQuery, SearchRank
from django.db.models import F, FloatField, Func, TextField, Value
from django.db.models.functions import Cast, Left, NullIf
from django.utils.html import escape

from channels_app.ranked import Ranked
from ondemand.catalogue import VideoQuerySet
from ondemand.models import Video

# Of more matches than these the newest are ranked; the others follow, newest first.
RANKED = 5_000
# The configuration of the stored vectors; see `derivation.search_config_set`.
_CONFIG = SearchConfig(Func(function="ivsvod_search_config"))
# A rank falls with the length of the text, so that a short title counts more than a long description.
# https://www.postgresql.org/docs/current/textsearch-controls.html#TEXTSEARCH-RANKING
_DIVIDE_BY_LOG_LENGTH = 1
# Each "not" is put on a stack of PostgreSQL that holds few; two of them in a row are as good as none, and one is kept.
_NOTS = re.compile(r"-[-\s]*-")
# PostgreSQL reads a query by recursion, and runs out of stack in one of some ten thousand words; and the cost of an
# excerpt grows with the square of the number of words.
_LONGEST = 1000
# What the excerpt is made from: the beginning of each text.
_EXCERPTED = {"content__title": 500, "content__description": 10_000}
_EXCERPTED_TAGS = 2000
# The marks of a hit until the text around them is escaped: characters that mean nothing, and are taken out before.
_MARK, _END = "\ue000", "\ue001"


def search_videos(videos: VideoQuerySet, text: str) -> VideoQuerySet:
    """The videos that match, each with its `rank` and `marked`: quoted phrases, `or` and `-not` are understood.

    Of a very long text the beginning counts.
    """
    query = SearchQuery(_readable(text), search_type="websearch", config=_CONFIG)
    rank = SearchRank(F("content__search"), query, cover_density=True, normalization=_DIVIDE_BY_LOG_LENGTH)
    # In double precision, so that the number in a cursor is that of the row.
    matching = videos.filter(content__search=query)
    return matching.annotate(rank=Cast(rank, FloatField()), marked=_marked(query))


def best_first(videos: VideoQuerySet) -> Ranked[VideoQuerySet]:
    """The newest `RANKED` of the found videos in order of their rank, and after these the others, newest first."""
    return Ranked(videos.in_order("newest"), lambda rows: rows.in_order("relevance"), RANKED)


def highlight(video: Video) -> str:
    """An excerpt of what was found, as HTML: the words of the search stand in `<mark>`, all else is escaped."""
    marked: str = video.marked  # type: ignore[attr-defined]
    return escape(marked).replace(_MARK, "<mark>").replace(_END, "</mark>")


def _marked(query: SearchQuery) -> SearchHeadline:
    """Title, description and tags in short, with `_MARK` and `_END` around the words of the search."""
    tags = Func(F("content__tags"), Value(", "), function="array_to_string", output_field=TextField())
    texts = [*(Left(name, length) for name, length in _EXCERPTED.items()), Left(tags, _EXCERPTED_TAGS)]
    text = Func(Value(" – "), *(NullIf(text, Value("")) for text in texts), function="concat_ws")  # noqa: RUF001
    plain = Func(text, Value(_MARK + _END), Value(""), function="translate", output_field=TextField())
    return SearchHeadline(
        plain,
        query,
        config=_CONFIG,
        start_sel=_MARK,
        stop_sel=_END,
        max_fragments=2,
        max_words=25,
        min_words=10,
        fragment_delimiter=" … ",
    )


def _readable(text: str) -> str:
    return _NOTS.sub("-", text[:_LONGEST].replace("\0", " "))
