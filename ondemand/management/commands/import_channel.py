"""`manage.py import_channel`: a channel that exists in IVS, and from now on here, with what IVS and S3 know of it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from channels_app.aws import paced
from channels_app.errors import ServiceError
from channels_app.management.printing import channel_print
from channels_app.models import Channel
from channels_app.reconcile.differences import Scope
from channels_app.reconcile.walking import Finding, walk
from channels_app.services import channel_import
from channels_app.uuids import parse_uuid
from ondemand.reconcile.phases import phases_of_past


class Command(BaseCommand):
    """Takes a channel over that somebody made in IVS, with its streams and its recordings."""

    help = "Take over a channel that exists in Amazon IVS and print it as JSON, stream key included."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which channel, and whose it is."""
        parser.add_argument("arn", metavar="ARN")
        parser.add_argument("--owner", required=True, metavar="UUID")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take it over and print one JSON object; one line on standard error where it cannot be."""
        try:
            channel = channel_import(arn=options["arn"], owner=_owner(options["owner"]))
        except ServiceError as error:
            raise CommandError(str(error)) from None
        is_left = _left(channel)
        channel_print(self.stdout, channel)
        if is_left:
            again = f"reconcile --apply --channel {channel.uuid}"
            self.stderr.write(f"Not all of its streams and recordings could be taken over: run {again}")


def _left(channel: Channel) -> bool:
    """Take over what the channel did before; whether any of it is left."""
    with paced():
        passed = list(walk(phases_of_past(), scope=Scope(channel), apply=True))
    return any(isinstance(each, Finding) and not each.settled for each in passed)


def _owner(text: str) -> Any:
    try:
        return parse_uuid(text)
    except ValueError:
        raise CommandError("--owner: Not a uuid.") from None
