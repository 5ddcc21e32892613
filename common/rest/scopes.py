"""Scopes: whether a caller has one, callers that have nothing else, and the permission class of the API."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request


def has_scope(request: Request, scope: str) -> bool:
    """Return whether the caller has a scope, by the permissions of the account and the scopes of its token, if any."""
    token: Any = request.auth
    if token is not None:
        return bool(token.allows(scope))
    return bool(request.user and account_has_scope(request.user, scope))


def account_has_scope(account: Any, scope: str) -> bool:
    """Return whether an account has a scope; in the admin no token narrows it down."""
    return bool(account.is_authenticated and account.has_perm(f"accounts.{scope}"))


def may_write(request: Request) -> bool:
    """Return whether the caller has any other scope than `read`."""
    return any(has_scope(request, scope) for scope in settings.API_SCOPES if scope != "read")


@dataclass(frozen=True)
class ServiceCaller:
    """A caller without an account. Its scopes are its permissions, and `pk` is the value of `created_by`."""

    name: str
    pk: UUID
    scopes: frozenset[str]
    is_authenticated: bool = True

    def has_perm(self, permission: str) -> bool:
        """Return whether the scopes include the permission `accounts.<scope>`."""
        return permission.removeprefix("accounts.") in self.scopes


class HasScope(BasePermission):
    """Require the view's `write_scope` for writes, and its `read_scope` for reads.

    Without one that is `read`, unless API_PUBLIC_READ opens reads.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the caller has the scope for the method; True for an unknown method, which is a 405 to all."""
        if request.method not in view.allowed_methods:
            return True
        if request.method in SAFE_METHODS:
            is_public = getattr(view, "is_open", False) or settings.API_PUBLIC_READ
            scope = getattr(view, "read_scope", "") or ("" if is_public else "read")
        else:
            scope = view.write_scope
        self.message = f"This needs the scope `{scope}`"
        return not scope or has_scope(request, scope)
