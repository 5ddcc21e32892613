"""Fill what is derived in rows that stood here before; batches, each committed, so that it can be stopped."""

from channels_app import derivation
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("channels_app", "0004_indexes")]
    operations = [migrations.RunPython(derivation.backfill_by_migration, migrations.RunPython.noop)]
