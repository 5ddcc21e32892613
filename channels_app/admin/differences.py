"""What the last runs of `reconcile` found and nobody has mended yet, in the admin."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from channels_app.admin.pages import ReadOnlyAdmin, TextSearch
from channels_app.models import ReportedDifference, Stream
from channels_app.reconcile.kinds import Kind
from channels_app.reconcile.last_run import last_run
from channels_app.times import zoned
from channels_app.uuids import parse_uuid

NOTHING = zoned(None)
MENDED_BY = _("%(run)s What can be mended, manage.py reconcile --apply mends.")


@dataclass(frozen=True)
class DifferenceLink:
    """A page about what a difference is about, for whoever has the permission; the address is None where none is."""

    permission: str
    label: Any
    address: Callable[[ReportedDifference], str | None]


class KindFilter(admin.SimpleListFilter):
    """By what differs; only the kinds that there are."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The kinds that there are, in their order."""
        found = set(ReportedDifference.objects.values_list("kind", flat=True).distinct())
        return [(kind.value, kind.label) for kind in Kind if kind in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the kind; an unknown word filters nothing."""
        return queryset.filter(kind=self.value()) if self.value() in Kind.values else queryset


def channel_address(difference: ReportedDifference) -> str | None:
    """The page of its channel."""
    if difference.channel is None:
        return None
    return reverse("admin:channels_app_channel_change", args=[difference.channel.pk])


def stream_address(difference: ReportedDifference) -> str | None:
    """The page of its stream, where it is here."""
    if not difference.stream_id or difference.channel_id is None:
        return None
    stream = Stream.objects.filter(channel_id=difference.channel_id, stream_id=difference.stream_id).first()
    return reverse("admin:channels_app_stream_change", args=[stream.pk]) if stream else None


@admin.register(ReportedDifference)
class ReportedDifferenceAdmin(TextSearch, ReadOnlyAdmin):
    """Differences, read-only: a run of `reconcile` mends them, or finds them no more."""

    nothing_yet = _(
        "No difference is known. manage.py reconcile looks for them: let it run every quarter of an hour, with --apply."
    )
    # Other apps add theirs.
    links: tuple[DifferenceLink, ...] = (
        DifferenceLink("channels_app.view_channel", _("Channel"), channel_address),
        DifferenceLink("channels_app.view_stream", _("Stream"), stream_address),
    )
    list_display = ("shown_kind", "of_channel", "where", "mends", "found_first", "seen_last")
    list_display_links = ("shown_kind",)
    list_filter = (KindFilter,)
    list_select_related = ("channel",)
    search_fields = ("stream_id", "prefix", "arn")
    search_help_text = _("The whole id of a stream, prefix of a recording, or ARN or uuid of a channel")
    ordering = ("-found_at", "-id")
    change_form_template = "admin/channels_app/reporteddifference/change_form.html"
    fieldsets = (
        (None, {"fields": ("shown_kind", "mends", "found_first", "seen_last")}),
        (_("What it is about"), {"fields": ("of_channel", "arn", "where")}),
    )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see differences, or channels, whose they are."""
        return super().has_view_permission(request, obj) or request.user.has_perm("channels_app.view_channel")

    def found(self, queryset: QuerySet[ReportedDifference], text: str) -> QuerySet[ReportedDifference]:
        """Those about a stream, a recording or a channel."""
        return queryset.filter(Q(stream_id=text) | Q(prefix=text.strip("/")) | Q(arn=text) | _of_channel(text))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, under a sentence that says how old it is."""
        told = MENDED_BY % {"run": last_run(timezone.now()).told}
        return super().changelist_view(request, {"subtitle": told, **(extra_context or {})})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """The page, with links to what the difference is about."""
        allowed = [link for link in self.links if request.user.has_perm(link.permission)]
        addresses = [(link.label, link.address(context["original"])) for link in allowed]
        context |= {"links": [(label, address) for label, address in addresses if address]}
        return super().render_change_form(request, context, *args, **options)

    @admin.display(description=_("what differs"), ordering="kind")
    def shown_kind(self, difference: ReportedDifference) -> str:
        """What differs, in a sentence."""
        return str(difference)

    @admin.display(description=_("channel"), ordering="channel__name")
    def of_channel(self, difference: ReportedDifference) -> SafeString:
        """The channel; its ARN where there is no row of it."""
        return format_html("<bdi>{}</bdi>", difference.channel or difference.arn or NOTHING)

    @admin.display(description=_("stream or recording"))
    def where(self, difference: ReportedDifference) -> str:
        """The id of the stream, or the bucket and prefix of the recording."""
        return difference.place or NOTHING

    @admin.display(description=_("what mends it"))
    def mends(self, difference: ReportedDifference) -> SafeString:
        """What a run would do or what people can do, and why the last try failed."""
        if not difference.problem:
            return format_html("{}", difference.would)
        badge = '{}<br><span class="badge badge-failed">{}</span> {}'
        return format_html(badge, difference.would, _("failed"), difference.problem)

    @admin.display(description=_("found"), ordering="found_at")
    def found_first(self, difference: ReportedDifference) -> str:
        """When a run found it first."""
        return zoned(difference.found_at)

    @admin.display(description=_("seen last"), ordering="seen_at")
    def seen_last(self, difference: ReportedDifference) -> str:
        """When a run found it last."""
        return zoned(difference.seen_at)


def _of_channel(text: str) -> Q:
    try:
        return Q(channel=parse_uuid(text))
    except ValueError:
        return Q(pk__in=[])
