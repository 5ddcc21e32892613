"""Indexes of the filters of the admin's list of videos, built without stopping writes."""

from channels_app.ddl import EnsureIndex
from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models.lookups import IsNull

NEWEST = (models.OrderBy(models.F('started_at'), descending=True, nulls_last=True), models.OrderBy(models.F('uuid'), descending=True))
WORD = models.Case(
    models.When(models.Q(('duplicate_of__isnull', False)), then=models.Value('duplicate')),
    models.When(models.Q(('status', 'failed')), then=models.Value('failed')),
    models.When(models.Q(('status', 'recording')), then=models.Value('recording')),
    models.When(models.Q(('held', True), ('held__isnull', True), _connector='OR'), then=models.Value('held')),
    models.When(models.Q(models.Q(('active', True), _negated=True), models.Q(('status', 'available'), _negated=True), _connector='OR'), then=models.Value('hidden')),
    models.When(models.Q(('visibility', 'public'), _negated=True), then=models.Value('unlisted')),
    output_field=models.TextField(),
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ondemand", "0013_tags_in_use")]
    operations = [
        EnsureIndex('video', models.Index(WORD, *NEWEST, condition=models.Q(IsNull(WORD, False)), name='video_by_word')),
        EnsureIndex('video', models.Index(models.F('qa'), *NEWEST, name='video_by_qa')),
        EnsureIndex('video', models.Index(models.F('channel'), *NEWEST, name='video_of_channel')),
        # It is the beginning of the last one.
        RemoveIndexConcurrently('video', 'on_demand_videos_channel_idx'),
    ]
