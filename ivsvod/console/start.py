"""What the start page of the admin shows to whoever asks: each part for those who may see its rows."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy

from channels_app.admin import address_of, list_address, row_address
from channels_app.audit import Way
from channels_app.counting import BOUND, count_shown, counts_to
from channels_app.models import (
    AuditEntry,
    Channel,
    NewVideoState,
    ReportedDifference,
    Stream,
    StreamQuerySet,
    private_channel,
)
from channels_app.reconcile.last_run import LastRun, last_run
from channels_app.scopes import account_has_scope
from channels_app.timeline import StreamWord, streams_in_state, streams_shown
from channels_app.times import clock, zoned
from ivsvod.console.attention import MATTERS, Matter
from ivsvod.console.charts import Chart, day_chart, length_told
from ondemand.admin.columns import title_of
from ondemand.models import Video
from ondemand.pictures import video_picture

DAYS, WEEK = 30, 7
SHOWN, SHOWN_CHANGES = 6, 8
_MILLISECONDS_AN_HOUR = 3_600_000


@dataclass(frozen=True)
class Days:
    """The last days, today included, each with how many recordings began on it and how many hours they are."""

    zone: str
    days: list[tuple[date, int, float]]

    @property
    def recordings(self) -> int:
        """All of them."""
        return sum(count for _day, count, _hours in self.days)

    @property
    def week(self) -> tuple[int, str]:
        """The recordings of the last seven days, and how long they are."""
        week = self.days[-WEEK:]
        return sum(count for _day, count, _hours in week), length_told(sum(hours for _day, _count, hours in week))

    @property
    def charts(self) -> list[Chart]:
        """Hours, and recordings, of each day."""
        hours = [(day, hours) for day, _count, hours in self.days]
        counts = [(day, float(count)) for day, count, _hours in self.days]
        return [
            day_chart("hours", gettext_lazy("Hours recorded a day"), hours, length_told),
            day_chart("recordings", gettext_lazy("Recordings a day"), counts, lambda value: f"{value:.0f}"),
        ]


@dataclass(frozen=True)
class StartPage:
    """All that the page shows; None is what whoever asks may not see."""

    live: list[dict[str, Any]] | None = None
    review: list[dict[str, Any]] | None = None
    week: list[dict[str, Any]] | None = None
    days: Days | None = None
    attention: list[tuple[Matter, str]] | None = None
    run: LastRun | None = None
    mine: list[dict[str, Any]] = field(default_factory=list)
    # Of what there is, as people read it.
    counts: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    new_video_state: str = ""
    is_held_until_checked: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that whoever asks may see."""
        return self.live is None and self.review is None and self.attention is None

    @property
    def is_calm(self) -> bool:
        """Whether nothing needs attention."""
        return not self.attention and not (self.run and self.run.is_amiss)


def start_page(site: AdminSite, request: HttpRequest) -> StartPage:
    """The page for whoever asks; as many queries for many rows as for few."""
    now = timezone.now()
    matters = [matter for matter in MATTERS if _may_see(site, request, matter.model)]
    sees_videos, sees_streams = _may_see(site, request, Video), _may_see(site, request, Stream)
    counts = _counts({**dict(_kinds(sees_videos, sees_streams)), **{each.word: each.rows(now) for each in matters}})
    return StartPage(
        live=_live_rows() if sees_streams else None,
        review=_video_rows(request, Video.objects.to_review(), review="yes") if sees_videos else None,
        week=_video_rows(request, Video.objects.recorded(*_last_days(now, WEEK))) if sees_videos else None,
        days=_days(now) if sees_videos else None,
        attention=[(each, counts[each.word]) for each in matters if each.word in counts] if matters else None,
        run=last_run(now) if _may_see(site, request, ReportedDifference) else None,
        mine=_own_changes(site, request),
        counts=counts,
        addresses=dict(_addresses(site, request)),
        new_video_state=settings.NEW_VIDEO_STATE,
        is_held_until_checked=settings.HOLD_UNTIL_CHECKED,
    )


def _may_see(site: AdminSite, request: HttpRequest, model: type[Model]) -> bool:
    return site.is_registered(model) and site.get_model_admin(model).has_view_permission(request)


