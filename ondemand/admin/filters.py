"""Filters of the list of videos, for a form: `options` are the choices of a filter, `shown` is its value as text."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from channels_app.admin import ChoiceFilter
from channels_app.models import Channel
from common.rest.uuids import uuid_or_none
from ondemand.admin.periods import parse_period, periods_within
from ondemand.models import Video
from ondemand.models.publication import Listing
from ondemand.models.querysets import VideoQuerySet
from ondemand.search.lookups import videos_tagged

# The most channels that match a part of a name.
MOST_CHANNELS = 100


class VideoChoiceFilter(ChoiceFilter):
    """A filter with a few choices."""

    is_in_form = True

    def options(self) -> Sequence[tuple[str, Any]]:
        return list(self.labels.items())

    @cached_property
    def shown(self) -> Any:
        return self.labels.get(self.value() or "", "")


class ReviewFilter(VideoChoiceFilter):
    """Videos that await review; shown as a tab, so it is not in the form."""

    is_in_form = False
    title = _("review")
    parameter_name = "review"
    labels = {"yes": _("To review")}

    def with_value(self, rows: VideoQuerySet, value: str) -> VideoQuerySet:
        return rows.to_review()


class ListingFilter(VideoChoiceFilter):
    title = _("listing")
    parameter_name = "listing"
    labels = {listing.value: capfirst(listing.label) for listing in reversed(Listing)}
    # The listings that have a tab, in the order of the tabs.
    tabs = (Listing.LISTED, Listing.SCHEDULED, Listing.HIDDEN, Listing.FAILED)

    def with_value(self, rows: VideoQuerySet, value: str) -> VideoQuerySet:
        return rows.with_listing(value, timezone.now())

    def options(self) -> Sequence[tuple[str, Any]]:
        """Return the listings that have no tab, and the chosen one."""
        chosen = self.value()
        return [item for item in self.labels.items() if item[0] not in self.tabs or item[0] == chosen]


class ShownFilter(VideoChoiceFilter):
    """Filter by `active`.

    Used only by links of the start page, together with another filter; it has no index of its own.
    """

    is_in_form = False
    title = _("decision")
    parameter_name = "shown"
    labels = {"yes": _("Shown"), "no": _("Hidden"), "open": _("Not decided")}

    def with_value(self, rows: VideoQuerySet, value: str) -> VideoQuerySet:
        return rows.filter(active={"yes": True, "no": False, "open": None}[value])


class QaFilter(VideoChoiceFilter):
    title = _("files")
    parameter_name = "qa"
    labels = {qa.value: capfirst(qa.label) for qa in Video.Qa}


class StuckFilter(VideoChoiceFilter):
    title = _("end")
    parameter_name = "stuck"
    labels = {"yes": _("Recording for over 48 h")}

    def with_value(self, rows: VideoQuerySet, value: str) -> VideoQuerySet:
        return rows.stuck(timezone.now())


class GrantFilter(VideoChoiceFilter):
    title = _("playback")
    parameter_name = "grant"
    labels = {"yes": _("With a grant alone")}

    def with_value(self, rows: VideoQuerySet, value: str) -> VideoQuerySet:
        return rows.with_grant_alone()


class TextFilter(admin.SimpleListFilter):
    """A filter whose values are too many for a list."""

    is_in_form = True

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(self.value() or "", self.value() or "")]

    @cached_property
    def shown(self) -> str:
        """Return the value as display text."""
        return self.value() or ""


class TagFilter(TextFilter):
    title = _("tag")
    parameter_name = "tag"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        tag = tag_text(self.value() or "")
        return queryset.filter(pk__in=videos_tagged(tag).values("pk")) if tag else queryset

    def complete(self) -> str:
        return reverse("admin:ondemand_video_tags_complete")


class ChannelFilter(TextFilter):
    """By a channel: its uuid, or part of its name."""

    title = _("channel")
    parameter_name = "channel"
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

    def complete(self) -> str:
        return reverse("admin:ondemand_video_channels_complete")

    @cached_property
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


class StartedFilter(TextFilter):
    """By the year, month or day in which the recording began."""

    title = _("start")
    parameter_name = "started"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        period = parse_period(self.value() or "")
        return queryset.filter(started_at__gte=period.begin, started_at__lt=period.end) if period else queryset

    def options(self) -> Sequence[tuple[str, Any]]:
        """Return the path to the selected period, and its parts that have a recording."""
        period = parse_period(self.value() or "")
        path = [*period.parents, period] if period else []
        # For a day, the other days of its month.
        parts = periods_within(period.parents[-1] if period and period.unit == "day" else period)
        return [(each.text, each.text) for each in dict.fromkeys([*path, *parts])]

    @cached_property
    def shown(self) -> str:
        period = parse_period(self.value() or "")
        return period.text if period else ""
