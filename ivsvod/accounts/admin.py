"""Accounts, groups, API tokens and sign-ins in the admin, with the limits on changing other accounts."""

from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt, AccessLog
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
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels_app.admin import AuditedAdmin, LongListAdmin, PlainFormAdmin, ReadOnlyAdmin, time_column
from common.audit import audited
from common.rest.times import NOTHING, zoned
from ivsvod.accounts.forms import ApiTokenCreateForm
from ivsvod.accounts.models import ApiToken, User
from ivsvod.accounts.second_factor import authenticator_remove
from ivsvod.accounts.services import api_token_create
from ivsvod.accounts.time_zones import time_zone_choices

# Only superusers change these, else staff could give themselves every permission.
FOR_SUPERUSERS = ("is_superuser", "groups", "user_permissions")
FACTS = ("uuid", "two_step", "signed_in", "joined")
_TOKEN_COLUMNS = ("name", "user", "shown_scopes", "made", "expires", "last_used")
_SIGN_IN_COLUMNS = ("username", "ip_address", "at", "left", "user_agent")
_FAILURE_COLUMNS = ("username", "ip_address", "failures_since_start", "at", "user_agent")


# Importing `GroupAdmin` registered the stock page.
admin.site.unregister(Group)


@admin.register(Group)
class RightsAdmin(AuditedAdmin, LongListAdmin, GroupAdmin):
    """Groups. Only superusers change them: a member of a group could give themselves every permission."""

    nothing_yet = _("There is no group. manage.py migrate makes Curators, Channel managers and Viewers.")

    class Media:
        # Loaded after the stock script whose markup it corrects.
        js = ("admin/js/SelectFilter2.js", "accounts/rights.js")

    def has_add_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser

    has_change_permission = has_delete_permission = has_add_permission


@admin.register(User)
class AccountAdmin(AuditedAdmin, LongListAdmin, UserAdmin):
    """Members of staff and service accounts.

    Superusers give permissions. Other staff change only accounts that have no permission that they lack: a new password
    opens the account.
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
    signed_in = time_column("last_login", _("last sign-in"))
    joined = time_column("date_joined", _("made"))

    def get_urls(self) -> list[Any]:
        """Return the URLs, with the page that turns off two-step sign-in of an account."""
        off = self.admin_site.admin_view(self.two_step_off)
        return [path("<path:object_id>/two-step-off/", off, name="accounts_user_two_step_off"), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return FACTS if request.user.is_superuser else (*FACTS, *FOR_SUPERUSERS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return True with the permission, for an account that has no permission that the caller lacks."""
        return super().has_change_permission(request, obj) and _is_within_rights(obj, request)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return True with the permission, for an account that has no permission that the caller lacks."""
        return super().has_delete_permission(request, obj) and _is_within_rights(obj, request)

    def formfield_for_dbfield(self, db_field: Field, request: Any, **kwargs: Any) -> Any:
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
            return gettext("off")
        return gettext("on; last code used %(at)s") % {"at": zoned(user.authenticator.last_used_at)}


def _is_within_rights(account: User | None, request: HttpRequest) -> bool:
    by: Any = request.user
    if account is None or by.is_superuser:
        return True
    return not account.is_superuser and account.rights_given <= by.get_all_permissions()


@admin.register(ApiToken)
class ApiTokenAdmin(AuditedAdmin, PlainFormAdmin, LongListAdmin):
    """API tokens: made and shown once, listed, and revoked by deleting them."""

    create_title = _("Make an API token")
    nothing_yet = _("There is no API token yet. Make one for each program that writes by the API.")
    create_help = _("The token is shown once, on the page that follows; only a digest of it is stored.")
    revoke_help = _("The token itself is not stored and cannot be shown again. To revoke it, delete it.")
    secret_fields = ("digest", "token_key")
    list_display = _TOKEN_COLUMNS
    list_select_related = ("user",)
    list_filter = ("user__is_active",)
    search_fields = ("name", "user__username")
    ordering = ("-created",)
    fieldsets = ((None, {"fields": _TOKEN_COLUMNS, "description": revoke_help}),)
    made = time_column("created", _("created"), ordering="created")
    last_used = time_column("last_used_at", _("last used"), ordering="last_used_at", empty=_("never"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Make a token and show it in the answer: a message or a redirect would store it in the session."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ApiTokenCreateForm(
            request.POST or None,
            by=request.user,  # type: ignore[arg-type]  # an account, by the permission
            initial={"account": request.user},
        )
        if not form.is_valid():
            return self.create_page(request, form, form_url, extra_context)
        values = dict(form.cleaned_data)
        days = values.pop("expires_days")
        context = self.admin_site.each_context(request)
        token, text = api_token_create(**values, expires_in=timedelta(days=days) if days else None)
        context |= {"title": gettext("Token made"), "token": token, "text": text}
        return TemplateResponse(request, "admin/accounts/apitoken/created.html", context)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: a token is revoked, and another one made."""
        return False

    @admin.display(description=_("scopes"))
    def shown_scopes(self, token: ApiToken) -> SafeString | str:
        return format_html_join(", ", "<code>{}</code>", ((scope,) for scope in token.scopes)) or NOTHING

    @admin.display(description=_("expiry"), ordering="expiry")
    def expires(self, token: ApiToken) -> str:
        """Return when it expires or expired, or "never"."""
        if token.expiry is None:
            return gettext("never")
        time = zoned(token.expiry)
        return gettext("expired %(moment)s") % {"moment": time} if token.expiry <= timezone.now() else time


class ForSuperusers(ReadOnlyAdmin):
    """Pages for superusers, without permissions, since they show the addresses of people."""

    search_fields = ("username", "ip_address")
    search_help_text = _("Part of a user name or of an address")
    ordering = ("-attempt_time", "-pk")
    at = time_column("attempt_time", _("time"), ordering="attempt_time")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    has_module_permission = has_view_permission


@admin.register(AccessAttempt)
class FailedSignInAdmin(ForSuperusers):
    """Wrong passwords that still count; deleting a row unlocks its account for that address."""

    nothing_yet = _("No wrong password counts now: nobody is locked out.")
    list_display = _FAILURE_COLUMNS
    fieldsets = ((None, {"fields": _FAILURE_COLUMNS}),)
    has_delete_permission = ForSuperusers.has_view_permission


@admin.register(AccessLog)
class SignInAdmin(ForSuperusers):
    """Each sign-in, until `axes_reset_logs` removes it."""

    nothing_yet = _("Nobody has signed in yet.")
    list_display = _SIGN_IN_COLUMNS
    fieldsets = ((None, {"fields": _SIGN_IN_COLUMNS}),)
    left = time_column("logout_time", _("signed out"), ordering="logout_time")
