"""What the commands that make channels print."""

import json
from typing import Any

from django.core.management.base import OutputWrapper
from rest_framework.exceptions import ValidationError
from rest_framework.utils.encoders import JSONEncoder

from channels_app.models import Channel
from channels_app.serializers import CreatedChannelSerializer


def channel_print(stdout: OutputWrapper, channel: Channel) -> None:
    """One JSON object with the fields of `POST /channels`, stream key included."""
    made = Channel.objects.with_live_state().get(pk=channel.pk)
    stdout.write(json.dumps(CreatedChannelSerializer(made).data, cls=JSONEncoder))


def first_problem(error: ValidationError, options: dict[str, str]) -> str:
    """The first field that is refused, by the name of its option, and why."""
    details: Any = error.detail
    name, texts = next(iter(details.items()))
    return f"{options.get(name, name)}: {texts[0]}"
