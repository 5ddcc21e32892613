"""Indexes of tables that may be large, built without stopping writes."""

import django.contrib.postgres.indexes
from channels_app.ddl import EnsureIndex
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ondemand", "0002_recordings_and_derived_columns")]
    operations = [
        EnsureIndex('video', models.Index(fields=['bucket', 'prefix'], name='on_demand_videos_place_idx')),
        EnsureIndex('video', models.Index(fields=['channel'], name='on_demand_videos_channel_idx')),
        EnsureIndex('video', models.Index(models.OrderBy(models.F('started_at'), descending=True, nulls_last=True), models.OrderBy(models.F('uuid'), descending=True), condition=models.Q(('active', True), ('duplicate_of__isnull', True), ('status', 'available')), name='on_demand_videos_listed_idx')),
        EnsureIndex('video', models.Index(models.OrderBy(models.F('started_at'), descending=True, nulls_last=True), models.OrderBy(models.F('uuid'), descending=True), name='on_demand_videos_newest_idx')),
        EnsureIndex('content', django.contrib.postgres.indexes.GinIndex(fields=['search'], name='on_demand_video_content_search')),
    ]
