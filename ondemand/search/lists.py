"""Find videos by their index: in steps, by plans that no statistics decide.

PostgreSQL guesses from statistics how many rows match, and a wrong guess reads the whole index. So the first rows of
the order are tried, and what they show decides: where many match, the walk along the order goes on; where few do, an
index of the conditions finds all of them, and these are sorted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, cached_property, lru_cache, partial, reduce
from heapq import merge
from operator import and_
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Count, DateTimeField, Expression, Q, QuerySet, Window

from common.rest.compiled import AnyRows, Parameter, restricted_to
from common.rest.ordering import Order, RowList
from ondemand.models import Video
from ondemand.models.index import IS_LISTED, ORDERINGS, VideoIndex, VideoIndexQuerySet, has_tags, of_channels
from ondemand.models.publication import Listing, within_window
from ondemand.models.querysets import is_true
from ondemand.search.text import QUERY, RANK, words_of

# Rows read first, to estimate how many match.
TRIED = 1_000
# At most this many rows are always cheap to sort.
FEW = 5_000
# The limit of one step; then another one is tried.
BOUND = 50_000
# The columns of which a range has an index of its own.
RANGES = ("start_key", "length_key")
# The most matches that a search ranks: the newest ones.
RANKED = 500
# The newest videos are searched for them first; all videos if these have fewer than `ENOUGH` matches.
RANKED_AMONG = 7_500
ENOUGH = 50
# A search is rare if at most this many of the rows read first match.
RARE = 2
# Plan types that are switched off so that one is left: a walk along an index in its order, or bitmaps and a sort.
# https://www.postgresql.org/docs/current/runtime-config-query.html
_OFF_FOR_WALK = ("seqscan", "bitmapscan", "sort")
_OFF_FOR_SORT = ("seqscan", "indexscan", "indexonlyscan")

_ANY = Q()
_AT: Any = Parameter("at", DateTimeField())

VideoKey = tuple[Any, UUID]
# A rank, and a key of the order by start.
Ranked = tuple[float, datetime, UUID]
# The SQL, and the values in it.
Statement = tuple[str, Sequence[Any]]


@dataclass(frozen=True)
class VideoQuery:
    """The videos that a caller asks for; None and empty values select nothing.

    Without `listing`, `status` and `active` these are the listed videos, or those of every listing if `any_listing`.
    `lookups` are conditions on columns of the index, such as `start_key__gte`. `exact` are words that must occur as
    they are written.
    """

    at: datetime
    search: str = ""
    exact: str = ""
    tags: Sequence[str] = ()
    channel: UUID | None = None
    among_channels: Sequence[UUID] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    lookups: Mapping[str, Any] = field(default_factory=dict)
    listing: str | None = None
    status: str | None = None
    active: bool | None = None
    any_listing: bool = False


class FoundVideo(NamedTuple):
    """A video that was found, with its position: where it stands in the order, in a form that JSON can hold."""

    uuid: UUID
    position: list[Any]


def find_videos(
    *, query: VideoQuery, order: str, position: list[Any] | None = None, first: int = 0, limit: int
) -> list[FoundVideo]:
    """Return at most `limit` videos in one of `ORDERINGS` or by `relevance`, behind a position, without the `first`."""
    parts = [conditions_of(query, "newest" if order == "relevance" else order)]
    if query.any_listing and query.listing is None:
        # The listed videos and all others have an index each.
        parts.append(replace(parts[0], listing=~IS_LISTED))
    # A list has videos if it has a position. Else one look at the index of a range may save all others.
    if not position and all(part.has_empty_range() for part in parts):
        return []
    if order == "relevance":
        return _by_relevance(parts[0], position, first, limit)
    if position:
        parts = [part.after(position) for part in parts]
    if len(parts) == 1:
        found = parts[0].read(first, limit)
    else:
        all_found = (part.read(0, first + limit) for part in parts)
        found = list(merge(*all_found, reverse=order == "newest"))[first : first + limit]
    return [FoundVideo(uuid, stored_key(value, uuid)) for value, uuid in found]


def conditions_of(query: VideoQuery, order: str) -> "VideoConditions":
    """Return the conditions of a query, each in the field of the index that serves it."""
    if query.listing is not None:
        conditions = _of_listing(query.at, query.listing, status=query.status, active=query.active)
    elif query.any_listing:
        conditions = VideoConditions(IS_LISTED)
    else:
        conditions = _in_state(status=query.status, active=query.active)
    values, ranges, others = Q(), dict(conditions.ranges), conditions.others
    if query.search:
        values &= Q(search=QUERY)
    if query.exact:
        values &= Q(search=SearchQuery(query.exact, config="simple"))
    if query.tags:
        values &= has_tags(list(query.tags))
    if query.among_channels is not None:
        values &= of_channels(list(query.among_channels))
    if query.metadata:
        values &= Q(metadata__contains=query.metadata)
    for lookup, value in query.lookups.items():
        column = lookup.split("__")[0]
        if column in RANGES:
            ranges[column] = ranges.get(column, Q()) & Q((lookup, value))
        else:
            others &= Q((lookup, value))
    conditions = replace(conditions, ordering=order, given={"at": query.at, **words_of(query.search)})
    served = ranges.pop(conditions.column, Q()) if conditions.listing else Q()
    if query.channel and conditions.column == "start_key" and conditions.listing == IS_LISTED and not query.any_listing:
        served &= Q(channel_id=query.channel)
    elif query.channel:
        values &= of_channels([query.channel])
    if not conditions.listing:
        # No index of an order has these listings: they are found by their range of publish_from or publish_until.
        others = all_of([others, *(ranges.pop(column) for column in RANGES if column in ranges)])
    return replace(conditions, served=served, values=values, ranges=ranges, others=others)


@dataclass(frozen=True)
class VideoConditions:
    """Conditions of videos, each in the field of the index that serves it, and an order of `ORDERINGS`.

    A key is the value by which a video is ordered, and its uuid. The index of the order serves `listing` (empty if no
    order has it) and `served`; the GIN index serves `values`; the index of each column its part of `ranges`; no index
    serves `window` and `others`. `rank` is a third column of each key. `given` holds the values of the `Parameter`s,
    which are no part of the stored SQL.
    """

    listing: Q
    window: Q = _ANY
    others: Q = _ANY
    ordering: str = "newest"
    served: Q = _ANY
    values: Q = _ANY
    ranges: Mapping[str, Q] = field(default_factory=dict, hash=False)
    rank: Expression | None = None
    given: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def order(self) -> Order:
        return _order(self.ordering)

    @property
    def column(self) -> str:
        """Return the name of the first key."""
        return self.order.keys[0].name

    @property
    def is_served(self) -> bool:
        """Return whether the index of the order serves all conditions but the window."""
        return not (self.values or self.ranges or self.others)

    def read(self, first: int, count: int) -> list[VideoKey]:
        """Return at most `count` keys, without the first `first`."""
        last = first + count
        if self.is_served:
            return self._walk(first, count)
        tried = self._walk(0, last, among=TRIED) if self.listing else []
        if len(tried) == last:
            return tried[first:]
        # The rows to walk, if the others match as often as those that were tried.
        expected = TRIED * last // len(tried) if tried else BOUND
        is_near = expected <= FEW or (expected < BOUND and len(tried) >= TRIED // 20)
        steps: list[Callable[[int, int], list[VideoKey] | None]] = [self._sort_range, self._sort_values]
        if is_near:
            steps.insert(0, partial(self._walk_to, max(FEW, min(BOUND, 2 * expected))))
        elif self.listing:
            steps.append(partial(self._walk_to, BOUND))
        for step in steps:
            found = step(first, count)
            if found is not None:
                return found
        # No index has the videos of a value in an order. A sort reads each page of the table at most once.
        return self._walk(first, count, off=_OFF_FOR_WALK if tried else _OFF_FOR_SORT)

    def has_empty_range(self) -> bool:
        """Return whether the index of a range has no row in it, so that nothing can match."""
        rows = [VideoIndex.objects.filter(self.listing, range_) for range_ in self.ranges.values()]
        columns = [each.order_by(f"-{column}")[:1] for column, each in zip(self.ranges, rows, strict=True)]
        return 0 in _counts(columns, off=_OFF_FOR_WALK)

    def best(self, count: int) -> list[Ranked]:
        """Return the first `count`, best first."""
        return _best_first(self.read(0, count))

    def best_until(self, key: Sequence[Any], count: int) -> list[Ranked]:
        """Return those up to a key, of which there were `count`, and what was added since, best first."""
        nearest = replace(self.until(key), ordering="oldest")
        # These were found within RANKED_AMONG rows; newer videos may stand before them now.
        found = nearest._walk(0, 2 * RANKED, among=2 * RANKED_AMONG)
        return _best_first(found if len(found) >= count else nearest.read(0, 2 * RANKED))

    def best_of_newest(self) -> tuple[list[Ranked], bool]:
        """Return the newest ones, as many as are ranked, best first; and whether there may be others."""
        if self.listing:
            is_rare = len(self._walk(0, RARE + 1, among=TRIED)) <= RARE
            all_found = self._sort_values(0, RANKED, bound=RANKED) if is_rare else None
            if all_found is not None:
                return _best_first(all_found), False
            found = self._walk(0, RANKED + 1, among=RANKED_AMONG)
            if len(found) >= ENOUGH:
                return _best_first(found[:RANKED]), True
        few = self._sort_values(0, RANKED + 1, bound=FEW)
        found = self.read(0, RANKED + 1) if few is None else few
        return _best_first(found[:RANKED]), len(found) > RANKED

    def after(self, key: Sequence[Any]) -> "VideoConditions":
        """Return the videos after a key."""
        return replace(self, served=self.served & self.order.after(list(key)))

    def until(self, key: Sequence[Any]) -> "VideoConditions":
        """Return the videos up to a key, its own included."""
        return replace(self, served=self.served & self.order.until(list(key)))

    def _walk(
        self, first: int, count: int, *, among: int | None = None, off: Sequence[str] = _OFF_FOR_WALK
    ) -> list[VideoKey]:
        """Return the keys in the first rows of the order, or in all rows."""
        return self._run(_walk_statement(self, first, count, among), off)

    def _walk_to(self, bound: int, first: int, count: int) -> list[VideoKey] | None:
        """Return the keys; None if that many rows do not have them all."""
        found = self._walk(first, count, among=bound)
        return found if len(found) == count else None

    def _sort_range(self, first: int, count: int) -> list[VideoKey] | None:
        """Return the keys, sorted from the range with the fewest rows; None if no range has few."""
        own = {self.column: self.served} if self.served and self.listing else {}
        sources = [
            VideoIndex.objects.filter(self.listing, condition).order_by(f"-{column}")[: FEW + 1]
            for column, condition in {**self.ranges, **own}.items()
        ]
        counts = _counts(sources, off=_OFF_FOR_WALK)
        if min(counts, default=FEW + 1) > FEW:
            return None
        rows = self._keys_of(VideoIndex.objects.filter(self.listing, self.served))
        return self._run(
            _statement(rows[first : first + count], among=sources[counts.index(min(counts))]), _OFF_FOR_WALK
        )

    def _sort_values(self, first: int, count: int, *, bound: int | None = None) -> list[Any] | None:
        """Return the keys, sorted from the rows with the values; None if these are more than the bound."""
        bound = BOUND if bound is None else bound
        if not self.values or first > bound:
            return None
        found = self._run(_sort_statement(self, first, count, bound), _OFF_FOR_SORT)
        if found and found[0][1] > bound:
            return None
        return [tuple(key) for is_match, _, *key in found if is_match]

    def _run(self, statement: Statement | None, off: Sequence[str]) -> list[Any]:
        """Return the rows of a statement without the plans that are `off`."""
        if statement is None:
            return []
        sql, parameters = statement
        return _run(sql, [self.given[each.name] if isinstance(each, Parameter) else each for each in parameters], off)

    def _keys_of(self, rows: VideoIndexQuerySet) -> QuerySet[VideoIndex, Any]:
        matching = rows.filter(self.window, self.values, self.others, *self.ranges.values())
        return self._with_rank(matching.in_order(self.ordering).values_list(self.column, "video_id"))

    def _with_rank(self, keys: QuerySet[VideoIndex, Any]) -> QuerySet[VideoIndex, Any]:
        return keys if self.rank is None else keys.annotate(rank=self.rank)


@cache
def _order(ordering: str) -> Order:
    return Order.of(VideoIndex.objects.in_order(ordering))


def all_of(conditions: Iterable[Q]) -> Q:
    """Return the condition that all of these are met."""
    return reduce(and_, conditions, Q())


def _in_state(*, status: str | None, active: bool | None) -> VideoConditions:
    """Return the videos of this status and `active`, if given, that would be listed if these two did not count."""
    window = within_window(_AT)
    if status in {None, "available"} and active is not False:
        return VideoConditions(IS_LISTED, window)
    # Another status than available usually goes with NULL in `active`, which is no reason to leave a video out.
    shown = {True: Q(active=True), False: ~Q(active=True), None: ~Q(active=False)}
    listing = Listing.HIDDEN if status in {None, "available"} else status
    return VideoConditions(Q(listing=listing), window, shown[active] & Q(status=status or "available", is_open=True))


def _of_listing(at: datetime, listing: str, *, status: str | None, active: bool | None) -> VideoConditions:
    """Return the videos with this listing at that time, of this status and `active` if given; NULL is not active."""
    others = Q() if status is None else Q(status=status)
    if active is not None:
        others &= Q(active=True) if active else ~Q(active=True)
    if listing in {Listing.LISTED, Listing.UNLISTED}:
        return VideoConditions(Q(listing=listing), within_window(at), others)
    if listing not in {Listing.SCHEDULED, Listing.EXPIRED}:
        return VideoConditions(Q(listing=listing), others=others)
    # The time decides about videos that would be listed or unlisted without a window.
    others &= Q(listing__in=[Listing.LISTED, Listing.UNLISTED])
    if listing == Listing.SCHEDULED:
        return VideoConditions(Q(), others=others, ranges={"publish_from": Q(publish_from__gt=at)})
    others &= ~Q(publish_from__gt=at)
    return VideoConditions(Q(), others=others, ranges={"publish_until": Q(publish_until__lte=at)})


# To build a statement takes longer than to run it, for most searches.
@lru_cache(maxsize=256)
def _walk_statement(keys: VideoConditions, first: int, count: int, among: int | None) -> Statement | None:
    rows = VideoIndex.objects.filter(keys.listing, keys.served)
    source = rows.in_order(keys.ordering)[:among] if among else None
    return _statement(keys._keys_of(rows)[first : first + count], among=source)


@lru_cache(maxsize=256)
def _sort_statement(keys: VideoConditions, first: int, count: int, bound: int) -> Statement | None:
    # By an index of values alone: with the listing too, PostgreSQL could take another index.
    source = VideoIndex.objects.matching(keys.values, listing=keys.listing)[: bound + 1]
    # The rows that match are sorted to the front, and each shows how many rows there are.
    is_match = is_true(keys.listing & keys.served & keys.window & keys.others & all_of(keys.ranges.values()))
    counted = VideoIndex.objects.annotate(is_match=is_match, rows=Window(Count("*")))
    ordered = counted.order_by("-is_match", *ORDERINGS[keys.ordering])
    rows = keys._with_rank(ordered.values_list("is_match", "rows", keys.column, "video_id"))
    return _statement(rows[first : first + count], among=source)


def _statement(rows: AnyRows, *, among: AnyRows | None) -> Statement | None:
    """Return the statement of the rows, `among` these rows of the index alone; None if nothing can match."""
    try:
        sql, parameters = rows.query.sql_with_params()
        return (sql, parameters) if among is None else restricted_to(among, sql, parameters)
    except EmptyResultSet:
        return None


def _counts(sources: Sequence[VideoIndexQuerySet], *, off: Sequence[str]) -> list[int]:
    """Return the number of rows of each queryset."""
    queries = [source.values_list("video_id").query.sql_with_params() for source in sources]
    if not queries:
        return []
    counts = ", ".join(f"(SELECT count(*) FROM ({sql}) AS counted)" for sql, _ in queries)  # noqa: S608
    [row] = _run(f"SELECT {counts}", [value for _, values in queries for value in values], off)
    return list(row)


def _run(sql: str, parameters: Sequence[Any], off: Sequence[str]) -> list[Any]:
    before = "".join(f"SET LOCAL enable_{name} = off; " for name in off)
    after = "".join(f"; SET LOCAL enable_{name} = DEFAULT" for name in off)
    with connections[VideoIndex.objects.db].cursor() as cursor:
        # One request, which PostgreSQL runs as one transaction if there is none. Django built the SQL.
        cursor.execute(before + sql + after, parameters)
        for _ in off:
            cursor.nextset()
        return list(cursor.fetchall())


@dataclass(frozen=True)
class VideoRows(RowList):
    """The videos of a query in an order, for pagination; `shown` reads those of a page by their uuids."""

    query: VideoQuery
    name: str
    shown: Callable[[list[UUID]], Iterable[Video]]

    def read(self, position: list[Any] | None, first: int, count: int) -> list[tuple[Video | None, list[Any]]]:
        found = find_videos(query=self.query, order=self.name, position=position, first=first, limit=count)
        by_uuid = {video.pk: video for video in self.shown([each.uuid for each in found])} if found else {}
        # None for a video that is not shown any more.
        return [(by_uuid.get(uuid), place) for uuid, place in found]

    @cached_property
    def walked_lookups(self) -> dict[str, Any] | None:
        """Return the lookups that the index of the order serves; None if there are other conditions than the window."""
        conditions = conditions_of(self.query, self.name)
        return dict(conditions.served.children) if conditions.is_served else None  # type: ignore[arg-type]


def _by_relevance(conditions: VideoConditions, position: list[Any] | None, first: int, limit: int) -> list[FoundVideo]:
    """Return the newest matches in the order of their rank, then the others, newest first.

    A position has the key of the oldest ranked video with the number of ranked ones, or None if all are ranked; then
    rank and key of a ranked video, or the key of another one. So videos that are added while somebody pages move no
    other one from one part to the other.
    """
    ranked_until, last = position or [None, None]
    is_ranked = last is None or len(last) == 3
    ranked, best = replace(conditions, rank=RANK), []
    if is_ranked and ranked_until:
        best = ranked.best_until(ranked_until[:2], ranked_until[2])
    elif is_ranked and last:
        best = ranked.best(2 * RANKED)
    elif is_ranked:
        best, has_others = ranked.best_of_newest()
        if has_others:
            ranked_until = [*stored_key(*min((start, uuid) for _, start, uuid in best)), len(best)]
    if is_ranked and last:
        behind = (last[0], datetime.fromisoformat(last[1]), UUID(last[2]))
        best = [row for row in best if row < behind]
    found = [
        FoundVideo(uuid, [ranked_until, [rank, *stored_key(start, uuid)]])
        for rank, start, uuid in best[first : first + limit]
    ]
    if ranked_until and len(found) < limit:
        others = conditions.after(ranked_until[:2] if last is None or is_ranked else last)
        for value, uuid in others.read(max(0, first - len(best)), limit - len(found)):
            found.append(FoundVideo(uuid, [ranked_until, stored_key(value, uuid)]))
    return found


def _best_first(found: Sequence[Sequence[Any]]) -> list[Ranked]:
    return sorted(((rank, start, uuid) for start, uuid, rank in found), reverse=True)


def stored_key(value: Any, uuid: UUID) -> list[Any]:
    """Return a key as JSON holds it."""
    return [value.isoformat() if isinstance(value, datetime) else value, str(uuid)]
