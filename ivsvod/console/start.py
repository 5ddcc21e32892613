"""The start page of the admin: each part for accounts that may see its rows."""

from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext

from channels_app.admin import address_of, list_address, row_address, with_object_names
from channels_app.models import AuditEntry, Channel, NewVideoState, ReportedDifference, Stream, new_video_state
from channels_app.reconcile.report import last_run
from channels_app.streams.timeline import StreamState, streams_in_state, streams_shown
from common.audit import Way
from common.rest.scopes import account_has_scope
from common.rest.times import clock, zoned
from common.sql.rows import count_shown, counts_of
from ivsvod.console.attention import ATTENTION_ITEMS
from ivsvod.console.charts import day_chart, length_text
from ondemand.models import Video
from ondemand.videos.files import CatalogueReader
from ondemand.videos.thumbnails import row_picture
from ondemand.videos.titles import display_title

DAYS, WEEK = 30, 7
SHOWN, SHOWN_CHANGES = 6, 8
_MILLISECONDS_AN_HOUR = 3_600_000


def start_page(site: AdminSite, request: HttpRequest) -> dict[str, Any]:
    """Return the context of the page, in a number of queries that does not depend on the number of rows.

    A part is None if the account may not see its rows. `counts` has the kinds that have rows, as texts.
    """
    now = timezone.now()
    items = [item for item in ATTENTION_ITEMS if _may_see(site, request, item.model)]
    kinds: dict[str, QuerySet[Any]] = {item.name: item.rows(now) for item in items}
    addresses: dict[str, str] = {}
    page: dict[str, Any] = {"live": None, "review": None, "week": None, "days": None, "run": None, "attention": None}
    if _may_see(site, request, Video):
        to_review, videos = Video.objects.to_review(), Video.objects.all()
        # The channels whose new recordings wait for review, whatever NEW_VIDEO_STATE says.
        states = [NewVideoState.HIDDEN, NewVideoState.UNLISTED]
        reviewed = Channel.objects.filter(active=True).alias(state=new_video_state()).filter(state__in=states)
        kinds |= {"review": to_review, "videos": videos, "reviewed": reviewed}
        addresses |= {"review": list_address(Video, review="yes"), "videos": list_address(Video)}
        page["review"] = _video_rows(request, to_review, review="yes")
        page["week"] = _video_rows(request, Video.objects.recorded(*_last_days(now, WEEK)))
        page["days"] = _days(now)
    if _may_see(site, request, Stream):
        live = streams_in_state(streams_shown(Stream.objects.all()), StreamState.LIVE)
        kinds |= {"live": live, "channels": Channel.objects.all()}
        addresses["live"] = list_address(Stream, state="live")
        page["live"] = [
            {
                "channel": stream.channel_name or str(stream.channel_id),  # type: ignore[attr-defined]
                "address": row_address(Stream, stream.pk),
                "started_at": stream.started_at,
                "since": zoned(stream.started_at),
            }
            for stream in live.newest_first()[:SHOWN]
        ]
    if site.is_registered(Channel) and site.get_model_admin(Channel).has_add_permission(request):
        addresses["add_channel"] = reverse("admin:channels_app_channel_add")
    if _may_see(site, request, ReportedDifference):
        page["run"] = last_run(now)
    numbers = zip(kinds, counts_of(list(kinds.values())), strict=True)
    counts = {name: count_shown(number) for name, number in numbers if number}
    if items:
        page["attention"] = [(item, counts[item.name]) for item in items if item.name in counts]
    # The last changes of the account in the admin, of rows that it may see.
    entries = site.get_model_admin(AuditEntry).get_queryset(request)
    own = entries.filter(actor_name=request.user.get_username(), way=Way.ADMIN).order_by("-id")[:SHOWN_CHANGES]
    run = page["run"]
    return page | {
        "is_empty": page["live"] is None and page["review"] is None and page["attention"] is None,
        "has_no_problem": not page["attention"] and not (run and run.needs_action),
        "mine": [
            {"done": each.get_action_display(), "name": each.object_repr, "address": address_of(each)}
            for each in with_object_names(own)
        ],
        "counts": counts,
        "addresses": addresses,
        "new_video_state": settings.NEW_VIDEO_STATE,
        "is_held_until_checked": settings.HOLD_UNTIL_CHECKED,
    }


def _may_see(site: AdminSite, request: HttpRequest, model: type[Model]) -> bool:
    return site.is_registered(model) and site.get_model_admin(model).has_view_permission(request)


def _video_rows(request: HttpRequest, videos: Any, **filters: str) -> list[dict[str, Any]]:
    """Return the first rows of a list; with filters, a video page leads back to, and through, the filtered list."""
    query = f"?{urlencode({'_changelist_filters': urlencode(filters)})}" if filters else ""
    now, reader = timezone.now(), CatalogueReader(is_curator=account_has_scope(request.user, "curate"))
    return [
        {
            "title": display_title(video),
            "address": row_address(Video, video.pk) + query,
            "picture": row_picture(video, reader),
            "channel": str(video.channel_name or video.channel_id or ""),
            "start": zoned(video.started_at),
            "length": clock(video.duration),
            "listing": video.listing_at(now),
        }
        for video in videos.newest_first().with_content()[:SHOWN]
    ]


def _days(now: datetime) -> dict[str, Any]:
    """Return the recordings and hours of the last 30 days, today included, by the day of their start."""
    since, until = _last_days(now, DAYS)
    rows = {row["day"]: row for row in Video.objects.recorded(since, until).by_day()}
    days = [since.date() + timedelta(days=number) for number in range(DAYS)]
    counts = [rows[day]["count"] if day in rows else 0 for day in days]
    hours = [(rows[day]["milliseconds"] or 0) / _MILLISECONDS_AN_HOUR if day in rows else 0.0 for day in days]
    by_hours, by_count = list(zip(days, hours, strict=True)), list(zip(days, map(float, counts), strict=True))
    return {
        "zone": str(timezone.get_current_timezone()),
        "recordings": sum(counts),
        "week_count": sum(counts[-WEEK:]),
        "week_length": length_text(sum(hours[-WEEK:])),
        "charts": [
            day_chart("hours", gettext("Hours recorded a day"), by_hours, length_text),
            day_chart("recordings", gettext("Recordings a day"), by_count, lambda value: f"{value:.0f}"),
        ],
    }


def _last_days(now: datetime, days: int) -> tuple[datetime, datetime]:
    """Return the first and the last midnight of `days` days, in the zone of the reader; a day may have 23 hours."""
    today, zone = timezone.localdate(now), timezone.get_current_timezone()
    bounds = (today - timedelta(days=days - 1), today + timedelta(days=1))
    since, until = (datetime.combine(day, time(), zone) for day in bounds)
    return since, until
