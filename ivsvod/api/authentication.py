"""Who asks: the shared key, or one of our tokens, in `Authorization: Bearer`."""

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

# The last use is shown to staff; a write at every request would cost more than it tells.
_LAST_USE_STEP = timedelta(minutes=1)
_KEY_LENGTH = 15
# No other is space in HTTP: the last byte of a key in UTF-8 can look like one in latin-1.
_SPACE = " \t"
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
        """The caller and the token; None where the request has no credential at all.

        Raises:
            AuthenticationFailed: the header is malformed, or its credential opens nothing.
        """
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        scheme, _, rest = header.strip(_SPACE).partition(" ")
        credential = rest.strip(_SPACE)
        if _is_shared_key(credential) or _is_shared_key(rest.rpartition(" ")[2]):
            return SharedKeyCaller(), None
        if scheme.lower() != "bearer" or not credential:
            raise AuthenticationFailed("The Authorization header is not 'Bearer' and a credential")
        return _by_token(credential)

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return "Bearer"


class StaffSessionAuthentication(SessionAuthentication):
    """A session of the admin, with its CSRF token in the header X-CSRFToken alone: bodies are JSON here."""

    def enforce_csrf(self, request: Request) -> None:
        """Refuse a request without the token.

        Raises:
            PermissionDenied: the token is missing or wrong.
        """
        # Django would look for the token in a form, and DRF's stand-in for a form is whatever JSON came.
        plain = copy(request._request)
        plain.method = "PUT" if plain.method == "POST" else plain.method
        super().enforce_csrf(Request(plain))


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


def _by_token(text: str) -> tuple[Any, ApiToken]:
    refused = AuthenticationFailed("The credential is not valid")
    if not text.isascii() or not text.isprintable():
        raise refused
    now = timezone.now()
    digest = hash_token(text)
    for token in ApiToken.objects.valid(now).select_related("user").filter(token_key=text[:_KEY_LENGTH]):
        if constant_time_compare(digest, token.digest):
            _note_use(token)
            return token.user, token
    raise refused


def _note_use(token: ApiToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > _LAST_USE_STEP:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
