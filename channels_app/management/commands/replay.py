"""`manage.py replay`: stored events go down the road again."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from channels_app.dry_run import DryRun, events_dry_run
from channels_app.inbox import Delivery
from channels_app.management.lines import LinesCommand
from channels_app.management.options import limit_add, limit_of, moment_value, uuid_value
from channels_app.models import Channel, InboxEvent, InboxEventQuerySet
from channels_app.replay import OUTCOMES, events_chosen, events_replay


def outcomes_value(text: str) -> list[str]:
    """The `type` of `--outcome`: words, with commas between them.

    Raises:
        ArgumentTypeError: a word is no outcome.
    """
    words = [word.strip() for word in text.split(",")]
    unknown = [word for word in words if word not in InboxEvent.Outcome.values]
    if unknown:
        raise ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(InboxEvent.Outcome.values)}")
    return words


class Command(LinesCommand):
    """Brings back what failed, and runs improved reducers over the stored history."""

    help = "Process stored events again, the oldest first: those that failed, are parked, ignored or deferred."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which events."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--outcome",
            type=outcomes_value,
            default=[outcome.value for outcome in OUTCOMES],
            metavar="WORD,…",
            help=f"events of these outcomes; without it {','.join(OUTCOMES)}",
        )
        which.add_argument("--all", action="store_true", help="events of every outcome")
        parser.add_argument("--channel", type=uuid_value, metavar="UUID", help="events of this channel alone")
        parser.add_argument("--since", type=moment_value, metavar="DATE", help="events received since")
        limit_add(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say which rows would change")

    def handle(self, *args: Any, **options: Any) -> None:
        """One JSON line for each event, or for each row that would change; exit 1 when one was refused or failed."""
        events, limit = _events(options), limit_of(options)
        if options["dry_run"]:
            must_come_again = self.dry_run(events_dry_run(events, limit=limit))
        else:
            must_come_again = self.replay(events_replay(events, limit=limit))
        if must_come_again:
            sys.exit(1)

    def replay(self, batches: Iterator[list[Delivery]]) -> bool:
        """Tell each event; whether one must come again."""
        must_come_again = False
        for deliveries in batches:
            for delivery in deliveries:
                self.stdout.write(json.dumps({"event_id": delivery.event_id, "outcome": delivery.outcome}))
            must_come_again |= _must_come_again(deliveries)
        return must_come_again

    def dry_run(self, chunks: Iterator[DryRun]) -> bool:
        """Tell each row, and how many there are; whether an event would have to come again."""
        must_come_again, told = False, 0
        for chunk in chunks:
            for change in chunk.changes:
                self.stdout.write(json.dumps(asdict(change)))
            told += len(chunk.changes)
            must_come_again |= _must_come_again(chunk.deliveries)
        self.stdout.write(json.dumps({"would_change": told}))
        return must_come_again


def _must_come_again(deliveries: Iterable[Delivery]) -> bool:
    return any(delivery.must_come_again for delivery in deliveries)


def _events(options: dict[str, Any]) -> InboxEventQuerySet:
    outcomes = InboxEvent.Outcome.values if options["all"] else options["outcome"]
    arn = _arn(options["channel"]) if options["channel"] else None
    return events_chosen(outcomes=outcomes, channel_arn=arn, since=options["since"])


def _arn(uuid: UUID) -> str:
    channel = Channel.objects.filter(pk=uuid).first()
    if channel is None:
        raise CommandError(f"there is no channel {uuid}")
    return channel.arn
