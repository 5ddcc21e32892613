"""The player of a video alone, for the frame in which the list of videos plays one."""

from csp.constants import SELF
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_sameorigin

from common.rest.scopes import account_has_scope
from ondemand.admin.page import player_context
from ondemand.admin.views import VideoView
from ondemand.videos.files import CatalogueReader
from ondemand.videos.titles import display_title


@method_decorator([csp_replace({"frame-ancestors": [SELF]}), xframe_options_sameorigin], name="dispatch")
class QuickPlayer(VideoView):
    """Player page for an iframe; its link is signed when the frame opens, not when the list is rendered."""

    def get(self, request: HttpRequest) -> HttpResponse:
        reader = CatalogueReader(is_curator=account_has_scope(request.user, "curate"))
        context = player_context(request, self.video, reader)
        return self.page("play.html", title=display_title(self.video), **context)
