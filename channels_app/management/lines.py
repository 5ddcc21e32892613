"""Commands that print JSON lines, and how they end when they are stopped from outside: in one line, or none."""

import os
import sys
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from channels_app.outages import DATABASE_AWAY, outage_counted

# As shells tell of what SIGINT and SIGPIPE ended.
STOPPED = 130
NOBODY_READS = 141


class LinesCommand(BaseCommand):
    """A command whose lines somebody reads who may stop it, or go away."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run it.

        Raises:
            CommandError: the database is away; the message is its first line.
            SystemExit: with 130 after Ctrl-C, with 141 where nobody reads on, else with what the command says.
        """
        try:
            try:
                return super().execute(*args, **options)
            finally:
                self.stdout.flush()
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")
            sys.exit(STOPPED)
        except BrokenPipeError:
            self._leave_stdout()
            sys.exit(NOBODY_READS)
        except DATABASE_AWAY as error:
            outage_counted(error)
            raise CommandError(f"The database: {str(error).strip().partition(chr(10))[0]}") from None

    def _leave_stdout(self) -> None:
        """Python flushes it once more at the end. https://docs.python.org/3/library/signal.html#note-on-sigpipe"""
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())
