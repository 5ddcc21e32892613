"""The index of open events does without parked ones, which `process_inbox` finds by their channel.

Built without stopping writes. It can be killed and run again: an index that is half built is dropped first.
"""

from channels_app.ddl import EnsureIndex
from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("channels_app", "0018_rights_and_audited_columns")]
    operations = [
        RemoveIndexConcurrently("inboxevent", "inbox_open"),
        EnsureIndex(
            "inboxevent",
            models.Index(
                condition=models.Q(("outcome__in", ["received", "deferred", "failed"])),
                fields=["attempts", "id"],
                name="inbox_open",
            ),
        ),
    ]
