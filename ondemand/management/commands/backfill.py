"""`manage.py backfill`: what is derived from rows that the predecessor wrote."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

import channels_app.derivation
import ondemand.derivation


class Command(BaseCommand):
    """Fills what old rows lack; `migrate` runs the same once."""

    help = "Fill what is derived from rows that the predecessor wrote, in committed batches; safe to stop and rerun."

    def handle(self, *args: Any, **options: Any) -> None:
        """Both apps, in the order of their dependency."""
        with connection.cursor() as cursor:
            channels_app.derivation.backfill(cursor, self.stdout.write)
            ondemand.derivation.backfill(cursor, self.stdout.write)
