"""`manage.py backfill`: what is derived from rows that the predecessor wrote."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

import channels_app.backfill
import ondemand.backfill


class Command(BaseCommand):
    """Fills what old rows lack; `migrate` runs the same once."""

    help = "Fill what is derived from rows that the predecessor wrote, in committed batches; safe to stop and rerun."

    def add_arguments(self, parser: CommandParser) -> None:
        """What else is derived anew."""
        parser.add_argument(
            "--search", action="store_true", help="search in the configuration SEARCH_CONFIG, and rewrite all vectors"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Both apps, in the order of their dependency."""
        with connection.cursor() as cursor:
            if options["search"]:
                self._search_again(cursor)
            channels_app.backfill.backfill(cursor, self.stdout.write)
            ondemand.backfill.backfill(cursor, self.stdout.write)

    def _search_again(self, cursor: Any) -> None:
        try:
            ondemand.backfill.search_config_set(cursor, settings.SEARCH_CONFIG, self.stdout.write)
        except ondemand.backfill.UnknownSearchConfigError as error:
            raise CommandError(f"SEARCH_CONFIG: {error}") from None
