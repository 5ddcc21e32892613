"""`manage.py import_channel`: a channel that exists in IVS, and from now on here."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from channels_app.aws import AwsError
from channels_app.errors import ChannelError
from channels_app.management.printing import channel_print
from channels_app.services import channel_import
from channels_app.uuids import parse_uuid


class Command(BaseCommand):
    """Takes a channel over that somebody made in IVS."""

    help = "Take over a channel that exists in Amazon IVS and print it as JSON, stream key included."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which channel, and whose it is."""
        parser.add_argument("arn", metavar="ARN")
        parser.add_argument("--owner", required=True, metavar="UUID")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take it over and print one JSON object; one line on standard error where it cannot be."""
        try:
            channel = channel_import(arn=options["arn"], owner=_owner(options["owner"]))
        except (AwsError, ChannelError) as error:
            raise CommandError(str(error)) from None
        channel_print(self.stdout, channel)


def _owner(text: str) -> Any:
    try:
        return parse_uuid(text)
    except ValueError:
        raise CommandError("--owner: Not a uuid.") from None
