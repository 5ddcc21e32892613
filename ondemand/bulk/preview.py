"""The preview of a bulk change: the listing of the chosen videos before and after it."""

from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, DateTimeField, Q, Value, When

from channels_app.models import new_video_state
from ondemand.bulk.decisions import dates_have_no_effect, video_columns
from ondemand.models import BulkChange, Video
from ondemand.models.publication import TIME_INDEPENDENT, TO_REVIEW, Listing, is_met
from ondemand.models.querysets import VideoQuerySet, is_true
from ondemand.recordings.handlers import publication_decide

_ANY_VIDEO = UUID(int=0)
_GROUPED_BY = ("status", "active", "held", "held_by_check", "awaits_review", "visibility")
_BOUNDS = ("publish_from", "publish_until")
# The listings that a schedule decides.
_OF_TIME = (Listing.LISTED, Listing.SCHEDULED, Listing.EXPIRED)


@dataclass(frozen=True)
class ListingChange:
    """The listing of a number of videos before and after; `is_same`: nothing of them is changed.

    `ended` is the listing of a running recording after its end. `is_reviewed`: the change ends its wait for review.
    `is_undecided`: the dates of a schedule have no effect, since the video awaits a decision.
    """

    now: Listing
    after: Listing
    is_same: bool
    ended: Listing | None
    is_reviewed: bool
    is_decided_elsewhere: bool
    is_undecided: bool
    videos: int = 0


def chosen_videos(change: BulkChange) -> VideoQuerySet:
    """Return the chosen videos that exist."""
    return Video.objects.filter(pk__in=change.rows.values("video_uuid"))


def tag_uses(change: BulkChange, tags: list[str]) -> list[tuple[str, int]]:
    """Return each tag with the number of chosen videos that have it already."""
    counts = {f"tag{n}": Count("pk", filter=Q(content__tags__contains=[tag])) for n, tag in enumerate(tags)}
    found = chosen_videos(change).aggregate(**counts)
    return [(tag, found[f"tag{n}"]) for n, tag in enumerate(tags)]


def listing_changes(change: BulkChange, values: dict[str, Any], at: datetime) -> list[ListingChange]:
    """Return the changes of listings, in one statement for any number of videos.

    The statement groups the videos by all columns that decide their listing. For each bound of the publication window
    one time stands for all past ones, and one for all future ones.
    """
    bounds = {f"{name}_bound": _bound(name, values.get(name), at) for name in _BOUNDS}
    decided_by = {
        "is_copy": is_true(~TIME_INDEPENDENT[Listing.DUPLICATE]),
        # It decides recordings that run alone.
        "new_state": Case(When(status=Video.Status.RECORDING, then=new_video_state("channel__"))),
        **bounds,
    }
    rows = chosen_videos(change).annotate(**decided_by).order_by().values(*_GROUPED_BY, *decided_by)
    counted: dict[ListingChange, int] = {}
    for group in rows.annotate(videos=Count("pk")):
        videos = group.pop("videos")
        found = _listing_change(change.kind, group, values, at)
        counted[found] = counted.get(found, 0) + videos
    changes = [replace(found, videos=videos) for found, videos in counted.items()]
    return sorted(changes, key=lambda found: (found.is_same, -found.videos))


def _bound(name: str, text: str | None, at: datetime) -> Case:
    time = datetime.fromisoformat(text) if text else None
    same = [When(Q((name, time)), then=Value(time))] if time else []
    later, earlier = Value(at + timedelta(days=1)), Value(at - timedelta(days=1))
    kinds = [When(Q((f"{name}__gt", at)), then=later), When(Q((f"{name}__isnull", False)), then=earlier)]
    return Case(*same, *kinds, output_field=DateTimeField())


def _listing_change(kind: str, group: dict[str, Any], values: dict[str, Any], at: datetime) -> ListingChange:
    bounds = {name: group.pop(f"{name}_bound") for name in _BOUNDS}
    state = group.pop("new_state")
    video = Video(duplicate_of_id=_ANY_VIDEO if group.pop("is_copy") else None, **group, **bounds)
    now, awaited = video.listing_at(at), is_met(TO_REVIEW, video)
    is_undecided = kind == BulkChange.Kind.SCHEDULE and dates_have_no_effect(video, values)
    written = video_columns(kind, video, values)
    is_same = all(getattr(video, name) == value for name, value in written.items())
    for name, value in written.items():
        setattr(video, name, value)
    after, ended = video.listing_at(at), None
    if after == Listing.RECORDING and not is_same:
        # Once it has ended and its files are found good.
        finished = copy(video)
        finished.status, finished.qa = Video.Status.AVAILABLE, Video.Qa.OK
        publication_decide(finished, state)
        ended = finished.listing_at(at)
    return ListingChange(
        now,
        after,
        is_same,
        ended=ended,
        is_reviewed=awaited and not is_met(TO_REVIEW, video),
        is_decided_elsewhere=after == now and not (kind == BulkChange.Kind.SCHEDULE and after in _OF_TIME),
        is_undecided=is_undecided,
    )
