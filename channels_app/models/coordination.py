"""Coordination rows: idempotency keys and leases."""

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    """Reads of idempotency keys."""

    def expired(self, at: datetime) -> "IdempotencyKeyQuerySet":
        """Return the keys that have expired."""
        return self.filter(created_at__lte=at - IdempotencyKey.LIFE)


class IdempotencyKey(models.Model):
    """An `Idempotency-Key` of a caller, with the digest of its body and the channel; the answer is not stored."""

    LIFE = timedelta(hours=24)

    caller = models.UUIDField()
    key = models.TextField(db_collation="C")
    body_digest = models.TextField()
    # The migration writes the constraint, with ON DELETE CASCADE: the predecessor deletes channels by SQL.
    channel = models.ForeignKey(
        "Channel", on_delete=models.CASCADE, related_name="idempotency_keys", db_constraint=False
    )
    created_at = models.DateTimeField(default=timezone.now)
    # Until then a request handles this key; later the next request may complete its creation.
    claimed_until = models.DateTimeField()

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        app_label = "channels_app"
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_key_of_caller")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return f"{self.caller} {self.created_at:%Y-%m-%d %H:%M:%S}"


class Lease(models.Model):
    """The lease of a command that runs once at a time, with the progress and results of its last run.

    A row, not a session lock: it survives a broken connection, and expires after a crash.
    """

    name = models.TextField(primary_key=True)
    # NULL while nobody holds it.
    holder = models.UUIDField(null=True)
    expires_at = models.DateTimeField(null=True)
    # The scope of the last run.
    scope = models.JSONField(default=dict)
    # Where a stopped run can be continued; NULL if there is none.
    cursor = models.JSONField(null=True)
    # The differences that the last run found and left, by kind.
    found = models.JSONField(default=dict)
    left = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "channels_app"

    def __str__(self) -> str:
        return self.name
