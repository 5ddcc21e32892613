"""Accounts and API tokens in the admin, and what the admin as a whole is called."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from channels_app.admin import SafeLookups
from channels_app.times import zoned
from ivsvod.accounts.models import ApiToken, User

admin.site.site_header = "ivsvod"
admin.site.site_title = "ivsvod"
admin.site.index_title = "Overview"
# There is no public page to link to.
admin.site.site_url = None

REVOKE_HELP = (
    "The token itself is not stored and cannot be shown again: the command create_api_token prints it once. "
    "To revoke a token, delete it."
)


@admin.register(User)
class AccountAdmin(SafeLookups, UserAdmin):
    """Members of staff and service accounts."""

    readonly_fields = ("uuid", "signed_in", "joined")
    # All but the last of the stock ones, whose times name no zone.
    fieldsets = (*(UserAdmin.fieldsets or ())[:-1], ("Facts", {"fields": ("uuid", "signed_in", "joined")}))

    @admin.display(description="last sign-in")
    def signed_in(self, user: User) -> str:
        """When the account last signed in."""
        return zoned(user.last_login)

    @admin.display(description="made")
    def joined(self, user: User) -> str:
        """When the account was made."""
        return zoned(user.date_joined)


@admin.register(ApiToken)
class ApiTokenAdmin(SafeLookups):
    """API tokens: listed, and revoked by deleting them."""

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

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: the command create_api_token makes them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: a token is revoked and another one made."""
        return False

    @admin.display(description="scopes")
    def shown_scopes(self, token: ApiToken) -> str:
        """All of them."""
        return ", ".join(token.scopes) or "–"  # noqa: RUF001

    @admin.display(description="created", ordering="created")
    def made(self, token: ApiToken) -> str:
        """When it was made."""
        return zoned(token.created)

    @admin.display(description="expiry", ordering="expiry")
    def expires(self, token: ApiToken) -> str:
        """When it ends, or that it does not."""
        return zoned(token.expiry) if token.expiry else "never"

    @admin.display(description="last used", ordering="last_used_at")
    def last_used(self, token: ApiToken) -> str:
        """When it last opened the API, or that it did not yet."""
        return zoned(token.last_used_at) if token.last_used_at else "never"
