"""Make the table of recordings: what their events reported. 0002 no longer makes it.

Locks: `on_demand_videos` against writes for an instant (a foreign key of a new table).
"""

import django.contrib.postgres.fields
from channels_app.cascading import cascade_in_database
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ondemand", "0007_recording_check")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='Recording',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('session_id', models.TextField(blank=True)),
                ('start_at', models.DateTimeField(null=True)),
                ('start_event_id', models.TextField(blank=True)),
                ('end_at', models.DateTimeField(null=True)),
                ('end_event_id', models.TextField(blank=True)),
                ('end_detail', models.JSONField(null=True)),
                ('failure_at', models.DateTimeField(null=True)),
                ('failure_event_id', models.TextField(blank=True)),
                ('failure_detail', models.JSONField(null=True)),
                ('stream_ids', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None)),
                ('video', models.OneToOneField(on_delete=cascade_in_database, related_name='recording', to='ondemand.video')),
            ],
        ),
    ]
