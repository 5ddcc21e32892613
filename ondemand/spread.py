"""A sample at even intervals."""

from collections.abc import Sequence


def evenly_spread(items: Sequence[str], most: int) -> list[str]:
    """Return at most `most` (2 or more) items at even intervals, with the first and the last."""
    if len(items) <= most:
        return list(items)
    last = len(items) - 1
    return [items[round(n * last / (most - 1))] for n in range(most)]
