"""The tags that content has already: one read of the table, which stops no write."""

from django.db import migrations
from ondemand import derivation


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ondemand", "0012_bulk_changes")]
    operations = [migrations.RunSQL(derivation.KNOW_TAGS_IN_USE, migrations.RunSQL.noop)]
