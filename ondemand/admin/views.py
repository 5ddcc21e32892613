"""The base of the views of the admin of videos, and of those below one video."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views import View

from ondemand.models import Video
from ondemand.videos.services import VideoNotFoundError

# Query parameter: how many videos left the list since the review began. Keeps “3 of 40” stable.
DECIDED = "_decided"
_MOST_DECIDED = 999_999


class AdminView(View):
    """A view for callers for whom `is_allowed`; the table of `VideoAdmin` gives it the `model_admin`."""

    model_admin: Any = None
    http_method_names = ("get", "head", "post")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not self.is_allowed():
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def is_allowed(self) -> bool:
        return bool(self.model_admin.has_view_or_change_permission(self.request))

    def page(self, template: str, **context: Any) -> TemplateResponse:
        """Return a page of the admin of videos."""
        each = {**self.model_admin.admin_site.each_context(self.request), "opts": self.model_admin.opts}
        return TemplateResponse(self.request, f"admin/ondemand/video/{template}", {**each, **context})

    def message(self, text: Any, level: int = messages.SUCCESS) -> None:
        self.model_admin.message_user(self.request, text, level)

    @property
    def decided(self) -> int:
        """Return how many videos the decisions on the way to this page took off the list."""
        text = self.request.GET.get(DECIDED, "")
        return min(int(text), _MOST_DECIDED) if text.isascii() and text.isdecimal() and len(text) < 10 else 0

    def address(self, name: str, *arguments: Any, decided: int = 0) -> str:
        """Return an address of the admin of videos that keeps the filters of the list."""
        address = reverse(f"admin:ondemand_video_{name}", args=arguments)
        filters = self.model_admin.get_preserved_filters(self.request)
        context: Any = {"preserved_filters": filters, "opts": self.model_admin.opts}
        return add_preserved_filters(context, f"{address}?{DECIDED}={decided}" if decided else address)


class VideoView(AdminView):
    """A view of one video, which it looks up; a missing one leads to the start page with a message."""

    video: Video

    def dispatch(self, request: HttpRequest, object_id: str) -> Any:
        if not hasattr(self, str(request.method).lower()):
            return self.http_method_not_allowed(request)
        found: Video | None = self.model_admin.get_object(request, unquote(object_id))
        if found is not None:
            self.video = found
        elif self.is_allowed():
            return self.missing(object_id)
        try:
            return super().dispatch(request)
        except VideoNotFoundError:
            return self.missing(object_id)

    def missing(self, object_id: str) -> HttpResponse:
        """Answer as Django's own pages do."""
        opts = self.model_admin.opts
        return self.model_admin._get_obj_does_not_exist_redirect(self.request, opts, object_id)

    def to_video(self) -> HttpResponseRedirect:
        """Return to the page of the video."""
        return HttpResponseRedirect(self.address("change", self.video.pk, decided=self.decided))
