"""The names of models and fields, so that they can be translated. No SQL, and so no lock: pages alone show them."""

import channels_app.encryption
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("channels_app", "0014_attention_indexes"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="channel",
            options={
                "permissions": [("reveal_stream_key", "Can reveal the stream key of a channel")],
                "verbose_name": "channel",
                "verbose_name_plural": "channels",
            },
        ),
        migrations.AlterModelOptions(
            name="inboxevent",
            options={"verbose_name": "event", "verbose_name_plural": "events"},
        ),
        migrations.AlterModelOptions(
            name="stream",
            options={"verbose_name": "stream", "verbose_name_plural": "streams"},
        ),
        migrations.AlterField(
            model_name="channel",
            name="active",
            field=models.BooleanField(default=True, null=True, verbose_name="active"),
        ),
        migrations.AlterField(
            model_name="channel",
            name="created_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, null=True, verbose_name="created"
            ),
        ),
        migrations.AlterField(
            model_name="channel",
            name="latency_mode",
            field=models.TextField(
                choices=[("LOW", "LOW"), ("NORMAL", "NORMAL")],
                db_column="_latency_mode",
                null=True,
                verbose_name="latency mode",
            ),
        ),
        migrations.AlterField(
            model_name="channel",
            name="name",
            field=models.TextField(db_column="_name", null=True, verbose_name="name"),
        ),
        migrations.AlterField(
            model_name="channel",
            name="new_video_state",
            field=models.TextField(
                choices=[("listed", "listed"), ("unlisted", "unlisted"), ("hidden", "hidden")],
                db_column="_new_video_state",
                null=True,
                verbose_name="new videos",
            ),
        ),
        migrations.AlterField(
            model_name="channel",
            name="owner",
            field=models.UUIDField(verbose_name="owner"),
        ),
        migrations.AlterField(
            model_name="channel",
            name="playback_url",
            field=models.TextField(db_column="_playback_url", null=True, verbose_name="playback URL"),
        ),
        migrations.AlterField(
            model_name="channel",
            name="private",
            field=models.BooleanField(db_column="_private", null=True, verbose_name="private"),
        ),
        migrations.AlterField(
            model_name="channel",
            name="record",
            field=models.BooleanField(db_column="_record", null=True, verbose_name="record"),
        ),
        migrations.AlterField(
            model_name="channel",
            name="status",
            field=models.TextField(
                choices=[("provisioning", "Provisioning"), ("ready", "Ready"), ("deleted", "Deleted")],
                db_column="_status",
                null=True,
                verbose_name="status",
            ),
        ),
        migrations.AlterField(
            model_name="channel",
            name="stream_key",
            field=channels_app.encryption.EncryptedTextField(verbose_name="stream key"),
        ),
        migrations.AlterField(
            model_name="channel",
            name="type",
            field=models.TextField(
                choices=[
                    ("STANDARD", "STANDARD"),
                    ("BASIC", "BASIC"),
                    ("ADVANCED_SD", "ADVANCED_SD"),
                    ("ADVANCED_HD", "ADVANCED_HD"),
                ],
                db_column="_type",
                null=True,
                verbose_name="type",
            ),
        ),
        migrations.AlterField(
            model_name="inboxevent",
            name="attempts",
            field=models.PositiveIntegerField(default=0, verbose_name="attempts"),
        ),
        migrations.AlterField(
            model_name="inboxevent",
            name="detail_type",
            field=models.TextField(blank=True, verbose_name="detail type"),
        ),
        migrations.AlterField(
            model_name="inboxevent",
            name="error",
            field=models.TextField(blank=True, verbose_name="error"),
        ),
        migrations.AlterField(
            model_name="inboxevent",
            name="event_id",
            field=models.TextField(db_collation="C", unique=True, verbose_name="event id"),
        ),
        migrations.AlterField(
            model_name="inboxevent",
            name="name",
            field=models.TextField(blank=True, verbose_name="name"),
        ),
        migrations.AlterField(
            model_name="inboxevent",
            name="outcome",
            field=models.TextField(
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
        migrations.AlterField(
            model_name="inboxevent",
            name="stream_id",
            field=models.TextField(blank=True, verbose_name="stream id"),
        ),
    ]
