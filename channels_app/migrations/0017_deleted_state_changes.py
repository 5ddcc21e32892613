"""Streams follow when rows of `ivs_state_changes` are deleted.

Locks: `ivs_state_changes` against writes for an instant (a trigger), once the writes that run have ended.
"""

from channels_app import deleted_state_changes
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0016_adoption")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", "SET LOCAL lock_timeout = '10s'"),
        migrations.RunSQL(deleted_state_changes.ROWS, deleted_state_changes.DROP_ROWS),
        migrations.RunSQL(deleted_state_changes.TRIGGER, deleted_state_changes.DROP_TRIGGER),
    ]
