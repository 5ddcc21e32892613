"""The player of a video alone, for the frame in which the list of videos plays one."""

from uuid import UUID

from csp.constants import SELF
from csp.decorators import csp_replace
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.clickjacking import xframe_options_sameorigin

from common.rest.scopes import account_has_scope
from ondemand.admin.page import player_context
from ondemand.models import Video
from ondemand.videos.files import CatalogueReader
from ondemand.videos.titles import display_title


class QuickPlayer(admin.ModelAdmin):
    """Player page for an iframe; its link is signed when the frame opens, not when the list is rendered."""

    def get_urls(self) -> list[URLPattern]:
        in_frame = csp_replace({"frame-ancestors": [SELF]})(xframe_options_sameorigin(self.play_view))
        return [
            path("<uuid:video_uuid>/play/", self.admin_site.admin_view(in_frame), name="ondemand_video_play"),
            *super().get_urls(),
        ]

    def play_view(self, request: HttpRequest, video_uuid: UUID) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        video: Video | None = self.get_object(request, str(video_uuid))
        if video is None:
            raise Http404
        reader = CatalogueReader(is_curator=account_has_scope(request.user, "curate"))
        context = {"title": display_title(video), **player_context(request, video, reader)}
        return TemplateResponse(request, "admin/ondemand/video/play.html", context)
