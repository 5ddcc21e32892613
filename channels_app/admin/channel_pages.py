"""The pages of one channel: how it is made, looked at and edited, and its buttons.

None of them is one transaction, as the stock pages are: AWS must not be called inside one. The page itself never
waits for AWS; what IVS knows at the moment has an address of its own.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from csp.decorators import csp_update
from django.contrib import messages
from django.contrib.admin.helpers import AdminForm
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from channels_app.admin import channel_live
from channels_app.admin.channel_actions import ACTIONS, ChannelAction, is_ready
from channels_app.admin.channel_facts import facts_of, limit_of, value_told
from channels_app.admin.channel_streams import streams_context
from channels_app.admin.links import PageLink, links_shown, row_address
from channels_app.admin.pages import PlainFormAdmin, account_of, refusal_sentence
from channels_app.control import EDITABLE, channel_edit, editable_of, row_again
from channels_app.errors import ChannelDeletedError, ServiceError
from channels_app.forms import LABELS, ChannelCreateForm, ChannelEditForm
from channels_app.idempotency import Made, channel_create_once
from channels_app.keys import is_key_removed
from channels_app.livestate import LIVE
from channels_app.models import Channel
from channels_app.times import zoned

NO_STORE = {"Cache-Control": "no-store"}
_LINES: Any = [
    (None, {"fields": ("name", ("type", "latency_mode"), ("private", "record", "active"), "new_video_state")})
]
# Whence IVS plays; for the one page that shows a live stream.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/web-content-security-policy.html
_PLAYBACK = "https://*.live-video.net"
with_playback = csp_update({"connect-src": [_PLAYBACK], "media-src": [_PLAYBACK]})


class ChannelPages(PlainFormAdmin):
    """One channel."""

    # Further pages about a channel, from other apps too.
    links: tuple[PageLink, ...] = ()
    create_title = _("Create a channel")
    create_help = _(
        "Amazon IVS makes the channel at once. Its ingest URL and its stream key are shown on the page that follows; "
        "the stream key just this once."
    )

    def get_urls(self) -> list[URLPattern]:
        """The stock addresses, and before them those of the buttons and of what IVS says now."""
        pages: dict[str, Callable[..., HttpResponse]] = {"live/": self.live_page, "live.json": self.live_document}
        pages |= {f"{action.word}/": partial(self.action_page, action) for action in ACTIONS}
        own = [
            path(f"<uuid:pk>/{end}", self.admin_site.admin_view(view), name=f"channels_app_channel_{_name(end)}")
            for end, view in pages.items()
        ]
        return [*own, *super().get_urls()]

    # Making one

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Create a channel, and show its key: in the answer itself, for a message or a session would keep it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ChannelCreateForm(request.POST or None, initial={"owner": request.user.pk})
        if not form.is_valid():
            return self.create_page(request, form, form_url, extra_context)
        try:
            made = channel_create_once(
                caller=account_of(request), key=form.key, digest=form.digest, values=form.arguments()
            )
        except ChannelDeletedError:
            deleted = gettext("The channel that this form created was deleted. To create another, load the page again.")
            form.add_error(None, deleted)
            return self.create_page(request, form, form_url, extra_context)
        except ServiceError as error:
            form.add_error(None, refusal_sentence(error))
            return self.create_page(request, form, form_url, extra_context)
        return self._created(request, made)

    def _created(self, request: HttpRequest, made: Made) -> HttpResponse:
        channel = made.channel
        if made.is_repeated:
            told = gettext("The channel was created when this form was sent before; that answer showed its stream key.")
            self.message_user(request, told, messages.WARNING)
            return HttpResponseRedirect(page_address(channel))
        return self._key_page(request, channel, gettext("Channel created"), channel.reveal_stream_key())

    # Looking at one, and editing it

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of a channel; sent back, its form is saved."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        channel = self.get_object(request, object_id)
        if channel is None:
            return self._missing(request, object_id)
        if request.method == "POST":
            return self._edit(request, channel)
        if request.GET.get("play") and _is_playable(channel):
            return with_playback(self._page)(request, channel, player=channel.playback_url)
        return self._page(request, channel)

    def _edit(self, request: HttpRequest, channel: Channel) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = ChannelEditForm(request.POST, channel=channel)
        if not form.is_valid():
            return self._page(request, channel, form=form)
        try:
            channel_edit(channel=channel, shown=form.was_shown, values=form.changes())
        except ServiceError as error:
            return self._refused(request, form, error)
        self._note_edit(request, channel, form)
        return HttpResponseRedirect(page_address(channel))

    def _note_edit(self, request: HttpRequest, channel: Channel, form: ChannelEditForm) -> None:
        changed = list(form.changes())
        if not changed:
            self.message_user(request, gettext("Nothing was changed."), messages.INFO)
            return
        names = ", ".join(str(LABELS[name]) for name in changed)
        self.message_user(request, gettext("Saved: %s.") % names, messages.SUCCESS)

    def _refused(self, request: HttpRequest, form: ChannelEditForm, error: ServiceError) -> HttpResponse:
        """The form again, over the channel as it is by now: what was saved in part, or by others, is not undone."""
        channel = self.get_object(request, str(form.channel.pk))
        if channel is None:
            return self._missing(request, str(form.channel.pk))
        again = form.rebased(channel)
        again.add_error(None, refusal_sentence(error))
        return self._page(request, channel, form=again, differences=differences_of(form, channel))

    def _page(self, request: HttpRequest, channel: Channel, **more: Any) -> HttpResponse:
        form = more.pop("form", None)
        if form is None and self.has_change_permission(request) and is_ready(channel):
            form = ChannelEditForm(channel=channel)
        context = {
            **self._context(request, channel, _("Channel")),
            **_live_words(channel),
            "is_playable": _is_playable(channel),
            "live_labels": channel_live.LABELS,
            "live_page": reverse("admin:channels_app_channel_live", args=[channel.pk]),
            "live_document": reverse("admin:channels_app_channel_live_json", args=[channel.pk]),
            "is_ready": is_ready(channel),
            "is_banned": is_key_removed(channel),
            "facts": facts_of(channel, with_settings=form is None),
            "actions": self._actions(request, channel),
            "links": links_shown(request, self.links, channel),
            "streams": streams_context(channel, timezone.now()),
            "may_see_history": _may(request, "channels_app.view_auditentry"),
            "form": form,
            "adminform": form and AdminForm(form, _LINES, {}, model_admin=self),
            "errors": form and form.errors,
            **more,
        }
        return TemplateResponse(request, "admin/channels_app/channel/page.html", context)

    def _actions(self, request: HttpRequest, channel: Channel) -> list[tuple[ChannelAction, str]]:
        offered = [action for action in ACTIONS if _may(request, action.permission) and action.is_offered(channel)]
        return [(action, _action_address(action, channel)) for action in offered]

    # Its buttons

    def action_page(self, action: ChannelAction, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask whether it shall be done; sent back, do it."""
        return require_http_methods(["GET", "HEAD", "POST"])(self._action)(request, action, pk)

    def _action(self, request: HttpRequest, action: ChannelAction, pk: UUID) -> HttpResponse:
        if not _may(request, action.permission):
            raise PermissionDenied
        channel = self.get_object(request, str(pk))
        if channel is None:
            return self._missing(request, str(pk))
        if request.method == "POST":
            return self._act(request, action, channel)
        context = {
            **self._context(request, channel, action.question),
            **_live_words(channel),
            "action": action,
            "key_seen": key_mark(channel),
        }
        return TemplateResponse(request, "admin/channels_app/channel/confirm.html", context)

    def _act(self, request: HttpRequest, action: ChannelAction, channel: Channel) -> HttpResponse:
        # A page that shows the new key may be loaded again, and the browser then sends its form again.
        if action.replaces_key and request.POST.get("key_seen", key_mark(channel)) != key_mark(channel):
            told = gettext("The stream key was replaced since this form was shown: it was not replaced once more.")
            self.message_user(request, told, messages.WARNING)
            return HttpResponseRedirect(page_address(channel))
        try:
            key = action.act(channel, account_of(request))
        except ServiceError as error:
            self.message_user(request, f"{action.label}: {refusal_sentence(error)}", messages.ERROR)
            return HttpResponseRedirect(page_address(channel))
        if key:
            return self._key_page(request, row_again(channel), str(action.done), key)
        self.message_user(request, str(action.done), messages.SUCCESS)
        return HttpResponseRedirect(page_address(channel))

    def _key_page(self, request: HttpRequest, channel: Channel, told: str, key: str) -> HttpResponse:
        context = {
            **self._context(request, channel, told),
            "key": key,
            "limit": limit_of(channel),
        }
        return TemplateResponse(request, "admin/channels_app/channel/key.html", context, headers=NO_STORE)

    # What IVS says now

    def live_page(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """What IVS says, for people without a script."""
        return require_GET(self._live)(request, pk, self._live_page)

    def live_document(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """What IVS says, for the script of the page."""
        return require_GET(self._live)(request, pk, self._live_document)

    def _live(self, request: HttpRequest, pk: UUID, answer: Callable[..., HttpResponse]) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        channel = self.get_object(request, str(pk))
        return self._missing(request, str(pk)) if channel is None else answer(request, channel)

    def _live_page(self, request: HttpRequest, channel: Channel) -> HttpResponse:
        context = {
            **self._context(request, channel, _("What Amazon IVS says now")),
            "asked": channel_live.ask(channel),
        }
        return TemplateResponse(request, "admin/channels_app/channel/asked.html", context)

    def _live_document(self, request: HttpRequest, channel: Channel) -> HttpResponse:
        asked = channel_live.ask(channel)
        return JsonResponse({"told": asked.told, "facts": asked.facts}, headers=NO_STORE)

    def _context(self, request: HttpRequest, channel: Channel, title: Any) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": channel,
            "title": title,
            "subtitle": str(channel),
            "page": page_address(channel),
            "media": self.media,
            "has_view_permission": self.has_view_permission(request),
        }

    def _missing(self, request: HttpRequest, pk: str) -> HttpResponse:
        return self._get_obj_does_not_exist_redirect(request, self.opts, pk)  # type: ignore[attr-defined]


def key_mark(channel: Channel) -> str:
    """What tells one stream key of a channel from another, and nothing else of it."""
    return salted_hmac("channels_app.admin.key_mark", channel.stream_key or "", algorithm="sha256").hexdigest()[:16]


def page_address(channel: Channel) -> str:
    """The page of a channel."""
    return row_address(Channel, channel.pk)


def differences_of(form: ChannelEditForm, channel: Channel) -> list[tuple[Any, Any, Any]]:
    """What is another value by now than the person was shown: the field, what it was, what it is."""
    shown, now = form.was_shown, editable_of(channel)
    changed = [name for name in EDITABLE if shown[name] != now[name]]
    return [(LABELS[name], value_told(name, shown[name]), value_told(name, now[name])) for name in changed]


def _live_words(channel: Channel) -> dict[str, Any]:
    state = channel.live_state
    return {"is_live": state.state == LIVE, "since": state.since and zoned(state.since)}


def _name(end: str) -> str:
    return end.rstrip("/").replace(".", "_")


def _action_address(action: ChannelAction, channel: Channel) -> str:
    return reverse(f"admin:channels_app_channel_{action.word}", args=[channel.pk])


def _may(request: HttpRequest, permission: str) -> bool:
    return request.user.has_perm(permission)


def _is_playable(channel: Channel) -> bool:
    """Whether the live stream plays without a playback token."""
    is_live = channel.live_state.state == LIVE
    return is_live and not channel.private and (channel.playback_url or "").startswith("https://")
