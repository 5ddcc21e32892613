"""Who finds a video and when, what applications note about it, and the text search configuration as a function.

Locks: `on_demand_videos` exclusively for an instant (columns with constant defaults rewrite no row).
"""

import django.contrib.postgres.fields
from django.db import migrations, models
from ondemand import derivation


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0005_backfill"), ("ondemand", "0004_backfill")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", migrations.RunSQL.noop),
        migrations.AddField('video', 'visibility', models.TextField(choices=[('public', 'Public'), ('unlisted', 'Unlisted')], db_column='_visibility', db_default='public', default='public', null=True)),
        migrations.AddField('video', 'publish_from', models.DateTimeField(db_column='_publish_from', null=True)),
        migrations.AddField('video', 'publish_until', models.DateTimeField(db_column='_publish_until', null=True)),
        migrations.AddField('video', 'metadata', models.JSONField(db_column='_metadata', db_default=models.Value({}, output_field=models.JSONField()), default=dict)),
        migrations.AddField('video', 'held', models.BooleanField(db_column='_held', db_default=False, default=False, null=True)),
        migrations.RunSQL(derivation.PUBLICATION, derivation.DROP_PUBLICATION),
        migrations.CreateModel(
            name='VideoTag',
            fields=[
                ('pk', models.CompositePrimaryKey('video_id', 'tag', blank=True, editable=False, primary_key=True, serialize=False)),
                ('tag', models.TextField()),
            ],
            options={'db_table': 'ivsvod_video_tags', 'managed': False},
        ),
    ]
