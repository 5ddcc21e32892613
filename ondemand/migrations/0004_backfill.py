"""Fill what is derived in rows that stood here before; batches, each committed, so that it can be stopped."""

from django.db import migrations
from ondemand import derivation


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ondemand", "0003_indexes")]
    operations = [migrations.RunPython(derivation.backfill_by_migration, migrations.RunPython.noop)]
