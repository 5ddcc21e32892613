"""`manage.py prune_inbox`: remove old events that are done."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from channels_app.events.retention import NOTHING, inbox_prunable, inbox_prune


class Command(BaseCommand):
    """Remove the events that are older than `INBOX_RETENTION_DAYS`."""

    help = "Remove the events that are done and were received longer ago than INBOX_RETENTION_DAYS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add `--dry-run`."""
        parser.add_argument("--dry-run", action="store_true", help="only say how many")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON object: the time before which they were received, and how many of each outcome."""
        days = settings.INBOX_RETENTION_DAYS
        # Without it events are kept for ever.
        received_before = timezone.now() - timedelta(days=days) if days else None
        work = inbox_prunable if options["dry_run"] else inbox_prune
        printed = {
            "received_before": received_before and received_before.isoformat(),
            "dry_run": options["dry_run"],
            "removed": work(received_before=received_before) if received_before else NOTHING,
        }
        self.stdout.write(json.dumps(printed))
