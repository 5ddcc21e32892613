"""The names of models and fields, so that they can be translated. No SQL, and so no lock: pages alone show them."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("channels_app", "0015_words"),
        ("ondemand", "0014_list_indexes"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="content",
            options={"verbose_name": "content", "verbose_name_plural": "content"},
        ),
        migrations.AlterModelOptions(
            name="video",
            options={"verbose_name": "video", "verbose_name_plural": "videos"},
        ),
        migrations.AlterField(
            model_name="content",
            name="description",
            field=models.TextField(blank=True, null=True, verbose_name="description"),
        ),
        migrations.AlterField(
            model_name="content",
            name="tags",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(blank=True, null=True),
                blank=True,
                null=True,
                size=None,
                verbose_name="tags",
            ),
        ),
        migrations.AlterField(
            model_name="content",
            name="thumbnail",
            field=models.TextField(blank=True, null=True, verbose_name="picture"),
        ),
        migrations.AlterField(
            model_name="content",
            name="title",
            field=models.TextField(blank=True, null=True, verbose_name="title"),
        ),
        migrations.AlterField(
            model_name="video",
            name="channel",
            field=models.ForeignKey(
                db_column="ivs_channel_uuid",
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="videos",
                to="channels_app.channel",
                verbose_name="channel",
            ),
        ),
        migrations.AlterField(
            model_name="video",
            name="duplicate_of",
            field=models.ForeignKey(
                db_column="_duplicate_of",
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="duplicates",
                to="ondemand.video",
                verbose_name="duplicate of",
            ),
        ),
        migrations.AlterField(
            model_name="video",
            name="held",
            field=models.BooleanField(
                db_column="_held", db_default=False, default=False, null=True, verbose_name="held"
            ),
        ),
        migrations.AlterField(
            model_name="video",
            name="metadata",
            field=models.JSONField(
                db_column="_metadata",
                db_default=models.Value({}, output_field=models.JSONField()),
                default=dict,
                verbose_name="metadata",
            ),
        ),
        migrations.AlterField(
            model_name="video",
            name="publish_from",
            field=models.DateTimeField(db_column="_publish_from", null=True, verbose_name="publish from"),
        ),
        migrations.AlterField(
            model_name="video",
            name="publish_until",
            field=models.DateTimeField(db_column="_publish_until", null=True, verbose_name="publish until"),
        ),
        migrations.AlterField(
            model_name="video",
            name="qa",
            field=models.TextField(
                choices=[("unverified", "unverified"), ("ok", "ok"), ("warning", "warning"), ("failed", "failed")],
                db_column="_qa",
                null=True,
                verbose_name="files",
            ),
        ),
        migrations.AlterField(
            model_name="video",
            name="status",
            field=models.TextField(
                choices=[("recording", "Recording"), ("available", "Available"), ("failed", "Failed")],
                db_column="_status",
                null=True,
                verbose_name="status",
            ),
        ),
        migrations.AlterField(
            model_name="video",
            name="visibility",
            field=models.TextField(
                choices=[("public", "Public"), ("unlisted", "Unlisted")],
                db_column="_visibility",
                db_default="public",
                default="public",
                null=True,
                verbose_name="visibility",
            ),
        ),
        migrations.AlterField(
            model_name="video",
            name="awaits_review",
            field=models.BooleanField(
                db_column="_awaits_review", db_default=False, default=False, verbose_name="waits for review"
            ),
        ),
        migrations.AlterField(
            model_name="video",
            name="duration_ms",
            field=models.BigIntegerField(db_column="_duration_ms", null=True, verbose_name="duration in milliseconds"),
        ),
        migrations.AlterField(
            model_name="video",
            name="ended_at",
            field=models.DateTimeField(db_column="_ended_at", null=True, verbose_name="end"),
        ),
        migrations.AlterField(
            model_name="video",
            name="started_at",
            field=models.DateTimeField(db_column="_started_at", null=True, verbose_name="start"),
        ),
    ]
