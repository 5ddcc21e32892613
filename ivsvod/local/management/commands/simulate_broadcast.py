"""`manage.py simulate_broadcast`: an encoder goes live on a channel of the local stack."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from channels_app.models import Channel
from channels_app.uuids import parse_uuid
from ivsvod.local.encoder import StreamKeyRefused
from ivsvod.local.guard import refuse_anything_real
from ivsvod.local.studio import DeliveryFailedError, broadcast


class Command(BaseCommand):
    """Plays one broadcast through the real path: events, recording, catalogue."""

    help = "Local stack only: play a broadcast on a channel, with the events and the recording that IVS would make."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The channel and the length."""
        parser.add_argument("channel", metavar="CHANNEL", help="its uuid, or its name if only one has it")
        parser.add_argument("--seconds", type=float, default=8, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        """Play it and print what it left as one JSON object."""
        home = refuse_anything_real()
        if not 1 <= options["seconds"] <= 3600:
            raise CommandError("--seconds takes 1 to 3600")
        channel = _channel(options["channel"])
        try:
            made = broadcast(home=home, channel=channel, seconds=options["seconds"])
        except (DeliveryFailedError, StreamKeyRefused) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            json.dumps(
                {
                    "channel_uuid": str(channel.uuid),
                    "stream_id": made.stream_id,
                    "bucket": made.bucket,
                    "prefix": made.prefix,
                    "duration_ms": made.duration_ms,
                }
            )
        )


def _channel(text: str) -> Channel:
    try:
        found = list(Channel.objects.filter(pk=parse_uuid(text)))
    except ValueError:
        found = list(Channel.objects.filter(name=text)[:2])
    if len(found) != 1:
        raise CommandError(f"CHANNEL: {'no channel' if not found else 'more than one channel'} is {text}")
    return found[0]
