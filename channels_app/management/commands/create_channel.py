"""`manage.py create_channel`: a channel in IVS and its row."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rest_framework.exceptions import ValidationError

from channels_app.errors import ServiceError
from channels_app.management.printing import channel_print
from channels_app.serializers import ChannelCreateSerializer
from channels_app.services import channel_create

_OPTIONS = {"userId": "--owner", "latency_mode": "--latency", "type": "--type", "name": "NAME"}


class Command(BaseCommand):
    """Creates a channel as `POST /channels` does."""

    help = "Create a channel in Amazon IVS and print it as JSON, stream key included."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The fields of `POST /channels`; their values are checked by the same serializer."""
        parser.add_argument("name")
        parser.add_argument("--owner", required=True, metavar="UUID")
        parser.add_argument("--type", default="STANDARD", metavar="T")
        parser.add_argument("--latency", default="LOW", metavar="NORMAL or LOW")
        parser.add_argument("--private", action="store_true")
        parser.add_argument("--no-record", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create it and print one JSON object; one line on standard error where it cannot be."""
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
            raise CommandError(_first_problem(error)) from None
        except ServiceError as error:
            raise CommandError(str(error)) from None
        channel_print(self.stdout, channel)


def _first_problem(error: ValidationError) -> str:
    details: Any = error.detail
    name, texts = next(iter(details.items()))
    return f"{_OPTIONS.get(name, name)}: {texts[0]}"
