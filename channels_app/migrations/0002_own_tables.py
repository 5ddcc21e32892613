"""Make our own tables: streams, the inbox, coordination, differences, the audit log, and the adoption.

Locks: `ivs_channels` against writes for an instant (foreign keys of new tables), the last step of the transaction.
"""

from django.conf import settings
from django.db import migrations, models
from django.db.models import deletion
from django.db.models.functions import Coalesce
from django.utils import timezone

from channels_app.models.differences import DifferenceKind
from common.sql.ddl import RunDeferredSQL, RunSQLInTransaction

# Rows in the predecessor's tables are the predecessor's: no trigger and no code of ours has written any yet.
NOTE_ADOPTION = """
DO $$
DECLARE
    has_rows boolean := EXISTS (SELECT FROM ivs_channels) OR EXISTS (SELECT FROM ivs_state_changes);
BEGIN
    IF NOT has_rows AND to_regclass('on_demand_videos') IS NOT NULL THEN
        has_rows := EXISTS (SELECT FROM on_demand_videos);
    END IF;
    IF has_rows THEN
        INSERT INTO channels_app_adoption (id, adopted_at) VALUES (1, now());
    END IF;
END $$;
"""
# Django 5 cannot write ON DELETE CASCADE: other programs delete channels, too.
CASCADES = """
ALTER TABLE channels_app_streamhistoryentry ADD CONSTRAINT channels_app_streamh_stream_id_7be613ea_fk_channels_
    FOREIGN KEY (stream_id) REFERENCES channels_app_stream (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE channels_app_stream ADD CONSTRAINT channels_app_stream_channel_id_63e049c0_fk_ivs_channels_uuid
    FOREIGN KEY (channel_id) REFERENCES ivs_channels (uuid) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE channels_app_idempotencykey ADD CONSTRAINT channels_app_idempot_channel_id_5ad62681_fk_ivs_chann
    FOREIGN KEY (channel_id) REFERENCES ivs_channels (uuid) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("channels_app", "0001_predecessor_tables"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="Stream",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stream_id", models.TextField(db_collation="C")),
                ("first_event_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("start_reconciled", models.BooleanField(default=False)),
                ("end_reconciled", models.BooleanField(default=False)),
                ("compared_at", models.DateTimeField(null=True)),
                (
                    "order_at",
                    models.GeneratedField(
                        db_persist=True,
                        expression=Coalesce(models.F("started_at"), models.F("first_event_at")),
                        output_field=models.DateTimeField(),
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=deletion.CASCADE,
                        related_name="streams",
                        to="channels_app.channel",
                    ),
                ),
            ],
            options={
                "verbose_name": "stream",
                "verbose_name_plural": "streams",
                "indexes": [
                    models.Index(
                        models.F("channel"),
                        models.OrderBy(models.F("order_at"), descending=True),
                        models.OrderBy(models.F("stream_id"), descending=True),
                        condition=models.Q(("started_at__isnull", False), ("ended_at__isnull", False), _connector="OR"),
                        name="stream_last_of_channel",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True), ("started_at__isnull", False)),
                        fields=["id"],
                        name="stream_without_end",
                    ),
                    models.Index(
                        models.OrderBy(models.F("order_at"), descending=True),
                        models.OrderBy(models.F("stream_id"), descending=True),
                        name="stream_newest",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("channel", "stream_id"), name="stream_of_channel")],
            },
        ),
        migrations.CreateModel(
            name="StreamHistoryEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event_id", models.TextField(db_collation="C")),
                ("at", models.DateTimeField()),
                ("name", models.TextField()),
                ("detail", models.JSONField()),
                (
                    "stream",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=deletion.CASCADE,
                        related_name="history",
                        to="channels_app.stream",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "stream history",
                "constraints": [models.UniqueConstraint(fields=("event_id",), name="stream_history_event_id")],
            },
        ),
        migrations.CreateModel(
            name="InboxEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event_id", models.TextField(db_collation="C", verbose_name="event id")),
                ("body", models.TextField()),
                ("received_at", models.DateTimeField(default=timezone.now)),
                (
                    "outcome",
                    models.TextField(
                        choices=[
                            ("received", "received, not processed yet"),
                            ("applied", "applied"),
                            ("parked", "parked: its channel is not in the database"),
                            ("ignored", "ignored: nothing here depends on it"),
                            ("deferred", "deferred: S3 could not be read yet"),
                            ("refused", "refused: malformed"),
                            ("failed", "failed"),
                        ],
                        default="received",
                        verbose_name="outcome",
                    ),
                ),
                ("error", models.TextField(blank=True, verbose_name="error")),
                ("attempts", models.PositiveIntegerField(default=0, verbose_name="attempts")),
                ("processed_at", models.DateTimeField(null=True)),
                ("detail_type", models.TextField(blank=True, verbose_name="detail type")),
                ("name", models.TextField(blank=True, verbose_name="name")),
                ("event_time", models.DateTimeField(null=True)),
                ("channel_arn", models.TextField(blank=True, verbose_name="channel ARN")),
                ("stream_id", models.TextField(blank=True, verbose_name="stream id")),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "constraints": [models.UniqueConstraint(fields=("event_id",), name="inbox_event_id")],
                "indexes": [
                    models.Index(
                        condition=models.Q(("outcome__in", ["received", "deferred", "failed"])),
                        fields=["attempts", "id"],
                        name="inbox_open",
                    ),
                    models.Index(
                        condition=models.Q(("outcome__in", ["applied", "ignored", "refused", "parked"])),
                        fields=["received_at", "id"],
                        name="inbox_prunable",
                    ),
                    models.Index(
                        condition=models.Q(("outcome", "parked")), fields=["channel_arn"], name="inbox_parked"
                    ),
                    models.Index(condition=models.Q(("outcome", "failed")), fields=["id"], name="inbox_failed"),
                    models.Index(
                        condition=models.Q(("outcome__in", ["received", "deferred"])),
                        fields=["received_at"],
                        name="inbox_waiting",
                    ),
                    models.Index(
                        condition=models.Q(("stream_id", ""), _negated=True), fields=["stream_id"], name="inbox_stream"
                    ),
                    models.Index(
                        condition=models.Q(("channel_arn", ""), _negated=True),
                        fields=["channel_arn"],
                        name="inbox_channel",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("caller", models.UUIDField()),
                ("key", models.TextField(db_collation="C")),
                ("body_digest", models.TextField()),
                ("created_at", models.DateTimeField(default=timezone.now)),
                ("claimed_until", models.DateTimeField()),
                (
                    "channel",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=deletion.CASCADE,
                        related_name="idempotency_keys",
                        to="channels_app.channel",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="idempotency_key_age")],
                "constraints": [models.UniqueConstraint(fields=("caller", "key"), name="idempotency_key_of_caller")],
            },
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False)),
                ("holder", models.UUIDField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("scope", models.JSONField(default=dict)),
                ("cursor", models.JSONField(null=True)),
                ("found", models.JSONField(default=dict)),
                ("left", models.JSONField(default=dict)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ReportedDifference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.TextField(db_collation="C", unique=True)),
                ("kind", models.TextField(choices=DifferenceKind.choices, verbose_name="kind")),
                ("arn", models.TextField(blank=True, verbose_name="ARN")),
                ("stream_id", models.TextField(blank=True, verbose_name="stream")),
                ("bucket", models.TextField(blank=True, verbose_name="bucket")),
                ("prefix", models.TextField(blank=True, verbose_name="prefix")),
                ("phase", models.TextField(blank=True)),
                ("would", models.TextField(verbose_name="what mends it")),
                ("problem", models.TextField(blank=True, verbose_name="what went wrong")),
                ("is_blocking", models.BooleanField(default=False)),
                ("found_at", models.DateTimeField(default=timezone.now, verbose_name="found")),
                ("seen_at", models.DateTimeField(default=timezone.now, verbose_name="seen last")),
                (
                    "channel",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=deletion.CASCADE,
                        related_name="+",
                        to="channels_app.channel",
                        verbose_name="channel",
                    ),
                ),
            ],
            options={
                "verbose_name": "difference",
                "verbose_name_plural": "differences",
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("object_repr", models.TextField(verbose_name="object representation")),
                ("serialized_data", models.JSONField(null=True)),
                ("changes_text", models.TextField(blank=True, verbose_name="change message")),
                ("changes", models.JSONField(null=True, verbose_name="change message")),
                ("remote_addr", models.GenericIPAddressField(blank=True, null=True, verbose_name="remote address")),
                ("remote_port", models.PositiveIntegerField(blank=True, null=True, verbose_name="remote port")),
                ("timestamp", models.DateTimeField(default=timezone.now, verbose_name="timestamp")),
                ("additional_data", models.JSONField(blank=True, null=True, verbose_name="additional data")),
                ("actor_email", models.CharField(blank=True, max_length=254, null=True, verbose_name="actor email")),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("object_pk", models.CharField(max_length=255, verbose_name="object pk")),
                ("object_id", models.BigIntegerField(null=True, verbose_name="object id")),
                (
                    "action",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "create"), (1, "update"), (2, "delete"), (3, "access")], verbose_name="action"
                    ),
                ),
                ("cid", models.CharField(max_length=255, null=True, verbose_name="operation")),
                (
                    "way",
                    models.TextField(
                        choices=[
                            ("admin", "admin"),
                            ("api", "API"),
                            ("command", "command"),
                            ("event", "event"),
                            ("database", "another program"),
                        ],
                        verbose_name="way",
                    ),
                ),
                ("actor_name", models.TextField(verbose_name="by")),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="actor",
                    ),
                ),
                (
                    "content_type",
                    models.ForeignKey(
                        db_index=False, on_delete=deletion.CASCADE, related_name="+", to="contenttypes.contenttype"
                    ),
                ),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit entries",
                "ordering": ["-id"],
                "get_latest_by": "timestamp",
                "abstract": False,
                "indexes": [
                    models.Index(fields=["object_pk", "-id"], name="audit_of_object"),
                    models.Index(fields=["way", "-id"], name="audit_by_way"),
                    models.Index(fields=["content_type", "-id"], name="audit_of_type"),
                    models.Index(fields=["action", "-id"], name="audit_of_action"),
                    models.Index(fields=["actor_name", "-id"], name="audit_by_name"),
                    models.Index(fields=["cid"], name="audit_of_operation"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Adoption",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("adopted_at", models.DateTimeField()),
                ("repairs_enabled_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_adoption")],
            },
        ),
        RunSQLInTransaction(NOTE_ADOPTION, migrations.RunSQL.noop),
        RunDeferredSQL(),
        RunSQLInTransaction(CASCADES, migrations.RunSQL.noop),
    ]
