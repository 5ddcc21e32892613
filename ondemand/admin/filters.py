"""Filters of the list of videos."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from channels_app.admin import ChoiceFilter
from channels_app.counting import BOUND, count_shown, counts_to
from channels_app.models import Channel
from channels_app.uuids import uuid_or_none
from ondemand.catalogue import VideoQuerySet
from ondemand.listing import Listing
from ondemand.models import Video
from ondemand.periods import Period, parse_period, periods_within

# A list by part of a name is of the channels that are found first.
MOST_CHANNELS = 100


def _stuck(videos: VideoQuerySet) -> VideoQuerySet:
    return videos.stuck(timezone.now())


def _open_though_private(videos: VideoQuerySet) -> VideoQuerySet:
    return videos.open_though_private(timezone.now())


class YesFilter(admin.SimpleListFilter):
    """The rows of which something is true; any other word than `yes` filters nothing."""

    label: Any
    wanted: ClassVar[Callable[..., Any]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Yes alone."""
        return [("yes", self.label)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of which it is true."""
        return type(self).wanted(queryset) if self.value() == "yes" else queryset


class ReviewFilter(YesFilter):
    """New recordings that wait until somebody says who may find them."""

    title = _("review")
    parameter_name = "review"
    label = _("To review")
    wanted = VideoQuerySet.to_review


class StuckFilter(YesFilter):
    """Recordings whose end never came."""

    title = _("end")
    parameter_name = "stuck"
    label = _("Recording for over 48 h")
    wanted = _stuck


class PrivateFilter(YesFilter):
    """Videos that anyone can open though their channel is private."""

    title = _("private channel")
    parameter_name = "private"
    label = _("Publicly reachable, private channel")
    wanted = _open_though_private


class CountedFilter(ChoiceFilter):
    """By one of a few words, each with its count up to `100+` where nothing else narrows the list down."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """The words, with their counts where they are quick to know."""
        alone = {str(self.parameter_name), ORDER_VAR, ALL_VAR}
        choices = list(super().choices(changelist))
        if not set(changelist.filter_params) <= alone:
            yield from choices
            return
        counts = counts_to(BOUND, [self.with_value(Video.objects.all(), word) for word in self.labels])
        yield choices[0]
        for choice, count in zip(choices[1:], counts, strict=True):
            yield {**choice, "display": f"{choice['display']} ({count_shown(count)})"}


class ListingFilter(CountedFilter):
    """By whether people find it, in the one word that the list shows."""

    title = _("listing")
    parameter_name = "listing"
    labels = {word.value: capfirst(word.label) for word in reversed(Listing)}

    def with_value(self, rows: VideoQuerySet, value: str) -> VideoQuerySet:
        """See `VideoQuerySet.with_listing`."""
        return rows.with_listing(value, timezone.now())


class StatusFilter(CountedFilter):
    """By how far the recording is."""

    title = _("recording")
    parameter_name = "status"
    labels = dict(Video.Status.choices)


class QaFilter(CountedFilter):
    """By what is known of the files."""

    title = _("files")
    parameter_name = "qa"
    labels = {word.value: capfirst(word.label) for word in Video.Qa}


class TypedFilter(admin.SimpleListFilter):
    """By what somebody types: there is no list of all that could be chosen."""

    template = "admin/ondemand/video/typed_filter.html"
    # The address that completes what is typed.
    complete = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """What is typed."""
        return [(self.value() or "", self.value() or "")]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """One: the box, and what else the list is narrowed down by."""
        others = dict(changelist.filter_params)
        for name in self.expected_parameters():
            others.pop(str(name), None)
        yield {
            "name": self.parameter_name,
            "value": self.value() or "",
            "shown": self.shown(),
            "complete": reverse(self.complete),
            "others": [(name, value) for name, values in others.items() for value in values],
            "query_string": changelist.get_query_string(remove=[str(name) for name in self.expected_parameters()]),
        }

    def shown(self) -> str:
        """What the list is filtered by, as people read it."""
        return self.value() or ""


class TagFilter(TypedFilter):
    """By a tag, exactly; the index of their beginnings serves it."""

    title = _("tag")
    parameter_name = "tag"
    complete = "admin:ondemand_video_tags_complete"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The videos that have it."""
        tag = " ".join((self.value() or "").replace("\0", "").split())
        return queryset.tagged([tag]) if tag else queryset  # type: ignore[attr-defined]


class ChannelFilter(TypedFilter):
    """By a channel: its uuid, or part of its name."""

    title = _("channel")
    parameter_name = "channel"
    complete = "admin:ondemand_video_channels_complete"
    # As the links of the library, and those of the pages of channels, have it.
    exact = "channel__uuid__exact"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        if self.exact in params:
            params.setdefault(self.parameter_name, params[self.exact])
            del params[self.exact]
        super().__init__(request, params, model, model_admin)

    def expected_parameters(self) -> list[str | None]:
        """Either name."""
        return [self.parameter_name, self.exact]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The videos of the channel, or of those with such a name."""
        text = (self.value() or "").replace("\0", "").strip()
        if not text:
            return queryset
        uuid = uuid_or_none(text.strip())
        if uuid is not None:
            return queryset.filter(channel_id=uuid)
        found = Channel.objects.filter(name__icontains=text).order_by("name", "pk").values_list("pk", flat=True)
        return queryset.filter(channel_id__in=list(found[:MOST_CHANNELS]))

    def shown(self) -> str:
        """The name of the channel where its uuid is given."""
        uuid = uuid_or_none((self.value() or "").strip())
        channel = Channel.objects.filter(pk=uuid).only("name").first() if uuid else None
        return str(channel or self.value() or "")


class StartedFilter(admin.SimpleListFilter):
    """By the year, the month or the day in which the recording began; shown above the list."""

    title = _("start")
    parameter_name = "started"
    template = "admin/ondemand/video/started_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The period that is asked for. What may be chosen is looked up where it is shown."""
        return [(self.value() or "", self.value() or "")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The videos of which the recording began then."""
        period = parse_period(self.value() or "")
        return queryset.filter(started_at__gte=period.begin, started_at__lt=period.end) if period else queryset

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """All times, the way down to the period that is asked for, and its parts that have a recording."""
        period = parse_period(self.value() or "")
        yield self._choice(changelist, None, "way", selected=period is None)
        for parent in [*period.parents, period] if period else []:
            yield self._choice(changelist, parent, "way", selected=parent == period)
        # Of a day its brothers: from one day to the next.
        within = period.parents[-1] if period and period.unit == "day" else period
        for part in periods_within(within):
            yield self._choice(changelist, part, "part", selected=part == period)

    def _choice(self, changelist: ChangeList, period: Period | None, kind: str, *, selected: bool) -> dict[str, Any]:
        name = str(self.parameter_name)
        query = changelist.get_query_string({name: period.text} if period else {}, [] if period else [name])
        shown = date_format(period.begin, FORMATS[period.unit]) if period else _("All times")
        return {"kind": kind, "selected": selected, "query_string": query, "display": shown}


FORMATS = {"year": "Y", "month": "F Y", "day": "j F"}
