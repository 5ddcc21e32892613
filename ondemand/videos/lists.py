"""The lists of videos, read from their index: in steps, by plans that no statistics decide.

PostgreSQL guesses from statistics how many rows match, and a wrong guess reads the whole index. So the first rows of
the order are tried, and what they show decides: where many match, the walk along the order goes on; where few do, the
indexes of the conditions find all of them, and these are sorted.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Count, Window

from ivsvod.rest.ordering import Order, RowList
from ondemand.models import Video
from ondemand.models.index import VideoIndex, VideoIndexQuerySet

# The rows that are tried first, and the most that a walk or a sort reads before the other one is tried.
TRIED = 2_000
BOUND = 50_000
# Of more matches than these the newest are ranked; the others follow, newest first.
RANKED = 1_000
# The kinds of plans that are switched off, so that one is left: along the index of the order, or by bitmaps.
# https://www.postgresql.org/docs/current/runtime-config-query.html
_WALK = ("seqscan", "bitmapscan", "sort")
_SORT = ("seqscan", "indexscan", "indexonlyscan")

Key = tuple[Any, UUID]
# Returns those of these videos that are shown.
VideoReader = Callable[[list[UUID]], Iterable[Video]]


@dataclass(frozen=True)
class VideoKeys:
    """The videos that meet the conditions of `matches`, in one of the orders of the index.

    A key is the value by which a video is ordered, and its uuid. `walked` has the rows that meet only the conditions
    that the index of the order serves; it is `matches` if there are no others. None lets the planner choose.
    """

    matches: VideoIndexQuerySet
    walked: VideoIndexQuerySet | None
    ordering: str

    @property
    def order(self) -> Order:
        return Order.of(self.matches.in_order(self.ordering))

    def read(self, first: int, count: int) -> list[Key]:
        """Return at most `count` keys, without the first `first`."""
        last = first + count
        name = self.order.keys[0].name
        keys = self.matches.in_order(self.ordering).values_list(name, "video_id")
        if self.walked is None:
            return list(keys[first:last])
        if self.walked is self.matches:
            return _rows(keys[first:last], off=_WALK)
        walked = self.walked.in_order(self.ordering)
        tried = _rows(keys[:last], off=_WALK, among=walked[:TRIED])
        if len(tried) == last:
            return tried[first:]
        if last <= len(tried) * BOUND // TRIED:
            found = _rows(keys[first:last], off=_WALK, among=walked[:BOUND])
            if len(found) == count:
                return found
        # With the number of all matches; one more than the bound shows that there are more.
        counted = keys.annotate(matches=Window(Count("*")))
        matching = _rows(counted[first:last], off=_SORT, among=self.matches.order_by()[: BOUND + 1])
        if not matching or matching[0][2] <= BOUND:
            return [(value, uuid) for value, uuid, _ in matching]
        return _rows(keys[first:last], off=_WALK if len(tried) * BOUND >= last else _SORT)

    def after(self, key: Sequence[Any]) -> "VideoKeys":
        """Return the videos after a key."""
        return self._where(self.order.after(list(key)))

    def until(self, key: Sequence[Any]) -> "VideoKeys":
        """Return the videos up to a key, its own included."""
        return self._where(self.order.until(list(key)))

    def _where(self, condition: Any) -> "VideoKeys":
        matches = self.matches.filter(condition)
        if self.walked is self.matches:
            return replace(self, matches=matches, walked=matches)
        walked = None if self.walked is None else self.walked.filter(condition)
        return replace(self, matches=matches, walked=walked)


def _rows(rows: Any, *, off: Sequence[str], among: VideoIndexQuerySet | None = None) -> list[Any]:
    """Return the rows without the plans that are `off`; `among` these rows of the index alone."""
    try:
        sql, parameters = rows.query.sql_with_params()
        if among is not None:
            # The query below reads this one instead of the table of the same name.
            within, own = among.query.sql_with_params()
            table = VideoIndex._meta.db_table
            sql, parameters = f'WITH "{table}" AS ({within}) {sql}', (*own, *parameters)
    except EmptyResultSet:
        return []
    before = "".join(f"SET LOCAL enable_{name} = off; " for name in off)
    after = "".join(f"; SET LOCAL enable_{name} = DEFAULT" for name in off)
    with connections[rows.db].cursor() as cursor:
        # One request, which PostgreSQL runs as one transaction if there is none. Django built the SQL.
        cursor.execute(before + sql + after, parameters)
        for _ in off:
            cursor.nextset()
        return list(cursor.fetchall())


@dataclass(frozen=True)
class VideoList(RowList):
    """A list of videos in an order; `shown` reads those of a page."""

    keys: VideoKeys
    shown: VideoReader
    name: str

    def read(self, position: list[Any] | None, first: int, count: int) -> list[tuple[Video | None, list[Any]]]:
        keys = self.keys.after(position) if position else self.keys
        return _shown(self.shown, [(uuid, stored_key(value, uuid)) for value, uuid in keys.read(first, count)])


@dataclass(frozen=True)
class RankedVideoList(RowList):
    """The newest `RANKED` videos in the order of their rank, then the others, newest first.

    A position has the key of the last ranked video, or None if all are ranked; then rank and key of a ranked video, or
    the key of another one. So videos that are added while somebody pages move no other one from one part to the other.
    """

    newest: VideoKeys
    ranked: Callable[[list[Key]], list[tuple[float, datetime, UUID]]]
    shown: VideoReader

    name = "relevance"

    def read(self, position: list[Any] | None, first: int, count: int) -> list[tuple[Video | None, list[Any]]]:
        edge, last = position or (None, None)
        best: list[tuple[UUID, list[Any]]] = []
        if last is None or len(last) == 3:
            edge, best = self._best(edge, last, is_first=position is None)
        found = best[first : first + count]
        if edge and len(found) < count:
            others = self.newest.after(edge if last is None or len(last) == 3 else last)
            for value, uuid in others.read(max(0, first - len(best)), count - len(found)):
                found.append((uuid, [edge, stored_key(value, uuid)]))
        return _shown(self.shown, found)

    def _best(
        self, edge: list[Any] | None, last: list[Any] | None, *, is_first: bool
    ) -> tuple[list[Any] | None, list[tuple[UUID, list[Any]]]]:
        """Return the edge, and the ranked videos after the last one, each with its position."""
        if edge:
            # The nearest ones, for newer ones may have been added.
            keys = replace(self.newest.until(edge), ordering="oldest").read(0, RANKED)
        else:
            keys = self.newest.read(0, RANKED + is_first)
            edge = stored_key(*keys[RANKED - 1]) if len(keys) > RANKED else None
        ranked = sorted(self.ranked(keys[:RANKED]), reverse=True)
        if last:
            behind = (last[0], datetime.fromisoformat(last[1]), UUID(last[2]))
            ranked = [row for row in ranked if row < behind]
        return edge, [(uuid, [edge, [rank, *stored_key(start, uuid)]]) for rank, start, uuid in ranked]


def stored_key(value: Any, uuid: UUID) -> list[Any]:
    """Return a key as JSON holds it."""
    return [value.isoformat() if isinstance(value, datetime) else value, str(uuid)]


def _shown(videos: VideoReader, found: list[tuple[UUID, list[Any]]]) -> list[tuple[Video | None, list[Any]]]:
    """Return the videos with their positions, in this order; None for one that is not shown any more."""
    by_uuid = {video.pk: video for video in videos([uuid for uuid, _ in found])} if found else {}
    return [(by_uuid.get(uuid), position) for uuid, position in found]
