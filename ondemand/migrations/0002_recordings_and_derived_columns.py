"""Columns that are derived from the predecessor's, the triggers that fill them, and the table of recordings.

Locks: each table exclusively for an instant (nullable columns without a default, and triggers).
"""

import django.contrib.postgres.fields
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models
from ondemand import derivation

COLUMNS = """
SET LOCAL lock_timeout = '10s';
ALTER TABLE on_demand_videos
    ADD COLUMN _status text,
    ADD COLUMN _bucket text,
    ADD COLUMN _prefix text,
    ADD COLUMN _started_at timestamptz,
    ADD COLUMN _ended_at timestamptz,
    ADD COLUMN _duration_ms bigint,
    ADD COLUMN _session_id text,
    ADD COLUMN _stream_ids text[],
    ADD COLUMN _facts jsonb,
    ADD COLUMN _qa text,
    ADD COLUMN _duplicate_of uuid;
ALTER TABLE on_demand_video_content ADD COLUMN _search tsvector;
"""
DROP_COLUMNS = """
ALTER TABLE on_demand_videos
    DROP COLUMN _status,
    DROP COLUMN _bucket,
    DROP COLUMN _prefix,
    DROP COLUMN _started_at,
    DROP COLUMN _ended_at,
    DROP COLUMN _duration_ms,
    DROP COLUMN _session_id,
    DROP COLUMN _stream_ids,
    DROP COLUMN _facts,
    DROP COLUMN _qa,
    DROP COLUMN _duplicate_of;
ALTER TABLE on_demand_video_content DROP COLUMN _search;
"""


class Migration(migrations.Migration):
    dependencies = [("ondemand", "0001_predecessor_tables")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(COLUMNS, DROP_COLUMNS),
                migrations.RunSQL(derivation.FUNCTIONS, derivation.DROP_FUNCTIONS),
                migrations.RunSQL(derivation.TRIGGERS, derivation.DROP_TRIGGERS),
            ],
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
                migrations.AddField('content', 'search', django.contrib.postgres.search.SearchVectorField(db_column='_search', editable=False, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Recording',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('session_id', models.TextField(blank=True)),
                ('start_at', models.DateTimeField(null=True)),
                ('end_at', models.DateTimeField(null=True)),
                ('end_event_id', models.TextField(blank=True)),
                ('end_detail', models.JSONField(null=True)),
                ('failure_at', models.DateTimeField(null=True)),
                ('failure_event_id', models.TextField(blank=True)),
                ('failure_detail', models.JSONField(null=True)),
                ('stream_ids', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None)),
                ('video', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='recording', to='ondemand.video')),
            ],
        ),
    ]
