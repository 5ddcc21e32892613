"""What holds for each request of a member of staff: the second factor where it is required, and their time zone."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from channels_app.outages import DATABASE_AWAY
from ivsvod.accounts.models import Authenticator
from ivsvod.accounts.time_zones import zone_of
from ivsvod.api.actors import is_admin_page
from ivsvod.api.middleware import database_away

GetResponse = Callable[[HttpRequest], HttpResponseBase]
# Where whoever has to set up a second factor may go: the pages that do it, and out.
_OPEN = ("account:two-step", "account:two-step-set-up", "admin:logout", "admin:login", "account:code", "admin:jsi18n")


class SecondFactorMiddleware:
    """Where REQUIRE_SECOND_FACTOR is set, a member of staff without one sets it up before anything else.

    Whoever has one was asked for it at sign-in. A session that lacks it opens the API no more than no session does.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or lead to the page."""
        try:
            is_lacking = _lacks_second_factor(request)
        except DATABASE_AWAY as error:
            return database_away(error)
        if not is_lacking:
            return self.get_response(request)
        if not is_admin_page(request):
            request.user = AnonymousUser()
        elif request.path not in [reverse(name) for name in _OPEN]:
            return redirect("account:two-step")
        return self.get_response(request)


class TimeZoneMiddleware:
    """Pages of the admin show times in the zone of whoever is signed in, and read them so."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponseBase:
        """Answer in that zone; one that the machine does not know is left on the request, so that the page says so."""
        if not is_admin_page(request):
            return self.get_response(request)
        try:
            # An account of another kind, or none, has no zone.
            name = getattr(request.user, "time_zone", "")
        except DATABASE_AWAY as error:
            return database_away(error)
        zone, usable = zone_of(name)
        if not usable:
            request.unknown_time_zone = name
        with timezone.override(zone):
            return self.get_response(request)


def _lacks_second_factor(request: HttpRequest) -> bool:
    # Without the cookie of a session nobody is looked up.
    if not settings.REQUIRE_SECOND_FACTOR or settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    user = request.user
    return bool(user.is_authenticated and Authenticator.objects.of(user) is None)
