"""Build the indexes of `ivs_channels` without stopping writes. It can be killed and run again."""

from django.contrib.postgres.indexes import HashIndex
from django.db import migrations, models

from common.sql.ddl import EnsureIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("channels_app", "0003_triggers")]
    operations = [
        EnsureIndex("channel", HashIndex(fields=["arn"], name="ivs_channels_arn_idx")),
        EnsureIndex(
            "channel",
            models.Index(condition=models.Q(("status", "provisioning")), fields=["uuid"], name="channel_unfinished"),
        ),
        EnsureIndex(
            "channel",
            models.Index(
                condition=models.Q(("status", "ready"), ("stream_key", "")), fields=["uuid"], name="channel_without_key"
            ),
        ),
    ]
