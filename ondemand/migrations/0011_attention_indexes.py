"""Indexes of what waits for staff and of what they are told of days, built without stopping writes."""

from channels_app.ddl import EnsureIndex
from django.db import migrations, models

NEWEST = (models.OrderBy(models.F('started_at'), descending=True, nulls_last=True), models.OrderBy(models.F('uuid'), descending=True))
RECORDED = models.Q(('duplicate_of__isnull', True), ('status', 'available'))
TO_REVIEW = models.Q(models.Q(models.Q(('active', True), ('held', True)), models.Q(('active', False), ('awaits_review', True)), models.Q(('awaits_review', True), ('visibility', 'unlisted')), _connector='OR'), ('duplicate_of__isnull', True), ('status', 'available'))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ondemand", "0010_videos_await_review")]
    operations = [
        EnsureIndex('video', models.Index(*NEWEST, condition=TO_REVIEW, name='video_to_review')),
        EnsureIndex('video', models.Index(*NEWEST, condition=models.Q(('status', 'failed')), name='video_failed')),
        EnsureIndex('video', models.Index(*NEWEST, condition=models.Q(('status', 'recording')), name='video_recording')),
        EnsureIndex('video', models.Index(condition=RECORDED, fields=['started_at'], include=('duration_ms',), name='video_days')),
    ]
