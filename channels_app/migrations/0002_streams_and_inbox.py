"""The tables of streams and of received events.

Locks: `ivs_channels` against writes for an instant (a foreign key of a new table).
"""

import django.db.models.functions.comparison
import django.utils.timezone
from channels_app.cascading import cascade_in_database
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0001_predecessor_tables")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='InboxEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_id', models.TextField(db_collation='C', unique=True)),
                ('body', models.TextField()),
                ('received_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('outcome', models.TextField(choices=[('received', 'received, not processed yet'), ('applied', 'applied'), ('parked', 'parked: its channel is not in the database'), ('ignored', 'ignored: nothing here depends on it'), ('deferred', 'deferred: S3 could not be read yet'), ('refused', 'refused: malformed'), ('failed', 'failed')], default='received')),
                ('error', models.TextField(blank=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('processed_at', models.DateTimeField(null=True)),
                ('detail_type', models.TextField(blank=True)),
                ('name', models.TextField(blank=True)),
                ('event_time', models.DateTimeField(null=True)),
                ('channel_arn', models.TextField(blank=True, verbose_name='channel ARN')),
                ('stream_id', models.TextField(blank=True)),
            ],
            options={
                'verbose_name': 'event',
                'indexes': [models.Index(condition=models.Q(('outcome__in', ['received', 'parked', 'deferred', 'failed'])), fields=['id'], name='inbox_open'), models.Index(condition=models.Q(('outcome', 'parked')), fields=['channel_arn'], name='inbox_parked')],
            },
        ),
        migrations.CreateModel(
            name='Stream',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stream_id', models.TextField(db_collation='C')),
                ('first_event_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('order_at', models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Coalesce(models.F('started_at'), models.F('first_event_at')), output_field=models.DateTimeField())),
                ('channel', models.ForeignKey(db_index=False, on_delete=cascade_in_database, related_name='streams', to='channels_app.channel')),
            ],
            options={
                'indexes': [models.Index(models.F('channel'), models.OrderBy(models.F('order_at'), descending=True), models.OrderBy(models.F('stream_id'), descending=True), condition=models.Q(('started_at__isnull', False), ('ended_at__isnull', False), _connector='OR'), name='stream_last_of_channel')],
                'constraints': [models.UniqueConstraint(fields=('channel', 'stream_id'), name='stream_of_channel')],
            },
        ),
    ]
