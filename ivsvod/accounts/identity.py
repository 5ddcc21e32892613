"""Access tokens of an outside identity provider: JWTs, checked against the keys that it publishes.

https://www.rfc-editor.org/rfc/rfc7519 (the claims), https://www.rfc-editor.org/rfc/rfc8725 (best practices).
"""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings

from common.rest.scopes import ServiceCaller

# Clocks differ.
LEEWAY_SECONDS = 30
LONGEST_TOKEN = 8192
REQUIRED = ["exp", "iss", "sub"]


class InvalidIdentityError(Exception):
    """The token is not accepted. The exception does not hold it."""


def caller_of(token: str) -> ServiceCaller:
    """Return the caller that a valid access token names.

    Raises:
        InvalidIdentityError: it is malformed, not signed by the provider, not for this service, or out of its time.
        KeySetUnavailableError: it cannot be checked, since the provider's keys cannot be fetched.
    """
    if not settings.OIDC_ISSUER or len(token) > LONGEST_TOKEN:
        raise InvalidIdentityError
    # Loaded with the first token: most callers have another credential, or none.
    import jwt

    from ivsvod.accounts.keyset import ALGORITHMS, key_set

    try:
        header = jwt.get_unverified_header(token)
        algorithm: Any = header.get("alg")
        key = key_set(settings.OIDC_JWKS).find(header.get("kid"), algorithm) if algorithm in ALGORITHMS else None
        if key is None:
            raise InvalidIdentityError
        # The audience is checked by `_is_access_token_for_us`: Cognito names it elsewhere.
        options: Any = {"require": REQUIRED, "verify_aud": False, "enforce_minimum_key_length": True}
        expected: Any = {"algorithms": [algorithm], "issuer": settings.OIDC_ISSUER, "leeway": LEEWAY_SECONDS}
        claims = jwt.decode(token, key=key, options=options, **expected)
        uuid = uuid5(uuid5(NAMESPACE_URL, claims["iss"]), claims["sub"])
    # A token can hold numbers beyond every clock, lone surrogates, and deep nesting.
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise InvalidIdentityError from None
    if not claims["sub"] or not _is_access_token_for_us(claims):
        raise InvalidIdentityError
    return ServiceCaller(f"identity {uuid}", uuid, _scopes(claims.get("scope")))


def _is_access_token_for_us(claims: dict[str, Any]) -> bool:
    """Return whether it is an access token for this service; an ID token gives a program no rights.

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
    names = (name.rpartition("/") for name in (text.split() if isinstance(text, str) else []))
    prefix = settings.OIDC_SCOPE_PREFIX
    return frozenset(scope for before, _, scope in names if prefix in ("", before)) & frozenset(settings.API_SCOPES)
