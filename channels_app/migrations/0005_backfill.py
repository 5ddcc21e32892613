"""Derive what rows from before the triggers lack, in batches that are committed one by one.

Locks: the rows of a batch. It can be killed, and goes on where it was when it is run again.
"""

from channels_app.backfill import backfill_by_migration
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("channels_app", "0004_indexes")]
    operations = [migrations.RunPython(backfill_by_migration, migrations.RunPython.noop)]
