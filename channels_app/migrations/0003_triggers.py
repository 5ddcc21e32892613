"""Derive columns and streams from rows of any writer, and write the audit log: functions and triggers.

Locks: each table against writes for an instant (triggers), in a transaction of its own, once the writes that run have
ended. It can be killed and run again.
"""

from django.db import migrations, models

from common.sql.ddl import RunSQLInTransaction, sql_files

SQL = "channels_app/sql/0003"
FUNCTIONS = sql_files(
    SQL,
    *("json_text", "usable_time", "row_stream", "row_event", "merge_stream", "record_state_change", "record_event"),
    *("audit_changes", "audit_type", "audit_actor", "audit_write", "audit_note", "audit", "audit_table", "audit_link"),
    *("is_recorded", "new_video_state", "is_public_channel", "live_states"),
)
# Before a trigger needs it: Django would add it after the last migration, and fail beside a trigger that adds it then.
TYPES = "SELECT ivsvod_audit_type('channels_app', 'channel')"
CHANNELS = sql_files(SQL, "derive_channel", "audit_channels")
STATE_CHANGES = sql_files(SQL, "derive_state_change", "state_changes_deleted")
DROP_FUNCTIONS = """
DROP FUNCTION IF EXISTS ivsvod_json_text, ivsvod_usable_time, ivsvod_row_stream, ivsvod_row_event, ivsvod_merge_stream,
    ivsvod_record_state_change, ivsvod_record_event, ivsvod_audit_changes, ivsvod_audit_type, ivsvod_audit_actor,
    ivsvod_audit_write, ivsvod_audit_note, ivsvod_audit, ivsvod_audit_table, ivsvod_audit_link, ivsvod_is_recorded,
    ivsvod_new_video_state, ivsvod_is_public_channel;
DROP VIEW IF EXISTS ivsvod_live_states
"""
DROP_FROM_CHANNELS = """
DROP TRIGGER IF EXISTS ivsvod_audit_insert ON ivs_channels;
DROP TRIGGER IF EXISTS ivsvod_audit_update ON ivs_channels;
DROP TRIGGER IF EXISTS ivsvod_audit_delete ON ivs_channels;
DROP FUNCTION IF EXISTS ivsvod_derive_channel CASCADE;
"""
DROP_FROM_STATE_CHANGES = "DROP FUNCTION IF EXISTS ivsvod_derive_state_change, ivsvod_state_changes_deleted CASCADE"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("channels_app", "0002_own_tables")]
    operations = [
        RunSQLInTransaction(
            FUNCTIONS,
            DROP_FUNCTIONS,
            state_operations=[
                migrations.CreateModel(
                    name="ChannelLiveState",
                    fields=[
                        ("stream_id", models.TextField(null=True)),
                        ("state", models.TextField()),
                        ("since", models.DateTimeField(null=True)),
                    ],
                    options={
                        "db_table": "ivsvod_live_states",
                        "managed": False,
                    },
                ),
            ],
        ),
        RunSQLInTransaction(TYPES, migrations.RunSQL.noop),
        RunSQLInTransaction(CHANNELS, DROP_FROM_CHANNELS),
        RunSQLInTransaction(STATE_CHANGES, DROP_FROM_STATE_CHANGES),
    ]
