"""The rows that each page of a list reads, by statements that are compiled once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import DateTimeField, F, UUIDField
from django.db.models.expressions import OrderBy

from common.rest.compiled import AnyRows, CompiledInstances, CompiledQuery, EqualsAny, Parameter
from common.rest.ordering import Order, RowList
from ondemand.models import Video
from ondemand.models.index import VideoIndex
from ondemand.models.publication import Listing
from ondemand.models.querysets import UNREAD, UNREAD_OF_FIRST
from ondemand.search.lists import VideoRows, stored_key

_AT = Parameter("at", DateTimeField())
_AMONG = EqualsAny(F("uuid"), Parameter("uuids", ArrayField(UUIDField())))


def any_videos() -> AnyRows:
    """Return the videos with the `uuids` of each run."""
    return Video.objects.with_channel_name().filter(_AMONG)


def listed_videos() -> AnyRows:
    """Return those that are listed `at` the time of each run."""
    return Video.objects.with_channel_name().listed(_AT).filter(_AMONG).with_next_publication_change(_AT)


def videos_query(build: Callable[[], AnyRows], **options: Any) -> CompiledInstances:
    """Return the compiled query of videos with their content, or that of the first row of their recording."""
    related = ("content", "duplicate_of", "duplicate_of__content")
    return CompiledInstances(build, related=related, unread=(*UNREAD, *UNREAD_OF_FIRST), **options)


def listed_query(build: Callable[[], AnyRows], **options: Any) -> CompiledInstances:
    """Return the compiled query of listed videos, which are no duplicates: without their tables, so faster to plan."""
    return CompiledInstances(build, related=("content",), unread=UNREAD, **options)


_ANY = videos_query(any_videos)
_LISTED = listed_query(listed_videos)
_ONE = videos_query(lambda: Video.objects.with_channel_name().filter(pk=Parameter("uuid")))
_REACHABLE = videos_query(lambda: Video.objects.with_channel_name().reachable(_AT).filter(pk=Parameter("uuid")))
_PLAYABLE = videos_query(lambda: Video.objects.with_channel_name().playable(_AT).filter(pk=Parameter("uuid")))
_PUBLICATION_CHANGES = CompiledQuery(lambda: Video.objects.publication_changes(_AT))


@dataclass(frozen=True)
class WalkedVideoList(RowList):
    """Listed videos that meet only conditions which the index of their order serves.

    A first page, and a page behind another one, is one statement, compiled once for each set of lookups. The keys and
    the videos are those of one moment, so nothing is checked twice. A page by its number reads the keys apart.
    """

    videos: VideoRows
    at: datetime

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.videos.name

    def read(self, position: list[Any] | None, first: int, count: int) -> list[tuple[Video | None, list[Any]]]:
        if first:
            return self.videos.read(position, first, count)
        key, uuid = position or (None, None)
        lookups = self.videos.walked_lookups or {}
        query = _page(self.name, tuple(lookups), count, is_behind=bool(position), has_key=key is not None)
        found = known_as_listed(query.instances(at=self.at, key=key, uuid=uuid, **lookups))
        return [(video, stored_key(video.key, video.uuid)) for video in found]  # type: ignore[attr-defined]


@lru_cache(maxsize=256)
def _page(ordering: str, lookups: tuple[str, ...], count: int, *, is_behind: bool, has_key: bool) -> CompiledInstances:
    """Return the statement of a page, which may be behind a position; the key of that may be NULL."""
    rows = VideoIndex.objects.listed(_AT).filter(**{name: Parameter(name) for name in lookups}).in_order(ordering)
    order = Order.of(rows)
    if is_behind:
        rows = rows.filter(order.after([Parameter("key") if has_key else None, Parameter("uuid")]))
    key = order.keys[0]
    keys = rows.values("video_id", key.name)[:count]
    videos = Video.objects.with_channel_name().with_next_publication_change(_AT).annotate(key=F(f"index__{key.name}"))
    # Those of the keys: the condition makes an inner join.
    videos = videos.filter(index__video__isnull=False).order_by(
        *(OrderBy(F(name), descending=key.descending, nulls_last=key.nulls_last) for name in ("key", "uuid"))
    )
    return listed_query(lambda: videos, among=lambda: keys)


def video_of(uuid: UUID, *, at: datetime | None) -> Video | None:
    """Return the video if anyone may open it at that time, or in any case if that is None."""
    found = _ONE.instances(uuid=uuid) if at is None else _REACHABLE.instances(uuid=uuid, at=at)
    return found[0] if found else None


def playable_video(uuid: UUID, *, at: datetime) -> Video | None:
    """Return the video if anyone may play it at that time."""
    found = _PLAYABLE.instances(uuid=uuid, at=at)
    return found[0] if found else None


def videos_of(uuids: list[UUID], *, at: datetime | None) -> list[Video]:
    """Return the videos with these uuids that are listed at that time, or all of them if it is None."""
    return _ANY.instances(uuids=uuids) if at is None else known_as_listed(_LISTED.instances(uuids=uuids, at=at))


def next_publication_change(at: datetime, page: Sequence[Any]) -> datetime | None:
    """Return the next time at which the publication of a video begins or ends; listed videos of a page know it."""
    if page and hasattr(page[0], "next_change_of_all"):
        return page[0].next_change_of_all
    return min((change for (change,) in _PUBLICATION_CHANGES.rows(at=at)), default=None)


def known_as_listed(videos: list[Video]) -> list[Video]:
    """Return the videos, which a query has found listed."""
    # To check the rules again took a fifth of the time of a document.
    for video in videos:
        video.known_listing = Listing.LISTED
    return videos
