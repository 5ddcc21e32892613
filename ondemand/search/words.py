"""The results of a search: the videos with their rank, the chapter that matches, and an excerpt with marks."""

from datetime import datetime
from uuid import UUID

from django.contrib.postgres.search import SearchConfig, SearchHeadline, SearchQuery
from django.db.models import F, Func, JSONField, TextField, Value
from django.db.models.functions import Left, NullIf
from django.utils.html import escape

from common.rest.compiled import AnyRows
from ondemand.models import Video
from ondemand.models.chapters import Chapter
from ondemand.search.rows import any_videos, known_as_listed, listed_query, listed_videos, videos_query
from ondemand.search.text import parameter_query, rank_of, words_of

# The configuration of the stored vectors; see `ondemand.sql.backfill`.
_CONFIG = SearchConfig(Func(function="ivsvod_search_config"))
# The number of characters, from the beginning of each text, from which the excerpt is made.
_EXCERPTED = {"content__title": 500, "content__description": 10_000}
_EXCERPTED_TAGS = 2000
# The marks of a match until the text is escaped: characters for private use, which are removed from the text before.
_MARK, _END = "\ue000", "\ue001"


def videos_found(uuids: list[UUID], *, at: datetime | None, text: str) -> list[Video]:
    """Return the videos as `videos_of`, with the `rank` of each and its text with marks, for `highlight`."""
    values = {"uuids": uuids, **words_of(text)}
    return _FOUND.instances(**values) if at is None else known_as_listed(_FOUND_LISTED.instances(**values, at=at))


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


def _found(videos: AnyRows) -> AnyRows:
    query = parameter_query()
    # As a subquery: PostgreSQL evaluates it once, not for each row.
    query.template = "(SELECT %(function)s(%(expressions)s))"
    chapter = Func(F("chapters"), query, function="ivsvod_found_chapter", output_field=JSONField())
    return videos.annotate(rank=rank_of("index__search", query), marked=_marked(query), found_chapter=chapter)


_FOUND = videos_query(lambda: _found(any_videos()))
_FOUND_LISTED = listed_query(lambda: _found(listed_videos()))
