"""What the last runs of `reconcile` found and nobody has mended yet, in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import Case, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from channels_app.admin.links import PageLink, links_shown, row_address
from channels_app.admin.pages import ReadOnlyAdmin, TextSearch, WordFilter, by_uuid, without_places
from channels_app.models import Channel, ReportedDifference, Stream
from channels_app.reconcile.kinds import Kind
from channels_app.reconcile.last_run import last_run
from channels_app.scopes import account_has_scope
from channels_app.times import NOTHING, zoned

MENDED_BY = _("%(run)s What can be mended, manage.py reconcile --apply mends.")


class KindFilter(WordFilter):
    """By what differs; only the kinds that there are."""

    title = _("kind")
    parameter_name = "kind"
    words = dict(Kind.choices)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The kinds that there are, in their order."""
        found = set(ReportedDifference.objects.values_list("kind", flat=True).distinct())
        return [(kind, label) for kind, label in self.words.items() if kind in found]


def channel_address(difference: ReportedDifference) -> str | None:
    """The page of its channel."""
    return row_address(Channel, difference.channel.pk) if difference.channel else None


def stream_address(difference: ReportedDifference) -> str | None:
    """The page of its stream, where it is here."""
    if not difference.stream_id or difference.channel_id is None:
        return None
    stream = Stream.objects.filter(channel_id=difference.channel_id, stream_id=difference.stream_id).first()
    return row_address(Stream, stream.pk) if stream else None


@admin.register(ReportedDifference)
class ReportedDifferenceAdmin(TextSearch, ReadOnlyAdmin):
    """Differences, read-only: a run of `reconcile` mends them, or finds them no more."""

    nothing_yet = _(
        "No difference is known. manage.py reconcile looks for them: schedule it every 15 minutes, with --scheduled."
    )
    # Other apps add theirs.
    links: tuple[PageLink, ...] = (
        PageLink("channels_app.view_channel", _("Channel"), channel_address),
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
    change_form_template = "admin/linked.html"
    fieldsets = (
        (None, {"fields": ("shown_kind", "mends", "found_first", "seen_last")}),
        (_("What it is about"), {"fields": ("of_channel", "arn", "where")}),
    )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see differences, or channels, whose they are."""
        return super().has_view_permission(request, obj) or request.user.has_perm("channels_app.view_channel")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReportedDifference]:
        """Mask the place for callers without `curate`, unless the channel is public."""
        not_curator = Value(not account_has_scope(request.user, "curate"))
        is_place_hidden = Case(When(channel__private=False, then=Value(False)), default=not_curator)
        return super().get_queryset(request).annotate(is_place_hidden=is_place_hidden)

    def found(self, queryset: QuerySet[ReportedDifference], text: str) -> QuerySet[ReportedDifference]:
        """Those about a stream, a recording or a channel."""
        return queryset.filter(Q(stream_id=text) | Q(prefix=text.strip("/")) | Q(arn=text) | by_uuid(text, "channel"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, under a sentence that says how old it is."""
        told = MENDED_BY % {"run": last_run(timezone.now()).told}
        return super().changelist_view(request, {"subtitle": told, **(extra_context or {})})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """The page, with links to what the difference is about."""
        context |= {"links": links_shown(request, self.links, context["original"])}
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
        is_place_hidden: bool = difference.is_place_hidden  # type: ignore[attr-defined]
        return (difference.stream_id or difference.bucket if is_place_hidden else difference.place) or NOTHING

    @admin.display(description=_("what mends it"))
    def mends(self, difference: ReportedDifference) -> SafeString:
        """What a run would do or what people can do, and why the last try failed."""
        if not difference.problem:
            return format_html("{}", difference.would)
        badge = '{}<br><span class="badge badge-failed">{}</span> {}'
        is_place_hidden: bool = difference.is_place_hidden  # type: ignore[attr-defined]
        problem = without_places(difference.problem) if is_place_hidden else difference.problem
        return format_html(badge, difference.would, _("failed"), problem)

    @admin.display(description=_("found"), ordering="found_at")
    def found_first(self, difference: ReportedDifference) -> str:
        """When a run found it first."""
        return zoned(difference.found_at)

    @admin.display(description=_("seen last"), ordering="seen_at")
    def seen_last(self, difference: ReportedDifference) -> str:
        """When a run found it last."""
        return zoned(difference.seen_at)
