"""The text of a search, in web-search syntax as the predecessor's, and the query and the rank that it gives."""

import re
from itertools import islice

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import Expression, F, FloatField, TextField, Value
from django.db.models.functions import Cast

from common.rest.compiled import Parameter

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
# The characters that `ivsvod_search_text` separates.
_CJK = re.compile(
    "[\u2e80-\u2fdf\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+"
)
# Of at least three letters or digits at the end of the text, and not excluded. Shorter ones begin too many words.
_LAST_WORD = re.compile(r"(?<![^\s])[^\W_]{3,}$")


class WebSearchQuery(SearchQuery):
    """The query that `search_query.sql` makes of a text and its last word."""

    def __init__(self, text: Expression, last_word: Expression) -> None:
        super().__init__("", search_type="websearch")
        self.function = "ivsvod_search_query"
        self.set_source_expressions([text, last_word])


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


def rank_of(vector: str, query: SearchQuery) -> Cast:
    """Return the rank of the column for the query."""
    # In double precision, so that the number in a cursor is that of the row.
    return Cast(SearchRank(F(vector), query, cover_density=True, normalization=_DIVIDE_BY_LOG_LENGTH), FloatField())


def parameter_query() -> WebSearchQuery:
    """Return the query whose text is given at each run, by `words_of`."""
    text = TextField()
    return WebSearchQuery(Parameter("words", text), Parameter("last_word", text))


# The query with the parameters of `words_of`, and the rank of a row of the index.
QUERY = parameter_query()
RANK = rank_of("search", QUERY)
