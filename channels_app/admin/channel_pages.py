"""The pages of one channel: creation, view and edit, its buttons, and the live facts of Amazon IVS.

The stock pages of the admin run in one transaction. These do not, for AWS must not be called inside a transaction. The
page itself never waits for AWS: the live facts have an address that a script fetches.
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

from channels_app.admin.channel_actions import ACTIONS, ChannelAction, is_ready
from channels_app.admin.channel_facts import ENCODER_LIMITS, LIVE_LABELS, facts_of, live_facts, setting_text
from channels_app.admin.forms import LABELS, ChannelCreateForm, ChannelEditForm, editable_of
from channels_app.admin.streams import streams_context
from channels_app.channels.idempotency import channel_create_once
from channels_app.channels.stream_keys import is_key_removed
from channels_app.channels.updates import channel_edit, channel_reload
from channels_app.channels.viewer_tokens import own_playback_url
from channels_app.models import Channel
from channels_app.models.live_state import LIVE
from common.admin.pages import PageLink, PlainFormAdmin, account_of, links_shown, refusal_sentence
from common.errors import ChannelDeletedError, ServiceError
from common.rest.scopes import account_has_scope
from common.rest.times import zoned

_NO_STORE = {"Cache-Control": "no-store"}
_LINES: Any = [
    (None, {"fields": ("name", ("type", "latency_mode"), ("private", "record", "active"), "new_video_state")})
]
# The hosts of IVS playback, for the one page that plays a live stream.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/web-content-security-policy.html
_PLAYBACK = "https://*.live-video.net"
_with_playback = csp_update({"connect-src": [_PLAYBACK], "media-src": [_PLAYBACK]})


class ChannelPages(PlainFormAdmin):
    """The pages of one channel."""

    # Links to further pages about a channel; other apps append to it.
    links: tuple[PageLink, ...] = ()
    create_title = _("Create a channel")
    create_help = _(
        "Amazon IVS creates the channel at once. The next page shows its ingest URL and its stream key; "
        "the stream key is shown only once."
    )

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses of buttons and live facts, followed by the stock addresses."""
        live, act = require_GET(self.live_view), require_http_methods(["GET", "HEAD", "POST"])(self.action_view)
        pages: dict[str, Callable[..., HttpResponse]] = {"live/": live, "live.json": partial(live, as_json=True)}
        pages |= {f"{action.name}/": partial(act, action=action) for action in ACTIONS}
        own = [
            path(
                f"<uuid:pk>/{end}",
                self.admin_site.admin_view(view),
                name=f"channels_app_channel_{end.rstrip('/').replace('.', '_')}",
            )
            for end, view in pages.items()
        ]
        return [*own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Create a channel; the response itself shows its key, since a message or a session would store it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ChannelCreateForm(request.POST or None, initial={"owner": request.user.pk})
        if not form.is_valid():
            return self.create_page(request, form, form_url, extra_context)
        try:
            made = channel_create_once(caller=account_of(request), **form.creation())
        except ServiceError as error:
            deleted = gettext("The channel that this form created was deleted. To create another, load the page again.")
            form.add_error(None, deleted if isinstance(error, ChannelDeletedError) else refusal_sentence(error))
            return self.create_page(request, form, form_url, extra_context)
        if made.is_repeated:
            repeated = gettext("This form was sent before and created the channel; that answer showed its stream key.")
            return self._back(request, made.channel, repeated, messages.WARNING)
        return self._key_page(request, made.channel, gettext("Channel created"), made.channel.reveal_stream_key())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        channel = self.get_object(request, object_id)
        if channel is None:
            return self._missing(request, object_id)
        if request.method == "POST":
            return self._edit(request, channel)
        if request.GET.get("play") and _live_state(request, channel)["is_playable"]:
            return _with_playback(self._page)(request, channel, player=own_playback_url(channel, timezone.now()))
        return self._page(request, channel)

    def _edit(self, request: HttpRequest, channel: Channel) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = ChannelEditForm(request.POST, channel=channel)
        if not form.is_valid():
            return self._page(request, channel, form=form)
        changes = form.changes()
        try:
            channel_edit(channel=channel, shown=form.was_shown, values=changes)
        except ServiceError as error:
            # The form again, over the row as it is now: it may be saved in part, or changed by others.
            current = self.get_object(request, str(channel.pk))
            if current is None:
                return self._missing(request, str(channel.pk))
            again = form.rebased(current)
            again.add_error(None, refusal_sentence(error))
            return self._page(request, current, form=again, differences=_differences(form, current))
        if not changes:
            return self._back(request, channel, gettext("Nothing was changed."), messages.INFO)
        names = ", ".join(str(LABELS[name]) for name in changes)
        return self._back(request, channel, gettext("Saved: %s.") % names, messages.SUCCESS)

    def _page(self, request: HttpRequest, channel: Channel, **more: Any) -> HttpResponse:
        form = more.pop("form", None)
        if form is None and self.has_change_permission(request) and is_ready(channel):
            form = ChannelEditForm(channel=channel)
        actions = [each for each in ACTIONS if request.user.has_perm(each.permission) and each.is_offered(channel)]
        context = {
            **self._context(request, channel, _("Channel")),
            **_live_state(request, channel),
            "live_labels": LIVE_LABELS,
            "live_page": _address(channel, "live"),
            "live_document": _address(channel, "live_json"),
            "is_ready": is_ready(channel),
            "is_banned": is_key_removed(channel),
            "facts": facts_of(channel, with_settings=form is None),
            "actions": [(action, _address(channel, action.name)) for action in actions],
            "links": links_shown(request, self.links, channel),
            "streams": streams_context(channel, timezone.now()),
            "may_see_history": request.user.has_perm("channels_app.view_auditentry"),
            "form": form,
            "adminform": form and AdminForm(form, _LINES, {}, model_admin=self),
            "errors": form and form.errors,
            **more,
        }
        return TemplateResponse(request, "admin/channels_app/channel/page.html", context)

    def action_view(self, request: HttpRequest, pk: UUID, *, action: ChannelAction) -> HttpResponse:
        """Ask for confirmation of a button; POST does it."""
        if not request.user.has_perm(action.permission):
            raise PermissionDenied
        channel = self.get_object(request, str(pk))
        if channel is None:
            return self._missing(request, str(pk))
        # It differs between stream keys, and reveals nothing else about them.
        key_mark = salted_hmac("channels_app.admin.key_mark", channel.stream_key or "", algorithm="sha256")
        key_seen = key_mark.hexdigest()[:16]
        if request.method != "POST":
            context = {**self._context(request, channel, action.question), **_live_state(request, channel)}
            context |= {"action": action, "key_seen": key_seen}
            return TemplateResponse(request, "admin/channels_app/channel/confirm.html", context)
        # Reloading the page with the new key sends its form again.
        if action.replaces_key and request.POST.get("key_seen", key_seen) != key_seen:
            replaced = gettext("The stream key was replaced since this form was shown: it was not replaced once more.")
            return self._back(request, channel, replaced, messages.WARNING)
        try:
            result = action.act(channel, account_of(request))
        except ServiceError as error:
            return self._back(request, channel, f"{action.label}: {refusal_sentence(error)}", messages.ERROR)
        if action.shows_key:
            return self._key_page(request, channel_reload(channel), str(action.done), str(result))
        return self._back(request, channel, str(action.done), messages.SUCCESS)

    def live_view(self, request: HttpRequest, pk: UUID, *, as_json: bool = False) -> HttpResponse:
        """Return the facts that IVS reports now: JSON for the script of the page, or a page for use without script."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        channel = self.get_object(request, str(pk))
        if channel is None:
            return self._missing(request, str(pk))
        sentence, facts = live_facts(channel)
        if as_json:
            return JsonResponse({"message": sentence, "facts": facts}, headers=_NO_STORE)
        context = {
            **self._context(request, channel, _("Live facts of Amazon IVS")),
            "sentence": sentence,
            "facts": [(LIVE_LABELS[name], value) for name, value in facts.items()],
        }
        return TemplateResponse(request, "admin/channels_app/channel/live_facts.html", context)

    def _key_page(self, request: HttpRequest, channel: Channel, title: str, key: str) -> HttpResponse:
        limit = ENCODER_LIMITS.get(channel.type)
        context = {**self._context(request, channel, title), "key": key, "limit": limit}
        return TemplateResponse(request, "admin/channels_app/channel/key.html", context, headers=_NO_STORE)

    def _context(self, request: HttpRequest, channel: Channel, title: Any) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": channel,
            "title": title,
            "subtitle": str(channel),
            "page": _address(channel),
            "media": self.media,
            "has_view_permission": self.has_view_permission(request),
        }

    def _back(self, request: HttpRequest, channel: Channel, message: str, level: int) -> HttpResponse:
        """Redirect to the page of the channel, with a message."""
        self.message_user(request, message, level)
        return HttpResponseRedirect(_address(channel))

    def _missing(self, request: HttpRequest, pk: str) -> HttpResponse:
        return self._get_obj_does_not_exist_redirect(request, self.opts, pk)  # type: ignore[attr-defined]


def _live_state(request: HttpRequest, channel: Channel) -> dict[str, Any]:
    """Return the live state for templates; a private channel plays for those who manage or curate."""
    state = channel.live_state
    is_live = state.state == LIVE
    may_watch = not channel.private or any(account_has_scope(request.user, name) for name in ("channels", "curate"))
    url = own_playback_url(channel, timezone.now()) or ""
    # The local stack serves its streams without TLS; the content security policy decides which hosts a page may load.
    is_playable = is_live and may_watch and url.startswith(("https://", "http://"))
    return {"is_live": is_live, "since": state.since and zoned(state.since), "is_playable": is_playable}


def _address(channel: Channel, name: str = "change") -> str:
    return reverse(f"admin:channels_app_channel_{name}", args=[channel.pk])


def _differences(form: ChannelEditForm, channel: Channel) -> list[tuple[Any, Any, Any]]:
    """Return label, shown value and current value of each field that has changed since the form was shown."""
    shown, now = form.was_shown, editable_of(channel)
    changed = [name for name in now if shown[name] != now[name]]
    return [(LABELS[name], setting_text(name, shown[name]), setting_text(name, now[name])) for name in changed]
