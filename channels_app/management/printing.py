"""What the commands that make channels print."""

import json

from django.core.management.base import OutputWrapper
from rest_framework.utils.encoders import JSONEncoder

from channels_app.models import Channel
from channels_app.serializers import CreatedChannelSerializer


def channel_print(stdout: OutputWrapper, channel: Channel) -> None:
    """One JSON object with the fields of `POST /channels`, stream key included."""
    made = Channel.objects.with_live_state().get(pk=channel.pk)
    stdout.write(json.dumps(CreatedChannelSerializer(made).data, cls=JSONEncoder))
