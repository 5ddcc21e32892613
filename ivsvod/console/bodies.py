"""How large the body of a request may be, judged by its length and by who sends it, before any of it is read."""

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from channels_app.outages import DATABASE_AWAY
from ivsvod.api.middleware import GetResponse, database_away, is_admin_page, route_methods
from ivsvod.console.refused import too_large
from ondemand.uploads import LARGEST_PICTURE_FORM, may_upload_picture

# A form of somebody who is not signed in: a name, a password, a code.
LARGEST_ANONYMOUS = 1024 * 1024
_SIGN_IN_PAGES = ("admin:login", "account:code", "admin:logout")


class BodyMiddleware:
    """Refuse a body that is too large for its route and caller, and one for a page that the caller may not open.

    Django reads a form to look for its CSRF token, before its view knows who sends it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Refuse by 413, redirect to the sign-in, or answer. `RefusalMiddleware` has validated Content-Length."""
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return self.get_response(request)
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        # The API parser refuses large bodies after authentication.
        if length == 0 or route_methods(request.path_info):
            return self.get_response(request)
        try:
            if length > _most_bytes(request):
                return too_large(request)
            if _must_sign_in(request):
                return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        except DATABASE_AWAY as error:
            return database_away(error)
        return self.get_response(request)


def _most_bytes(request: HttpRequest) -> int:
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if not _is_staff(request):
        return min(most, LARGEST_ANONYMOUS)
    return LARGEST_PICTURE_FORM if may_upload_picture(request) else most


def _must_sign_in(request: HttpRequest) -> bool:
    is_open = request.path in {reverse(name) for name in _SIGN_IN_PAGES}
    return is_admin_page(request) and not is_open and not _is_staff(request)


def _is_staff(request: HttpRequest) -> bool:
    return request.user.is_active and getattr(request.user, "is_staff", False)
