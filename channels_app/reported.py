"""What the last runs of `reconcile` left for people: one row a difference that is still open."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from channels_app.reconcile.kinds import Kind


class ReportedDifferenceQuerySet(models.QuerySet["ReportedDifference"]):
    """Reads of reported differences."""

    def blocking(self) -> "ReportedDifferenceQuerySet":
        """Those that kept the rest of their phase from being compared."""
        return self.filter(is_blocking=True)


class ReportedDifference(models.Model):
    """A difference between the database, IVS and S3 as a run told it, until a run finds it no more."""

    # A digest of what it is about, so that the same difference has one row however often it is found.
    key = models.TextField(unique=True, db_collation="C")
    kind = models.TextField(_("kind"), choices=Kind.choices)
    # The row goes with its channel; the predecessor may delete one and knows nothing of this table.
    channel = models.ForeignKey(
        "Channel", on_delete=models.CASCADE, db_constraint=False, null=True, related_name="+", verbose_name=_("channel")
    )
    arn = models.TextField(_("ARN"), blank=True)
    stream_id = models.TextField(_("stream"), blank=True)
    bucket = models.TextField(_("bucket"), blank=True)
    prefix = models.TextField(_("prefix"), blank=True)
    phase = models.TextField(blank=True)
    would = models.TextField(_("what mends it"))
    # Why a run that tried could not mend it.
    problem = models.TextField(_("what went wrong"), blank=True)
    is_blocking = models.BooleanField(default=False)
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    seen_at = models.DateTimeField(_("seen last"), default=timezone.now)

    objects = ReportedDifferenceQuerySet.as_manager()

    class Meta:
        app_label = "channels_app"
        verbose_name = _("difference")
        verbose_name_plural = _("differences")

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @property
    def place(self) -> str:
        """The stream, or the recording, that it is about; empty where it is about neither."""
        return self.stream_id or "/".join(part for part in (self.bucket, self.prefix) if part)
