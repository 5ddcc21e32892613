"""The permission class of the API."""

from typing import Any

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from ivsvod.rest.scopes import has_scope


class HasScope(BasePermission):
    """Require the view's `write_scope` for writes, and `read` for reads unless API_PUBLIC_READ opens them."""

    message = "This needs a scope that you lack"

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the caller has the scope for the method."""
        if request.method not in view.allowed_methods:
            # The answer is a 405 for every caller.
            return True
        if request.method not in SAFE_METHODS:
            return has_scope(request, view.write_scope)
        if getattr(view, "is_open", False) or settings.API_PUBLIC_READ:
            return True
        return has_scope(request, "read")
