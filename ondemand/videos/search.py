"""The one search query: the stored vector against the web-search syntax of the predecessor."""

import re
from itertools import islice
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
# The configuration of the stored vectors; see `derivation.search_config_set`.
_CONFIG = SearchConfig(Func(function="ivsvod_search_config"))
# A rank falls with the length of the text, so that a short title counts more than a long description.
# https://www.postgresql.org/docs/current/textsearch-controls.html#TEXTSEARCH-RANKING
_DIVIDE_BY_LOG_LENGTH = 1
# Each "not" is put on a stack of PostgreSQL that holds few; two of them in a row are as good as none, and one is kept.
_NOTS = re.compile(r"-[-\s]*-")
# PostgreSQL reads a query by recursion, and runs out of stack in one of some ten thousand words. What a rank costs
# grows with the number of words, and what an excerpt costs with its square.
_LONGEST = 1000
MOST_WORDS = 32
# Runs of letters and digits, as PostgreSQL parts words; the "or" between two of them is none.
_WORD = re.compile(r"(?<![^\W_])(?!or(?![^\W_]))[^\W_]+", re.IGNORECASE)
# What the excerpt is made from: the beginning of each text.
_EXCERPTED = {"content__title": 500, "content__description": 10_000}
_EXCERPTED_TAGS = 2000
# The marks of a hit until the text around them is escaped: characters that mean nothing, and are taken out before.
_MARK, _END = "\ue000", "\ue001"


def search_videos(videos: VideoQuerySet, text: str) -> VideoQuerySet:
    """Return the videos that match: quoted phrases, `or` and `-not` are understood.

    Of a text of very many words the beginning counts.
    """
    return videos.filter(content__search=_query(text))


def found_in_order(found: VideoQuerySet, text: str, order: str, shown: VideoQuerySet) -> Ranked[VideoQuerySet]:
    """Return the found videos in this order, each with `rank` and `marked`.

    `shown` is the queryset that the page is read from.

    By relevance: the newest `RANKED` in order of their rank, and after these the others, newest first.
    """
    is_best_first = order == "relevance"
    own_order = "newest" if is_best_first else order

    def rank(keys: QuerySet[Any, Any]) -> VideoQuerySet:
        return _ranked(shown.filter(pk__in=keys), text).in_order(own_order)

    rows = found.in_order(own_order)
    return Ranked(rows, rank, _by_relevance, RANKED) if is_best_first else Ranked(rows, rank)


def highlight(video: Video) -> str:
    """An excerpt of what was found, as HTML: the words of the search stand in `<mark>`, all else is escaped."""
    marked: str = video.marked  # type: ignore[attr-defined]
    return escape(marked).replace(_MARK, "<mark>").replace(_END, "</mark>")


def _by_relevance(ranked: VideoQuerySet) -> VideoQuerySet:
    return ranked.in_order("relevance")


def _query(text: str) -> SearchQuery:
    return SearchQuery(_readable(text), search_type="websearch", config=_CONFIG)


def _ranked(videos: VideoQuerySet, text: str) -> VideoQuerySet:
    query = _query(text)
    rank = SearchRank(F("content__search"), query, cover_density=True, normalization=_DIVIDE_BY_LOG_LENGTH)
    # In double precision, so that the number in a cursor is that of the row.
    return videos.annotate(rank=Cast(rank, FloatField()), marked=_marked(query))


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
    text = text[:_LONGEST].replace("\0", " ")
    too_many = next(islice(_WORD.finditer(text), MOST_WORDS, None), None)
    return _NOTS.sub("-", text[: too_many.start()] if too_many else text)
