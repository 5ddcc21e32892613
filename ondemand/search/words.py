"""The search of videos: stored vectors against a query in web-search syntax, as the predecessor's."""

import re
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.contrib.postgres.search import SearchConfig, SearchHeadline, SearchQuery, SearchRank
from django.db.models import Expression, F, FloatField, Func, JSONField, TextField, Value
from django.db.models.functions import Cast, Left, NullIf
from django.utils.html import escape

from common.rest.compiled import AnyRows, Parameter
from ondemand.models import Video
from ondemand.models.chapters import Chapter
from ondemand.search.rows import any_videos, known_as_listed, listed_query, listed_videos, videos_query

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
# The characters that `ivsvod_search_text` separates.
_CJK = re.compile(
    "[\u2e80-\u2fdf\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+"
)
# Of at least three letters or digits at the end of the text, and not excluded. Shorter ones begin too many words.
_LAST_WORD = re.compile(r"(?<![^\s])[^\W_]{3,}$")
# The marks of a match until the text is escaped: characters for private use, which are removed from the text before.
_MARK, _END = "\ue000", "\ue001"


class WebSearchQuery(SearchQuery):
    """The query that `search_query.sql` makes of a text and its last word."""

    def __init__(self, text: Expression, last_word: Expression) -> None:
        super().__init__("", search_type="websearch")
        self.function = "ivsvod_search_query"
        self.set_source_expressions([text, last_word])


def videos_found(uuids: list[UUID], *, at: datetime | None, text: str) -> list[Video]:
    """Return the videos as `videos_of`, with the `rank` of each and its text with marks, for `highlight`."""
    values = {"uuids": uuids, **words_of(text)}
    return _FOUND.instances(**values) if at is None else known_as_listed(_FOUND_LISTED.instances(**values, at=at))


def _rank(vector: str, query: SearchQuery) -> Cast:
    # In double precision, so that the number in a cursor is that of the row.
    return Cast(SearchRank(F(vector), query, cover_density=True, normalization=_DIVIDE_BY_LOG_LENGTH), FloatField())


def highlight(video: Video) -> str:
    """Return an excerpt of the match as HTML: the words of the search in `<mark>`, all else escaped."""
    marked: str = video.marked  # type: ignore[attr-defined]
    # The characters of a phrase without spaces are one match.
    text = escape(marked.replace("\x01", "").replace(_END + _MARK, ""))
    return text.replace(_MARK, "<mark>").replace(_END, "</mark>")


def matching_chapter(video: Video) -> Chapter | None:
    """Return the chapter that matches best, of equals the first one; None if no chapter has a word of the search."""
    found = video.found_chapter  # type: ignore[attr-defined]
    at_ms = found.get("at_ms") if isinstance(found, dict) else None
    return next((chapter for chapter in video.shown_chapters if chapter["at_ms"] == at_ms), None)


def search_query(text: str) -> SearchQuery:
    """Return the query of a text: quoted phrases, `or` and `-not` are understood.

    The last word also finds words that begin with it, since somebody may still be typing it. A Chinese, Japanese or
    Korean text is a phrase of its characters; see `search_text.sql`. Of a text of very many words
    the beginning counts.
    """
    words = words_of(text)
    return WebSearchQuery(Value(words["words"]), Value(words["last_word"]))


def words_of(text: str) -> dict[str, str]:
    """Return the parameters of a query: `words`, and the `last_word` if that may be the beginning of a word."""
    text = text[:_LONGEST].replace("\0", " ")
    too_many = next(islice(_WORD.finditer(text), MOST_WORDS, None), None)
    text = _NOTS.sub("-", text[: too_many.start()] if too_many else text)
    # Every second part stands in quotes already.
    parts = text.split('"')
    parts[::2] = [_CJK.sub(lambda found: f' "{" ".join(found[0])}" ', part) for part in parts[::2]]
    parts[1::2] = [_CJK.sub(lambda found: f" {' '.join(found[0])} ", part) for part in parts[1::2]]
    last = _LAST_WORD.search(parts[-1]) if len(parts) % 2 else None
    is_excluded = last is not None and parts[-1][: last.start()].rstrip().endswith("-")
    may_begin = not is_excluded and not too_many
    return {"words": '"'.join(parts), "last_word": last[0] if last and may_begin else ""}


def _marked(query: SearchQuery) -> SearchHeadline:
    """Return title, description and tags in short, with `_MARK` and `_END` around the words of the search."""
    tags = Func(F("content__tags"), Value(", "), function="array_to_string", output_field=TextField())
    texts = [*(Left(name, length) for name, length in _EXCERPTED.items()), Left(tags, _EXCERPTED_TAGS)]
    # Each text alone: most are ASCII, which takes a third of the time, but the dash is not.
    separated = (Func(text, function="ivsvod_search_text", output_field=TextField()) for text in texts)
    text = Func(Value(" – "), *(NullIf(text, Value("")) for text in separated), function="concat_ws")  # noqa: RUF001
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


def _query() -> WebSearchQuery:
    text = TextField()
    return WebSearchQuery(Parameter("words", text), Parameter("last_word", text))


def _found(videos: AnyRows) -> AnyRows:
    query = _query()
    # As a subquery: PostgreSQL evaluates it once, not for each row.
    query.template = "(SELECT %(function)s(%(expressions)s))"
    chapter = Func(F("chapters"), query, function="ivsvod_found_chapter", output_field=JSONField())
    return videos.annotate(rank=_rank("index__search", query), marked=_marked(query), found_chapter=chapter)


# The query with the parameters of `words_of`, and the rank of a row of the index.
QUERY = _query()
RANK = _rank("search", QUERY)
_FOUND = videos_query(lambda: _found(any_videos()))
_FOUND_LISTED = listed_query(lambda: _found(listed_videos()))
