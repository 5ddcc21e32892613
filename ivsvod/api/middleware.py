"""What must hold for every answer, whichever view or middleware made it."""

import logging
from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponseBase

from ivsvod.api.errors import RETRY_AFTER_SECONDS, json_error

logger = logging.getLogger(__name__)


class OutageMiddleware:
    """A database that is away is a 503 that says when to come back, not a 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Refuse foreign host names and unstorable cookies, then answer."""
        try:
            request.get_host()
        except DisallowedHost:
            return json_error(400, "This host name is not served here")
        # A quoted cookie can spell NUL, with which a session cannot be looked up.
        if any("\0" in value for value in request.COOKIES.values()):
            return json_error(400, "A cookie holds a NUL")
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Called by Django for what a view raised."""
        if not isinstance(exception, (OperationalError, InterfaceError)):
            return None
        logger.error("the database cannot be reached: %s", type(exception).__name__)
        response = json_error(503, "The database cannot be reached")
        response["Retry-After"] = RETRY_AFTER_SECONDS
        return response
