"""What `reconcile` found and nobody has mended yet, for people to read. It locks nothing: the table is new."""

import django.db.models.deletion
import django.utils.timezone
from channels_app.reconcile.kinds import Kind
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0012_reveal_stream_key")]
    operations = [
        migrations.CreateModel(
            name="ReportedDifference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.TextField(db_collation="C", unique=True)),
                ("kind", models.TextField(choices=Kind.choices, verbose_name="kind")),
                ("arn", models.TextField(blank=True, verbose_name="ARN")),
                ("stream_id", models.TextField(blank=True, verbose_name="stream")),
                ("bucket", models.TextField(blank=True, verbose_name="bucket")),
                ("prefix", models.TextField(blank=True, verbose_name="prefix")),
                ("phase", models.TextField(blank=True)),
                ("would", models.TextField(verbose_name="what mends it")),
                ("problem", models.TextField(blank=True, verbose_name="what went wrong")),
                ("is_blocking", models.BooleanField(default=False)),
                ("found_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="found")),
                ("seen_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="seen last")),
                (
                    "channel",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="channels_app.channel",
                        verbose_name="channel",
                    ),
                ),
            ],
            options={"verbose_name": "difference", "verbose_name_plural": "differences"},
        ),
    ]
