"""Middleware for the caller of a request: the actor of the audit log, the second factor, and the time zone."""

from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from common.audit import Actor, Way, acting
from common.outages import DATABASE_AWAY
from common.rest.request_ids import Middleware, request_id
from common.rest.scopes import ServiceCaller
from common.rest.times import zone_named
from ivsvod.accounts.models import ApiToken, Authenticator, User
from ivsvod.api.middleware import database_away, is_admin_page

# Pages that stay open to staff who must set up a second factor.
_OPEN = ("account:two-step", "account:two-step-set-up", "admin:logout", "admin:login", "account:code", "admin:jsi18n")


class ActorMiddleware(Middleware):
    """Record the caller in the audit log as the author of all that the request writes."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer. The caller is looked up at the first write, since the API authenticates later."""
        with acting(partial(_actor, request)):
            return self.get_response(request)


class SecondFactorMiddleware(Middleware):
    """If REQUIRE_SECOND_FACTOR is set, redirect staff without a second factor to its set-up.

    Others entered a code at sign-in. A session without a second factor does not open the API.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_lacking = False
        # Without a session cookie no account is looked up.
        if settings.REQUIRE_SECOND_FACTOR and settings.SESSION_COOKIE_NAME in request.COOKIES:
            try:
                is_lacking = request.user.is_authenticated and Authenticator.objects.of(request.user) is None
            except DATABASE_AWAY as error:
                return database_away(error)
        if is_lacking and not is_admin_page(request):
            request.user = AnonymousUser()
        elif is_lacking and request.path not in [reverse(name) for name in _OPEN]:
            return redirect("account:two-step")
        return self.get_response(request)


class TimeZoneMiddleware(Middleware):
    """Show and read the times of admin pages in the time zone of the account."""

    def __call__(self, request: Any) -> HttpResponseBase:
        """Answer in that zone; note an unknown zone on the request, for a message of the page."""
        if not is_admin_page(request):
            return self.get_response(request)
        try:
            # An account of another kind, or none, has no zone.
            name = getattr(request.user, "time_zone", "")
        except DATABASE_AWAY as error:
            return database_away(error)
        zone = zone_named(name) if name else None
        if name and zone is None:
            request.unknown_time_zone = name
        with timezone.override(zone or ZoneInfo(settings.TIME_ZONE)):
            return self.get_response(request)


def _actor(request: HttpRequest) -> Actor:
    caller: Any = getattr(request, "user", None)
    credential = getattr(request, "auth", None)
    account = caller.pk if isinstance(caller, User) else None
    if isinstance(credential, ApiToken):
        name = f"{caller.get_username()}, token {credential.name}"
    elif isinstance(caller, User):
        name = caller.get_username()
    else:
        name = caller.name if isinstance(caller, ServiceCaller) else "anonymous"
    return Actor(Way.ADMIN if is_admin_page(request) else Way.API, name, account, request_id.get())
