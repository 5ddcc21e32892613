"""Playback grants in the admin: the list, the page of one with the uses of its viewer, and revocation."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from channels_app.admin import (
    AuditedAdmin,
    ChannelAdmin,
    ChoiceFilter,
    PageLink,
    ReadOnlyAdmin,
    TextSearch,
    list_address,
    row_address,
    time_column,
)
from channels_app.models import Channel
from common.admin.pages import by_uuid, refusal_sentence
from common.aws import AwsError
from common.rest.times import NOTHING
from common.sql.rows import count_shown
from ondemand.models import GrantState, PlaybackGrant, PlaybackGrantQuerySet, Video
from ondemand.playback.grants import SUMMED, grants_revoke, viewer_revoke, viewer_uses
from ondemand.videos.titles import display_title

# A person waits for the answer, and IVS takes five calls a second.
MOST_REVOKED = 100
SHOWN_GRANTS = 20
ANYONE = _("anyone who has the URL")


class StateFilter(ChoiceFilter):
    title = pgettext_lazy("a grant", "state")
    parameter_name = "state"
    labels = dict(GrantState.choices)

    def with_value(self, rows: PlaybackGrantQuerySet, value: str) -> PlaybackGrantQuerySet:
        return rows.in_state(GrantState(value), timezone.now())


class KindFilter(ChoiceFilter):
    title = _("grant for")
    parameter_name = "kind"
    labels = {"video": _("a video"), "channel": _("a channel")}

    def with_value(self, rows: PlaybackGrantQuerySet, value: str) -> PlaybackGrantQuerySet:
        return rows.filter((f"{value}__isnull", False))


@admin.register(PlaybackGrant)
class PlaybackGrantAdmin(AuditedAdmin, TextSearch, ReadOnlyAdmin):
    """Playback grants, read-only: the API makes them. They are revoked here, one by one or for a viewer."""

    class Media:
        css = {"all": ("channels_app/channels.css",)}

    nothing_yet = _("There is no playback grant yet. The API makes them: POST /on-demand/{uuid}/playback-grants.")
    change_form_template = "admin/ondemand/playbackgrant/change_form.html"
    links = (
        PageLink("ondemand.view_video", _("Video"), lambda row: row.video_id and row_address(Video, row.video_id)),
        PageLink(
            "channels_app.view_channel",
            _("Channel"),
            lambda row: row.channel_id and row_address(Channel, row.channel_id),
        ),
    )
    list_display = ("of_viewer", "target", "by_name", "made", "ends", "state", "uses", "used")
    list_display_links = ("of_viewer",)
    list_filter = (StateFilter, KindFilter)
    search_fields = ("viewer",)
    search_help_text = _("The whole name of a viewer, or the uuid of a grant, a video or a channel")
    secret_fields = ("digest", "request_key", "request_digest")
    ordering = ("-made_at", "-id")
    # There is no index for another order.
    sortable_by = ("made",)
    actions = ("revoke_selected",)
    fieldsets = (
        (None, {"fields": ("of_viewer", "target", "state", "by_name", "made", "ends", "revoked")}),
        (_("Uses"), {"fields": ("uses", "used")}),
        (_("Limits of its token"), {"fields": ("origins", "single_use", "maximum_resolution")}),
    )
    made = time_column("made_at", _("made"), ordering="made_at")
    ends = time_column("expires_at", _("end"), empty=_("none"))
    revoked = time_column("revoked_at", _("revoked"))
    used = time_column("last_used_at", _("last used"), empty=_("never"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlaybackGrant]:
        return PlaybackGrant.objects.with_target()

    def get_urls(self) -> list[URLPattern]:
        """Return the URLs, with the pages that ask before they revoke."""
        methods = require_http_methods(["GET", "HEAD", "POST"])
        views = {"revoke": self.revoke_view, "revoke-viewer": self.revoke_viewer_view}
        own = [
            path(
                f"<uuid:pk>/{end}/",
                self.admin_site.admin_view(methods(view)),
                name=f"ondemand_playbackgrant_{end.replace('-', '_')}",
            )
            for end, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: PlaybackGrant | None = None) -> Any:
        """Return the fields; only a token of IVS has limits."""
        return self.fieldsets if obj and obj.claims else self.fieldsets[:-1]

    def found(self, queryset: QuerySet[PlaybackGrant], text: str) -> QuerySet[PlaybackGrant]:
        return queryset.filter(by_uuid(text, "pk", "video_id", "channel_id") | Q(viewer=text))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list; above it the uses of the viewer whose name is searched for."""
        viewer = request.GET.get("q", "").strip().replace("\0", "")
        subtitle = uses_sentence(viewer) if viewer and self.has_view_permission(request) else ""
        more = {"subtitle": subtitle} if subtitle else {}
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        grant: PlaybackGrant = context["original"]
        others = PlaybackGrant.objects.filter(viewer=grant.viewer).exclude(pk=grant.pk)
        shown = list(others.with_target().newest_first()[:SHOWN_GRANTS]) if grant.viewer else []
        context |= {
            "subtitle": grant.viewer or ANYONE,
            "may_revoke": self.has_revoke_permission(request),
            "is_revoked": grant.revoked_at is not None,
            "uses_sentence": grant.viewer and uses_sentence(grant.viewer),
            "others": [self._row(each) for each in shown],
            "all_address": list_address(PlaybackGrant, q=grant.viewer),
        }
        return super().render_change_form(request, context, *args, **options)

    def _row(self, grant: PlaybackGrant) -> dict[str, Any]:
        return {
            "address": row_address(PlaybackGrant, grant.pk),
            "target": target_of(grant),
            "made": self.made(grant),
            "state": self.state(grant),
            "uses": grant.uses,
            "used": self.used(grant),
        }

    # Revocation

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Return whether the caller may revoke grants."""
        return request.user.has_perm("ondemand.change_playbackgrant")

    @admin.action(description=_("Revoke selected grants"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[PlaybackGrant]) -> HttpResponse | None:
        """Ask; once that is answered, revoke them."""
        chosen = list(queryset.order_by().values_list("pk", flat=True)[: MOST_REVOKED + 1])
        if len(chosen) > MOST_REVOKED:
            refusal = gettext(
                "Nothing was revoked: these are more than %(most)d grants. Select fewer, or revoke all of a viewer."
            )
            self.message_user(request, refusal % {"most": MOST_REVOKED}, messages.ERROR)
            return None
        if "post" not in request.POST:
            question = ngettext("Revoke %(count)d grant?", "Revoke %(count)d grants?", len(chosen))
            hidden = [("action", "revoke_selected"), *((ACTION_CHECKBOX_NAME, str(pk)) for pk in chosen)]
            return self._asked(request, question % {"count": len(chosen)}, list_address(PlaybackGrant), hidden=hidden)
        self._revoke(request, lambda: grants_revoke(grant_ids=chosen))
        return None

    def revoke_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask; POST revokes the grant."""
        grant = self._grant(request, pk)
        page = row_address(PlaybackGrant, grant.pk)
        if request.method != "POST":
            return self._asked(request, gettext("Revoke this grant?"), page, grant=grant)
        self._revoke(request, lambda: grants_revoke(grant_ids=[grant.pk]))
        return HttpResponseRedirect(page)

    def revoke_viewer_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask; POST revokes all grants of the viewer of this grant."""
        grant = self._grant(request, pk)
        page = row_address(PlaybackGrant, grant.pk)
        if not grant.viewer:
            self.message_user(request, _("This grant names no viewer: revoke it alone."), messages.ERROR)
            return HttpResponseRedirect(page)
        if request.method != "POST":
            question = gettext("Revoke all grants of the viewer “%(viewer)s”?") % {"viewer": grant.viewer}
            return self._asked(request, question, page, grant=grant)
        self._revoke(request, lambda: viewer_revoke(viewer=grant.viewer))
        return HttpResponseRedirect(page)

    def _grant(self, request: HttpRequest, pk: UUID) -> PlaybackGrant:
        if not self.has_revoke_permission(request):
            raise PermissionDenied
        grant = self.get_object(request, str(pk))
        if grant is None:
            raise Http404
        return grant

    def _asked(self, request: HttpRequest, question: str, back: str, **more: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": question,
            "back": back,
            **more,
        }
        return TemplateResponse(request, "admin/ondemand/playbackgrant/confirm.html", context)

    def _revoke(self, request: HttpRequest, revoke: Callable[[], int]) -> None:
        try:
            revoked = revoke()
        except AwsError as error:
            rest = gettext("The grants are revoked. What Amazon IVS plays may go on: revoke them again.")
            self.message_user(request, f"{refusal_sentence(error)} {rest}", messages.ERROR)
            return
        done = ngettext("%(count)d grant was revoked.", "%(count)d grants were revoked.", revoked)
        self.message_user(request, done % {"count": revoked}, messages.SUCCESS)

    # Columns

    @admin.display(description=_("viewer"))
    def of_viewer(self, grant: PlaybackGrant) -> SafeString:
        if grant.viewer:
            return format_html("<bdi>{}</bdi>", grant.viewer)
        return format_html('<span class="quiet">{}</span>', ANYONE)

    @admin.display(description=_("video or channel"))
    def target(self, grant: PlaybackGrant) -> SafeString:
        return target_of(grant)

    @admin.display(description=pgettext_lazy("a grant", "state"))
    def state(self, grant: PlaybackGrant) -> SafeString:
        state = grant.state_at(timezone.now())
        return format_html('<span class="badge badge-grant-{}">{}</span>', state, state.label)

    @admin.display(description=_("origins"))
    def origins(self, grant: PlaybackGrant) -> str:
        return ", ".join(grant.claims.get("origins") or []) or str(_("all"))

    @admin.display(description=_("for a single use"), boolean=True)
    def single_use(self, grant: PlaybackGrant) -> bool:
        return bool(grant.claims.get("single_use"))

    @admin.display(description=_("maximum resolution"))
    def maximum_resolution(self, grant: PlaybackGrant) -> str:
        return grant.claims.get("maximum_resolution") or NOTHING


def target_of(grant: PlaybackGrant) -> SafeString:
    """Return a link to the video or channel that it plays."""
    if grant.video is not None:
        address, text = row_address(Video, grant.video_id), display_title(grant.video)
    else:
        address, text = row_address(Channel, grant.channel_id), str(grant.channel)
    return format_html('<a href="{}"><bdi>{}</bdi></a>', address, text)


def uses_sentence(viewer: str) -> str:
    """Return how often a viewer used grants; empty if there is none of the viewer."""
    found = viewer_uses(viewer=viewer)
    if not found.grants:
        return ""
    grants = count_shown(found.grants, SUMMED)
    text = gettext("Uses of the viewer “%(viewer)s”: %(uses)d, of %(grants)s grants.")
    return text % {"viewer": viewer, "uses": found.uses, "grants": grants}


ChannelAdmin.links += (
    PageLink(
        "ondemand.view_playbackgrant",
        _("Playback grants"),
        lambda channel: list_address(PlaybackGrant, channel__uuid__exact=channel.pk),
    ),
)
