"""Access tokens of an outside identity provider: JWTs, checked against the keys that it publishes.

https://www.rfc-editor.org/rfc/rfc7519 (the claims), https://www.rfc-editor.org/rfc/rfc8725 (what goes wrong with them).
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings

from ivsvod.api.keyset import KeySet

if TYPE_CHECKING:
    # Loaded where there is a token: most callers have another credential, or none.
    from jwt import PyJWK

# Clocks differ.
LEEWAY_SECONDS = 30
LONGEST_TOKEN = 8192
# Never what the token says alone: "none" and a signature by HMAC with the public key are refused before any key is.
ALGORITHMS = ("RS256", "ES256")
REQUIRED = ["exp", "iss", "sub"]


class InvalidIdentityError(Exception):
    """The token opens nothing. Its text is not told, and the token is not in it."""


@dataclass(frozen=True)
class ProviderCaller:
    """Whoever an identity provider vouches for: has no account here, and may what the token's scopes say."""

    uuid: UUID
    scopes: frozenset[str]
    is_authenticated: bool = True
    is_active: bool = True
    is_staff: bool = False

    @property
    def pk(self) -> UUID:
        """What `created_by` becomes."""
        return self.uuid

    def has_perm(self, permission: str) -> bool:
        """Whether the scopes have the permission `accounts.<scope>`."""
        return permission.removeprefix("accounts.") in self.scopes


def caller_of(token: str) -> ProviderCaller:
    """The caller whom a valid access token names.

    Raises:
        InvalidIdentityError: it is malformed, not signed by the provider, not for this service, or out of its time.
        KeySetUnavailableError: whether it is valid cannot be told, since the provider's keys cannot be had.
    """
    if not settings.OIDC_ISSUER or len(token) > LONGEST_TOKEN:
        raise InvalidIdentityError
    import jwt

    try:
        claims = _verified_claims(token)
        uuid = uuid5(uuid5(NAMESPACE_URL, claims["iss"]), claims["sub"])
    # Numbers beyond every clock, lone surrogates, nesting: all of them can stand in a token.
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise InvalidIdentityError from None
    if not claims["sub"] or not _is_access_token_for_us(claims):
        raise InvalidIdentityError
    return ProviderCaller(uuid=uuid, scopes=_scopes(claims.get("scope")))


def _verified_claims(token: str) -> dict[str, Any]:
    import jwt

    header = jwt.get_unverified_header(token)
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise InvalidIdentityError
    # The audience is checked by `_is_access_token_for_us`: Cognito names it elsewhere.
    return jwt.decode(
        token,
        key=_key(header.get("kid"), algorithm),
        algorithms=[algorithm],
        issuer=settings.OIDC_ISSUER,
        leeway=LEEWAY_SECONDS,
        options={"require": REQUIRED, "verify_aud": False},
    )


def _key(key_id: str | None, algorithm: str) -> "PyJWK":
    key = key_set(settings.OIDC_JWKS).find(key_id, algorithm)
    if key is None:
        raise InvalidIdentityError
    return key


@cache
def key_set(url: str) -> KeySet:
    """The one set of keys of this process."""
    return KeySet(url)


def _is_access_token_for_us(claims: dict[str, Any]) -> bool:
    """An ID token tells who somebody is, not what a program may do in their name.

    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
    """
    if claims.get("token_use", "access") != "access":
        return False
    if "aud" not in claims:
        return "token_use" in claims and claims.get("client_id") == settings.OIDC_AUDIENCE
    audience = claims["aud"]
    return settings.OIDC_AUDIENCE in (audience if isinstance(audience, list) else [audience])


def _scopes(text: Any) -> frozenset[str]:
    """Return the scopes of this API: `<OIDC_SCOPE_PREFIX>/read` is `read`.

    Without OIDC_SCOPE_PREFIX `read`, `ivsvod/read` and `https://api.example.com/read` are all `read`.
    """
    named = (name.rpartition("/") for name in (text.split() if isinstance(text, str) else []))
    prefix = settings.OIDC_SCOPE_PREFIX
    return frozenset(scope for before, _, scope in named if prefix in ("", before)) & frozenset(settings.API_SCOPES)
