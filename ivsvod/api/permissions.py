"""Which scope a request needs."""

from typing import Any

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from channels_app.scopes import has_scope


class HasScope(BasePermission):
    """The view's `write_scope` for writes, `read` for reads; reads are open while API_PUBLIC_READ is on."""

    message = "This needs a scope that you lack"

    def has_permission(self, request: Request, view: Any) -> bool:
        """Decide by the method of the request."""
        if request.method not in view.allowed_methods:
            # The answer is a 405, whoever asks.
            return True
        if request.method not in SAFE_METHODS:
            return has_scope(request, view.write_scope)
        if getattr(view, "is_open", False) or settings.API_PUBLIC_READ:
            return True
        return has_scope(request, "read")