def _counts(kinds: dict[str, QuerySet[Any]]) -> dict[str, str]:
    """How many rows of each kind there are, of those kinds that there are; one query."""
    counted = zip(kinds, counts_to(BOUND, list(kinds.values())), strict=True)
    return {word: count_shown(count) for word, count in counted if count}


def _kinds(sees_videos: bool, sees_streams: bool) -> Iterator[tuple[str, QuerySet[Any]]]:
    """What is counted beside what needs attention."""
    if sees_videos:
        yield "review", Video.objects.to_review()
        yield "videos", Video.objects.all()
        yield "reviewed", _reviewed_channels()
    if sees_streams:
        yield "live", _live()
        yield "channels", Channel.objects.all()


def _reviewed_channels() -> QuerySet[Channel]:
    """Return the channels whose new recordings wait for review, whatever NEW_VIDEO_STATE says."""
    own = Q(new_video_state__in=[NewVideoState.HIDDEN, NewVideoState.UNLISTED])
    return Channel.objects.filter(own | (private_channel() & Q(new_video_state__isnull=True)), active=True)


def _live() -> StreamQuerySet:
    return streams_in_state(streams_shown(Stream.objects.all()), StreamWord.LIVE)


def _live_rows() -> list[dict[str, Any]]:
    return [
        {
            "channel": stream.channel_name or str(stream.channel_id),  # type: ignore[attr-defined]
            "address": row_address(Stream, stream.pk),
            "started_at": stream.started_at,
            "since": zoned(stream.started_at),
        }
        for stream in _live().newest_first()[:SHOWN]
    ]


def _video_rows(request: HttpRequest, videos: Any, **listed_by: str) -> list[dict[str, Any]]:
    """What a row says of each; its page goes back to, and through, the list that is filtered so."""
    found = urlencode({"_changelist_filters": urlencode(listed_by)}) if listed_by else ""
    now, to_curator = timezone.now(), account_has_scope(request.user, "curate")
    return [
        {
            "title": title_of(video),
            "address": row_address(Video, video.pk) + (f"?{found}" if found else ""),
            "picture": video_picture(video, to_curator=to_curator),
            "channel": str(video.channel or video.channel_id or ""),
            "start": zoned(video.started_at),
            "length": clock(video.duration),
            "word": video.listing_at(now),
        }
        for video in videos.recent_first_with_channel()[:SHOWN]
    ]


def _own_changes(site: AdminSite, request: HttpRequest) -> list[dict[str, Any]]:
    """What whoever asks did last in the admin, as the audit log has it, of what they may see."""
    entries = site.get_model_admin(AuditEntry).get_queryset(request)
    own = entries.filter(actor_name=request.user.get_username(), way=Way.ADMIN).order_by("-id")[:SHOWN_CHANGES]
    return [{"done": each.get_action_display(), "name": each.object_repr, "address": address_of(each)} for each in own]


def _days(now: datetime) -> Days:
    since, until = _last_days(now, DAYS)
    found = {row["day"]: row for row in Video.objects.recorded(since, until).by_day()}
    days = (since.date() + timedelta(days=each) for each in range(DAYS))
    nothing = {"count": 0, "milliseconds": 0}
    rows = [(day, found.get(day, nothing)) for day in days]
    hours = [(day, row["count"], (row["milliseconds"] or 0) / _MILLISECONDS_AN_HOUR) for day, row in rows]
    return Days(str(timezone.get_current_timezone()), hours)


def _last_days(now: datetime, days: int) -> tuple[datetime, datetime]:
    """From the first midnight to the last, in the zone of the reader; a day may have 23 hours."""
    today = timezone.localdate(now)
    return _midnight(today - timedelta(days=days - 1)), _midnight(today + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_current_timezone())


def _addresses(site: AdminSite, request: HttpRequest) -> Iterator[tuple[str, str]]:
    """Where the parts lead whoever may go there."""
    if _may_see(site, request, Video):
        yield "review", list_address(Video, review="yes")
        yield "videos", list_address(Video)
    if _may_see(site, request, Stream):
        yield "live", list_address(Stream, state="live")
    if site.is_registered(Channel) and site.get_model_admin(Channel).has_add_permission(request):
        yield "add_channel", reverse("admin:channels_app_channel_add")
