"""The open differences that `reconcile` reported, in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from channels_app.models import Channel, ReportedDifference, Stream
from channels_app.models.differences import DifferenceKind
from channels_app.reconcile.report import last_run
from common.admin.pages import (
    ChoiceFilter,
    PageLink,
    ReadOnlyAdmin,
    TextSearch,
    by_uuid,
    row_address,
    time_column,
    without_places,
)
from common.rest.scopes import account_has_scope
from common.rest.times import NOTHING


class KindFilter(ChoiceFilter):
    """By kind, with only the kinds that exist."""

    title = _("kind")
    parameter_name = "kind"
    labels = dict(DifferenceKind.choices)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        found = set(ReportedDifference.objects.values_list("kind", flat=True).distinct())
        return [(kind, label) for kind, label in self.labels.items() if kind in found]


def stream_address(difference: ReportedDifference) -> str | None:
    """Return the address of its stream's page, or None if there is no row of the stream."""
    if not difference.stream_id or difference.channel_id is None:
        return None
    stream = Stream.objects.filter(channel_id=difference.channel_id, stream_id=difference.stream_id).first()
    return row_address(Stream, stream.pk) if stream else None


@admin.register(ReportedDifference)
class ReportedDifferenceAdmin(TextSearch, ReadOnlyAdmin):
    """Differences, read-only: a run of `reconcile` repairs them, or no longer finds them."""

    nothing_yet = _(
        "No difference is reported. manage.py reconcile finds them: schedule it every 15 minutes, with --scheduled."
    )
    # Other apps append to it.
    links: tuple[PageLink, ...] = (
        PageLink(
            "channels_app.view_channel", _("Channel"), lambda row: row.channel and row_address(Channel, row.channel.pk)
        ),
        PageLink("channels_app.view_stream", _("Stream"), stream_address),
    )
    list_display = ("shown_kind", "of_channel", "where", "mends", "found_first", "seen_last")
    list_display_links = ("shown_kind",)
    curated_fields = ("prefix", "would", "problem")
    list_filter = (KindFilter,)
    list_select_related = ("channel",)
    search_fields = ("stream_id", "prefix", "arn")
    search_help_text = _("The whole id of a stream, prefix of a recording, or ARN or uuid of a channel")
    ordering = ("-found_at", "-id")
    fieldsets = (
        (None, {"fields": ("shown_kind", "mends", "found_first", "seen_last")}),
        (_("Subject"), {"fields": ("of_channel", "arn", "where")}),
    )
    found_first = time_column("found_at", _("found"), ordering="found_at")
    seen_last = time_column("seen_at", _("seen last"), ordering="seen_at")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the caller may see differences, or the channels that they belong to."""
        return super().has_view_permission(request, obj) or request.user.has_perm("channels_app.view_channel")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReportedDifference]:
        """Return all differences; `is_place_hidden` for callers without the scope `curate`."""
        is_place_hidden = Value(not account_has_scope(request.user, "curate"))
        return super().get_queryset(request).annotate(is_place_hidden=is_place_hidden)

    def found(self, queryset: QuerySet[ReportedDifference], text: str) -> QuerySet[ReportedDifference]:
        return queryset.filter(Q(stream_id=text) | Q(prefix=text.strip("/")) | Q(arn=text) | by_uuid(text, "channel"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        run = last_run(timezone.now()).sentence
        subtitle = _("%(run)s manage.py reconcile --apply repairs what can be repaired.") % {"run": run}
        return super().changelist_view(request, {"subtitle": subtitle, **(extra_context or {})})

    @admin.display(description=_("what differs"), ordering="kind")
    def shown_kind(self, difference: ReportedDifference) -> str:
        return str(difference)

    @admin.display(description=_("channel"), ordering="channel__name")
    def of_channel(self, difference: ReportedDifference) -> SafeString:
        return format_html("<bdi>{}</bdi>", difference.channel or difference.arn or NOTHING)

    @admin.display(description=_("stream or recording"))
    def where(self, difference: ReportedDifference) -> str:
        """Return the id of the stream, or the bucket and prefix of the recording."""
        is_hidden: bool = difference.is_place_hidden  # type: ignore[attr-defined]
        return (difference.stream_id or difference.bucket if is_hidden else difference.place) or NOTHING

    @admin.display(description=_("repair"))
    def mends(self, difference: ReportedDifference) -> SafeString:
        """Return what a run or a person can do, and why the last attempt failed."""
        if not difference.problem:
            return format_html("{}", difference.would)
        is_hidden: bool = difference.is_place_hidden  # type: ignore[attr-defined]
        problem = without_places(difference.problem) if is_hidden else difference.problem
        badge = '{}<br><span class="badge badge-failed">{}</span> {}'
        return format_html(badge, difference.would, _("failed"), problem)
