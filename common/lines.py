"""Base class and options of the commands that print JSON lines."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from common.outages import DATABASE_AWAY, outage_counted
from common.rest.times import parse_time
from common.rest.uuids import parse_uuid

# Exit statuses of shells after SIGINT and SIGPIPE.
STOPPED = 130
NOBODY_READS = 141
_LARGEST_LIMIT = 10**9


class LinesCommand(BaseCommand):
    """A command whose reader may stop it or close the pipe."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command.

        Raises:
            CommandError: the database is away; the message is its first line.
            SystemExit: 130 after Ctrl-C, 141 if the pipe is closed, else the status of the command.
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
            # Python flushes it again at exit. https://docs.python.org/3/library/signal.html#note-on-sigpipe
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())
            sys.exit(NOBODY_READS)
        except DATABASE_AWAY as error:
            outage_counted(error)
            raise CommandError(f"The database: {str(error).strip().partition(chr(10))[0]}") from None


def limit_add(parser: ArgumentParser) -> None:
    """Add `--limit N`: the most items; without it all."""
    parser.add_argument("--limit", type=int, metavar="N")


def limit_of(options: dict[str, Any]) -> int | None:
    """Return the value of `--limit`.

    Raises:
        CommandError: it is less than 1, or too large.
    """
    limit: int | None = options["limit"]
    if limit is not None and not 1 <= limit <= _LARGEST_LIMIT:
        raise CommandError(f"--limit takes a number from 1 to {_LARGEST_LIMIT}")
    return limit


def uuid_value(text: str) -> UUID:
    """Return the uuid of an option: its argparse `type`.

    Raises:
        ArgumentTypeError: the text is not a uuid.
    """
    try:
        return parse_uuid(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def time_value(text: str) -> datetime:
    """Return the time of an option, a date (its start in UTC) or a time of RFC 3339: its argparse `type`.

    Raises:
        ArgumentTypeError: it is neither.
    """
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC) if len(text) <= 10 else parse_time(text)
    except ValueError:
        raise ArgumentTypeError("neither a date nor a time of RFC 3339") from None
