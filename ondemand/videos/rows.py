"""The rows that each page of a list reads, by statements that are compiled once."""

from datetime import datetime
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import DateTimeField, F, UUIDField

from ivsvod.rest.compiled import CompiledQuery, EqualsAny, Parameter
from ondemand.models import Video
from ondemand.models.querysets import VideoQuerySet

_AT = Parameter("at", DateTimeField())


def videos_of(uuids: list[UUID], *, at: datetime | None) -> list[Video]:
    """Return the videos with these uuids that are listed at that time, or all of them if it is None."""
    return _ANY.instances(uuids=uuids) if at is None else _LISTED.instances(uuids=uuids, at=at)


def next_edge(at: datetime) -> datetime | None:
    """Return the next time at which the publication of a video begins or ends."""
    return min((edge for (edge,) in _EDGES.rows(at=at)), default=None)


def _videos() -> VideoQuerySet:
    uuids = Parameter("uuids", ArrayField(UUIDField()))
    return Video.objects.with_content().filter(EqualsAny(F("uuid"), uuids))


_ANY = CompiledQuery(_videos)
_LISTED = CompiledQuery(lambda: _videos().listed(_AT))
_EDGES = CompiledQuery(lambda: Video.objects.edges(_AT))
