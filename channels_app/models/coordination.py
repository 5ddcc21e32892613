"""Coordination rows: idempotency keys, leases, and the adoption of the predecessor's tables."""

from datetime import timedelta

from django.db import models
from django.utils import timezone


class IdempotencyKey(models.Model):
    """An `Idempotency-Key` of a caller, with the digest of its body and the channel; the answer is not stored."""

    MAX_AGE = timedelta(hours=24)

    caller = models.UUIDField()
    key = models.TextField(db_collation="C")
    body_digest = models.TextField()
    # The migration writes the constraint, with ON DELETE CASCADE: the predecessor deletes channels by SQL.
    channel = models.ForeignKey(
        "Channel", on_delete=models.CASCADE, related_name="idempotency_keys", db_constraint=False
    )
    created_at = models.DateTimeField(default=timezone.now)
    # A request handles this key until then; later the next request may complete its creation.
    claimed_until = models.DateTimeField()

    class Meta:
        app_label = "channels_app"
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_key_of_caller")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return f"{self.caller} {self.created_at:%Y-%m-%d %H:%M:%S}"


class Lease(models.Model):
    """The lease of a command that must not run twice at a time, with the progress and results of its last run."""

    # Unlike a session lock it survives a broken connection, and expires after a crash.
    name = models.TextField(primary_key=True)
    # NULL: it is free.
    holder = models.UUIDField(null=True)
    expires_at = models.DateTimeField(null=True)
    # The scope of the last run.
    scope = models.JSONField(default=dict)
    # The position of a stopped run, which the next one continues; NULL if none.
    cursor = models.JSONField(null=True)
    # The numbers of differences that the last run found, and left, by kind.
    found = models.JSONField(default=dict)
    left = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "channels_app"

    def __str__(self) -> str:
        return self.name


class Adoption(models.Model):
    """The adoption of the predecessor's tables. A migration writes the one row if it finds rows of the predecessor."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    adopted_at = models.DateTimeField()
    # NULL: scheduled runs of `reconcile` only report.
    repairs_enabled_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "channels_app"
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_adoption")]

    def __str__(self) -> str:
        return f"{self.adopted_at:%Y-%m-%d %H:%M:%S}"
