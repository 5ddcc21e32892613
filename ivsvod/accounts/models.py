"""Accounts with uuid keys, their second factor, and API tokens that are hashed at rest (django-rest-knox)."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser, Permission
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin, TimestampMixin
from knox.models import AbstractAuthToken, AuthTokenManager

from common.encryption import EncryptedTextField
from ivsvod.accounts.time_zones import validate_time_zone


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox has no types
    """A member of staff or a service account; `created_by` of content is its key."""

    uuid = models.UUIDField(_("uuid"), primary_key=True, default=uuid.uuid4, editable=False)
    # Validated, not listed as choices: each new zone of the machine would need a migration.
    time_zone = models.CharField(
        _("time zone"), max_length=63, blank=True, default="", db_default="", validators=[validate_time_zone]
    )

    class Meta(AbstractUser.Meta):
        permissions = [(scope, sentence) for scope, sentence in settings.API_SCOPES.items()]

    @cached_property
    def rights_given(self) -> set[str]:
        """Return the permissions of the account, also if it is inactive; Django reports none then."""
        permissions = Permission.objects.filter(models.Q(user=self) | models.Q(group__user=self))
        names = permissions.order_by().values_list("content_type__app_label", "codename").distinct()
        return {f"{app}.{codename}" for app, codename in names}


class AuthenticatorQuerySet(models.QuerySet["Authenticator"]):
    """Queries of second factors."""

    def of(self, account: "User") -> "Authenticator | None":
        """Return the second factor of the account, confirmed by a first code; None if it has none."""
        return self.filter(user=account, confirmed=True).first()


class Authenticator(TimestampMixin, ThrottlingMixin, Device):
    """An authenticator app of two-step sign-in, with its recovery codes.

    A device of django-otp; the library's own models store the secret and the recovery codes as plain text.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authenticator")
    secret = EncryptedTextField(editable=False, default="")
    # The time step of the last code. Codes up to it are not accepted again.
    last_step = models.BigIntegerField(default=-1, editable=False)
    recovery_digests = ArrayField(models.CharField(max_length=64), default=list, editable=False)

    objects = AuthenticatorQuerySet.as_manager()

    class Meta:
        # It has no page in the admin.
        default_permissions = ()

    def get_throttle_factor(self) -> int:
        """Return the seconds to wait after the first wrong code; each further one doubles them."""
        return 1


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Queries of API tokens."""

    def valid(self, at: Any) -> "ApiTokenQuerySet":
        """Return the tokens that are valid at that time: not expired, of an active account."""
        unexpired = models.Q(expiry__isnull=True) | models.Q(expiry__gt=at)
        return self.filter(unexpired, user__is_active=True)


class ApiToken(AbstractAuthToken):
    """A named bearer token of an account, limited to `scopes`; only its digest is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=128, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=200)
    # The fields of the library, with labels that can be translated.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="auth_token_set", verbose_name=_("account")
    )
    expiry = models.DateTimeField(_("expiry"), null=True, blank=True)
    scopes = ArrayField(models.CharField(max_length=20), verbose_name=_("scopes"), default=list, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: Any = AuthTokenManager.from_queryset(ApiTokenQuerySet)()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return self.name

    def allows(self, scope: str) -> bool:
        """Return whether both the token and its account have the scope."""
        return scope in self.scopes and self.user.has_perm(f"accounts.{scope}")
