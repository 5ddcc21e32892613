"""What was changed in many videos at once, and the tags that are known, kept by a trigger.

Locks: `on_demand_video_content` against writes for an instant (two triggers), once the writes that run have ended.
"""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models
from django.db.models.functions import MD5, Collate, Left, Upper
from ondemand import derivation


class Migration(migrations.Migration):
    dependencies = [("ondemand", "0011_attention_indexes")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='BulkChange',
            fields=[
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.TextField(choices=[('show', 'Show'), ('hide', 'Hide'), ('list', 'List'), ('unlist', 'Unlist'), ('schedule', 'Schedule'), ('add_tags', 'Add tags'), ('remove_tags', 'Remove tags'), ('rename_tag', 'Rename a tag'), ('check', 'Check again')])),
                ('values', models.JSONField(null=True)),
                ('by', models.UUIDField()),
                ('by_name', models.TextField()),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('query', models.TextField(blank=True)),
                ('chosen', models.PositiveIntegerField()),
                ('begun_at', models.DateTimeField(null=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('undoing_at', models.DateTimeField(null=True)),
                ('undone_at', models.DateTimeField(null=True)),
                ('outcomes', models.JSONField(default=dict)),
            ],
            options={'default_permissions': (), 'indexes': [models.Index(fields=['-made_at'], name='bulk_change_newest')]},
        ),
        migrations.CreateModel(
            name='BulkChangeRow',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('video_uuid', models.UUIDField()),
                ('outcome', models.TextField(choices=[('waiting', 'not done yet'), ('changed', 'changed'), ('same', 'nothing to change'), ('too_many_tags', 'left as they are: they would have too many tags'), ('no_files', 'left as they are: they have no files that can be read'), ('gone', 'left: they are not there any more'), ('undone', 'undone'), ('changed_since', 'left as they are: somebody changed them since')], default='waiting')),
                ('before', models.JSONField(null=True)),
                ('after', models.JSONField(null=True)),
                ('change', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='ondemand.bulkchange')),
            ],
            options={
                'default_permissions': (),
                'indexes': [
                    models.Index(condition=models.Q(('outcome', 'waiting')), fields=['change', 'id'], name='bulk_change_waiting'),
                    models.Index(condition=models.Q(('outcome', 'changed')), fields=['change', 'id'], name='bulk_change_changed'),
                ],
                'constraints': [models.UniqueConstraint(fields=('change', 'video_uuid'), name='video_of_bulk_change')],
            },
        ),
        migrations.CreateModel(
            name='KnownTag',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('tag', models.TextField()),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(Collate(Upper(Left('tag', 100)), 'C'), name='known_tag_beginning')],
                'constraints': [models.UniqueConstraint(MD5('tag'), name='known_tag_once')],
            },
        ),
        migrations.RunSQL(derivation.KNOWN_TAGS, derivation.UNKNOWN_TAGS),
    ]
