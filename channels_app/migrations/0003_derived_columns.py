"""Columns that are derived from the predecessor's, and the triggers that fill them for rows it writes.

Locks: each table exclusively for an instant (nullable columns without a default, and a trigger), in a transaction of
its own.
"""

from channels_app import derivation
from channels_app.ddl import RunSQLInTransaction
from django.db import migrations, models

CHANNELS = """
ALTER TABLE ivs_channels
    ADD COLUMN IF NOT EXISTS _name text,
    ADD COLUMN IF NOT EXISTS _type text,
    ADD COLUMN IF NOT EXISTS _latency_mode text,
    ADD COLUMN IF NOT EXISTS _private boolean,
    ADD COLUMN IF NOT EXISTS _record boolean,
    ADD COLUMN IF NOT EXISTS _playback_url text,
    ADD COLUMN IF NOT EXISTS _status text;
CREATE OR REPLACE TRIGGER ivsvod_derive BEFORE INSERT OR UPDATE ON ivs_channels
    FOR EACH ROW EXECUTE FUNCTION ivsvod_derive_channel();
"""
DROP_FROM_CHANNELS = """
DROP TRIGGER IF EXISTS ivsvod_derive ON ivs_channels;
ALTER TABLE ivs_channels
    DROP COLUMN IF EXISTS _name,
    DROP COLUMN IF EXISTS _type,
    DROP COLUMN IF EXISTS _latency_mode,
    DROP COLUMN IF EXISTS _private,
    DROP COLUMN IF EXISTS _record,
    DROP COLUMN IF EXISTS _playback_url,
    DROP COLUMN IF EXISTS _status;
"""
STATE_CHANGES = """
ALTER TABLE ivs_state_changes ADD COLUMN IF NOT EXISTS _event_id text;
CREATE OR REPLACE TRIGGER ivsvod_derive BEFORE INSERT OR UPDATE ON ivs_state_changes
    FOR EACH ROW EXECUTE FUNCTION ivsvod_derive_state_change();
"""
DROP_FROM_STATE_CHANGES = """
DROP TRIGGER IF EXISTS ivsvod_derive ON ivs_state_changes;
ALTER TABLE ivs_state_changes DROP COLUMN IF EXISTS _event_id;
"""


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("channels_app", "0002_streams_and_inbox")]
    operations = [
        RunSQLInTransaction(derivation.FUNCTIONS, derivation.DROP_FUNCTIONS),
        RunSQLInTransaction(
            CHANNELS,
            DROP_FROM_CHANNELS,
            state_operations=[
                migrations.AddField('channel', 'name', models.TextField(db_column='_name', null=True)),
                migrations.AddField('channel', 'type', models.TextField(choices=[('STANDARD', 'Standard'), ('BASIC', 'Basic'), ('ADVANCED_SD', 'Advanced Sd'), ('ADVANCED_HD', 'Advanced Hd')], db_column='_type', null=True)),
                migrations.AddField('channel', 'latency_mode', models.TextField(choices=[('LOW', 'Low'), ('NORMAL', 'Normal')], db_column='_latency_mode', null=True)),
                migrations.AddField('channel', 'private', models.BooleanField(db_column='_private', null=True)),
                migrations.AddField('channel', 'record', models.BooleanField(db_column='_record', null=True)),
                migrations.AddField('channel', 'playback_url', models.TextField(db_column='_playback_url', null=True)),
                migrations.AddField('channel', 'status', models.TextField(choices=[('provisioning', 'Provisioning'), ('ready', 'Ready')], db_column='_status', null=True)),
            ],
        ),
        RunSQLInTransaction(
            STATE_CHANGES,
            DROP_FROM_STATE_CHANGES,
            state_operations=[
                migrations.AddField('statechange', 'event_id', models.TextField(db_column='_event_id', null=True)),
            ],
        ),
    ]
