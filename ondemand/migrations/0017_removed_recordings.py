"""Recordings whose videos were deleted, and what becomes of the duplicates of a deleted video.

Locks: `on_demand_videos` against writes for an instant (two triggers), once the writes that run have ended.
"""

import django.utils.timezone
from django.db import migrations, models
from ondemand import deleted_videos


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0017_deleted_state_changes"), ("ondemand", "0016_private_recordings")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", "SET LOCAL lock_timeout = '10s'"),
        migrations.CreateModel(
            name="RemovedRecording",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("bucket", models.TextField()),
                ("prefix", models.TextField()),
                ("removed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("bucket", "prefix"), name="place_of_removed_recording")
                ],
            },
        ),
        migrations.RunSQL(deleted_videos.TRIGGERS, deleted_videos.DROP_TRIGGERS),
    ]
