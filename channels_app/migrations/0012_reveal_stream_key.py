"""The permission to be shown a stream key. It locks nothing: Django writes its row after the last migration."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0011_audit")]

    operations = [
        migrations.AlterModelOptions(
            name="channel",
            options={"permissions": [("reveal_stream_key", "Can reveal the stream key of a channel")]},
        ),
    ]
