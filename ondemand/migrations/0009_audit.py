"""Videos and their content in the audit log.

Locks: the two tables for an instant each, in a transaction of its own, once the writes that run have ended; waits at
most ten seconds for that.
"""

from channels_app.audit.triggers import AuditedTable
from channels_app.ddl import RunSQLInTransaction
from django.db import migrations

VIDEOS = AuditedTable(
    table="on_demand_videos",
    model="ondemand.video",
    fields={
        "ivs_channel_uuid": "channel",
        "active": "active",
        "_status": "status",
        "_qa": "qa",
        "_duplicate_of": "duplicate_of",
        "_visibility": "visibility",
        "_publish_from": "publish_from",
        "_publish_until": "publish_until",
        "_metadata": "metadata",
        "_held": "held",
        # This column comes with the next migration, and is nothing to the triggers until then.
        "_awaits_review": "awaits_review",
        "_started_at": "started_at",
        "_ended_at": "ended_at",
        "_duration_ms": "duration_ms",
    },
)
CONTENT = AuditedTable(
    table="on_demand_video_content",
    model="ondemand.video",
    key="on_demand_video_uuid",
    name="title",
    is_part=True,
    fields={"title": "title", "description": "description", "tags": "tags", "thumbnail": "thumbnail"},
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ondemand", "0008_recordings_by_channel"), ("channels_app", "0011_audit")]
    operations = [RunSQLInTransaction(table.create, table.drop) for table in (VIDEOS, CONTENT)]
