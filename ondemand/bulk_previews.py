"""What a bulk change will do, before anybody confirms it."""

from collections import Counter
from copy import copy
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, DateTimeField, F, Q, Value, When

from ondemand.bulk_rules import Kind, dates_have_no_effect, video_columns
from ondemand.catalogue import IS_PRIVATE, VideoQuerySet
from ondemand.listing import Listing
from ondemand.models import BulkChange, Video
from ondemand.reducers import new_video_state, publication_decide

SHOWN_TITLES = 5
_ANY_VIDEO = UUID(int=0)
_KEPT = ("status", "active", "held", "held_by_check", "awaits_review", "visibility")
_EDGES = ("publish_from", "publish_until")
# What a schedule decides of.
_OF_TIME = (Listing.LISTED, Listing.SCHEDULED, Listing.EXPIRED)


@dataclass(frozen=True)
class Words:
    """The word that a video has now, and the one after; the same where nothing of it is changed.

    `ended` is the word of a recording that runs, once it has ended; `is_reviewed`: it waits for review until then;
    `is_undecided`: nobody decided that it is shown, so that the dates of a schedule have no effect.
    """

    now: Listing
    after: Listing
    is_same: bool
    ended: Listing | None = None
    is_reviewed: bool = False
    is_decided_elsewhere: bool = False
    is_undecided: bool = False


@dataclass(frozen=True)
class WordChange(Words):
    """What becomes of so many videos."""

    videos: int = 0


@dataclass(frozen=True)
class TagUse:
    """How many of the chosen videos have a tag, and how many videos have it that were not chosen."""

    tag: str
    videos: int


def chosen_videos(change: BulkChange) -> VideoQuerySet:
    """The videos that were chosen and are there."""
    return Video.objects.filter(pk__in=change.rows.values("video_uuid"))


def first_titles(change: BulkChange) -> list[Video]:
    """The newest of them."""
    return list(chosen_videos(change).with_content().newest_first()[:SHOWN_TITLES])


def word_changes(change: BulkChange, values: dict[str, Any], at: datetime) -> list[WordChange]:
    """What changes, by the word that says whether people find a video; in one statement, however many there are."""
    counted: Counter[Words] = Counter()
    for group in _groups(change, values, at):
        videos = group.pop("videos")
        counted[_words(change.kind, group, values, at)] += videos
    changes = [WordChange(**asdict(words), videos=videos) for words, videos in counted.items()]
    return sorted(changes, key=lambda found: (found.is_same, -found.videos))


def tag_uses(change: BulkChange, tags: list[str]) -> list[TagUse]:
    """How many of the chosen videos have each of the tags already."""
    counts = {f"tag{n}": Count("pk", filter=Q(content__tags__contains=[tag])) for n, tag in enumerate(tags)}
    found = chosen_videos(change).aggregate(**counts)
    return [TagUse(tag, found[f"tag{n}"]) for n, tag in enumerate(tags)]


def without_files(change: BulkChange) -> int:
    """How many of the chosen videos have no files that could be checked."""
    return change.chosen - chosen_videos(change).with_files().count()


def of_private_channels(change: BulkChange) -> int:
    """Return how many of the chosen videos are of private channels, whose files only curators get."""
    return chosen_videos(change).of_private_channels().count()


def _groups(change: BulkChange, values: dict[str, Any], at: datetime) -> list[dict[str, Any]]:
    """The chosen videos by all that decides of their word; a moment of each kind stands for all of its kind."""
    edges = {f"{name}_edge": _edge(name, values.get(name), at) for name in _EDGES}
    is_copy = Case(When(duplicate_of__isnull=False, then=Value(True)), default=Value(False))
    # It decides of recordings that run alone.
    new_state = Case(When(status=Video.Status.RECORDING, then=F("channel__new_video_state")))
    decided_by = {"is_copy": is_copy, "is_private": IS_PRIVATE, "new_state": new_state, **edges}
    rows = chosen_videos(change).annotate(**decided_by).order_by()
    return list(rows.values(*_KEPT, *decided_by).annotate(videos=Count("pk")))


def _edge(name: str, wanted: str | None, at: datetime) -> Case:
    moment = datetime.fromisoformat(wanted) if wanted else None
    same = [When(Q((name, moment)), then=Value(moment))] if moment else []
    later, earlier = Value(at + timedelta(days=1)), Value(at - timedelta(days=1))
    kinds = [When(Q((f"{name}__gt", at)), then=later), When(Q((f"{name}__isnull", False)), then=earlier)]
    return Case(*same, *kinds, output_field=DateTimeField())


def _words(kind: str, group: dict[str, Any], values: dict[str, Any], at: datetime) -> Words:
    edges = {name: group.pop(f"{name}_edge") for name in _EDGES}
    state = new_video_state(group.pop("new_state"), is_private=group.pop("is_private"))
    video = Video(duplicate_of_id=_ANY_VIDEO if group.pop("is_copy") else None, **group, **edges)
    now, awaited = video.listing_at(at), _awaits(video)
    is_undecided = kind == Kind.SCHEDULE and dates_have_no_effect(video, values)
    written = video_columns(Kind(kind), video, values)
    is_same = all(getattr(video, name) == value for name, value in written.items())
    for name, value in written.items():
        setattr(video, name, value)
    after = video.listing_at(at)
    return Words(
        now,
        after,
        is_same,
        ended=_word_of_ended(video, state, at) if after == Listing.RECORDING and not is_same else None,
        is_reviewed=awaited and not _awaits(video),
        is_decided_elsewhere=after == now and not (kind == Kind.SCHEDULE and after in _OF_TIME),
        is_undecided=is_undecided,
    )


def _awaits(video: Video) -> bool:
    """Whether it waits for review, as `VideoQuerySet.to_review` has it."""
    if video.status != Video.Status.AVAILABLE or video.duplicate_of_id is not None:
        return False
    is_new = video.awaits_review and (video.active is False or video.visibility == Video.Visibility.UNLISTED)
    return is_new or bool(video.active and video.held)


def _word_of_ended(video: Video, state: str, at: datetime) -> Listing:
    """The word of a recording that runs, once it has ended and its files are found good."""
    video = copy(video)
    video.status, video.qa = Video.Status.AVAILABLE, Video.Qa.OK
    publication_decide(video, state)
    return video.listing_at(at)
