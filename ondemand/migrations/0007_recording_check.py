"""What a check of the files of a recording found, and whether it is what holds the video back.

Locks: `on_demand_videos` exclusively for an instant (a column with a constant default rewrites no row).
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ondemand", "0006_publication_indexes")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", migrations.RunSQL.noop),
        migrations.AlterField('video', 'qa', models.TextField(choices=[('unverified', 'Unverified'), ('ok', 'OK'), ('warning', 'Warning'), ('failed', 'Failed')], db_column='_qa', null=True)),
        migrations.AddField('video', 'qa_reasons', models.JSONField(db_column='_qa_reasons', null=True)),
        migrations.AddField('video', 'held_by_check', models.BooleanField(db_column='_held_by_check', db_default=False, default=False)),
    ]
