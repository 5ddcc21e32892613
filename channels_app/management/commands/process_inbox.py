"""`manage.py process_inbox`: stored events that are not done."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from channels_app.inbox import process_open
from channels_app.inbox_state import inbox_measure
from channels_app.management.lines import LinesCommand
from channels_app.management.options import limit_add, limit_of


class Command(LinesCommand):
    """Processes what a crash, a missing channel or an unreadable S3 left open."""

    help = "Process stored events that are not done, the least tried first; safe beside the Lambda."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to take and how much of it."""
        parser.add_argument("--retry-failed", action="store_true", help="the failed ones too")
        limit_add(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """One JSON line for each event; exit 1 when one was refused or failed."""
        must_come_again = False
        try:
            for delivery in process_open(retry_failed=options["retry_failed"], limit=limit_of(options)):
                self.stdout.write(json.dumps({"event_id": delivery.event_id, "outcome": delivery.outcome}))
                must_come_again |= delivery.must_come_again
        finally:
            # Also of a run that is stopped before the time of the function is over: the alarm reads these numbers.
            inbox_measure()
        if must_come_again:
            sys.exit(1)
