"""`manage.py prune_grants`: remove old playback grants."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from ondemand.playback.grants import grants_prunable, grants_prune


class Command(BaseCommand):
    """Remove the playback grants that are older than `GRANT_RETENTION_DAYS`."""

    help = "Remove the playback grants that were made longer ago than GRANT_RETENTION_DAYS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add `--dry-run`."""
        parser.add_argument("--dry-run", action="store_true", help="only say how many")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON object: the time before which they were made, and their number."""
        days = settings.GRANT_RETENTION_DAYS
        # Without it grants are kept for ever.
        made_before = timezone.now() - timedelta(days=days) if days else None
        work = grants_prunable if options["dry_run"] else grants_prune
        printed = {
            "made_before": made_before and made_before.isoformat(),
            "dry_run": options["dry_run"],
            "removed": work(made_before=made_before) if made_before else 0,
        }
        self.stdout.write(json.dumps(printed))
