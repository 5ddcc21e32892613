"""Recordings whose videos were deleted: no event and no run of `reconcile` makes them again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.utils import timezone

# One statement for both: events of recordings may cost a fixed number.
_PAST = """
SELECT EXISTS (SELECT FROM ondemand_removedrecording WHERE bucket = %s AND prefix = %s),
    (SELECT adopted_at FROM channels_app_adoption)
"""


class RemovedRecording(models.Model):
    """The place of a recording whose last video was deleted. A trigger writes it, whoever deletes.

    An insert into `on_demand_videos` for this place removes it again; so may a person, who wants the recording back.
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


@dataclass(frozen=True)
class RecordingPast:
    """Whether the video of a recording was deleted, and when the predecessor's tables were adopted (None: never)."""

    is_removed: bool = False
    adopted_at: datetime | None = None

    def precedes_adoption(self, ended_at: datetime | None) -> bool:
        """Return whether a recording that ended then was the predecessor's to list."""
        return self.adopted_at is not None and ended_at is not None and ended_at < self.adopted_at


def recording_past(*, bucket: str, prefix: str) -> RecordingPast:
    """Return the past of the recording at this place."""
    with connection.cursor() as cursor:
        cursor.execute(_PAST, [bucket, prefix])
        row: tuple[Any, ...] | None = cursor.fetchone()
    assert row is not None  # noqa: S101  (there are no tables in FROM)
    return RecordingPast(*row)
