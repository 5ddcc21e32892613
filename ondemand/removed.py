"""Recordings whose videos were deleted.

No event and no run of `reconcile` makes them again until the row is deleted or the predecessor inserts the recording.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.utils import timezone

# One statement for both: events of recordings may cost a fixed number.
_HISTORY = """
SELECT EXISTS (SELECT FROM ondemand_removedrecording WHERE bucket = %s AND prefix = %s),
    (SELECT adopted_at FROM channels_app_adoption)
"""


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


@dataclass(frozen=True)
class RecordingHistory:
    """Whether the video of a recording was deleted, and when the predecessor's tables were adopted (None: never)."""

    is_removed: bool = False
    adopted_at: datetime | None = None

    def precedes_adoption(self, ended_at: datetime | None) -> bool:
        """Return whether the recording ended before the adoption."""
        return self.adopted_at is not None and ended_at is not None and ended_at < self.adopted_at


def recording_history(*, bucket: str, prefix: str) -> RecordingHistory:
    """Return whether the video was deleted, and when the tables were adopted."""
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, [bucket, prefix])
        row: tuple[Any, ...] | None = cursor.fetchone()
    assert row is not None  # noqa: S101  (there are no tables in FROM)
    return RecordingHistory(*row)
