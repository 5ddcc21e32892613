"""The recorded events of a recording, and the recordings whose videos were deleted."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from ondemand.models.videos import Video

# A video of this service has this namespace's uuid5 of its bucket and prefix.
VIDEO_NAMESPACE = uuid.UUID("6f1f3a52-3c1e-5f0a-9d55-0a7c6f5d8b21")


class Recording(models.Model):
    """The facts of the events of one recording, each kind of event once, so that their order does not matter."""

    # The migration writes the constraint, with ON DELETE CASCADE: the predecessor deletes videos by SQL.
    video = models.OneToOneField(Video, on_delete=models.CASCADE, related_name="recording", db_constraint=False)
    session_id = models.TextField(blank=True)
    start_at = models.DateTimeField(null=True)
    start_event_id = models.TextField(blank=True)
    end_at = models.DateTimeField(null=True)
    end_event_id = models.TextField(blank=True)
    end_detail = models.JSONField(null=True)
    failure_at = models.DateTimeField(null=True)
    failure_event_id = models.TextField(blank=True)
    failure_detail = models.JSONField(null=True)
    stream_ids = ArrayField(models.TextField(), default=list)

    def __str__(self) -> str:
        return str(self.video_id)


class RemovedRecording(models.Model):
    """The place of a recording whose last video was deleted, written by a trigger on every delete.

    No event and no run of `reconcile` makes the video again until this row is deleted: by staff, or by an insert into
    `on_demand_videos` for this place.
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


def video_uuid(bucket: str, prefix: str) -> uuid.UUID:
    """Return the uuid of the video of a recording: the same whichever of its events comes first."""
    return uuid.uuid5(VIDEO_NAMESPACE, f"{bucket}/{prefix}")
