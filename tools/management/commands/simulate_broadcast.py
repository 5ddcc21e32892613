"""`manage.py simulate_broadcast`: an encoder goes live on a channel of the local stack.

A line of progress for each broadcast goes to the terminal, the log to the file of the demo, and JSON to other programs.
"""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from random import Random
from secrets import randbits
from typing import Any

from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter, OutputWrapper

from channels_app.models import Channel
from common.rest.uuids import parse_uuid
from tools.local.broadcast.encoder import Broadcast, StreamKeyRefused
from tools.local.broadcast.plan import FaultRefusedError
from tools.local.broadcast.storm import FAULTS, UnknownFaultError, parse_faults
from tools.local.broadcast.studio import DeliveryFailedError, broadcasts
from tools.local.ivs import IvsError
from tools.local.launch import refuse_real_services
from tools.local.terminal import ProgressLine, logged_to

MOST = 1000


class FaultsFormatter(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """A formatter that keeps the lines of the list of faults."""


class Command(BaseCommand):
    """Play broadcasts through the real path: events, recordings, catalogue."""

    help = "Local stack only: play broadcasts on a channel, with the events and the recordings that IVS would make."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the channel, the length, and the faults."""
        parser.formatter_class = FaultsFormatter
        parser.epilog = "faults:\n" + "\n".join(f"  {name:28} {meaning}" for name, meaning in FAULTS.items())
        parser.add_argument("channel", metavar="CHANNEL", help="its uuid, or its name if only one has it")
        parser.add_argument("--seconds", type=float, default=8, metavar="N", help="the length of each stream (8)")
        parser.add_argument("--faults", default="", metavar="A,B", help="the faults; see below")
        parser.add_argument("--many", type=int, default=1, metavar="N", help="the number of broadcasts in a row")
        parser.add_argument("--seed", type=int, metavar="N", help="repeat the faults of delivery of this seed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Play them with a line of progress for each; print each as a JSON object, unless people read the output."""
        home = refuse_real_services()
        if not 1 <= options["seconds"] <= 3600:
            raise CommandError("--seconds takes 1 to 3600")
        if not 1 <= options["many"] <= MOST:
            raise CommandError(f"--many takes 1 to {MOST}")
        try:
            faults = parse_faults(options["faults"])
        except UnknownFaultError as error:
            raise CommandError(f"--faults: {error}") from None
        channel = _channel(options["channel"])
        seed = randbits(32) if options["seed"] is None else options["seed"]
        lines = BroadcastLines(self.stderr, str(channel), options["many"])
        try:
            with logged_to(home / "demo.log"):
                made = broadcasts(
                    home=home,
                    channel=channel,
                    seconds=options["seconds"],
                    many=options["many"],
                    faults=faults,
                    random=Random(seed),  # noqa: S311 -- nothing here is secret
                    progress=lines.advance,
                )
        except (DeliveryFailedError, FaultRefusedError, IvsError, StreamKeyRefused) as error:
            raise CommandError(str(error)) from None
        if not self.stdout.isatty():
            for one in made:
                self.stdout.write(json.dumps(_report(channel, one, seed)))


class BroadcastLines:
    """The lines of progress of some broadcasts, in their order. Their events may arrive late, and so mixed."""

    def __init__(self, stream: OutputWrapper, channel: str, many: int) -> None:
        self.stream = stream
        self.channel = channel
        self.done = [(0, 1)] * many
        self.number = 0
        self.line = self._begin()

    def advance(self, number: int, done: int, total: int) -> None:
        """Note how much of a broadcast is done; its line ends once those before it have ended."""
        self.done[number] = (done, total)
        while self.number < len(self.done):
            done, total = self.done[self.number]
            self.line.advance(done, total)
            if done < total:
                return
            self.line.end("done")
            self.number += 1
            if self.number < len(self.done):
                self.line = self._begin()

    def _begin(self) -> ProgressLine:
        return ProgressLine(self.stream, f"{self.channel}: broadcast {self.number + 1} of {len(self.done)}")


def _report(channel: Channel, one: Broadcast, seed: int) -> dict[str, Any]:
    """Return the last stream and recording, all of them, and the numbers of events sent and arrived."""
    return {
        "channel_uuid": str(channel.uuid),
        "stream_id": one.stream_id,
        "bucket": one.bucket,
        "prefix": one.prefix,
        "duration_ms": one.duration_ms,
        "stream_ids": [stream.stream_id for stream in one.plan.streams],
        "recordings": [
            {"prefix": each.prefix or None}
            | {name: getattr(each, name) for name in ("duration_ms", "stream_ids", "outcome")}
            for each in one.plan.recordings
        ],
        "events": len(one.events),
        "arrived": one.arrived,
        "seed": seed,
    }


def _channel(text: str) -> Channel:
    try:
        found = list(Channel.objects.filter(pk=parse_uuid(text)))
    except ValueError:
        found = list(Channel.objects.filter(name=text)[:2])
    if len(found) != 1:
        raise CommandError(f"CHANNEL: {'no channel' if not found else 'more than one channel'} is {text}")
    return found[0]
