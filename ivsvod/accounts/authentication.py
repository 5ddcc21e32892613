"""Authentication classes of the API. They also count requests.

DRF's throttles run after permissions: a caller without permission could send requests without a limit.
"""

from copy import copy
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

from common.errors import ServiceError
from common.rest import throttling
from common.rest.compiled import CompiledInstances, Parameter
from common.rest.scopes import ServiceCaller
from ivsvod.accounts.identity import InvalidIdentityError, caller_of
from ivsvod.accounts.models import ApiToken

# The precision of `last_used_at`, which saves a write at most requests.
_LAST_USE_STEP = timedelta(minutes=1)
_KEY_LENGTH = 15
# The only spaces of HTTP. The last byte of a UTF-8 key can be another space in latin-1.
_SPACE = " \t"
_NOT_VALID = "The credential is not valid"
# The caller with AUTH_API_KEY has full access. The predecessor wrote the zero uuid for it.
_SHARED_KEY_CALLER = ServiceCaller("the shared key", UUID(int=0), frozenset(settings.API_SCOPES))
# Compiled once: each request with a token asks for it.
_TOKENS = CompiledInstances(
    lambda: ApiToken.objects.valid(Parameter("at")).filter(token_key=Parameter("key")), related=["user"]
)


class BearerAuthentication(BaseAuthentication):
    """Authenticate by `Authorization: Bearer <credential>`; an invalid one is refused on public reads too."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken | None] | None:
        """Return the caller and the token, which the shared key and a JWT lack; None without a credential.

        Raises:
            AuthenticationFailed: the header is malformed, or its credential is not valid.
            KeySetUnavailableError: the provider of a JWT cannot be reached.
            TooManyRequestsError: too many requests of the caller, or bad credentials of the address.
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
        except ServiceError:
            # The keys of the provider cannot be fetched.
            throttling.count_by_address(request)
            raise
        throttling.note_success(header)
        throttling.count_by_credential(str(token.pk if token else caller.pk))
        now = timezone.now()
        if token and (token.last_used_at is None or now - token.last_used_at > _LAST_USE_STEP):
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return caller, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class StaffSessionAuthentication(SessionAuthentication):
    """Authenticate by a session of the admin, with its CSRF token in the header X-CSRFToken: bodies are JSON."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the account that is signed in; None without a session.

        Raises:
            PermissionDenied: the CSRF token is missing or wrong.
            TooManyRequestsError: too many requests of the account, or of the address of an invalid session.
        """
        # Without its cookie the session is not read: it would add `Vary: Cookie` to answers for shared caches.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        authenticated = super().authenticate(request)
        # An account can lose its staff status while its session lasts.
        if authenticated is None or not authenticated[0].is_staff:
            throttling.count_by_address(request)
            return None
        throttling.count_by_credential(str(authenticated[0].pk))
        return authenticated

    def enforce_csrf(self, request: Request) -> None:
        # Django would look for the token in a form, for which DRF gives it the JSON of the body.
        plain = copy(request._request)
        plain.method = "PUT" if plain.method == "POST" else plain.method
        super().enforce_csrf(Request(plain))


def _caller(header: str) -> tuple[Any, ApiToken | None]:
    """Return the caller of an Authorization header, and its API token if it has one."""
    scheme, _, rest = header.strip(_SPACE).partition(" ")
    credential = rest.strip(_SPACE)
    # The predecessor took the last part, whatever stood before it.
    if _is_shared_key(credential) or _is_shared_key(header.strip(_SPACE).rpartition(" ")[2]):
        return _SHARED_KEY_CALLER, None
    if scheme.lower() != "bearer" or not credential:
        raise AuthenticationFailed("The Authorization header is not 'Bearer' and a credential")
    if credential.count(".") == 2:
        try:
            return caller_of(credential), None
        except InvalidIdentityError:
            raise AuthenticationFailed(_NOT_VALID) from None
    if credential.isascii() and credential.isprintable():
        digest = hash_token(credential)
        for token in _TOKENS.instances(at=timezone.now(), key=credential[:_KEY_LENGTH]):
            if constant_time_compare(digest, token.digest):
                return token.user, token
    raise AuthenticationFailed(_NOT_VALID)


def _is_shared_key(credential: str) -> bool:
    """Return whether it is AUTH_API_KEY; False for every credential if that is empty."""
    key = settings.AUTH_API_KEY
    try:
        # WSGI decodes header bytes as latin-1.
        content = credential.encode("latin-1")
    except UnicodeEncodeError:
        # Lambda passes text.
        content = credential.encode("utf-8", "surrogatepass")
    return bool(key) and constant_time_compare(content, key.encode("utf-8", "surrogateescape"))
