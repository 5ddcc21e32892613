"""The adoption of the predecessor's tables; a database that was never the predecessor's has no such row."""

from typing import Self

from django.db import models


class AdoptionQuerySet(models.QuerySet["Adoption"]):
    """Reads of the adoption: one row at most."""

    def without_repairs(self) -> Self:
        """Return the adoption while scheduled runs of `reconcile` only report."""
        return self.filter(repairs_enabled_at=None)


class Adoption(models.Model):
    """The adoption of the predecessor's tables. A migration writes the row where it finds rows of the predecessor."""

    # There is one row at most.
    id = models.SmallIntegerField(primary_key=True, default=1)
    adopted_at = models.DateTimeField()
    # NULL: scheduled runs of `reconcile` only report.
    repairs_enabled_at = models.DateTimeField(null=True)

    objects = AdoptionQuerySet.as_manager()

    class Meta:
        app_label = "channels_app"
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_adoption")]

    def __str__(self) -> str:
        return f"{self.adopted_at:%Y-%m-%d %H:%M:%S}"
