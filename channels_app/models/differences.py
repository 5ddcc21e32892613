"""Open differences between the database, IVS and S3, as the last runs of `reconcile` reported them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DifferenceKind(models.TextChoices):
    EVENT_UNAPPLIED = "event_unapplied", _("An event is not applied")
    CHANNEL_UNFINISHED = "channel_unfinished", _("The creation of a channel was interrupted")
    CHANNEL_ORPHAN = "channel_orphan", _("A channel of this service in IVS has no row here")
    CHANNEL_UNCLAIMED = "channel_unclaimed", _("A channel in IVS has a uuid as its tag, and no row here")
    CHANNEL_DOUBLED = "channel_doubled", _("A second channel in IVS has the uuid of this one")
    CHANNEL_NOT_DELETED = "channel_not_deleted", _("The channel is deleted here, and still in IVS")
    CHANNEL_CHANGED = "channel_changed", _("A setting of the channel differs in IVS")
    CHANNEL_RENAMED = "channel_renamed", _("The name of the channel differs in IVS")
    CHANNEL_GONE = "channel_gone", _("The channel is no longer in IVS")
    STREAM_KEY_MISSING = "stream_key_missing", _("IVS has no stream key of the channel")
    STREAM_KEY_CHANGED = "stream_key_changed", _("IVS has another stream key")
    STREAM_KEY_NOT_REMOVED = "stream_key_not_removed", _("The channel is banned, and IVS still has its stream key")
    STREAM_MISSING = "stream_missing", _("No event of a stream arrived")
    STREAM_START_MISSING = "stream_start_missing", _("The start of a stream did not arrive")
    STREAM_END_MISSING = "stream_end_missing", _("The end of a stream did not arrive")
    STREAM_END_UNKNOWN = "stream_end_unknown", _("A stream is live here, and IVS has forgotten it")
    STREAM_STILL_LIVE = "stream_still_live", _("A stream has ended here, and is live in IVS")
    STREAM_HISTORY_MISSING = "stream_history_missing", _("Part of the history of a stream did not arrive")
    RECORDING_MISSING = "recording_missing", _("No event of a recording arrived")
    RECORDING_START_MISSING = "recording_start_missing", _("The start of a recording did not arrive")
    RECORDING_END_MISSING = "recording_end_missing", _("The end of a recording did not arrive")
    RECORDING_UNREADABLE = "recording_unreadable", _("The metadata of a recording cannot be used")
    RECORDING_STUCK = "recording_stuck", _("A recording has no end after 48 hours")
    UNKNOWN_CHANNEL = "unknown_channel", _("The channel of a recording is not here")
    NOT_COMPARED = "not_compared", _("The comparison failed")


class ReportedDifference(models.Model):
    """A difference between the database, IVS and S3 that the last run still found."""

    # A digest of kind and place: a difference that is found again keeps its row.
    key = models.TextField(unique=True, db_collation="C")
    kind = models.TextField(_("kind"), choices=DifferenceKind.choices)
    # The migration writes ON DELETE CASCADE: the predecessor deletes channels by SQL.
    channel = models.ForeignKey(
        "Channel", on_delete=models.CASCADE, db_constraint=False, null=True, related_name="+", verbose_name=_("channel")
    )
    arn = models.TextField(_("ARN"), blank=True)
    stream_id = models.TextField(_("stream"), blank=True)
    bucket = models.TextField(_("bucket"), blank=True)
    prefix = models.TextField(_("prefix"), blank=True)
    phase = models.TextField(blank=True)
    would = models.TextField(_("what mends it"))
    # Why the last repair failed.
    problem = models.TextField(_("what went wrong"), blank=True)
    # Whether it stopped the comparison of its phase.
    is_blocking = models.BooleanField(default=False)
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    seen_at = models.DateTimeField(_("seen last"), default=timezone.now)

    class Meta:
        app_label = "channels_app"
        verbose_name = _("difference")
        verbose_name_plural = _("differences")

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @property
    def place(self) -> str:
        """Return the stream id, or bucket and prefix of the recording; empty if neither."""
        return self.stream_id or "/".join(part for part in (self.bucket, self.prefix) if part)
