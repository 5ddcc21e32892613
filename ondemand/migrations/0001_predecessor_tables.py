"""Make the predecessor's two tables where they are missing, adopt them where they are, and add our columns.

Locks: each table exclusively for an instant (columns that are nullable or have a constant default rewrite no row), in a
transaction of its own. It can be killed and run again. Going backwards keeps both tables and drops our columns.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.models import deletion
from django.utils import timezone

from common.sql.ddl import RunSQLInTransaction
from common.rest.compiled import ReadableDecoder

VIDEOS = """
CREATE TABLE IF NOT EXISTS on_demand_videos (
    uuid uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    ivs_channel_uuid uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    active boolean DEFAULT true,
    data jsonb NOT NULL
);
ALTER TABLE on_demand_videos ALTER COLUMN uuid SET DEFAULT gen_random_uuid();
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
    ADD COLUMN IF NOT EXISTS _duplicate_of uuid,
    ADD COLUMN IF NOT EXISTS _visibility text DEFAULT 'public',
    ADD COLUMN IF NOT EXISTS _playback text,
    ADD COLUMN IF NOT EXISTS _publish_from timestamptz,
    ADD COLUMN IF NOT EXISTS _publish_until timestamptz,
    ADD COLUMN IF NOT EXISTS _metadata jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS _held boolean DEFAULT false,
    ADD COLUMN IF NOT EXISTS _qa_reasons jsonb,
    ADD COLUMN IF NOT EXISTS _held_by_check boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS _awaits_review boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS _chapters jsonb,
    ADD COLUMN IF NOT EXISTS _edit jsonb,
    ADD COLUMN IF NOT EXISTS _edited jsonb,
    ADD COLUMN IF NOT EXISTS _part_of uuid,
    ADD COLUMN IF NOT EXISTS _clip_of uuid;
