"""Refusals of unknown names in bodies and queries, with the known name that is nearest."""

from collections.abc import Iterable
from difflib import get_close_matches

# Comparing takes time, and a request may hold very many names, or very long ones.
_MOST_COMPARED = 20
_LONGEST_COMPARED = 64


def unknown_names(kind: str, names: Iterable[str], known: Iterable[str]) -> dict[str, list[str]]:
    """Return the message of each unknown name, as the detail of a `ValidationError` has it."""
    by_letters = {_letters(name): name for name in known}
    return {
        name: [_message(kind, name, by_letters, is_compared=number < _MOST_COMPARED)]
        for number, name in enumerate(names)
    }


def _message(kind: str, name: str, by_letters: dict[str, str], *, is_compared: bool) -> str:
    letters = _letters(name)
    if letters in by_letters:
        nearest = [letters]
    else:
        is_compared = is_compared and len(name) <= _LONGEST_COMPARED
        nearest = get_close_matches(letters, by_letters, n=1) if is_compared else []
    return f"Unknown {kind}. Did you mean {by_letters[nearest[0]]}?" if nearest else f"Unknown {kind}."


def _letters(name: str) -> str:
    """The name without what tells `latencyMode` from `latency_mode`."""
    return name.replace("_", "").replace("-", "").casefold()
