"""Indexes of lists, filters and publication edges, built without stopping writes."""

import datetime
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.functions.comparison
from channels_app.ddl import EnsureIndex
from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models

LISTED = models.Q(('active', True), ('duplicate_of__isnull', True), ('held', False), ('status', 'available'), ('visibility', 'public'))
START = django.db.models.functions.comparison.Coalesce('started_at', models.Value(datetime.datetime(1900, 1, 1, tzinfo=datetime.UTC)))
LENGTH = django.db.models.functions.comparison.Coalesce('duration_ms', models.Value(0), output_field=models.BigIntegerField())
TAGS = models.Func(models.F('tags'), function='ivsvod_tag_beginnings', output_field=django.contrib.postgres.fields.ArrayField(models.TextField()))
STREAMS = models.Func(models.F('stream_ids'), function='ivsvod_tag_beginnings', output_field=django.contrib.postgres.fields.ArrayField(models.TextField()))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ondemand", "0005_publication")]
    operations = [
        EnsureIndex('video', models.Index(models.OrderBy(START, descending=True), models.OrderBy(models.F('uuid'), descending=True), condition=LISTED, name='video_listed_newest')),
        EnsureIndex('video', models.Index(models.OrderBy(LENGTH, descending=True), models.OrderBy(models.F('uuid'), descending=True), condition=LISTED, name='video_listed_longest')),
        EnsureIndex('video', models.Index(condition=models.Q(('publish_from__isnull', False)), fields=['publish_from'], name='video_publish_from')),
        EnsureIndex('video', models.Index(condition=models.Q(('publish_until__isnull', False)), fields=['publish_until'], name='video_publish_until')),
        EnsureIndex('video', models.Index(condition=models.Q(('held', True)), fields=['uuid'], name='video_held')),
        EnsureIndex('video', django.contrib.postgres.indexes.GinIndex(fields=['metadata'], name='video_metadata', opclasses=['jsonb_path_ops'])),
        EnsureIndex('video', django.contrib.postgres.indexes.GinIndex(STREAMS, name='video_stream_ids')),
        EnsureIndex('content', django.contrib.postgres.indexes.GinIndex(TAGS, name='video_content_tags')),
        # It knew nothing of visibility, and the first of these is in its place.
        RemoveIndexConcurrently('video', 'on_demand_videos_listed_idx'),
    ]
