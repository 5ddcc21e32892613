"""Columns that are derived from the predecessor's, and the triggers that fill them for rows it writes.

Locks: each table exclusively for an instant (nullable columns without a default, and triggers).
"""

from channels_app import derivation
from django.db import migrations, models

COLUMNS = """
SET LOCAL lock_timeout = '10s';
ALTER TABLE ivs_channels
    ADD COLUMN _name text,
    ADD COLUMN _type text,
    ADD COLUMN _latency_mode text,
    ADD COLUMN _private boolean,
    ADD COLUMN _record boolean,
    ADD COLUMN _playback_url text,
    ADD COLUMN _status text;
ALTER TABLE ivs_state_changes ADD COLUMN _event_id text;
"""
DROP_COLUMNS = """
ALTER TABLE ivs_channels
    DROP COLUMN _name,
    DROP COLUMN _type,
    DROP COLUMN _latency_mode,
    DROP COLUMN _private,
    DROP COLUMN _record,
    DROP COLUMN _playback_url,
    DROP COLUMN _status;
ALTER TABLE ivs_state_changes DROP COLUMN _event_id;
"""


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0002_streams_and_inbox")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(COLUMNS, DROP_COLUMNS),
                migrations.RunSQL(derivation.FUNCTIONS, derivation.DROP_FUNCTIONS),
                migrations.RunSQL(derivation.TRIGGERS, derivation.DROP_TRIGGERS),
            ],
            state_operations=[
                migrations.AddField('channel', 'name', models.TextField(db_column='_name', null=True)),
                migrations.AddField('channel', 'type', models.TextField(choices=[('STANDARD', 'Standard'), ('BASIC', 'Basic'), ('ADVANCED_SD', 'Advanced Sd'), ('ADVANCED_HD', 'Advanced Hd')], db_column='_type', null=True)),
                migrations.AddField('channel', 'latency_mode', models.TextField(choices=[('LOW', 'Low'), ('NORMAL', 'Normal')], db_column='_latency_mode', null=True)),
                migrations.AddField('channel', 'private', models.BooleanField(db_column='_private', null=True)),
                migrations.AddField('channel', 'record', models.BooleanField(db_column='_record', null=True)),
                migrations.AddField('channel', 'playback_url', models.TextField(db_column='_playback_url', null=True)),
                migrations.AddField('channel', 'status', models.TextField(choices=[('provisioning', 'Provisioning'), ('ready', 'Ready')], db_column='_status', null=True)),
                migrations.AddField('statechange', 'event_id', models.TextField(db_column='_event_id', null=True)),
            ],
        ),
    ]
