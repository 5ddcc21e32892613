"""The history of streams. Events that were applied before come open again, and `process_inbox` fills it from them.

Processing an event again changes nothing else. Locks: rows of the inbox, and at the end the table of streams against
writes for an instant (a foreign key of a new table).
"""

from channels_app.cascading import cascade_in_database
from django.db import migrations, models

OPEN_AGAIN = """
UPDATE channels_app_inboxevent SET outcome = 'received'
WHERE outcome = 'applied' AND name IN (
    'Session Created', 'Session Ended', 'Stream Takeover', 'Stream Takeover Failure', 'Stream Failure',
    'Recording Start Failure', 'Recording End Failure', 'Starvation Start', 'Starvation End',
    'Ingest Bitrate', 'Ingest Resolution'
)
"""


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0006_channel_control")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", "SET LOCAL lock_timeout = '10s'"),
        migrations.RunSQL(OPEN_AGAIN, migrations.RunSQL.noop),
        migrations.CreateModel(
            name='StreamHistoryEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_id', models.TextField(db_collation='C', unique=True)),
                ('at', models.DateTimeField()),
                ('name', models.TextField()),
                ('detail', models.JSONField()),
                ('stream', models.ForeignKey(on_delete=cascade_in_database, related_name='history', to='channels_app.stream')),
            ],
            options={
                'verbose_name_plural': 'stream history',
            },
        ),
    ]
