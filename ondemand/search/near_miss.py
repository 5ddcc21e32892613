"""The near misses of a search that finds nothing: its text with another word, which the catalogue has."""

import re
from collections.abc import Iterator
from difflib import get_close_matches

from ondemand.models import SearchWord

# Words that may be misspelt; the first 8 are looked up.
_WORD = re.compile(r"[^\W_]{4,40}")
_LOOKED_UP = 8
# At most 100 words of the catalogue are compared with each, and 3 corrections are tried.
_COMPARED = 100
_TRIED = 3


def near_misses(text: str) -> Iterator[tuple[str, str]]:
    """Yield corrected texts, each with the words that replaced others."""
    nearest: dict[str, list[str]] = {}
    for word in list(dict.fromkeys(word.lower() for word in _WORD.findall(text)))[:_LOOKED_UP]:
        near = list(SearchWord.objects.near(word).values_list("word", flat=True)[:_COMPARED])
        if near and word not in near:
            nearest[word] = get_close_matches(word, near, n=_TRIED, cutoff=0)
    if len(nearest) > 1:
        yield _replaced(text, {word: others[0] for word, others in nearest.items()})
    tries = [(word, other) for word, others in nearest.items() for other in others]
    for word, other in tries[:_TRIED]:
        yield _replaced(text, {word: other})


def _replaced(text: str, words: dict[str, str]) -> tuple[str, str]:
    return _WORD.sub(lambda found: words.get(found[0].lower(), found[0]), text), " ".join(words.values())
