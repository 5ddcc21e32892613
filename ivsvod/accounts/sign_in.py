"""Sign-in: limits on guessing, and the step between password and code.

The cache counts wrong credentials of one address for any account (`common/rest/throttling.py`). The database counts
wrong passwords for one account from one address or network (django-axes).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from ipaddress import ip_address, ip_network
from math import ceil
from time import time
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from common.rest import throttling
from ivsvod.accounts.models import User

WAITING = "waits_for_code"
# The time between password and code.
_WAITING_SECONDS = 600
# django-axes stores these as they are, and PostgreSQL holds no NUL.
_STORED_HEADERS = ("HTTP_USER_AGENT", "HTTP_ACCEPT")


class NetworkLockout(AxesDatabaseHandler):
    """django-axes' handler, which also counts all addresses of a network for an account.

    One customer of a provider has a /48 of IPv6, 65,536 networks that each count as a client of their own.
    """

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        """Return whether the account is locked for the address, or for its whole network."""
        if super().is_locked(request, credentials):
            return True
        failures = network_attempts(request, credentials).aggregate(Sum("failures_since_start"))
        return (failures["failures_since_start__sum"] or 0) >= settings.SIGN_IN_NETWORK_LIMIT


def network_attempts(request: HttpRequest, credentials: dict[str, Any] | None) -> QuerySet[AccessAttempt]:
    """Return the wrong passwords for the account from the network of the request that still count."""
    network = ip_network(throttling.wider_network(ip_address(request.axes_ip_address)))  # type: ignore[attr-defined]
    return AccessAttempt.objects.filter(
        username=get_client_username(request, credentials),
        ip_address__range=(str(network[0]), str(network[-1])),
        attempt_time__gte=get_cool_off_threshold(request),
    )


def stored_address(request: HttpRequest) -> str:
    """Return the address of the client for a column of addresses; `::` if it is unknown."""
    address = throttling.client_address(request)
    return "::" if address == "unknown" else address


@contextmanager
def counted(request: HttpRequest) -> Iterator[None]:
    """Count a ValidationError of the block, which checks a password or a code; raise one too if there were too many."""
    if any("\0" in request.META.get(name, "") for name in _STORED_HEADERS):
        raise ValidationError(_("The browser sent a header that holds a NUL."))
    try:
        throttling.refuse_guesses(request)
    except throttling.TooManyRequestsError as error:
        raise too_many(request, error.wait) from None
    try:
        yield
    except ValidationError:
        throttling.note_failure(request)
        raise


def too_many(request: HttpRequest, seconds: float) -> ValidationError:
    """Return the error that says how long to wait; `RefusalMiddleware` answers 429 for it."""
    request.wait = seconds  # type: ignore[attr-defined]
    minutes = ceil(seconds / 60)
    sentence = ngettext(
        "There were too many wrong attempts: wait a minute, then try again.",
        "There were too many wrong attempts: wait %(minutes)d minutes, then try again.",
        minutes,
    )
    return ValidationError(sentence, params={"minutes": minutes}, code="too_many")


def refuse_locked(request: HttpRequest, username: str | None) -> None:
    """Raise ValidationError with the time to wait if the account is locked, after its password was refused."""
    if not getattr(request, "axes_locked_out", False) or username is None:
        return
    handler: Any = AxesProxyHandler.get_implementation()
    AxesProxyHandler.update_request(request)
    credentials = {"username": username}
    [of_address] = handler.get_user_attempts(request, credentials)
    of_network = network_attempts(request, credentials)
    limits = ((of_address, settings.AXES_FAILURE_LIMIT), (of_network, settings.SIGN_IN_NETWORK_LIMIT))
    ends = (locked_until(rows.values_list("failures_since_start", "attempt_time"), limit) for rows, limit in limits)
    until = max(filter(None, ends), default=None)
    raise too_many(request, max(1.0, (until - timezone.now()).total_seconds()) if until else 0.0)


def locked_until(attempts: Iterable[tuple[int, datetime]], limit: int) -> datetime | None:
    """Return the time from which fewer attempts than the limit count; None if fewer count already.

    Each browser of a person has a row of attempts: their number, and the time of the last.
    """
    total = 0
    for number, last in sorted(attempts, key=lambda row: row[1], reverse=True):
        total += number
        if total >= limit:
            return last + settings.AXES_COOLOFF_TIME
    return None


def wait_for_code(request: HttpRequest, account: User) -> None:
    """Remember in the session that the password was right and a code is missing. Nobody is signed in yet."""
    request.session[WAITING] = {
        "account": str(account.pk),
        "backend": account.backend,
        "password": account.get_session_auth_hash(),
        "until": time() + _WAITING_SECONDS,
    }


def account_waiting(request: HttpRequest) -> User | None:
    """Return the account that waits for a code in this session; None if there is none, or its time has passed."""
    waiting = request.session.get(WAITING)
    if waiting is None or waiting["until"] < time():
        return None
    account = User.objects.filter(pk=waiting["account"], is_active=True, is_staff=True).first()
    # A changed password ends a sign-in that began with the old one.
    if account is None or account.get_session_auth_hash() != waiting["password"]:
        return None
    account.backend = waiting["backend"]
    return account


def other_sessions_end(request: HttpRequest) -> None:
    """End all other sessions of the account. There are few: those of staff at work."""
    key, account = request.session.session_key, str(request.user.pk)
    for session in Session.objects.filter(expire_date__gt=timezone.now()).exclude(session_key=key):
        if session.get_decoded().get(SESSION_KEY) == account:
            session.delete()
