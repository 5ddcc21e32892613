"""Accounts with uuid keys, their second factor, and API tokens that are hashed at rest (django-rest-knox)."""

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser, Permission
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin, TimestampMixin
from knox.models import AbstractAuthToken, AuthTokenManager

from channels_app.encryption import EncryptedTextField
from ivsvod.accounts.time_zones import validate_time_zone


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox has no types
    """A member of staff or a service account; `created_by` of content is its key."""

    uuid = models.UUIDField(_("uuid"), primary_key=True, default=uuid.uuid4, editable=False)
    # Checked against the database of the machine, not listed here: a migration for each new zone helps nobody.
    time_zone = models.CharField(
        _("time zone"), max_length=63, blank=True, default="", db_default="", validators=[validate_time_zone]
    )

    class Meta(AbstractUser.Meta):
        permissions = [(scope, sentence) for scope, sentence in settings.API_SCOPES.items()]

    @cached_property
    def rights_given(self) -> set[str]:
        """What the account may do once it is active: Django says of one that is not that it may do nothing."""
        given = Permission.objects.filter(models.Q(user=self) | models.Q(group__user=self))
        names = given.order_by().values_list("content_type__app_label", "codename").distinct()
        return {f"{app}.{codename}" for app, codename in names}


class AuthenticatorQuerySet(models.QuerySet["Authenticator"]):
    """Reads of second factors."""

    def on(self) -> "AuthenticatorQuerySet":
        """Those that are asked for at sign-in; the others were never confirmed by a code."""
        return self.filter(confirmed=True)

    def of(self, account: "User") -> "Authenticator | None":
        """The one that the account is asked for at sign-in."""
        return self.on().filter(user=account).first()


class Authenticator(TimestampMixin, ThrottlingMixin, Device):
    """An authenticator app that gives the codes of two-step sign-in, with what stands in for it when it is lost.

    The device of django-otp, but the library's own table holds the secret as plain text and recovery codes too.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authenticator")
    secret = EncryptedTextField(editable=False, default="")
    # A code is taken once: codes of this step of time and earlier ones are used up.
    last_step = models.BigIntegerField(default=-1, editable=False)
    recovery_digests = ArrayField(models.CharField(max_length=64), default=list, editable=False)

    objects = AuthenticatorQuerySet.as_manager()

    class Meta:
        # It has no page in the admin.
        default_permissions = ()

    def get_throttle_factor(self) -> int:
        """Seconds to wait after the first wrong code; each further one doubles them."""
        return 1


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Reads of API tokens."""

    def valid(self, at: datetime) -> "ApiTokenQuerySet":
        """Tokens that open the API at that moment: not expired, of an active account."""
        unexpired = models.Q(expiry__isnull=True) | models.Q(expiry__gt=at)
        return self.filter(unexpired, user__is_active=True)


class ApiToken(AbstractAuthToken):
    """A named bearer token of an account; only its digest is stored.

    What it may do is `scopes` and the permissions of its account, both.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=128, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=200)
    # The library's own, by names that can be translated.
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
        """Whether both the token and its account have the scope."""
        return scope in self.scopes and self.user.has_perm(f"accounts.{scope}")
