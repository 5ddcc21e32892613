"""Writes of accounts and API tokens."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import Permission

from channels_app.audit import audited
from ivsvod.accounts.models import ApiToken, User


class UnknownScopeError(ValueError):
    """A scope that this service does not have."""


@audited()
def api_token_create(
    *, name: str, account: str, scopes: Sequence[str], expires_in: timedelta | None = None
) -> tuple[ApiToken, str]:
    """Make a token and return it with its text, which is not stored.

    An account that is missing is made, without a password and with the permissions that the scopes name; the
    permissions of an account that exists stay as they are.

    Raises:
        UnknownScopeError: a scope is none of `settings.API_SCOPES`.
    """
    unknown = [scope for scope in scopes if scope not in settings.API_SCOPES]
    if unknown:
        known = ", ".join(settings.API_SCOPES)
        raise UnknownScopeError(f"unknown scope {', '.join(unknown)}; there are {known}")
    user, created = User.objects.get_or_create(username=account)
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="accounts", codename__in=list(scopes))
        )
    token, text = ApiToken.objects.create(user, expiry=expires_in, name=name, scopes=list(scopes))
    return token, text


@audited()
def account_set_time_zone(*, account: User, time_zone: str) -> None:
    """The zone in which the account sees and types times; empty is that of the service."""
    User.objects.filter(pk=account.pk).update(time_zone=time_zone)
