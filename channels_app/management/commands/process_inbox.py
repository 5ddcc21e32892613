"""`manage.py process_inbox`: process stored events that are not done."""

import sys
from argparse import ArgumentParser
from typing import Any

from channels_app.events.inbox import inbox_measure, process_open
from channels_app.management.deliveries import deliveries_print
from common.lines import LinesCommand, limit_add, limit_of


class Command(LinesCommand):
    """Process the events that a crash, a missing channel or an unreadable S3 left open."""

    help = "Process stored events that are not done, the least tried first; safe beside the Lambda."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the choice of events."""
        parser.add_argument("--retry-failed", action="store_true", help="the failed ones too")
        limit_add(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON line for each event; exit 1 if one was refused or failed."""
        deliveries = process_open(retry_failed=options["retry_failed"], limit=limit_of(options))
        try:
            must_come_again = deliveries_print(deliveries, self.stdout)
        finally:
            # Also if the run is stopped at the timeout of its function: the alarm reads these numbers.
            inbox_measure()
        if must_come_again:
            sys.exit(1)
