"""Events and the predecessor's inserts wait for each other by the channel's row; which event a recording's start is of.

Locks: functions, and the table of recordings for an instant (a column with a constant default).
"""

from django.db import migrations, models

from ondemand import derivation


class Migration(migrations.Migration):
    dependencies = [("ondemand", "0007_recording_check")]
    operations = [
        migrations.RunSQL(derivation.LOCKED_BY_CHANNEL, derivation.LOCKED_BY_PLACE),
        migrations.AddField("recording", "start_event_id", models.TextField(blank=True, default="", db_default="")),
        migrations.AlterField("recording", "start_event_id", models.TextField(blank=True)),
    ]
