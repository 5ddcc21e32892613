"""Make our own tables: recordings, bulk changes, playback grants, the index of videos, counts of tags and words.

Locks: `on_demand_videos` against writes for an instant (foreign keys of new tables), the last step of the transaction.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchVectorField
from django.db import migrations, models
from django.db.models import deletion
from django.db.models.functions import MD5, Collate, Left, Upper
from django.utils import timezone

from common.sql.ddl import RunDeferredSQL, RunSQLInTransaction

# Django 5 cannot write ON DELETE CASCADE: other programs delete videos, too.
CASCADE = """
ALTER TABLE ondemand_recording ADD CONSTRAINT ondemand_recording_video_id_ba539d46_fk_on_demand_videos_uuid
    FOREIGN KEY (video_id) REFERENCES on_demand_videos (uuid) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ondemand_playbackgrant ADD CONSTRAINT ondemand_playbackgrant_video_id_fk_on_demand_videos_uuid
    FOREIGN KEY (video_id) REFERENCES on_demand_videos (uuid) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [("ondemand", "0001_predecessor_tables")]
    operations = [
        migrations.CreateModel(
            name="Recording",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("session_id", models.TextField(blank=True)),
                ("start_at", models.DateTimeField(null=True)),
                ("start_event_id", models.TextField(blank=True)),
                ("end_at", models.DateTimeField(null=True)),
                ("end_event_id", models.TextField(blank=True)),
                ("end_detail", models.JSONField(null=True)),
                ("failure_at", models.DateTimeField(null=True)),
                ("failure_event_id", models.TextField(blank=True)),
                ("failure_detail", models.JSONField(null=True)),
                ("stream_ids", ArrayField(base_field=models.TextField(), default=list, size=None)),
                (
                    "video",
                    models.OneToOneField(
                        db_constraint=False, on_delete=deletion.CASCADE, related_name="recording", to="ondemand.video"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RemovedRecording",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("bucket", models.TextField()),
                ("prefix", models.TextField()),
                ("removed_at", models.DateTimeField(default=timezone.now)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("bucket", "prefix"), name="place_of_removed_recording")
                ],
            },
        ),
        migrations.CreateModel(
            name="BulkChange",
            fields=[
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("show", "Show"),
                            ("hide", "Hide"),
                            ("list", "List"),
                            ("unlist", "Unlist"),
                            ("protect", "Play with a grant alone"),
                            ("unprotect", "Play without a grant"),
                            ("schedule", "Schedule"),
                            ("add_tags", "Add tags"),
                            ("remove_tags", "Remove tags"),
                            ("rename_tag", "Rename a tag"),
                            ("check", "Check again"),
                        ]
                    ),
                ),
                ("values", models.JSONField(null=True)),
                ("by", models.UUIDField()),
                ("by_name", models.TextField()),
                ("made_at", models.DateTimeField(default=timezone.now)),
                ("query", models.TextField(blank=True)),
                ("chosen", models.PositiveIntegerField()),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("draft", "Draft"),
                            ("running", "not finished"),
                            ("done", "done"),
                            ("undoing", "partly undone"),
                            ("undone", "undone"),
                        ],
                        default="draft",
                    ),
                ),
                ("outcomes", models.JSONField(default=dict)),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["-made_at"], name="bulk_change_newest")],
            },
        ),
        migrations.CreateModel(
            name="BulkChangeRow",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("video_uuid", models.UUIDField()),
                (
                    "outcome",
                    models.TextField(
                        choices=[
                            ("waiting", "not done yet"),
                            ("changed", "changed"),
                            ("same", "nothing to change"),
                            ("too_many_tags", "left as they are: they would have too many tags"),
                            (
                                "grant_needed",
                                "left as they are: they show another recording that needs a grant",
                            ),
                            ("no_files", "left as they are: they have no files that can be read"),
                            ("gone", "left: they are not there any more"),
                            ("undone", "undone"),
                            ("changed_since", "left as they are: somebody changed them since"),
                            ("unrecorded", "left as they are: the audit log has lost what they were before"),
                        ],
                        default="waiting",
                    ),
                ),
                (
                    "change",
                    models.ForeignKey(
                        db_index=False, on_delete=deletion.CASCADE, related_name="rows", to="ondemand.bulkchange"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("outcome", "waiting")), fields=["change", "id"], name="bulk_change_waiting"
                    ),
                    models.Index(
                        condition=models.Q(("outcome", "changed")), fields=["change", "id"], name="bulk_change_changed"
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("change", "video_uuid"), name="video_of_bulk_change")],
            },
        ),
        migrations.CreateModel(
            name="VideoIndex",
            fields=[
                (
                    "video",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        related_query_name="index",
                        serialize=False,
                        to="ondemand.video",
                    ),
                ),
                ("channel_id", models.UUIDField(null=True)),
                ("listing", models.TextField()),
                ("status", models.TextField(null=True)),
                ("active", models.BooleanField(null=True)),
                ("is_open", models.BooleanField()),
                ("publish_from", models.DateTimeField(null=True)),
                ("publish_until", models.DateTimeField(null=True)),
                ("start_key", models.DateTimeField()),
                ("length_key", models.BigIntegerField()),
                ("title_key", models.TextField(null=True)),
                ("tags", ArrayField(base_field=models.TextField(), size=None)),
                ("metadata", models.JSONField()),
                ("search", SearchVectorField()),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="TagCount",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tag", models.TextField()),
                ("publish_from", models.DateTimeField(null=True)),
                ("publish_until", models.DateTimeField(null=True)),
                ("videos", models.IntegerField()),
                ("listed", models.IntegerField()),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(Left("tag", 100), MD5("tag"), name="tag_count_name"),
                    models.Index(Collate(Upper(Left("tag", 100)), "C"), name="tag_count_beginning"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchWord",
            fields=[("word", models.TextField(primary_key=True, serialize=False))],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="PlaybackGrant",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("viewer", models.TextField(blank=True, verbose_name="viewer")),
                ("digest", models.TextField(null=True)),
                ("claims", models.JSONField(default=dict)),
                ("by", models.UUIDField()),
                ("by_name", models.TextField(verbose_name="made by")),
                ("made_at", models.DateTimeField(default=timezone.now, verbose_name="made")),
                ("expires_at", models.DateTimeField(null=True, verbose_name="end")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="revoked")),
                ("uses", models.PositiveIntegerField(default=0, verbose_name="uses")),
                ("last_used_at", models.DateTimeField(null=True, verbose_name="last used")),
                ("request_key", models.TextField(null=True)),
                ("request_digest", models.TextField(blank=True)),
                (
                    "channel",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=deletion.CASCADE,
                        related_name="+",
                        to="channels_app.channel",
                        verbose_name="channel",
                    ),
                ),
                (
                    "video",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=deletion.CASCADE,
                        related_name="+",
                        to="ondemand.video",
                        verbose_name="video",
                    ),
                ),
            ],
            options={
                "verbose_name": "playback grant",
                "verbose_name_plural": "playback grants",
                "default_permissions": ("view", "change"),
                "indexes": [
                    models.Index(fields=["-made_at", "-id"], name="grant_newest"),
                    models.Index(fields=["viewer", "-made_at", "-id"], name="grant_of_viewer"),
                    models.Index(fields=["video", "-made_at", "-id"], name="grant_of_video"),
                    models.Index(fields=["channel", "-made_at", "-id"], name="grant_of_channel"),
                    models.Index(
                        condition=models.Q(("revoked_at__isnull", False)),
                        fields=["-made_at", "-id"],
                        name="grant_revoked",
                    ),
                    models.Index(
                        condition=models.Q(("revoked_at__isnull", True)), fields=["expires_at"], name="grant_end"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("digest",), name="grant_digest"),
                    models.UniqueConstraint(fields=("by", "request_key"), name="grant_of_request"),
                    models.CheckConstraint(
                        condition=models.Q(("video__isnull", True), ("channel__isnull", True), _connector="XOR"),
                        name="grant_of_video_or_channel",
                    ),
                ],
            },
        ),
        RunDeferredSQL(),
        RunSQLInTransaction(CASCADE, migrations.RunSQL.noop),
    ]
