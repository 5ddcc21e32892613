"""The audit log, and the triggers that write it of channels.

Locks: `ivs_channels` for an instant, once the writes that run have ended; waits at most ten seconds for that.
"""

import django.db.models.deletion
import django.utils.timezone
from channels_app.audit import triggers
from django.conf import settings
from django.db import migrations, models

CHANNELS = triggers.AuditedTable(
    table="ivs_channels",
    model="channels_app.channel",
    name="_name",
    fields={
        "owner": "owner",
        "active": "active",
        "arn": "arn",
        "rtmp_address": "rtmp_address",
        "stream_key": f"{triggers.SECRET}stream_key",
        "_name": "name",
        "_type": "type",
        "_latency_mode": "latency_mode",
        "_private": "private",
        "_record": "record",
        "_status": "status",
        "_new_video_state": "new_video_state",
    },
)


class Migration(migrations.Migration):
    dependencies = [
        ("channels_app", "0010_admin_indexes"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("object_repr", models.TextField(verbose_name="object representation")),
                ("serialized_data", models.JSONField(null=True)),
                ("changes_text", models.TextField(blank=True, verbose_name="change message")),
                ("changes", models.JSONField(null=True, verbose_name="change message")),
                ("remote_addr", models.GenericIPAddressField(blank=True, null=True, verbose_name="remote address")),
                ("remote_port", models.PositiveIntegerField(blank=True, null=True, verbose_name="remote port")),
                ("timestamp", models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name="timestamp")),
                ("additional_data", models.JSONField(blank=True, null=True, verbose_name="additional data")),
                ("actor_email", models.CharField(blank=True, max_length=254, null=True, verbose_name="actor email")),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("object_pk", models.CharField(max_length=255, verbose_name="object pk")),
                ("object_id", models.BigIntegerField(null=True, verbose_name="object id")),
                ("action", models.PositiveSmallIntegerField(choices=[(0, "create"), (1, "update"), (2, "delete"), (3, "access")], verbose_name="action")),
                ("cid", models.CharField(max_length=255, null=True, verbose_name="operation")),
                ("way", models.TextField(choices=[("admin", "admin"), ("api", "API"), ("command", "command"), ("event", "event"), ("database", "another program")], verbose_name="way")),
                ("actor_name", models.TextField(verbose_name="by")),
                ("actor", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL, verbose_name="actor")),
                ("content_type", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="contenttypes.contenttype")),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit log",
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
        migrations.RunSQL(triggers.FUNCTIONS, triggers.DROP_FUNCTIONS),
        migrations.RunSQL("SET LOCAL lock_timeout = '10s';" + CHANNELS.create, CHANNELS.drop),
    ]
