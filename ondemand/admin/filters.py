"""Filters of the list of videos."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from channels_app.admin import ChoiceFilter
from channels_app.models import Channel
from channels_app.sql.rows import count_shown, counts_of
from ivsvod.rest.uuids import uuid_or_none
from ondemand.admin.periods import Period, parse_period, periods_within
from ondemand.models import Video
from ondemand.models.publication import Listing
from ondemand.models.querysets import VideoQuerySet
from ondemand.videos.lookups import videos_tagged

# The most channels that match a part of a name.
MOST_CHANNELS = 100


class ReviewFilter(ChoiceFilter):
    title = _("review")
    parameter_name = "review"
    labels = {"yes": _("To review")}

    def with_value(self, rows: VideoQuerySet, value: str) -> VideoQuerySet:
        return rows.to_review()


class StuckFilter(ChoiceFilter):
    title = _("end")
    parameter_name = "stuck"
    labels = {"yes": _("Recording for over 48 h")}

    def with_value(self, rows: VideoQuerySet, value: str) -> VideoQuerySet:
        return rows.stuck(timezone.now())


class GrantFilter(ChoiceFilter):
    title = _("playback")
    parameter_name = "grant"
    labels = {"yes": _("With a grant alone")}

    def with_value(self, rows: VideoQuerySet, value: str) -> VideoQuerySet:
        return rows.with_grant_alone()


class CountedFilter(ChoiceFilter):
    """A choice whose values are counted, up to `100+`, if no other filter is set."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        choices = list(super().choices(changelist))
        if not set(changelist.filter_params) <= {str(self.parameter_name), ORDER_VAR, ALL_VAR}:
            yield from choices
            return
        counts = counts_of([self.with_value(Video.objects.all(), value) for value in self.labels])
        yield choices[0]
        for choice, count in zip(choices[1:], counts, strict=True):
            yield {**choice, "display": f"{choice['display']} ({count_shown(count)})"}


class ListingFilter(CountedFilter):
    title = _("listing")
    parameter_name = "listing"
    labels = {listing.value: capfirst(listing.label) for listing in reversed(Listing)}

    def with_value(self, rows: VideoQuerySet, value: str) -> VideoQuerySet:
        return rows.with_listing(value, timezone.now())


class StatusFilter(CountedFilter):
    title = _("recording")
    parameter_name = "status"
    labels = dict(Video.Status.choices)


class QaFilter(CountedFilter):
    title = _("files")
    parameter_name = "qa"
    labels = {qa.value: capfirst(qa.label) for qa in Video.Qa}


class TypedFilter(admin.SimpleListFilter):
    """A filter by typed text, with autocompletion, because there are too many values for a list."""

    template = "admin/ondemand/video/typed_filter.html"
    # The URL name of the autocompletion.
    complete = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(self.value() or "", self.value() or "")]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield one choice: the text box, with the other filters as hidden fields."""
        own = [str(name) for name in self.expected_parameters()]
        yield {
            "name": self.parameter_name,
            "value": self.value() or "",
            "shown": self.shown(),
            "complete": reverse(self.complete),
            "others": [
                (name, value)
                for name, values in changelist.filter_params.items()
                if name not in own
                for value in values
            ],
            "query_string": changelist.get_query_string(remove=own),
        }

    def shown(self) -> str:
        """Return the value as the text box shows it."""
        return self.value() or ""


class TagFilter(TypedFilter):
    title = _("tag")
    parameter_name = "tag"
    complete = "admin:ondemand_video_tags_complete"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        tag = tag_text(self.value() or "")
        return queryset.filter(pk__in=videos_tagged(tag).values("pk")) if tag else queryset


class ChannelFilter(TypedFilter):
    """By a channel: its uuid, or part of its name."""

    title = _("channel")
    parameter_name = "channel"
    complete = "admin:ondemand_video_channels_complete"
    # The parameter of Django's own links, and of the links on channel pages.
    exact = "channel__uuid__exact"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        if self.exact in params:
            params.setdefault(self.parameter_name, params[self.exact])
            del params[self.exact]
        super().__init__(request, params, model, model_admin)

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter_name, self.exact]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        uuids = channel_uuids(self.value() or "")
        return queryset if uuids is None else queryset.filter(channel_id__in=uuids)

    def shown(self) -> str:
        uuid = uuid_or_none((self.value() or "").strip())
        channel = Channel.objects.filter(pk=uuid).only("name").first() if uuid else None
        return str(channel or self.value() or "")


def tag_text(text: str) -> str:
    """Return the text of the tag filter as tags are stored; empty if there is none."""
    return " ".join(text.replace("\0", "").split())


def channel_uuids(text: str) -> list[UUID] | None:
    """Return the uuids of the channels that a uuid or part of a name means; None if there is no text."""
    text = text.replace("\0", "").strip()
    if not text:
        return None
    uuid = uuid_or_none(text)
    if uuid is not None:
        return [uuid]
    channels = Channel.objects.filter(name__icontains=text).order_by("name", "pk").values_list("pk", flat=True)
    return list(channels[:MOST_CHANNELS])


class StartedFilter(admin.SimpleListFilter):
    """By the year, month or day in which the recording began; shown above the list."""

    title = _("start")
    parameter_name = "started"
    template = "admin/ondemand/video/started_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        # `choices` queries the periods, and only when the filter is shown.
        return [(self.value() or "", self.value() or "")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        period = parse_period(self.value() or "")
        return queryset.filter(started_at__gte=period.begin, started_at__lt=period.end) if period else queryset

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield all times, the path to the selected period, and its parts that have a recording."""
        name, period = str(self.parameter_name), parse_period(self.value() or "")
        path: list[Period | None] = [None, *period.parents, period] if period else [None]
        # For a day, the other days of its month.
        parts = periods_within(period.parents[-1] if period and period.unit == "day" else period)
        for kind, each in [*(("path", each) for each in path), *(("parts", each) for each in parts)]:
            yield {
                "kind": kind,
                "selected": each == period,
                "query_string": changelist.get_query_string({name: each.text} if each else {}, [] if each else [name]),
                "display": each.text if each else _("All times"),
            }
