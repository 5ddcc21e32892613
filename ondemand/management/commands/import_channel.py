"""`manage.py import_channel`: take over a channel of IVS, with its streams and recordings."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from channels_app.channels.provisioning import channel_import
from channels_app.management.commands.create_channel import channel_print
from channels_app.reconcile.differences import DifferenceOutcome, Scope
from channels_app.reconcile.runner import walk
from common.aws import paced
from common.errors import ServiceError
from common.rest.uuids import parse_uuid
from ondemand.reconcile.phases import phases_of_past


class Command(BaseCommand):
    help = "Take over a channel that exists in Amazon IVS and print it as JSON, stream key included."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("arn", metavar="ARN")
        parser.add_argument("--owner", required=True, metavar="UUID")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the channel and print one JSON object; an error is one line on standard error."""
        try:
            owner = parse_uuid(options["owner"])
        except ValueError:
            raise CommandError("--owner: Not a uuid.") from None
        try:
            channel = channel_import(arn=options["arn"], owner=owner)
        except ServiceError as error:
            raise CommandError(str(error)) from None
        with paced():
            passed = list(walk(phases_of_past(), scope=Scope(channel), apply=True))
        channel_print(self.stdout, channel)
        if any(isinstance(each, DifferenceOutcome) and not each.settled for each in passed):
            again = f"reconcile --apply --channel {channel.uuid}"
            self.stderr.write(f"Not all of its streams and recordings could be taken over: run {again}")
