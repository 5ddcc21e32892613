"""Rows by which one of several does a thing: keys of repeated requests, and leases of commands."""

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    """Reads of idempotency keys."""

    def expired(self, at: datetime) -> "IdempotencyKeyQuerySet":
        """Keys that are no longer honoured."""
        return self.filter(created_at__lte=at - IdempotencyKey.LIFE)


class IdempotencyKey(models.Model):
    """Which channel a caller's `Idempotency-Key` made, and of which body; the answer itself is never stored."""

    LIFE = timedelta(hours=24)

    caller = models.UUIDField()
    key = models.TextField(db_collation="C")
    body_digest = models.TextField()
    # The migration writes the constraint, with ON DELETE CASCADE: the predecessor deletes channels by SQL.
    channel = models.ForeignKey(
        "Channel", on_delete=models.CASCADE, related_name="idempotency_keys", db_constraint=False
    )
    created_at = models.DateTimeField(default=timezone.now)
    # Until then a request is at work for this key; later, whoever comes may finish what it left.
    claimed_until = models.DateTimeField()

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        app_label = "channels_app"
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_key_of_caller")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return f"{self.caller} {self.created_at:%Y-%m-%d %H:%M:%S}"


class Lease(models.Model):
    """Who runs a command of which one at a time may run, how far it is, and what the last run found.

    A row and no lock of a session: it outlives a connection that breaks, and runs out by itself where a process dies.
    """

    name = models.TextField(primary_key=True)
    # NULL while nobody holds it.
    holder = models.UUIDField(null=True)
    expires_at = models.DateTimeField(null=True)
    # What the last run was asked for.
    scope = models.JSONField(default=dict)
    # Where a run that did not end may be taken up; NULL where there is none.
    cursor = models.JSONField(null=True)
    # How many differences of each kind the last run found, and how many of them are left.
    found = models.JSONField(default=dict)
    left = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "channels_app"

    def __str__(self) -> str:
        return self.name
