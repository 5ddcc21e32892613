"""The search of videos: stored vectors against a query in web-search syntax, as the predecessor's."""

import re
from itertools import islice
from operator import methodcaller
from typing import Any

from django.contrib.postgres.search import SearchConfig, SearchHeadline, SearchQuery, SearchRank
from django.db.models import F, FloatField, Func, QuerySet, TextField, Value
from django.db.models.functions import Cast, Left, NullIf
from django.utils.html import escape

from ivsvod.rest.ordering import Ranked
from ondemand.models import Video
from ondemand.models.querysets import VideoQuerySet

# Of more matches than these the newest are ranked; the others follow, newest first.
RANKED = 5_000
# The configuration of the stored vectors; see `ondemand.sql.backfill`.
_CONFIG = SearchConfig(Func(function="ivsvod_search_config"))
# A rank falls with the length of the text, so that a short title counts more than a long description.
# https://www.postgresql.org/docs/current/textsearch-controls.html#TEXTSEARCH-RANKING
_DIVIDE_BY_LOG_LENGTH = 1
# PostgreSQL keeps each "not" on a small stack; of several in a row one is kept.
_NOTS = re.compile(r"-[-\s]*-")
# PostgreSQL parses a query by recursion, and runs out of stack after some ten thousand words. The cost of a rank grows
# with the number of words, that of an excerpt with its square.
_LONGEST = 1000
MOST_WORDS = 32
# Runs of letters and digits, as PostgreSQL splits words; the operator "or" is none.
_WORD = re.compile(r"(?<![^\W_])(?!or(?![^\W_]))[^\W_]+", re.IGNORECASE)
# The number of characters, from the beginning of each text, from which the excerpt is made.
_EXCERPTED = {"content__title": 500, "content__description": 10_000}
_EXCERPTED_TAGS = 2000
# The marks of a match until the text is escaped: characters for private use, which are removed from the text before.
_MARK, _END = "\ue000", "\ue001"


def search_videos(videos: VideoQuerySet, text: str) -> VideoQuerySet:
    """Return the videos that match: quoted phrases, `or` and `-not` are understood.

    Of a text of very many words the beginning counts.
    """
    return videos.filter(content__search=_query(text))


def found_in_order(found: VideoQuerySet, text: str, order: str, shown: VideoQuerySet) -> Ranked[VideoQuerySet]:
    """Return the found videos in this order, each with `rank` and `marked`; the page is read from `shown`.

    By relevance: the newest `RANKED` in order of their rank, then the others, newest first.
    """
    is_best_first = order == "relevance"
    own_order = "newest" if is_best_first else order

    def rank(keys: QuerySet[Any, Any]) -> VideoQuerySet:
        query = _query(text)
        rank = SearchRank(F("content__search"), query, cover_density=True, normalization=_DIVIDE_BY_LOG_LENGTH)
        # In double precision, so that the number in a cursor is that of the row.
        videos = shown.filter(pk__in=keys).annotate(rank=Cast(rank, FloatField()), marked=_marked(query))
        return videos.in_order(own_order)

    rows = found.in_order(own_order)
    return Ranked(rows, rank, methodcaller("in_order", "relevance"), RANKED) if is_best_first else Ranked(rows, rank)


def highlight(video: Video) -> str:
    """Return an excerpt of the match as HTML: the words of the search in `<mark>`, all else escaped."""
    marked: str = video.marked  # type: ignore[attr-defined]
    return escape(marked).replace(_MARK, "<mark>").replace(_END, "</mark>")


def _query(text: str) -> SearchQuery:
    text = text[:_LONGEST].replace("\0", " ")
    too_many = next(islice(_WORD.finditer(text), MOST_WORDS, None), None)
    text = _NOTS.sub("-", text[: too_many.start()] if too_many else text)
    return SearchQuery(text, search_type="websearch", config=_CONFIG)


def _marked(query: SearchQuery) -> SearchHeadline:
    """Return title, description and tags in short, with `_MARK` and `_END` around the words of the search."""
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
