"""Indexes of what the admin lists and searches, built without stopping writes."""

from channels_app.ddl import EnsureIndex
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("channels_app", "0009_reconcile")]
    operations = [
        EnsureIndex('stream', models.Index(models.OrderBy(models.F('order_at'), descending=True), models.OrderBy(models.F('stream_id'), descending=True), name='stream_newest')),
        EnsureIndex('inboxevent', models.Index(fields=['stream_id'], condition=models.Q(('stream_id', ''), _negated=True), name='inbox_stream')),
        EnsureIndex('inboxevent', models.Index(fields=['channel_arn'], condition=models.Q(('channel_arn', ''), _negated=True), name='inbox_channel')),
    ]
