"""Indexes of tables that may be large, built without stopping writes."""

from channels_app.ddl import EnsureIndex
from django.contrib.postgres.indexes import HashIndex
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("channels_app", "0003_derived_columns")]
    operations = [EnsureIndex("channel", HashIndex(fields=["arn"], name="ivs_channels_arn_idx"))]
