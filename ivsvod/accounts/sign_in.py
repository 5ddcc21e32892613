"""Signing in: what is counted against guessing, and who has shown a password and not yet a code.

Two counts, for two ways to guess: wrong credentials of one address, whatever they are for, in the cache
(`ivsvod/api/throttling.py`), and wrong passwords for one account from one address or network, in the database
(django-axes, `lockout.py`).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from time import time
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ivsvod.accounts.lockout import network_attempts
from ivsvod.accounts.models import User
from ivsvod.api import throttling

_WAITING = "waits_for_code"
# As long as somebody may take to find their phone.
_WAITING_SECONDS = 600
# django-axes stores these as they come, and PostgreSQL holds no NUL.
_STORED_HEADERS = ("HTTP_USER_AGENT", "HTTP_ACCEPT")


def stored_address(request: HttpRequest) -> str:
    """The address of whoever signs in, as a column for addresses holds it; one for all that are not known."""
    address = throttling.client_address(request)
    return "::" if address == "unknown" else address


@contextmanager
def counted(request: HttpRequest) -> Iterator[None]:
    """Around the look at a password or a code: a `ValidationError` is a wrong guess, and too many of them are refused.

    Raises:
        ValidationError: that of the guess, or there were too many; then `RefusalMiddleware` answers 429.
    """
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
    """The error that says how long to wait; the answer says it to programs."""
    request.wait = seconds  # type: ignore[attr-defined]
    minutes = ceil(seconds / 60)
    told = ngettext(
        "There were too many wrong attempts: wait a minute, then try again.",
        "There were too many wrong attempts: wait %(minutes)d minutes, then try again.",
        minutes,
    )
    return ValidationError(told, params={"minutes": minutes}, code="too_many")


def refuse_locked(request: HttpRequest, username: str | None) -> None:
    """After a password that was refused: say so where the reason is that the account is locked for this address.

    Raises:
        ValidationError: it is, with the time to wait.
    """
    if getattr(request, "axes_locked_out", False) and username is not None:
        raise too_many(request, seconds_locked(request, username))


@dataclass(frozen=True)
class Attempts:
    """So many wrong passwords, the last of them then."""

    many: int
    last: datetime


def seconds_locked(request: HttpRequest, username: str) -> float:
    """For how long this account is still locked for this address; 0 where it is not."""
    handler: Any = AxesProxyHandler.get_implementation()
    AxesProxyHandler.update_request(request)
    credentials = {"username": username}
    [of_address] = handler.get_user_attempts(request, credentials)
    of_network = network_attempts(request, credentials)
    counted = ((of_address, settings.AXES_FAILURE_LIMIT), (of_network, settings.SIGN_IN_NETWORK_LIMIT))
    ends = [locked_until(_known(rows), limit, settings.AXES_COOLOFF_TIME) for rows, limit in counted]
    until = max((end for end in ends if end), default=None)
    return max(1.0, (until - timezone.now()).total_seconds()) if until else 0.0


def _known(rows: Iterable[AccessAttempt]) -> list[Attempts]:
    return [Attempts(row.failures_since_start, row.attempt_time) for row in rows]


def locked_until(known: Iterable[Attempts], limit: int, cool_off: timedelta) -> datetime | None:
    """When fewer wrong attempts than the limit will be young enough to count; None where that is so already.

    There are several where one person came with several browsers.
    """
    many = 0
    for attempts in sorted(known, key=lambda attempts: attempts.last, reverse=True):
        many += attempts.many
        if many >= limit:
            return attempts.last + cool_off
    return None


def wait_for_code(request: HttpRequest, account: User) -> None:
    """The password was right: what is missing is a code. Nobody is signed in yet."""
    request.session[_WAITING] = {
        "account": str(account.pk),
        "backend": account.backend,
        "password": account.get_session_auth_hash(),
        "until": time() + _WAITING_SECONDS,
    }


def account_waiting(request: HttpRequest) -> User | None:
    """Whose code this browser may give: the account whose password it showed a short time ago."""
    waiting = request.session.get(_WAITING)
    if waiting is None or waiting["until"] < time():
        return None
    account = User.objects.filter(pk=waiting["account"], is_active=True, is_staff=True).first()
    # Whoever changes a password ends what was begun with the old one.
    if account is None or account.get_session_auth_hash() != waiting["password"]:
        return None
    account.backend = waiting["backend"]
    return account


def other_sessions_end(request: HttpRequest) -> None:
    """End all sessions of whoever is signed in but this one. There are as many as members of staff at work."""
    key, account = request.session.session_key, str(request.user.pk)
    for session in Session.objects.filter(expire_date__gt=timezone.now()).exclude(session_key=key):
        if session.get_decoded().get(SESSION_KEY) == account:
            session.delete()


def stop_waiting(request: HttpRequest) -> None:
    """Signed in, or given up."""
    request.session.pop(_WAITING, None)
