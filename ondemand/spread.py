"""Some of many, evenly spread."""

from collections.abc import Sequence


def evenly_spread(items: Sequence[str], most: int) -> list[str]:
    """At most `most` (from 2) of the items in their order, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    last = len(items) - 1
    return [items[round(n * last / (most - 1))] for n in range(most)]
