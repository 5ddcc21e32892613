"""Limits on the bodies of admin requests, by length and caller, before any of the body is read."""

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from common.outages import DATABASE_AWAY
from common.rest.request_ids import Middleware
from ivsvod.api.middleware import database_away, is_admin_page, route_methods
from ivsvod.console.refused import too_large
from ondemand.videos.uploads import LARGEST_PICTURE_FORM, may_upload_picture

# The largest form before the sign-in: a name, a password or a code.
LARGEST_ANONYMOUS = 1024 * 1024
_SIGN_IN_PAGES = ("admin:login", "account:code", "admin:logout")


class BodyMiddleware(Middleware):
    """Refuse a body that is too large for its page and caller, or for a page that needs a sign-in.

    Django reads a form for its CSRF token before the view checks the caller.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Refuse by 413, redirect to the sign-in, or answer. `RefusalMiddleware` has validated Content-Length."""
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return self.get_response(request)
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        # The API parser refuses large bodies after authentication.
        if length == 0 or route_methods(request.path_info):
            return self.get_response(request)
        try:
            is_staff = request.user.is_staff
            limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            if not is_staff:
                limit = min(limit, LARGEST_ANONYMOUS)
            elif may_upload_picture(request):
                limit = LARGEST_PICTURE_FORM
            if length > limit:
                return too_large(request)
            is_open = request.path in {reverse(name) for name in _SIGN_IN_PAGES}
            if is_admin_page(request) and not is_open and not is_staff:
                return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        except DATABASE_AWAY as error:
            return database_away(error)
        return self.get_response(request)
