"""Routes of the admin below the page of a video."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path

from channels_app.admin import AuditedAdmin
from ondemand.models import Video
from ondemand.videos.services import VideoNotFoundError


class VideoRoutes(AuditedAdmin):
    """Base of the views below the page of a video: looks the video up, and checks method and permission."""

    def video_path(
        self,
        name: str,
        view: Callable[[HttpRequest, Video], HttpResponse],
        *,
        has_permission: Callable[[HttpRequest, Video | None], bool],
        post_only: bool = True,
    ) -> URLPattern:
        """Return the route `<uuid>/name/` to the view, for callers for whom `has_permission` is true."""

        def answer(request: HttpRequest, object_id: str) -> HttpResponse:
            if post_only and request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            video: Video | None = self.get_object(request, unquote(object_id))
            if not has_permission(request, video):
                raise PermissionDenied
            if video is None:
                return self.no_such_video(request, object_id)
            try:
                return view(request, video)
            except VideoNotFoundError:
                return self.no_such_video(request, object_id)

        return path(f"<path:object_id>/{name}/", self.admin_site.admin_view(answer), name=f"ondemand_video_{name}")

    def no_such_video(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Lead to the start page with a message, as Django's own pages do."""
        return self._get_obj_does_not_exist_redirect(request, self.opts, str(object_id))  # type: ignore[attr-defined]
