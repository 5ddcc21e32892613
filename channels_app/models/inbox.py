"""The inbox of events."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels_app.models.channels import Channel

_OPEN = Q(outcome__in=["received", "deferred"])
_OPEN_OR_FAILED = Q(outcome__in=["received", "deferred", "failed"])
_PRUNABLE = Q(outcome__in=["applied", "ignored", "refused", "parked"])


class InboxEventQuerySet(models.QuerySet["InboxEvent"]):
    def open(self) -> Self:
        """Return the events that are not done and that `process_inbox` tries again."""
        return self.filter(outcome__in=InboxEvent.OPEN)

    def open_or_failed(self) -> Self:
        """Return the open events and those that failed."""
        return self.filter(outcome__in=(*InboxEvent.OPEN, InboxEvent.Outcome.FAILED))

    def parked_with_channel(self) -> Self:
        """Return the parked events whose channel is in the database now."""
        channel = Channel.objects.filter(arn=OuterRef("channel_arn"))
        return self.filter(Exists(channel), outcome=InboxEvent.Outcome.PARKED)

    def stuck(self, at: datetime) -> Self:
        """Return the open events that were received too long ago: their problem does not pass by itself."""
        return self.open().filter(received_at__lt=at - InboxEvent.STUCK_AFTER)


class InboxEvent(models.Model):
    """An envelope as it was received, and the outcome of its processing."""

    class Outcome(models.TextChoices):
        RECEIVED = "received", _("received, not processed yet")
        APPLIED = "applied", pgettext_lazy("an event", "applied")
        PARKED = "parked", _("parked: its channel is not in the database")
        IGNORED = "ignored", _("ignored: nothing here depends on it")
        DEFERRED = "deferred", _("deferred: S3 could not be read yet")
        REFUSED = "refused", _("refused: malformed")
        FAILED = "failed", pgettext_lazy("an event", "failed")

    # Parked events are not open: their channel may be of another service in the account.
    OPEN = (Outcome.RECEIVED, Outcome.DEFERRED)
    # The queue and `process_inbox` have tried the event by then.
    STUCK_AFTER = timedelta(hours=1)
    # The time after its first delivery in which a deferred event is tried again. IVS writes its files within minutes,
    # and the check of recordings completes unverified videos later as well.
    DEFERRED_FOR = timedelta(hours=48)

    event_id = models.TextField(_("event id"), db_collation="C")
    # The received text: jsonb refuses NUL and lone surrogates, and would reorder keys.
    body = models.TextField()
    received_at = models.DateTimeField(default=timezone.now)
    outcome = models.TextField(_("outcome"), choices=Outcome.choices, default=Outcome.RECEIVED)
    error = models.TextField(_("error"), blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    processed_at = models.DateTimeField(null=True)
    detail_type = models.TextField(_("detail type"), blank=True)
    name = models.TextField(_("name"), blank=True)
    event_time = models.DateTimeField(null=True)
    channel_arn = models.TextField(_("channel ARN"), blank=True)
    stream_id = models.TextField(_("stream id"), blank=True)

    objects = InboxEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        # `unique=True` would make a second index, for beginnings, which the collation has without.
        constraints = [models.UniqueConstraint(fields=["event_id"], name="inbox_event_id")]
        indexes = [
            models.Index(fields=["attempts", "id"], name="inbox_open", condition=_OPEN_OR_FAILED),
            models.Index(fields=["received_at", "id"], name="inbox_prunable", condition=_PRUNABLE),
            models.Index(fields=["channel_arn"], name="inbox_parked", condition=Q(outcome="parked")),
            models.Index(fields=["id"], name="inbox_failed", condition=Q(outcome="failed")),
            models.Index(fields=["received_at"], name="inbox_waiting", condition=_OPEN),
            # For the search of the admin.
            models.Index(fields=["stream_id"], name="inbox_stream", condition=~Q(stream_id="")),
            models.Index(fields=["channel_arn"], name="inbox_channel", condition=~Q(channel_arn="")),
        ]

    def __str__(self) -> str:
        return self.event_id
