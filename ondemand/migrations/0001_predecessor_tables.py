"""The predecessor's two tables, made where they are missing and adopted where they are.

Locks: each table exclusively for an instant, in a transaction of its own.
"""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from channels_app.ddl import RunSQLInTransaction
from django.db import migrations, models

VIDEOS = """
CREATE TABLE IF NOT EXISTS on_demand_videos (
    uuid uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    ivs_channel_uuid uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    active boolean DEFAULT true,
    data jsonb NOT NULL
);
ALTER TABLE on_demand_videos ALTER COLUMN uuid SET DEFAULT gen_random_uuid();
"""
CONTENT = """
CREATE TABLE IF NOT EXISTS on_demand_video_content (
    uuid uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    on_demand_video_uuid uuid NOT NULL UNIQUE,
    created_at timestamptz DEFAULT now(),
    created_by uuid NOT NULL,
    title text,
    description text,
    tags text[],
    data jsonb,
    thumbnail text,
    CONSTRAINT fk_user_content_for_on_demand_video
        FOREIGN KEY (on_demand_video_uuid) REFERENCES on_demand_videos (uuid)
);
ALTER TABLE on_demand_video_content ALTER COLUMN uuid SET DEFAULT gen_random_uuid();
CREATE INDEX IF NOT EXISTS idx_on_demand_video_user_content
    ON on_demand_video_content USING hash (on_demand_video_uuid);
"""


class Migration(migrations.Migration):
    initial = True
    atomic = False
    dependencies = [("channels_app", "0005_backfill")]
    # Going backwards leaves the tables: they are not ours to drop.
    operations = [
        RunSQLInTransaction(
            VIDEOS,
            migrations.RunSQL.noop,
            state_operations=[
                migrations.CreateModel(
                    name='Video',
                    fields=[
                        ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('active', models.BooleanField(default=True, null=True, verbose_name='shown')),
                        ('data', models.JSONField(default=dict)),
                        ('channel', models.ForeignKey(db_column='ivs_channel_uuid', db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='videos', to='channels_app.channel')),
                    ],
                    options={
                        'db_table': 'on_demand_videos',
                    },
                ),
            ],
        ),
        RunSQLInTransaction(
            CONTENT,
            migrations.RunSQL.noop,
            state_operations=[
                migrations.CreateModel(
                    name='Content',
                    fields=[
                        ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, null=True)),
                        ('created_by', models.UUIDField(editable=False)),
                        ('title', models.TextField(blank=True, null=True)),
                        ('description', models.TextField(blank=True, null=True)),
                        ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(blank=True, null=True), blank=True, null=True, size=None)),
                        ('data', models.JSONField(editable=False, null=True)),
                        ('thumbnail', models.TextField(blank=True, null=True)),
                        ('video', models.OneToOneField(db_column='on_demand_video_uuid', on_delete=django.db.models.deletion.CASCADE, related_name='content', to='ondemand.video')),
                    ],
                    options={
                        'verbose_name_plural': 'content',
                        'db_table': 'on_demand_video_content',
                    },
                ),
            ],
        ),
    ]
