"""Who asks, and how often: each request is counted here, before its permission is looked at.

The throttles of DRF run after permissions: a caller who is refused could ask without an end.
"""

from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from knox.crypto import hash_token
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from ivsvod.accounts.models import ApiToken
from ivsvod.api import throttling
from ivsvod.api.identity import InvalidIdentityError, ProviderCaller, caller_of
from ivsvod.api.keyset import KeySetUnavailableError

# The last use is shown to staff; a write at every request would cost more than it tells.
_LAST_USE_STEP = timedelta(minutes=1)
_KEY_LENGTH = 15
# No other is space in HTTP: the last byte of a key in UTF-8 can look like one in latin-1.
_SPACE = " \t"
_NOT_VALID = "The credential is not valid"
NOBODY = UUID(int=0)


@dataclass(frozen=True)
class SharedKeyCaller:
    """Whoever holds AUTH_API_KEY: may do all, and has no account. The predecessor wrote the zero uuid for it."""

    uuid: UUID = NOBODY
    pk: UUID = NOBODY
    is_authenticated: bool = True
    is_active: bool = True
    is_staff: bool = False

    def has_perm(self, permission: str) -> bool:
        """The shared key has full access."""
        return True


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <credential>`; an invalid credential is refused on public reads too."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken | None] | None:
        """The caller and the token, which the shared key and a JWT lack; None where there is no credential at all.

        Raises:
            AuthenticationFailed: the header is malformed, or its credential opens nothing.
            KeySetUnavailableError: a JWT cannot be checked, since its provider cannot be reached.
            TooManyRequestsError: the caller, or bad credentials of that address, came too often.
        """
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            if settings.SESSION_COOKIE_NAME not in request.COOKIES:
                throttling.count_by_address(request)
            return None
        throttling.refuse_guesses(request, header)
        try:
            caller, token = _caller(header)
        except AuthenticationFailed:
            throttling.note_failure(request)
            raise
        except KeySetUnavailableError:
            throttling.count_by_address(request)
            raise
        throttling.note_success(header)
        throttling.count_by_credential(str(token.pk if token else caller.pk))
        if token:
            _note_use(token)
        return caller, token

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return "Bearer"


class StaffSessionAuthentication(SessionAuthentication):
    """A session of the admin, with its CSRF token in the header X-CSRFToken alone: bodies are JSON here."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """The account that is signed in; None without a session.

        Raises:
            PermissionDenied: the CSRF token is missing or wrong.
            TooManyRequestsError: the account, or the address of a session that is none, came too often.
        """
        # A session that nobody sent is not looked at: caches would have to tell answers apart by cookies.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        found = super().authenticate(request)
        # A session outlives what its account was when it began.
        if found is None or not found[0].is_staff:
            throttling.count_by_address(request)
            return None
        throttling.count_by_credential(str(found[0].pk))
        return found

    def enforce_csrf(self, request: Request) -> None:
        """Refuse a request without the token.

        Raises:
            PermissionDenied: the token is missing or wrong.
        """
        # Django would look for the token in a form, and DRF's stand-in for a form is whatever JSON came.
        plain = copy(request._request)
        plain.method = "PUT" if plain.method == "POST" else plain.method
        super().enforce_csrf(Request(plain))


def _caller(header: str) -> tuple[Any, ApiToken | None]:
    scheme, _, rest = header.strip(_SPACE).partition(" ")
    credential = rest.strip(_SPACE)
    # The predecessor took the last word, whatever stood before it.
    if _is_shared_key(credential) or _is_shared_key(header.strip(_SPACE).rpartition(" ")[2]):
        return SharedKeyCaller(), None
    if scheme.lower() != "bearer" or not credential:
        raise AuthenticationFailed("The Authorization header is not 'Bearer' and a credential")
    if credential.count(".") == 2:
        return _by_identity(credential), None
    return _by_token(credential)


def _is_shared_key(credential: str) -> bool:
    """An empty setting means that there is no shared key, so that an empty credential never passes."""
    key = settings.AUTH_API_KEY
    return bool(key) and constant_time_compare(_header_bytes(credential), key.encode("utf-8", "surrogateescape"))


def _header_bytes(text: str) -> bytes:
    """WSGI hands header bytes over as latin-1; Lambda hands over text, which may be any."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _by_identity(text: str) -> ProviderCaller:
    try:
        return caller_of(text)
    except InvalidIdentityError:
        raise AuthenticationFailed(_NOT_VALID) from None


def _by_token(text: str) -> tuple[Any, ApiToken]:
    if text.isascii() and text.isprintable():
        digest = hash_token(text)
        tokens = ApiToken.objects.valid(timezone.now()).select_related("user")
        for token in tokens.filter(token_key=text[:_KEY_LENGTH]):
            if constant_time_compare(digest, token.digest):
                return token.user, token
    raise AuthenticationFailed(_NOT_VALID)


def _note_use(token: ApiToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > _LAST_USE_STEP:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
