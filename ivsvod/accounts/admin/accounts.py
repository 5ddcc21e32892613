"""Accounts and groups in the admin, with the limits on changing other accounts."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Field
from django.forms import ChoiceField, Select
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from channels_app.admin import AuditedAdmin, SafeLookups
from channels_app.audit import audited
from channels_app.times import zoned
from ivsvod.accounts.models import User
from ivsvod.accounts.second_factor import authenticator_remove
from ivsvod.accounts.time_zones import time_zone_choices

# Only superusers change these, else staff could give themselves every right.
FOR_SUPERUSERS = ("is_superuser", "groups", "user_permissions")
FACTS = ("uuid", "two_step", "signed_in", "joined")


# Importing `GroupAdmin` registered the stock page.
admin.site.unregister(Group)


@admin.register(Group)
class RightsAdmin(AuditedAdmin, SafeLookups, GroupAdmin):
    """Groups. Only superusers change them: a member of a group could give themselves every right."""

    nothing_yet = _("There is no group. manage.py migrate makes Curators, Channel managers and Viewers.")

    class Media:
        # After the stock script whose work it mends.
        js = ("admin/js/SelectFilter2.js", "accounts/rights.js")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return True for superusers."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Return True for superusers."""
        return self.has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Return True for superusers."""
        return self.has_add_permission(request)


@admin.register(User)
class AccountAdmin(AuditedAdmin, SafeLookups, UserAdmin):
    """Members of staff and service accounts.

    Superusers give rights. Other staff change only accounts that may do no more than they: a new password opens the
    account.
    """

    class Media:
        js = ("admin/js/SelectFilter2.js", "accounts/rights.js")

    secret_fields = ("authenticator",)
    change_form_template = "admin/accounts/user/change_form.html"
    list_display = ("username", "email", "first_name", "last_name", "is_staff", "has_two_step")
    list_select_related = ("authenticator",)
    # All but the last of the stock ones, whose times name no zone.
    fieldsets = (
        *(UserAdmin.fieldsets or ())[:-1],
        (_("Preferences"), {"fields": ("time_zone",)}),
        (_("Facts"), {"fields": FACTS}),
    )

    def get_urls(self) -> list[Any]:
        """Return the URLs, with the page that turns two-step sign-in of an account off."""
        off = self.admin_site.admin_view(self.two_step_off)
        return [path("<path:object_id>/two-step-off/", off, name="accounts_user_two_step_off"), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Return the facts, and the rights except for superusers."""
        return FACTS if request.user.is_superuser else (*FACTS, *FOR_SUPERUSERS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return True with the permission, for an account that may do no more than the caller."""
        return super().has_change_permission(request, obj) and _may_no_more(obj, request)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return True with the permission, for an account that may do no more than the caller."""
        return super().has_delete_permission(request, obj) and _may_no_more(obj, request)

    def formfield_for_dbfield(self, db_field: Field, request: Any, **kwargs: Any) -> Any:
        """Return the stock field, or the choice of a time zone."""
        if db_field.name != "time_zone":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return ChoiceField(label=db_field.verbose_name, required=False, choices=time_zone_choices, widget=Select)

    @audited()
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Change the password on the stock page, with its author in the audit log."""
        return super().user_change_password(request, id, form_url)

    def two_step_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Turn off two-step sign-in of an account that lost phone and recovery codes; for superusers."""
        if not request.user.is_superuser:
            raise PermissionDenied
        account = self.get_object(request, object_id)
        if account is None:
            raise Http404
        if request.method == "POST":
            if authenticator_remove(account=account):
                self.message_user(request, _("Two-step sign-in of this account is off."), messages.SUCCESS)
            else:
                self.message_user(request, _("Two-step sign-in of this account was off already."), messages.WARNING)
            return redirect("admin:accounts_user_change", account.pk)
        context = {**self.admin_site.each_context(request), "title": _("Turn off two-step sign-in"), "account": account}
        return TemplateResponse(request, "admin/accounts/user/two_step_off.html", context)

    @admin.display(description=_("two-step"), boolean=True)
    def has_two_step(self, user: User) -> bool:
        """Return whether the sign-in asks for a code."""
        device = getattr(user, "authenticator", None)
        return device is not None and device.confirmed

    @admin.display(description=_("two-step sign-in"))
    def two_step(self, user: User) -> str:
        """Return whether it is on, and when a code was last used."""
        if not self.has_two_step(user):
            return str(_("off"))
        return str(_("on; last code used %(at)s") % {"at": zoned(user.authenticator.last_used_at)})

    @admin.display(description=_("last sign-in"))
    def signed_in(self, user: User) -> str:
        """Return the time of the last sign-in."""
        return zoned(user.last_login)

    @admin.display(description=_("made"))
    def joined(self, user: User) -> str:
        """Return the time at which the account was made."""
        return zoned(user.date_joined)


def _may_no_more(account: User | None, request: HttpRequest) -> bool:
    by: Any = request.user
    if account is None or by.is_superuser:
        return True
    return not account.is_superuser and account.rights_given <= by.get_all_permissions()
