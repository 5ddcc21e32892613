"""What `reconcile` keeps: who runs it and how far it is, and which streams it has compared.

Locks: the table of streams for an instant (a nullable column without a default), and against writes while a small
partial index is built.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0008_reconciled_events")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", "SET LOCAL lock_timeout = '10s'"),
        migrations.AddField("stream", "compared_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "stream",
            models.Index(
                fields=["id"],
                name="stream_without_end",
                condition=models.Q(("ended_at__isnull", True), ("started_at__isnull", False)),
            ),
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
    ]
