"""The bounds of what one request may read, whatever the size of the catalogue; they hold on every machine."""

from collections.abc import Iterator

from ondemand.search.lists import BOUND, RANKED, TRIED
from tools.bench.figures import Figures

# Rows and keys of indexes that a page of few rows reads, with the channels, of which there are some.
_FEW = 3_000
_SHORT = {"page 1", "cursor", "a video", "live", "channels"}
# Pages by number walk the keys before them. For some lists of the admin the planner decides.
_UNBOUNDED = ("admin: ", "half-way page", "last page")
# A row of a walk or a bitmap counts up to three times: as a key of an index, in the index of videos, and as a video.
_MOST = 3 * (BOUND + TRIED + RANKED)


def broken_bounds(figures: Figures) -> list[str]:
    """Return a line for each page that reads more than it may, or a whole large table."""
    return list(_broken(figures))


def _broken(figures: Figures) -> Iterator[str]:
    largest = max(rows for _, rows in figures)
    for (name, rows), figure in figures.items():
        if rows != largest or figure.rows_read is None or name.startswith(_UNBOUNDED):
            continue
        most = _FEW if name in _SHORT else _MOST
        if figure.rows_read > most:
            yield f"{name} reads {figure.rows_read} rows, at most {most} are allowed"
        if figure.scans:
            yield f"{name} reads a whole table"
