"""`manage.py replay`: process stored events again."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from channels_app.events.replay import OUTCOMES, events_chosen, events_dry_run, events_replay
from channels_app.management.deliveries import deliveries_print
from channels_app.models import Channel, InboxEvent, InboxEventQuerySet
from common.lines import LinesCommand, limit_add, limit_of, time_value, uuid_value


def outcomes_value(text: str) -> list[str]:
    """Return the comma-separated outcomes of `--outcome`: its argparse `type`.

    Raises:
        ArgumentTypeError: one is no outcome.
    """
    outcomes = [outcome.strip() for outcome in text.split(",")]
    unknown = [outcome for outcome in outcomes if outcome not in InboxEvent.Outcome.values]
    if unknown:
        raise ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(InboxEvent.Outcome.values)}")
    return outcomes


class Command(LinesCommand):
    """Process failed events again, or run improved handlers over the stored history."""

    help = "Process stored events again, the oldest first: those that failed, are parked, ignored or deferred."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the choice of events."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--outcome",
            type=outcomes_value,
            default=[outcome.value for outcome in OUTCOMES],
            metavar="OUTCOME,…",
            help=f"events of these outcomes; without it {','.join(OUTCOMES)}",
        )
        which.add_argument("--all", action="store_true", help="events of every outcome")
        parser.add_argument("--channel", type=uuid_value, metavar="UUID", help="events of this channel alone")
        parser.add_argument("--since", type=time_value, metavar="DATE", help="events received since")
        limit_add(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say which rows would change")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a JSON line for each event, or for each row that would change; exit 1 if one was refused or failed."""
        outcomes = InboxEvent.Outcome.values if options["all"] else options["outcome"]
        arn = None
        if options["channel"]:
            channel = Channel.objects.filter(pk=options["channel"]).first()
            if channel is None:
                raise CommandError(f"there is no channel {options['channel']}")
            arn = channel.arn
        events = events_chosen(outcomes=outcomes, channel_arn=arn, since=options["since"])
        run = self.dry_run if options["dry_run"] else self.replay
        if run(events, limit_of(options)):
            sys.exit(1)

    def replay(self, events: InboxEventQuerySet, limit: int | None) -> bool:
        """Print each event; return whether one must come again."""
        must_come_again = False
        for deliveries in events_replay(events, limit=limit):
            must_come_again |= deliveries_print(deliveries, self.stdout)
        return must_come_again

    def dry_run(self, events: InboxEventQuerySet, limit: int | None) -> bool:
        """Print each row that would change, and their number; return whether an event would have to come again."""
        must_come_again, count = False, 0
        for chunk in events_dry_run(events, limit=limit):
            for change in chunk.changes:
                self.stdout.write(json.dumps(asdict(change)))
            count += len(chunk.changes)
            must_come_again |= any(delivery.must_come_again for delivery in chunk.deliveries)
        self.stdout.write(json.dumps({"would_change": count}))
        return must_come_again
