"""The rows that each page of a list reads, by statements that are compiled once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import DateTimeField, F, UUIDField

from ivsvod.rest.compiled import CompiledQuery, EqualsAny, Parameter
from ondemand.models import Video

_AT = Parameter("at", DateTimeField())
_AMONG = EqualsAny(F("uuid"), Parameter("uuids", ArrayField(UUIDField())))
_ANY = CompiledQuery(lambda: Video.objects.with_content().filter(_AMONG))
_LISTED = CompiledQuery(lambda: Video.objects.with_own_content().listed(_AT).filter(_AMONG).with_next_edge(_AT))
_ONE = CompiledQuery(lambda: Video.objects.with_content().filter(pk=Parameter("uuid")))
_REACHABLE = CompiledQuery(lambda: Video.objects.with_content().reachable(_AT).filter(pk=Parameter("uuid")))
_EDGES = CompiledQuery(lambda: Video.objects.edges(_AT))


def video_of(uuid: UUID, *, at: datetime | None) -> Video | None:
    """Return the video if anyone may open it at that time, or in any case if that is None."""
    found = _ONE.instances(uuid=uuid) if at is None else _REACHABLE.instances(uuid=uuid, at=at)
    return found[0] if found else None


def videos_of(uuids: list[UUID], *, at: datetime | None) -> list[Video]:
    """Return the videos with these uuids that are listed at that time, or all of them if it is None."""
    return _ANY.instances(uuids=uuids) if at is None else _LISTED.instances(uuids=uuids, at=at)


def next_edge(at: datetime, page: Sequence[Any]) -> datetime | None:
    """Return the next time at which the publication of a video begins or ends; listed videos of a page know it."""
    if page and hasattr(page[0], "edge_of_all"):
        return page[0].edge_of_all
    return min((edge for (edge,) in _EDGES.rows(at=at)), default=None)
