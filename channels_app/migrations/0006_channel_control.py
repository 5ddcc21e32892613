"""What a channel makes of its recordings, and keys of repeated requests.

Locks: `ivs_channels` exclusively for an instant (a nullable column without a default), and against writes for an
instant (a foreign key of a new table); the new tables are empty.
"""

import django.utils.timezone
from channels_app.cascading import cascade_in_database
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0005_backfill")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", "SET LOCAL lock_timeout = '10s'"),
        migrations.AddField('channel', 'new_video_state', models.TextField(choices=[('listed', 'Listed'), ('unlisted', 'Unlisted'), ('hidden', 'Hidden')], db_column='_new_video_state', null=True)),
        migrations.AlterField('channel', 'status', models.TextField(choices=[('provisioning', 'Provisioning'), ('ready', 'Ready'), ('deleted', 'Deleted')], db_column='_status', null=True)),
        migrations.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('caller', models.UUIDField()),
                ('key', models.TextField(db_collation='C')),
                ('body_digest', models.TextField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('claimed_until', models.DateTimeField()),
                ('channel', models.ForeignKey(on_delete=cascade_in_database, related_name='idempotency_keys', to='channels_app.channel')),
            ],
            options={
                'indexes': [models.Index(fields=['created_at'], name='idempotency_key_age')],
                'constraints': [models.UniqueConstraint(fields=('caller', 'key'), name='idempotency_key_of_caller')],
            },
        ),
    ]
