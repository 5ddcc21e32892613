"""Derive what rows from before the triggers lack, in batches that are committed one by one, and note the known tags.

Locks: the rows of a batch. It can be killed, and goes on where it was when it is run again.
"""

from django.db import migrations

from ondemand.sql.backfill import backfill_by_migration


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ondemand", "0003_triggers")]
    operations = [migrations.RunPython(backfill_by_migration, migrations.RunPython.noop)]
