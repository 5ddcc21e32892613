"""Streams follow when rows of `ivs_state_changes` are deleted.

Locks: `ivs_state_changes` against writes for an instant (a trigger), once the writes that run have ended.
"""

from channels_app import deleted_state_changes, derivation
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0016_adoption")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", "SET LOCAL lock_timeout = '10s'"),
        # It stands in 0008 too; a database that has that already is brought up to date.
        migrations.RunSQL(derivation.HEARING, migrations.RunSQL.noop),
        migrations.RunSQL(deleted_state_changes.ROWS, deleted_state_changes.DROP_ROWS),
        migrations.RunSQL(deleted_state_changes.TRIGGER, deleted_state_changes.DROP_TRIGGER),
    ]
