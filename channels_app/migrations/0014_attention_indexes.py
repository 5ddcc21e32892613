"""Indexes of what needs somebody's attention, built without stopping writes."""

from channels_app.ddl import EnsureIndex
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("channels_app", "0013_reported_differences")]
    operations = [
        EnsureIndex('channel', models.Index(condition=models.Q(('status', 'provisioning')), fields=['uuid'], name='channel_unfinished')),
        EnsureIndex('channel', models.Index(condition=models.Q(('status', 'ready'), ('stream_key', '')), fields=['uuid'], name='channel_without_key')),
        EnsureIndex('inboxevent', models.Index(condition=models.Q(('outcome', 'failed')), fields=['id'], name='inbox_failed')),
        EnsureIndex('inboxevent', models.Index(condition=models.Q(('outcome__in', ['received', 'deferred'])), fields=['received_at'], name='inbox_waiting')),
    ]
