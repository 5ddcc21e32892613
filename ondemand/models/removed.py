"""Recordings whose videos were deleted.

No event and no run of `reconcile` makes them again until the row is deleted or the predecessor inserts the recording.
"""

from django.db import models
from django.utils import timezone


class RemovedRecording(models.Model):
    """The place of a recording whose last video was deleted.

    Written by a trigger on every delete. Delete the row to allow the recording again. An insert into `on_demand_videos`
    for this place deletes it too.
    """

    id = models.BigAutoField(primary_key=True)
    bucket = models.TextField()
    prefix = models.TextField()
    removed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label = "ondemand"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["bucket", "prefix"], name="place_of_removed_recording")]

    def __str__(self) -> str:
        return f"{self.bucket}/{self.prefix}"
