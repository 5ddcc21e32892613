"""Accounts with uuid keys, and API tokens that are hashed at rest (django-rest-knox)."""

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from knox.models import AbstractAuthToken, AuthTokenManager


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox has no types
    """A member of staff or a service account; `created_by` of content is its key."""

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta(AbstractUser.Meta):
        permissions = [(scope, sentence) for scope, sentence in settings.API_SCOPES.items()]


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
    name = models.CharField(max_length=200)
    scopes = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: Any = AuthTokenManager.from_queryset(ApiTokenQuerySet)()

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return self.name

    def allows(self, scope: str) -> bool:
        """Whether both the token and its account have the scope."""
        return scope in self.scopes and self.user.has_perm(f"accounts.{scope}")
