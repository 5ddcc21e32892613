"""Triggers that run as their owner, and an audit log that reads the audited columns alone. Locks: functions."""

from django.db import migrations

from channels_app.audit import triggers
from channels_app.derivation import pinned

# The functions stand in earlier migrations too; a database that has these already is brought up to date.
FUNCTIONS = triggers.FUNCTIONS + pinned("ivsvod_derive_channel", "ivsvod_derive_state_change")


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0017_deleted_state_changes")]
    operations = [migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop)]
