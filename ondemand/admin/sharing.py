"""The page that makes a playback grant for a video, and shows its links once."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_app.admin import account_of
from channels_app.channels.viewer_tokens import LONGEST_VIEWER_ID
from common.errors import ServiceError
from common.rest.scopes import account_has_scope
from common.rest.times import zoned
from ondemand.admin.forms import OneLineField
from ondemand.admin.views import VideoView
from ondemand.models import Video
from ondemand.playback.grants import GrantRequest, grant_url, video_grant_create
from ondemand.videos.links import public_origin, video_page_url
from ondemand.videos.titles import display_title

_HOURS = (
    (1, gettext_lazy("one hour")),
    (4, gettext_lazy("four hours")),
    (24, gettext_lazy("a day")),
)


class GrantForm(forms.Form):
    """For whom a grant is, and for how long."""

    viewer = OneLineField(
        label=gettext_lazy("Viewer"),
        required=False,
        max_length=LONGEST_VIEWER_ID,
        help_text=gettext_lazy("A name that tells you who it is. Without one it is for anyone who has the link."),
    )
    hours = forms.TypedChoiceField(
        label=gettext_lazy("For"), choices=_HOURS, coerce=int, initial=4, widget=forms.RadioSelect
    )


class SharePage(VideoView):
    """Make a grant. The links are in the answer itself: a message or a redirect would store them in the session."""

    def is_allowed(self) -> bool:
        return may_share(self.request)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form; POST makes the grant."""
        form, made = GrantForm(request.POST or None), dict[str, Any]()
        if form.is_valid():
            try:
                made = self._made(request, self.video, form.cleaned_data)
            except ServiceError as error:
                form.add_error(None, f"{error}.")
        return self.page(
            "share.html",
            title=_("Share with a grant"),
            video_title=display_title(self.video),
            video_address=reverse("admin:ondemand_video_change", args=[self.video.pk]),
            form=form,
            **made,
        )

    post = get

    def _made(self, request: HttpRequest, video: Video, values: dict[str, Any]) -> dict[str, Any]:
        """Make the grant, and return its links."""
        asked = GrantRequest(viewer=values["viewer"], ttl=timedelta(hours=values["hours"]), by=account_of(request))
        grant = video_grant_create(video=video, request=asked)
        origin = public_origin(request)
        url, page = grant_url(grant, origin), video_page_url(video.pk, origin)
        if page and grant.expires_at:
            page = f"{page}#grant={quote(url, safe='')}"
        return {"grant": grant, "url": url, "page": page, "end": zoned(grant.expires_at) if grant.expires_at else ""}


def may_share(request: HttpRequest) -> bool:
    """Return whether the account may grant playback: by its permission, and as a curator, who sees the files anyway."""
    may_change = request.user.has_perm("ondemand.change_playbackgrant")
    return may_change and account_has_scope(request.user, "curate")


def share_address(request: HttpRequest, video: Video) -> str | None:
    """Return the address of the page, for a video that needs a grant; None if the account may not make one."""
    may = video.needs_grant and may_share(request)
    return reverse("admin:ondemand_video_share", args=[video.pk]) if may else None
