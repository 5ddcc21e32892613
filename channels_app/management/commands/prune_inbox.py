"""`manage.py prune_inbox`: events that are done and older than the inbox keeps them."""

import json
from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from channels_app.retention import NOTHING, inbox_prunable, inbox_prune


class Command(BaseCommand):
    """Keeps the inbox to the days of `INBOX_RETENTION_DAYS`."""

    help = "Remove the events that are done and were received longer ago than INBOX_RETENTION_DAYS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether to remove them at all."""
        parser.add_argument("--dry-run", action="store_true", help="only say how many")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON object: before when they were received, and how many of each outcome."""
        received_before = _received_before()
        work = inbox_prunable if options["dry_run"] else inbox_prune
        printed = {
            "received_before": received_before and received_before.isoformat(),
            "dry_run": options["dry_run"],
            "removed": work(received_before=received_before) if received_before else NOTHING,
        }
        self.stdout.write(json.dumps(printed))


def _received_before() -> datetime | None:
    """None where the inbox keeps its events for ever."""
    days = settings.INBOX_RETENTION_DAYS
    return timezone.now() - timedelta(days=days) if days else None