"""
DROP_FROM_VIDEOS = """
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
    DROP COLUMN IF EXISTS _duplicate_of,
    DROP COLUMN IF EXISTS _visibility,
    DROP COLUMN IF EXISTS _playback,
    DROP COLUMN IF EXISTS _publish_from,
    DROP COLUMN IF EXISTS _publish_until,
    DROP COLUMN IF EXISTS _metadata,
    DROP COLUMN IF EXISTS _held,
    DROP COLUMN IF EXISTS _qa_reasons,
    DROP COLUMN IF EXISTS _held_by_check,
    DROP COLUMN IF EXISTS _awaits_review,
    DROP COLUMN IF EXISTS _chapters,
    DROP COLUMN IF EXISTS _edit,
    DROP COLUMN IF EXISTS _edited,
    DROP COLUMN IF EXISTS _part_of,
    DROP COLUMN IF EXISTS _clip_of;
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
    operations = [
        RunSQLInTransaction(
            VIDEOS,
            DROP_FROM_VIDEOS,
            state_operations=[
                migrations.CreateModel(
                    name="Video",
                    fields=[
                        (
                            "uuid",
                            models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                        ),
                        ("created_at", models.DateTimeField(default=timezone.now)),
                        ("active", models.BooleanField(default=True, null=True, verbose_name="shown")),
                        ("data", models.JSONField(default=dict)),
                        (
                            "status",
                            models.TextField(
                                choices=[("recording", "Recording"), ("available", "Available"), ("failed", "Failed")],
                                db_column="_status",
                                null=True,
                                verbose_name="status",
                            ),
                        ),
                        ("bucket", models.TextField(db_column="_bucket", null=True)),
                        ("prefix", models.TextField(db_column="_prefix", null=True)),
                        ("started_at", models.DateTimeField(db_column="_started_at", null=True, verbose_name="start")),
                        ("ended_at", models.DateTimeField(db_column="_ended_at", null=True, verbose_name="end")),
                        (
                            "duration_ms",
                            models.BigIntegerField(
                                db_column="_duration_ms", null=True, verbose_name="duration in milliseconds"
                            ),
                        ),
                        ("session_id", models.TextField(db_column="_session_id", null=True)),
                        (
                            "stream_ids",
                            ArrayField(base_field=models.TextField(), db_column="_stream_ids", null=True, size=None),
                        ),
                        ("facts", models.JSONField(db_column="_facts", null=True)),
                        (
                            "qa",
                            models.TextField(
                                choices=[
                                    ("unverified", "unverified"),
                                    ("ok", "ok"),
                                    ("warning", "warning"),
                                    ("failed", "failed"),
                                ],
                                db_column="_qa",
                                null=True,
                                verbose_name="files",
                            ),
                        ),
                        (
                            "qa_reasons",
                            models.JSONField(db_column="_qa_reasons", null=True, verbose_name="findings in the files"),
                        ),
                        (
                            "visibility",
                            models.TextField(
                                choices=[("public", "Public"), ("unlisted", "Unlisted")],
                                db_column="_visibility",
                                db_default="public",
                                default="public",
                                null=True,
                                verbose_name="visibility",
                            ),
                        ),
                        (
                            "playback",
                            models.TextField(
                                choices=[("public", "Public"), ("grant", "With a grant")],
                                db_column="_playback",
                                null=True,
                                verbose_name="playback",
                            ),
                        ),
                        (
                            "publish_from",
                            models.DateTimeField(db_column="_publish_from", null=True, verbose_name="publish from"),
                        ),
                        (
                            "publish_until",
                            models.DateTimeField(db_column="_publish_until", null=True, verbose_name="publish until"),
                        ),
                        (
                            "metadata",
                            models.JSONField(
                                db_column="_metadata",
                                db_default=models.Value({}, output_field=models.JSONField()),
                                default=dict,
                                verbose_name="metadata",
                            ),
                        ),
                        (
                            "held",
                            models.BooleanField(
                                db_column="_held", db_default=False, default=False, null=True, verbose_name="held"
                            ),
                        ),
                        (
                            "held_by_check",
                            models.BooleanField(
                                db_column="_held_by_check",
                                db_default=False,
                                default=False,
                                verbose_name="held by the check of its files",
                            ),
                        ),
                        (
                            "awaits_review",
                            models.BooleanField(
                                db_column="_awaits_review",
                                db_default=False,
                                default=False,
                                verbose_name="waits for review",
                            ),
                        ),
                        ("edit", models.JSONField(db_column="_edit", null=True, verbose_name="edit")),
                        ("edited", models.JSONField(db_column="_edited", null=True)),
                        (
                            "chapters",
                            models.JSONField(
                                db_column="_chapters", decoder=ReadableDecoder, null=True, verbose_name="chapters"
                            ),
                        ),
                        (
                            "channel",
                            models.ForeignKey(
                                db_column="ivs_channel_uuid",
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=deletion.DO_NOTHING,
                                related_name="videos",
                                to="channels_app.channel",
                                verbose_name="channel",
                            ),
                        ),
                        (
                            "duplicate_of",
                            models.ForeignKey(
                                db_column="_duplicate_of",
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=deletion.DO_NOTHING,
                                related_name="duplicates",
                                to="ondemand.video",
                                verbose_name="duplicate of",
                            ),
                        ),
                        (
                            "part_of",
                            models.ForeignKey(
                                db_column="_part_of",
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=deletion.DO_NOTHING,
                                related_name="joined",
                                to="ondemand.video",
                                verbose_name="part of",
                            ),
                        ),
                        (
                            "clip_of",
                            models.ForeignKey(
                                db_column="_clip_of",
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=deletion.DO_NOTHING,
                                related_name="clips",
                                to="ondemand.video",
                                verbose_name="clip of",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "video",
                        "verbose_name_plural": "videos",
                        "db_table": "on_demand_videos",
                    },
                ),
            ],
        ),
        RunSQLInTransaction(
            CONTENT,
            migrations.RunSQL.noop,
            state_operations=[
                migrations.CreateModel(
                    name="Content",
                    fields=[
                        (
                            "uuid",
                            models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                        ),
                        ("created_at", models.DateTimeField(default=timezone.now, editable=False, null=True)),
                        ("created_by", models.UUIDField(editable=False)),
                        ("title", models.TextField(blank=True, null=True, verbose_name="title")),
                        ("description", models.TextField(blank=True, null=True, verbose_name="description")),
                        (
                            "tags",
                            ArrayField(
                                base_field=models.TextField(blank=True, null=True),
                                blank=True,
                                null=True,
                                size=None,
                                verbose_name="tags",
                            ),
                        ),
                        ("data", models.JSONField(editable=False, null=True)),
                        ("thumbnail", models.TextField(blank=True, null=True, verbose_name="picture")),
                        (
                            "video",
                            models.OneToOneField(
                                db_column="on_demand_video_uuid",
                                on_delete=deletion.CASCADE,
                                related_name="content",
                                to="ondemand.video",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "content",
                        "verbose_name_plural": "content",
                        "db_table": "on_demand_video_content",
                    },
                ),
            ],
        ),
    ]
