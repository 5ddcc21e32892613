"""Add columns derived from the predecessor's, and the triggers that fill them. No longer makes the recordings table.

Locks: each table exclusively for an instant (nullable columns without a default, and a trigger), in a transaction of
its own. The table of recordings comes with 0008, for its foreign key locks the videos too.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.search
import django.db.models.deletion
from channels_app.ddl import RunSQLInTransaction
from django.db import migrations, models
from ondemand import derivation

VIDEOS = """
ALTER TABLE on_demand_videos
    ADD COLUMN IF NOT EXISTS _status text,
    ADD COLUMN IF NOT EXISTS _bucket text,
    ADD COLUMN IF NOT EXISTS _prefix text,
    ADD COLUMN IF NOT EXISTS _started_at timestamptz,
    ADD COLUMN IF NOT EXISTS _ended_at timestamptz,
    ADD COLUMN IF NOT EXISTS _duration_ms bigint,
    ADD COLUMN IF NOT EXISTS _session_id text,
    ADD COLUMN IF NOT EXISTS _stream_ids text[],
    ADD COLUMN IF NOT EXISTS _facts jsonb,
    ADD COLUMN IF NOT EXISTS _qa text,
    ADD COLUMN IF NOT EXISTS _duplicate_of uuid;
CREATE OR REPLACE TRIGGER ivsvod_derive BEFORE INSERT OR UPDATE ON on_demand_videos
    FOR EACH ROW EXECUTE FUNCTION ivsvod_derive_video();
"""
DROP_FROM_VIDEOS = """
DROP TRIGGER IF EXISTS ivsvod_derive ON on_demand_videos;
ALTER TABLE on_demand_videos
    DROP COLUMN IF EXISTS _status,
    DROP COLUMN IF EXISTS _bucket,
    DROP COLUMN IF EXISTS _prefix,
    DROP COLUMN IF EXISTS _started_at,
    DROP COLUMN IF EXISTS _ended_at,
    DROP COLUMN IF EXISTS _duration_ms,
    DROP COLUMN IF EXISTS _session_id,
    DROP COLUMN IF EXISTS _stream_ids,
    DROP COLUMN IF EXISTS _facts,
    DROP COLUMN IF EXISTS _qa,
    DROP COLUMN IF EXISTS _duplicate_of;
"""
CONTENT = """
ALTER TABLE on_demand_video_content ADD COLUMN IF NOT EXISTS _search tsvector;
CREATE OR REPLACE TRIGGER ivsvod_derive BEFORE INSERT OR UPDATE ON on_demand_video_content
    FOR EACH ROW EXECUTE FUNCTION ivsvod_derive_content();
"""
DROP_FROM_CONTENT = """
DROP TRIGGER IF EXISTS ivsvod_derive ON on_demand_video_content;
ALTER TABLE on_demand_video_content DROP COLUMN IF EXISTS _search;
"""


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ondemand", "0001_predecessor_tables")]
    operations = [
        RunSQLInTransaction(derivation.FUNCTIONS, derivation.DROP_FUNCTIONS),
        RunSQLInTransaction(
            VIDEOS,
            DROP_FROM_VIDEOS,
            state_operations=[
                migrations.AddField('video', 'status', models.TextField(choices=[('recording', 'Recording'), ('available', 'Available'), ('failed', 'Failed')], db_column='_status', null=True)),
                migrations.AddField('video', 'bucket', models.TextField(db_column='_bucket', null=True)),
                migrations.AddField('video', 'prefix', models.TextField(db_column='_prefix', null=True)),
                migrations.AddField('video', 'started_at', models.DateTimeField(db_column='_started_at', null=True)),
                migrations.AddField('video', 'ended_at', models.DateTimeField(db_column='_ended_at', null=True)),
                migrations.AddField('video', 'duration_ms', models.BigIntegerField(db_column='_duration_ms', null=True)),
                migrations.AddField('video', 'session_id', models.TextField(db_column='_session_id', null=True)),
                migrations.AddField('video', 'stream_ids', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), db_column='_stream_ids', null=True, size=None)),
                migrations.AddField('video', 'facts', models.JSONField(db_column='_facts', null=True)),
                migrations.AddField('video', 'qa', models.TextField(choices=[('unverified', 'Unverified')], db_column='_qa', null=True)),
                migrations.AddField('video', 'duplicate_of', models.ForeignKey(db_column='_duplicate_of', db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='duplicates', to='ondemand.video')),
            ],
        ),
        RunSQLInTransaction(
            CONTENT,
            DROP_FROM_CONTENT,
            state_operations=[
                migrations.AddField('content', 'search', django.contrib.postgres.search.SearchVectorField(db_column='_search', editable=False, null=True)),
            ],
        ),
    ]
