"""Writes of accounts and API tokens."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.auth.password_validation import validate_password

from common.audit import audited
from ivsvod.accounts.models import ApiToken, User


class AdminAccountError(ValueError):
    """The account exists already, or is not a superuser."""


class UnknownScopeError(ValueError):
    """The scope does not exist."""


@audited()
def api_token_create(
    *, name: str, account: str, scopes: Sequence[str], expires_in: timedelta | None = None
) -> tuple[ApiToken, str]:
    """Make a token and return it with its text, which is not stored.

    A missing account is made, without a password and with the permissions of the scopes. The permissions of an
    existing account do not change. Raise UnknownScopeError for a scope that is none of `settings.API_SCOPES`.
    """
    unknown = [scope for scope in scopes if scope not in settings.API_SCOPES]
    if unknown:
        raise UnknownScopeError(f"unknown scope {', '.join(unknown)}; there are {', '.join(settings.API_SCOPES)}")
    user, created = User.objects.get_or_create(username=account)
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        permissions = Permission.objects.filter(content_type__app_label="accounts", codename__in=list(scopes))
        user.user_permissions.set(permissions)
    token, text = ApiToken.objects.create(user, expiry=expires_in, name=name, scopes=list(scopes))
    return token, text


@audited()
def account_set_time_zone(*, account: User, time_zone: str) -> None:
    """Set the time zone of the admin pages of the account; empty is that of the service."""
    User.objects.filter(pk=account.pk).update(time_zone=time_zone)


@audited()
def admin_create(*, name: str, email: str, password: str) -> User:
    """Make a superuser; raise AdminAccountError if the name is taken, ValidationError for any other refusal."""
    User.username_validator(name)
    if User.objects.filter(username=User.normalize_username(name)).exists():
        raise AdminAccountError(f"there is an account {name} already: --reset sets its password again")
    account = User(username=User.normalize_username(name), email=email, is_staff=True, is_superuser=True)
    account.clean_fields(exclude=["password"])
    return _password_set(account, password)


@audited()
def admin_set_password(*, name: str, password: str) -> User:
    """Set the password of an active superuser, which ends its sessions; raises as `admin_create`."""
    User.username_validator(name)
    account = User.objects.select_for_update().filter(username=User.normalize_username(name)).first()
    if account is None:
        raise AdminAccountError(f"there is no account {name}")
    if not (account.is_superuser and account.is_staff and account.is_active):
        raise AdminAccountError(f"{name} is not an active superuser: make another account and change it in the admin")
    return _password_set(account, password)


def _password_set(account: User, password: str) -> User:
    validate_password(password, account)
    account.set_password(password)
    account.save()
    return account
