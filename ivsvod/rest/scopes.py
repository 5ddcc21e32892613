"""What a caller may do: the one place that answers it, whatever credential was shown."""

from typing import Any

from rest_framework.request import Request


def has_scope(request: Request, scope: str) -> bool:
    """Whether the caller has a scope.

    By the permission `accounts.<scope>` of the account and, where a token was shown, by the scopes of that token too.
    """
    token: Any = request.auth
    if token is not None:
        return bool(token.allows(scope))
    return bool(request.user and account_has_scope(request.user, scope))


def account_has_scope(account: Any, scope: str) -> bool:
    """Return whether an account has a scope; in the admin no token narrows it down."""
    return bool(account.is_authenticated and account.has_perm(f"accounts.{scope}"))
