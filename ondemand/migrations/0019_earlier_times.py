"""Times that no client can read, in rows from before the trigger: one read of the table, and few rows are written."""

from django.db import migrations

from ondemand import derivation


class Migration(migrations.Migration):
    dependencies = [("ondemand", "0018_times_and_rights")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", migrations.RunSQL.noop),
        migrations.RunSQL(derivation.KEEP_EARLIER_TIMES, migrations.RunSQL.noop),
    ]
