"""API tokens in the admin."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels_app.admin import AuditedAdmin, PlainFormAdmin, SafeLookups
from channels_app.times import NOTHING, zoned
from ivsvod.accounts.forms import ApiTokenCreateForm
from ivsvod.accounts.models import ApiToken
from ivsvod.accounts.services import api_token_create

CREATE_HELP = _("The token is shown once, on the page that follows; only a digest of it is stored.")
REVOKE_HELP = _("The token itself is not stored and cannot be shown again. To revoke it, delete it.")


@admin.register(ApiToken)
class ApiTokenAdmin(AuditedAdmin, PlainFormAdmin, SafeLookups):
    """API tokens: made and shown once, listed, and revoked by deleting them."""

    create_title = _("Make an API token")
    nothing_yet = _("There is no API token yet. Make one for each program that writes by the API.")
    create_help = CREATE_HELP
    secret_fields = ("digest", "token_key")
    list_display = ("name", "user", "shown_scopes", "made", "expires", "last_used")
    list_select_related = ("user",)
    list_filter = ("user__is_active",)
    search_fields = ("name", "user__username")
    ordering = ("-created",)
    fieldsets = (
        (
            None,
            {"fields": ("name", "user", "shown_scopes", "made", "expires", "last_used"), "description": REVOKE_HELP},
        ),
    )

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
        each = self.admin_site.each_context(request)
        token, text = api_token_create(**form.arguments())
        context = {"title": gettext("Token made"), "token": token, "text": text}
        return TemplateResponse(request, "admin/accounts/apitoken/created.html", {**each, **context})

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: a token is revoked, and another one made."""
        return False

    @admin.display(description=_("scopes"))
    def shown_scopes(self, token: ApiToken) -> SafeString | str:
        """Return all scopes, by their names in the API."""
        return format_html_join(", ", "<code>{}</code>", ((scope,) for scope in token.scopes)) or NOTHING

    @admin.display(description=_("created"), ordering="created")
    def made(self, token: ApiToken) -> str:
        """Return the time of its creation."""
        return zoned(token.created)

    @admin.display(description=_("expiry"), ordering="expiry")
    def expires(self, token: ApiToken) -> str:
        """Return when it ends or ended, or "never"."""
        if token.expiry is None:
            return gettext("never")
        moment = zoned(token.expiry)
        return gettext("expired %(moment)s") % {"moment": moment} if token.expiry <= timezone.now() else moment

    @admin.display(description=_("last used"), ordering="last_used_at")
    def last_used(self, token: ApiToken) -> str:
        """Return when it was last used, or "never"."""
        return zoned(token.last_used_at) if token.last_used_at else gettext("never")
