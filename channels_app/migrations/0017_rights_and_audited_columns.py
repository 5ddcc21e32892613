"""An audit log that reads the audited columns alone. Locks: functions."""

from django.db import migrations

from channels_app.audit import triggers


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0015_words")]
    operations = [migrations.RunSQL(triggers.FUNCTIONS, migrations.RunSQL.noop)]
