"""Sign-ins and failed sign-ins in the admin, for superusers only."""

from typing import Any

from axes.models import AccessAttempt, AccessLog
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from channels_app.admin import ReadOnlyAdmin
from channels_app.times import zoned


class ForSuperusers(ReadOnlyAdmin):
    """Pages without a permission, since they show addresses of people."""

    search_fields = ("username", "ip_address")
    search_help_text = _("Part of a user name or of an address")
    ordering = ("-attempt_time", "-pk")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Return True for superusers."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return True for superusers."""
        return self.has_module_permission(request)

    @admin.display(description=_("time"), ordering="attempt_time")
    def at(self, row: Any) -> str:
        """Return the time."""
        return zoned(row.attempt_time)


@admin.register(AccessAttempt)
class FailedSignInAdmin(ForSuperusers):
    """Wrong passwords that still count; deleting a row unlocks its account for that address."""

    nothing_yet = _("No wrong password counts now: nobody is locked out.")
    list_display = ("username", "ip_address", "failures_since_start", "at", "user_agent")
    fieldsets = ((None, {"fields": ("username", "ip_address", "failures_since_start", "at", "user_agent")}),)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return True for superusers."""
        return self.has_module_permission(request)


@admin.register(AccessLog)
class SignInAdmin(ForSuperusers):
    """Each sign-in, until `axes_reset_logs` removes it."""

    nothing_yet = _("Nobody has signed in yet.")
    list_display = ("username", "ip_address", "at", "left", "user_agent")
    fieldsets = ((None, {"fields": ("username", "ip_address", "at", "left", "user_agent")}),)

    @admin.display(description=_("signed out"), ordering="logout_time")
    def left(self, row: AccessLog) -> str:
        """Return the time of the sign-out; a dash if there was none."""
        return zoned(row.logout_time)
