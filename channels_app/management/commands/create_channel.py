"""`manage.py create_channel`: create a channel in IVS, and its row."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from rest_framework.exceptions import ValidationError
from rest_framework.utils.encoders import JSONEncoder

from channels_app.api.serializers import ChannelCreateSerializer, CreatedChannelSerializer
from channels_app.channels.provisioning import channel_create
from channels_app.models import Channel
from common.errors import ServiceError

_OPTIONS = {"userId": "--owner", "latency_mode": "--latency", "type": "--type", "name": "NAME"}


class Command(BaseCommand):
    """Create a channel as `POST /channels` does."""

    help = "Create a channel in Amazon IVS and print it as JSON, stream key included."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the fields of `POST /channels`; the same serializer validates their values."""
        parser.add_argument("name")
        parser.add_argument("--owner", required=True, metavar="UUID")
        parser.add_argument("--type", default="STANDARD", metavar="T")
        parser.add_argument("--latency", default="LOW", metavar="NORMAL or LOW")
        parser.add_argument("--private", action="store_true")
        parser.add_argument("--no-record", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the channel and print one JSON object; an error is one line on standard error."""
        serializer = ChannelCreateSerializer(
            data={
                "name": options["name"],
                "userId": options["owner"],
                "type": options["type"],
                "latency_mode": options["latency"],
                "private": options["private"],
                "record": not options["no_record"],
            }
        )
        try:
            serializer.is_valid(raise_exception=True)
            channel = channel_create(**serializer.validated_data)
        except ValidationError as error:
            details: Any = error.detail
            name, texts = next(iter(details.items()))
            raise CommandError(f"{_OPTIONS.get(name, name)}: {texts[0]}") from None
        except ServiceError as error:
            raise CommandError(str(error)) from None
        channel_print(self.stdout, channel)


def channel_print(stdout: OutputWrapper, channel: Channel) -> None:
    """Print one JSON object with the fields of `POST /channels`, stream key included."""
    created = Channel.objects.with_live_state().get(pk=channel.pk)
    stdout.write(json.dumps(CreatedChannelSerializer(created).data, cls=JSONEncoder))
