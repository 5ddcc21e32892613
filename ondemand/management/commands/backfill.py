"""`manage.py backfill`: fill columns that are derived from rows of the predecessor; `migrate` runs it once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

import channels_app.sql.backfill
import ondemand.sql.backfill


class Command(BaseCommand):
    help = "Fill what is derived from rows that the predecessor wrote, in committed batches; safe to stop and rerun."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--search", action="store_true", help="search in the configuration SEARCH_CONFIG, and rewrite all vectors"
        )
        parser.add_argument(
            "--index", action="store_true", help="check the index of videos: write it again, and say what was wrong"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill the tables of both apps in the order of their dependency."""
        with connection.cursor() as cursor:
            if options["search"]:
                try:
                    ondemand.sql.backfill.search_config_set(cursor, settings.SEARCH_CONFIG, self.stdout.write)
                except ondemand.sql.backfill.UnknownSearchConfigError as error:
                    raise CommandError(f"SEARCH_CONFIG: {error}") from None
            channels_app.sql.backfill.backfill(cursor, self.stdout.write)
            ondemand.sql.backfill.backfill(cursor, self.stdout.write)
            if options["index"]:
                wrong = ondemand.sql.backfill.index_again(cursor)
                self.stdout.write(f"The index of videos was wrong in {wrong} rows, and is right now.")
